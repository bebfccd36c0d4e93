//! From a function's instructions, as the loader decoded and verified them, to bytecode.
//!
//! One pass over the instructions. Besides choosing encodings it joins pairs that stand together often
//! and knows the calls that are instructions of their own here (`erlang:apply/2,3`).

mod arith;
mod bits;
mod calls;
mod data;
mod fused;
mod records;
mod select;

use super::continuation::Continuations;
use super::fields::{Field, Jump};
use super::forms::{
    catch, catch_end, continue_native, loop_rec, marker_bind, of_function, raise, source, swap,
    target, wait_timeout,
};
use super::module::{Body, FnInfo, Module};
use super::native;
use super::operand::{Assembler, Place, Refused};
use crate::atom::Atom;
use crate::code::ops;
use crate::term::Term;
use arith::type_test;
pub use calls::heap_words;
use enigma_loader::{FunctionCode, Instr, Op, Operand, Reg};

/// Translates a function.
pub fn function(module: &'static Module, f: &'static FnInfo) -> Result<Body, Refused> {
    let code = match module.file.function_code(f.index as usize) {
        Ok(c) => c,
        Err(e) => return Err(Refused::Unsupported(e.to_string())),
    };
    let info = &module.file.functions[f.index as usize];
    let mut t = Translator {
        module,
        f,
        code: &code,
        asm: Assembler::default(),
        lines: Vec::new(),
        segments: Vec::new(),
        places: Vec::new(),
        continuations: Continuations::of(code.instrs().len()),
        entry: 0,
        entry_label: info.entry_label,
        no_return: &info.no_return,
        cleared: &info.cleared,
    };
    t.run()?;
    let (entry, lines) = (t.entry as u32, std::mem::take(&mut t.lines));
    let segments = std::mem::take(&mut t.segments).into_boxed_slice();
    let places = std::mem::take(&mut t.places).into_boxed_slice();
    Ok(Body {
        code: t.asm.finish()?,
        places,
        continuations: t.continuations,
        entry,
        lines: lines.into_boxed_slice(),
        segments,
    })
}

/// The body of a function that cannot be translated: raises an error that names why.
pub fn refused(f: &'static FnInfo, why: &Refused) -> Body {
    eprintln!(
        "enigma: {}:{}/{} cannot be run: {why}",
        f.module().name,
        f.name,
        f.arity
    );
    let code = Box::new([u64::from(ops::BAD_CODE), std::ptr::from_ref(f) as u64]);
    Body {
        code,
        places: Box::default(),
        continuations: Continuations::of(0),
        entry: 0,
        lines: Box::default(),
        segments: Box::default(),
    }
}

/// The constant that an operand of a module's code stands for.
pub fn constant(module: &'static Module, o: &Operand) -> Option<Term> {
    Some(match *o {
        Operand::Int(n) => match Term::try_small(n) {
            Some(t) => t,
            None => module.big_constant(&n.to_be_bytes()),
        },
        Operand::BigInt { offset, len } => module.big_constant(module.file.big_int(offset, len)),
        Operand::Atom(a) => Term::atom(module.atoms[a as usize]),
        Operand::Nil => Term::NIL,
        Operand::Char(c) => Term::small(i64::from(c)),
        Operand::Literal(l) => module.literals[l as usize],
        Operand::Unsigned(n) => Term::small(i64::try_from(n).ok()?),
        _ => return None,
    })
}

/// May an `update_record` with these operands overwrite the tuple, which its compiler says that nobody else knows?
pub fn is_in_place(module: &'static Module, o: &[Operand]) -> bool {
    constant(module, &o[0]) == Some(Atom::INPLACE.into())
}

pub struct Translator<'a> {
    module: &'static Module,
    f: &'static FnInfo,
    code: &'a FunctionCode,
    asm: Assembler,
    lines: Vec<(u32, u32)>,
    segments: Vec<(u32, Box<[u32]>)>,
    /// Offsets of instructions in the file's code, and in the bytecode.
    places: Vec<(u32, u32)>,
    continuations: Continuations,
    entry: usize,
    entry_label: u32,
    no_return: &'a [u32],
    cleared: &'a [(u32, u16)],
}

impl Translator<'_> {
    fn run(&mut self) -> Result<(), Refused> {
        let instrs = self.code.instrs();
        let mut i = 0;
        let keeps_places = native::mode() != native::NativeMode::Off;
        while i < instrs.len() {
            if keeps_places {
                if instrs[i].op == Op::LoopRec {
                    self.continuation();
                }
                self.places.push((instrs[i].offset, self.asm.len() as u32));
            }
            let n = match self.fused(&instrs[i..]) {
                Some(n) => n,
                None => {
                    self.instruction(&instrs[i])?;
                    1
                }
            };
            for done in &instrs[i..i + n] {
                self.clear(done.offset);
            }
            i += n;
            if keeps_places && matches!(instrs[i - 1].op, Op::TryCase | Op::CatchEnd) {
                self.continuation();
            }
            // The compiler knows that some instructions only raise; code that follows them is not theirs.
            if self.no_return.binary_search(&instrs[i - 1].offset).is_ok() {
                self.asm.op0(ops::NO_RETURN);
            }
        }
        Ok(())
    }

    /// Native code may go on here.
    fn continuation(&mut self) {
        let at = self.asm.begin(ops::CONTINUE);
        let continuation = self.continuations.at(self.f, at as u32);
        self.asm
            .set(at, continue_native::CONTINUATION, continuation);
    }

    /// Sets the registers that some path reads without having set them.
    fn clear(&mut self, offset: u32) {
        let from = self.cleared.partition_point(|place| place.0 < offset);
        let places = self.cleared[from..].iter();
        for &(_, x) in places.take_while(|place| place.0 == offset) {
            self.asm
                .unary(ops::MOVE, Place::K(Term::NIL.raw()), Place::X(x));
        }
    }

    // ---- operands ----

    fn operands(&self, i: &Instr) -> &[Operand] {
        self.code.operands(i)
    }

    fn constant(&self, o: &Operand) -> Option<Term> {
        constant(self.module, o)
    }

    /// Where an operand's value is.
    fn src(&self, o: &Operand) -> Place {
        match o.reg() {
            Some(Reg::X(x)) => Place::X(x),
            Some(Reg::Y(y)) => Place::Y(y),
            None => Place::K(self.constant(o).map_or(0, Term::raw)),
        }
    }

    fn srcs(&self, list: &[Operand]) -> Vec<Place> {
        list.iter().map(|o| self.src(o)).collect()
    }

    /// The elements of a list operand.
    fn list(&self, o: &Operand) -> &[Operand] {
        match o {
            Operand::List(l) => self.code.list(*l),
            _ => &[],
        }
    }

    fn num(o: &Operand) -> usize {
        o.unsigned().unwrap_or(0) as usize
    }

    fn y_index(o: &Operand) -> u16 {
        match o.reg() {
            Some(Reg::Y(y)) => y,
            _ => 0,
        }
    }

    fn float_index(o: &Operand) -> u16 {
        match *o {
            Operand::Float(n) => n,
            _ => 0,
        }
    }

    /// The label to go to.
    fn to(o: &Operand) -> u32 {
        o.label().unwrap_or(0)
    }

    /// The label to go to on failure, unless it is 0.
    fn fail(o: &Operand) -> Option<u32> {
        o.label().filter(|&l| l != 0)
    }

    fn jump_if(&mut self, at: usize, field: Field<Jump>, fail: Option<u32>) {
        if let Some(l) = fail {
            self.asm.jump(at, field, l);
        }
    }

    // ---- single instructions ----

    #[allow(clippy::too_many_lines, reason = "one arm an instruction")]
    fn instruction(&mut self, i: &Instr) -> Result<(), Refused> {
        let o: Vec<Operand> = self.operands(i).to_vec();
        match i.op {
            Op::Label => {
                let l = Self::num(&o[0]) as u32;
                self.asm.label(l);
                if l == self.entry_label {
                    self.entry = self.asm.len();
                }
            }
            Op::FuncInfo => {
                let at = self.asm.begin(ops::FUNC_INFO);
                self.asm.set(at, of_function::FUNCTION, self.f);
            }
            Op::Line => {
                let item = Self::num(&o[0]) as u32;
                self.lines.push((self.asm.len() as u32, item));
            }
            Op::IntCodeEnd | Op::OnLoad | Op::NifStart | Op::ExecutableLine | Op::DebugLine => {}
            Op::Call | Op::CallLast | Op::CallOnly => self.local_call(i, &o),
            Op::CallExt | Op::CallExtLast | Op::CallExtOnly => self.external_call(i, &o),
            Op::Apply => self.apply(ops::APPLY, Self::num(&o[0]), 0),
            Op::ApplyLast => self.apply(ops::APPLY_LAST, Self::num(&o[0]), Self::num(&o[1])),
            Op::CallFun => {
                let n = Self::num(&o[0]);
                self.call_fun(ops::CALL_FUN, n, Place::X(n as u16), 0);
            }
            Op::CallFun2 => {
                let p = self.src(&o[2]);
                self.call_fun(ops::CALL_FUN, Self::num(&o[1]), p, 0);
            }
            Op::Bif0 | Op::Bif1 | Op::Bif2 | Op::Bif3 | Op::GcBif1 | Op::GcBif2 | Op::GcBif3 => {
                self.guard_bif(i.op, &o);
            }
            Op::Allocate | Op::AllocateZero => self.allocate(Self::num(&o[0]), 0, Self::num(&o[1])),
            Op::AllocateHeap | Op::AllocateHeapZero => {
                self.allocate(Self::num(&o[0]), heap_words(&o[1]), Self::num(&o[2]));
            }
            Op::TestHeap => self.test_heap(heap_words(&o[0]), Self::num(&o[1])),
            Op::Init => self.init_y(&o[..1]),
            Op::InitYregs => {
                let l = self.list(&o[0]).to_vec();
                self.init_y(&l);
            }
            Op::Deallocate => self.asm.slots(ops::DEALLOCATE, Self::num(&o[0])),
            Op::Trim => self.asm.slots(ops::TRIM, Self::num(&o[0])),
            Op::Return => self.asm.op0(ops::RETURN),
            Op::Jump => self.asm.jump_to(ops::JUMP, Self::to(&o[0])),
            Op::Send => self.asm.op0(ops::SEND),
            Op::RemoveMessage => self.asm.op0(ops::REMOVE_MESSAGE),
            Op::Timeout => self.asm.op0(ops::TIMEOUT),
            Op::LoopRec => {
                let d = self.src(&o[1]);
                let at = self.asm.begin(ops::LOOP_REC);
                self.asm.place(at, loop_rec::TO, d);
                self.asm.jump(at, loop_rec::NONE, Self::to(&o[0]));
            }
            Op::LoopRecEnd => self.asm.jump_to(ops::LOOP_REC_END, Self::to(&o[0])),
            Op::Wait => self.asm.jump_to(ops::WAIT, Self::to(&o[0])),
            Op::WaitTimeout => {
                let time = self.src(&o[1]);
                let at = self.asm.begin(ops::WAIT_TIMEOUT);
                self.asm.place(at, wait_timeout::TIME, time);
                self.asm.jump(at, wait_timeout::BACK, Self::to(&o[0]));
            }
            Op::RecvMark | Op::RecvSet => {}
            Op::RecvMarkerReserve => {
                let d = self.src(&o[0]);
                let at = self.asm.begin(ops::RECV_MARKER_RESERVE);
                self.asm.place(at, target::TO, d);
            }
            Op::RecvMarkerBind => {
                let (marker, reference) = (self.src(&o[0]), self.src(&o[1]));
                let at = self.asm.begin(ops::RECV_MARKER_BIND);
                self.asm.place(at, marker_bind::MARKER, marker);
                self.asm.place(at, marker_bind::REFERENCE, reference);
            }
            Op::RecvMarkerClear => self.one(ops::RECV_MARKER_CLEAR, &o[0]),
            Op::RecvMarkerUse => self.one(ops::RECV_MARKER_USE, &o[0]),
            Op::IsLt | Op::IsGe | Op::IsEq | Op::IsNe | Op::IsEqExact | Op::IsNeExact => {
                self.comparison(i.op, &o);
            }
            Op::IsInteger
            | Op::IsFloat
            | Op::IsNumber
            | Op::IsAtom
            | Op::IsPid
            | Op::IsReference
            | Op::IsPort
            | Op::IsNil
            | Op::IsBinary
            | Op::IsBitstr
            | Op::IsList
            | Op::IsNonemptyList
            | Op::IsTuple
            | Op::IsFunction
            | Op::IsBoolean
            | Op::IsAnyNativeRecord
            | Op::IsMap => {
                let s = self.src(&o[1]);
                self.asm.test(type_test(i.op), s, Self::to(&o[0]));
            }
            Op::IsFunction2 => {
                let (s, n) = (self.src(&o[1]), self.src(&o[2]));
                self.asm.compare(ops::IS_FUNCTION2, s, n, Self::to(&o[0]));
            }
            Op::TestArity => self.test_arity(&o),
            Op::IsTaggedTuple => self.is_tagged_tuple(&o),
            Op::SelectVal => {
                let pairs = self.list(&o[2]).to_vec();
                let s = self.src(&o[0]);
                select::values(self, s, Self::to(&o[1]), &pairs);
            }
            Op::SelectTupleArity => {
                let pairs = self.list(&o[2]).to_vec();
                let s = self.src(&o[0]);
                select::arities(self, s, Self::to(&o[1]), &pairs);
            }
            Op::Catch | Op::Try => {
                let at = self.asm.begin(ops::CATCH);
                self.asm.set(at, catch::SLOT, Self::y_index(&o[0]));
                self.asm.jump(at, catch::HANDLER, Self::to(&o[1]));
            }
            Op::CatchEnd => self.catch_end(ops::CATCH_END, &o[0]),
            Op::TryEnd => self.catch_end(ops::TRY_END, &o[0]),
            Op::TryCase => self.catch_end(ops::TRY_CASE, &o[0]),
            Op::TryCaseEnd => self.one(ops::TRY_CASE_END, &o[0]),
            Op::Raise => {
                let (trace, reason) = (self.src(&o[0]), self.src(&o[1]));
                let at = self.asm.begin(ops::RAISE);
                self.asm.place(at, raise::TRACE, trace);
                self.asm.place(at, raise::REASON, reason);
            }
            Op::BuildStacktrace => self.asm.op0(ops::BUILD_STACKTRACE),
            Op::RawRaise => self.asm.op0(ops::RAW_RAISE),
            Op::Badmatch => self.one(ops::BADMATCH, &o[0]),
            Op::IfEnd => self.asm.op0(ops::IF_END),
            Op::CaseEnd => self.one(ops::CASE_END, &o[0]),
            Op::Badrecord => self.one(ops::BADRECORD, &o[0]),
            Op::Move => self.unary(ops::MOVE, &o[0], &o[1]),
            Op::Swap => {
                let (left, right) = (self.src(&o[0]), self.src(&o[1]));
                let at = self.asm.begin(ops::SWAP);
                self.asm.place(at, swap::LEFT, left);
                self.asm.place(at, swap::RIGHT, right);
            }
            Op::GetHd => self.unary(ops::GET_HD, &o[0], &o[1]),
            Op::GetTl => self.unary(ops::GET_TL, &o[0], &o[1]),
            Op::GetList => self.get_list(&o),
            Op::PutList => self.put_list(&o),
            Op::PutTuple2 => self.put_tuple(&o),
            Op::GetTupleElement => self.get_element(&o),
            Op::SetTupleElement => self.set_element(&o),
            Op::UpdateRecord => self.update_record(&o),
            Op::MakeFun2 => {
                let lambda = Self::num(&o[0]);
                let free = self.module.file.lambdas[lambda].num_free;
                let env: Vec<Place> = (0..free as u16).map(Place::X).collect();
                self.make_fun(lambda, Place::X(0), &env);
            }
            Op::MakeFun3 => {
                let list = self.list(&o[2]).to_vec();
                let (d, env) = (self.src(&o[1]), self.srcs(&list));
                self.make_fun(Self::num(&o[0]), d, &env);
            }
            Op::HasMapFields => self.map_fields(ops::HAS_MAP_FIELDS, &o),
            Op::GetMapElements => self.map_fields(ops::GET_MAP_ELEMENTS, &o),
            Op::PutMapAssoc => self.put_map_assoc(&o),
            Op::PutMapExact => self.put_map_exact(&o),
            Op::Fclearerror | Op::Fcheckerror => {}
            Op::Fmove => self.float_move(&o[0], &o[1]),
            Op::Fconv => self.float_load(ops::FCONV, &o[0], &o[1]),
            Op::Fadd => self.float_binary(ops::FADD, &o),
            Op::Fsub => self.float_binary(ops::FSUB, &o),
            Op::Fmul => self.float_binary(ops::FMUL, &o),
            Op::Fdiv => self.float_binary(ops::FDIV, &o),
            Op::Fnegate => {
                let (a, b) = (Self::float_index(&o[1]), Self::float_index(&o[2]));
                self.float_unary(ops::FNEGATE, a, b);
            }
            _ => return self.bits(i, &o),
        }
        Ok(())
    }

    /// An instruction that reads one value.
    fn one(&mut self, op: u16, value: &Operand) {
        let value = self.src(value);
        let at = self.asm.begin(op);
        self.asm.place(at, source::VALUE, value);
    }

    fn unary(&mut self, op: u16, from: &Operand, to: &Operand) {
        let (from, to) = (self.src(from), self.src(to));
        self.asm.unary(op, from, to);
    }

    fn catch_end(&mut self, op: u16, slot: &Operand) {
        let at = self.asm.begin(op);
        self.asm.set(at, catch_end::SLOT, Self::y_index(slot));
    }
}
