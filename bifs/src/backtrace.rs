//! Stacks as text: `process_info(P, backtrace)`, `erlang:process_display/2`, and places in code as crash dumps name them.

use enigma_runtime::Term;
use enigma_runtime::atom::Atom;
use enigma_runtime::code::native::return_address;
use enigma_runtime::code::ranges;
use enigma_runtime::interp::special;
use enigma_runtime::process::Owned;
use enigma_runtime::process::stack::StackWord;
use std::fmt::Write as _;

/// A function's name.
pub fn mfa(m: Atom, f: Atom, a: u32) -> String {
    format!("{}:{}/{a}", Term::atom(m), Term::atom(f))
}

/// A place in code: its address, its function and how far into that it is.
pub fn place(pc: *const u64) -> String {
    let address = pc as usize;
    let named = match ranges::find(pc) {
        Some((f, words)) => format!(
            "{} + {}",
            mfa(f.module().name, f.name, f.arity),
            words * size_of::<u64>()
        ),
        None if pc == special::normal_exit() => "<terminate process normally>".into(),
        None if pc == special::hibernated() => mfa(Atom::ERLANG, Atom::HIBERNATE, 3),
        None if pc == special::apply_args() => mfa(Atom::ERLANG, Atom::APPLY, 3),
        None => "unknown function".into(),
    };
    format!("0x{address:016x} ({named})")
}

/// The stack of a process that stands at `pc`, with the Y registers of each frame.
pub fn text(own: &Owned, pc: *const u64) -> String {
    let mut out = format!("Program counter: {}\n", place(pc));
    let mut y = 0;
    for (i, entry) in own.stack.entries().enumerate() {
        let _ = match entry {
            StackWord::Return(word) => {
                y = 0;
                let at = own.stack.sp().wrapping_add(i) as usize;
                let to = place(return_address(word));
                writeln!(out, "\n0x{at:016x} Return addr {to}")
            }
            StackWord::Catch(pc) => register(&mut out, &mut y, format_args!("Catch {}", place(pc))),
            StackWord::Term(t) => register(&mut out, &mut y, format_args!("{t}")),
        };
    }
    out
}

fn register(out: &mut String, y: &mut usize, what: std::fmt::Arguments<'_>) -> std::fmt::Result {
    let name = format!("y({y})");
    *y += 1;
    writeln!(out, "{name:8} {what}")
}
