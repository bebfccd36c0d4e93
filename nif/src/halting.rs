//! What libraries want of a halt: to be told, or that it waits for their calls.

use crate::library::Library;
use parking_lot::Mutex;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

static LIBRARIES: Mutex<Vec<Weak<Library>>> = Mutex::new(Vec::new());

/// How often it is looked whether calls have ended.
const PAUSE: Duration = Duration::from_millis(1);

/// Notes a library that has been loaded.
pub fn add(library: &Arc<Library>) {
    let mut all = LIBRARIES.lock();
    all.retain(|l| l.strong_count() > 0);
    all.push(Arc::downgrade(library));
}

/// The VM halts: waits for calls that libraries want to be waited for, until `end` at most, and tells libraries. `false` if there was
/// not enough time.
pub fn halt(end: Option<Instant>) -> bool {
    let all: Vec<Arc<Library>> = LIBRARIES.lock().iter().filter_map(Weak::upgrade).collect();
    for library in &all {
        library.halt();
    }
    while all.iter().any(|l| l.calls_under_way() > 0) {
        if end.is_some_and(|end| Instant::now() >= end) {
            return false;
        }
        std::thread::sleep(PAUSE);
    }
    true
}
