//! What the short ways work on: the machine's state at an instruction, and where operands are.

use super::{HANDLERS, Place, TABLE};
use crate::bif::Ctx;
use crate::interp::dispatch::FLOATS;
use crate::term::{Term, stack_word};

/// The machine's state at an instruction.
pub(super) struct M<'a, 'b> {
    pub(super) pc: *const u64,
    pub(super) sp: *mut Term,
    pub(super) x: *mut Term,
    pub(super) cx: &'a mut Ctx<'b>,
    pub(super) w: u64,
}

impl M<'_, '_> {
    /// Goes on at `pc`.
    #[inline(always)]
    pub(super) fn go(self) -> Place {
        if cfg!(threaded) {
            // SAFETY: `pc` is the address of an instruction.
            let w = unsafe { *self.pc };
            HANDLERS[w as usize % TABLE](self.pc, self.sp, self.x, self.cx, w)
        } else {
            self.leave()
        }
    }

    /// Leaves the instruction to the loop.
    #[inline(always)]
    pub(super) fn leave(self) -> Place {
        Place {
            pc: self.pc,
            sp: self.sp,
        }
    }

    #[inline(always)]
    pub(super) fn next(mut self, words: usize) -> Place {
        self.pc = self.pc.wrapping_add(words);
        self.go()
    }

    /// To the place in field c.
    #[inline(always)]
    pub(super) fn jump(mut self) -> Place {
        self.pc = self.pc.wrapping_offset(((self.w as i64) >> 44) as isize);
        self.go()
    }

    #[inline(always)]
    pub(super) fn test(self, ok: bool, words: usize) -> Place {
        if ok { self.next(words) } else { self.jump() }
    }

    #[inline(always)]
    pub(super) fn enter(mut self, pc: *const u64) -> Place {
        self.cx.reds -= 1;
        self.pc = pc;
        self.go()
    }

    /// Are there reductions for a call?
    #[inline(always)]
    pub(super) fn may_call(&self) -> bool {
        self.cx.reds > 0
    }

    #[inline(always)]
    pub(super) fn push_return(&mut self, words: usize) {
        self.sp = self.sp.wrapping_sub(1);
        let word = stack_word::return_pc(self.pc.wrapping_add(words));
        // SAFETY: every frame was made with room for this word.
        unsafe { *self.sp.cast::<u64>() = word }
    }

    #[inline(always)]
    pub(super) fn ret(mut self) -> Place {
        // SAFETY: the verifier has seen that the frame is gone, so a return address is on top.
        let back = unsafe { *self.sp.cast::<u64>() };
        self.sp = self.sp.wrapping_add(1);
        self.pc = stack_word::pc(back);
        self.go()
    }

    #[inline(always)]
    pub(super) fn drop_frame(&mut self, n: usize) {
        self.sp = self.sp.wrapping_add(n);
    }

    #[inline(always)]
    pub(super) fn a(&self) -> usize {
        (self.w >> 12) as usize & 0xffff
    }

    #[inline(always)]
    pub(super) fn b(&self) -> usize {
        (self.w >> 28) as usize & 0xffff
    }

    #[inline(always)]
    pub(super) fn c(&self) -> usize {
        (self.w >> 44) as usize & 0xffff
    }

    #[inline(always)]
    pub(super) fn word(&self, n: usize) -> u64 {
        // SAFETY: the instruction has that many words.
        unsafe { *self.pc.wrapping_add(n) }
    }

    #[inline(always)]
    pub(super) fn listed(&self, from: usize, i: usize) -> usize {
        (self.word(from + i / 4) >> (16 * (i % 4))) as usize & 0xffff
    }

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

    #[inline(always)]
    pub(super) fn float(&self, n: usize) -> f64 {
        // SAFETY: float registers lie behind the X registers.
        unsafe { *self.x.wrapping_add(FLOATS + n).cast::<f64>() }
    }

    #[inline(always)]
    pub(super) fn set_float(&mut self, n: usize, f: f64) {
        // SAFETY: as above.
        unsafe { *self.x.wrapping_add(FLOATS + n).cast::<f64>() = f }
    }

    #[inline(always)]
    pub(super) fn src<S: Source>(&self, o: usize) -> Term {
        S::get(self, o)
    }

    #[inline(always)]
    pub(super) fn dst<D: Target>(&mut self, o: usize, v: Term) {
        D::set(self, o, v);
    }

    #[inline(always)]
    pub(super) fn room(&self) -> usize {
        self.cx.own.heap.young.room()
    }
}

/// Where an operand's value is.
pub(super) trait Source {
    fn get(m: &M<'_, '_>, o: usize) -> Term;
}

/// Where a result goes.
pub(super) trait Target {
    fn set(m: &mut M<'_, '_>, o: usize, v: Term);
}

/// An X register.
pub(super) struct X;
/// A Y register.
pub(super) struct Y;
/// A constant.
pub(super) struct K;
/// Whatever the operand's upper bits say.
pub(super) struct Any;

impl Source for X {
    #[inline(always)]
    fn get(m: &M<'_, '_>, o: usize) -> Term {
        m.getx(o)
    }
}

impl Source for Y {
    #[inline(always)]
    fn get(m: &M<'_, '_>, o: usize) -> Term {
        m.gety(o & 0x3fff)
    }
}

impl Source for K {
    #[inline(always)]
    fn get(m: &M<'_, '_>, o: usize) -> Term {
        // SAFETY: the word is a constant of this function's pool.
        unsafe { *m.pc.cast::<Term>().wrapping_add(o & 0x3fff) }
    }
}

impl Source for Any {
    #[inline(always)]
    fn get(m: &M<'_, '_>, o: usize) -> Term {
        if o & 0x8000 == 0 {
            X::get(m, o)
        } else if o & 0x4000 == 0 {
            Y::get(m, o)
        } else {
            K::get(m, o)
        }
    }
}

impl Target for X {
    #[inline(always)]
    fn set(m: &mut M<'_, '_>, o: usize, v: Term) {
        m.setx(o, v);
    }
}

impl Target for Y {
    #[inline(always)]
    fn set(m: &mut M<'_, '_>, o: usize, v: Term) {
        m.sety(o & 0x3fff, v);
    }
}

impl Target for Any {
    #[inline(always)]
    fn set(m: &mut M<'_, '_>, o: usize, v: Term) {
        if o & 0x8000 == 0 {
            m.setx(o, v);
        } else {
            m.sety(o & 0x3fff, v);
        }
    }
}

macro_rules! handlers {
    ($($name:ident $(<$($g:ident: $bound:ident),*>)? |$m:ident| $body:expr)*) => {
        $(
            #[allow(unused_mut, reason = "not every instruction changes the state")]
            #[inline(never)]
            pub(super) fn $name $(<$($g: $bound),*>)? (
                pc: *const u64,
                sp: *mut Term,
                x: *mut Term,
                cx: &mut Ctx<'_>,
                w: u64,
            ) -> Place {
                let mut $m = M { pc, sp, x, cx, w };
                $body
            }
        )*
    };
}
