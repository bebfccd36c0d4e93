//! The one place that reads arguments and environment and wires the other crates together.

pub mod args;
pub mod boot;
mod census;
pub mod env;
pub mod inspect;

use args::{Command, Printout};
use env::Env;
use std::ffi::OsStr;
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::CommandExt;

/// Does what a command line asks for; gives the exit status.
pub fn main(argv0: &[u8], args: &[Vec<u8>]) -> u8 {
    enigma_runtime::sys::memory::limit_c_arenas();
    enigma_runtime::sys::huge_pages_on_request();
    enigma_runtime::bug::set_dump_writer(enigma_bifs::crash_dump::write);
    std::panic::set_hook(Box::new(|info| {
        enigma_runtime::bug::vm_bug(&info.to_string())
    }));
    let command = match args::parse(argv0, args, Env::from_os()) {
        Ok(c) => c,
        Err(e) => return refuse(&e),
    };
    match command {
        Command::Census { args } => match census::command_line(argv0, &args) {
            Ok(command) => carry_out(command),
            Err(e) => refuse(&e),
        },
        command => carry_out(command),
    }
}

/// A command line that cannot be carried out, or that asks for a help text.
fn refuse(why: &args::ArgError) -> u8 {
    match why.status {
        0 => print(&why.text, &[], 0),
        status => print(&[], &why.text, status),
    }
}

/// Does what is asked for; gives the exit status.
fn carry_out(command: Command) -> u8 {
    match command {
        Command::Print(Printout {
            stdout,
            stderr,
            status,
        }) => print(&stdout, &stderr, status),
        Command::Inspect { args } => inspect::run(&args),
        Command::Census { .. } => fail("a census of a census"),
        Command::Exec { program, args, env } => {
            let e = std::process::Command::new(OsStr::from_bytes(&program))
                .args(args.iter().map(|a| OsStr::from_bytes(a)))
                .env_clear()
                .envs(
                    env.iter()
                        .map(|(k, v)| (OsStr::from_bytes(k), OsStr::from_bytes(v))),
                )
                .exec();
            fail(&format!(
                "cannot run {}: {e}",
                String::from_utf8_lossy(&program)
            ))
        }
        Command::Run(run) => {
            if let Err(e) = args::start::prepare(&run) {
                return fail(&e.to_string());
            }
            let _ = std::io::stderr().write_all(&run.emu.notices);
            match boot::run(&run) {
                Ok(status) => status as u8,
                Err(e) => fail(&e.to_string()),
            }
        }
    }
}

/// Writes to standard output and error; nobody is left to tell where that fails.
fn print(stdout: &[u8], stderr: &[u8], status: i32) -> u8 {
    let _ = std::io::stdout().write_all(stdout);
    let _ = std::io::stderr().write_all(stderr);
    status as u8
}

fn fail(why: &str) -> u8 {
    print(&[], format!("enigma: {why}\n").as_bytes(), 1)
}
