//! What holds for every instruction of an operation: what it takes and gives, and what else it does.
//!
//! Passes ask here; a new operation gets its answers here and nowhere else.

use super::bits::{BitSegment, BitsField};
use super::{Inst, Op, Repr, SsaFunction, Value};
use Repr::{Bool, Code, Float, Term, Word};
use enigma_runtime::bif::Effects;
use enigma_runtime::code::export::Export;
use smallvec::SmallVec;

/// The values that an operation uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operands {
    /// These.
    Exactly(&'static [Repr]),
    /// So many terms.
    Terms(usize),
    /// So many terms or more.
    TermsFrom(usize),
    /// Terms and floats, as many as there are.
    TermsAndFloats,
    /// Machine code, and terms, at least one.
    CodeAndTerms,
}

impl Op {
    /// The values that it uses, without those that targets and exits name.
    pub fn operands(&self) -> Operands {
        use super::Callee;
        use Operands::{CodeAndTerms, Exactly, Terms, TermsAndFloats, TermsFrom};
        match self {
            Op::Const(_)
            | Op::Float(_)
            | Op::LoadY(_)
            | Op::StoreCatch(..)
            | Op::OwnPid
            | Op::WordConst(_)
            | Op::Allocate { .. }
            | Op::Reserve(..)
            | Op::Drop(_)
            | Op::PushReturn(_)
            | Op::Step { .. }
            | Op::CallStep(..)
            | Op::Jump(_)
            | Op::Leave(_) => Exactly(&[]),
            Op::StoreY(_)
            | Op::Test(_)
            | Op::IsValue
            | Op::BitsLeftAre(_)
            | Op::BitsLeftMultiple(_)
            | Op::StartMatch
            | Op::MatchBits(_)
            | Op::MatchString(..)
            | Op::GetUtf(..)
            | Op::RestBits
            | Op::BitsPosition
            | Op::WritableBits
            | Op::ByteSize
            | Op::BitSize
            | Op::Head
            | Op::Tail
            | Op::Element(_)
            | Op::TupleSize
            | Op::ListLength
            | Op::MapSize
            | Op::FunCode(_)
            | Op::Unbox(_)
            | Op::ToFloat(_)
            | Op::TryUnbox
            | Op::TryToFloat
            | Op::TryWord
            | Op::SmallToFloat
            | Op::Switch(..)
            | Op::SwitchArity(..)
            | Op::Return => Exactly(&[Term]),
            Op::Compare(_)
            | Op::IsFunctionOf
            | Op::GetBits(..)
            | Op::SetBitsPosition
            | Op::ElementAt
            | Op::MapGet
            | Op::Cons
            | Op::Arith(..)
            | Op::TryArith(_)
            | Op::SmallArith(_)
            | Op::TrySmallArith(_)
            | Op::CompareSmall(_) => Exactly(&[Term, Term]),
            Op::WordArith(_) | Op::TryWordArith(_) => Exactly(&[Word, Word]),
            Op::WordTerm(_) => Exactly(&[Word]),
            Op::BoolTerm | Op::Branch(..) => Exactly(&[Bool]),
            Op::Box | Op::FloatNegate | Op::IsFinite => Exactly(&[Float]),
            Op::FloatArith(..) | Op::RawFloatArith(_) | Op::CompareFloat(_) => {
                Exactly(&[Float, Float])
            }
            Op::CreateBits(segments, _) => Terms(segments.iter().map(BitSegment::terms).sum()),
            Op::UpdateTuple(_, positions) | Op::OverwriteTuple(_, positions) => {
                Terms(1 + positions.len())
            }
            Op::Call(Callee::Export(e), _)
            | Op::TailCall(Callee::Export(e), _)
            | Op::CallBif(e, ..)
            | Op::GuardBif(e) => Terms(e.arity as usize),
            Op::CallFun(..) | Op::TailCallFun(..) | Op::Build(_) | Op::NewMap => TermsFrom(1),
            Op::MapPut(_) | Op::MapUpdate(_) | Op::AreSmall => TermsFrom(1),
            Op::CallApply(..) | Op::TailCallApply(..) => TermsFrom(2),
            Op::Again(_) => TermsAndFloats,
            Op::CallFunAt(..) => CodeAndTerms,
            Op::Tuple
            | Op::Fun(_)
            | Op::Call(Callee::This | Callee::Local(_), _)
            | Op::TailCall(Callee::This | Callee::Local(_), _) => TermsFrom(0),
        }
    }

    /// The results of an instruction.
    pub fn results(&self) -> SmallVec<[Repr; 4]> {
        let one = |repr| SmallVec::from_slice(&[repr]);
        match self {
            Op::Const(_)
            | Op::LoadY(_)
            | Op::BoolTerm
            | Op::RestBits
            | Op::BitsPosition
            | Op::CreateBits(..)
            | Op::WritableBits
            | Op::ByteSize
            | Op::BitSize
            | Op::Head
            | Op::Tail
            | Op::Element(_)
            | Op::ElementAt
            | Op::TupleSize
            | Op::ListLength
            | Op::OwnPid
            | Op::MapGet
            | Op::MapSize
            | Op::NewMap
            | Op::MapPut(_)
            | Op::MapUpdate(_)
            | Op::Cons
            | Op::Tuple
            | Op::UpdateTuple(..)
            | Op::OverwriteTuple(..)
            | Op::Fun(_)
            | Op::GuardBif(_)
            | Op::Arith(..)
            | Op::TryArith(_)
            | Op::SmallArith(_)
            | Op::Box
            | Op::Call(..)
            | Op::CallFun(..)
            | Op::CallFunAt(..)
            | Op::CallApply(..)
            | Op::CallStep(..)
            | Op::CallBif(..) => one(Term),
            Op::WordTerm(_) => one(Term),
            Op::WordConst(_) | Op::WordArith(_) => one(Word),
            Op::TryWord | Op::TryWordArith(_) => SmallVec::from_slice(&[Bool, Word]),
            Op::FunCode(_) => one(Code),
            Op::Test(_)
            | Op::Compare(_)
            | Op::IsValue
            | Op::IsFunctionOf
            | Op::BitsLeftAre(_)
            | Op::BitsLeftMultiple(_)
            | Op::MatchString(..)
            | Op::AreSmall
            | Op::CompareSmall(_)
            | Op::CompareFloat(_)
            | Op::IsFinite
            | Op::GetBits(BitsField::Skip, ..) => one(Bool),
            Op::StartMatch | Op::GetBits(..) | Op::GetUtf(..) | Op::TrySmallArith(_) => {
                SmallVec::from_slice(&[Bool, Term])
            }
            Op::TryUnbox | Op::TryToFloat => SmallVec::from_slice(&[Bool, Float]),
            Op::MatchBits(steps) => {
                let mut results = SmallVec::from_slice(&[Bool]);
                results.extend(steps.iter().filter(|s| s.has_result()).map(|_| Term));
                results
            }
            Op::Float(_)
            | Op::Unbox(_)
            | Op::ToFloat(_)
            | Op::SmallToFloat
            | Op::FloatArith(..)
            | Op::RawFloatArith(_)
            | Op::FloatNegate => one(Float),
            Op::Step {
                other,
                writes,
                float_writes,
                ..
            } => {
                let mut results = SmallVec::from_elem(Bool, usize::from(other.is_some()));
                results.extend(writes.iter().map(|_| Term));
                results.extend(float_writes.iter().map(|_| Float));
                results
            }
            Op::Allocate { .. }
            | Op::Reserve(..)
            | Op::StoreY(_)
            | Op::StoreCatch(..)
            | Op::SetBitsPosition
            | Op::Drop(_)
            | Op::PushReturn(_)
            | Op::Build(_)
            | Op::Jump(_)
            | Op::Branch(..)
            | Op::Switch(..)
            | Op::SwitchArity(..)
            | Op::Return
            | Op::TailCall(..)
            | Op::TailCallFun(..)
            | Op::TailCallApply(..)
            | Op::Again(_)
            | Op::Leave(_) => SmallVec::new(),
        }
    }

    /// Do its results depend on its operands only, and does nothing else happen? Then two such instructions with the same
    /// operands are one. Some of them must stand behind the test that says that they may look into a term.
    pub fn is_pure(&self) -> bool {
        match self {
            Op::Const(_)
            | Op::Float(_)
            | Op::Test(_)
            | Op::Compare(_)
            | Op::IsValue
            | Op::IsFunctionOf
            | Op::BoolTerm
            | Op::Head
            | Op::Tail
            | Op::Element(_)
            | Op::ElementAt
            | Op::TupleSize
            | Op::ListLength
            | Op::OwnPid
            | Op::MapGet
            | Op::MapSize
            | Op::NewMap
            | Op::Cons
            | Op::Tuple
            | Op::UpdateTuple(..)
            | Op::TryArith(_)
            | Op::Box
            | Op::FloatNegate
            | Op::SmallArith(_)
            | Op::TrySmallArith(_)
            | Op::AreSmall
            | Op::CompareSmall(_)
            | Op::CompareFloat(_)
            | Op::TryUnbox
            | Op::TryToFloat
            | Op::SmallToFloat
            | Op::RawFloatArith(_)
            | Op::WordConst(_)
            | Op::TryWord
            | Op::WordArith(_)
            | Op::TryWordArith(_)
            | Op::WordTerm(_)
            | Op::IsFinite => true,
            Op::GuardBif(e) => effects(e) == Effects::Pure,
            // A match context moves, a frame is written to; the others do more.
            _ => false,
        }
    }

    /// Is nothing missing where it is not executed and nobody uses its results?
    pub fn is_removable(&self) -> bool {
        self.is_pure()
            || matches!(self, Op::GuardBif(e) if effects(e) == Effects::Reads)
            || matches!(
                self,
                Op::LoadY(_)
                    | Op::BitsLeftAre(_)
                    | Op::BitsLeftMultiple(_)
                    | Op::StartMatch
                    | Op::RestBits
                    | Op::BitsPosition
                    | Op::WritableBits
                    | Op::ByteSize
                    | Op::BitSize
                    | Op::Fun(_)
                    | Op::FunCode(_)
            )
    }

    /// May the collector run while it is executed? Then terms that point into the heap are others afterwards, and only
    /// those that are its results may be used.
    pub fn collects(&self) -> bool {
        matches!(
            self,
            Op::Call(..)
                | Op::CallFun(..)
                | Op::CallFunAt(..)
                | Op::CallApply(..)
                | Op::CallBif(..)
                | Op::CallStep(..)
        )
    }
}

/// What a call of a BIF does besides giving its value.
fn effects(export: &Export) -> Effects {
    export.bif().map_or(Effects::Any, |b| b.facts.effects)
}

impl SsaFunction {
    /// The values that an instruction uses: its operands, those that its exit names, and those that its targets name.
    pub fn uses(&self, inst: Inst) -> impl Iterator<Item = Value> + '_ {
        let targets = self.insts[inst.index()].op.targets().into_iter();
        self.own_uses(inst)
            .chain(targets.flat_map(|t| t.args.iter().copied()))
    }

    /// The values that an instruction uses, without those that it only hands to the parameters of blocks.
    pub fn own_uses(&self, inst: Inst) -> impl Iterator<Item = Value> + '_ {
        let inst = &self.insts[inst.index()];
        let exit = inst.op.exit().map(|e| &self.exits[e.index()]);
        let state = exit.into_iter().flat_map(|e| e.x.iter().chain(&e.floats));
        inst.args
            .iter()
            .copied()
            .chain(state.map(|(_, value)| *value))
    }
}
