//! The threaded handlers of the interpreter go on to each other by jumps. Stable Rust does not promise that: a
//! compiler that made calls of them would be noticed only when a scheduler's stack is full. So the machine
//! code is looked at.

use enigma_tests::machine::Machine;
use std::process::Command;

/// Names of the functions that are looked at begin with this.
const HANDLERS: &str = "enigma_runtime::interp::handlers::";
/// Slow handlers return to the loop instead, and may call anything.
const SLOW: &str = "::slow::";
/// At least so many have to be found, or the names have changed.
const LEAST: usize = 100;

/// Is this line of a disassembly a call of an address that is known only at run time? Calls of other libraries
/// go through a table at a fixed place and are not meant.
fn is_indirect_call(line: &str) -> bool {
    let code = line.split('\t').next_back().unwrap_or("").trim();
    let Some((name, target)) = code.split_once(char::is_whitespace) else {
        return false;
    };
    match name {
        "blr" => true,
        n if n.starts_with("call") => {
            let target = target.trim();
            target.starts_with('*') && !target.contains("(%rip)")
        }
        _ => false,
    }
}

#[test]
fn handlers_end_in_jumps() {
    let Machine::Enigma(program) = Machine::under_test().expect("a program to look at") else {
        println!("skipped: the machine under test is not Enigma");
        return;
    };
    let out = Command::new("objdump")
        .args(["-d", "--no-show-raw-insn", "-C"])
        .arg(&program)
        .output()
        .expect("objdump, of the package binutils");
    let listing = String::from_utf8_lossy(&out.stdout);
    let mut handler = None;
    let mut found = 0;
    let mut jumps = 0;
    let mut calls = Vec::new();
    for line in listing.lines() {
        if line.ends_with(">:") {
            let name = line
                .split_once('<')
                .map_or("", |(_, n)| n.trim_end_matches(">:"));
            handler = name.strip_prefix(HANDLERS).filter(|n| !n.contains(SLOW));
            found += usize::from(handler.is_some());
        } else if let Some(name) = handler {
            if is_indirect_call(line) {
                calls.push(name.to_owned());
            }
            jumps += usize::from(line.contains("jmp    *") || line.contains("\tbr\t"));
        }
    }
    assert!(
        found >= LEAST,
        "{found} handlers found in {}",
        program.display()
    );
    assert!(jumps >= LEAST, "{jumps} jumps from handler to handler");
    calls.dedup();
    assert!(
        calls.is_empty(),
        "handlers that call the next one: {calls:?}"
    );
}
