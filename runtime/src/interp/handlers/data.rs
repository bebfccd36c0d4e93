//! Moves, lists, tuples and funs.

use crate::code::forms::{
    get_element, get_far_element, get_list, get_two_elements, is_cons_get_list, make_fun, move_two,
    put_list, put_long_tuple, put_tuple, set_element, swap, unary, update_record,
};
use crate::code::{fields, operand};
use crate::heap::literal;
use crate::interp::handlers::errors::slow::bad_code;
use crate::interp::machine::{Any, M, Source, Target};
use crate::term::{Header, Kind, Term};

handlers! {
    move_one<S: Source, D: Target> |m| {
        let v = m.src::<S>(unary::FROM);
        m.dst::<D>(unary::TO, v);
        m.next(unary::WORDS)
    }
    move_two<S: Source, D: Target> |m| {
        let v = m.src::<S>(move_two::FROM);
        m.dst::<D>(move_two::TO, v);
        let v = m.src::<S>(move_two::THEN_FROM);
        m.dst::<D>(move_two::THEN_TO, v);
        m.next(move_two::WORDS)
    }
    swap |m| {
        let (p, q) = (m.src::<Any>(swap::LEFT), m.src::<Any>(swap::RIGHT));
        m.dst::<Any>(swap::LEFT_AGAIN, q);
        m.dst::<Any>(swap::RIGHT_AGAIN, p);
        m.next(swap::WORDS)
    }

    // ---- lists ----

    get_list<S: Source, D: Target> |m| {
        let l = m.src::<S>(get_list::LIST_AT);
        if !l.is_cons() {
            return m.hand_to(bad_code);
        }
        let (h, t) = (l.head(), l.tail());
        m.dst::<D>(get_list::HEAD, h);
        m.dst::<D>(get_list::REST, t);
        m.next(get_list::WORDS)
    }
    get_hd |m| {
        let l = m.src::<Any>(unary::FROM);
        if !l.is_cons() {
            return m.hand_to(bad_code);
        }
        m.dst::<Any>(unary::TO, l.head());
        m.next(unary::WORDS)
    }
    get_tl |m| {
        let l = m.src::<Any>(unary::FROM);
        if !l.is_cons() {
            return m.hand_to(bad_code);
        }
        m.dst::<Any>(unary::TO, l.tail());
        m.next(unary::WORDS)
    }
    is_cons_get_list |m| {
        let l = m.x(is_cons_get_list::LIST_AT);
        if !l.is_cons() {
            return m.jump(is_cons_get_list::FAIL);
        }
        let (h, t) = (l.head(), l.tail());
        m.set_x(is_cons_get_list::HEAD, h);
        m.set_x(is_cons_get_list::REST, t);
        m.next(is_cons_get_list::WORDS)
    }
    put_list<P: Source, Q: Source, D: Target> |m| {
        if m.room() < 2 {
            return m.hand_to(slow::put_list);
        }
        let (h, t) = (m.src::<P>(put_list::HEAD), m.src::<Q>(put_list::REST));
        let l = m.cx.own.heap.young.cons(h, t);
        m.dst::<D>(put_list::TO, l);
        m.next(put_list::WORDS)
    }

    // ---- tuples ----

    put_tuple |m| {
        let n = m.num(put_tuple::COUNT);
        if m.room() <= n {
            return m.hand_to(slow::put_tuple);
        }
        m.put_tuple(n);
        m.next(put_tuple::words(n))
    }
    get_element<S: Source, D: Target> |m| {
        let (t, i) = (m.src::<S>(get_element::TUPLE), m.num(get_element::INDEX));
        if !(t.is_tuple() && i < t.header().words()) {
            return m.hand_to(bad_code);
        }
        m.dst::<D>(get_element::TO, Term(t.word(1 + i)));
        m.next(get_element::WORDS)
    }
    get_far_element |m| {
        let (t, i) = (m.src::<Any>(get_far_element::TUPLE), m.num(get_far_element::INDEX));
        if !(t.is_tuple() && i < t.header().words()) {
            return m.hand_to(bad_code);
        }
        m.dst::<Any>(get_far_element::TO, Term(t.word(1 + i)));
        m.next(get_far_element::WORDS)
    }
    get_two_elements |m| {
        let t = m.x(get_two_elements::TUPLE);
        let (i, j) = (m.num(get_two_elements::INDEX), m.num(get_two_elements::THEN_INDEX));
        if !t.is_tuple() || i.max(j) >= t.header().words() {
            return m.hand_to(bad_code);
        }
        m.set_x(get_two_elements::TO, Term(t.word(1 + i)));
        m.set_x(get_two_elements::THEN_TO, Term(t.word(1 + j)));
        m.next(get_two_elements::WORDS)
    }
    update_record |m| {
        let (t, n) = (m.src::<Any>(update_record::TUPLE), m.num(update_record::SIZE));
        if !t.is_tuple() || t.header().words() != n {
            return m.hand_to(bad_code);
        }
        if m.room() <= n {
            return m.hand_to(slow::update_record);
        }
        m.make_updated(t, n);
        let updates = m.num(update_record::COUNT);
        m.next(update_record::words(updates))
    }

    update_record_in_place |m| {
        let t = m.src::<Any>(update_record::TUPLE);
        let n = m.num(update_record::SIZE);
        if !t.is_tuple() || t.header().words() != n || !m.cx.own.heap.is_fresh(t.ptr()) {
            return m.hand_to(update_record);
        }
        // SAFETY: a tuple of `n` elements in this heap.
        unsafe { m.write_updates(t.ptr()) };
        m.dst::<Any>(update_record::TO, t);
        let updates = m.num(update_record::COUNT);
        m.next(update_record::words(updates))
    }

    // ---- funs ----

    make_fun |m| {
        let n = m.num(make_fun::COUNT);
        if m.room() < 3 + n {
            return m.hand_to(slow::make_fun);
        }
        m.make_fun(n);
        m.next(make_fun::words(n))
    }
}

slow_handlers! {
    put_list |m| {
        let (h, t) = (m.src::<Any>(put_list::HEAD), m.src::<Any>(put_list::REST));
        let l = m.cx.own.heap.young.cons(h, t);
        m.dst::<Any>(put_list::TO, l);
        m.next(put_list::WORDS)
    }
    put_tuple |m| {
        let n = m.num(put_tuple::COUNT);
        m.put_tuple(n);
        m.next(put_tuple::words(n))
    }
    put_long_tuple |m| {
        let n = m.num(put_long_tuple::COUNT);
        let p = m.cx.own.heap.young.alloc(1 + n);
        // SAFETY: that many fresh words.
        unsafe { *p = Header::new(Kind::Tuple, n).0 };
        for i in 0..n {
            let o = m.word(put_long_tuple::WORDS + i);
            let v = if o & 0b111 == operand::WIDE_PLACE {
                Any::get(&m, (o >> 3) as usize).raw()
            } else {
                o
            };
            // SAFETY: as above.
            unsafe { *p.add(1 + i) = v };
        }
        m.dst::<Any>(put_long_tuple::TO, Term::boxed_at(p));
        m.next(put_long_tuple::words(n))
    }
    // The compiler puts this right behind the tuple's making or its copying; other code need not.
    set_element |m| {
        let (v, t) = (m.src::<Any>(set_element::VALUE), m.src::<Any>(set_element::TUPLE));
        let i = m.num(set_element::INDEX);
        if !t.is_tuple() || i >= t.header().words() || literal::is_literal(t.ptr()) {
            return m.bad_code();
        }
        // SAFETY: it is a tuple of more than `i` elements, outside literal areas.
        unsafe { *t.ptr().add(1 + i) = v.raw() }
        m.cx.own.heap.note_overwritten(t.ptr());
        m.next(set_element::WORDS)
    }
    update_record |m| {
        let (t, n) = (m.src::<Any>(update_record::TUPLE), m.num(update_record::SIZE));
        m.make_updated(t, n);
        let updates = m.num(update_record::COUNT);
        m.next(update_record::words(updates))
    }
    make_fun |m| {
        let n = m.num(make_fun::COUNT);
        m.make_fun(n);
        m.next(make_fun::words(n))
    }
}

impl<const THREADED: bool> M<'_, '_, THREADED> {
    #[inline(always)]
    fn put_tuple(&mut self, n: usize) {
        let p = self.cx.own.heap.young.alloc(1 + n);
        // SAFETY: that many fresh words.
        unsafe { *p = Header::new(Kind::Tuple, n).0 };
        for i in 0..n {
            let v = self.item(put_tuple::LIST, i);
            // SAFETY: as above.
            unsafe { *p.add(1 + i) = v.raw() };
        }
        self.dst::<Any>(put_tuple::TO, Term::boxed_at(p));
    }

    /// Copies the tuple `t` of `n` elements, but for those that are updated.
    #[inline(always)]
    fn make_updated(&mut self, t: Term, n: usize) {
        let p = self.cx.own.heap.young.alloc(1 + n);
        for i in 0..=n {
            // SAFETY: that many fresh words; the tuple has as many.
            unsafe { *p.add(i) = t.word(i) };
        }
        // SAFETY: it is a tuple of `n` elements now.
        unsafe { self.write_updates(p) };
        self.dst::<Any>(update_record::TO, Term::boxed_at(p));
    }

    /// Writes the elements that are updated.
    ///
    /// # Safety
    /// At `p` is a tuple of as many elements as the instruction says, which nobody else reads meanwhile.
    #[inline(always)]
    unsafe fn write_updates(&mut self, p: *mut u64) {
        for k in 0..self.num(update_record::COUNT) {
            let pair = self.word(update_record::WORDS + k);
            let v = Any::get(self, fields::update::VALUE.of(pair) as usize);
            // SAFETY: positions were verified.
            unsafe { *p.add(fields::update::INDEX.of(pair) as usize) = v.raw() };
        }
    }

    #[inline(always)]
    fn make_fun(&mut self, n: usize) {
        let entry = self.fun_entry(make_fun::FUN);
        let me = self.cx.self_pid();
        let p = self.cx.own.heap.young.alloc(3 + n);
        // SAFETY: that many fresh words, laid out as `Heap::fun` does.
        unsafe {
            *p = Header::new(Kind::Fun, 2 + n).0;
            *p.add(1) = std::ptr::from_ref(entry) as u64;
            *p.add(2) = me.raw();
        }
        for i in 0..n {
            let v = self.item(make_fun::LIST, i);
            // SAFETY: as above.
            unsafe { *p.add(3 + i) = v.raw() };
        }
        self.dst::<Any>(make_fun::TO, Term::boxed_at(p));
    }
}
