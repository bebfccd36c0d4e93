//! Making tables and changing their options.

use super::access::{Need, cause, table};
use enigma_runtime::atom::Atom;
use enigma_runtime::bif::Ctx;
use enigma_runtime::ets::{Heir, Protection, TableKind, TableOptions, WriteConcurrency, registry};
use enigma_runtime::heap::literal::OwnedTerm;
use enigma_runtime::process::{self, PidKey, flag};
use enigma_runtime::term::list;
use enigma_runtime::{BifResult, Term, badarg, release};

/// Most locks of a table.
const MAX_LOCKS: usize = 32_768;

struct Wanted {
    options: TableOptions,
    /// As given.
    decentralized: Option<bool>,
    /// As other options want it where it is not given.
    implied: bool,
}

/// One element of the list of options; nothing if it is wrong.
fn option(w: &mut Wanted, t: Term) -> Option<()> {
    let o = &mut w.options;
    if let Some(a) = t.as_atom() {
        match a {
            Atom::ORDERED_SET => {
                o.kind = TableKind::OrderedSet;
                w.implied = true;
            }
            Atom::BAG => o.kind = TableKind::Bag,
            Atom::DUPLICATE_BAG => o.kind = TableKind::DuplicateBag,
            Atom::PUBLIC => o.protection = Protection::Public,
            Atom::PRIVATE => o.protection = Protection::Private,
            Atom::NAMED_TABLE => o.named = true,
            Atom::COMPRESSED => o.compressed = true,
            // These do not take back what was said before.
            Atom::SET | Atom::PROTECTED => {}
            _ => return None,
        }
        return Some(());
    }
    match *t.as_tuple()? {
        [key, value] => match key.as_atom()? {
            Atom::KEYPOS => o.keypos = value.as_usize().filter(|&n| n > 0)?,
            Atom::READ_CONCURRENCY => o.read_concurrency = value.as_bool()?,
            Atom::WRITE_CONCURRENCY => {
                o.write_concurrency = match value.as_atom() {
                    Some(Atom::TRUE) => WriteConcurrency::On,
                    Some(Atom::FALSE) => WriteConcurrency::Off,
                    Some(Atom::AUTO) => WriteConcurrency::Auto,
                    Some(_) => return None,
                    None => {
                        // The number of locks can be given in tests.
                        let &[what, n] = value.as_tuple_n::<2>()?;
                        let known = what.as_atom()?.text() == "debug_hash_fixed_number_of_locks";
                        let n = n
                            .as_usize()
                            .filter(|n| known && (1..=MAX_LOCKS).contains(n));
                        WriteConcurrency::Locks(n?)
                    }
                };
                if o.write_concurrency != WriteConcurrency::Off {
                    let implied = match o.write_concurrency {
                        WriteConcurrency::On => o.kind == TableKind::OrderedSet,
                        _ => true,
                    };
                    w.implied = implied;
                }
            }
            Atom::DECENTRALIZED_COUNTERS => w.decentralized = Some(value.as_bool()?),
            Atom::HEIR if value == Term::from(Atom::NONE) => o.heir = None,
            Atom::HEIR => o.heir = Some(heir(value, None)?),
            _ => return None,
        },
        [key, pid, data] if key == Term::from(Atom::HEIR) => o.heir = Some(heir(pid, Some(data))?),
        _ => return None,
    }
    Some(())
}

fn heir(pid: Term, data: Option<Term>) -> Option<Heir> {
    if data.is_none() && release::number() < 28 {
        return None;
    }
    let id = PidKey::of(pid).and_then(PidKey::local_id)?;
    Some((id, data.map(OwnedTerm::new)))
}

/// An heir that is gone is none.
fn if_alive(heir: Option<Heir>) -> Option<Heir> {
    heir.filter(|h| process::table::with(h.0, |p| !p.state.is_exiting()) == Some(true))
}

pub(super) fn new(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let name = a[0].as_atom().ok_or_else(badarg)?;
    let mut w = Wanted {
        options: TableOptions {
            name,
            named: false,
            kind: TableKind::Set,
            keypos: 1,
            protection: Protection::Protected,
            heir: None,
            compressed: crate::system::facts::facts().ets_always_compress,
            read_concurrency: false,
            write_concurrency: WriteConcurrency::Off,
            decentralized_counters: false,
        },
        decentralized: None,
        implied: false,
    };
    for t in list::to_vec(a[1]).ok_or_else(badarg)? {
        option(&mut w, t).ok_or_else(badarg)?;
    }
    let mut o = w.options;
    o.heir = if_alive(o.heir);
    if o.kind == TableKind::OrderedSet && matches!(o.write_concurrency, WriteConcurrency::Locks(_))
    {
        return Err(badarg());
    }
    if o.protection == Protection::Private {
        o.read_concurrency = false;
        o.write_concurrency = WriteConcurrency::Off;
    }
    o.decentralized_counters =
        o.write_concurrency != WriteConcurrency::Off && w.decentralized.unwrap_or(w.implied);
    let t = registry::create(cx.proc.id, o).ok_or_else(|| cause("already_exists"))?;
    cx.own.set_flag(flag::HAS_RESOURCES, true);
    Ok(registry::identifier(&t, cx.heap()))
}

enum Change {
    Heir(Option<Heir>),
    Protection(Protection),
}

fn change(t: Term) -> Option<Change> {
    match *t.as_tuple()? {
        [key, value] => match key.as_atom()? {
            Atom::HEIR if value == Term::from(Atom::NONE) => Some(Change::Heir(None)),
            Atom::HEIR => Some(Change::Heir(Some(heir(value, None)?))),
            _ if key.as_atom()?.text() == "protection" => {
                Some(Change::Protection(match value.as_atom()? {
                    Atom::PUBLIC => Protection::Public,
                    Atom::PROTECTED => Protection::Protected,
                    Atom::PRIVATE => Protection::Private,
                    _ => return None,
                }))
            }
            _ => None,
        },
        [key, pid, data] if key == Term::from(Atom::HEIR) => {
            Some(Change::Heir(Some(heir(pid, Some(data))?)))
        }
        _ => None,
    }
}

pub(super) fn setopts(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let t = table(cx, a[0], Need::Write)?;
    let all = if a[1].is_tuple() {
        vec![a[1]]
    } else {
        list::to_vec(a[1]).ok_or_else(badarg)?
    };
    let changes: Option<Vec<Change>> = all.into_iter().map(change).collect();
    let changes = changes.ok_or_else(badarg)?;
    // Each option at most once.
    if changes
        .iter()
        .filter(|c| matches!(c, Change::Heir(_)))
        .count()
        > 1
        || changes
            .iter()
            .filter(|c| matches!(c, Change::Protection(_)))
            .count()
            > 1
    {
        return Err(badarg());
    }
    if t.owner() != cx.proc.id {
        return Err(badarg());
    }
    for c in changes {
        match c {
            Change::Heir(h) => *t.heir.lock() = if_alive(h),
            Change::Protection(p) => t.set_protection(p),
        }
    }
    Ok(Term::bool(true))
}
