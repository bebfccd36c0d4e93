//! What handlers of instructions work on: the state of the process at an instruction, and its operands.
//!
//! A handler is either *threaded* or *slow*. A threaded handler (`M`) does the common case of its instruction and
//! goes on to the next one's handler by a tail call, so that program counter, stack pointer and the registers' address
//! stay in machine registers and every instruction has an indirect jump of its own. Stable Rust does not promise tail
//! calls; LLVM makes them at its higher levels of optimisation as long as no local variable's address gets out, so a
//! threaded handler lends no local variable to a function that is not inlined. What that would forbid (building
//! lists, raising errors, calling BIFs) is done by a slow handler (`Slow`), to which a threaded one hands its
//! instruction over: it stores the stack pointer in the process, does the instruction, and returns to the loop in
//! `dispatch`. In builds without optimisation (`cfg(not(threaded))`, see `build.rs`) threaded handlers return
//! to the loop too.
//!
//! Handlers read raw words. Why that is sound: bytecode is made by `code::translate` alone, from functions that
//! the loader's verifier has accepted, so register numbers, frame sizes and jumps are in range; terms are
//! checked for their kind by every instruction that looks into one, because the verifier does not prove kinds.

use super::calls::{self, Next};
use super::dispatch::handler_of;
use super::{Outcome, park};
use crate::atom::Atom;
use crate::bif::Ctx;
use crate::code::continuation::Continuation;
use crate::code::export::Export;
use crate::code::fields::{
    At, Constant, ContinuationAt, Distances, Dst, ExportEntry, Field, Float, Fun, Function, Jump,
    List, ModuleRef, Number, Signed, Src, X as XNumber, Y as YNumber,
};
use crate::code::fun::FunEntry;
use crate::code::module::{FnInfo, Module};
use crate::code::operand;
use crate::term::{Term, stack_word};
use std::ops::{Deref, DerefMut};

const NOT_X: usize = operand::NOT_X as usize;
const CONSTANT: usize = operand::CONSTANT as usize;
const NUMBER: usize = operand::NUMBER as usize;

/// Index of the first float register in the register file.
pub(crate) const FLOATS: usize = 1024;

/// Where the loop goes on.
#[derive(Clone, Copy)]
pub(crate) struct Place {
    /// The instruction that is next; null where the process stops.
    pub pc: *const u64,
    /// The top of the stack; why the process stops.
    pub sp: *mut Term,
}

impl Place {
    /// The process stops.
    pub fn stop(outcome: Outcome) -> Place {
        Place {
            pc: std::ptr::null(),
            sp: std::ptr::without_provenance_mut(outcome as usize),
        }
    }

    /// The value is there that native code waits for, with this top of the stack, which is no outcome.
    pub fn returned(sp: *mut Term) -> Place {
        Place {
            pc: std::ptr::null(),
            sp,
        }
    }

    /// Why the process stops, if it does.
    #[inline(always)]
    pub fn outcome(self) -> Option<Outcome> {
        if !self.pc.is_null() {
            return None;
        }
        let which = Outcome::ALL
            .iter()
            .find(|&&o| o as usize == self.sp as usize);
        which.copied()
    }
}

/// Executes the instruction whose first word is the last argument.
pub(crate) type Handler =
    for<'a, 'b> fn(*const u64, *mut Term, *mut Term, &'a mut Ctx<'b>, u64) -> Place;

/// The state at an instruction, in a threaded handler; `THREADED` is false in its twin that returns after the
/// instruction (`single`).
pub(crate) struct M<'a, 'b, const THREADED: bool> {
    pub(super) pc: *const u64,
    pub(super) sp: *mut Term,
    pub(super) x: *mut Term,
    pub(super) cx: &'a mut Ctx<'b>,
    pub(super) w: u64,
}

impl<const THREADED: bool> M<'_, '_, THREADED> {
    // ---- where to go on ----

    /// Goes on at `pc`.
    #[inline(always)]
    pub(super) fn go(self) -> Place {
        if cfg!(threaded) && THREADED {
            // SAFETY: `pc` is the address of an instruction.
            let w = unsafe { *self.pc };
            handler_of(w)(self.pc, self.sp, self.x, self.cx, w)
        } else {
            Place {
                pc: self.pc,
                sp: self.sp,
            }
        }
    }

    /// Hands the instruction over to another handler.
    #[inline(always)]
    pub(super) fn hand_to(self, other: Handler) -> Place {
        other(self.pc, self.sp, self.x, self.cx, self.w)
    }

    #[inline(always)]
    pub(super) fn next(mut self, words: usize) -> Place {
        self.pc = self.pc.wrapping_add(words);
        self.go()
    }

    #[inline(always)]
    pub(super) fn jump(mut self, to: Field<Jump>) -> Place {
        self.pc = self.destination(to);
        self.go()
    }

    /// Goes on where entry `i` of a table of distances says.
    #[inline(always)]
    pub(super) fn jump_by(mut self, table: Distances, i: usize) -> Place {
        let at = table.at(i);
        let distance = at.signed_of(self.word(at.word));
        self.pc = self.pc.wrapping_offset(distance as isize);
        self.go()
    }

    #[inline(always)]
    pub(super) fn test(self, ok: bool, words: usize, fail: Field<Jump>) -> Place {
        if ok {
            self.next(words)
        } else {
            self.jump(fail)
        }
    }

    /// Enters the code at `pc`, for one reduction.
    #[inline(always)]
    pub(super) fn enter(mut self, pc: *const u64) -> Place {
        self.cx.reds -= 1;
        self.pc = pc;
        self.go()
    }

    /// Returns, for one reduction: who comes back from a deep recursion makes no calls.
    #[inline(always)]
    pub(super) fn ret(mut self) -> Place {
        // SAFETY: the verifier has seen that the frame is gone, so a return address is on top.
        let back = unsafe { *self.sp.cast::<u64>() };
        self.sp = self.sp.wrapping_add(1);
        self.pc = stack_word::pc(back);
        self.cx.reds -= 1;
        if self.cx.reds < 0 {
            return self.hand_to(super::handlers::calls::slow::returned);
        }
        self.go()
    }

    // ---- frames ----

    /// Are there reductions for a call?
    #[inline(always)]
    pub(super) fn may_call(&self) -> bool {
        self.cx.reds > 0
    }

    /// Pushes the address `words` on as the one to return to.
    #[inline(always)]
    pub(super) fn push_return(&mut self, words: usize) {
        self.sp = self.sp.wrapping_sub(1);
        let word = stack_word::return_pc(self.pc.wrapping_add(words));
        // SAFETY: every frame was made with room for this word.
        unsafe { *self.sp.cast::<u64>() = word }
    }

    #[inline(always)]
    pub(super) fn drop_frame(&mut self, n: usize) {
        self.sp = self.sp.wrapping_add(n);
    }

    /// Words that may be allocated at once.
    #[inline(always)]
    pub(super) fn room(&self) -> usize {
        self.cx.own.heap.young.room()
    }

    // ---- fields ----

    #[inline(always)]
    pub(super) fn word(&self, n: usize) -> u64 {
        // SAFETY: the instruction has that many words.
        unsafe { *self.pc.wrapping_add(n) }
    }

    /// The word that has the bits; the first one is at hand.
    #[inline(always)]
    fn word_of(&self, at: At) -> u64 {
        if at.word == 0 {
            self.w
        } else {
            self.word(at.word)
        }
    }

    #[inline(always)]
    pub(super) fn bits(&self, at: At) -> u64 {
        at.of(self.word_of(at))
    }

    #[inline(always)]
    pub(super) fn num(&self, f: Field<Number>) -> usize {
        self.bits(f.at) as usize
    }

    #[inline(always)]
    pub(super) fn signed(&self, f: Field<Signed>) -> i64 {
        f.at.signed_of(self.word_of(f.at))
    }

    #[inline(always)]
    pub(super) fn constant(&self, f: Field<Constant>) -> u64 {
        self.bits(f.at)
    }

    /// Words from here to where a jump leads; 0 for a jump that is none.
    #[inline(always)]
    pub(super) fn distance(&self, to: Field<Jump>) -> i64 {
        to.at.signed_of(self.word_of(to.at))
    }

    /// The address that a jump leads to.
    #[inline(always)]
    pub(super) fn destination(&self, to: Field<Jump>) -> *const u64 {
        self.pc.wrapping_offset(self.distance(to) as isize)
    }

    #[inline(always)]
    pub(super) fn function(&self, f: Field<Function>) -> &'static FnInfo {
        // SAFETY: the field holds the address of a function record, which is never freed.
        unsafe { &*(self.bits(f.at) as *const FnInfo) }
    }

    #[inline(always)]
    pub(super) fn continuation(&self, f: Field<ContinuationAt>) -> &'static Continuation {
        // SAFETY: the field holds the address of a continuation of the function that runs.
        unsafe { &*(self.bits(f.at) as *const Continuation) }
    }

    #[inline(always)]
    pub(super) fn export(&self, f: Field<ExportEntry>) -> &'static Export {
        // SAFETY: the field holds the address of an export entry, which is never freed.
        unsafe { &*(self.bits(f.at) as *const Export) }
    }

    #[inline(always)]
    pub(super) fn fun_entry(&self, f: Field<Fun>) -> &'static FunEntry {
        // SAFETY: the field holds the address of a fun entry, which the module that runs keeps.
        unsafe { &*(self.bits(f.at) as *const FunEntry) }
    }

    #[inline(always)]
    pub(super) fn module(&self, f: Field<ModuleRef>) -> &'static Module {
        // SAFETY: the field holds the address of the module that runs, which is never freed.
        unsafe { &*(self.bits(f.at) as *const Module) }
    }

    // ---- operands ----

    #[inline(always)]
    pub(super) fn src<S: Source>(&self, f: Field<Src>) -> Term {
        S::get(self, self.bits(f.at) as usize)
    }

    #[inline(always)]
    pub(super) fn dst<D: Target>(&mut self, f: Field<Dst>, v: Term) {
        D::set(self, self.bits(f.at) as usize, v);
    }

    /// Operand `i` of a list.
    #[inline(always)]
    pub(super) fn item(&self, list: List, i: usize) -> Term {
        Any::get(self, self.bits(list.at(i)) as usize)
    }

    /// Writes the place that operand `i` of a list names.
    #[inline(always)]
    pub(super) fn set_item(&mut self, list: List, i: usize, v: Term) {
        Any::set(self, self.bits(list.at(i)) as usize, v);
    }

    #[inline(always)]
    pub(super) fn x(&self, f: Field<XNumber>) -> Term {
        self.getx(self.bits(f.at) as usize)
    }

    #[inline(always)]
    pub(super) fn set_x(&mut self, f: Field<XNumber>, v: Term) {
        self.setx(self.bits(f.at) as usize, v);
    }

    #[inline(always)]
    pub(super) fn set_y(&mut self, f: Field<YNumber>, v: Term) {
        self.sety(self.bits(f.at) as usize, v);
    }

    #[inline(always)]
    pub(super) fn float(&self, f: Field<Float>) -> f64 {
        // SAFETY: float registers lie behind the X registers.
        unsafe { *self.float_at(f) }
    }

    #[inline(always)]
    pub(super) fn set_float(&mut self, f: Field<Float>, v: f64) {
        // SAFETY: as above.
        unsafe { *self.float_at(f) = v }
    }

    #[inline(always)]
    fn float_at(&self, f: Field<Float>) -> *mut f64 {
        self.x
            .wrapping_add(FLOATS + self.bits(f.at) as usize)
            .cast()
    }

    // ---- registers ----

    #[inline(always)]
    pub(super) fn getx(&self, n: usize) -> Term {
        // SAFETY: the verifier knows the register.
        unsafe { *self.x.wrapping_add(n) }
    }

    #[inline(always)]
    pub(super) fn setx(&mut self, n: usize, v: Term) {
        // SAFETY: as above.
        unsafe { *self.x.wrapping_add(n) = v }
    }

    #[inline(always)]
    pub(super) fn gety(&self, n: usize) -> Term {
        // SAFETY: the verifier knows the frame.
        unsafe { *self.sp.wrapping_add(n) }
    }

    #[inline(always)]
    pub(super) fn sety(&mut self, n: usize, v: Term) {
        // SAFETY: as above.
        unsafe { *self.sp.wrapping_add(n) = v }
    }

    /// Writes a Y register in a loop. Frames and environments are small: the write is volatile, so that the loop
    /// is not made into something larger that only long ones gain by.
    #[inline(always)]
    pub(super) fn sety_in_loop(&mut self, n: usize, v: Term) {
        // SAFETY: the caller has seen that there is room.
        unsafe { self.sp.wrapping_add(n).write_volatile(v) }
    }

    /// Writes an X register in a loop, in the same way.
    #[inline(always)]
    pub(super) fn setx_in_loop(&mut self, n: usize, v: Term) {
        // SAFETY: the caller knows that there are so many registers.
        unsafe { self.x.wrapping_add(n).write_volatile(v) }
    }
}

/// The state at an instruction, in a slow handler: the process knows its stack pointer, and every way out goes to
/// the loop, with the stack as the process then has it.
pub(crate) struct Slow<'a, 'b>(M<'a, 'b, false>);

impl<'a, 'b> Deref for Slow<'a, 'b> {
    type Target = M<'a, 'b, false>;

    #[inline(always)]
    fn deref(&self) -> &M<'a, 'b, false> {
        &self.0
    }
}

impl DerefMut for Slow<'_, '_> {
    #[inline(always)]
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.0
    }
}

impl<'a, 'b> Slow<'a, 'b> {
    #[inline(always)]
    pub(super) fn new(m: M<'a, 'b, false>) -> Slow<'a, 'b> {
        m.cx.own.stack.set_sp(m.sp.cast());
        Slow(m)
    }

    /// Reads the stack pointer again, after something that may have moved the stack.
    #[inline(always)]
    pub(super) fn reload(&mut self) {
        self.0.sp = self.0.cx.own.stack.sp().cast();
    }

    /// Goes on at `pc`.
    #[inline(always)]
    pub(super) fn go_to(self, pc: *const u64) -> Place {
        Place {
            pc,
            sp: self.0.cx.own.stack.sp().cast(),
        }
    }

    #[inline(always)]
    pub(super) fn next(self, words: usize) -> Place {
        let pc = self.pc.wrapping_add(words);
        self.go_to(pc)
    }

    #[inline(always)]
    pub(super) fn jump(self, to: Field<Jump>) -> Place {
        let pc = self.destination(to);
        self.go_to(pc)
    }

    #[inline(always)]
    pub(super) fn test(self, ok: bool, words: usize, fail: Field<Jump>) -> Place {
        if ok {
            self.next(words)
        } else {
            self.jump(fail)
        }
    }

    /// Goes on as a part says that has done its work.
    #[inline(always)]
    pub(super) fn follow(self, next: Next) -> Place {
        match next {
            Next::Go(pc) => self.go_to(pc),
            Next::Stop(outcome) => Place::stop(outcome),
        }
    }

    /// What a part gives that works on the process at this instruction.
    #[inline(always)]
    pub(super) fn part<R>(&mut self, work: impl FnOnce(&mut Ctx<'_>, *const u64) -> R) -> R {
        work(self.0.cx, self.0.pc)
    }

    /// Goes on as such a part says.
    #[inline(always)]
    pub(super) fn end_with(mut self, work: impl FnOnce(&mut Ctx<'_>, *const u64) -> Next) -> Place {
        let next = self.part(work);
        self.follow(next)
    }

    /// The process stops.
    pub(super) fn stop(self, outcome: Outcome) -> Place {
        Place::stop(outcome)
    }

    /// The process stops and is to go on at `pc`, with `live` X registers.
    pub(super) fn park(self, pc: *const u64, live: usize, outcome: Outcome) -> Place {
        park(self.0.cx, pc, live);
        Place::stop(outcome)
    }

    #[inline(always)]
    pub(super) fn push_return(&mut self, words: usize) {
        self.0.push_return(words);
        self.0.cx.own.stack.set_sp(self.0.sp.cast());
    }

    #[inline(always)]
    pub(super) fn drop_frame(&mut self, n: usize) {
        self.0.drop_frame(n);
        self.0.cx.own.stack.set_sp(self.0.sp.cast());
    }

    /// `error:Reason` at this instruction.
    #[cold]
    pub(super) fn error(self, reason: impl Into<Term>) -> Place {
        self.end_with(|cx, pc| calls::error(cx, pc, reason))
    }

    /// `error:{Tag, Value}` at this instruction.
    #[cold]
    pub(super) fn error_with(self, tag: Atom, value: Term) -> Place {
        self.end_with(|cx, pc| calls::error_with(cx, pc, tag, value))
    }
}

/// Where an operand's value is.
pub(crate) trait Source {
    /// The value of the operand with these bits.
    fn get<const T: bool>(m: &M<'_, '_, T>, o: usize) -> Term;
}

/// Where a result goes.
pub(crate) trait Target {
    /// Writes the place that these bits name.
    fn set<const T: bool>(m: &mut M<'_, '_, T>, o: usize, v: Term);
}

/// An X register.
pub(crate) struct X;
/// A Y register.
pub(crate) struct Y;
/// A constant.
pub(crate) struct K;
/// Whatever the operand's upper bits say.
pub(crate) struct Any;

impl Source for X {
    #[inline(always)]
    fn get<const T: bool>(m: &M<'_, '_, T>, o: usize) -> Term {
        m.getx(o)
    }
}

impl Source for Y {
    #[inline(always)]
    fn get<const T: bool>(m: &M<'_, '_, T>, o: usize) -> Term {
        m.gety(o & NUMBER)
    }
}

impl Source for K {
    #[inline(always)]
    fn get<const T: bool>(m: &M<'_, '_, T>, o: usize) -> Term {
        // SAFETY: the word is a constant of this function's pool.
        unsafe { *m.pc.cast::<Term>().wrapping_add(o & NUMBER) }
    }
}

impl Source for Any {
    #[inline(always)]
    fn get<const T: bool>(m: &M<'_, '_, T>, o: usize) -> Term {
        if o & NOT_X == 0 {
            X::get(m, o)
        } else if o & CONSTANT == 0 {
            Y::get(m, o)
        } else {
            K::get(m, o)
        }
    }
}

impl Target for X {
    #[inline(always)]
    fn set<const T: bool>(m: &mut M<'_, '_, T>, o: usize, v: Term) {
        m.setx(o, v);
    }
}

impl Target for Y {
    #[inline(always)]
    fn set<const T: bool>(m: &mut M<'_, '_, T>, o: usize, v: Term) {
        m.sety(o & NUMBER, v);
    }
}

impl Target for Any {
    #[inline(always)]
    fn set<const T: bool>(m: &mut M<'_, '_, T>, o: usize, v: Term) {
        if o & NOT_X == 0 {
            m.setx(o, v);
        } else {
            m.sety(o & NUMBER, v);
        }
    }
}

/// Defines threaded handlers, and in a module `single` their twins that return after the instruction.
macro_rules! handlers {
    ($($all:tt)*) => {
        handler_functions! { true; $($all)* }

        #[allow(dead_code, unused_imports, reason = "native code calls few of them")]
        pub(in crate::interp) mod single {
            use super::*;
            handler_functions! { false; $($all)* }
        }
    };
}

/// The functions that are threaded handlers, or their twins.
macro_rules! handler_functions {
    ($threaded:literal; $($name:ident $(<$($g:ident: $bound:ident),*>)? |$m:ident| $body:expr)*) => {
        $(
            #[allow(unused_mut, reason = "not every instruction changes the state")]
            #[inline(never)]
            pub(in crate::interp) fn $name $(<$($g: $bound),*>)? (
                pc: *const u64,
                sp: *mut $crate::term::Term,
                x: *mut $crate::term::Term,
                cx: &mut $crate::bif::Ctx<'_>,
                w: u64,
            ) -> $crate::interp::machine::Place {
                let mut $m = $crate::interp::machine::M::<$threaded> { pc, sp, x, cx, w };
                $body
            }
        )*
    };
}

/// Defines slow handlers, in a module of their own.
macro_rules! slow_handlers {
    ($($name:ident $(<$($g:ident: $bound:ident),*>)? |$m:ident| $body:expr)*) => {
        pub(in crate::interp) mod slow {
            use super::*;
            $(
                #[allow(unused_mut, reason = "not every instruction changes the state")]
                #[inline(never)]
                pub(in crate::interp) fn $name $(<$($g: $bound),*>)? (
                    pc: *const u64,
                    sp: *mut $crate::term::Term,
                    x: *mut $crate::term::Term,
                    cx: &mut $crate::bif::Ctx<'_>,
                    w: u64,
                ) -> $crate::interp::machine::Place {
                    let m = $crate::interp::machine::M { pc, sp, x, cx, w };
                    let mut $m = $crate::interp::machine::Slow::new(m);
                    $body
                }
            )*
        }
    };
}
