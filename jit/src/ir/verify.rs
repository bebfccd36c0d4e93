//! Is a function sound? Asked between passes.
//!
//! What holds of every function:
//!
//! - The first block has a parameter for each argument, a term, and nothing leads to it.
//! - A block that has not been removed ends with an instruction that ends blocks, and has no other such instruction.
//!   An instruction is in one place.
//! - Blocks, values and exits that something names exist; nothing leads to a block that has been removed.
//! - A value is defined once: as a parameter or as a result.
//! - Where a value is used, its definition has been executed on every way there. What an exit names is used by the
//!   instruction that names the exit. (In blocks that cannot be reached this is not asked.)
//! - An instruction uses and defines as many values, of such representations, as its operation says.
//! - A target gives a value for each parameter of its block, of the same representation.
//! - A choice has each key once.
//! - An exit names a register once; X registers hold terms or floats, of which terms are made there, float registers floats.
//! - A term is not used behind an instruction that may collect and stands behind its definition: it may have moved. Constants
//!   do not move.

use super::flow::{ControlFlowGraph, DominatorTree};
use super::liveness::{ValueLiveness, step_back};
use super::properties::Operands;
use super::{Block, ExitRef, Inst, Op, Repr, SsaFunction, Target, Value};
use rustc_hash::FxHashSet;
use std::fmt::{self, Display};

/// What is wrong in one place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SsaFault {
    /// Where, as it stands in the function's text.
    pub place: String,
    /// What is wrong there.
    pub message: String,
}

impl Display for SsaFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.message)
    }
}

/// All that is wrong with a function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Faults(pub Vec<SsaFault>);

impl Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|fault| writeln!(f, "{fault}"))
    }
}

impl std::error::Error for Faults {}

/// Checks all that is said above, and finds all that does not hold. Uses of values are only looked at in functions
/// whose parts exist and are in their places.
pub fn verify(f: &SsaFunction) -> Result<(), Faults> {
    let mut v = Verifier {
        f,
        faults: Vec::new(),
        places: vec![None; f.values.len()],
    };
    v.structure();
    if v.faults.is_empty() {
        v.forms();
        v.uses();
    }
    match v.faults.is_empty() {
        true => Ok(()),
        false => Err(Faults(v.faults)),
    }
}

/// Where a value is defined: the block, and the number of instructions there that have been executed then.
type Definition = Option<(Block, usize)>;

struct Verifier<'a> {
    f: &'a SsaFunction,
    faults: Vec<SsaFault>,
    places: Vec<Definition>,
}

impl Verifier<'_> {
    fn fault(&mut self, place: impl Display, message: impl Display) {
        self.faults.push(SsaFault {
            place: place.to_string(),
            message: message.to_string(),
        });
    }

    fn fault_at(&mut self, block: Block, inst: Inst, message: impl Display) {
        let place = format!("{block}, `{}`", self.f.show_inst(inst));
        self.fault(place, message);
    }

    /// Does everything that is named exist, and is it where it belongs?
    fn structure(&mut self) {
        let f = self.f;
        match f.blocks.first() {
            None => self.fault("function", "it has no block"),
            Some(first) => {
                let terms = first.params.iter().map(|p| f.values.get(p.index()));
                if first.params.len() != f.arity
                    || !terms.into_iter().all(|r| r == Some(&Repr::Term))
                {
                    self.fault(
                        Block(0),
                        format_args!("its parameters are not {} terms", f.arity),
                    );
                }
                if first.insts.is_empty() {
                    self.fault(Block(0), "it has been removed");
                }
            }
        }
        let mut seen = FxHashSet::default();
        for (block, data) in f.blocks() {
            for &param in &data.params {
                self.define(block, param, (block, 0));
            }
            for (at, &inst) in data.insts.iter().enumerate() {
                if inst.index() >= f.insts.len() {
                    self.fault(block, format_args!("{inst} does not exist"));
                    continue;
                }
                if !seen.insert(inst) {
                    self.fault_at(block, inst, "it is in two places");
                    continue;
                }
                for &result in &f.insts[inst.index()].results {
                    let place = format!("{block}, `{}`", f.show_inst(inst));
                    self.define(place, result, (block, at + 1));
                }
                if f.insts[inst.index()].op.ends_block() != (at + 1 == data.insts.len()) {
                    self.fault_at(block, inst, "it does not stand where its block ends");
                }
                self.existence(block, inst);
            }
        }
    }

    fn define(&mut self, place: impl Display, value: Value, at: (Block, usize)) {
        match self.places.get_mut(value.index()) {
            None => self.fault(place, format_args!("{value} does not exist")),
            Some(known @ None) => *known = Some(at),
            Some(_) => self.fault(place, format_args!("{value} is defined already")),
        }
    }

    /// Do the values, blocks and exits that an instruction names exist?
    fn existence(&mut self, block: Block, inst: Inst) {
        let f = self.f;
        let op = &f.insts[inst.index()].op;
        for target in op.targets() {
            let message = match f.blocks.get(target.block.index()) {
                None => "does not exist",
                Some(data) if data.insts.is_empty() => "has been removed",
                Some(_) if target.block == Block(0) => "is where the function begins",
                Some(_) => continue,
            };
            self.fault_at(block, inst, format_args!("{} {message}", target.block));
        }
        if let Some(exit) = op.exit().filter(|e| e.index() >= f.exits.len()) {
            self.fault_at(block, inst, format_args!("{exit} does not exist"));
        } else {
            for value in f.uses(inst) {
                if value.index() >= f.values.len() {
                    self.fault_at(block, inst, format_args!("{value} does not exist"));
                }
            }
        }
    }

    /// Do numbers and representations agree?
    fn forms(&mut self) {
        let f = self.f;
        let mut exits = FxHashSet::default();
        for (block, data) in f.blocks() {
            for &inst in &data.insts {
                let what = &f.insts[inst.index()];
                self.operands(block, inst);
                let results: Vec<Repr> = what.results.iter().map(|r| f.repr(*r)).collect();
                let expected = what.op.results();
                if *results != *expected {
                    self.fault_at(
                        block,
                        inst,
                        format_args!("its results should be {expected:?}"),
                    );
                }
                for target in what.op.targets() {
                    self.target(block, inst, target);
                }
                self.keys(block, inst);
                if let Some(exit) = what.op.exit()
                    && exits.insert(exit)
                {
                    self.exit(exit);
                }
            }
        }
    }

    fn operands(&mut self, block: Block, inst: Inst) {
        let what = &self.f.insts[inst.index()];
        let reprs: Vec<Repr> = what.args.iter().map(|a| self.f.repr(*a)).collect();
        let terms = reprs.iter().all(|r| *r == Repr::Term);
        let expected = what.op.operands();
        let fits = match expected {
            Operands::Exactly(expected) => *reprs == *expected,
            Operands::Terms(n) => terms && reprs.len() == n,
            Operands::TermsFrom(n) => terms && reprs.len() >= n,
            Operands::TermsAndFloats => {
                let fits = |r: &Repr| matches!(r, Repr::Term | Repr::Float);
                reprs.iter().all(fits)
            }
            Operands::CodeAndTerms => {
                let is_term = |r: &Repr| *r == Repr::Term;
                matches!(&reprs[..], [Repr::Code, terms @ ..] if !terms.is_empty() && terms.iter().all(is_term))
            }
        };
        if !fits {
            self.fault_at(
                block,
                inst,
                format_args!("its operands should be {expected:?}"),
            );
        }
    }

    fn target(&mut self, block: Block, inst: Inst, target: &Target) {
        let f = self.f;
        let reprs = |values: &[Value]| values.iter().map(|v| f.repr(*v)).collect::<Vec<_>>();
        let expected = reprs(&f.blocks[target.block.index()].params);
        if reprs(&target.args) != expected {
            let message = format!("what it gives {} should be {expected:?}", target.block);
            self.fault_at(block, inst, message);
        }
    }

    fn keys(&mut self, block: Block, inst: Inst) {
        let mut seen = FxHashSet::default();
        let twice = match &self.f.insts[inst.index()].op {
            Op::Switch(cases, _) => cases.iter().any(|c| !seen.insert(c.0)),
            Op::SwitchArity(cases, _) => cases.iter().any(|c| !seen.insert(u64::from(c.0))),
            _ => false,
        };
        if twice {
            self.fault_at(block, inst, "it has a key twice");
        }
    }

    fn exit(&mut self, exit: ExitRef) {
        let f = self.f;
        let state = &f.exits[exit.index()];
        for (registers, reprs, letter) in [
            (&state.x, &[Repr::Term, Repr::Float][..], 'x'),
            (&state.floats, &[Repr::Float], 'f'),
        ] {
            let mut seen = FxHashSet::default();
            for &(n, value) in registers {
                if !seen.insert(n) {
                    self.fault(exit, format_args!("{letter}{n} is there twice"));
                }
                if !reprs.contains(&f.repr(value)) {
                    self.fault(exit, format_args!("{value} should be {:?}", reprs[0]));
                }
            }
        }
    }

    /// Are values defined where they are used, and have they not moved?
    fn uses(&mut self) {
        let f = self.f;
        let graph = ControlFlowGraph::new(f);
        let tree = DominatorTree::new(&graph);
        let before = self.faults.len();
        for &block in graph.order() {
            for (at, &inst) in f.blocks[block.index()].insts.iter().enumerate() {
                for value in f.uses(inst) {
                    let defined = match self.places[value.index()] {
                        Some((place, done)) if place == block => done <= at,
                        Some((place, _)) => {
                            graph.is_reachable(place) && tree.dominates(place, block)
                        }
                        None => false,
                    };
                    if !defined {
                        self.fault_at(block, inst, format_args!("{value} is not defined here"));
                    }
                }
            }
        }
        if self.faults.len() == before {
            self.moves(&graph);
        }
    }

    /// Finds terms that are used though a collection may have moved them.
    fn moves(&mut self, graph: &ControlFlowGraph) {
        let f = self.f;
        let mut movable: Vec<bool> = f.values.iter().map(|r| *r == Repr::Term).collect();
        for inst in f.blocks.iter().flat_map(|b| &b.insts) {
            let inst = &f.insts[inst.index()];
            if matches!(inst.op, Op::Const(_)) {
                inst.results.iter().for_each(|r| movable[r.index()] = false);
            }
        }
        let liveness = ValueLiveness::new(f, graph);
        for &block in graph.order() {
            let mut live = liveness.after(graph, block);
            for &inst in f.blocks[block.index()].insts.iter().rev() {
                let what = &f.insts[inst.index()];
                if what.op.collects() {
                    let moved = live
                        .iter()
                        .filter(|v| movable[v.index()] && !what.results.contains(v));
                    for value in moved {
                        let message = format!("{value} is used behind it but may have moved");
                        self.fault_at(block, inst, message);
                    }
                }
                step_back(f, inst, &mut live);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ir::parse;

    /// What is wrong with a function whose blocks are these.
    fn faults(arity: usize, blocks: &str) -> Vec<String> {
        let f =
            parse(&format!("function m:f/{arity} {{\n{blocks}\n}}\n")).expect("it is a function");
        match verify(&f) {
            Ok(()) => Vec::new(),
            Err(faults) => faults.0.iter().map(SsaFault::to_string).collect(),
        }
    }

    #[test]
    fn a_sound_function() {
        let blocks = "
block0(v0: term, v1: term):
    v2 = const 1
    jump block1(v0, v1)
block1(v3: term, v4: term):
    v5: bool = test.small v3
    branch v5, block2, block3
block2:
    allocate slots 1, heap 0, clear [y0], exit0
    v8 = call local 0, v3, v4, next 7
    v9: bool = is_value v8
    v10 = load_y y0
    branch v9, block4(v2), block4(v10)
block3 cold:
    leave exit0
block4(v11: term):
    switch_arity v11, [2: block5, 3: block5], block7
block5:
    v12: float = unbox v11, exit1
    v13: bool, v14, v15: float = step exit1, next 12, other 14, writes [x0], writes_floats [f1]
    v16: float = float_arith.mul v12, v15, exit2
    v17 = box v16
    v18 = tuple v17, v14
    again block1(v18, v17)
block6:
    jump block4(v18)
block7:
    leave exit1
exit0: pc 3, x0 = v3, x1 = v4
exit1: pc 9, x1 = v11
exit2: pc 12, x0 = v14, f0 = v12, f1 = v15";
        assert_eq!(faults(2, blocks), Vec::<String>::new());
    }

    #[test]
    fn parts_in_the_wrong_places() {
        for (arity, blocks, expected) in [
            (0, "block1:\njump block1", "block0: it has been removed"),
            (
                1,
                "block0:\njump block1\nblock1:\njump block1",
                "block0: its parameters are not 1 terms",
            ),
            (
                1,
                "block0(v0: float):\njump block1\nblock1:\njump block1",
                "block0: its parameters are not 1 terms",
            ),
            (
                1,
                "block0(v0: term):\nagain block0(v0)",
                "block0, `again block0(v0)`: block0 is where the function begins",
            ),
            (
                0,
                "block0:\njump block2",
                "block0, `jump block2`: block2 does not exist",
            ),
            (
                0,
                "block0:\njump block1\nblock2:\njump block2",
                "block0, `jump block1`: block1 has been removed",
            ),
            (
                1,
                "block0(v0: term):\nreturn v0\nreturn v0",
                "block0, `return v0`: it does not stand where its block ends",
            ),
            (
                1,
                "block0(v0: term):\nv1 = head v0",
                "block0, `v1 = head v0`: it does not stand where its block ends",
            ),
            (
                1,
                "block0(v0: term):\nv0 = const 1\nreturn v0",
                "block0, `v0 = const 1`: v0 is defined already",
            ),
            (
                0,
                "block0:\nreturn v0",
                "block0, `return v0`: v0 does not exist",
            ),
            (
                0,
                "block0:\nleave exit0",
                "block0, `leave exit0`: exit0 does not exist",
            ),
        ] {
            assert_eq!(faults(arity, blocks), [expected], "{blocks}");
        }
    }

    #[test]
    fn wrong_forms() {
        let block =
            "block0(v0: term):\nv1: bool = test.small v0\nv2: float = float 1.0\nv3 = const 1\n";
        for (rest, expected) in [
            (
                "v4 = cons v0\nreturn v4",
                "block0, `v4 = cons v0`: its operands should be Exactly([Term, Term])",
            ),
            (
                "v4 = box v0\nreturn v4",
                "block0, `v4 = box v0`: its operands should be Exactly([Float])",
            ),
            (
                "v4: bool = head v0\nreturn v0",
                "block0, `v4: bool = head v0`: its results should be [Term]",
            ),
            (
                "drop slots 1\nv4 = drop slots 1\nreturn v0",
                "block0, `v4 = drop slots 1`: its results should be []",
            ),
            (
                "v4 = update_tuple 2, [1], v0\nreturn v0",
                "block0, `v4 = update_tuple 2, [1], v0`: its operands should be Terms(2)",
            ),
            (
                "tail_call 'm':'f'/2, drop 0, v0",
                "block0, `tail_call 'm':'f'/2, drop 0, v0`: its operands should be Terms(2)",
            ),
            (
                "tail_call_fun drop 0, exit0\nexit0: pc 1",
                "block0, `tail_call_fun drop 0, exit0`: its operands should be TermsFrom(1)",
            ),
            (
                "jump block1(v2)\nblock1(v4: term):\nreturn v4",
                "block0, `jump block1(v2)`: what it gives block1 should be [Term]",
            ),
            (
                "jump block1\nblock1(v4: term):\nreturn v4",
                "block0, `jump block1`: what it gives block1 should be [Term]",
            ),
            (
                "switch v0, ['a': block1, 'a': block1], block1\nblock1:\nreturn v0",
                "block0, `switch v0, ['a': block1, 'a': block1], block1`: it has a key twice",
            ),
            (
                "leave exit0\nexit0: pc 1, x0 = v0, x0 = v3",
                "exit0: x0 is there twice",
            ),
            (
                "leave exit0\nexit0: pc 1, x0 = v1",
                "exit0: v1 should be Term",
            ),
            (
                "leave exit0\nexit0: pc 1, f0 = v0",
                "exit0: v0 should be Float",
            ),
        ] {
            assert_eq!(faults(1, &format!("{block}{rest}")), [expected], "{rest}");
        }
    }

    #[test]
    fn values_that_are_not_defined_on_every_way() {
        let blocks = "
block0(v0: term):
    v1: bool = test.small v0
    branch v1, block1, block2
block1:
    v2 = cons v0, v3
    v3 = const 1
    jump block3
block2:
    leave exit0
block3:
    return v2
block4:
    v4 = cons v2, v2
    jump block2
exit0: pc 1, x0 = v0, x1 = v2";
        assert_eq!(
            faults(1, blocks),
            [
                "block1, `v2 = cons v0, v3`: v3 is not defined here",
                "block2, `leave exit0`: v2 is not defined here",
            ]
        );
    }

    #[test]
    fn terms_that_may_have_moved() {
        let blocks = "
block0(v0: term):
    v1 = const 'a'
    v2: float = unbox v0, exit0
    jump block1
block1:
    v3: bool = test.small v0
    v4 = call local 1, v0, next 3
    v5: float = float_arith.add v2, v2, exit1
    v6 = cons v1, v4
    branch v3, block2, block3
block2:
    return v6
block3:
    again block1
exit0: pc 1, x0 = v0
exit1: pc 2, x1 = v4";
        assert_eq!(
            faults(1, blocks),
            ["block1, `v4 = call local 1, v0, next 3`: v0 is used behind it but may have moved"]
        );
    }
}
