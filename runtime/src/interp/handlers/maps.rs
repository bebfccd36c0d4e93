//! Maps.

use crate::atom::Atom;
use crate::code::fields::List;
use crate::code::forms::{map_fields, new_map, put_map_assoc, put_map_exact};
use crate::data::map::{self, MapPair};
use crate::interp::machine::{Any, Slow};
use crate::interp::maps;
use crate::term::{Header, Kind, Term};
use smallvec::SmallVec;

handlers! {
    has_fields |m| {
        let (map, n) = (m.src::<Any>(map_fields::MAP), m.num(map_fields::COUNT));
        if !map.is_map() {
            return m.jump(map_fields::FAIL);
        }
        for i in 0..n {
            if map::get(map, m.item(map_fields::LIST, i)).is_none() {
                return m.jump(map_fields::FAIL);
            }
        }
        m.next(map_fields::words(n))
    }
    get_elements |m| {
        let (map, n) = (m.src::<Any>(map_fields::MAP), m.num(map_fields::COUNT));
        if !map.is_map() {
            return m.jump(map_fields::FAIL);
        }
        for i in (0..n).step_by(2) {
            match map::get(map, m.item(map_fields::LIST, i)) {
                Some(v) => m.set_item(map_fields::LIST, i + 1, v),
                None => return m.jump(map_fields::FAIL),
            }
        }
        m.next(map_fields::words(n))
    }
}

slow_handlers! {
    put_assoc |m| {
        let (map, n) = (m.src::<Any>(put_map_assoc::MAP), m.num(put_map_assoc::COUNT));
        let pairs = m.pairs(put_map_assoc::LIST, n);
        match maps::put_assoc(m.cx.heap(), map, &pairs) {
            Some(v) => {
                m.dst::<Any>(put_map_assoc::TO, v);
                m.cx.note_allocation();
                m.next(put_map_assoc::words(n))
            }
            None => m.error_with(Atom::BADMAP, map),
        }
    }
    put_exact |m| {
        let (map, n) = (m.src::<Any>(put_map_exact::MAP), m.num(put_map_exact::COUNT));
        let pairs = m.pairs(put_map_exact::LIST, n);
        match maps::put_exact(m.cx.heap(), map, &pairs) {
            Some(v) => {
                m.dst::<Any>(put_map_exact::TO, v);
                m.cx.note_allocation();
                m.next(put_map_exact::words(n))
            }
            None if m.distance(put_map_exact::FAIL) != 0 => m.jump(put_map_exact::FAIL),
            None => {
                let (tag, what) = maps::exact_error(map, &pairs);
                m.error_with(tag, what)
            }
        }
    }
    new_map |m| {
        let n = m.num(new_map::COUNT);
        let p = m.cx.heap().alloc(2 + n);
        // SAFETY: that many fresh words, laid out as a flat map; the constant is a tuple of `n` keys in order.
        unsafe {
            *p = Header::new(Kind::FlatMap, 1 + n).0;
            *p.add(1) = m.constant(new_map::KEYS);
            for i in 0..n {
                *p.add(2 + i) = m.item(new_map::LIST, i).raw();
            }
        }
        m.dst::<Any>(new_map::TO, Term::boxed_at(p));
        m.cx.note_allocation();
        m.next(new_map::words(n))
    }
}

impl Slow<'_, '_> {
    /// A list of `n` operands as pairs.
    fn pairs(&self, list: List, n: usize) -> SmallVec<[MapPair; 8]> {
        let pair = |i| [self.item(list, i), self.item(list, i + 1)];
        (0..n).step_by(2).map(pair).collect()
    }
}
