//! Which X registers and float registers are live where: what an exit must hand over, and what blocks take along.

use super::{BeamCode, NotBuilt};
use enigma_loader::{Instr, Op, Operand, OperandKind, Reg};
use smallvec::SmallVec;

/// A set of registers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Set(SmallVec<[u64; 1]>);

impl Set {
    fn add(&mut self, n: u16) {
        let word = usize::from(n) / 64;
        if self.0.len() <= word {
            self.0.resize(word + 1, 0);
        }
        self.0[word] |= 1 << (n % 64);
    }

    fn remove(&mut self, n: u16) {
        if let Some(w) = self.0.get_mut(usize::from(n) / 64) {
            *w &= !(1 << (n % 64));
        }
    }

    /// Takes all of another set in. Has anything been new?
    fn unite(&mut self, other: &Set) -> bool {
        if self.0.len() < other.0.len() {
            self.0.resize(other.0.len(), 0);
        }
        let mut changed = false;
        for (w, o) in self.0.iter_mut().zip(&other.0) {
            changed |= *o & !*w != 0;
            *w |= o;
        }
        changed
    }

    /// The registers in order.
    pub fn iter(&self) -> impl Iterator<Item = u16> + '_ {
        let words = (0u16..).zip(&self.0);
        words.flat_map(|(i, &w)| {
            (0..64u16)
                .filter(move |b| w >> b & 1 != 0)
                .map(move |b| i * 64 + b)
        })
    }
}

/// The registers that are live at a place.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Live {
    /// X registers.
    pub x: Set,
    /// Float registers.
    pub floats: Set,
}

/// What is live in front of each instruction that can be reached from the function's entry without an exception.
pub struct Liveness {
    before: Vec<Option<Live>>,
}

impl Liveness {
    /// Finds out, going through the code backwards until nothing changes.
    pub fn of(code: &BeamCode<'_>) -> Liveness {
        let reached = reached(code);
        let n = code.instrs.len();
        let mut before: Vec<Option<Live>> =
            reached.iter().map(|&r| r.then(Live::default)).collect();
        let mut changed = true;
        while changed {
            changed = false;
            for i in (0..n).rev() {
                if !reached[i] {
                    continue;
                }
                let mut live = Live::default();
                if falls_through(code, i)
                    && let Some(Some(after)) = before.get(i + 1)
                {
                    live = after.clone();
                }
                // A jump takes what it leads to as it is: what the instruction writes is written before, or is of no use there.
                step_back(code, i, &mut live);
                for to in code.targets(i) {
                    if let Some(Some(l)) = before.get(to) {
                        live.x.unite(&l.x);
                        live.floats.unite(&l.floats);
                    }
                }
                if let Some(old) = &mut before[i] {
                    changed |= old.x.unite(&live.x);
                    changed |= old.floats.unite(&live.floats);
                }
            }
        }
        Liveness { before }
    }

    /// How many X registers, from the first one, hold all that is live in front of instruction `i`, at which native code is
    /// to begin.
    pub fn registers(&self, i: usize) -> Result<usize, NotBuilt> {
        let live = self.before(i).cloned().unwrap_or_default();
        if live.floats.iter().next().is_some() {
            let why = "it begins with values in float registers";
            return Err(NotBuilt::Malformed(why.to_string()));
        }
        Ok(live.x.iter().last().map_or(0, |n| usize::from(n) + 1))
    }

    /// What is live in front of instruction `i`, if it can be reached.
    pub fn before(&self, i: usize) -> Option<&Live> {
        self.before.get(i)?.as_ref()
    }
}

/// Which instructions can be reached from the entry without an exception.
fn reached(code: &BeamCode<'_>) -> Vec<bool> {
    let mut seen = vec![false; code.instrs.len()];
    let mut work = vec![code.entry];
    while let Some(mut i) = work.pop() {
        while i < seen.len() && !seen[i] {
            seen[i] = true;
            work.extend(code.targets(i));
            if !falls_through(code, i) {
                break;
            }
            i += 1;
        }
    }
    seen
}

/// Does the next instruction follow?
pub fn falls_through(code: &BeamCode<'_>, i: usize) -> bool {
    let instr = &code.instrs[i];
    if code.no_return.binary_search(&instr.offset).is_ok() {
        return false;
    }
    !matches!(
        instr.op,
        Op::Return
            | Op::Jump
            | Op::CallLast
            | Op::CallOnly
            | Op::CallExtLast
            | Op::CallExtOnly
            | Op::ApplyLast
            | Op::SelectVal
            | Op::SelectTupleArity
            | Op::Badmatch
            | Op::IfEnd
            | Op::CaseEnd
            | Op::TryCaseEnd
            | Op::Badrecord
            | Op::Raise
            | Op::FuncInfo
            | Op::IntCodeEnd
            | Op::LoopRecEnd
            | Op::Wait
    )
}

/// How many of the first X registers an instruction takes as arguments of a call.
fn call_arguments(code: &BeamCode<'_>, instr: &Instr) -> Option<u16> {
    let o = code.operands(instr);
    let n = |i: usize| o[i].unsigned().unwrap_or(0) as u16;
    Some(match instr.op {
        Op::Call
        | Op::CallLast
        | Op::CallOnly
        | Op::CallExt
        | Op::CallExtLast
        | Op::CallExtOnly => n(0),
        Op::Apply | Op::ApplyLast => n(0) + 2,
        Op::CallFun => n(0) + 1,
        Op::CallFun2 => n(1),
        _ => return None,
    })
}

/// From what is live behind an instruction to what is live in front of it.
fn step_back(code: &BeamCode<'_>, i: usize, live: &mut Live) {
    let instr = &code.instrs[i];
    let o = code.operands(instr);
    for &x in code.cleared_after(instr.offset) {
        live.x.remove(x.1);
    }
    if let Some(n) = call_arguments(code, instr) {
        *live = Live::default();
        for x in 0..n {
            live.x.add(x);
        }
        if instr.op == Op::CallFun2 {
            read(&o[2], live);
        }
        return;
    }
    match instr.op {
        Op::Return | Op::BuildStacktrace => {
            if instr.op == Op::Return {
                *live = Live::default();
            }
            live.x.add(0);
            return;
        }
        Op::Send => {
            *live = Live::default();
            live.x.add(0);
            live.x.add(1);
            return;
        }
        Op::FuncInfo => {
            // The error tells the arguments.
            for x in 0..o[2].unsigned().unwrap_or(0) as u16 {
                live.x.add(x);
            }
            return;
        }
        Op::RawRaise => {
            for x in 0..3 {
                live.x.add(x);
            }
            return;
        }
        Op::BsInitWritable | Op::CatchEnd => {
            live.x.add(0);
            return;
        }
        Op::Wait | Op::WaitTimeout | Op::LoopRecEnd => {
            // The process waits with no register in use.
        }
        Op::MakeFun2 => {
            live.x.remove(0);
            let free = code.lambda_free(o[0].unsigned().unwrap_or(0) as usize);
            for x in 0..free {
                live.x.add(x);
            }
            return;
        }
        _ => {}
    }
    let kinds = instr.op.info().kinds;
    for (kind, operand) in kinds.iter().zip(o) {
        match kind {
            OperandKind::Dst => write(operand, live),
            OperandKind::FDst => {
                if let Operand::Float(n) = operand {
                    live.floats.remove(*n);
                }
            }
            OperandKind::FmoveDst => match operand {
                Operand::Float(n) => live.floats.remove(*n),
                _ => write(operand, live),
            },
            OperandKind::GetList => {
                for pair in code.list(operand).chunks_exact(2) {
                    write(&pair[1], live);
                }
            }
            OperandKind::Commands => {
                for to in code.command_registers(code.list(operand)) {
                    write(to, live);
                }
            }
            _ => {}
        }
    }
    for (kind, operand) in kinds.iter().zip(o) {
        match kind {
            OperandKind::Src | OperandKind::Size | OperandKind::Reg => read(operand, live),
            OperandKind::FSrc | OperandKind::FmoveSrc => match operand {
                Operand::Float(n) => live.floats.add(*n),
                _ => read(operand, live),
            },
            OperandKind::Live => {
                for x in 0..operand.unsigned().unwrap_or(0) as u16 {
                    live.x.add(x);
                }
            }
            OperandKind::SrcList
            | OperandKind::PairList
            | OperandKind::UpdateList
            | OperandKind::Segments => code.list(operand).iter().for_each(|o| read(o, live)),
            OperandKind::GetList => {
                for pair in code.list(operand).chunks_exact(2) {
                    read(&pair[0], live);
                }
            }
            _ => {}
        }
    }
}

fn read(o: &Operand, live: &mut Live) {
    if let Some(Reg::X(x)) = o.reg() {
        live.x.add(x);
    }
}

fn write(o: &Operand, live: &mut Live) {
    if let Some(Reg::X(x)) = o.reg() {
        live.x.remove(x);
    }
}
