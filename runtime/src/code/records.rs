//! Native records in code: the definitions of a module, and what the instructions do with them.
//!
//! An instruction names a record by an atom (one of its own module's), by `{Module, Name}` (which must
//! be exported), or by `_` (whatever it is).

use super::module::{self, Module};
use crate::atom::Atom;
use crate::data::record;
use crate::heap::Heap;
use crate::term::{Kind, Term};
use enigma_loader::Operand;
use enigma_loader::records::RecordDefault;

/// The operations, as the instruction's field says.
pub mod op {
    /// Is it a native record? Operand: value.
    pub const IS_ANY: u64 = 0;
    /// Is it one of this module and name? Operands: value, module, name.
    pub const IS_NAMED: u64 = 1;
    /// May the running module look into it? Operands: value, scope.
    pub const IS_ACCESSIBLE: u64 = 2;
    /// Fields into registers. Operands: value, pairs of field and register.
    pub const ELEMENTS: u64 = 3;
    /// A new or changed value. Operands: record, source, pairs of field and value.
    pub const PUT: u64 = 4;
    /// The value of a field. Operands: value, record, field.
    pub const FIELD: u64 = 5;
}

/// A record that a module defines.
#[derive(Debug)]
pub struct Definition {
    /// The definition as values carry it.
    pub term: Term,
    /// Name.
    pub name: Atom,
    /// May other modules name it?
    pub exported: bool,
    /// The fields' names and values that they have where nothing else is said.
    pub fields: Vec<(Atom, Option<Term>)>,
}

/// Reads the definitions of a module.
pub(super) fn definitions(m: &Module) -> Box<[Definition]> {
    m.file
        .records
        .iter()
        .map(|r| {
            let name = m.atoms[r.name as usize];
            let fields: Vec<(Atom, Option<Term>)> = r
                .fields
                .iter()
                .map(|f| {
                    (
                        m.atoms[f.name as usize],
                        f.default.as_ref().and_then(|d| default(m, d)),
                    )
                })
                .collect();
            let names: Vec<Atom> = fields.iter().map(|f| f.0).collect();
            Definition {
                term: record::intern(m.name, name, r.exported, &names),
                name,
                exported: r.exported,
                fields,
            }
        })
        .collect()
}

fn default(m: &Module, d: &RecordDefault) -> Option<Term> {
    match d {
        RecordDefault::BigInt(bytes) => Some(m.big_constant(bytes)),
        RecordDefault::Operand(o) => Some(match *o {
            Operand::Int(n) => {
                Term::try_small(n).unwrap_or_else(|| m.big_constant(&n.to_be_bytes()))
            }
            Operand::Atom(a) => m.atoms[a as usize].into(),
            Operand::Nil => Term::NIL,
            Operand::Literal(l) => m.literals[l as usize],
            _ => return None,
        }),
    }
}

/// Lends the definition of a record of a loaded module.
pub fn with_definition<R>(of: Atom, name: Atom, f: impl FnOnce(Option<&Definition>) -> R) -> R {
    f(module::current(of).and_then(|m| find(m, name)))
}

fn find(m: &Module, name: Atom) -> Option<&Definition> {
    m.records().iter().find(|d| d.name == name)
}

/// `{badrecord, Value}`.
pub fn bad_record(heap: &mut Heap, value: Term) -> Term {
    heap.tuple(&[Atom::BADRECORD.into(), value])
}

/// `{Tag, {{Module, Name}, Field}}`.
fn field_fault(heap: &mut Heap, tag: Atom, definition: Term, field: Term) -> Term {
    let parts = definition.as_tuple().unwrap_or(&[]);
    let id = heap.tuple(&parts[..parts.len().min(2)]);
    let place = heap.tuple(&[id, field]);
    heap.tuple(&[tag.into(), place])
}

/// `{badfield, {{Module, Name}, Field}}`.
pub fn bad_field(heap: &mut Heap, definition: Term, field: Term) -> Term {
    field_fault(heap, Atom::new("badfield"), definition, field)
}

/// Does the instruction's name for a record fit this value?
fn fits(running: &Module, id: Term, value: Term) -> bool {
    if !value.is_kind(Kind::Record) {
        return false;
    }
    match (id.as_atom(), id.as_tuple_n()) {
        (Some(Atom::UNDERSCORE), _) => true,
        (Some(name), _) => record::is_named(value, running.name.into(), name.into()),
        (_, Some(&[m, n])) => record::is_named(value, m, n) && record::is_exported(value),
        _ => false,
    }
}

/// `put_record`: a new value where `source` is `[]`, or else `source` with fields changed. The error is
/// the reason of the exception.
pub fn put(
    heap: &mut Heap,
    running: &Module,
    id: Term,
    source: Term,
    changes: &[(Term, Term)],
) -> Result<Term, Term> {
    if !source.is_nil() {
        if !fits(running, id, source) {
            return Err(bad_record(heap, source));
        }
        return update(heap, source, changes);
    }
    if let Some(name) = id.as_atom() {
        return match find(running, name) {
            Some(d) => create(heap, d, changes),
            None => Err(bad_record(heap, id)),
        };
    }
    let named = id
        .as_tuple_n()
        .and_then(|&[m, n]| m.as_atom().zip(n.as_atom()));
    let Some((of, name)) = named else {
        return Err(bad_record(heap, id));
    };
    with_definition(of, name, |d| match d {
        Some(d) if d.exported => create(heap, d, changes),
        _ => Err(bad_record(heap, id)),
    })
}

fn create(heap: &mut Heap, d: &Definition, given: &[(Term, Term)]) -> Result<Term, Term> {
    let mut values: Vec<Option<Term>> = d.fields.iter().map(|f| f.1).collect();
    for &(field, value) in given {
        match d.fields.iter().position(|f| Term::atom(f.0) == field) {
            Some(i) => values[i] = Some(value),
            None => return Err(bad_field(heap, d.term, field)),
        }
    }
    if let Some(i) = values.iter().position(Option::is_none) {
        return Err(field_fault(
            heap,
            Atom::NOVALUE,
            d.term,
            d.fields[i].0.into(),
        ));
    }
    let values: Vec<Term> = values.into_iter().flatten().collect();
    Ok(record::make(heap, d.term, &values))
}

/// A native record with fields changed. The error is the reason of the exception.
pub fn update(heap: &mut Heap, source: Term, changes: &[(Term, Term)]) -> Result<Term, Term> {
    let mut values = record::values(source).to_vec();
    for &(field, value) in changes {
        match record::position(source, field) {
            Some(i) => values[i] = value,
            None => return Err(bad_field(heap, record::definition(source), field)),
        }
    }
    if changes.is_empty() {
        return Ok(source);
    }
    Ok(record::make(heap, record::definition(source), &values))
}

/// `get_record_field`. The error is the reason of the exception.
pub fn field(
    heap: &mut Heap,
    running: &Module,
    source: Term,
    id: Term,
    field: Term,
) -> Result<Term, Term> {
    if !fits(running, id, source) {
        return Err(bad_record(heap, source));
    }
    match record::position(source, field) {
        Some(i) => Ok(record::values(source)[i]),
        None => Err(bad_field(heap, record::definition(source), field)),
    }
}

/// `is_record_accessible`: may the running module look into the value? An `external` view is that of
/// any other module.
pub fn is_accessible(running: &Module, value: Term, scope: Term) -> bool {
    value.is_kind(Kind::Record)
        && (record::is_exported(value)
            || scope != Term::atom(Atom::EXTERNAL)
                && record::module(value) == Term::atom(running.name))
}
