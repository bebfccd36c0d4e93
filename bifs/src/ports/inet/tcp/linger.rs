//! Sending what is left when a port has closed.

use super::queue::{FilesDone, OutputQueue};
use crate::ports::inet::sys::Socket;
use enigma_runtime::io::{Readiness, Source, Waits, Watched};
use parking_lot::Mutex;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Weak};
use std::time::{Duration, Instant};

/// A connection without a port.
struct Remains {
    number: u64,
    left: Mutex<Option<Left>>,
}

struct Left {
    // The registration goes before the socket is closed.
    watched: Option<Watched>,
    socket: Socket,
    output: OutputQueue,
}

/// All of them; they are theirs only.
static ALL: LazyLock<Mutex<HashMap<u64, Arc<Remains>>>> = LazyLock::new(Mutex::default);

/// Calls of the system that are made in a row before others have a turn.
const TURN: usize = 16;

/// Sends what waits, then closes the socket.
pub fn finish(socket: Socket, output: OutputQueue) {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let remains = Arc::new(Remains {
        number,
        left: Mutex::new(None),
    });
    let source: Weak<Remains> = Arc::downgrade(&remains);
    let mut left = remains.left.lock();
    // Without the poller's help what waits is lost.
    if let Ok(watched) = Watched::new(socket.fd(), source, Waits::WRITE) {
        *left = Some(Left {
            watched: Some(watched),
            socket,
            output,
        });
        drop(left);
        ALL.lock().insert(number, remains);
    }
}

impl Source for Remains {
    fn ready(&self, _: Readiness) -> bool {
        let mut left = self.left.lock();
        let Some(l) = left.as_mut() else { return false };
        for _ in 0..TURN {
            match l.output.step(&l.socket, &mut FilesDone::new()) {
                Ok(()) if !l.output.is_empty() => {}
                Err(e) if e.raw_os_error() == Some(libc::EINTR) => {}
                Err(e) if e.raw_os_error() == Some(libc::EAGAIN) => return false,
                Ok(()) | Err(_) => {
                    l.watched = None;
                    *left = None;
                    drop(left);
                    ALL.lock().remove(&self.number);
                    return false;
                }
            }
        }
        true
    }
}

/// Waits until nothing is left, for a limited time.
pub fn wait(limit: Duration) {
    let begun = Instant::now();
    while !ALL.lock().is_empty() && begun.elapsed() < limit {
        std::thread::sleep(Duration::from_millis(10));
    }
}
