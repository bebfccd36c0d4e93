//! Starting a program: its command, environment, directory and descriptors.

use crate::errno;
use crate::ports::options::PortOptions;
use enigma_runtime::atom::Atom;
use enigma_runtime::sys;
use parking_lot::Mutex;
use std::ffi::{CString, OsStr};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};

/// What is to be run.
pub enum What<'a> {
    /// A command for the shell.
    Shell(&'a [u8]),
    /// A program.
    Executable(&'a [u8]),
}

/// Starts a program, which is not to inherit what this process has set about huge pages.
fn spawn(c: &mut Command) -> std::io::Result<Child> {
    static STARTING: Mutex<()> = Mutex::new(());
    let _one_at_a_time = STARTING.lock();
    sys::huge_pages_by_default();
    let _loosened = enigma_runtime::sched::bind::loosened();
    let started = c.spawn();
    sys::huge_pages_on_request();
    started
}

fn command(what: &What<'_>, o: &PortOptions) -> Command {
    let os = OsStr::from_bytes;
    let mut c = match what {
        What::Shell(line) => {
            let mut c = Command::new("/bin/sh");
            c.arg0("sh");
            c.arg("-c").arg(os(&[b"exec ", *line].concat()));
            c
        }
        What::Executable(file) => {
            let mut c = Command::new(os(file));
            c.args(o.args.iter().flatten().map(|a| os(a)));
            if let Some(name) = &o.arg0 {
                c.arg0(os(name));
            }
            c
        }
    };
    c.env_clear();
    let mut env = crate::os::environment();
    for (k, v) in &o.env {
        match v {
            Some(v) => env.insert(k.clone(), v.clone()),
            None => env.remove(k),
        };
    }
    c.envs(env.iter().map(|(k, v)| (os(k), os(v))));
    c
}

/// Makes the program start in a directory; where that is not possible the program has ended, with the
/// error's number as its status, and our standard error says so.
fn change_directory(c: &mut Command, dir: &[u8]) -> Result<(), Atom> {
    let message = [b"spawn: Could not cd to ", dir, b"\r\n"].concat();
    let dir = CString::new(dir).map_err(|_| Atom::EINVAL)?;
    let stderr = std::io::stderr().as_fd().try_clone_to_owned();
    let stderr = stderr.map_err(|e| errno::of(&e))?;
    // SAFETY: only `chdir`, `write` and `_exit` are called between fork and exec, and nothing is allocated.
    unsafe {
        c.pre_exec(move || {
            if libc::chdir(dir.as_ptr()) == 0 {
                return Ok(());
            }
            let status = std::io::Error::last_os_error().raw_os_error().unwrap_or(1);
            libc::write(stderr.as_raw_fd(), message.as_ptr().cast(), message.len());
            libc::_exit(status)
        });
    }
    Ok(())
}

/// May this file be run? A directory passes, and fails when it is run.
fn check_executable(file: &[u8]) -> Result<(), Atom> {
    let path = CString::new(file).map_err(|_| Atom::EINVAL)?;
    // SAFETY: the path is a string that ends in zero.
    match unsafe { libc::access(path.as_ptr(), libc::X_OK) } {
        0 => Ok(()),
        _ => Err(errno::of(&std::io::Error::last_os_error())),
    }
}

/// A program that was started.
pub enum Started {
    /// It runs, or has run.
    Running(Child),
    /// The operating system did not run it: its status is the error's number.
    Ended(i32),
}

impl Started {
    /// The program's process id.
    pub fn pid(&self) -> Option<u32> {
        match self {
            Started::Running(child) => Some(child.id()),
            Started::Ended(_) => None,
        }
    }
}

fn run(mut c: Command) -> Result<Started, Atom> {
    match spawn(&mut c) {
        Ok(child) => Ok(Started::Running(child)),
        Err(e) => match e.raw_os_error() {
            Some(n) if !matches!(n, libc::EAGAIN | libc::ENOMEM) => Ok(Started::Ended(n)),
            _ => Err(errno::of(&e)),
        },
    }
}

/// May it be run at all?
pub fn check(what: &What<'_>) -> Result<(), Atom> {
    match what {
        What::Executable(file) => check_executable(file),
        What::Shell(_) => Ok(()),
    }
}

/// Starts it: our ends of its pipes.
pub fn start(what: &What<'_>, o: &PortOptions) -> Result<(Started, Ends), Atom> {
    let mut c = command(what, o);
    stand_alone(&mut c);
    let mut far_ends: Vec<OwnedFd> = Vec::new();
    let ends = plumb(&mut c, o, &mut far_ends)?;
    if let Some(dir) = &o.cd {
        change_directory(&mut c, dir)?;
    }
    let started = run(c)?;
    Ok((started, ends))
}

/// Makes the program a session of its own, without the descriptors that this process has, and with the signals ignored that
/// BEAM's programs ignore.
fn stand_alone(c: &mut Command) {
    // SAFETY: `sysconf` only reads a number.
    let limit = unsafe { libc::sysconf(libc::_SC_OPEN_MAX) };
    let limit = i32::try_from(limit).unwrap_or(i32::MAX);
    // SAFETY: only system calls that may be made between fork and exec are, and nothing is allocated.
    unsafe {
        c.pre_exec(move || {
            libc::setsid();
            libc::signal(libc::SIGPIPE, libc::SIG_IGN);
            libc::signal(libc::SIGFPE, libc::SIG_IGN);
            let flags = libc::CLOSE_RANGE_CLOEXEC;
            if libc::syscall(libc::SYS_close_range, 3, libc::c_uint::MAX, flags) != 0 {
                for fd in 3..limit {
                    libc::fcntl(fd, libc::F_SETFD, libc::FD_CLOEXEC);
                }
            }
            Ok(())
        });
    }
}

/// Our ends of the pipes from and to a program.
pub type Ends = (Option<OwnedFd>, Option<OwnedFd>);

/// A pipe: where it is read, and where it is written.
fn pipe() -> Result<(OwnedFd, OwnedFd), Atom> {
    let (r, w) = std::io::pipe().map_err(|e| errno::of(&e))?;
    Ok((r.into(), w.into()))
}

/// Connects the program's descriptors; gives our ends.
fn plumb(c: &mut Command, o: &PortOptions, far: &mut Vec<OwnedFd>) -> Result<Ends, Atom> {
    let (mut ours_in, mut ours_out) = (None, None);
    if o.nouse_stdio {
        // The program reads from 3 and writes to 4, as far as it has to.
        let mut moves = Vec::new();
        let mut give = |end: OwnedFd, to| {
            moves.push((end.as_raw_fd(), to));
            far.push(end);
        };
        if o.output {
            let (r, w) = pipe()?;
            give(r, 3);
            ours_out = Some(w);
        }
        if o.input {
            let (r, w) = pipe()?;
            give(w, 4);
            ours_in = Some(r);
        }
        // SAFETY: only `fcntl`, `dup2` and `close` are called between fork and exec, which is allowed there.
        unsafe {
            c.pre_exec(move || {
                // First out of each other's way.
                let mut away = [-1; 2];
                for (spare, &(from, _)) in away.iter_mut().zip(&moves) {
                    *spare = libc::fcntl(from, libc::F_DUPFD, 10);
                    if *spare < 0 {
                        return Err(std::io::Error::last_os_error());
                    }
                }
                for (&spare, &(_, to)) in away.iter().zip(&moves) {
                    if libc::dup2(spare, to) < 0 {
                        return Err(std::io::Error::last_os_error());
                    }
                    libc::close(spare);
                }
                Ok(())
            });
        }
        return Ok((ours_in, ours_out));
    }
    if o.output {
        let (r, w) = pipe()?;
        c.stdin(Stdio::from(r));
        ours_out = Some(w);
    } else {
        c.stdin(Stdio::null());
    }
    if o.input {
        let (r, w) = pipe()?;
        if o.stderr_to_stdout {
            let copy = w.try_clone().map_err(|e| errno::of(&e))?;
            c.stderr(Stdio::from(copy));
        }
        c.stdout(Stdio::from(w));
        ours_in = Some(r);
    } else if o.stderr_to_stdout {
        c.stderr(Stdio::inherit());
    }
    Ok((ours_in, ours_out))
}
