//! The data flow over one function: which registers are set, what frame exists, which catches are
//! active.
//!
//! Each label has a state, the meet of the states of all ways to reach it. Blocks whose state has
//! shrunk are visited again, lowest first, until nothing changes; states only ever shrink, so this
//! ends.
//!
//! Paths with different frames may meet in code that only raises an exception. The frame is then
//! undecided: slots that all of them have can be read, but nothing may be called or returned.

use super::catches::{Catch, END, NO_CATCH};
use super::shape::MatchCommand;
use super::state::*;
use super::{LabelMap, Usage, report};
use crate::code::{FunctionCode, Instr};
use crate::error::{CodeError, ErrorKind};
use crate::file::BeamFile;
use crate::operand::{Operand, Reg};
use crate::ops::{Op, OperandKind};

impl Flow {
    /// Follows all paths through a function.
    #[allow(
        clippy::too_many_arguments,
        reason = "the parts of one analysis, from one call site"
    )]
    pub(super) fn run(
        &mut self,
        file: &BeamFile,
        function: usize,
        code: &FunctionCode,
        map: &LabelMap,
        exits: &[bool],
        usage: Usage,
        found: &mut Vec<CodeError>,
    ) {
        let info = &file.functions[function];
        let offset = info.range.start;
        let Some(entry) = map.local(function, info.entry_label) else {
            report(
                found,
                CodeError {
                    offset,
                    kind: ErrorKind::BadFunctionHeader,
                },
            );
            return;
        };
        if !self.prepare(code.labels().len(), usage.x, usage.y) {
            report(
                found,
                CodeError {
                    offset,
                    kind: ErrorKind::TooComplex,
                },
            );
            return;
        }
        let mut walk = Walk {
            flow: self,
            file,
            function,
            code,
            map,
            exits,
            now: State::default(),
            offset,
            op: Op::Label,
            found,
            steps: 0,
            at: 0,
            counted: false,
        };
        let start = State {
            x: first(info.arity as u16),
            ..State::default()
        };
        walk.flow.meet(entry, PLAIN, &start, Keep::All);
        // Real code needs hardly more than one visit of each block.
        let budget = (1 << 20) + 256 * code.instrs().len();
        while let Some(block) = walk.flow.next_block() {
            walk.block(block);
            if walk.flow.catches.overflow || walk.steps > budget {
                report(
                    walk.found,
                    CodeError {
                        offset,
                        kind: ErrorKind::TooComplex,
                    },
                );
                return;
            }
        }
        if let Some(label) = walk.flow.jumps.find_loop(code.labels().len()) {
            let label = code.labels()[label].0;
            walk.error(ErrorKind::EndlessLoop { label });
        }
    }
}

/// Whether this is an instruction that code need not follow when it is known to raise an exception
/// always, or that calls something that does.
fn may_raise(instr: &Instr, operands: &[Operand]) -> bool {
    matches!(
        instr.op,
        Op::Call
            | Op::CallExt
            | Op::CallFun
            | Op::CallFun2
            | Op::Apply
            | Op::RawRaise
            | Op::Fconv
            | Op::Send
    ) || operands.first() == Some(&Operand::Label(0))
}

struct Walk<'a> {
    flow: &'a mut Flow,
    file: &'a BeamFile,
    function: usize,
    code: &'a FunctionCode,
    map: &'a LabelMap,
    exits: &'a [bool],
    now: State,
    offset: u32,
    op: Op,
    found: &'a mut Vec<CodeError>,
    /// Instructions visited so far.
    steps: usize,
    /// The label that the walk started at.
    at: usize,
    /// Has the walk since then passed the entry of a function? Calls of other modules do not count:
    /// they may be of BIFs.
    counted: bool,
}

/// What follows an instruction.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Next {
    Falls,
    Ends,
}

impl Walk<'_> {
    #[cold]
    fn error(&mut self, kind: ErrorKind) {
        let error = CodeError {
            offset: self.offset,
            kind,
        };
        if !self.found.contains(&error) {
            report(self.found, error);
        }
    }

    /// Walks from a label to the next one or to the end of the path.
    fn block(&mut self, label: usize) {
        let code = self.code;
        self.flow.load(label, &mut self.now);
        let mut mode = self.flow.reached[label];
        self.at = label;
        self.counted = false;
        let (number, at) = code.labels()[label];
        let instrs = code.instrs();
        for (step, instr) in instrs[at as usize + 1..].iter().enumerate() {
            self.offset = instr.offset;
            self.op = instr.op;
            self.steps += 1;
            if instr.op == Op::Label {
                // The walk stops at each label, so this is the one after `label`.
                self.leads_to(label + 1);
                self.flow.meet(label + 1, mode, &self.now, Keep::All);
                return;
            }
            if mode & EXCEPTION != 0 || instr.op == Op::TryCase {
                if matches!(instr.op, Op::Line | Op::ExecutableLine | Op::DebugLine) {
                    continue;
                }
                if !self.handler_starts(instr, mode) {
                    self.error(ErrorKind::BadHandler { label: number });
                    return;
                }
                mode = PLAIN;
            }
            if self.step(instr) == Next::Ends {
                return;
            }
            if may_raise(instr, code.operands(instr)) && self.leads_nowhere(at as usize + 1 + step)
            {
                self.flow.no_return.push(instr.offset);
                return;
            }
        }
        self.error(ErrorKind::FallsOff);
    }

    /// Whether the code after the instruction at `at` is not meant to be reached from it: it is the
    /// end of the function or the start of an exception handler.
    fn leads_nowhere(&self, at: usize) -> bool {
        let mut from = at + 1;
        // A jump or two may lie in between.
        for _ in 0..4 {
            let mut rest = self.code.instrs()[from..].iter();
            let next = rest.find(|instr| {
                !matches!(
                    instr.op,
                    Op::Label | Op::Line | Op::ExecutableLine | Op::DebugLine
                )
            });
            let Some(next) = next else { return true };
            if next.op != Op::Jump {
                return next.op == Op::TryCase;
            }
            let label = self.code.operands(next)[0].label().unwrap_or(0);
            match self.map.local(self.function, label) {
                Some(label) => from = self.code.labels()[label].1 as usize,
                None => return false,
            }
        }
        false
    }

    /// Whether an instruction may stand where an exception arrives.
    fn handler_starts(&self, instr: &Instr, mode: u8) -> bool {
        let slot = match self.code.operands(instr) {
            [operand] => operand.reg(),
            _ => None,
        };
        let is_try = match instr.op {
            Op::TryCase if mode == EXCEPTION => true,
            Op::CatchEnd => false,
            _ => return false,
        };
        let catches = &self.flow.catches;
        catches.chains(self.now.catches).iter().all(|&chain| {
            catches
                .top(chain)
                .is_some_and(|top| slot == Some(Reg::Y(top.slot)) && is_try == top.is_try)
        })
    }

    // Reads and writes.

    #[inline]
    fn read(&mut self, operand: &Operand) {
        match *operand {
            Operand::X(x) | Operand::Typed { reg: Reg::X(x), .. } => self.read_x(x),
            Operand::Y(y) | Operand::Typed { reg: Reg::Y(y), .. } => self.read_y(y),
            _ => {}
        }
    }

    #[inline]
    fn read_x(&mut self, x: u16) {
        if !bit(&self.now.x, x) {
            set_bit(&mut self.flow.undefined, x);
        }
    }

    #[inline]
    fn read_y(&mut self, y: u16) {
        let (op, register) = (self.op, u32::from(y));
        if y >= self.now.frame.slots() {
            self.error(ErrorKind::OutsideFrame { op, register });
        } else if bit(&self.now.tags, y) {
            self.error(ErrorKind::CatchTagUsed { op, register });
        }
    }

    #[inline]
    fn write(&mut self, operand: &Operand) {
        match *operand {
            Operand::X(x) | Operand::Typed { reg: Reg::X(x), .. } => set_bit(&mut self.now.x, x),
            Operand::Y(y) | Operand::Typed { reg: Reg::Y(y), .. } => {
                let (op, register) = (self.op, u32::from(y));
                if y >= self.now.frame.slots() {
                    self.error(ErrorKind::OutsideFrame { op, register });
                } else if bit(&self.now.tags, y) {
                    self.error(ErrorKind::CatchTagUsed { op, register });
                }
            }
            _ => {}
        }
    }

    /// The first `count` X registers are read.
    #[inline]
    fn args(&mut self, count: u16) {
        for word in 0..self.flow.xw {
            self.flow.undefined[word] |= mask(word, count) & !self.now.x[word];
        }
    }

    /// All X registers from `count` on are lost.
    #[inline]
    fn keep(&mut self, count: u16) {
        for word in 0..self.flow.xw {
            self.now.x[word] &= mask(word, count);
        }
    }

    /// A collection can happen and keeps `live` X registers.
    #[inline]
    fn collects(&mut self, live: u16) {
        self.args(live);
        self.keep(live);
    }

    /// An exception can leave from here.
    fn raises(&mut self) {
        if self.now.catches == NO_CATCH {
            return;
        }
        let chains = self.flow.catches.chains(self.now.catches).to_vec();
        for &chain in &chains {
            let Some(catch) = self.flow.catches.top(chain) else {
                continue;
            };
            let Some(label) = self.map.local(self.function, catch.handler) else {
                continue;
            };
            // The handler of a catch finds "no value" in x0, which catch_end looks at.
            let keep = if catch.is_try {
                Keep::None
            } else {
                Keep::Only(0)
            };
            if chains.len() == 1 {
                self.flow.meet(label, EXCEPTION, &self.now, keep);
                continue;
            }
            // Shared code: go back to what this catch knows.
            let mut state = self.now.clone();
            state.catches = self.flow.catches.single(chain);
            state.tags = self.flow.catches.slots(chain);
            state.frame = Frame::Known(catch.frame);
            self.flow.meet(label, EXCEPTION, &state, keep);
        }
    }

    /// Notes a way to a label on which the process cannot be stopped.
    #[inline]
    fn leads_to(&mut self, label: usize) {
        if !self.counted {
            self.flow.jumps.note(self.at, label);
        }
    }

    #[inline]
    fn branch(&mut self, label: u32, keep: Keep) {
        if let Some(label) = self.map.local(self.function, label) {
            if !matches!(self.op, Op::Wait | Op::WaitTimeout | Op::LoopRecEnd) {
                self.leads_to(label);
            }
            self.flow.meet(label, PLAIN, &self.now, keep);
        }
    }

    // Frames.

    fn need_frame(&mut self) -> Option<u16> {
        match self.now.frame {
            Frame::Known(slots) => Some(slots),
            _ => {
                self.error(ErrorKind::NoFrame { op: self.op });
                None
            }
        }
    }

    fn need_no_frame(&mut self) {
        if self.now.frame != Frame::None {
            self.error(ErrorKind::HasFrame { op: self.op });
        }
    }

    fn make_frame(&mut self, slots: u16) {
        self.need_no_frame();
        self.now.frame = Frame::Known(slots);
        self.now.tags[..self.flow.yw].fill(0);
    }

    fn drop_frame(&mut self, found: u16) {
        if let Some(slots) = self.need_frame()
            && slots != found
        {
            let (expected, found) = (u32::from(slots), u32::from(found));
            self.error(ErrorKind::FrameSize {
                op: self.op,
                expected,
                found,
            });
        }
        self.need_no_catch();
        self.now.frame = Frame::None;
        self.now.tags[..self.flow.yw].fill(0);
    }

    fn need_no_catch(&mut self) {
        if self.now.catches != NO_CATCH
            || self.now.tags[..self.flow.yw].iter().any(|&word| word != 0)
        {
            self.error(ErrorKind::CatchActive { op: self.op });
            self.now.catches = NO_CATCH;
        }
    }

    fn trim(&mut self, count: u16, remaining: u16) {
        let Some(slots) = self.need_frame() else {
            return;
        };
        let found = u32::from(count) + u32::from(remaining);
        if u32::from(slots) != found {
            self.error(ErrorKind::FrameSize {
                op: self.op,
                expected: u32::from(slots),
                found,
            });
            return;
        }
        // Handlers would find the frame changed.
        self.need_no_catch();
        self.now.frame = Frame::Known(remaining);
    }

    // Calls and catches.

    /// Whether an imported function never returns.
    fn exits(&self, import: &Operand) -> bool {
        let index = import.unsigned().unwrap_or(u64::MAX) as usize;
        self.exits.get(index) == Some(&true)
    }

    /// A call that comes back: all X registers but the result are lost.
    fn call(&mut self, arity: u16) -> Next {
        self.args(arity);
        self.need_frame();
        self.returns()
    }

    fn returns(&mut self) -> Next {
        self.raises();
        self.keep(0);
        set_bit(&mut self.now.x, 0);
        Next::Falls
    }

    fn start_catch(&mut self, slot: u16, handler: u32, is_try: bool) {
        let op = self.op;
        let Some(frame) = self.need_frame() else {
            return;
        };
        if slot >= frame {
            self.error(ErrorKind::OutsideFrame {
                op,
                register: u32::from(slot),
            });
            return;
        }
        let catch = Catch {
            outer: END,
            slot,
            is_try,
            frame,
            handler,
        };
        let pushed = self.flow.catches.push(self.now.catches, catch);
        match pushed.filter(|_| !bit(&self.now.tags, slot)) {
            Some(catches) => {
                if let Some(handler) = self.map.local(self.function, handler) {
                    self.leads_to(handler);
                }
                set_bit(&mut self.now.tags, slot);
                self.now.catches = catches;
            }
            None => self.error(ErrorKind::CatchNesting { op }),
        }
    }

    fn end_catch(&mut self, slot: u16, is_try: bool) -> Next {
        match self.flow.catches.pop(self.now.catches, slot, is_try) {
            Some(catches) => {
                self.now.catches = catches;
                clear(&mut self.now.tags, slot);
                Next::Falls
            }
            None => {
                self.error(ErrorKind::CatchNesting { op: self.op });
                Next::Ends
            }
        }
    }

    /// One instruction.
    fn step(&mut self, instr: &Instr) -> Next {
        let op = instr.op;
        let code = self.code;
        let operands = code.operands(instr);
        let mut live = None;
        let mut fail = None;
        let mut raises = false;
        for (&kind, operand) in op.info().kinds.iter().zip(operands) {
            match kind {
                OperandKind::Src | OperandKind::Size | OperandKind::Reg | OperandKind::FmoveSrc => {
                    self.read(operand)
                }
                OperandKind::Live => live = Some(small(operand)),
                OperandKind::Fail | OperandKind::Jump | OperandKind::FailOrAtom => match *operand {
                    Operand::Label(0) => raises = true,
                    Operand::Label(label) => fail = Some(label),
                    _ => {}
                },
                OperandKind::SrcList | OperandKind::PairList => self.read_list(operand, 0, 1),
                OperandKind::GetList => self.read_list(operand, 0, 2),
                OperandKind::UpdateList => self.read_list(operand, 1, 2),
                OperandKind::Segments => self.read_segments(operand),
                _ => {}
            }
        }
        if let Some(live) = live {
            self.collects(live);
        }
        if raises {
            self.raises();
        }
        match op {
            Op::BsMatch => {
                self.bs_match(operands, fail.unwrap_or(0));
                return Next::Falls;
            }
            Op::SelectVal | Op::SelectTupleArity => {
                if let Operand::List(list) = operands[2] {
                    for pair in code.list(list).chunks_exact(2) {
                        self.branch(pair[1].label().unwrap_or(0), Keep::All);
                    }
                }
            }
            _ => {}
        }
        if let Some(label) = fail {
            let keep = match op {
                // The process may have been suspended in between.
                Op::Wait | Op::LoopRecEnd => Keep::None,
                // The time is looked at only when the timer is not yet running, so code that comes
                // here again may name a register that is lost by then.
                Op::WaitTimeout => match operands[1].reg() {
                    Some(Reg::X(x)) => Keep::Only(x),
                    _ => Keep::None,
                },
                _ => Keep::All,
            };
            self.branch(label, keep);
        }
        let next = self.effect(op, operands);
        for (&kind, operand) in op.info().kinds.iter().zip(operands) {
            match kind {
                OperandKind::Dst | OperandKind::YDst | OperandKind::Reg | OperandKind::FmoveDst => {
                    self.write(operand)
                }
                OperandKind::GetList => self.write_list(operand, 1, 2),
                OperandKind::YList => self.write_list(operand, 0, 1),
                _ => {}
            }
        }
        next
    }

    fn read_list(&mut self, operand: &Operand, first: usize, step: usize) {
        if let Operand::List(list) = *operand {
            for operand in self.code.list(list).iter().skip(first).step_by(step) {
                self.read(operand);
            }
        }
    }

    fn write_list(&mut self, operand: &Operand, first: usize, step: usize) {
        if let Operand::List(list) = *operand {
            for operand in self.code.list(list).iter().skip(first).step_by(step) {
                self.write(operand);
            }
        }
    }

    /// Values and sizes of `bs_create_bin`.
    fn read_segments(&mut self, operand: &Operand) {
        if let Operand::List(list) = *operand {
            for segment in self.code.list(list).chunks_exact(super::shape::SEGMENT) {
                self.read(&segment[4]);
                self.read(&segment[5]);
            }
        }
    }

    /// The commands run in order; the failure label can be reached between them.
    fn bs_match(&mut self, operands: &[Operand], fail: u32) {
        let Operand::List(list) = operands[2] else {
            return;
        };
        let file = self.file;
        for (command, operands) in file.commands(self.code.list(list)).flatten() {
            match command {
                MatchCommand::EnsureAtLeast | MatchCommand::EnsureExactly | MatchCommand::Equal => {
                    self.branch(fail, Keep::All);
                }
                // The bits that these take have been ensured, so they cannot fail.
                MatchCommand::Skip => {}
                MatchCommand::Binary | MatchCommand::Integer => {
                    self.collects(small(&operands[0]));
                    self.write(&operands[4]);
                }
                MatchCommand::GetTail => {
                    self.collects(small(&operands[0]));
                    self.write(&operands[2]);
                }
            }
        }
    }

    /// What an instruction does besides reading and writing its operands.
    fn effect(&mut self, op: Op, operands: &[Operand]) -> Next {
        match op {
            Op::Call => {
                self.counted = true;
                self.call(small(&operands[0]))
            }
            Op::CallLast => {
                self.args(small(&operands[0]));
                self.drop_frame(small(&operands[2]));
                Next::Ends
            }
            Op::CallOnly => {
                self.args(small(&operands[0]));
                self.need_no_frame();
                Next::Ends
            }
            Op::CallExt => {
                let arity = small(&operands[0]);
                if self.exits(&operands[1]) {
                    self.args(arity);
                    self.raises();
                    return Next::Ends;
                }
                self.call(arity)
            }
            Op::CallExtLast | Op::CallExtOnly => {
                self.args(small(&operands[0]));
                if self.exits(&operands[1]) {
                    // The exception is raised with the frame in place: compilers leave any
                    // number as the size, or a frame where there should be none.
                    self.raises();
                } else if op == Op::CallExtLast {
                    self.drop_frame(small(&operands[2]));
                } else {
                    self.need_no_frame();
                }
                Next::Ends
            }
            Op::Apply => self.call(small(&operands[0]) + 2),
            Op::ApplyLast => {
                self.args(small(&operands[0]) + 2);
                self.drop_frame(small(&operands[1]));
                Next::Ends
            }
            Op::CallFun => self.call(small(&operands[0]) + 1),
            Op::CallFun2 => self.call(small(&operands[1])),
            Op::Send => self.call(2),
            Op::RawRaise => self.call(3),
            Op::BsInitWritable => {
                self.args(1);
                self.returns()
            }
            Op::BuildStacktrace => {
                self.collects(1);
                Next::Falls
            }
            Op::MakeFun2 => {
                let index = operands[0].unsigned().unwrap_or(0) as usize;
                let free = self
                    .file
                    .lambdas
                    .get(index)
                    .map_or(0, |lambda| lambda.num_free);
                self.collects(free as u16);
                self.keep(0);
                set_bit(&mut self.now.x, 0);
                Next::Falls
            }
            Op::Allocate | Op::AllocateHeap | Op::AllocateZero | Op::AllocateHeapZero => {
                self.make_frame(small(&operands[0]));
                Next::Falls
            }
            Op::Deallocate => {
                self.drop_frame(small(&operands[0]));
                Next::Falls
            }
            Op::Trim => {
                self.trim(small(&operands[0]), small(&operands[1]));
                Next::Falls
            }
            Op::Return => {
                self.args(1);
                self.need_no_frame();
                Next::Ends
            }
            Op::FuncInfo => {
                self.args(small(&operands[2]));
                self.need_no_frame();
                Next::Ends
            }
            Op::Jump
            | Op::SelectVal
            | Op::SelectTupleArity
            | Op::Wait
            | Op::LoopRecEnd
            | Op::IntCodeEnd => Next::Ends,
            Op::Badmatch | Op::IfEnd | Op::CaseEnd | Op::TryCaseEnd | Op::Badrecord | Op::Raise => {
                self.raises();
                Next::Ends
            }
            Op::WaitTimeout => {
                self.raises();
                self.keep(0);
                Next::Falls
            }
            Op::Timeout => {
                self.keep(0);
                Next::Falls
            }
            Op::Fconv => {
                self.raises();
                Next::Falls
            }
            Op::Catch | Op::Try => {
                if let (Some(Reg::Y(slot)), Operand::Label(handler)) =
                    (operands[0].reg(), operands[1])
                {
                    self.start_catch(slot, handler, op == Op::Try);
                }
                Next::Falls
            }
            Op::TryEnd | Op::TryCase | Op::CatchEnd => {
                let Some(Reg::Y(slot)) = operands[0].reg() else {
                    return Next::Falls;
                };
                if op == Op::CatchEnd {
                    self.args(1);
                }
                let next = self.end_catch(slot, op != Op::CatchEnd);
                if op == Op::TryCase {
                    self.now.x = first(3);
                }
                next
            }
            _ => Next::Falls,
        }
    }
}

/// The value of a small unsigned operand, as checked by the decoder.
fn small(operand: &Operand) -> u16 {
    operand.unsigned().unwrap_or(0).min(u64::from(u16::MAX)) as u16
}
