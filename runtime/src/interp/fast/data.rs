//! Short ways of moves, lists, tuples and funs, and of the guard BIFs that look into them.

use super::Place;
use super::machine::{Any, M, Source, Target};
use crate::bif::Ctx;
use crate::code::fun::FunEntry;
use crate::term::{Header, Kind, Term, stack_word};

handlers! {
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
}
