//! The permission to change code, which a test may hold (`erts_debug:set_internal_state(code_mod_permission, true)`): until it gives it
//! back, BIFs of other processes that load, delete or purge code wait.

use enigma_runtime::process::table;
use enigma_runtime::{Ctx, Exit, sched};
use parking_lot::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

/// Does somebody hold it?
static HELD: AtomicBool = AtomicBool::new(false);
static PERMISSION: Mutex<Permission> = Mutex::new(Permission {
    holder: None,
    waiting: Vec::new(),
});

struct Permission {
    holder: Option<u64>,
    /// Processes whose BIFs are to be called again.
    waiting: Vec<u64>,
}

/// May the process change code? If not, what its BIF gives: it is called again when it may.
pub fn check(cx: &Ctx<'_>) -> Result<(), Exit> {
    if HELD.load(Ordering::Acquire) {
        wait_for(cx, &mut PERMISSION.lock())?;
    }
    Ok(())
}

fn wait_for(cx: &Ctx<'_>, permission: &mut Permission) -> Result<(), Exit> {
    let me = cx.proc.id;
    let held = |h: u64| h != me && table::with(h, |p| !p.state.is_exiting()).unwrap_or(false);
    if permission.holder.is_some_and(held) {
        permission.waiting.push(me);
        return Err(Exit::Wait);
    }
    Ok(())
}

/// The process holds it from now on.
pub fn seize(cx: &Ctx<'_>) -> Result<(), Exit> {
    let mut permission = PERMISSION.lock();
    wait_for(cx, &mut permission)?;
    permission.holder = Some(cx.proc.id);
    HELD.store(true, Ordering::Release);
    Ok(())
}

/// The process gives it back.
pub fn release(cx: &Ctx<'_>) {
    let mut permission = PERMISSION.lock();
    if permission.holder != Some(cx.proc.id) {
        return;
    }
    permission.holder = None;
    HELD.store(false, Ordering::Release);
    for process in std::mem::take(&mut permission.waiting) {
        table::with(process, sched::wake);
    }
}
