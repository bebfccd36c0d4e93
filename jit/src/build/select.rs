//! Choices by value and by size.

use super::{Builder, Flow};
use crate::ir::{Comparison, Op as Ssa, Repr, Target};
use enigma_loader::Operand;
use enigma_runtime::code::translate;
use enigma_runtime::term::Term;

impl Builder<'_> {
    pub(super) fn select(&mut self, o: &[Operand]) -> Flow {
        let value = self.src(&o[0]);
        let pairs: Vec<(Term, &Operand)> = self
            .code
            .list(&o[2])
            .chunks_exact(2)
            .filter_map(|p| Some((translate::constant(self.module, &p[0])?, &p[1])))
            .collect();
        if pairs.iter().any(|p| !p.0.is_immediate() || p.0.is_flonum()) {
            for (key, label) in pairs {
                let key = self.constant_word(key.raw());
                let other = self.one(
                    Ssa::Compare(Comparison::ExactNe),
                    vec![value, key],
                    Repr::Bool,
                );
                self.or_jump(other, label);
            }
            let otherwise = self.label(&o[1]);
            self.push(Ssa::Jump(otherwise), Vec::new(), &[]);
            return Flow::Ends;
        }
        let mut cases: Vec<(u64, Target)> = Vec::new();
        for (key, label) in pairs {
            if cases.iter().all(|c| c.0 != key.raw()) {
                let to = self.label(label);
                cases.push((key.raw(), to));
            }
        }
        let otherwise = self.label(&o[1]);
        self.push(Ssa::Switch(cases, otherwise), vec![value], &[]);
        Flow::Ends
    }

    pub(super) fn select_arity(&mut self, o: &[Operand]) -> Flow {
        let value = self.src(&o[0]);
        let mut cases: Vec<(u32, Target)> = Vec::new();
        for pair in self.code.list(&o[2]).chunks_exact(2) {
            let size = Self::num(&pair[0]) as u32;
            if cases.iter().all(|c| c.0 != size) {
                let to = self.label(&pair[1]);
                cases.push((size, to));
            }
        }
        let otherwise = self.label(&o[1]);
        self.push(Ssa::SwitchArity(cases, otherwise), vec![value], &[]);
        Flow::Ends
    }
}
