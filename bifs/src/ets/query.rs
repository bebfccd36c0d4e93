//! What a search looks for, and which objects of a table it has to look at.
//!
//! Where all heads of a match specification name their keys, only these are looked up; in an ordered set a head whose key
//! is known in part bounds the range that is traversed.

use enigma_runtime::data::compare;
use enigma_runtime::ets::{Range, Table, TableKind};
use enigma_runtime::match_spec::{self, Dialect, Gives, OwnedProgram, Program, SpecError};
use enigma_runtime::term::list;
use enigma_runtime::{Atom, Exit, Term, badarg};
use smallvec::{SmallVec, smallvec};
use std::cmp::Ordering;

/// What is searched for.
#[derive(Clone, Copy)]
pub(super) enum Query {
    /// A match specification.
    Spec(Term),
    /// A lone pattern.
    Pattern(Term, Gives),
}

impl Query {
    pub(super) fn program(self) -> Result<Program, Exit> {
        let p = match self {
            Query::Spec(t) => Program::compile(t, Dialect::Table),
            Query::Pattern(t, gives) => Program::compile_pattern(t, gives),
        };
        p.map_err(|_: SpecError| badarg())
    }

    pub(super) fn shared(self) -> Result<OwnedProgram, Exit> {
        let p = match self {
            Query::Spec(t) => OwnedProgram::compile(t, Dialect::Table),
            Query::Pattern(t, gives) => OwnedProgram::compile_pattern(t, gives),
        };
        p.map_err(|_: SpecError| badarg())
    }

    /// The heads of the clauses.
    fn heads(self) -> Few {
        match self {
            Query::Spec(t) => list::iter(t)
                .filter_map(|c| c.as_tuple().and_then(|c| c.first().copied()))
                .collect(),
            Query::Pattern(t, _) => smallvec![t],
        }
    }
}

type Few = SmallVec<[Term; 4]>;

/// Which keys have to be looked at.
pub(super) enum Plan {
    All,
    /// Only these.
    Keys(Few),
    /// Those that may match this pattern of a key, in an ordered set.
    Like(Term),
}

/// `some`: is the search to stop after some results?
pub(super) fn plan(t: &Table, q: Query, some: bool) -> Plan {
    let ordered = t.kind == TableKind::OrderedSet;
    if let Query::Pattern(h, _) = q
        && !is_open(h)
        && let Some(key) = t.key_of(h)
        && match_spec::is_bound(key)
    {
        return Plan::Keys(smallvec![key]);
    }
    let heads = q.heads();
    let mut keys = Few::new();
    for &h in &heads {
        if is_open(h) {
            return Plan::All;
        }
        // A head that is too small matches nothing.
        let Some(key) = t.key_of(h) else { continue };
        if match_spec::is_bound(key) {
            if !keys.iter().any(|&k| compare::exact_eq(k, key)) {
                keys.push(key);
            }
        } else if heads.len() == 1 && ordered && !is_open(key) {
            return Plan::Like(key);
        } else {
            return Plan::All;
        }
    }
    if keys.len() > 1 && ordered {
        if some {
            return Plan::All;
        }
        // In order, and keys that are `==` only once.
        keys.sort_by(|&a, &b| compare::compare(a, b));
        keys.dedup_by(|a, b| compare::eq(*a, *b));
    }
    Plan::Keys(keys)
}

fn is_open(t: Term) -> bool {
    t == Term::from(Atom::UNDERSCORE) || match_spec::variable(t).is_some()
}

/// Compares the known part of a pattern with a key: how the keys that the pattern may match lie to this
/// one. `None` where the pattern leaves it open.
fn compare_known(pattern: Term, key: Term) -> Option<Ordering> {
    let (mut p, mut k) = (pattern, key);
    loop {
        if is_open(p) {
            return None;
        }
        if let (Some((x, p_rest)), Some((y, k_rest))) = (p.as_cons(), k.as_cons()) {
            match compare_known(x, y)? {
                Ordering::Equal => (p, k) = (p_rest, k_rest),
                o => return Some(o),
            }
            continue;
        }
        if let (Some(x), Some(y)) = (p.as_tuple(), k.as_tuple()) {
            if x.len() != y.len() {
                return Some(x.len().cmp(&y.len()));
            }
            for (&x, &y) in x.iter().zip(y) {
                match compare_known(x, y)? {
                    Ordering::Equal => {}
                    o => return Some(o),
                }
            }
            return Some(Ordering::Equal);
        }
        if p.is_map() && k.is_map() {
            return None;
        }
        // Of different types, or without parts: what is inside does not count.
        return Some(compare::compare(p, k));
    }
}

/// Calls `f` with the range of keys that a pattern may match, all if there is no pattern (nil).
pub(super) fn with_range<R>(pattern: Term, f: impl FnOnce(Option<&Range<'_>>) -> R) -> R {
    if pattern.is_nil() {
        return f(None);
    }
    f(Some(&Range {
        below: &|k| compare_known(pattern, k) == Some(Ordering::Greater),
        above: &|k| compare_known(pattern, k) == Some(Ordering::Less),
    }))
}
