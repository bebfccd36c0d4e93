//! A small process beside the VM that puts the terminal's modes back when the VM is killed, as `erl_child_setup`
//! does from OTP 26 on.

use super::descriptor::wait_for;
use super::modes::Modes;
use parking_lot::Mutex;
use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};

/// The only argument of the process.
pub const ARGUMENT: &str = "--terminal-guard";

static GUARD: Mutex<Option<Child>> = Mutex::new(None);

/// Starts the process. When this returns, it knows the terminal's modes.
pub fn start() -> io::Result<()> {
    let mut guard = Command::new(std::env::current_exe()?)
        .arg(ARGUMENT)
        .stdin(io::stdin().as_fd().try_clone_to_owned()?)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        // Signals that the terminal's keys send are not for it.
        .process_group(0)
        .spawn()?;
    if let Some(ready) = guard.stdout.as_mut() {
        ready.read_exact(&mut [0])?;
    }
    *GUARD.lock() = Some(guard);
    Ok(())
}

/// Ends the process: the VM puts the modes back by itself.
pub fn dismiss() {
    // Without waiting: who holds the lock may be the thread that is ending the VM.
    if let Some(mut guard) = GUARD.try_lock().and_then(|mut g| g.take()) {
        // It may have been killed before; then there is nothing left to end.
        let _ = guard.kill();
    }
}

/// What the process does: it waits for the end of whoever has started it.
pub fn run() -> io::Result<()> {
    // SAFETY: no handler is set. The process is not in the terminal's foreground, and may change modes all the same.
    unsafe { libc::signal(libc::SIGTTOU, libc::SIG_IGN) };
    let modes = Modes::of(libc::STDIN_FILENO)?;
    let mut stdout = io::stdout();
    stdout.write_all(b"1")?;
    stdout.flush()?;
    wait_for(libc::STDOUT_FILENO, 0, -1);
    modes.put(libc::STDIN_FILENO)
}
