//! The `enigma` executable.

use enigma_bifs::terminal::guard;
use std::os::unix::ffi::OsStringExt;
use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: enigma_runtime::sys::memory::Allocator = enigma_runtime::sys::memory::Allocator;

fn main() -> ExitCode {
    let mut args = std::env::args_os().map(OsStringExt::into_vec);
    let argv0 = args.next().unwrap_or_else(|| b"enigma".to_vec());
    let args: Vec<Vec<u8>> = args.collect();
    if args == [guard::ARGUMENT.as_bytes()] {
        return match guard::run() {
            Ok(()) => ExitCode::SUCCESS,
            Err(_) => ExitCode::FAILURE,
        };
    }
    ExitCode::from(enigma_vm::main(&argv0, &args))
}
