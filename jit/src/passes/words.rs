//! Computes with machine words where integers become larger than small ones only in between.
//!
//! Hashes, checksums and generators of random numbers multiply and shift, and take the low bits or the rest of a division of what comes out:
//! `(X * 1103515245 + 12345) band 16#7FFFFFFF`. Such a group of instructions of one block is done a second time, on words of 64
//! bits without a sign, where all integers that come in are from 0 to 2^64 - 1. Whatever is unusual (a negative integer, a larger
//! one, another term, a result that does not fit where it is needed whole) goes to the instructions as they were.
//!
//! A value of the group is *whole* if the word is the integer, else the word is what the integer has as its low bits. Addition, subtraction,
//! multiplication and shifts to the left give low bits of low bits; shifts to the right and divisions need whole operands, as does what
//! is used outside the group; `band` with a constant makes any value whole.

use crate::ir::{Arith, Block, Inst, Op, Repr, SsaFunction, Target, Value};
use enigma_runtime::interp::native;
use enigma_runtime::term::MAX_SMALL;
use rustc_hash::{FxHashMap, FxHashSet};
use std::ops::Range;

/// Groups with more instructions are left as they are.
const MOST_INSTRUCTIONS: usize = 64;

/// Bits that a number is taken to have of which nothing is known.
const USUAL_BITS: u32 = 31;

/// Does it.
pub fn run(f: &mut SsaFunction) {
    if !f.insts.iter().any(|i| is_wide(&i.op)) {
        return;
    }
    let constants = Constants::of(f);
    let blocks = f.blocks.len() as u32;
    let mut left: Vec<Block> = (0..blocks).map(Block).collect();
    for &block in &left {
        share_exits(f, block, &constants);
    }
    while let Some(block) = left.pop() {
        if let Some(group) = Group::first(f, block, &constants) {
            // What is behind the group may have another one.
            left.push(group.write(f, block, &constants));
        }
    }
}

/// Is a group without any such instruction of no use?
fn is_wide(op: &Op) -> bool {
    matches!(op, Op::Arith(Arith::Mul | Arith::Bsl | Arith::Band, _))
}

/// The constants, and which integers from 0 to 2^64 - 1 they are.
#[derive(Default)]
struct Constants {
    words: FxHashMap<Value, u64>,
    others: FxHashSet<Value>,
}

impl Constants {
    fn of(f: &SsaFunction) -> Constants {
        let mut found = Constants::default();
        let all = f.blocks.iter().flat_map(|b| &b.insts);
        for inst in all.map(|i| &f.insts[i.index()]) {
            if let Op::Const(word) = inst.op {
                let v = inst.results[0];
                match native::unsigned_constant(word) {
                    Some(n) => drop(found.words.insert(v, n)),
                    None => drop(found.others.insert(v)),
                }
            }
        }
        found
    }

    /// The integer, if it is such a constant.
    fn word(&self, v: Value) -> Option<u64> {
        self.words.get(&v).copied()
    }
}

/// The places of a block between which nothing happens but arithmetic and what may be done before that.
fn stretches(f: &SsaFunction, block: Block, constants: &Constants) -> Vec<Range<usize>> {
    let insts = &f.blocks[block.index()].insts;
    let ends = |n: &usize| {
        let inst = insts[*n];
        !is_candidate(f, inst, constants) && !may_go_before(f, inst)
    };
    let mut found = Vec::new();
    let mut from = 0;
    for end in (0..insts.len()).filter(ends) {
        found.push(from..end);
        from = end + 1;
    }
    found
}

/// Lets all arithmetic of a stretch leave where the first one does: what has been done since then is done again, and nobody sees that. So
/// what is computed in between need not be a term for the sake of an exit.
fn share_exits(f: &mut SsaFunction, block: Block, constants: &Constants) {
    for stretch in stretches(f, block, constants) {
        let insts = f.blocks[block.index()].insts[stretch].iter().copied();
        let arithmetic: Vec<Inst> = insts.filter(|i| is_candidate(f, *i, constants)).collect();
        let is_wide = |i: &Inst| is_wide(&f.insts[i.index()].op);
        if !arithmetic.iter().any(is_wide) {
            continue;
        }
        let Some(exit) = f.insts[arithmetic[0].index()].op.exit() else {
            continue;
        };
        for inst in arithmetic {
            if let Some(place) = f.insts[inst.index()].op.exit_mut() {
                *place = exit;
            }
        }
    }
}

/// An instruction of a group.
struct Member {
    inst: Inst,
    how: Arith,
    args: [Value; 2],
    result: Value,
    /// Is it used outside?
    leaves: bool,
    /// Must it be whole?
    whole: bool,
}

/// Instructions that are done together.
struct Group {
    members: Vec<Member>,
    /// Where in the block the first and the last one are.
    from: usize,
    to: usize,
}

impl Group {
    /// The first one in a block.
    fn first(f: &SsaFunction, block: Block, constants: &Constants) -> Option<Group> {
        let insts = &f.blocks[block.index()].insts;
        stretches(f, block, constants)
            .into_iter()
            .find_map(|stretch| {
                let to = stretch.end;
                let mut firsts = stretch.filter(|n| is_candidate(f, insts[*n], constants));
                firsts.find_map(|first| Group::around(f, insts, first..to, constants))
            })
    }

    /// The one that an instruction belongs to, the first in this stretch.
    fn around(
        f: &SsaFunction,
        insts: &[Inst],
        stretch: Range<usize>,
        constants: &Constants,
    ) -> Option<Group> {
        let mut values: FxHashSet<Value> = FxHashSet::default();
        let mut members: Vec<(usize, Inst)> = Vec::new();
        for n in stretch.clone() {
            let inst = insts[n];
            let joins = n == stretch.start
                || f.insts[inst.index()]
                    .args
                    .iter()
                    .any(|a| values.contains(a));
            if joins && is_candidate(f, inst, constants) {
                values.insert(f.insts[inst.index()].results[0]);
                members.push((n, inst));
            }
        }
        // Operands that are computed in the stretch, too, belong to it.
        for n in stretch.clone().rev() {
            let inst = insts[n];
            let v = f.insts[inst.index()].results.first().copied();
            let is_operand = |v: Value| {
                members
                    .iter()
                    .any(|(_, m)| f.insts[m.index()].args.contains(&v))
            };
            if let Some(v) = v
                && !values.contains(&v)
                && is_candidate(f, inst, constants)
                && is_operand(v)
            {
                values.insert(v);
                members.push((n, inst));
            }
        }
        members.sort_unstable_by_key(|m| m.0);
        let wide = |m: &(usize, Inst)| is_wide(&f.insts[m.1.index()].op);
        if members.len() > MOST_INSTRUCTIONS || !members.iter().any(wide) {
            return None;
        }
        let used = loop {
            let used = used_outside(f, &members);
            match not_useful(f, &members, &used, constants) {
                Some(out) => members.remove(out),
                None => break used,
            };
        };
        let group = Group::of(f, &members, &used, constants)?;
        group.may_move(f, insts).then_some(group)
    }

    /// The group of these, of whose values those are used outside.
    fn of(
        f: &SsaFunction,
        members: &[(usize, Inst)],
        used: &FxHashSet<Value>,
        constants: &Constants,
    ) -> Option<Group> {
        let (first, last) = (members.first()?, members.last()?);
        let mut group = Group {
            from: first.0,
            to: last.0,
            members: Vec::new(),
        };
        for &(_, inst) in members {
            let what = &f.insts[inst.index()];
            let Op::Arith(how, _) = what.op else {
                return None;
            };
            let result = what.results[0];
            let leaves = used.contains(&result);
            group.members.push(Member {
                inst,
                how,
                args: [what.args[0], what.args[1]],
                result,
                leaves,
                whole: leaves,
            });
        }
        group.demand(constants);
        group.pays(constants).then_some(group)
    }

    /// Finds out what must be whole.
    fn demand(&mut self, constants: &Constants) {
        for n in (0..self.members.len()).rev() {
            let m = &self.members[n];
            let masks = m.args.iter().any(|a| constants.word(*a).is_some());
            let needs = match m.how {
                Arith::Bsr | Arith::Div | Arith::Rem => true,
                Arith::Band => !masks,
                _ => m.whole,
            };
            if needs {
                for a in m.args {
                    if let Some(operand) = self.members[..n].iter_mut().find(|o| o.result == a) {
                        operand.whole = true;
                    }
                }
            }
        }
    }

    /// Is anything gained? That is so where a value is likely to be no small integer in between.
    fn pays(&self, constants: &Constants) -> bool {
        let is_large = |v: &Value| constants.word(*v).is_some_and(|c| c > MAX_SMALL as u64);
        self.members
            .iter()
            .any(|m| m.args.iter().any(is_large) || self.is_large_before(m, constants))
    }

    /// Is what a mask or a division takes the rest of likely to be large, if the operands of all that are as large as the rest?
    fn is_large_before(&self, root: &Member, constants: &Constants) -> bool {
        let size = |n: u64| 64 - n.leading_zeros();
        let known = root.args.iter().find_map(|a| constants.word(*a));
        let bits = match (root.how, known) {
            (Arith::Band | Arith::Rem, Some(n)) => size(n),
            (Arith::Rem, None) => USUAL_BITS,
            _ => return false,
        };
        let mut todo = root.args.to_vec();
        while let Some(v) = todo.pop() {
            let Some(m) = self.members.iter().find(|m| m.result == v) else {
                continue;
            };
            let by = constants.word(m.args[0]).or(constants.word(m.args[1]));
            let product = match m.how {
                Arith::Mul => bits + by.map_or(bits, size),
                // A shift whose result must fit is as well done on small integers.
                Arith::Bsl if !m.whole => bits + by.map_or(0, |n| n as u32),
                _ => 0,
            };
            if product > size(MAX_SMALL as u64) {
                return true;
            }
            if matches!(
                m.how,
                Arith::Add | Arith::Sub | Arith::Mul | Arith::Bsl | Arith::Bor | Arith::Bxor
            ) {
                todo.extend(m.args);
            }
        }
        false
    }

    /// May all that stands between its instructions be done before them?
    fn may_move(&self, f: &SsaFunction, insts: &[Inst]) -> bool {
        let is_member = |i: &Inst| self.members.iter().any(|m| m.inst == *i);
        let mut others = insts[self.from..=self.to].iter().filter(|i| !is_member(i));
        others.all(|i| {
            f.uses(*i)
                .all(|v| self.members.iter().all(|m| m.result != v))
        })
    }

    /// Does it, in a block that ends in front of its instructions then. Gives the block that begins behind them.
    fn write(self, f: &mut SsaFunction, block: Block, constants: &Constants) -> Block {
        let insts = std::mem::take(&mut f.blocks[block.index()].insts);
        let cold = f.blocks[block.index()].cold;
        let (slow, join) = (f.block(), f.block());
        f.blocks[join.index()].cold = cold;
        f.blocks[slow.index()].cold = true;
        f.place = f.insts[self.members[0].inst.index()].place;
        let is_member = |i: &Inst| self.members.iter().any(|m| m.inst == *i);
        let before = insts[..=self.to].iter().filter(|i| !is_member(i));
        f.blocks[block.index()].insts = before.copied().collect();
        f.blocks[slow.index()].insts = self.members.iter().map(|m| m.inst).collect();
        f.blocks[join.index()].insts = insts[self.to + 1..].to_vec();
        let leaving: Vec<Value> = self.leaving().map(|m| m.result).collect();
        let params: Vec<Value> = leaving.iter().map(|_| f.param(join, Repr::Term)).collect();
        self.replace(f, slow, &leaving, &params);
        f.jump(slow, join, leaving);
        let mut words = Words {
            f,
            at: block,
            slow,
            constants,
            known: FxHashMap::default(),
            most: FxHashMap::default(),
        };
        for m in &self.members {
            words.member(m);
        }
        let mut given = Vec::new();
        for m in self.leaving() {
            let (word, most) = (words.known[&m.result], words.bound(m.result));
            given.push(
                words
                    .f
                    .one(words.at, Op::WordTerm(most), vec![word], Repr::Term),
            );
        }
        let at = words.at;
        f.jump(at, join, given);
        f.place = None;
        join
    }

    fn leaving(&self) -> impl Iterator<Item = &Member> {
        self.members.iter().filter(|m| m.leaves)
    }

    /// Whoever uses what leaves it uses the parameters instead, but for the instructions as they were.
    fn replace(&self, f: &mut SsaFunction, slow: Block, leaving: &[Value], params: &[Value]) {
        let kept: Vec<(Inst, Vec<Value>, Option<_>)> = f.blocks[slow.index()]
            .insts
            .iter()
            .map(|i| {
                let what = &f.insts[i.index()];
                let exit = what.op.exit().map(|e| f.exits[e.index()].clone());
                (*i, what.args.clone(), exit)
            })
            .collect();
        f.map_uses(|v| {
            let place = leaving.iter().position(|l| *l == v);
            place.map_or(v, |n| params[n])
        });
        for (inst, args, exit) in kept {
            // Others may share the exit.
            let own = exit.map(|e| f.exit(e));
            let what = &mut f.insts[inst.index()];
            what.args = args;
            if let (Some(place), Some(own)) = (what.op.exit_mut(), own) {
                *place = own;
            }
        }
    }
}

/// Writes what is done with words.
struct Words<'a> {
    f: &'a mut SsaFunction,
    at: Block,
    slow: Block,
    constants: &'a Constants,
    /// Words by terms.
    known: FxHashMap<Value, Value>,
    /// Bounds of values that are whole.
    most: FxHashMap<Value, u64>,
}

impl Words<'_> {
    /// Goes on if the answer is yes, to the instructions as they were if not.
    fn or_slow(&mut self, answer: Value) {
        let slow = Target {
            block: self.slow,
            args: Vec::new(),
        };
        self.at = self.f.or_else(self.at, answer, slow);
    }

    /// What may fail.
    fn tried(&mut self, op: Op, args: Vec<Value>) -> Value {
        let inst = self.f.push(self.at, op, args, &[Repr::Bool, Repr::Word]);
        let results = self.f.insts[inst.index()].results.clone();
        self.or_slow(results[0]);
        results[1]
    }

    /// The word of an operand.
    fn operand(&mut self, v: Value) -> Value {
        if let Some(&word) = self.known.get(&v) {
            return word;
        }
        let word = match self.constants.word(v) {
            Some(n) => self
                .f
                .one(self.at, Op::WordConst(n), Vec::new(), Repr::Word),
            None => self.tried(Op::TryWord, vec![v]),
        };
        self.known.insert(v, word);
        word
    }

    /// The largest integer that a whole value may be.
    fn bound(&self, v: Value) -> u64 {
        let known = self.constants.word(v).or(self.most.get(&v).copied());
        known.unwrap_or(u64::MAX)
    }

    /// Does an instruction.
    fn member(&mut self, m: &Member) {
        let args = m.args.map(|a| self.operand(a)).to_vec();
        let [a, b] = m.args.map(|v| self.bound(v));
        let divisor = self.constants.word(m.args[1]).filter(|n| *n != 0);
        let filled = |n: u64| {
            n.checked_add(1)
                .and_then(u64::checked_next_power_of_two)
                .map_or(u64::MAX, |p| p - 1)
        };
        // The largest result, where it is whole, and whether it is certain to be a word.
        let (largest, fits) = match m.how {
            Arith::Add => (a.saturating_add(b), a.checked_add(b).is_some()),
            Arith::Mul => (a.saturating_mul(b), a.checked_mul(b).is_some()),
            Arith::Bsl => {
                let r = u128::from(a) << b.min(64);
                (
                    u64::try_from(r).unwrap_or(u64::MAX),
                    u64::try_from(r).is_ok(),
                )
            }
            Arith::Sub => (a, false),
            Arith::Band => (a.min(b), true),
            Arith::Bor | Arith::Bxor => (filled(a.max(b)), true),
            Arith::Bsr => (a >> b.min(63), true),
            Arith::Div => (a, divisor.is_some()),
            Arith::Rem => (divisor.map_or(a, |n| a.min(n - 1)), divisor.is_some()),
        };
        let divides = matches!(m.how, Arith::Div | Arith::Rem);
        let word = if fits || !(m.whole || divides) {
            self.f.one(self.at, Op::WordArith(m.how), args, Repr::Word)
        } else {
            self.tried(Op::TryWordArith(m.how), args)
        };
        self.known.insert(m.result, word);
        let is_whole = matches!(m.how, Arith::Band | Arith::Bsr) || divides;
        if m.whole || is_whole {
            self.most.insert(m.result, largest);
        }
    }
}

/// Is it arithmetic that can be done on words?
fn is_candidate(f: &SsaFunction, inst: Inst, constants: &Constants) -> bool {
    let what = &f.insts[inst.index()];
    let shift = || constants.word(what.args[1]).is_some_and(|n| n < 64);
    match what.op {
        Op::Arith(..) if what.args.iter().any(|a| constants.others.contains(a)) => false,
        Op::Arith(Arith::Bsl | Arith::Bsr, _) => shift(),
        Op::Arith(..) => true,
        _ => false,
    }
}

/// May it be done earlier than arithmetic in front of it that it does not use?
fn may_go_before(f: &SsaFunction, inst: Inst) -> bool {
    let op = &f.insts[inst.index()].op;
    op.is_pure() || matches!(op, Op::LoadY(_))
}

/// Values of a group that are used elsewhere.
fn used_outside(f: &SsaFunction, members: &[(usize, Inst)]) -> FxHashSet<Value> {
    let own: FxHashSet<Value> = members
        .iter()
        .map(|m| f.insts[m.1.index()].results[0])
        .collect();
    let all = f.blocks.iter().flat_map(|b| &b.insts);
    let others = all.filter(|i| !members.iter().any(|m| m.1 == **i));
    let uses = others.flat_map(|i| f.uses(*i));
    uses.filter(|v| own.contains(v)).collect()
}

/// One of the instructions that had better be left out: its result is used elsewhere and may be large or negative there, or it has no part in what
/// is done with words.
fn not_useful(
    f: &SsaFunction,
    members: &[(usize, Inst)],
    used: &FxHashSet<Value>,
    constants: &Constants,
) -> Option<usize> {
    members.iter().position(|(_, inst)| {
        let what = &f.insts[inst.index()];
        let Op::Arith(how, _) = what.op else {
            return true;
        };
        let result = what.results[0];
        let is_masked = what.args.iter().any(|a| constants.word(*a).is_some());
        let grows = match how {
            Arith::Add | Arith::Sub | Arith::Mul | Arith::Bsl => true,
            Arith::Band => !is_masked,
            _ => false,
        };
        let of_members = |v: &Value| {
            members
                .iter()
                .any(|m| f.insts[m.1.index()].results[0] == *v)
        };
        let alone = !is_masked && !what.args.iter().any(of_members);
        used.contains(&result) && (grows || alone)
    })
}
