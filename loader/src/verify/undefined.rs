//! X registers that are read where not every path has set them.
//!
//! The compiler leaves such reads where its types tell it that the path is never taken. Whoever executes the
//! code need not believe that: these registers are set to the empty list wherever they may hold something
//! that is no term of this process any more: at the function's entry, after instructions that lose X registers,
//! and where a process that has waited goes on.

use super::state::{Bits, bit};
use crate::code::{Function, FunctionCode, Instr};
use crate::file::BeamFile;
use crate::operand::{Operand, Reg};
use crate::ops::{Op, OperandKind};
use crate::verify::MatchCommand;

/// Where the registers in `undefined` are to be set; see [`Function::cleared`].
pub(super) fn places(
    file: &BeamFile,
    function: &Function,
    code: &FunctionCode,
    undefined: &Bits,
) -> Box<[(u32, u16)]> {
    if undefined.iter().all(|&word| word == 0) {
        return Box::default();
    }
    let registers: Vec<u16> = (0..1024).filter(|&x| bit(undefined, x)).collect();
    let resumed: Vec<u32> = code.iter().filter_map(resumes_at).collect();
    let mut places = Vec::new();
    for (instr, operands) in code.iter() {
        let lost = match (instr.op, operands) {
            (Op::Label, [label]) => {
                let label = label.unsigned().unwrap_or(0) as u32;
                if label == function.entry_label {
                    Some(function.arity as u16)
                } else {
                    resumed.contains(&label).then_some(0)
                }
            }
            _ => first_lost(instr.op, operands),
        };
        let in_commands = commands(file, code, instr)
            .filter_map(|(_, operands)| operands.first()?.unsigned())
            .map(|live| live as u16);
        let Some(first) = lost.into_iter().chain(in_commands).min() else {
            continue;
        };
        let written = written(file, code, instr, operands);
        let cleared = registers
            .iter()
            .filter(|&&x| x >= first && !written.contains(&x));
        places.extend(cleared.map(|&x| (instr.offset, x)));
    }
    places.into()
}

/// The label at which a process goes on that has waited at this instruction.
fn resumes_at((instr, operands): (&Instr, &[Operand])) -> Option<u32> {
    match instr.op {
        Op::Wait | Op::WaitTimeout | Op::LoopRecEnd => operands[0].label(),
        _ => None,
    }
}

/// The first X register that holds nothing after the instruction.
fn first_lost(op: Op, operands: &[Operand]) -> Option<u16> {
    match op {
        Op::Call
        | Op::CallExt
        | Op::CallFun
        | Op::CallFun2
        | Op::Apply
        | Op::Send
        | Op::RawRaise
        | Op::BsInitWritable
        | Op::BuildStacktrace
        | Op::MakeFun2
        | Op::CatchEnd => Some(1),
        Op::TryCase => Some(3),
        Op::Timeout | Op::WaitTimeout => Some(0),
        _ => {
            let mut kinds = op.info().kinds.iter().zip(operands);
            let live = kinds.find(|(kind, _)| **kind == OperandKind::Live);
            live.and_then(|(_, operand)| operand.unsigned())
                .map(|live| live as u16)
        }
    }
}

/// The commands that make terms, where the instruction is a `bs_match`: live registers first, destination last.
fn commands<'a>(
    file: &'a BeamFile,
    code: &'a FunctionCode,
    instr: &Instr,
) -> impl Iterator<Item = (MatchCommand, &'a [Operand])> {
    let list = match (instr.op, code.operands(instr)) {
        (Op::BsMatch, [.., Operand::List(list)]) => code.list(*list),
        _ => &[],
    };
    file.commands(list).flatten().filter(|(command, _)| {
        matches!(
            command,
            MatchCommand::Binary | MatchCommand::Integer | MatchCommand::GetTail
        )
    })
}

/// The X registers that the instruction sets.
fn written(file: &BeamFile, code: &FunctionCode, instr: &Instr, operands: &[Operand]) -> Vec<u16> {
    let direct = instr
        .op
        .info()
        .kinds
        .iter()
        .zip(operands)
        .filter(|(kind, _)| {
            matches!(
                kind,
                OperandKind::Dst | OperandKind::Reg | OperandKind::FmoveDst
            )
        })
        .map(|(_, operand)| operand);
    let by_commands = commands(file, code, instr).filter_map(|(_, operands)| operands.last());
    direct
        .chain(by_commands)
        .filter_map(|operand| match operand.reg() {
            Some(Reg::X(x)) => Some(x),
            _ => None,
        })
        .collect()
}
