//! The shapes of list operands.

use std::fmt;

use super::{LabelMap, Usage};
use crate::file::BeamFile;
use crate::operand::{Operand, shape};
use crate::ops::OperandKind;

/// Operands of one segment of `bs_create_bin`.
pub(crate) const SEGMENT: usize = 6;

/// A command of `bs_match`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MatchCommand {
    /// Fails unless so many bits are left and the rest is a multiple of a unit: bits, unit.
    EnsureAtLeast,
    /// Fails unless exactly so many bits are left: bits.
    EnsureExactly,
    /// Matches a bitstring: live, flags, size, unit, destination.
    Binary,
    /// Matches an integer: live, flags, size, unit, destination.
    Integer,
    /// Skips so many bits: bits.
    Skip,
    /// Takes the rest: live, unit, destination.
    GetTail,
    /// Fails unless the next bits have a value: live or nil, bits, value.
    Equal,
}

impl MatchCommand {
    const ALL: [MatchCommand; 7] = [
        MatchCommand::EnsureAtLeast,
        MatchCommand::EnsureExactly,
        MatchCommand::Binary,
        MatchCommand::Integer,
        MatchCommand::Skip,
        MatchCommand::GetTail,
        MatchCommand::Equal,
    ];

    /// The command with this name.
    pub fn from_name(name: &str) -> Option<MatchCommand> {
        MatchCommand::ALL
            .into_iter()
            .find(|command| command.name() == name)
    }

    fn name(self) -> &'static str {
        match self {
            MatchCommand::EnsureAtLeast => "ensure_at_least",
            MatchCommand::EnsureExactly => "ensure_exactly",
            MatchCommand::Binary => "binary",
            MatchCommand::Integer => "integer",
            MatchCommand::Skip => "skip",
            MatchCommand::GetTail => "get_tail",
            MatchCommand::Equal => "=:=",
        }
    }

    /// Number of operands after the name.
    pub fn arity(self) -> usize {
        match self {
            MatchCommand::EnsureAtLeast => 2,
            MatchCommand::EnsureExactly | MatchCommand::Skip => 1,
            MatchCommand::Binary | MatchCommand::Integer => 5,
            MatchCommand::GetTail | MatchCommand::Equal => 3,
        }
    }
}

impl fmt::Display for MatchCommand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

fn is(operand: &Operand, shapes: u16) -> bool {
    operand.shape() & shapes != 0
}

impl BeamFile {
    /// Splits the list of a `bs_match` into commands; `None` at the first malformed one.
    pub fn commands<'a>(
        &'a self,
        list: &'a [Operand],
    ) -> impl Iterator<Item = Option<(MatchCommand, &'a [Operand])>> + 'a {
        let mut rest = list;
        std::iter::from_fn(move || {
            let (name, tail) = rest.split_first()?;
            let command = name
                .atom()
                .and_then(|atom| MatchCommand::from_name(self.atom(atom)));
            let Some(command) = command.filter(|command| command.arity() <= tail.len()) else {
                rest = &[];
                return Some(None);
            };
            let (operands, tail) = tail.split_at(command.arity());
            rest = tail;
            Some(Some((command, operands)))
        })
    }

    /// Whether a list operand has the shape that its kind asks for.
    pub(super) fn list_fits(
        &self,
        function: usize,
        kind: OperandKind,
        operands: &[Operand],
        list: &[Operand],
        map: &LabelMap,
        usage: &mut Usage,
    ) -> bool {
        let pairs = |first: u16, second: u16| {
            list.len().is_multiple_of(2)
                && list
                    .chunks_exact(2)
                    .all(|pair| is(&pair[0], first) && is(&pair[1], second))
        };
        let labels = || {
            list.chunks_exact(2).all(|pair| {
                pair[1]
                    .label()
                    .is_some_and(|label| map.local(function, label).is_some())
            })
        };
        let values =
            shape::INT | shape::BIG | shape::ATOM | shape::NIL | shape::LITERAL | shape::CHAR;
        match kind {
            OperandKind::SrcList => list.iter().all(|operand| is(operand, shape::SRC)),
            OperandKind::PairList => pairs(shape::SRC, shape::SRC),
            OperandKind::GetList => pairs(shape::SRC, shape::REG),
            OperandKind::UpdateList => {
                let size = operands[1].unsigned().unwrap_or(0);
                pairs(shape::UNSIGNED, shape::SRC)
                    && list.chunks_exact(2).all(|pair| {
                        pair[0]
                            .unsigned()
                            .is_some_and(|position| (1..=size).contains(&position))
                    })
            }
            OperandKind::SelectVal => pairs(values, shape::LABEL) && labels(),
            OperandKind::SelectArity => pairs(shape::UNSIGNED, shape::LABEL) && labels(),
            OperandKind::YList => list.iter().all(|operand| is(operand, shape::Y)),
            OperandKind::Segments => {
                list.len().is_multiple_of(SEGMENT)
                    && list
                        .chunks_exact(SEGMENT)
                        .enumerate()
                        .all(|(at, segment)| self.segment_fits(at, segment))
            }
            OperandKind::Commands => {
                let mut ensured = 0;
                self.commands(list).all(|command| {
                    command.is_some_and(|(command, operands)| {
                        self.command_fits(command, operands, usage)
                            && consume(command, operands, &mut ensured)
                    })
                })
            }
            _ => false,
        }
    }

    fn segment_fits(&self, at: usize, segment: &[Operand]) -> bool {
        let [kind, number, unit, flags, value, size] = segment else {
            return false;
        };
        let Some(kind) = kind.atom() else {
            return false;
        };
        let kind = self.atom(kind);
        let unit_max = match kind {
            "utf8" | "utf16" | "utf32" => 0..=256,
            _ => 1..=256,
        };
        let unit_fits = match unit {
            Operand::Unsigned(unit) => unit_max.contains(unit),
            Operand::Nil | Operand::Int(_) => false,
            _ => false,
        };
        let value_fits = match kind {
            "append" | "private_append" => at == 0 && is(value, shape::SRC),
            "binary" | "float" | "integer" | "utf8" | "utf16" | "utf32" => is(value, shape::SRC),
            "string" => {
                let end = value.unsigned().zip(non_negative(size));
                end.and_then(|(start, len)| start.checked_add(len))
                    .is_some_and(|end| end <= self.strings.len() as u64)
            }
            _ => false,
        };
        unit_fits
            && value_fits
            && is(number, shape::UNSIGNED)
            && is(flags, shape::NIL | shape::LITERAL | shape::UNSIGNED)
            && is(size, shape::SRC | shape::UNSIGNED)
    }

    fn command_fits(&self, command: MatchCommand, operands: &[Operand], usage: &mut Usage) -> bool {
        // Sizes beyond all that can be matched are no error: what asks for them fails.
        let number = |at: usize| operands[at].unsigned().is_some();
        let unit = |at: usize| {
            operands[at]
                .unsigned()
                .is_some_and(|unit| (1..=256).contains(&unit))
        };
        let flags = |at: usize| is(&operands[at], shape::NIL | shape::LITERAL | shape::UNSIGNED);
        let mut live = |at: usize| match operands[at].unsigned() {
            Some(live) if live <= 1024 => {
                usage.note_x(live);
                true
            }
            _ => false,
        };
        match command {
            MatchCommand::EnsureAtLeast => number(0) && unit(1),
            MatchCommand::EnsureExactly | MatchCommand::Skip => number(0),
            MatchCommand::Binary | MatchCommand::Integer => {
                live(0) && flags(1) && number(2) && unit(3) && is(&operands[4], shape::REG)
            }
            MatchCommand::GetTail => live(0) && unit(1) && is(&operands[2], shape::REG),
            MatchCommand::Equal => {
                is(&operands[0], shape::NIL | shape::UNSIGNED)
                    && operands[1].unsigned().is_some_and(|bits| bits <= 64)
                    && is(
                        &operands[2],
                        shape::INT | shape::BIG | shape::UNSIGNED | shape::LITERAL,
                    )
            }
        }
    }
}

/// Whether the bits that a command takes have been ensured before.
fn consume(command: MatchCommand, operands: &[Operand], ensured: &mut u64) -> bool {
    let value = |at: usize| operands[at].unsigned().unwrap_or(u64::MAX);
    let bits = match command {
        MatchCommand::EnsureAtLeast | MatchCommand::EnsureExactly => {
            *ensured = value(0);
            return true;
        }
        MatchCommand::GetTail => {
            *ensured = 0;
            return true;
        }
        MatchCommand::Binary | MatchCommand::Integer => value(2).saturating_mul(value(3)),
        MatchCommand::Skip => value(0),
        MatchCommand::Equal => value(1),
    };
    match ensured.checked_sub(bits) {
        Some(rest) => {
            *ensured = rest;
            true
        }
        None => false,
    }
}

fn non_negative(operand: &Operand) -> Option<u64> {
    match *operand {
        Operand::Unsigned(value) => Some(value),
        Operand::Int(value) => u64::try_from(value).ok(),
        _ => None,
    }
}
