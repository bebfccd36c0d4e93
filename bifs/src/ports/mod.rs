//! Ports: what processes say to them.

use enigma_runtime::atom::Atom;
use enigma_runtime::{Ctx, Term};

/// A message to a port: `{Owner, {command, Data}}` and its kin.
pub fn message(_cx: &mut Ctx<'_>, _port: u64, _message: Term) {}

/// Links a process to a port. `false` if there is no such port.
pub fn link(_port: u64, _process: u64) -> bool {
    false
}

/// Takes a link away.
pub fn unlink(_port: u64, _process: u64) {}

/// Makes a process monitor a port. `false` if there is no such port.
pub fn monitor(_port: u64, _reference: u64, _process: u64) -> bool {
    false
}

/// Takes a monitor away.
pub fn demonitor(_port: u64, _reference: u64) {}

/// Gives a port a name. `false` if that is not possible.
pub fn set_name(_port: u64, _name: Atom) -> bool {
    false
}

/// Notes that a port has lost its name.
pub fn clear_name(_port: u64) {}

/// A process sends an exit signal to a port.
pub fn exit_signal(_port: u64, _from: Term, _reason: Term, _link: bool) {}
