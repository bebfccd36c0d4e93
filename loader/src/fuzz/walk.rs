//! Walks along one random path through a function and checks on the way what the verifier promises
//! for all paths. Knows nothing of merging states, which is where a data flow can go wrong.

use super::Xorshift;
use crate::code::{FunctionCode, Instr};
use crate::file::BeamFile;
use crate::operand::{Operand, Reg};
use crate::ops::{Op, OperandKind};
use crate::verify::MatchCommand;

/// Length of a walk.
const STEPS: usize = 300;

/// What a stack slot holds.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Slot {
    Term,
    Tag { handler: u32, is_try: bool },
}

struct Machine<'a> {
    file: &'a BeamFile,
    code: &'a FunctionCode,
    x: [bool; 1024],
    frame: Option<Vec<Slot>>,
    /// Index of the next instruction.
    pc: usize,
    /// Whether control has just come as an exception.
    arriving: bool,
}

/// How an instruction ends.
enum Next {
    Falls,
    Jumps(u32),
    Leaves,
}

/// Walks once. An error says which promise is broken.
pub(super) fn walk(
    file: &BeamFile,
    function: usize,
    code: &FunctionCode,
    rng: &mut Xorshift,
) -> Result<(), String> {
    let info = &file.functions[function];
    let mut machine = Machine {
        file,
        code,
        x: std::array::from_fn(|x| x < info.arity as usize),
        frame: None,
        pc: 0,
        arriving: false,
    };
    machine.jump(info.entry_label)?;
    for _ in 0..STEPS {
        let instr = *machine
            .code
            .instrs()
            .get(machine.pc)
            .ok_or("falls off the end")?;
        machine.pc += 1;
        let next = machine
            .step(&instr, rng)
            .map_err(|broken| format!("{} at {:#x}: {broken}", instr.op, instr.offset))?;
        match next {
            Next::Falls => {
                if info.no_return.contains(&instr.offset) {
                    return Ok(());
                }
                let cleared = info.cleared.iter().filter(|place| place.0 == instr.offset);
                for &(_, x) in cleared {
                    machine.x[usize::from(x)] = true;
                }
            }
            Next::Jumps(label) => machine.jump(label)?,
            Next::Leaves => return Ok(()),
        }
    }
    Ok(())
}

impl Machine<'_> {
    fn jump(&mut self, label: u32) -> Result<(), String> {
        let at = self.code.labels().iter().find(|(known, _)| *known == label);
        self.pc = at.ok_or_else(|| format!("no label {label}"))?.1 as usize;
        Ok(())
    }

    fn slot(&mut self, y: u16) -> Result<&mut Slot, String> {
        let slots = self.frame.as_mut().ok_or("no frame")?;
        slots
            .get_mut(usize::from(y))
            .ok_or_else(|| format!("y{y} is outside of the frame"))
    }

    fn read(&mut self, operand: &Operand) -> Result<(), String> {
        match operand.reg() {
            Some(Reg::X(x)) if !self.x[usize::from(x)] => Err(format!("x{x} is not set")),
            Some(Reg::Y(y)) if *self.slot(y)? != Slot::Term => Err(format!("y{y} is not a term")),
            _ => Ok(()),
        }
    }

    fn write(&mut self, operand: &Operand) -> Result<(), String> {
        match operand.reg() {
            Some(Reg::X(x)) => self.x[usize::from(x)] = true,
            Some(Reg::Y(y)) => {
                let slot = self.slot(y)?;
                if matches!(slot, Slot::Tag { .. }) {
                    return Err(format!("y{y} holds a tag"));
                }
                *slot = Slot::Term;
            }
            None => {}
        }
        Ok(())
    }

    fn args(&self, count: u64) -> Result<(), String> {
        match self.x[..count as usize].iter().position(|set| !set) {
            Some(x) => Err(format!("x{x} is not set")),
            None => Ok(()),
        }
    }

    fn keep(&mut self, count: u64) {
        self.x[count as usize..].fill(false);
    }

    fn collects(&mut self, live: u64) -> Result<(), String> {
        self.args(live)?;
        self.keep(live);
        Ok(())
    }

    fn raise(&mut self) -> Next {
        let innermost = self.frame.iter().flatten().find_map(|slot| match slot {
            Slot::Tag { handler, is_try } => Some((*handler, *is_try)),
            _ => None,
        });
        let Some((handler, is_try)) = innermost else {
            return Next::Leaves;
        };
        self.keep(0);
        self.x[0] = !is_try;
        self.arriving = true;
        Next::Jumps(handler)
    }

    fn drop_frame(&mut self, size: Option<u64>) -> Result<(), String> {
        let frame = self.frame.take().ok_or("no frame")?;
        if size.is_some_and(|size| frame.len() as u64 != size) {
            return Err(format!("the frame has {} slots", frame.len()));
        }
        if frame.iter().any(|slot| matches!(slot, Slot::Tag { .. })) {
            return Err("a catch is active".to_owned());
        }
        Ok(())
    }

    fn no_frame(&self) -> Result<(), String> {
        if self.frame.is_some() {
            Err("there is a frame".to_owned())
        } else {
            Ok(())
        }
    }

    fn call(&mut self, arity: u64, rng: &mut Xorshift) -> Result<Next, String> {
        self.args(arity)?;
        if rng.below(3) == 0 {
            return Ok(self.raise());
        }
        self.frame.as_ref().ok_or("no frame to return to")?;
        self.keep(0);
        self.x[0] = true;
        Ok(Next::Falls)
    }

    fn each(
        &mut self,
        operand: &Operand,
        from: usize,
        by: usize,
        write: bool,
    ) -> Result<(), String> {
        let Operand::List(list) = *operand else {
            return Ok(());
        };
        let code = self.code;
        for operand in code.list(list).iter().skip(from).step_by(by) {
            if write {
                self.write(operand)?
            } else {
                self.read(operand)?
            }
        }
        Ok(())
    }

    fn step(&mut self, instr: &Instr, rng: &mut Xorshift) -> Result<Next, String> {
        let op = instr.op;
        let code = self.code;
        let operands = code.operands(instr);
        let number = |at: usize| operands[at].unsigned().unwrap_or(0);
        if matches!(
            op,
            Op::Label | Op::Line | Op::ExecutableLine | Op::DebugLine
        ) {
            return Ok(Next::Falls);
        }
        let arrived = std::mem::take(&mut self.arriving);
        if (op == Op::TryCase) != arrived && !(arrived && op == Op::CatchEnd) {
            return Err(
                "exceptions arrive only at handlers, and handlers start with them".to_owned(),
            );
        }
        let (mut live, mut fail, mut raises) = (None, None, false);
        for (&kind, operand) in op.info().kinds.iter().zip(operands) {
            match kind {
                // The time counts only when the timer is set, not when code comes round again.
                OperandKind::Src if op == Op::WaitTimeout => {}
                OperandKind::Src | OperandKind::Size | OperandKind::Reg | OperandKind::FmoveSrc => {
                    self.read(operand)?
                }
                OperandKind::Live => live = operand.unsigned(),
                OperandKind::Fail | OperandKind::Jump | OperandKind::FailOrAtom => {
                    match operand.label() {
                        Some(0) => raises = true,
                        label => fail = label.or(fail),
                    }
                }
                OperandKind::SrcList | OperandKind::PairList => self.each(operand, 0, 1, false)?,
                OperandKind::GetList => self.each(operand, 0, 2, false)?,
                OperandKind::UpdateList => self.each(operand, 1, 2, false)?,
                OperandKind::Segments => {
                    self.each(operand, 4, 6, false)?;
                    self.each(operand, 5, 6, false)?;
                }
                _ => {}
            }
        }
        if let Some(live) = live {
            self.args(live)?;
        }
        if raises && rng.below(4) == 0 {
            return Ok(self.raise());
        }
        if let Some(label) = fail
            && !matches!(
                op,
                Op::BsMatch | Op::Wait | Op::WaitTimeout | Op::LoopRecEnd
            )
            && (op == Op::Jump || rng.below(3) == 0)
        {
            return Ok(Next::Jumps(label));
        }
        // An instruction that fails has not collected.
        if let Some(live) = live {
            self.keep(live);
        }
        let next = match op {
            Op::SelectVal | Op::SelectTupleArity => {
                let Operand::List(list) = operands[2] else {
                    return Err("no list".to_owned());
                };
                let pairs = code.list(list);
                let target = match pairs.len() / 2 {
                    0 => fail,
                    count => pairs[2 * rng.below(count) + 1].label(),
                };
                Next::Jumps(target.unwrap_or(0))
            }
            Op::BsMatch => return self.bs_match(operands, fail.unwrap_or(0), rng),
            Op::Call
            | Op::CallFun2
            | Op::CallExt
            | Op::Send
            | Op::RawRaise
            | Op::Apply
            | Op::CallFun => {
                let arity = match op {
                    Op::Call => number(0),
                    Op::CallFun2 => number(1),
                    Op::Send => 2,
                    Op::RawRaise => 3,
                    Op::Apply => number(0) + 2,
                    Op::CallFun => number(0) + 1,
                    _ if self.exits(number(1)) => {
                        self.args(number(0))?;
                        return Ok(self.raise());
                    }
                    _ => number(0),
                };
                self.call(arity, rng)?
            }
            Op::CallLast | Op::CallExtLast | Op::ApplyLast | Op::CallOnly | Op::CallExtOnly => {
                self.args(if op == Op::ApplyLast {
                    number(0) + 2
                } else {
                    number(0)
                })?;
                if matches!(op, Op::CallExtLast | Op::CallExtOnly) && self.exits(number(1)) {
                    return Ok(self.raise());
                }
                match op {
                    Op::CallLast | Op::CallExtLast => self.drop_frame(Some(number(2)))?,
                    Op::ApplyLast => self.drop_frame(Some(number(1)))?,
                    _ => self.no_frame()?,
                }
                Next::Leaves
            }
            Op::Return | Op::FuncInfo => {
                self.args(if op == Op::Return { 1 } else { number(2) })?;
                self.no_frame()?;
                Next::Leaves
            }
            Op::Allocate | Op::AllocateHeap | Op::AllocateZero | Op::AllocateHeapZero => {
                self.no_frame()?;
                self.frame = Some(vec![Slot::Term; number(0) as usize]);
                Next::Falls
            }
            Op::Deallocate => {
                self.drop_frame(Some(number(0)))?;
                Next::Falls
            }
            Op::Trim => {
                let frame = self.frame.as_mut().ok_or("no frame")?;
                if frame.len() as u64 != number(0) + number(1) {
                    return Err(format!("the frame has {} slots", frame.len()));
                }
                frame.drain(..number(0) as usize);
                Next::Falls
            }
            Op::Catch | Op::Try => {
                let (Some(Reg::Y(y)), Some(handler)) = (operands[0].reg(), operands[1].label())
                else {
                    return Err("malformed".to_owned());
                };
                let below = self.frame.iter().flatten().take(usize::from(y));
                if below
                    .into_iter()
                    .any(|slot| matches!(slot, Slot::Tag { .. }))
                {
                    return Err("an outer catch lies below".to_owned());
                }
                self.write(&operands[0])?;
                *self.slot(y)? = Slot::Tag {
                    handler,
                    is_try: op == Op::Try,
                };
                Next::Falls
            }
            Op::TryEnd | Op::TryCase | Op::CatchEnd => {
                let Some(Reg::Y(y)) = operands[0].reg() else {
                    return Err("malformed".to_owned());
                };
                let wanted = op != Op::CatchEnd;
                match self.slot(y)? {
                    Slot::Tag { is_try, .. } if *is_try == wanted => *self.slot(y)? = Slot::Term,
                    _ => return Err(format!("y{y} holds no such tag")),
                }
                match op {
                    Op::TryCase => self.x[..3].fill(true),
                    Op::CatchEnd => self.args(1)?,
                    _ => {}
                }
                Next::Falls
            }
            Op::Badmatch | Op::IfEnd | Op::CaseEnd | Op::TryCaseEnd | Op::Badrecord | Op::Raise => {
                self.raise()
            }
            Op::Wait | Op::LoopRecEnd => {
                self.keep(0);
                Next::Jumps(fail.unwrap_or(0))
            }
            Op::WaitTimeout => {
                self.keep(0);
                if rng.below(2) == 0 {
                    return Ok(Next::Falls);
                }
                // The runtime leaves a term in the register that held the time.
                if let Some(Reg::X(x)) = operands[1].reg() {
                    self.x[usize::from(x)] = true;
                }
                Next::Jumps(fail.unwrap_or(0))
            }
            Op::Timeout => {
                self.keep(0);
                Next::Falls
            }
            Op::BsInitWritable => {
                self.collects(1)?;
                self.keep(1);
                Next::Falls
            }
            Op::BuildStacktrace => {
                self.collects(1)?;
                Next::Falls
            }
            Op::MakeFun2 => {
                let free = self
                    .file
                    .lambdas
                    .get(number(0) as usize)
                    .map_or(0, |lambda| lambda.num_free);
                self.collects(u64::from(free))?;
                self.keep(0);
                self.x[0] = true;
                Next::Falls
            }
            Op::IntCodeEnd => Next::Leaves,
            _ => Next::Falls,
        };
        for (&kind, operand) in op.info().kinds.iter().zip(operands) {
            match kind {
                OperandKind::Dst | OperandKind::YDst | OperandKind::Reg | OperandKind::FmoveDst => {
                    self.write(operand)?
                }
                OperandKind::GetList => self.each(operand, 1, 2, true)?,
                OperandKind::YList => self.each(operand, 0, 1, true)?,
                _ => {}
            }
        }
        Ok(next)
    }

    fn bs_match(
        &mut self,
        operands: &[Operand],
        fail: u32,
        rng: &mut Xorshift,
    ) -> Result<Next, String> {
        let Operand::List(list) = operands[2] else {
            return Err("no list".to_owned());
        };
        let (file, code) = (self.file, self.code);
        for command in file.commands(code.list(list)) {
            let (command, operands) = command.ok_or("malformed command")?;
            match command {
                MatchCommand::EnsureAtLeast | MatchCommand::EnsureExactly | MatchCommand::Equal => {
                    if rng.below(4) == 0 {
                        return Ok(Next::Jumps(fail));
                    }
                }
                MatchCommand::Skip => {}
                MatchCommand::Binary | MatchCommand::Integer | MatchCommand::GetTail => {
                    // Who executes the commands does not collect between them, so nothing is lost.
                    self.write(&operands[operands.len() - 1])?;
                }
            }
        }
        Ok(Next::Falls)
    }

    /// Whether an import never returns, by its name.
    fn exits(&self, import: u64) -> bool {
        let Some(import) = self.file.imports.get(import as usize) else {
            return false;
        };
        self.file.never_returns(import)
    }
}
