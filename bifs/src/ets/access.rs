//! Which table a term stands for, and who may do what with it.

use enigma_runtime::atom::Atom;
use enigma_runtime::ets::registry::{self, Found, NotFound};
use enigma_runtime::ets::{Protection, Table};
use enigma_runtime::{Ctx, Exit, Term};
use parking_lot::Mutex;
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};

/// What a BIF wants to do with a table.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// Look at its objects.
    Read,
    /// Change it.
    Write,
    /// Information, which everybody may have.
    Info,
}

static SUPER_USERS: Mutex<BTreeSet<u64>> = Mutex::new(BTreeSet::new());
static ANY_SUPER_USER: AtomicBool = AtomicBool::new(false);

/// `error:badarg` with a cause for the module that explains errors.
#[cold]
pub fn cause(name: &str) -> Exit {
    Exit::error_cause(Atom::BADARG, Atom::new(name))
}

/// The table that a term stands for, if the calling process may do with it what it wants.
pub fn table<'a>(cx: &Ctx<'_>, t: Term, need: Need) -> Result<Found<'a>, Exit> {
    match registry::held(t) {
        Some(found) if may(cx, &found, need) => Ok(found),
        _ => other_table(cx, t, need),
    }
}

/// The table that a reference holds, if the calling process may do with it what it wants.
#[inline(always)]
pub fn held<'a>(cx: &Ctx<'_>, t: Term, need: Need) -> Option<&'a Table> {
    let (_, t) = t.as_resource::<Table>()?;
    (!t.is_deleted() && may(cx, t, need)).then_some(t)
}

/// A variable `$t` for the table that a term stands for, as `table` gives it: most are held by a reference, and then no more is made
/// than an address.
macro_rules! open_table {
    ($t:ident = $cx:expr, $term:expr, $need:expr) => {
        let found;
        let $t: &Table = match $crate::ets::access::held($cx, $term, $need) {
            Some(t) => t,
            None => {
                found = $crate::ets::access::other_table($cx, $term, $need)?;
                &found
            }
        };
    };
}
pub(super) use open_table;

/// As `table` where the term is no reference that holds the table, or the process may not do that.
#[inline(never)]
pub fn other_table<'a>(cx: &Ctx<'_>, t: Term, need: Need) -> Result<Found<'a>, Exit> {
    let found = registry::find(t).map_err(|e| match e {
        NotFound::NoIdentifier => cause("type"),
        NotFound::NoTable => cause("id"),
    })?;
    if may(cx, &found, need) {
        return Ok(found);
    }
    Err(cause("access"))
}

/// May the calling process do that with a table?
#[inline(always)]
pub fn may(cx: &Ctx<'_>, t: &Table, need: Need) -> bool {
    let open = match need {
        Need::Read => t.protection() >= Protection::Protected,
        Need::Write => t.protection() == Protection::Public,
        Need::Info => true,
    };
    open || t.owner() == cx.proc.id || is_super_user(cx.proc.id)
}

#[cold]
fn is_super_user(pid: u64) -> bool {
    ANY_SUPER_USER.load(Ordering::Relaxed) && SUPER_USERS.lock().contains(&pid)
}

/// The process may do everything with all tables, or no longer.
pub fn set_super_user(pid: u64, on: bool) {
    let mut users = SUPER_USERS.lock();
    if on {
        users.insert(pid);
        ANY_SUPER_USER.store(true, Ordering::Relaxed);
    } else {
        users.remove(&pid);
    }
}

/// A process has ended.
pub fn process_exited(pid: u64) {
    if ANY_SUPER_USER.load(Ordering::Relaxed) {
        SUPER_USERS.lock().remove(&pid);
    }
}

/// What stands for the end of a table.
pub fn end_of_table() -> Term {
    Atom::END_OF_TABLE.into()
}
