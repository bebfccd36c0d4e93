//! Blocking multi-scheduling: one scheduler goes on, the others rest until all who asked for it have taken
//! it back. If the dirty pools are blocked as well, their threads and that scheduler take turns: code
//! still gets loaded and files read, but only one thread of them all runs at a time.
//!
//! A blocker is a process; it may block more than once, and its blocks end with it at the latest. After
//! `block` it has to wait until the threads that were inside a time slice have left it
//! (`quiescence::after`, `after_all`); no thread begins another one.

use super::meter::Meter;
use super::{poke, schedulers};
use crate::time;
use parking_lot::{Mutex, MutexGuard};
use std::sync::atomic::{AtomicBool, Ordering};

/// What rests.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Block {
    /// All threads but one, those of dirty pools too.
    All,
    /// All schedulers but one.
    Normal,
}

/// Who blocks what.
static BLOCKS: Mutex<Vec<(u64, Block)>> = Mutex::new(Vec::new());

/// Do threads take turns?
static TURNS: AtomicBool = AtomicBool::new(false);
static TURN: Mutex<()> = Mutex::new(());

/// To be held during a time slice, from after its thread has entered it: whoever blocks waits for those that
/// were inside by then, and the others find that there are turns. Waiting for the turn is no work of the thread with this meter.
pub(crate) fn turn(work: Option<&Meter>) -> Option<MutexGuard<'static, ()>> {
    if !TURNS.load(Ordering::SeqCst) {
        return None;
    }
    if let Some(turn) = TURN.try_lock() {
        return Some(turn);
    }
    work.inspect(|m| m.stop(time::monotonic()));
    let turn = TURN.lock();
    work.inspect(|m| m.start(time::monotonic()));
    Some(turn)
}

/// Makes a change to the number of schedulers online, and puts in force what follows from it.
pub(super) fn change<R>(f: impl FnOnce() -> R) -> R {
    let blocks = BLOCKS.lock();
    let r = f();
    apply(&blocks);
    r
}

fn apply(blocks: &[(u64, Block)]) {
    let s = schedulers();
    let active = if blocks.is_empty() {
        s.online.load(Ordering::Relaxed)
    } else {
        1
    };
    s.active.store(active, Ordering::SeqCst);
    let turns = blocks.iter().any(|b| b.1 == Block::All);
    TURNS.store(turns, Ordering::SeqCst);
    (0..s.all.len()).for_each(poke);
}

/// The process blocks.
pub fn block(process: u64, what: Block) {
    let mut blocks = BLOCKS.lock();
    blocks.push((process, what));
    apply(&blocks);
}

/// The process takes back one of its blocks, if it has one.
pub fn unblock(process: u64, what: Block) {
    let mut blocks = BLOCKS.lock();
    if let Some(i) = blocks.iter().rposition(|&b| b == (process, what)) {
        blocks.remove(i);
        apply(&blocks);
    }
}

/// The process takes back all that it has blocked.
pub fn release(process: u64) {
    let mut blocks = BLOCKS.lock();
    let before = blocks.len();
    blocks.retain(|b| b.0 != process);
    if blocks.len() != before {
        apply(&blocks);
    }
}

/// What rests now.
pub fn current() -> Option<Block> {
    let blocks = BLOCKS.lock();
    let all = blocks.iter().any(|b| b.1 == Block::All);
    match (all, blocks.is_empty()) {
        (true, _) => Some(Block::All),
        (false, false) => Some(Block::Normal),
        (false, true) => None,
    }
}

/// The processes that block this, each once.
pub fn blockers(what: Block) -> Vec<u64> {
    let blocks = BLOCKS.lock();
    let mut ids: Vec<u64> = blocks.iter().filter(|b| b.1 == what).map(|b| b.0).collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}
