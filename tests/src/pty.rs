//! Runs a program on a pseudo-terminal, types on it, and keeps what it showed.

use crate::proc::same_variables;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{Mode, OFlags};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcgetattr, tcsetwinsize};
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::process::{Child, Command, ExitStatus};
use std::time::{Duration, Instant};

/// Output has come to rest when there was none for so long.
const QUIET: Duration = Duration::from_millis(250);
/// What a step waits for comes within this time, or not at all.
const PATIENCE: Duration = Duration::from_secs(15);

/// One thing that the user does.
#[derive(Clone, Debug)]
pub enum TerminalStep {
    /// Types, and waits until the terminal shows a text, if there is one to wait for.
    Type(String, Option<String>),
    /// Makes the window this many columns and rows large.
    Resize(u16, u16),
}

/// What became of it.
#[derive(Debug)]
pub struct Shown {
    /// All that was sent to the terminal.
    pub bytes: Vec<u8>,
    /// How the program ended; nothing if it had to be ended.
    pub status: Option<ExitStatus>,
    /// Does the terminal have the modes again that it started with?
    pub restored: bool,
}

/// Runs a program on a terminal of so many columns and rows.
pub fn run(program: &Command, size: (u16, u16), steps: &[TerminalStep]) -> io::Result<Shown> {
    let (master, slave) = open(size)?;
    let before = modes(&master)?;
    let child = on_terminal(program)
        .stdin(slave.try_clone()?)
        .stdout(slave.try_clone()?)
        .stderr(slave.try_clone()?)
        .spawn()?;
    let mut screen = Screen {
        master,
        child,
        shown: Vec::new(),
    };
    screen.settle(Some("1> "));
    for step in steps {
        match step {
            TerminalStep::Type(keys, wait) => {
                screen.master.write_all(keys.as_bytes())?;
                screen.settle(wait.as_deref());
            }
            TerminalStep::Resize(columns, rows) => {
                resize(&screen.master, (*columns, *rows))?;
                screen.settle(None);
            }
        }
    }
    let status = screen.end();
    let restored = modes(&screen.master)? == before;
    // The terminal stays open until here: its modes die with its last user.
    drop(slave);
    Ok(Shown {
        bytes: std::mem::take(&mut screen.shown),
        status,
        restored,
    })
}

struct Screen {
    master: File,
    child: Child,
    shown: Vec<u8>,
}

impl Screen {
    /// Keeps what is shown until a text was seen and nothing follows for a while.
    fn settle(&mut self, wait: Option<&str>) {
        let from = self.shown.len();
        let start = Instant::now();
        let mut last = start;
        while start.elapsed() < PATIENCE {
            if self.read(Duration::from_millis(20)) {
                last = Instant::now();
                continue;
            }
            let seen = wait.is_none_or(|w| contains(&self.shown[from..], w.as_bytes()));
            if seen && last.elapsed() > QUIET || matches!(self.child.try_wait(), Ok(Some(_))) {
                return;
            }
        }
    }

    /// Reads once, if something comes in time.
    fn read(&mut self, patience: Duration) -> bool {
        let mut ready = [PollFd::new(&self.master, PollFlags::IN)];
        let patience = Timespec {
            tv_sec: 0,
            tv_nsec: i64::from(patience.subsec_nanos()),
        };
        if !matches!(poll(&mut ready, Some(&patience)), Ok(1..)) {
            return false;
        }
        let mut buffer = [0; 4096];
        match self.master.read(&mut buffer) {
            Ok(n) if n > 0 => {
                self.shown.extend_from_slice(&buffer[..n]);
                true
            }
            _ => false,
        }
    }

    /// Waits for the program's end, and ends it if it does not come.
    fn end(&mut self) -> Option<ExitStatus> {
        let start = Instant::now();
        let mut status = None;
        while status.is_none() && start.elapsed() < PATIENCE {
            self.read(Duration::from_millis(20));
            status = self.child.try_wait().ok().flatten();
        }
        if status.is_none() {
            // It may have ended in between; either way it is gone after `wait`.
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
        while self.read(Duration::from_millis(20)) {}
        status
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|w| w == part)
}

/// The same command as the leader of a session that has its standard input as terminal.
fn on_terminal(program: &Command) -> Command {
    let mut command = Command::new("setsid");
    command.arg("--ctty").arg(program.get_program());
    command.args(program.get_args());
    same_variables(&mut command, program);
    if let Some(folder) = program.get_current_dir() {
        command.current_dir(folder);
    }
    command
}

/// Both ends of a new terminal.
fn open(size: (u16, u16)) -> io::Result<(File, OwnedFd)> {
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
    grantpt(&master)?;
    unlockpt(&master)?;
    let name = ptsname(&master, Vec::new())?;
    let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
    let slave = rustix::fs::open(name.as_c_str(), flags, Mode::empty())?;
    resize(&slave, size)?;
    Ok((File::from(master), slave))
}

fn resize(fd: impl AsFd, (columns, rows): (u16, u16)) -> io::Result<()> {
    let size = Winsize {
        ws_row: rows,
        ws_col: columns,
        ws_xpixel: 0,
        ws_ypixel: 0,
    };
    Ok(tcsetwinsize(fd, size)?)
}

/// The terminal's modes as numbers.
fn modes(fd: &File) -> io::Result<[u32; 4]> {
    let m = tcgetattr(fd)?;
    Ok([
        m.input_modes.bits(),
        m.output_modes.bits(),
        m.control_modes.bits(),
        m.local_modes.bits(),
    ])
}
