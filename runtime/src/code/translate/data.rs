//! Lists, tuples, funs, maps and floats.

use super::{Translator, is_in_place};
use crate::code::fields::update;
use crate::code::forms::{
    float_binary, float_load, float_store, float_unary, get_element, get_far_element, get_list,
    is_long_tuple, is_tagged_tuple, make_fun, map_fields, new_map, put_list, put_long_tuple,
    put_map_assoc, put_map_exact, put_tuple, set_element, update_record,
};
use crate::code::operand::{MAX_FIELD, MAX_SHORT_LIST, Place};
use crate::code::ops;
use crate::data::map;
use crate::term::Term;
use enigma_loader::Operand;

impl Translator<'_> {
    // ---- lists and tuples ----

    pub(super) fn get_list(&mut self, o: &[Operand]) {
        let [s, h, t] = [self.src(&o[0]), self.src(&o[1]), self.src(&o[2])];
        let at = self.asm.begin(ops::for_operands(ops::GET_LIST, &[s, h, t]));
        self.asm.place(at, get_list::LIST_AT, s);
        self.asm.place(at, get_list::HEAD, h);
        self.asm.place(at, get_list::REST, t);
    }

    pub(super) fn put_list(&mut self, o: &[Operand]) {
        let [h, t, d] = [self.src(&o[0]), self.src(&o[1]), self.src(&o[2])];
        let at = self.asm.begin(ops::for_operands(ops::PUT_LIST, &[h, t, d]));
        self.asm.place(at, put_list::HEAD, h);
        self.asm.place(at, put_list::REST, t);
        self.asm.place(at, put_list::TO, d);
    }

    pub(super) fn test_arity(&mut self, o: &[Operand]) {
        let (s, n, fail) = (self.src(&o[1]), Self::num(&o[2]), Self::to(&o[0]));
        if n as u64 > MAX_FIELD {
            return self.long_tuple(s, fail, n, 0);
        }
        self.asm.test_number(ops::TEST_ARITY, s, n, fail);
    }

    pub(super) fn is_tagged_tuple(&mut self, o: &[Operand]) {
        let (s, n, fail) = (self.src(&o[1]), Self::num(&o[2]), Self::to(&o[0]));
        let tag = self.constant(&o[3]).map_or(0, Term::raw);
        if n as u64 > MAX_FIELD {
            return self.long_tuple(s, fail, n, tag);
        }
        let op = ops::for_operands(ops::IS_TAGGED_TUPLE, &[s]);
        let at = self.asm.begin(op);
        self.asm.place(at, is_tagged_tuple::VALUE, s);
        self.asm.set(at, is_tagged_tuple::SIZE, n);
        self.asm.jump(at, is_tagged_tuple::FAIL, fail);
        self.asm.set(at, is_tagged_tuple::TAG, tag);
    }

    /// A test for a tuple of more elements than a field holds, and for its first one unless `tag` is 0.
    fn long_tuple(&mut self, s: Place, fail: u32, size: usize, tag: u64) {
        let at = self.asm.begin(ops::IS_LONG_TUPLE);
        self.asm.place(at, is_long_tuple::VALUE, s);
        self.asm.jump(at, is_long_tuple::FAIL, fail);
        self.asm.set(at, is_long_tuple::SIZE, size);
        self.asm.set(at, is_long_tuple::TAG, tag);
    }

    pub(super) fn put_tuple(&mut self, o: &[Operand]) {
        let list = self.list(&o[1]).to_vec();
        let (d, places) = (self.src(&o[0]), self.srcs(&list));
        if places.len() > MAX_SHORT_LIST {
            let at = self.asm.begin(ops::PUT_LONG_TUPLE);
            self.asm.place(at, put_long_tuple::TO, d);
            self.asm.set(at, put_long_tuple::COUNT, places.len());
            self.asm.wide_places(&places);
            return;
        }
        let at = self.asm.begin(ops::PUT_TUPLE);
        self.asm.place(at, put_tuple::TO, d);
        self.asm.set(at, put_tuple::COUNT, places.len());
        self.asm.places(at, &places);
    }

    pub(super) fn get_element(&mut self, o: &[Operand]) {
        let (s, d, n) = (self.src(&o[0]), self.src(&o[2]), Self::num(&o[1]));
        if n as u64 > MAX_FIELD {
            let at = self.asm.begin(ops::GET_FAR_TUPLE_ELEMENT);
            self.asm.place(at, get_far_element::TUPLE, s);
            self.asm.place(at, get_far_element::TO, d);
            self.asm.set(at, get_far_element::INDEX, n);
            return;
        }
        let op = ops::for_operands(ops::GET_TUPLE_ELEMENT, &[s, d]);
        let at = self.asm.begin(op);
        self.asm.place(at, get_element::TUPLE, s);
        self.asm.set(at, get_element::INDEX, n);
        self.asm.place(at, get_element::TO, d);
    }

    pub(super) fn set_element(&mut self, o: &[Operand]) {
        let (v, t, n) = (self.src(&o[0]), self.src(&o[1]), Self::num(&o[2]));
        let at = self.asm.begin(ops::SET_TUPLE_ELEMENT);
        self.asm.place(at, set_element::VALUE, v);
        self.asm.place(at, set_element::TUPLE, t);
        self.asm.set(at, set_element::INDEX, n);
    }

    pub(super) fn update_record(&mut self, o: &[Operand]) {
        let list = self.list(&o[4]).to_vec();
        let (s, d) = (self.src(&o[2]), self.src(&o[3]));
        let at = self.asm.begin(if is_in_place(self.module, o) {
            ops::UPDATE_RECORD_IN_PLACE
        } else {
            ops::UPDATE_RECORD
        });
        self.asm.place(at, update_record::TUPLE, s);
        self.asm.place(at, update_record::TO, d);
        self.asm.set(at, update_record::COUNT, list.len() / 2);
        self.asm.set(at, update_record::SIZE, Self::num(&o[1]));
        for pair in list.chunks_exact(2) {
            let v = self.src(&pair[1]);
            let w = self.asm.word(Self::num(&pair[0]) as u64);
            self.asm.place_at(at, w, update::VALUE, v);
        }
    }

    // ---- funs and maps ----

    pub(super) fn make_fun(&mut self, lambda: usize, d: Place, env: &[Place]) {
        let literal = self.module.fun_literals[lambda];
        if !literal.is_nil() {
            self.asm.unary(ops::MOVE, Place::K(literal.raw()), d);
            return;
        }
        let entry = self.module.funs[lambda];
        let at = self.asm.begin(ops::MAKE_FUN);
        self.asm.place(at, make_fun::TO, d);
        self.asm.set(at, make_fun::COUNT, env.len());
        self.asm.set(at, make_fun::FUN, entry);
        self.asm.places(at, env);
    }

    /// `has_map_fields` and `get_map_elements`.
    pub(super) fn map_fields(&mut self, op: u16, o: &[Operand]) {
        let list = self.list(&o[2]).to_vec();
        let (s, places) = (self.src(&o[1]), self.srcs(&list));
        let at = self.asm.begin(op);
        self.asm.place(at, map_fields::MAP, s);
        self.asm.set(at, map_fields::COUNT, places.len());
        self.asm.jump(at, map_fields::FAIL, Self::to(&o[0]));
        self.asm.places(at, &places);
    }

    pub(super) fn put_map_assoc(&mut self, o: &[Operand]) {
        let list = self.list(&o[4]).to_vec();
        let (s, d, places) = (self.src(&o[1]), self.src(&o[2]), self.srcs(&list));
        if self.new_map(&o[1], d, &list) {
            return;
        }
        let at = self.asm.begin(ops::PUT_MAP_ASSOC);
        self.asm.place(at, put_map_assoc::MAP, s);
        self.asm.set(at, put_map_assoc::COUNT, places.len());
        self.asm.place(at, put_map_assoc::TO, d);
        self.asm.places(at, &places);
    }

    pub(super) fn put_map_exact(&mut self, o: &[Operand]) {
        let list = self.list(&o[4]).to_vec();
        let (s, d, places) = (self.src(&o[1]), self.src(&o[2]), self.srcs(&list));
        let at = self.asm.begin(ops::PUT_MAP_EXACT);
        self.asm.place(at, put_map_exact::MAP, s);
        self.asm.set(at, put_map_exact::COUNT, places.len());
        self.jump_if(at, put_map_exact::FAIL, Self::fail(&o[0]));
        self.asm.place(at, put_map_exact::TO, d);
        self.asm.places(at, &places);
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
        let at = self.asm.begin(ops::NEW_MAP);
        self.asm.place(at, new_map::TO, d);
        self.asm.set(at, new_map::COUNT, order.len());
        self.asm.set(at, new_map::KEYS, tuple.raw());
        let values = order.iter().map(|&i| self.src(&pairs[2 * i + 1]));
        let values: Vec<Place> = values.collect();
        self.asm.places(at, &values);
        true
    }

    // ---- floats ----

    /// `fmove`: between float registers, into one, or out of one.
    pub(super) fn float_move(&mut self, from: &Operand, to: &Operand) {
        match (from, to) {
            (Operand::Float(a), Operand::Float(b)) => self.float_unary(ops::FMOVE, *a, *b),
            (Operand::Float(a), d) => {
                let d = self.src(d);
                let at = self.asm.begin(ops::FSTORE);
                self.asm.set(at, float_store::FROM, *a);
                self.asm.place(at, float_store::TO, d);
            }
            (s, d) => self.float_load(ops::FLOAD, s, d),
        }
    }

    pub(super) fn float_load(&mut self, op: u16, from: &Operand, to: &Operand) {
        let s = self.src(from);
        let at = self.asm.begin(op);
        self.asm.place(at, float_load::FROM, s);
        self.asm.set(at, float_load::TO, Self::float_index(to));
    }

    pub(super) fn float_unary(&mut self, op: u16, from: u16, to: u16) {
        let at = self.asm.begin(op);
        self.asm.set(at, float_unary::FROM, from);
        self.asm.set(at, float_unary::TO, to);
    }

    pub(super) fn float_binary(&mut self, op: u16, o: &[Operand]) {
        let at = self.asm.begin(op);
        self.asm
            .set(at, float_binary::LEFT, Self::float_index(&o[1]));
        self.asm
            .set(at, float_binary::RIGHT, Self::float_index(&o[2]));
        self.asm.set(at, float_binary::TO, Self::float_index(&o[3]));
    }
}
