//! The short ways of frequent instructions: small functions that jump to each other.
//!
//! Each function here does the common case of one instruction and goes on to the next by a tail call, so that
//! program counter, stack pointer and registers stay in machine registers and every instruction has an
//! indirect jump of its own. Where the case is not the common one (a big integer, no room on the heap,
//! no reductions left) or the instruction has no function here, `leave` gives the place to the loop in
//! `dispatch`, which knows every instruction in full; it then comes back here. What a function here does
//! must be what the loop does.
//!
//! Stable Rust does not promise tail calls; LLVM makes them at its higher levels of optimisation as long
//! as no local variable's address gets out, so no function here may lend a local variable to a function that
//! is not inlined. In builds without optimisation (`cfg(not(threaded))`, see `build.rs`) each function returns
//! to the loop after one instruction.
//!
//! Why reading raw words is sound: see `dispatch`.

use super::calls::STACK_SLACK;
use super::{dispatch::FLOATS, ops};
use crate::bif::Ctx;
use crate::code::export::Export;
use crate::code::fun::FunEntry;
use crate::code::module::FnInfo;
use crate::term::{Header, Kind, Term, compare, stack_word};

/// Where the loop goes on.
pub struct Place {
    /// The instruction that is next.
    pub pc: *const u64,
    /// The top of the stack.
    pub sp: *mut Term,
}

type Handler = for<'a, 'b> fn(*const u64, *mut Term, *mut Term, &'a mut Ctx<'b>, u64) -> Place;

/// Opcodes are below this.
const TABLE: usize = 512;
const _: () = assert!(ops::NAMES.len() <= TABLE);

/// Runs instructions from `pc` on as long as they have a short way.
#[inline(always)]
pub fn run(pc: *const u64, sp: *mut Term, x: *mut Term, cx: &mut Ctx<'_>) -> Place {
    // SAFETY: `pc` is the address of an instruction.
    let w = unsafe { *pc };
    HANDLERS[w as usize % TABLE](pc, sp, x, cx, w)
}

/// The machine's state at an instruction.
pub(super) struct M<'a, 'b> {
    pc: *const u64,
    sp: *mut Term,
    x: *mut Term,
    cx: &'a mut Ctx<'b>,
    w: u64,
}

impl M<'_, '_> {
    /// Goes on at `pc`.
    #[inline(always)]
    fn go(self) -> Place {
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
    fn leave(self) -> Place {
        Place {
            pc: self.pc,
            sp: self.sp,
        }
    }

    #[inline(always)]
    fn next(mut self, words: usize) -> Place {
        self.pc = self.pc.wrapping_add(words);
        self.go()
    }

    /// To the place in field c.
    #[inline(always)]
    fn jump(mut self) -> Place {
        self.pc = self.pc.wrapping_offset(((self.w as i64) >> 44) as isize);
        self.go()
    }

    #[inline(always)]
    fn test(self, ok: bool, words: usize) -> Place {
        if ok { self.next(words) } else { self.jump() }
    }

    #[inline(always)]
    fn enter(mut self, pc: *const u64) -> Place {
        self.cx.reds -= 1;
        self.pc = pc;
        self.go()
    }

    /// Are there reductions for a call?
    #[inline(always)]
    fn may_call(&self) -> bool {
        self.cx.reds > 0
    }

    #[inline(always)]
    fn push_return(&mut self, words: usize) {
        self.sp = self.sp.wrapping_sub(1);
        let word = stack_word::return_pc(self.pc.wrapping_add(words));
        // SAFETY: every frame was made with room for this word.
        unsafe { *self.sp.cast::<u64>() = word }
    }

    #[inline(always)]
    fn ret(mut self) -> Place {
        // SAFETY: the verifier has seen that the frame is gone, so a return address is on top.
        let back = unsafe { *self.sp.cast::<u64>() };
        self.sp = self.sp.wrapping_add(1);
        self.pc = stack_word::pc(back);
        self.go()
    }

    #[inline(always)]
    fn drop_frame(&mut self, n: usize) {
        self.sp = self.sp.wrapping_add(n);
    }

    #[inline(always)]
    fn a(&self) -> usize {
        (self.w >> 12) as usize & 0xffff
    }

    #[inline(always)]
    fn b(&self) -> usize {
        (self.w >> 28) as usize & 0xffff
    }

    #[inline(always)]
    fn c(&self) -> usize {
        (self.w >> 44) as usize & 0xffff
    }

    #[inline(always)]
    fn word(&self, n: usize) -> u64 {
        // SAFETY: the instruction has that many words.
        unsafe { *self.pc.wrapping_add(n) }
    }

    #[inline(always)]
    fn listed(&self, from: usize, i: usize) -> usize {
        (self.word(from + i / 4) >> (16 * (i % 4))) as usize & 0xffff
    }

    #[inline(always)]
    fn getx(&self, n: usize) -> Term {
        // SAFETY: the verifier knows the register.
        unsafe { *self.x.wrapping_add(n) }
    }

    #[inline(always)]
    fn setx(&mut self, n: usize, v: Term) {
        // SAFETY: as above.
        unsafe { *self.x.wrapping_add(n) = v }
    }

    #[inline(always)]
    fn gety(&self, n: usize) -> Term {
        // SAFETY: the verifier knows the frame.
        unsafe { *self.sp.wrapping_add(n) }
    }

    #[inline(always)]
    fn sety(&mut self, n: usize, v: Term) {
        // SAFETY: as above.
        unsafe { *self.sp.wrapping_add(n) = v }
    }

    /// Writes a Y register in a loop. Frames and environments are small: the write is volatile, so that the loop
    /// is not made into something larger that only long ones gain by.
    #[inline(always)]
    fn sety_in_loop(&mut self, n: usize, v: Term) {
        // SAFETY: the caller has seen that there is room.
        unsafe { self.sp.wrapping_add(n).write_volatile(v) }
    }

    /// Writes an X register in a loop, in the same way.
    #[inline(always)]
    fn setx_in_loop(&mut self, n: usize, v: Term) {
        // SAFETY: the caller knows that there are so many registers.
        unsafe { self.x.wrapping_add(n).write_volatile(v) }
    }

    #[inline(always)]
    fn float(&self, n: usize) -> f64 {
        // SAFETY: float registers lie behind the X registers.
        unsafe { *self.x.wrapping_add(FLOATS + n).cast::<f64>() }
    }

    #[inline(always)]
    fn set_float(&mut self, n: usize, f: f64) {
        // SAFETY: as above.
        unsafe { *self.x.wrapping_add(FLOATS + n).cast::<f64>() = f }
    }

    #[inline(always)]
    fn src<S: Source>(&self, o: usize) -> Term {
        S::get(self, o)
    }

    #[inline(always)]
    fn dst<D: Target>(&mut self, o: usize, v: Term) {
        D::set(self, o, v);
    }

    #[inline(always)]
    fn room(&self) -> usize {
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

pub mod bits;

handlers! {
    leave |m| m.leave()

    // ---- calls and frames ----

    call_local |m| {
        if !m.may_call() {
            return m.leave();
        }
        // SAFETY: word 1 is the address of a function record.
        let f = unsafe { &*(m.word(1) as *const FnInfo) };
        m.push_return(2);
        m.enter(f.code())
    }
    call_local_last |m| {
        if !m.may_call() {
            return m.leave();
        }
        // SAFETY: as above.
        let f = unsafe { &*(m.word(1) as *const FnInfo) };
        m.drop_frame(m.b());
        m.enter(f.code())
    }
    call_export |m| {
        if !m.may_call() {
            return m.leave();
        }
        // SAFETY: word 1 is the address of an export entry.
        let e = unsafe { &*(m.word(1) as *const Export) };
        m.push_return(2);
        m.enter(e.code())
    }
    call_export_last |m| {
        if !m.may_call() {
            return m.leave();
        }
        // SAFETY: as above.
        let e = unsafe { &*(m.word(1) as *const Export) };
        m.drop_frame(m.b());
        m.enter(e.code())
    }
    enter |m| {
        if m.may_call() {
            let to = m.pc.wrapping_add(1);
            m.enter(to)
        } else {
            m.leave()
        }
    }
    call_fun |m| {
        let (n, fun) = (m.a(), m.src::<Any>(m.b()));
        match m.prepare_fun(fun, n) {
            Some(code) => {
                m.push_return(1);
                m.enter(code)
            }
            None => m.leave(),
        }
    }
    call_fun_last |m| {
        let (n, fun) = (m.a(), m.src::<Any>(m.b()));
        match m.prepare_fun(fun, n) {
            Some(code) => {
                m.drop_frame(m.c());
                m.enter(code)
            }
            None => m.leave(),
        }
    }
    back |m| m.ret()
    allocate |m| {
        let (slots, words) = (m.a(), (m.w >> 44) as usize);
        let left = (m.sp as usize).wrapping_sub(m.cx.own.stack.limit() as usize) / 8;
        if left < slots + STACK_SLACK || words > m.room() {
            return m.leave();
        }
        for _ in 0..slots {
            m.sp = m.sp.wrapping_sub(1);
            m.sety_in_loop(0, Term::NIL);
        }
        m.next(1)
    }
    test_heap |m| {
        if m.room() < m.word(1) as usize || m.cx.own.heap.stress {
            return m.leave();
        }
        m.next(2)
    }
    deallocate |m| {
        m.drop_frame(m.a());
        m.next(1)
    }
    deallocate_return |m| {
        m.drop_frame(m.a());
        m.ret()
    }
    init_y |m| {
        let n = m.b();
        for i in 0..n {
            let o = m.listed(1, i);
            m.sety_in_loop(o & 0x3fff, Term::NIL);
        }
        m.next(1 + n.div_ceil(4))
    }
    jump |m| m.jump()

    // ---- moves ----

    move_one<S: Source, D: Target> |m| {
        let v = m.src::<S>(m.a());
        m.dst::<D>(m.b(), v);
        m.next(1)
    }
    move_two<S: Source, D: Target> |m| {
        let v = m.src::<S>(m.a());
        m.dst::<D>(m.b(), v);
        let v = m.src::<S>(m.c());
        m.dst::<D>(m.word(1) as usize & 0xffff, v);
        m.next(2)
    }
    swap |m| {
        let (a, b) = (m.a(), m.b());
        let (p, q) = (m.src::<Any>(a), m.src::<Any>(b));
        m.dst::<Any>(a, q);
        m.dst::<Any>(b, p);
        m.next(1)
    }

    // ---- lists and tuples ----

    get_list<S: Source, D: Target> |m| {
        let l = m.src::<S>(m.a());
        if !l.is_cons() {
            return m.leave();
        }
        let (h, t) = (l.head(), l.tail());
        m.dst::<D>(m.b(), h);
        m.dst::<D>(m.c(), t);
        m.next(1)
    }
    get_hd |m| {
        let l = m.src::<Any>(m.a());
        if !l.is_cons() {
            return m.leave();
        }
        m.dst::<Any>(m.b(), l.head());
        m.next(1)
    }
    get_tl |m| {
        let l = m.src::<Any>(m.a());
        if !l.is_cons() {
            return m.leave();
        }
        m.dst::<Any>(m.b(), l.tail());
        m.next(1)
    }
    is_cons_get_list |m| {
        let l = m.getx(m.a());
        if !l.is_cons() {
            return m.jump();
        }
        let (h, t, to) = (l.head(), l.tail(), m.word(1) as usize);
        m.setx(to & 0xffff, h);
        m.setx(to >> 16, t);
        m.next(2)
    }
    put_list<P: Source, Q: Source, D: Target> |m| {
        if m.room() < 2 {
            return m.leave();
        }
        let (h, t) = (m.src::<P>(m.a()), m.src::<Q>(m.b()));
        let l = m.cx.own.heap.young.cons(h, t);
        m.dst::<D>(m.c(), l);
        m.next(1)
    }
    put_tuple |m| {
        let n = m.b();
        if m.room() <= n {
            return m.leave();
        }
        let p = m.cx.own.heap.young.alloc(1 + n);
        // SAFETY: that many fresh words.
        unsafe { *p = Header::new(Kind::Tuple, n).0 };
        for i in 0..n {
            let v = m.src::<Any>(m.listed(1, i));
            // SAFETY: as above.
            unsafe { *p.add(1 + i) = v.raw() };
        }
        m.dst::<Any>(m.a(), Term::boxed_at(p));
        m.next(1 + n.div_ceil(4))
    }
    get_element<S: Source, D: Target> |m| {
        let (t, i) = (m.src::<S>(m.a()), m.b());
        if !(t.is_tuple() && i < t.header().words()) {
            return m.leave();
        }
        m.dst::<D>(m.c(), Term(t.word(1 + i)));
        m.next(1)
    }
    get_two_elements |m| {
        let (t, i, second) = (m.getx(m.a()), m.b(), m.word(1) as usize);
        let j = second & 0xffff;
        if !t.is_tuple() || i.max(j) >= t.header().words() {
            return m.leave();
        }
        m.setx(m.c(), Term(t.word(1 + i)));
        m.setx(second >> 16, Term(t.word(1 + j)));
        m.next(2)
    }
    update_record |m| {
        let (t, n, updates) = (m.src::<Any>(m.a()), m.word(1) as usize, m.c());
        if !t.is_tuple() || t.header().words() != n || m.room() <= n {
            return m.leave();
        }
        let p = m.cx.own.heap.young.alloc(1 + n);
        for i in 0..=n {
            // SAFETY: that many fresh words; the tuple has as many.
            unsafe { *p.add(i) = t.word(i) };
        }
        for k in 0..updates {
            let pair = m.word(2 + k);
            let v = m.src::<Any>((pair >> 32) as usize);
            // SAFETY: positions were verified.
            unsafe { *p.add((pair & 0xffff_ffff) as usize) = v.raw() };
        }
        m.dst::<Any>(m.b(), Term::boxed_at(p));
        m.next(2 + updates)
    }
    make_fun |m| {
        let n = m.b();
        if m.room() < 3 + n {
            return m.leave();
        }
        // SAFETY: word 1 is the address of a fun entry, which is never freed.
        let entry: &'static FunEntry = unsafe { &*(m.word(1) as *const FunEntry) };
        let me = m.cx.self_pid();
        let p = m.cx.own.heap.young.alloc(3 + n);
        // SAFETY: that many fresh words, laid out as `Heap::fun` does.
        unsafe {
            *p = Header::new(Kind::Fun, 2 + n).0;
            *p.add(1) = std::ptr::from_ref(entry) as u64;
            *p.add(2) = me.raw();
        }
        for i in 0..n {
            let v = m.src::<Any>(m.listed(2, i));
            // SAFETY: as above.
            unsafe { *p.add(3 + i) = v.raw() };
        }
        m.dst::<Any>(m.a(), Term::boxed_at(p));
        m.next(2 + n.div_ceil(4))
    }
    catch_start |m| {
        let handler = m.pc.wrapping_offset(((m.w as i64) >> 44) as isize);
        let word = stack_word::catch(handler);
        // SAFETY: the verifier knows the frame.
        unsafe { *m.sp.wrapping_add(m.a()).cast::<u64>() = word };
        m.next(1)
    }
    try_end |m| {
        m.sety(m.a(), Term::NIL);
        m.next(1)
    }
    catch_end |m| {
        if m.getx(0).is_nonvalue() {
            return m.leave();
        }
        m.sety(m.a(), Term::NIL);
        m.next(1)
    }

    // ---- tests ----

    is_cons<S: Source> |m| { let ok = m.src::<S>(m.a()).is_cons(); m.test(ok, 1) }
    is_nil<S: Source> |m| { let ok = m.src::<S>(m.a()).is_nil(); m.test(ok, 1) }
    is_list |m| { let ok = m.src::<Any>(m.a()).is_list(); m.test(ok, 1) }
    is_atom<S: Source> |m| { let ok = m.src::<S>(m.a()).is_atom(); m.test(ok, 1) }
    is_integer<S: Source> |m| { let ok = m.src::<S>(m.a()).is_integer(); m.test(ok, 1) }
    is_float |m| { let ok = m.src::<Any>(m.a()).is_float(); m.test(ok, 1) }
    is_number |m| { let ok = m.src::<Any>(m.a()).is_number(); m.test(ok, 1) }
    is_pid |m| { let ok = m.src::<Any>(m.a()).is_pid(); m.test(ok, 1) }
    is_tuple |m| { let ok = m.src::<Any>(m.a()).is_tuple(); m.test(ok, 1) }
    is_map |m| { let ok = m.src::<Any>(m.a()).is_map(); m.test(ok, 1) }
    is_tuple_of<S: Source> |m| {
        let t = m.src::<S>(m.a());
        let ok = t.is_boxed() && t.header() == Header::new(Kind::Tuple, m.b());
        m.test(ok, 1)
    }
    is_tagged_tuple<S: Source> |m| {
        let t = m.src::<S>(m.a());
        let ok = t.is_boxed()
            && t.header() == Header::new(Kind::Tuple, m.b())
            && t.word(1) == m.word(1);
        m.test(ok, 2)
    }
    is_eq_imm |m| { let ok = m.getx(m.a()).raw() == m.word(1); m.test(ok, 2) }
    is_ne_imm |m| { let ok = m.getx(m.a()).raw() != m.word(1); m.test(ok, 2) }
    is_eq_exact |m| {
        match quick_exact(m.src::<Any>(m.a()), m.src::<Any>(m.b())) {
            Some(same) => m.test(same, 1),
            None => m.leave(),
        }
    }
    is_ne_exact |m| {
        match quick_exact(m.src::<Any>(m.a()), m.src::<Any>(m.b())) {
            Some(same) => m.test(!same, 1),
            None => m.leave(),
        }
    }
    is_lt<P: Source, Q: Source> |m| {
        let (p, q) = (m.src::<P>(m.a()), m.src::<Q>(m.b()));
        if both_small(p, q) {
            return m.test((p.raw() as i64) < q.raw() as i64, 1);
        }
        is_lt_float(m.pc, m.sp, m.x, m.cx, m.w)
    }
    is_lt_float |m| {
        let (p, q) = (m.src::<Any>(m.a()), m.src::<Any>(m.b()));
        if p.is_flonum() && q.is_flonum() {
            return m.test(p.flonum_value() < q.flonum_value(), 1);
        }
        m.leave()
    }
    is_ge<P: Source, Q: Source> |m| {
        let (p, q) = (m.src::<P>(m.a()), m.src::<Q>(m.b()));
        if both_small(p, q) {
            return m.test(p.raw() as i64 >= q.raw() as i64, 1);
        }
        is_ge_float(m.pc, m.sp, m.x, m.cx, m.w)
    }
    is_ge_float |m| {
        let (p, q) = (m.src::<Any>(m.a()), m.src::<Any>(m.b()));
        if p.is_flonum() && q.is_flonum() {
            return m.test(p.flonum_value() >= q.flonum_value(), 1);
        }
        m.leave()
    }
    select |m| {
        let v = m.src::<Any>(m.a()).raw();
        let n = m.b();
        let (mut low, mut high) = (0, n);
        while low < high {
            let middle = low.midpoint(high);
            let key = m.word(1 + middle);
            if key == v {
                let d = (m.word(1 + n + middle / 2) >> (32 * (middle & 1))) as i32;
                m.pc = m.pc.wrapping_offset(d as isize);
                return m.go();
            }
            if key < v {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        m.jump()
    }
    select_range |m| {
        let v = m.src::<Any>(m.a());
        let i = v.small_value().wrapping_sub(m.word(1) as i64) as u64;
        if v.is_small() && i < m.b() as u64 {
            let d = (m.word(2 + i as usize / 2) >> (32 * (i & 1))) as i32;
            m.pc = m.pc.wrapping_offset(d as isize);
            return m.go();
        }
        m.jump()
    }

    // ---- arithmetic ----

    add_step |m| {
        let p = m.getx(m.a());
        let step = i64::from(m.b() as u16 as i16) << 3;
        match (p.raw() as i64).checked_add(step) {
            Some(r) if p.is_small() => {
                m.setx(m.c(), Term(r as u64));
                m.next(1)
            }
            _ => m.leave(),
        }
    }
    arith<O: Operation, P: Source, Q: Source, D: Target> |m| {
        let (p, q) = (m.src::<P>(m.a()), m.src::<Q>(m.b()));
        if both_small(p, q)
            && let Some(v) = O::small(p, q)
        {
            m.dst::<D>(m.c(), v);
            return m.next(1);
        }
        m.leave()
    }
    arith_guard<O: Operation> |m| {
        let (p, q) = (m.src::<Any>(m.a()), m.src::<Any>(m.b()));
        if both_small(p, q)
            && let Some(v) = O::small(p, q)
        {
            m.dst::<Any>(m.word(1) as usize & 0xffff, v);
            return m.next(2);
        }
        m.leave()
    }

    // ---- guard BIFs: operands in word 2, destination in b ----

    element |m| {
        let list = m.word(2) as usize;
        let (i, t) = (m.src::<Any>(list & 0xffff), m.src::<Any>((list >> 16) & 0xffff));
        if !i.is_small() || !t.is_tuple() {
            return m.leave();
        }
        let at = i.small_value() as u64;
        if at.wrapping_sub(1) >= t.header().words() as u64 {
            return m.leave();
        }
        m.dst::<Any>(m.b(), Term(t.word(at as usize)));
        m.next(3)
    }
    head |m| {
        let l = m.src::<Any>(m.word(2) as usize & 0xffff);
        if !l.is_cons() {
            return m.leave();
        }
        m.dst::<Any>(m.b(), l.head());
        m.next(3)
    }
    tail |m| {
        let l = m.src::<Any>(m.word(2) as usize & 0xffff);
        if !l.is_cons() {
            return m.leave();
        }
        m.dst::<Any>(m.b(), l.tail());
        m.next(3)
    }
    tuple_size |m| {
        let t = m.src::<Any>(m.word(2) as usize & 0xffff);
        if !t.is_tuple() {
            return m.leave();
        }
        m.dst::<Any>(m.b(), Term::small(t.header().words() as i64));
        m.next(3)
    }
    own_pid |m| {
        let me = m.cx.self_pid();
        m.dst::<Any>(m.b(), me);
        m.next(3)
    }

    // ---- floats ----

    float_load |m| {
        let v = m.src::<Any>(m.a());
        if !v.is_flonum() {
            return m.leave();
        }
        m.set_float(m.b(), v.flonum_value());
        m.next(1)
    }
    float_store |m| {
        match Term::try_flonum(m.float(m.a())) {
            Some(v) => {
                m.dst::<Any>(m.b(), v);
                m.next(1)
            }
            None => m.leave(),
        }
    }
    float_convert |m| {
        let v = m.src::<Any>(m.a());
        if v.is_flonum() {
            m.set_float(m.b(), v.flonum_value());
            return m.next(1);
        }
        if v.is_small() {
            m.set_float(m.b(), v.small_value() as f64);
            return m.next(1);
        }
        m.leave()
    }
    float_add |m| { let r = m.float(m.a()) + m.float(m.b()); m.float_result(r) }
    float_sub |m| { let r = m.float(m.a()) - m.float(m.b()); m.float_result(r) }
    float_mul |m| { let r = m.float(m.a()) * m.float(m.b()); m.float_result(r) }
    float_div |m| { let r = m.float(m.a()) / m.float(m.b()); m.float_result(r) }
}

impl M<'_, '_> {
    #[inline(always)]
    fn float_result(mut self, r: f64) -> Place {
        if !r.is_finite() {
            return self.leave();
        }
        self.set_float(self.c(), r);
        self.next(1)
    }

    /// The code of a fun called with `n` arguments in place, its environment put behind them. Nothing if
    /// that is not the right number or it cannot be entered at once.
    #[inline(always)]
    fn prepare_fun(&mut self, fun: Term, n: usize) -> Option<*const u64> {
        if !self.may_call() || !fun.is_kind(Kind::Fun) {
            return None;
        }
        let e = compare::fun_entry(fun);
        if e.arity as usize != n {
            return None;
        }
        let target = e.target()?;
        for i in 0..fun.header().words() - 2 {
            self.setx_in_loop(n + i, Term(fun.word(3 + i)));
        }
        Some(target.code())
    }
}

#[inline(always)]
fn both_small(p: Term, q: Term) -> bool {
    (p.raw() | q.raw()) & 7 == 0
}

/// `p =:= q` where one look decides.
#[inline(always)]
fn quick_exact(p: Term, q: Term) -> Option<bool> {
    if p.raw() == q.raw() {
        Some(true)
    } else if p.is_immediate() && !p.is_flonum() || q.is_immediate() && !q.is_flonum() {
        Some(false)
    } else {
        None
    }
}

/// An operation on small integers whose result is a small integer.
pub(super) trait Operation {
    fn small(p: Term, q: Term) -> Option<Term>;
}

macro_rules! operations {
    ($($name:ident |$p:ident, $q:ident| $value:expr;)*) => {
        $(
            pub(super) struct $name;
            impl Operation for $name {
                #[inline(always)]
                fn small($p: Term, $q: Term) -> Option<Term> {
                    $value
                }
            }
        )*
    };
}

operations! {
    Add |p, q| (p.raw() as i64).checked_add(q.raw() as i64).map(|r| Term(r as u64));
    Sub |p, q| (p.raw() as i64).checked_sub(q.raw() as i64).map(|r| Term(r as u64));
    Mul |p, q| p.small_value().checked_mul(q.raw() as i64).map(|r| Term(r as u64));
    Div |p, q| if q.raw() == 0 { None } else { Term::try_small(p.small_value().wrapping_div(q.small_value())) };
    Rem |p, q| if q.raw() == 0 { None } else { Some(Term::small(p.small_value().wrapping_rem(q.small_value()))) };
    Band |p, q| Some(Term(p.raw() & q.raw()));
    Bor |p, q| Some(Term(p.raw() | q.raw()));
    Bxor |p, q| Some(Term(p.raw() ^ q.raw()));
    Bsl |p, q| shift_left(p.small_value(), q.small_value());
    Bsr |p, q| if q.small_value() < 0 { None } else { Some(Term::small(p.small_value() >> q.small_value().min(63))) };
}

#[inline(always)]
fn shift_left(n: i64, by: i64) -> Option<Term> {
    if !(0..60).contains(&by) {
        return None;
    }
    let r = n << by;
    if r >> by == n {
        Term::try_small(r)
    } else {
        None
    }
}

static HANDLERS: [Handler; TABLE] = {
    let mut t = [leave as Handler; TABLE];
    macro_rules! set {
        ($($op:ident => $handler:expr;)*) => { $(t[ops::$op as usize] = $handler;)* };
    }
    set! {
        ENTER => enter;
        CALL => call_local;
        CALL_LAST => call_local_last;
        CALL_ONLY => call_local_last;
        CALL_EXT => call_export;
        CALL_EXT_LAST => call_export_last;
        CALL_EXT_ONLY => call_export_last;
        CALL_FUN => call_fun;
        CALL_FUN_LAST => call_fun_last;
        RETURN => back;
        ALLOCATE => allocate;
        TEST_HEAP => test_heap;
        DEALLOCATE => deallocate;
        TRIM => deallocate;
        DEALLOCATE_RETURN => deallocate_return;
        INIT_Y => init_y;
        JUMP => jump;
        MOVE => move_one::<Any, Any>;
        MOVE_XX => move_one::<X, X>;
        MOVE_YX => move_one::<Y, X>;
        MOVE_XY => move_one::<X, Y>;
        MOVE_KX => move_one::<K, X>;
        MOVE2 => move_two::<Any, Any>;
        MOVE2_XX => move_two::<X, X>;
        MOVE2_XY => move_two::<X, Y>;
        MOVE2_YX => move_two::<Y, X>;
        SWAP => swap;
        GET_LIST => get_list::<Any, Any>;
        GET_LIST_XXX => get_list::<X, X>;
        GET_HD => get_hd;
        GET_TL => get_tl;
        IS_CONS_GET_LIST => is_cons_get_list;
        PUT_LIST => put_list::<Any, Any, Any>;
        PUT_LIST_XXX => put_list::<X, X, X>;
        PUT_LIST_YXX => put_list::<Y, X, X>;
        PUT_TUPLE => put_tuple;
        GET_TUPLE_ELEMENT => get_element::<Any, Any>;
        GET_TUPLE_ELEMENT_XX => get_element::<X, X>;
        GET_TWO_ELEMENTS => get_two_elements;
        UPDATE_RECORD => update_record;
        MAKE_FUN => make_fun;
        CATCH => catch_start;
        TRY_END => try_end;
        CATCH_END => catch_end;
        IS_NONEMPTY_LIST => is_cons::<Any>;
        IS_NONEMPTY_LIST_X => is_cons::<X>;
        IS_NIL => is_nil::<Any>;
        IS_NIL_X => is_nil::<X>;
        IS_LIST => is_list;
        IS_ATOM => is_atom::<Any>;
        IS_ATOM_X => is_atom::<X>;
        IS_INTEGER => is_integer::<Any>;
        IS_INTEGER_X => is_integer::<X>;
        IS_FLOAT => is_float;
        IS_NUMBER => is_number;
        IS_PID => is_pid;
        IS_TUPLE => is_tuple;
        IS_MAP => is_map;
        TEST_ARITY => is_tuple_of::<Any>;
        IS_TUPLE_OF_ARITY => is_tuple_of::<Any>;
        IS_TUPLE_OF_ARITY_X => is_tuple_of::<X>;
        IS_TAGGED_TUPLE => is_tagged_tuple::<Any>;
        IS_TAGGED_TUPLE_X => is_tagged_tuple::<X>;
        IS_EQ_IMM => is_eq_imm;
        IS_NE_IMM => is_ne_imm;
        IS_EQ_EXACT => is_eq_exact;
        IS_NE_EXACT => is_ne_exact;
        IS_LT => is_lt::<Any, Any>;
        IS_LT_XX => is_lt::<X, X>;
        IS_LT_XK => is_lt::<X, K>;
        IS_LT_KX => is_lt::<K, X>;
        IS_GE => is_ge::<Any, Any>;
        IS_GE_XX => is_ge::<X, X>;
        IS_GE_XK => is_ge::<X, K>;
        IS_GE_KX => is_ge::<K, X>;
        SELECT => select;
        SELECT_RANGE => select_range;
        ADD_XI => add_step;
        ADD => arith::<Add, Any, Any, Any>;
        ADD_XX => arith::<Add, X, X, X>;
        ADD_YX => arith::<Add, Y, X, X>;
        ADD_YK => arith::<Add, Y, K, X>;
        SUB => arith::<Sub, Any, Any, Any>;
        SUB_XX => arith::<Sub, X, X, X>;
        SUB_YK => arith::<Sub, Y, K, X>;
        MUL => arith::<Mul, Any, Any, Any>;
        MUL_XX => arith::<Mul, X, X, X>;
        MUL_XK => arith::<Mul, X, K, X>;
        INT_DIV => arith::<Div, Any, Any, Any>;
        INT_REM => arith::<Rem, Any, Any, Any>;
        BAND => arith::<Band, Any, Any, Any>;
        BAND_XX => arith::<Band, X, X, X>;
        BAND_XK => arith::<Band, X, K, X>;
        BOR => arith::<Bor, Any, Any, Any>;
        BOR_XX => arith::<Bor, X, X, X>;
        BXOR => arith::<Bxor, Any, Any, Any>;
        BXOR_XX => arith::<Bxor, X, X, X>;
        BSL => arith::<Bsl, Any, Any, Any>;
        BSL_XK => arith::<Bsl, X, K, X>;
        BSR => arith::<Bsr, Any, Any, Any>;
        BSR_XK => arith::<Bsr, X, K, X>;
        ARITH_GUARD_ADD => arith_guard::<Add>;
        ARITH_GUARD_SUB => arith_guard::<Sub>;
        ARITH_GUARD_MUL => arith_guard::<Mul>;
        ARITH_GUARD_DIV => arith_guard::<Div>;
        ARITH_GUARD_BSR => arith_guard::<Bsr>;
        ARITH_GUARD_REM => arith_guard::<Rem>;
        ARITH_GUARD_BAND => arith_guard::<Band>;
        GUARD_ELEMENT => element;
        GUARD_HD => head;
        GUARD_TL => tail;
        GUARD_TUPLE_SIZE => tuple_size;
        GUARD_SELF => own_pid;
        FLOAD => float_load;
        FSTORE => float_store;
        FCONV => float_convert;
        FADD => float_add;
        FSUB => float_sub;
        FMUL => float_mul;
        FDIV => float_div;
        BS_START => bits::start;
        BS_TEST_TAIL => bits::test_tail;
        BS_GET_POSITION => bits::get_position;
        BS_SET_POSITION => bits::set_position_to;
        BS_MATCH_SHORT => bits::match_short;
        BS_GET => bits::get;
        BS_GET_UTF => bits::get_utf;
        BS_CREATE_SHORT => bits::create_short;
    }
    t
};
