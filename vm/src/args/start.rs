//! The part of the launcher that acts: epmd and going into the background.
//!
//! It must run before any thread is started, as only a program of one thread can be split
//! in two and both halves go on.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStrExt;
use std::process::Command;

use super::Run;
use crate::env::Env;

/// Does what a command asks for before its system runs: announces it, starts epmd, goes
/// into the background. In the process that was called, going into the background ends
/// the program with status 0.
pub fn prepare(run: &Run) -> io::Result<()> {
    if !run.announce.is_empty() {
        let mut stdout = io::stdout();
        stdout.write_all(&run.announce)?;
        stdout.flush()?;
    }
    if let Some(command) = &run.epmd {
        start_epmd(command, &run.env)?;
    }
    if run.detached { detach() } else { Ok(()) }
}

/// Runs a command of the shell. Whether epmd then runs is up to it: Erlang code finds out.
fn start_epmd(command: &[u8], env: &Env) -> io::Result<()> {
    Command::new("/bin/sh")
        .arg("-c")
        .arg(OsStr::from_bytes(command))
        .env_clear()
        .envs(
            env.iter()
                .map(|(name, value)| (OsStr::from_bytes(name), OsStr::from_bytes(value))),
        )
        .status()
        .map(drop)
}

/// Goes on in a process that has no parent waiting for it, no terminal, and nothing but
/// `/dev/null` as standard input, output and error.
fn detach() -> io::Result<()> {
    if std::fs::read_dir("/proc/self/task").map_or(0, Iterator::count) > 1 {
        return Err(io::Error::other(
            "threads are running, too late to go into the background",
        ));
    }
    leave_parent()?;
    // SAFETY: setsid takes no pointers; it fails harmlessly where this process leads a group.
    unsafe { libc::setsid() };
    leave_parent()?;
    let null = File::options().read(true).write(true).open("/dev/null")?;
    for descriptor in 0..=2 {
        // SAFETY: both are plain descriptors, and the standard ones are owned by nobody.
        if unsafe { libc::dup2(null.as_raw_fd(), descriptor) } < 0 {
            return Err(io::Error::last_os_error());
        }
    }
    Ok(())
}

/// Splits the process and ends the old one.
fn leave_parent() -> io::Result<()> {
    // SAFETY: this process has one thread (checked by the caller), so the child holds no
    // lock of a thread that it lacks.
    match unsafe { libc::fork() } {
        -1 => Err(io::Error::last_os_error()),
        0 => Ok(()),
        // SAFETY: _exit takes no pointers; unlike exit it leaves the buffers alone that the
        // child has inherited.
        _ => unsafe { libc::_exit(0) },
    }
}
