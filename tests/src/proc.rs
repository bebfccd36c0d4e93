//! Runs a child process with a wall-clock limit and keeps what it printed.

use std::io::{Read, Write};
use std::process::{Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// What a finished (or killed) child left behind.
#[derive(Debug)]
pub struct Output {
    /// Everything it wrote to standard output.
    pub stdout: String,
    /// Everything it wrote to standard error.
    pub stderr: String,
    /// How it ended; `None` when the time limit was reached and it was killed.
    pub status: Option<ExitStatus>,
    /// Wall-clock time from start to end.
    pub elapsed: Duration,
}

impl Output {
    /// True when the child ended by itself with exit code 0.
    pub fn success(&self) -> bool {
        self.status.is_some_and(|s| s.success())
    }

    /// One short text that says how the child ended and its last words.
    pub fn obituary(&self) -> String {
        let how = match self.status {
            None => "killed at the time limit".to_string(),
            Some(s) => s.to_string(),
        };
        let mut last = tail(&self.stderr, 1500);
        if last.trim().is_empty() {
            last = tail(&self.stdout, 600);
        }
        format!("{how}: {}", last.trim())
    }
}

/// The last `n` bytes of a text, cut at a character boundary.
fn tail(text: &str, n: usize) -> String {
    let mut at = text.len().saturating_sub(n);
    while !text.is_char_boundary(at) {
        at += 1;
    }
    text[at..].to_string()
}

/// Gives a command the variables that another one has set or removed.
pub fn same_variables(to: &mut Command, from: &Command) {
    for (name, value) in from.get_envs() {
        match value {
            Some(value) => to.env(name, value),
            None => to.env_remove(name),
        };
    }
}

/// Runs `command` with no input until it ends or `limit` has passed.
pub fn run(command: Command, limit: Duration) -> Result<Output, String> {
    run_with_input(command, &[], limit)
}

/// Runs `command` with `input` on its standard input until it ends or `limit` has passed.
pub fn run_with_input(
    mut command: Command,
    input: &[u8],
    limit: Duration,
) -> Result<Output, String> {
    let start = Instant::now();
    let stdin = if input.is_empty() {
        Stdio::null()
    } else {
        Stdio::piped()
    };
    let mut child = command
        .stdin(stdin)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|e| format!("cannot start {:?}: {e}", command.get_program()))?;
    if let Some(mut pipe) = child.stdin.take() {
        // A child that ends without reading all of it is none of our business.
        let _ = pipe.write_all(input);
    }
    let out = drain(child.stdout.take());
    let err = drain(child.stderr.take());
    let mut pause = Duration::from_millis(2);
    let status = loop {
        match child.try_wait() {
            Ok(Some(status)) => break Some(status),
            Ok(None) if start.elapsed() >= limit => {
                // The child may have ended in between; either way it is gone after wait().
                let _ = child.kill();
                let _ = child.wait();
                break None;
            }
            Ok(None) => {
                thread::sleep(pause);
                pause = (pause * 2).min(Duration::from_millis(20));
            }
            Err(e) => return Err(format!("cannot wait for {:?}: {e}", command.get_program())),
        }
    };
    let elapsed = start.elapsed();
    Ok(Output {
        stdout: collect(out),
        stderr: collect(err),
        status,
        elapsed,
    })
}

type Reader = Option<thread::JoinHandle<Vec<u8>>>;

fn drain<R: Read + Send + 'static>(source: Option<R>) -> Reader {
    source.map(|mut source| {
        thread::spawn(move || {
            let mut bytes = Vec::new();
            // A read error ends the text early; what came before is still worth comparing.
            let _ = source.read_to_end(&mut bytes);
            bytes
        })
    })
}

fn collect(reader: Reader) -> String {
    let bytes = reader.and_then(|r| r.join().ok()).unwrap_or_default();
    String::from_utf8_lossy(&bytes).into_owned()
}
