//! From a function's instructions, as the loader decoded and verified them, to bytecode.
//!
//! One pass over the instructions. Besides choosing encodings it joins pairs that stand together often
//! and knows the calls that are instructions of their own here (`erlang:apply/2,3`).

use super::export::Export;
use super::module::{Body, FnInfo, Module};
use super::operand::{A, Assembler, B, C, MAX_FIELD, MAX_SHORT_LIST, Place, Refused};
use super::select;
use crate::atom::Atom;
use crate::code::ops;
use crate::data::map;
use crate::term::Term;
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
        entry: 0,
        entry_label: info.entry_label,
        no_return: &info.no_return,
        cleared: &info.cleared,
    };
    t.run()?;
    let (entry, lines) = (t.entry as u32, std::mem::take(&mut t.lines));
    let segments = std::mem::take(&mut t.segments).into_boxed_slice();
    Ok(Body {
        code: t.asm.finish()?,
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
        entry: 0,
        lines: Box::default(),
        segments: Box::default(),
    }
}

pub struct Translator<'a> {
    pub(super) module: &'static Module,
    pub(super) f: &'static FnInfo,
    pub(super) code: &'a FunctionCode,
    pub(super) asm: Assembler,
    lines: Vec<(u32, u32)>,
    pub(super) segments: Vec<(u32, Box<[u32]>)>,
    entry: usize,
    entry_label: u32,
    no_return: &'a [u32],
    cleared: &'a [(u32, u16)],
}

impl Translator<'_> {
    fn run(&mut self) -> Result<(), Refused> {
        let instrs = self.code.instrs();
        let mut i = 0;
        while i < instrs.len() {
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
            // The compiler knows that some instructions only raise; code that follows them is not theirs.
            if self.no_return.binary_search(&instrs[i - 1].offset).is_ok() {
                self.asm.nums(ops::NO_RETURN, 0, 0);
            }
        }
        Ok(())
    }

    /// Sets the registers that some path reads without having set them.
    fn clear(&mut self, offset: u32) {
        let from = self.cleared.partition_point(|place| place.0 < offset);
        let places = self.cleared[from..].iter();
        for &(_, x) in places.take_while(|place| place.0 == offset) {
            self.asm
                .op2(ops::MOVE_KX, Place::K(Term::NIL.raw()), Place::X(x));
        }
    }

    // ---- operands ----

    pub(super) fn operands(&self, i: &Instr) -> &[Operand] {
        self.code.operands(i)
    }

    /// The constant that an operand stands for.
    pub(super) fn constant(&self, o: &Operand) -> Option<Term> {
        Some(match *o {
            Operand::Int(n) => match Term::try_small(n) {
                Some(t) => t,
                None => self.module.big_constant(&n.to_be_bytes()),
            },
            Operand::BigInt { offset, len } => self
                .module
                .big_constant(self.module.file.big_int(offset, len)),
            Operand::Atom(a) => Term::atom(self.module.atoms[a as usize]),
            Operand::Nil => Term::NIL,
            Operand::Char(c) => Term::small(i64::from(c)),
            Operand::Literal(l) => self.module.literals[l as usize],
            Operand::Unsigned(n) => Term::small(i64::try_from(n).ok()?),
            _ => return None,
        })
    }

    /// Where an operand's value is.
    pub(super) fn src(&self, o: &Operand) -> Place {
        match o.reg() {
            Some(Reg::X(x)) => Place::X(x),
            Some(Reg::Y(y)) => Place::Y(y),
            None => Place::K(self.constant(o).map_or(0, Term::raw)),
        }
    }

    pub(super) fn srcs(&self, list: &[Operand]) -> Vec<Place> {
        list.iter().map(|o| self.src(o)).collect()
    }

    /// The elements of a list operand.
    pub(super) fn list(&self, o: &Operand) -> &[Operand] {
        match o {
            Operand::List(l) => self.code.list(*l),
            _ => &[],
        }
    }

    fn num(o: &Operand) -> usize {
        o.unsigned().unwrap_or(0) as usize
    }

    fn y_index(o: &Operand) -> usize {
        match o.reg() {
            Some(Reg::Y(y)) => y as usize,
            _ => 0,
        }
    }

    fn float_index(o: &Operand) -> usize {
        match *o {
            Operand::Float(n) => n as usize,
            _ => 0,
        }
    }

    /// The label to go to on failure, unless it is 0.
    pub(super) fn fail(o: &Operand) -> Option<u32> {
        o.label().filter(|&l| l != 0)
    }

    pub(super) fn jump_if(&mut self, at: usize, fail: Option<u32>) {
        if let Some(l) = fail {
            self.asm.jump(at, l);
        }
    }

    // ---- pairs ----

    /// Joins instructions that stand together often; gives how many were translated.
    fn fused(&mut self, rest: &[Instr]) -> Option<usize> {
        let (first, second) = (rest.first()?, rest.get(1)?);
        match (first.op, second.op) {
            (Op::IsTuple, Op::TestArity) => {
                let (p, q) = (self.operands(first), self.operands(second));
                let (f1, f2, s1, s2) = (
                    p[0].label()?,
                    q[0].label()?,
                    self.src(&p[1]),
                    self.src(&q[1]),
                );
                if f1 != f2 || s1 != s2 || Self::num(&q[2]) > 0xffff {
                    return None;
                }
                let arity = Self::num(&q[2]);
                let at = self.asm.test(ops::IS_TUPLE_OF_ARITY, s1, None, f1);
                self.asm.set(at, B, arity as u64);
                Some(2)
            }
            (Op::IsNonemptyList, Op::GetList) => {
                let (p, q) = (self.operands(first), self.operands(second));
                let (fail, s) = (p[0].label()?, self.src(&p[1]));
                let (h, t) = (self.src(&q[1]).x()?, self.src(&q[2]).x()?);
                if self.src(&q[0]) != s || s.x().is_none() {
                    return None;
                }
                let at = self.asm.begin(ops::IS_CONS_GET_LIST, 2);
                self.asm.place(at, at, A, s);
                self.asm.jump(at, fail);
                self.asm.set(at + 1, 0, u64::from(h));
                self.asm.set(at + 1, 16, u64::from(t));
                Some(2)
            }
            (Op::GetTupleElement, Op::GetTupleElement) => {
                let (p, q) = (self.operands(first), self.operands(second));
                let (t, d) = (self.src(&p[0]).x()?, self.src(&p[2]).x()?);
                let (i, j) = (Self::num(&p[1]), Self::num(&q[1]));
                let other = self.src(&q[2]).x()?;
                if self.src(&q[0]).x() != Some(t) || d == t || i.max(j) > 0xffff {
                    return None;
                }
                let at = self.asm.begin(ops::GET_TWO_ELEMENTS, 2);
                self.asm.set(at, A, u64::from(t));
                self.asm.set(at, B, i as u64);
                self.asm.set(at, C, u64::from(d));
                self.asm.set(at + 1, 0, j as u64);
                self.asm.set(at + 1, 16, u64::from(other));
                Some(2)
            }
            // A call of a fun whose value is returned is a tail call, though no instruction says so.
            (Op::CallFun | Op::CallFun2, Op::Deallocate) if rest.get(2)?.op == Op::Return => {
                let (p, q) = (self.operands(first), self.operands(second));
                let (arity, fun) = match first.op {
                    Op::CallFun => (Self::num(&p[0]), Place::X(Self::num(&p[0]) as u16)),
                    _ => (Self::num(&p[1]), self.src(&p[2])),
                };
                let frame = Self::num(&q[0]);
                let at = self.asm.begin(ops::CALL_FUN_LAST, 1);
                self.asm.set(at, A, arity as u64);
                self.asm.place(at, at, B, fun);
                self.asm.set(at, C, frame as u64);
                Some(3)
            }
            (Op::Deallocate, Op::Return) => {
                let n = Self::num(&self.operands(first)[0]);
                self.asm.nums(ops::DEALLOCATE_RETURN, n, 0);
                Some(2)
            }
            (Op::Move, Op::Move) => {
                let (p, q) = (self.operands(first), self.operands(second));
                let [a, b, c, d] = [
                    self.src(&p[0]),
                    self.src(&p[1]),
                    self.src(&q[0]),
                    self.src(&q[1]),
                ];
                let op = ops::for_operands(ops::MOVE2, &[a, b, c, d]);
                let at = self.asm.begin(op, 2);
                self.asm.place(at, at, A, a);
                self.asm.place(at, at, B, b);
                self.asm.place(at, at, C, c);
                self.asm.place(at, at + 1, 0, d);
                Some(2)
            }
            _ => None,
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
                let at = self.asm.begin(ops::FUNC_INFO, 2);
                self.asm.set(at, A, u64::from(self.f.arity));
                self.asm.set(at + 1, 0, std::ptr::from_ref(self.f) as u64);
            }
            Op::Line => {
                let item = Self::num(&o[0]) as u32;
                self.lines.push((self.asm.len() as u32, item));
            }
            Op::IntCodeEnd | Op::OnLoad | Op::NifStart | Op::ExecutableLine | Op::DebugLine => {}
            Op::Call | Op::CallLast | Op::CallOnly => self.local_call(i, &o),
            Op::CallExt | Op::CallExtLast | Op::CallExtOnly => self.external_call(i, &o),
            Op::Apply => self.asm.nums(ops::APPLY, Self::num(&o[0]), 0),
            Op::ApplyLast => self
                .asm
                .nums(ops::APPLY_LAST, Self::num(&o[0]), Self::num(&o[1])),
            Op::CallFun => {
                let n = Self::num(&o[0]);
                self.call_fun(n, Place::X(n as u16));
            }
            Op::CallFun2 => {
                let p = self.src(&o[2]);
                self.call_fun(Self::num(&o[1]), p);
            }
            Op::Bif0 | Op::Bif1 | Op::Bif2 | Op::Bif3 | Op::GcBif1 | Op::GcBif2 | Op::GcBif3 => {
                self.guard_bif(i.op, &o);
            }
            Op::Allocate | Op::AllocateZero => self.allocate(Self::num(&o[0]), 0, Self::num(&o[1])),
            Op::AllocateHeap | Op::AllocateHeapZero => {
                self.allocate(Self::num(&o[0]), heap_words(&o[1]), Self::num(&o[2]));
            }
            Op::TestHeap => {
                let at = self.asm.begin(ops::TEST_HEAP, 2);
                self.asm.set(at, A, Self::num(&o[1]) as u64);
                self.asm.set(at + 1, 0, heap_words(&o[0]) as u64);
            }
            Op::Init => self.init_y(&o[..1]),
            Op::InitYregs => {
                let l = self.list(&o[0]).to_vec();
                self.init_y(&l);
            }
            Op::Deallocate => self.asm.nums(ops::DEALLOCATE, Self::num(&o[0]), 0),
            Op::Trim => self.asm.nums(ops::TRIM, Self::num(&o[0]), 0),
            Op::Return => self.asm.nums(ops::RETURN, 0, 0),
            Op::Jump => {
                let at = self.asm.begin(ops::JUMP, 1);
                self.jump_if(at, o[0].label());
            }
            Op::Send => self.asm.nums(ops::SEND, 0, 0),
            Op::RemoveMessage => self.asm.nums(ops::REMOVE_MESSAGE, 0, 0),
            Op::Timeout => self.asm.nums(ops::TIMEOUT, 0, 0),
            Op::LoopRec => {
                let d = self.src(&o[1]);
                self.asm
                    .test(ops::LOOP_REC, d, None, o[0].label().unwrap_or(0));
            }
            Op::LoopRecEnd | Op::Wait => {
                let op = if i.op == Op::Wait {
                    ops::WAIT
                } else {
                    ops::LOOP_REC_END
                };
                let at = self.asm.begin(op, 1);
                self.jump_if(at, o[0].label());
            }
            Op::WaitTimeout => {
                let time = self.src(&o[1]);
                self.asm
                    .test(ops::WAIT_TIMEOUT, time, None, o[0].label().unwrap_or(0));
            }
            Op::RecvMark | Op::RecvSet => {}
            Op::RecvMarkerReserve => self.one(ops::RECV_MARKER_RESERVE, &o[0]),
            Op::RecvMarkerBind => self.two(ops::RECV_MARKER_BIND, &o[0], &o[1]),
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
                self.asm
                    .test(type_test(i.op), s, None, o[0].label().unwrap_or(0));
            }
            Op::IsFunction2 => {
                let (s, n) = (self.src(&o[1]), self.src(&o[2]));
                self.asm
                    .test(ops::IS_FUNCTION2, s, Some(n), o[0].label().unwrap_or(0));
            }
            Op::TestArity => {
                let s = self.src(&o[1]);
                let n = Self::num(&o[2]);
                if n as u64 > MAX_FIELD {
                    self.long_tuple(s, o[0].label(), n as u64, 0);
                    return Ok(());
                }
                let at = self
                    .asm
                    .test(ops::TEST_ARITY, s, None, o[0].label().unwrap_or(0));
                self.asm.set(at, B, n as u64);
            }
            Op::IsTaggedTuple => {
                let (s, n) = (self.src(&o[1]), Self::num(&o[2]) as u64);
                let tag = self.constant(&o[3]).map_or(0, Term::raw);
                if n > MAX_FIELD {
                    self.long_tuple(s, o[0].label(), n, tag);
                    return Ok(());
                }
                let op = ops::for_operands(ops::IS_TAGGED_TUPLE, &[s]);
                let at = self.asm.begin(op, 2);
                self.asm.place(at, at, A, s);
                self.asm.set(at, B, n);
                self.asm.jump(at, o[0].label().unwrap_or(0));
                self.asm.set(at + 1, 0, tag);
            }
            Op::SelectVal => {
                let pairs = self.list(&o[2]).to_vec();
                let s = self.src(&o[0]);
                select::values(self, s, o[1].label().unwrap_or(0), &pairs);
            }
            Op::SelectTupleArity => {
                let pairs = self.list(&o[2]).to_vec();
                let s = self.src(&o[0]);
                select::arities(self, s, o[1].label().unwrap_or(0), &pairs);
            }
            Op::Catch | Op::Try => {
                let at = self.asm.begin(ops::CATCH, 1);
                self.asm.set(at, A, Self::y_index(&o[0]) as u64);
                self.jump_if(at, o[1].label());
            }
            Op::CatchEnd => self.asm.nums(ops::CATCH_END, Self::y_index(&o[0]), 0),
            Op::TryEnd => self.asm.nums(ops::TRY_END, Self::y_index(&o[0]), 0),
            Op::TryCase => self.asm.nums(ops::TRY_CASE, Self::y_index(&o[0]), 0),
            Op::TryCaseEnd => self.one(ops::TRY_CASE_END, &o[0]),
            Op::Raise => self.two(ops::RAISE, &o[0], &o[1]),
            Op::BuildStacktrace => self.asm.nums(ops::BUILD_STACKTRACE, 0, 0),
            Op::RawRaise => self.asm.nums(ops::RAW_RAISE, 0, 0),
            Op::Badmatch => self.one(ops::BADMATCH, &o[0]),
            Op::IfEnd => self.asm.nums(ops::IF_END, 0, 0),
            Op::CaseEnd => self.one(ops::CASE_END, &o[0]),
            Op::Badrecord => self.one(ops::BADRECORD, &o[0]),
            Op::Move => self.move_term(&o[0], &o[1]),
            Op::Swap => self.two(ops::SWAP, &o[0], &o[1]),
            Op::GetList => {
                let [s, h, t] = [self.src(&o[0]), self.src(&o[1]), self.src(&o[2])];
                self.asm.op3(ops::GET_LIST, s, h, t);
            }
            Op::GetHd => self.two(ops::GET_HD, &o[0], &o[1]),
            Op::GetTl => self.two(ops::GET_TL, &o[0], &o[1]),
            Op::PutList => {
                let [h, t, d] = [self.src(&o[0]), self.src(&o[1]), self.src(&o[2])];
                self.asm.op3(ops::PUT_LIST, h, t, d);
            }
            Op::PutTuple2 => {
                let list = self.list(&o[1]).to_vec();
                let (d, places) = (self.src(&o[0]), self.srcs(&list));
                if places.len() > MAX_SHORT_LIST {
                    let at = self.asm.begin(ops::PUT_LONG_TUPLE, 2);
                    self.asm.place(at, at, A, d);
                    self.asm.set(at + 1, 0, places.len() as u64);
                    self.asm.wide_places(&places);
                    return Ok(());
                }
                let at = self.asm.begin(ops::PUT_TUPLE, 1);
                self.asm.place(at, at, A, d);
                self.asm.set_checked(at, B, places.len() as u64);
                self.asm.places(at, &places);
            }
            Op::GetTupleElement => {
                let (s, d, n) = (self.src(&o[0]), self.src(&o[2]), Self::num(&o[1]) as u64);
                if n > MAX_FIELD {
                    let at = self.asm.begin(ops::GET_FAR_TUPLE_ELEMENT, 2);
                    self.asm.place(at, at, A, s);
                    self.asm.place(at, at, B, d);
                    self.asm.set(at + 1, 0, n);
                    return Ok(());
                }
                let op = ops::for_operands(ops::GET_TUPLE_ELEMENT, &[s, d]);
                let at = self.asm.begin(op, 1);
                self.asm.place(at, at, A, s);
                self.asm.set(at, B, n);
                self.asm.place(at, at, C, d);
            }
            Op::SetTupleElement => {
                let (v, t, n) = (self.src(&o[0]), self.src(&o[1]), Self::num(&o[2]));
                let at = self.asm.begin(ops::SET_TUPLE_ELEMENT, 1);
                self.asm.place(at, at, A, v);
                self.asm.place(at, at, B, t);
                self.asm.set_checked(at, C, n as u64);
            }
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
            Op::HasMapFields | Op::GetMapElements => {
                let list = self.list(&o[2]).to_vec();
                let (s, places) = (self.src(&o[1]), self.srcs(&list));
                let op = if i.op == Op::HasMapFields {
                    ops::HAS_MAP_FIELDS
                } else {
                    ops::GET_MAP_ELEMENTS
                };
                let at = self.asm.begin(op, 1);
                self.asm.place(at, at, A, s);
                self.asm.set_checked(at, B, places.len() as u64);
                self.jump_if(at, o[0].label());
                self.asm.places(at, &places);
            }
            Op::PutMapAssoc => {
                let list = self.list(&o[4]).to_vec();
                let (s, d, places) = (self.src(&o[1]), self.src(&o[2]), self.srcs(&list));
                if self.new_map(&o[1], d, &list) {
                    return Ok(());
                }
                let at = self.asm.begin(ops::PUT_MAP_ASSOC, 1);
                self.asm.place(at, at, A, s);
                self.asm.set_checked(at, B, places.len() as u64);
                self.asm.place(at, at, C, d);
                self.asm.places(at, &places);
            }
            Op::PutMapExact => {
                let list = self.list(&o[4]).to_vec();
                let (s, d, places) = (self.src(&o[1]), self.src(&o[2]), self.srcs(&list));
                let at = self.asm.begin(ops::PUT_MAP_EXACT, 2);
                self.asm.place(at, at, A, s);
                self.asm.set_checked(at, B, places.len() as u64);
                self.jump_if(at, Self::fail(&o[0]));
                self.asm.place(at, at + 1, 0, d);
                self.asm.places(at, &places);
            }
            Op::Fclearerror | Op::Fcheckerror => {}
            Op::Fmove => match (&o[0], &o[1]) {
                (Operand::Float(a), Operand::Float(b)) => {
                    self.asm.nums(ops::FMOVE, *a as usize, *b as usize);
                }
                (Operand::Float(a), d) => {
                    let d = self.src(d);
                    let at = self.asm.begin(ops::FSTORE, 1);
                    self.asm.set(at, A, u64::from(*a));
                    self.asm.place(at, at, B, d);
                }
                (s, d) => {
                    let s = self.src(s);
                    let at = self.asm.begin(ops::FLOAD, 1);
                    self.asm.place(at, at, A, s);
                    self.asm.set(at, B, Self::float_index(d) as u64);
                }
            },
            Op::Fconv => {
                let s = self.src(&o[0]);
                let at = self.asm.begin(ops::FCONV, 1);
                self.asm.place(at, at, A, s);
                self.asm.set(at, B, Self::float_index(&o[1]) as u64);
            }
            Op::Fadd | Op::Fsub | Op::Fmul | Op::Fdiv => {
                let op = match i.op {
                    Op::Fadd => ops::FADD,
                    Op::Fsub => ops::FSUB,
                    Op::Fmul => ops::FMUL,
                    _ => ops::FDIV,
                };
                let at = self.asm.begin(op, 1);
                self.asm.set(at, A, Self::float_index(&o[1]) as u64);
                self.asm.set(at, B, Self::float_index(&o[2]) as u64);
                self.asm.set(at, C, Self::float_index(&o[3]) as u64);
            }
            Op::Fnegate => {
                self.asm.nums(
                    ops::FNEGATE,
                    Self::float_index(&o[1]),
                    Self::float_index(&o[2]),
                );
            }
            _ => return self.bits_or_records(i, &o),
        }
        Ok(())
    }

    fn one(&mut self, op: u16, a: &Operand) {
        let a = self.src(a);
        let at = self.asm.begin(op, 1);
        self.asm.place(at, at, A, a);
    }

    pub(super) fn two(&mut self, op: u16, a: &Operand, b: &Operand) {
        let (a, b) = (self.src(a), self.src(b));
        self.asm.op2(op, a, b);
    }

    fn move_term(&mut self, from: &Operand, to: &Operand) {
        let (s, d) = (self.src(from), self.src(to));
        self.asm.op2(ops::MOVE, s, d);
    }

    fn local_call(&mut self, i: &Instr, o: &[Operand]) {
        let target = o[1]
            .label()
            .and_then(|l| self.module.file.function_by_entry(l))
            .unwrap_or(0);
        let f: &'static FnInfo = &self.module.functions[target];
        let op = match i.op {
            Op::Call => ops::CALL,
            Op::CallLast => ops::CALL_LAST,
            _ => ops::CALL_ONLY,
        };
        let at = self.asm.begin(op, 2);
        self.asm.set(at, A, Self::num(&o[0]) as u64);
        self.asm.set(at, B, o.get(2).map_or(0, Self::num) as u64);
        self.asm.set(at + 1, 0, std::ptr::from_ref(f) as u64);
    }

    fn external_call(&mut self, i: &Instr, o: &[Operand]) {
        let arity = Self::num(&o[0]);
        let export = self.module.imports[Self::num(&o[1])];
        let frame = o.get(2).map_or(0, Self::num);
        // How the call ends: 0 goes on, 1 drops the frame, 2 has no frame.
        let form = match i.op {
            Op::CallExt => 0,
            Op::CallExtLast => 1,
            _ => 2,
        };
        if export.module == Atom::ERLANG
            && export.function == Atom::APPLY
            && (arity == 2 || arity == 3)
        {
            let op = if arity == 2 {
                ops::APPLY_FUN_LIST
            } else {
                ops::APPLY_MFA
            };
            let at = self.asm.begin(op, 1);
            self.asm.set(at, B, frame as u64);
            self.asm.set(at, C, form);
        } else {
            let bif = export.bif().is_some() && !export.is_loaded();
            let op = match (form, bif) {
                (_, true) => ops::CALL_BIF,
                (0, false) => ops::CALL_EXT,
                (1, false) => ops::CALL_EXT_LAST,
                (_, false) => ops::CALL_EXT_ONLY,
            };
            let at = self.asm.begin(op, 2);
            self.asm.set(at, A, arity as u64);
            self.asm.set(at, B, frame as u64);
            self.asm.set(at + 1, 0, std::ptr::from_ref(export) as u64);
            // The frame stays until the BIF is done: its caller is in the trace, and whatever
            // interrupts the BIF comes back to an instruction that knows the frame.
            match (bif, form) {
                (true, 1) => self.asm.nums(ops::DEALLOCATE_RETURN, frame, 0),
                (true, 2) => self.asm.nums(ops::RETURN, 0, 0),
                _ => {}
            }
        }
    }

    fn call_fun(&mut self, arity: usize, fun: Place) {
        let at = self.asm.begin(ops::CALL_FUN, 1);
        self.asm.set(at, A, arity as u64);
        self.asm.place(at, at, B, fun);
    }

    fn allocate(&mut self, slots: usize, words: usize, live: usize) {
        let inline = words < 1 << 19;
        let at = self.asm.begin(ops::ALLOCATE, 1);
        self.asm.set(at, A, slots as u64);
        self.asm.set(at, B, live as u64);
        if inline {
            self.asm.set(at, C, words as u64);
        } else {
            let at = self.asm.begin(ops::TEST_HEAP, 2);
            self.asm.set(at, A, live as u64);
            self.asm.set(at + 1, 0, words as u64);
        }
    }

    /// A test for a tuple of more elements than a field holds, and for its first one unless `tag` is 0.
    fn long_tuple(&mut self, s: Place, fail: Option<u32>, arity: u64, tag: u64) {
        let at = self.asm.begin(ops::IS_LONG_TUPLE, 3);
        self.asm.place(at, at, A, s);
        self.asm.jump(at, fail.unwrap_or(0));
        self.asm.set(at + 1, 0, arity);
        self.asm.set(at + 2, 0, tag);
    }

    fn init_y(&mut self, list: &[Operand]) {
        let places = self.srcs(list);
        let at = self.asm.begin(ops::INIT_Y, 1);
        self.asm.set_checked(at, B, places.len() as u64);
        self.asm.places(at, &places);
    }

    fn make_fun(&mut self, lambda: usize, d: Place, env: &[Place]) {
        let literal = self.module.fun_literals[lambda];
        if !literal.is_nil() {
            self.asm.op2(ops::MOVE, Place::K(literal.raw()), d);
            return;
        }
        let entry = self.module.funs[lambda];
        let at = self.asm.begin(ops::MAKE_FUN, 2);
        self.asm.place(at, at, A, d);
        self.asm.set_checked(at, B, env.len() as u64);
        self.asm.set(at + 1, 0, std::ptr::from_ref(entry) as u64);
        self.asm.places(at, env);
    }

    /// A small map that is made of nothing, whose keys are all constants: its instances share their keys. `false`
    /// if it is no such map.
    fn new_map(&mut self, source: &Operand, d: Place, pairs: &[Operand]) -> bool {
        let empty = |t: Term| t.is_map() && map::size(t) == 0;
        let keys = pairs.chunks_exact(2).map(|p| self.constant(&p[0]));
        let keys: Option<Vec<Term>> = keys.collect();
        let Some(keys) = keys.filter(|_| self.constant(source).is_some_and(empty)) else {
            return false;
        };
        let Some((tuple, order)) = self.module.map_keys(&keys) else {
            return false;
        };
        let at = self.asm.begin(ops::NEW_MAP, 2);
        self.asm.place(at, at, A, d);
        self.asm.set_checked(at, B, order.len() as u64);
        self.asm.set(at + 1, 0, tuple.raw());
        let values = order.iter().map(|&i| self.src(&pairs[2 * i + 1]));
        let values: Vec<Place> = values.collect();
        self.asm.places(at, &values);
        true
    }

    fn update_record(&mut self, o: &[Operand]) {
        let list = self.list(&o[4]).to_vec();
        let (s, d) = (self.src(&o[2]), self.src(&o[3]));
        let at = self.asm.begin(ops::UPDATE_RECORD, 2);
        self.asm.place(at, at, A, s);
        self.asm.place(at, at, B, d);
        self.asm.set_checked(at, C, list.len() as u64 / 2);
        self.asm.set(at + 1, 0, Self::num(&o[1]) as u64);
        for pair in list.chunks_exact(2) {
            let v = self.src(&pair[1]);
            let w = self.asm.word(Self::num(&pair[0]) as u64);
            self.asm.place(at, w, 32, v);
        }
    }

    fn comparison(&mut self, op: Op, o: &[Operand]) {
        let (a, b) = (self.src(&o[1]), self.src(&o[2]));
        let fail = o[0].label().unwrap_or(0);
        let exact = matches!(op, Op::IsEqExact | Op::IsNeExact);
        let (x, k) = match (a, b) {
            (Place::K(_), _) => (b, a),
            _ => (a, b),
        };
        if let (true, Place::X(n), Place::K(word)) = (exact, x, k)
            && is_plain_immediate(word)
        {
            let op = if op == Op::IsEqExact {
                ops::IS_EQ_IMM
            } else {
                ops::IS_NE_IMM
            };
            let at = self.asm.begin(op, 2);
            self.asm.set(at, A, u64::from(n));
            self.asm.jump(at, fail);
            self.asm.set(at + 1, 0, word);
            return;
        }
        let op = match op {
            Op::IsLt => ops::IS_LT,
            Op::IsGe => ops::IS_GE,
            Op::IsEq => ops::IS_EQ,
            Op::IsNe => ops::IS_NE,
            Op::IsEqExact => ops::IS_EQ_EXACT,
            _ => ops::IS_NE_EXACT,
        };
        self.asm.test(op, a, Some(b), fail);
    }

    fn guard_bif(&mut self, op: Op, o: &[Operand]) {
        // Where the operands are: failure label, import, arguments, destination.
        let live = match op {
            Op::GcBif1 | Op::GcBif2 | Op::GcBif3 => Some(Self::num(&o[1]) as u64),
            _ => None,
        };
        let (fail, import, args) = match op {
            Op::Bif0 => (None, 0, 1..1),
            Op::Bif1 => (Self::fail(&o[0]), 1, 2..3),
            Op::Bif2 => (Self::fail(&o[0]), 1, 2..4),
            Op::Bif3 => (Self::fail(&o[0]), 1, 2..5),
            Op::GcBif1 => (Self::fail(&o[0]), 2, 3..4),
            Op::GcBif2 => (Self::fail(&o[0]), 2, 3..5),
            _ => (Self::fail(&o[0]), 2, 3..6),
        };
        let export = self.module.imports[Self::num(&o[import])];
        let dst = self.src(&o[args.end]);
        let args = self.srcs(&o[args]);
        if export.module == Atom::ERLANG
            && let [a, b] = args[..]
            && let Some(op) = arithmetic(export.function)
        {
            return self.arithmetic(op, a, b, dst, fail);
        }
        if export.module == Atom::ERLANG
            && export.function == Atom::PLUS
            && let [a] = args[..]
        {
            return self.arithmetic(ops::ADD, a, Place::K(Term::small(0).raw()), dst, fail);
        }
        let at = self.asm.begin(guard_bif(export), 3);
        self.asm.set(at, A, args.len() as u64);
        self.asm.place(at, at, B, dst);
        self.jump_if(at, fail);
        self.asm.set(at + 1, 0, std::ptr::from_ref(export) as u64);
        for (n, &p) in args.iter().enumerate() {
            self.asm.place(at, at + 2, 16 * n as u32, p);
        }
        if let Some(live) = live {
            self.asm.set(at + 2, 48, live + 1);
        }
    }

    fn arithmetic(&mut self, op: u16, a: Place, b: Place, dst: Place, fail: Option<u32>) {
        if let Some(fail) = fail {
            let at = self.asm.begin(ops::guard_for(op), 2);
            self.asm.place(at, at, A, a);
            self.asm.place(at, at, B, b);
            self.asm.jump(at, fail);
            self.asm.place(at, at + 1, 0, dst);
            self.asm.set(at + 1, 16, u64::from(op));
            return;
        }
        if let Some((x, n, d)) = small_step(op, a, b, dst) {
            let at = self.asm.begin(ops::ADD_XI, 1);
            if op == ops::SUB {
                self.asm.set(at, 0, ops::ADD_XI_MINUS);
            } else if a.x().is_none() {
                self.asm.set(at, 0, ops::ADD_XI_REVERSED);
            }
            self.asm.set(at, A, u64::from(x));
            self.asm.set(at, B, u64::from(n as u16));
            self.asm.set(at, C, u64::from(d));
            return;
        }
        self.asm.op3(op, a, b, dst);
    }
}

/// `X + n` or `X - n` with a small constant, both registers X.
fn small_step(op: u16, a: Place, b: Place, dst: Place) -> Option<(u16, i16, u16)> {
    let (x, k, negate) = match (op, a, b) {
        (ops::ADD, Place::X(x), Place::K(k)) | (ops::ADD, Place::K(k), Place::X(x)) => {
            (x, k, false)
        }
        (ops::SUB, Place::X(x), Place::K(k)) => (x, k, true),
        _ => return None,
    };
    // SAFETY: constants of operands are terms.
    let n = unsafe { Term::from_raw(k) }.as_small()?;
    let n = i16::try_from(if negate { -n } else { n }).ok()?;
    Some((x, n, dst.x()?))
}

/// Words of an allocation operand: floats need two words each, funs the header, entry and creator.
fn heap_words(o: &Operand) -> usize {
    o.heap_need().map_or(0, |n| {
        n.words as usize + 2 * n.floats as usize + 3 * n.funs as usize
    })
}

/// An immediate for which `=:=` is equality of words.
pub(super) fn is_plain_immediate(word: u64) -> bool {
    // SAFETY: constants of operands are terms.
    let t = unsafe { Term::from_raw(word) };
    t.is_immediate() && !t.is_flonum()
}

/// The instruction for a guard BIF.
fn guard_bif(e: &Export) -> u16 {
    if e.module != Atom::ERLANG {
        return ops::GUARD_BIF;
    }
    match (e.function.text(), e.arity) {
        ("element", 2) => ops::GUARD_ELEMENT,
        ("hd", 1) => ops::GUARD_HD,
        ("tl", 1) => ops::GUARD_TL,
        ("tuple_size", 1) => ops::GUARD_TUPLE_SIZE,
        ("self", 0) => ops::GUARD_SELF,
        _ => ops::GUARD_BIF,
    }
}

fn arithmetic(name: Atom) -> Option<u16> {
    Some(match name {
        Atom::PLUS => ops::ADD,
        Atom::MINUS => ops::SUB,
        Atom::TIMES => ops::MUL,
        Atom::DIV => ops::INT_DIV,
        Atom::REM => ops::INT_REM,
        Atom::BAND => ops::BAND,
        Atom::BOR => ops::BOR,
        Atom::BXOR => ops::BXOR,
        Atom::BSL => ops::BSL,
        Atom::BSR => ops::BSR,
        _ => return None,
    })
}

fn type_test(op: Op) -> u16 {
    match op {
        Op::IsInteger => ops::IS_INTEGER,
        Op::IsFloat => ops::IS_FLOAT,
        Op::IsNumber => ops::IS_NUMBER,
        Op::IsAtom => ops::IS_ATOM,
        Op::IsPid => ops::IS_PID,
        Op::IsReference => ops::IS_REFERENCE,
        Op::IsPort => ops::IS_PORT,
        Op::IsNil => ops::IS_NIL,
        Op::IsBinary => ops::IS_BINARY,
        Op::IsBitstr => ops::IS_BITSTR,
        Op::IsList => ops::IS_LIST,
        Op::IsNonemptyList => ops::IS_NONEMPTY_LIST,
        Op::IsTuple => ops::IS_TUPLE,
        Op::IsFunction => ops::IS_FUNCTION,
        Op::IsBoolean => ops::IS_BOOLEAN,
        Op::IsAnyNativeRecord => ops::IS_RECORD,
        _ => ops::IS_MAP,
    }
}
