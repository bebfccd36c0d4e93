//! What Ctrl+C opens: a menu on the terminal, which asks for a letter and shows or does something.
//!
//! Everything else goes on meanwhile, except that nobody else reads what is typed.

mod facts;

use crate::system::facts::facts;
use crate::terminal::initial;
use crate::terminal::modes::Modes;
use crate::terminal::{self, input};
use crate::{crash_dump, os_signal};
use enigma_runtime::atom::Atom;
use enigma_runtime::heap::literal::OwnedTerm;
use enigma_runtime::process::exit_reason::ExitReason;
use enigma_runtime::process::{PidKey, exit, table};
use enigma_runtime::{Term, release};
use std::sync::atomic::{AtomicBool, Ordering};

const STDIN: i32 = 0;
const STDOUT: i32 = 1;

const HELP: &str = "BREAK: (a)bort (A)bort with dump (c)ontinue (p)roc info (i)nfo\n       \
                    (l)oaded (v)ersion (k)ill (D)b-tables (d)istribution\n";

/// Is the menu open?
static OPEN: AtomicBool = AtomicBool::new(false);

/// The interrupt signal opens the menu from now on. A second one, while it is open, ends the system.
pub fn install() {
    os_signal::watch(libc::SIGINT, || {
        if OPEN.swap(true, Ordering::Relaxed) {
            std::process::exit(0);
        }
        let menu = std::thread::Builder::new().name("break_menu".into());
        if menu.spawn(open).is_err() {
            OPEN.store(false, Ordering::Relaxed);
        }
    });
}

/// The interrupt key has no meaning to the terminal any more: it is typed like any other.
pub fn disable_key() {
    if terminal::is_terminal(STDIN)
        && let Ok(modes) = Modes::of(STDIN)
    {
        // Without it the key keeps its meaning.
        let _ = modes.without_interrupt_key().set(STDIN);
    }
}

fn open() {
    let pause = input::pause();
    let before = Modes::of(STDIN).ok();
    if before.is_some()
        && let Some(initial) = initial::modes()
    {
        // A terminal that is gone has no modes.
        let _ = initial.set(STDIN);
    }
    run();
    if let Some(before) = before {
        let _ = before.set(STDIN);
    }
    drop(pause);
    OPEN.store(false, Ordering::Relaxed);
}

/// Shows a text; on a terminal, lines also go back to the first column.
fn show(text: &str) {
    let text = match terminal::is_terminal(STDOUT) {
        true => text.replace('\n', "\r\n"),
        false => text.to_string(),
    };
    // Who opened the menu may have closed the terminal since.
    let _ = terminal::write_all(STDOUT, text.as_bytes());
}

/// The first letter of what is typed next; the system ends with its input.
fn key() -> u8 {
    let mut typed = [0u8; 64];
    loop {
        terminal::wait(STDIN, libc::POLLIN);
        // SAFETY: room for as many bytes as are asked for.
        let n = unsafe { libc::read(STDIN, typed.as_mut_ptr().cast(), typed.len()) };
        if n > 0 {
            return typed[0];
        }
        let e = std::io::Error::last_os_error();
        let passing = matches!(
            e.kind(),
            std::io::ErrorKind::WouldBlock | std::io::ErrorKind::Interrupted
        );
        if n == 0 || !passing {
            std::process::exit(0);
        }
    }
}

fn run() {
    // From 26 on what is below the cursor is erased first.
    let erase = if release::number() >= 26 {
        "\x1b[J"
    } else {
        ""
    };
    show(&format!("\n{erase}{HELP}"));
    loop {
        match key() {
            b'q' | b'a' | b'*' => std::process::exit(0),
            b'A' => {
                let slogan = "Crash dump requested by user";
                eprint!("{slogan}");
                crash_dump::write(slogan);
                std::process::exit(1);
            }
            b'c' | b'm' => return,
            b'p' => {
                facts::processes(show);
                return facts::ports(show);
            }
            b'o' => return facts::ports(show),
            b'i' => return facts::system(show),
            b'l' => return facts::modules(show),
            b'v' => {
                let version = &facts().erts_version;
                return show(&format!("Erlang (BEAM) emulator version {version}\n"));
            }
            b'd' => return facts::distribution(show),
            b'D' => return facts::tables(show),
            b'k' => return kill(),
            b'\n' => {}
            other => show(&format!(
                "Invalid option '{}'. Please enter one of the following:\n{HELP}",
                char::from(other)
            )),
        }
    }
}

/// Goes through the processes, the newest first, and asks which ones to kill.
fn kill() {
    let line = "-".repeat(50);
    show(&format!("\n\nProcess Information\n\n{line}\n"));
    let mut all = table::all();
    all.reverse();
    for id in all.into_iter().filter_map(Term::as_local_pid) {
        let Some(text) = facts::process(id) else {
            continue;
        };
        show(&text);
        show("(k)ill (n)ext (r)eturn:\n");
        match key() {
            b'k' => {
                let from = OwnedTerm::new(Term::local_pid(0));
                let reason = ExitReason::new(Atom::new("kill").into());
                exit::send_exit_to(PidKey::local(id), &from, &reason, false);
            }
            b'n' => {}
            _ => return,
        }
    }
}
