//! Native records (OTP 29): values with named fields whose definition belongs to a module.
//!
//! A value's first word is its definition, a tuple `{Module, Name, IsExported, {Field, ...}}` that all
//! values made from one definition share; the fields' values follow in the same order.

use crate::atom::Atom;
use crate::heap::Heap;
use crate::heap::literal::LiteralArea;
use crate::term::{Kind, Term};
use parking_lot::Mutex;
use std::collections::HashMap;
use std::sync::LazyLock;

#[inline]
fn check(t: Term) {
    if !t.is_kind(Kind::Record) {
        crate::bug::wrong_kind("native record")
    }
}

/// Definition of a native record; `t` must be one.
pub fn definition(t: Term) -> Term {
    check(t);
    Term(t.word(1))
}

/// The fields' values; `t` must be a native record.
pub fn values<'a>(t: Term) -> &'a [Term] {
    check(t);
    t.terms_from(2, t.header().words() - 1)
}

fn part(t: Term, i: usize) -> Term {
    definition(t)
        .as_tuple()
        .and_then(|d| d.get(i).copied())
        .unwrap_or(Term::NIL)
}

/// The module that defines it.
pub fn module(t: Term) -> Term {
    part(t, 0)
}

/// Its name.
pub fn name(t: Term) -> Term {
    part(t, 1)
}

/// May other modules look into it?
pub fn is_exported(t: Term) -> bool {
    part(t, 2).as_bool() == Some(true)
}

/// The names of its fields.
pub fn field_names<'a>(t: Term) -> &'a [Term] {
    part(t, 3).as_tuple().unwrap_or(&[])
}

/// Is `t` a native record of this name, defined by this module?
pub fn is_named(t: Term, module_name: Term, record_name: Term) -> bool {
    t.is_kind(Kind::Record) && module(t) == module_name && name(t) == record_name
}

/// The place of a field.
pub fn position(t: Term, field: Term) -> Option<usize> {
    field_names(t).iter().position(|&f| f == field)
}

/// A value of a definition; `values` are its fields'.
pub fn make(heap: &mut Heap, definition: Term, values: &[Term]) -> Term {
    let words: Vec<Term> = std::iter::once(definition)
        .chain(values.iter().copied())
        .collect();
    heap.term_object(Kind::Record, &words)
}

type Key = (Atom, Atom, bool, Vec<Atom>);

static DEFINITIONS: LazyLock<Mutex<HashMap<Key, Term>>> = LazyLock::new(Default::default);

/// The definition with these parts. There is one of each; they are literals and kept for ever.
pub fn intern(module: Atom, name: Atom, exported: bool, fields: &[Atom]) -> Term {
    *DEFINITIONS
        .lock()
        .entry((module, name, exported, fields.to_vec()))
        .or_insert_with(|| {
            let mut heap = Heap::new();
            let fields: Vec<Term> = fields.iter().map(|&f| f.into()).collect();
            let fields = heap.tuple(&fields);
            let mut term =
                [heap.tuple(&[module.into(), name.into(), Term::bool(exported), fields])];
            // The area lives as long as the operating system process.
            std::mem::forget(LiteralArea::copy_of(&mut term));
            term[0]
        })
}
