//! Which tables there are, by number and by name.

use super::debris::Debris;
use super::{Table, TableOptions};
use crate::atom::{self, Atom};
use crate::heap::Heap;
use crate::heap::magic::Magic;
use crate::reference;
use crate::term::{Kind, Term};
use parking_lot::RwLock;
use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::{Arc, LazyLock};

const SHARDS: usize = 16;

/// Spreads atom indexes.
#[derive(Default)]
pub struct IndexHasher(u64);

impl Hasher for IndexHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for &b in bytes {
            self.write_u32(u32::from(b));
        }
    }

    fn write_u32(&mut self, n: u32) {
        self.0 = (self.0 ^ u64::from(n))
            .wrapping_mul(0x9e37_79b9_7f4a_7c15)
            .rotate_left(29);
    }
}

type Names = RwLock<HashMap<Atom, Arc<Table>, BuildHasherDefault<IndexHasher>>>;

static NAMES: LazyLock<[Names; SHARDS]> =
    LazyLock::new(|| std::array::from_fn(|_| RwLock::default()));
static ALL: LazyLock<RwLock<BTreeMap<u64, Arc<Table>>>> = LazyLock::new(Default::default);

fn names(name: Atom) -> &'static Names {
    &NAMES[name.index() as usize % SHARDS]
}

/// Makes a table; nothing if its name is taken.
pub fn create(owner: u64, options: TableOptions) -> Option<Arc<Table>> {
    let table = Arc::new(Table::new(reference::fresh(), owner, options));
    if table.named {
        let mut names = names(table.name()).write();
        if names.contains_key(&table.name()) {
            return None;
        }
        names.insert(table.name(), table.clone());
    }
    ALL.write().insert(table.number, table.clone());
    super::owners::add(owner, &table);
    Some(table)
}

/// The table with this name.
#[inline]
pub fn named(name: Atom) -> Option<Arc<Table>> {
    names(name).read().get(&name).cloned()
}

/// So many other atoms that share a lock with `name` where tables are looked for by them, made if need be.
pub fn colliding(name: Atom, count: usize) -> Vec<Atom> {
    let alike = (name.index() % SHARDS as u32..).step_by(SHARDS);
    let exist = |i: u32| {
        while i >= atom::count() {
            Atom::new(&format!("am{:x}", atom::count()));
        }
        Atom::from_index(i)
    };
    alike
        .filter(|&i| i != name.index())
        .take(count)
        .map(exist)
        .collect()
}

/// The table with this number.
pub fn numbered(number: u64) -> Option<Arc<Table>> {
    ALL.read().get(&number).cloned()
}

/// All tables.
pub fn all() -> Vec<Arc<Table>> {
    ALL.read().values().cloned().collect()
}

/// Bytes of memory of all tables.
pub fn memory() -> usize {
    let words: usize = ALL.read().values().map(|t| t.memory_words()).sum();
    words * 8
}

/// Number of tables.
pub fn count() -> usize {
    ALL.read().len()
}

/// Gives a table another name; `false` if a named table has it, be it this one.
pub fn rename(table: &Arc<Table>, name: Atom) -> bool {
    if table.named {
        let old = table.name();
        {
            let mut names = names(name).write();
            if names.contains_key(&name) {
                return false;
            }
            names.insert(name, table.clone());
        }
        names(old).write().remove(&old);
    }
    table.set_name(name);
    true
}

/// Deletes a table; gives what was in it, nothing if it was deleted already.
pub fn delete(table: &Table) -> Option<Debris> {
    if table.named {
        let mut names = names(table.name()).write();
        if names
            .get(&table.name())
            .is_some_and(|t| t.number == table.number)
        {
            names.remove(&table.name());
        }
    }
    ALL.write().remove(&table.number)?;
    super::owners::remove(table.owner(), table);
    table.destroy()
}

/// What Erlang code calls the table by: its name, or a reference.
pub fn identifier(table: &Arc<Table>, heap: &mut Heap) -> Term {
    if table.named {
        table.name().into()
    } else {
        reference_to(table, heap)
    }
}

/// The table's reference.
pub fn reference_to(table: &Arc<Table>, heap: &mut Heap) -> Term {
    heap.magic_ref(table.number, table.clone())
}

/// A table that was found.
pub enum Found<'a> {
    /// Through a reference that holds it.
    Held(&'a Magic, &'a Table),
    /// Through its name or number.
    Shared(Arc<Table>),
}

impl std::ops::Deref for Found<'_> {
    type Target = Table;

    #[inline(always)]
    fn deref(&self) -> &Table {
        match self {
            Found::Held(_, t) => t,
            Found::Shared(t) => t,
        }
    }
}

impl Found<'_> {
    /// The table to keep.
    pub fn to_arc(&self) -> Option<Arc<Table>> {
        match self {
            Found::Held(m, _) => Arc::clone(m).downcast().ok(),
            Found::Shared(t) => Some(t.clone()),
        }
    }
}

/// Why no table was found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NotFound {
    /// The term is neither an atom nor a reference.
    NoIdentifier,
    /// There is no such table.
    NoTable,
}

/// The table that a reference holds, if it is one of a table that there is.
#[inline(always)]
pub fn held<'a>(t: Term) -> Option<Found<'a>> {
    let (m, t) = t.as_resource::<Table>()?;
    (!t.is_deleted()).then_some(Found::Held(m, t))
}

/// The table that a term stands for; the result is valid for as long as the term.
pub fn find<'a>(t: Term) -> Result<Found<'a>, NotFound> {
    if let Some(found) = held(t) {
        return Ok(found);
    }
    if t.is_kind(Kind::MagicRef) {
        return Err(match t.as_resource::<Table>() {
            Some(_) => NotFound::NoTable,
            None => NotFound::NoIdentifier,
        });
    }
    if let Some(name) = t.as_atom() {
        return named(name).map(Found::Shared).ok_or(NotFound::NoTable);
    }
    if t.is_kind(Kind::Ref) {
        return numbered(t.ref_number())
            .map(Found::Shared)
            .ok_or(NotFound::NoIdentifier);
    }
    Err(NotFound::NoIdentifier)
}
