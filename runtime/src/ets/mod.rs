//! Tables of terms that processes share.
//!
//! A table is found by its number (through the reference that `ets:new` gave, which holds it) or by its
//! name (`registry`). Sets and bags are buckets of linear hashing (`linear`) under one lock, or under several if the
//! table is made for concurrent writing (`hash`); ordered sets are a sorted sequence under one lock (`tree`). Locks are
//! taken in `hash` and in `table` only, and nothing holds one for longer than a small number of objects takes: what
//! looks at many goes on after letting others in. What must not be seen half done although it takes long makes the table
//! busy meanwhile (`batch`).
//!
//! Objects are blocks of their own (`heap::object`); a lookup copies one to the heap of the process while it holds the lock
//! for reading.

pub mod batch;
pub mod debris;
mod editor;
mod fixation;
mod hash;
pub mod linear;
pub mod owners;
pub mod registry;
mod table;
mod traverse;
pub mod tree;

use crate::atom::Atom;
use crate::bif::Exit;
use crate::heap::literal::OwnedTerm;
use crate::heap::object::Obj;

pub use editor::Editor;
pub use fixation::Fixation;
pub use table::{Table, copy_all};
pub use traverse::{Go, Passed, Range, Stopped};

/// The type of a table.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TableKind {
    /// One object a key.
    Set,
    /// One object a key, in the order of keys; keys that are `==` are one.
    OrderedSet,
    /// Objects may share a key but no two are equal.
    Bag,
    /// Objects may be equal.
    DuplicateBag,
}

impl TableKind {
    /// The atom.
    pub fn atom(self) -> Atom {
        match self {
            TableKind::Set => Atom::SET,
            TableKind::OrderedSet => Atom::ORDERED_SET,
            TableKind::Bag => Atom::BAG,
            TableKind::DuplicateBag => Atom::DUPLICATE_BAG,
        }
    }

    /// May there be several objects of a key?
    pub fn is_bag(self) -> bool {
        matches!(self, TableKind::Bag | TableKind::DuplicateBag)
    }
}

/// Who may use a table.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[repr(u8)]
pub enum Protection {
    /// Only the owner.
    Private,
    /// Everybody may read.
    Protected,
    /// Everybody may read and write.
    Public,
}

impl Protection {
    /// The atom.
    pub fn atom(self) -> Atom {
        match self {
            Protection::Private => Atom::PRIVATE,
            Protection::Protected => Atom::PROTECTED,
            Protection::Public => Atom::PUBLIC,
        }
    }

    #[inline(always)]
    fn from_number(n: u8) -> Protection {
        match n {
            0 => Protection::Private,
            1 => Protection::Protected,
            _ => Protection::Public,
        }
    }
}

/// Packed pid of the process that gets a table, and the term for the message that it then gets.
pub type Heir = (u64, Option<OwnedTerm>);

/// How a table is to be written by several at once.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum WriteConcurrency {
    /// One lock.
    Off,
    /// Several.
    On,
    /// As many as seem good.
    Auto,
    /// So many.
    Locks(usize),
}

/// What a table is made with.
pub struct TableOptions {
    /// Its name.
    pub name: Atom,
    /// Is it known by the name?
    pub named: bool,
    /// Its type.
    pub kind: TableKind,
    /// Which element is the key, counted from 1.
    pub keypos: usize,
    /// Who may use it.
    pub protection: Protection,
    /// Who gets it when the owner exits.
    pub heir: Option<Heir>,
    /// As given.
    pub compressed: bool,
    /// As given.
    pub read_concurrency: bool,
    /// As given.
    pub write_concurrency: WriteConcurrency,
    /// As given or implied.
    pub decentralized_counters: bool,
}

/// What an operation changed.
#[derive(Clone, Copy, Default, Debug)]
pub struct Change {
    /// Objects more.
    pub objects: isize,
    /// Words more.
    pub words: isize,
}

impl Change {
    /// Counts an object that was put in.
    pub fn came(&mut self, o: Obj) {
        self.objects += 1;
        self.words += o.words() as isize;
    }

    /// Counts an object that was taken away.
    pub fn went(&mut self, o: Obj) {
        self.objects -= 1;
        self.words -= o.words() as isize;
    }
}

/// What is to become of an object that was looked at.
pub enum Fate {
    /// It stays.
    Keep,
    /// It goes.
    Delete,
    /// Another with the same key takes its place.
    Replace(Obj),
}

/// A table is in the middle of an operation that nobody may see half done. Who finds it so has done a part of it
/// (`Table::help`) and tries again.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Busy;

impl From<Busy> for Exit {
    fn from(_: Busy) -> Exit {
        Exit::Yield
    }
}
