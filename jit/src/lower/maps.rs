//! Maps.
//!
//! A flat map whose keys are looked for is read in line if the keys are constants that are equal only to themselves; copies of
//! it likewise. Helpers do the rest.

use super::data::word_at;
use super::questions::is_plain_immediate;
use super::{Lowering, To, trusted, x_offset};
use crate::ir::{ExitRef, Inst, InstData, Op, Value as Ssa};
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::types::I64;
use cranelift_codegen::ir::{InstBuilder, Value};
use enigma_runtime::interp::native::{Helper, layout};
use enigma_runtime::term::{Header, Kind, TAG_BOXED, Term};

/// So many keys are looked for in line.
const MOST_IN_LINE: usize = 8;

/// Maps and keys that are there, and the places of these as `find_key` gives them.
pub(super) type Places = Vec<(Ssa, Ssa, Value)>;

/// A flat map that is searched.
#[derive(Clone, Copy)]
struct FlatMap {
    map: Value,
    /// Bytes from the map's header to its last value, and from its keys' header to the place behind the last key.
    size: Value,
    keys: Value,
}

impl Lowering<'_> {
    pub(super) fn maps(&mut self, i: &InstData) {
        let v = match &i.op {
            Op::MapGet => self.map_get(i.args[0], i.args[1]),
            Op::MapSize => self.map_size(i.args[0]),
            Op::NewMap => {
                let words = self.vals(&i.args);
                self.object(Kind::FlatMap, &words)
            }
            Op::MapPut(e) => self.map_put(&i.args, Helper::MapPut, *e),
            Op::MapUpdate(e) => self.map_put(&i.args, Helper::MapUpdate, *e),
            _ => enigma_runtime::bug::vm_bug("no instruction on maps"),
        };
        self.define(i, v);
    }

    /// Is the key a constant that is equal only to itself?
    fn is_plain(&self, key: Ssa) -> bool {
        self.constant(key).is_some_and(is_plain_immediate)
    }

    /// Lowers a look-up together with the branch behind it that asks whether it has found a value, if such are the next
    /// instructions.
    pub(super) fn look_up(&mut self, insts: &[Inst]) -> bool {
        let source = self.source;
        let next = |n: usize| insts.get(n).map(|i| &source.insts[i.index()]);
        let (Some(get), Some(ask), Some(branch)) = (next(0), next(1), next(2)) else {
            return false;
        };
        let (Op::MapGet, Op::IsValue, Op::Branch(yes, no)) = (&get.op, &ask.op, &branch.op) else {
            return false;
        };
        let together = ask.args == get.results && branch.args == ask.results;
        if !together || self.uses[ask.results[0].index()] > 1 || !self.is_plain(get.args[1]) {
            return false;
        }
        self.hand_on(no);
        let no = self.to(no);
        let (v, at) = self.find_value(get.args[0], get.args[1], &no);
        self.define(get, v);
        self.places.push((get.args[0], get.args[1], at));
        self.hand_on(yes);
        let yes = self.to(yes);
        self.go(&yes);
        true
    }

    fn map_get(&mut self, map: Ssa, key: Ssa) -> Value {
        if !self.is_plain(key) {
            let (map, key) = (self.val(map), self.val(key));
            return self.help(Helper::MapGet, &[map, key]);
        }
        let join = self.fresh_block();
        let result = self.b.append_block_param(join, I64);
        let none = self.word(Term::NONVALUE.raw());
        let missing = To {
            block: join,
            args: vec![none.into()],
        };
        let (v, _) = self.find_value(map, key, &missing);
        self.b.ins().jump(join, &[v.into()]);
        self.begin(join);
        result
    }

    /// The value of a plain key, and its place if the map is flat; where there is none, control goes to `missing`.
    fn find_value(&mut self, map: Ssa, key: Ssa, missing: &To) -> (Value, Value) {
        let (map, key) = (self.val(map), self.val(key));
        let [search, large, join] = [(); 3].map(|()| self.fresh_block());
        let [found, place] = [(); 2].map(|()| self.b.append_block_param(join, I64));
        let header = self.header(map);
        let flat = self.has_low_byte(header, Header::new(Kind::FlatMap, 0).raw());
        self.branch(flat, &To::plain(search), &To::plain(large));
        self.begin(large);
        let v = self.help(Helper::MapGet, &[map, key]);
        let none = self.is_nonvalue(v);
        let no_place = self.word(0);
        let found_there = To {
            block: join,
            args: vec![v.into(), no_place.into()],
        };
        self.branch(none, missing, &found_there);
        self.begin(search);
        let flat = self.flat_map(map, header);
        let at = self.find_key(flat, flat.size, key, missing);
        let v = self.value_at(map, at);
        self.b.ins().jump(join, &[v.into(), at.into()]);
        self.begin(join);
        (found, place)
    }

    /// The place of a key that has been found in the map before.
    fn known_place(&self, map: Ssa, key: Ssa) -> Option<Value> {
        let same = |p: &&(Ssa, Ssa, Value)| p.0 == map && self.constant(p.1) == self.constant(key);
        self.places.iter().find(same).map(|p| p.2)
    }

    fn map_size(&mut self, map: Ssa) -> Value {
        let map = self.val(map);
        let header = self.header(map);
        let flat = self.has_low_byte(header, Header::new(Kind::FlatMap, 0).raw());
        // The header counts the keys' tuple too; a large map has its size as its first word.
        let size = self.b.ins().ushr_imm_u(header, 8);
        let size = self.b.ins().ishl_imm_u(size, 3);
        let size = self.b.ins().iadd_imm_s(size, -8);
        let large = self.b.ins().load(I64, trusted(), map, word_at(1));
        self.b.ins().select(flat, size, large)
    }

    fn flat_map(&mut self, map: Value, header: Value) -> FlatMap {
        let size = self.b.ins().ushr_imm_u(header, 8);
        let size = self.b.ins().ishl_imm_u(size, 3);
        let keys = self.b.ins().load(I64, trusted(), map, word_at(1));
        FlatMap { map, size, keys }
    }

    /// Looks for a key in front of the place `from`, in bytes from the header of the keys' tuple; gives its place.
    fn find_key(&mut self, flat: FlatMap, from: Value, key: Value, missing: &To) -> Value {
        let [each, look, found] = [(); 3].map(|()| self.fresh_block());
        let at = self.b.append_block_param(each, I64);
        self.b.ins().jump(each, &[from.into()]);
        self.b.switch_to_block(each);
        let at = self.b.ins().iadd_imm_s(at, -8);
        self.branch(at, &To::plain(look), missing);
        self.begin(look);
        let place = self.b.ins().iadd(flat.keys, at);
        let k = self
            .b
            .ins()
            .load(I64, trusted(), place, -(TAG_BOXED as i32));
        let is = self.b.ins().icmp(IntCC::Equal, k, key);
        self.b.ins().brif(is, found, &[], each, &[at.into()]);
        self.b.seal_block(each);
        self.begin(found);
        at
    }

    /// The value of the key at a place: the values lie one word further on than the keys.
    fn value_at(&mut self, map: Value, at: Value) -> Value {
        let place = self.b.ins().iadd(map, at);
        self.b.ins().load(I64, trusted(), place, word_at(1))
    }

    fn map_put(&mut self, args: &[Ssa], helper: Helper, exit: ExitRef) -> Value {
        let (map, pairs) = (self.val(args[0]), &args[1..]);
        let (slow, join) = (self.fresh_block(), self.fresh_block());
        let result = self.b.append_block_param(join, I64);
        let in_line = pairs.len() <= 2 * MOST_IN_LINE
            && pairs.iter().step_by(2).all(|&key| self.is_plain(key));
        if in_line {
            let same = To {
                block: join,
                args: vec![map.into()],
            };
            let v = self.replace_values(args, &To::plain(slow), &same);
            self.b.ins().jump(join, &[v.into()]);
        } else {
            self.b.ins().jump(slow, &[]);
        }
        self.begin(slow);
        let words = self.vals(pairs);
        self.store_x(words.iter().copied().enumerate());
        let count = self.word(pairs.len() as u64);
        let v = self.help(helper, &[map, count]);
        let is = self.is_nonvalue(v);
        self.exit_if(is, exit);
        self.b.ins().jump(join, &[v.into()]);
        self.begin(join);
        self.credit = 0;
        result
    }

    /// A copy of a flat map that has all these keys, with other values. It is the map itself where that has these values:
    /// then control goes to `same`. What is no such map goes to `slow`.
    fn replace_values(&mut self, args: &[Ssa], slow: &To, same: &To) -> Value {
        let (map, pairs) = (self.val(args[0]), &args[1..]);
        let header = self.header_or(map, slow);
        let is = self.has_low_byte(header, Header::new(Kind::FlatMap, 0).raw());
        self.go_on_if(is, slow);
        let flat = self.flat_map(map, header);
        let mut changes = Vec::new();
        let mut changed = None;
        for pair in pairs.chunks_exact(2) {
            let (key, value) = (self.val(pair[0]), self.val(pair[1]));
            let at = match self.known_place(args[0], pair[0]) {
                Some(at) => at,
                None => self.find_key(flat, flat.size, key, slow),
            };
            let old = self.value_at(map, at);
            let other = self.b.ins().bxor(old, value);
            changed = Some(match changed {
                Some(c) => self.b.ins().bor(c, other),
                None => other,
            });
            changes.push((at, value));
        }
        if let Some(changed) = changed {
            self.go_on_if(changed, same);
        }
        let hp = self.b.use_var(self.hp);
        let end = self.own_field(layout::HEAP_END);
        let last = self.b.ins().iadd(hp, flat.size);
        let after = self.b.ins().iadd_imm_s(last, 8);
        let over = self.b.ins().icmp(IntCC::UnsignedGreaterThan, after, end);
        self.go_on_unless(over, slow);
        self.b.ins().store(trusted(), header, hp, 0);
        self.b.ins().store(trusted(), flat.keys, hp, x_offset(1));
        // A map with a key has a value.
        let (each, done) = (self.fresh_block(), self.fresh_block());
        let at = self.b.append_block_param(each, I64);
        self.b.ins().jump(each, &[flat.size.into()]);
        self.b.switch_to_block(each);
        let from = self.b.ins().iadd(flat.map, at);
        let v = self.b.ins().load(I64, trusted(), from, -(TAG_BOXED as i32));
        let to = self.b.ins().iadd(hp, at);
        self.b.ins().store(trusted(), v, to, 0);
        let at = self.b.ins().iadd_imm_s(at, -8);
        let more = self.b.ins().icmp_imm_s(IntCC::NotEqual, at, 8);
        self.b.ins().brif(more, each, &[at.into()], done, &[]);
        self.b.seal_block(each);
        self.begin(done);
        for (at, value) in changes {
            let to = self.b.ins().iadd(hp, at);
            self.b.ins().store(trusted(), value, to, x_offset(1));
        }
        self.b.def_var(self.hp, after);
        self.b.ins().iadd_imm_s(hp, TAG_BOXED as i64)
    }
}
