//! The text of a function.
//!
//! ```text
//! function lists:last/1 {
//! block0(v0: term):
//!     jump block1(v0)
//!
//! block1(v1: term):
//!     v2: bool = test.cons v1
//!     branch v2, block2, block3
//!
//! block2:
//!     v3 = tail v1
//!     again block1(v3)
//!
//! block3 cold:
//!     leave exit0
//!
//! exit0: pc 4, x0 = v1
//! }
//! ```
//!
//! Results are terms where nothing else is said. Blocks without instructions are left out: a pass has removed them; so
//! are exits that nothing names. The values that an instruction uses stand on its line; apart from that, layout is free.
//! Comments go from `;` to the end of the line. [`super::parse`] reads what is written here, and what it has read is
//! written the same way again.

use super::names::Named;
use super::syntax::{self, Quoted};
use super::{Inst, Repr, SsaExit, SsaFunction};
use std::collections::BTreeSet;
use std::fmt::{self, Display, Formatter};

impl Display for SsaFunction {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '@' | '.' | ':');
        if !self.name.is_empty() && self.name.chars().all(plain) {
            write!(f, "function {}/{}", self.name, self.arity)?;
        } else {
            write!(f, "function {}/{}", Quoted(&self.name, '"'), self.arity)?;
        }
        if let Some(at) = self.at {
            write!(f, " at {at}")?;
        }
        for (i, function) in self.inlined.iter().enumerate() {
            let before = if i == 0 { " inlines " } else { ", " };
            write!(f, "{before}{function}")?;
        }
        f.write_str(" {\n")?;
        let mut first = true;
        for (block, data) in self.blocks() {
            if data.insts.is_empty() {
                continue;
            }
            if !std::mem::replace(&mut first, false) {
                writeln!(f)?;
            }
            write!(f, "{block}")?;
            for (i, param) in data.params.iter().enumerate() {
                let before = if i == 0 { "(" } else { ", " };
                let repr = self.values.get(param.index()).map_or("?", |r| r.name());
                write!(f, "{before}{param}: {repr}")?;
            }
            f.write_str(if data.params.is_empty() { "" } else { ")" })?;
            writeln!(f, "{}", if data.cold { " cold:" } else { ":" })?;
            for inst in &data.insts {
                writeln!(f, "    {}", self.show_inst(*inst))?;
            }
        }
        let placed = self.blocks.iter().flat_map(|b| &b.insts);
        let named: BTreeSet<_> = placed
            .filter_map(|i| self.insts[i.index()].op.exit())
            .collect();
        let exits = named
            .into_iter()
            .filter_map(|e| Some((e, self.exits.get(e.index())?)));
        for (i, (exit, state)) in exits.enumerate() {
            if i == 0 {
                writeln!(f)?;
            }
            writeln!(f, "{exit}: {state}")?;
        }
        f.write_str("}\n")
    }
}

impl SsaFunction {
    /// An instruction as it stands in the text.
    pub fn show_inst(&self, inst: Inst) -> impl Display + '_ {
        ShownInst(self, inst)
    }
}

struct ShownInst<'a>(&'a SsaFunction, Inst);

impl Display for ShownInst<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let (function, inst) = (self.0, &self.0.insts[self.1.index()]);
        for (i, result) in inst.results.iter().enumerate() {
            write!(f, "{}{result}", if i == 0 { "" } else { ", " })?;
            match function.values.get(result.index()) {
                None | Some(Repr::Term) => {}
                Some(repr) => write!(f, ": {}", repr.name())?,
            }
        }
        f.write_str(if inst.results.is_empty() { "" } else { " = " })?;
        syntax::write(&inst.op, &inst.args, f)
    }
}

impl Display for SsaExit {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "pc {}", self.pc)?;
        if let Some(under) = self.under {
            write!(f, ", under {under}")?;
        }
        for (n, value) in &self.x {
            write!(f, ", x{n} = {value}")?;
        }
        for (n, value) in &self.floats {
            write!(f, ", f{n} = {value}")?;
        }
        Ok(())
    }
}
