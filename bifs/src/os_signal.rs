//! Signals of the operating system that Erlang code wants to hear of: each becomes the message
//! `{notify, Name}` to the process registered as `erl_signal_server`. Parts of the VM may watch a signal
//! instead.
//!
//! The handler itself only writes the signal's number into a pipe; a thread reads the pipe.

use enigma_runtime::Term;
use enigma_runtime::atom::Atom;
use enigma_runtime::process::{handle as process_handle, registry, signal};
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::{Arc, OnceLock};

/// What is done when a signal comes, by its number.
type Watchers = BTreeMap<i32, Arc<dyn Fn() + Send + Sync>>;

static WATCHERS: Mutex<Watchers> = Mutex::new(BTreeMap::new());
static PIPE: AtomicI32 = AtomicI32::new(-1);
static STARTED: OnceLock<bool> = OnceLock::new();

extern "C" fn on_signal(number: libc::c_int) {
    let fd = PIPE.load(Ordering::Relaxed);
    let byte = number as u8;
    // SAFETY: `write` may be called in a signal handler; the byte lives on this stack.
    unsafe {
        let _ = libc::write(fd, (&raw const byte).cast(), 1);
    }
}

fn set(number: i32, action: libc::sighandler_t) -> bool {
    // SAFETY: the structure is filled in completely; handlers are plain functions of this program.
    unsafe {
        let mut sa: libc::sigaction = std::mem::zeroed();
        sa.sa_sigaction = action;
        sa.sa_flags = libc::SA_RESTART;
        libc::sigemptyset(&raw mut sa.sa_mask);
        libc::sigaction(number, &raw const sa, std::ptr::null_mut()) == 0
    }
}

/// The signal is ignored from now on.
pub fn ignore(number: i32) -> bool {
    WATCHERS.lock().remove(&number);
    set(number, libc::SIG_IGN)
}

/// The signal has its usual effect from now on.
pub fn default(number: i32) -> bool {
    WATCHERS.lock().remove(&number);
    set(number, libc::SIG_DFL)
}

/// The signal becomes a message from now on.
pub fn handle(number: i32) -> bool {
    WATCHERS.lock().remove(&number);
    arrive(number)
}

/// The function is called from now on, in a thread of its own: it must not take long.
pub fn watch(number: i32, f: impl Fn() + Send + Sync + 'static) -> bool {
    WATCHERS.lock().insert(number, Arc::new(f));
    arrive(number)
}

fn arrive(number: i32) -> bool {
    *STARTED.get_or_init(start) && set(number, on_signal as *const () as libc::sighandler_t)
}

fn start() -> bool {
    let mut fds = [0; 2];
    // SAFETY: room for two descriptors.
    if unsafe { libc::pipe2(fds.as_mut_ptr(), libc::O_CLOEXEC) } != 0 {
        return false;
    }
    PIPE.store(fds[1], Ordering::Relaxed);
    let from = fds[0];
    std::thread::Builder::new()
        .name("sys_signal".into())
        .spawn(move || read_loop(from))
        .is_ok()
}

fn read_loop(fd: i32) {
    loop {
        let mut byte = 0u8;
        // SAFETY: one byte of room.
        let n = unsafe { libc::read(fd, (&raw mut byte).cast(), 1) };
        if n == 1 {
            let number = i32::from(byte);
            let watcher = WATCHERS.lock().get(&number).cloned();
            match watcher {
                Some(f) => f(),
                None => notify(number),
            }
        } else if n == 0 {
            return;
        }
    }
}

fn notify(number: i32) {
    let name = match number {
        libc::SIGHUP => "sighup",
        libc::SIGQUIT => "sigquit",
        libc::SIGABRT => "sigabrt",
        libc::SIGALRM => "sigalrm",
        libc::SIGTERM => "sigterm",
        libc::SIGUSR1 => "sigusr1",
        libc::SIGUSR2 => "sigusr2",
        libc::SIGCHLD => "sigchld",
        libc::SIGTSTP => "sigtstp",
        libc::SIGCONT => "sigcont",
        libc::SIGWINCH => "sigwinch",
        _ => return,
    };
    let server = registry::whereis(Atom::new("erl_signal_server")).and_then(Term::as_local_pid);
    if let Some(id) = server {
        let message = process_handle::build(|h| {
            h.tuple(&[Atom::new("notify").into(), Atom::new(name).into()])
        });
        signal::send(id, signal::Signal::Message(message));
    }
}
