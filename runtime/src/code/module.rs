//! Loaded modules and their functions.
//!
//! A module's functions are translated to bytecode one at a time, when they are first called. Until
//! then a function's code is a stub that asks for the translation.

use super::continuation::Continuations;
use super::entry::Entry;
use super::export::{self, Export};
use super::fun::FunEntry;
use super::install::LOADING;
use super::native::{self, NativeMode, NativeSide};
use super::nif::{Natives, NifSide};
use super::records::{self, Definition};
use super::{ranges, translate};
use crate::atom::Atom;
use crate::code::ops;
use crate::data::map;
use crate::heap::Heap;
use crate::heap::literal::LiteralArea;
use crate::term::Term;
use enigma_loader::BeamFile;
use parking_lot::{Mutex, MutexGuard};
use rustc_hash::FxBuildHasher;
use std::sync::atomic::{AtomicPtr, AtomicU64, AtomicUsize, Ordering};
use std::sync::{LazyLock, OnceLock};

/// A function of a loaded module.
pub struct FnInfo {
    module: AtomicPtr<Module>,
    /// Name.
    pub name: Atom,
    /// Number of arguments.
    pub arity: u32,
    /// Number in the module, in code order.
    pub index: u32,
    /// Where calls go.
    pub entry: Entry,
    stub: [u64; 2],
    body: OnceLock<Body>,
    /// What the native tier keeps.
    pub(crate) native: NativeSide,
    /// What a native library does in its place.
    pub(super) nif: NifSide,
}

impl std::fmt::Debug for FnInfo {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}/{}", self.module().name, self.name, self.arity)
    }
}

/// Bytecode of a function.
pub struct Body {
    /// The words; the first ones raise `function_clause`.
    pub code: Box<[u64]>,
    /// Offset of the entry.
    pub entry: u32,
    /// Offsets of instructions in the file's code with those of their bytecode, ascending; only where native code
    /// is made.
    pub places: Box<[(u32, u32)]>,
    /// Where native code goes on inside the function.
    pub continuations: Continuations,
    /// Offsets in words with the line items (see `enigma_loader::LineTable`) that begin there, ascending.
    pub lines: Box<[(u32, u32)]>,
    /// Offsets of the constructions of bitstrings whose segments the compiler has put together, with the numbers
    /// that the segments had in the source; ascending.
    pub segments: Box<[(u32, Box<[u32]>)]>,
}

impl Body {
    /// The address of the entry.
    #[inline(always)]
    pub fn entry_address(&self) -> *const u64 {
        self.code.as_ptr().wrapping_add(self.entry as usize)
    }

    /// Does it handle exceptions?
    pub fn has_handlers(&self) -> bool {
        let mut ops = self
            .places
            .iter()
            .map(|&(_, at)| ops::of(self.code[at as usize]));
        ops.any(|op| op == ops::CATCH)
    }

    /// The offset of the bytecode for the instruction at this offset of the file's code.
    pub fn place(&self, offset: u32) -> Option<u32> {
        let at = self.places.binary_search_by_key(&offset, |p| p.0).ok()?;
        Some(self.places[at].1)
    }

    /// The number that segment `i` of the construction at `offset` had in the source, from 1.
    pub fn segment_number(&self, offset: usize, i: usize) -> usize {
        let found = self
            .segments
            .binary_search_by_key(&offset, |s| s.0 as usize);
        let number = found.ok().and_then(|at| self.segments[at].1.get(i));
        number.map_or(i + 1, |&n| n as usize)
    }
}

impl FnInfo {
    /// The module.
    #[inline]
    pub fn module(&self) -> &'static Module {
        // SAFETY: set once, before anybody can see the function, to the module that holds the function.
        unsafe { &*self.module.load(Ordering::Relaxed) }
    }

    /// The bytecode that calls run.
    #[inline(always)]
    pub fn code(&self) -> *const u64 {
        self.entry.code()
    }

    /// The translation, if there is one.
    pub fn body(&self) -> Option<&Body> {
        self.body.get()
    }

    /// The translation, which is made if there is none; nobody calls it yet then.
    pub fn bytecode(&'static self) -> &'static Body {
        let body = self.body.get_or_init(|| {
            let module = self.module();
            let body = match translate::function(module, self) {
                Ok(body) => body,
                Err(why) => translate::refused(self, &why),
            };
            module.count(body.code.len() * 8 + body.lines.len() * size_of::<(u32, u32)>());
            body
        });
        ranges::add(&body.code, self);
        body
    }

    /// Translates the function if that was not done; gives its entry.
    pub fn translate(&'static self) -> *const u64 {
        let body = self.bytecode();
        let entry = match native::mode() {
            NativeMode::Tiered(calls) => {
                let calls = native::calls_to_count(calls, body.places.len());
                self.native.counting(self, calls)
            }
            NativeMode::Off | NativeMode::Always => body.entry_address(),
        };
        self.entry.replace_code(self.stub.as_ptr(), entry);
        native::translated(self);
        self.code()
    }

    /// File and line of a place in the bytecode.
    pub fn position(&self, offset: usize) -> Option<(SourceName<'_>, u32)> {
        let body = self.body.get()?;
        let i = body
            .lines
            .partition_point(|&(at, _)| (at as usize) < offset);
        let (_, item) = *body.lines.get(i.checked_sub(1)?)?;
        let module = self.module();
        let (file, line) = module.file.lines.position(item)?;
        let name = match file {
            Some(f) => SourceName::Given(f),
            None => SourceName::OfModule(module.name),
        };
        Some((name, line))
    }
}

/// The name of a source file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SourceName<'a> {
    /// As the compiler was told.
    Given(&'a str),
    /// The usual one of a module.
    OfModule(Atom),
}

impl SourceName<'_> {
    /// The name.
    pub fn to_text(self) -> String {
        match self {
            SourceName::Given(name) => name.to_string(),
            SourceName::OfModule(module) => format!("{module}.erl"),
        }
    }

    /// The name as a list of characters.
    pub fn to_list(self, heap: &mut Heap) -> Term {
        match self {
            SourceName::Given(name) => heap.char_list(name),
            SourceName::OfModule(module) => {
                let suffix = heap.char_list(".erl");
                heap.char_list_with_tail(module.text(), suffix)
            }
        }
    }
}

/// A loaded module.
pub struct Module {
    /// Name.
    pub name: Atom,
    /// The file's contents.
    pub file: BeamFile,
    /// Atoms by their index in the file.
    pub atoms: Box<[Atom]>,
    /// Literals by their index in the file; they lie in `literal_area`.
    pub literals: Box<[Term]>,
    /// Funs by their index in the fun table, where they are literals; they lie in `literal_area`.
    pub fun_literals: Box<[Term]>,
    /// Export entries by their index in the import table.
    pub imports: Box<[&'static Export]>,
    /// Fun entries by their index in the fun table.
    pub funs: Box<[&'static FunEntry]>,
    /// Functions in code order.
    pub functions: Box<[FnInfo]>,
    records: OnceLock<Box<[Definition]>>,
    /// By the index of a function: may a library stand for it?
    pub(super) replaceable: OnceLock<Box<[bool]>>,
    /// The library that stands for functions.
    pub(super) natives: OnceLock<Natives>,
    /// Big integers in the code, each in an area of its own.
    constants: Mutex<Vec<LiteralArea>>,
    /// Memory of the literals; taken away when the module is purged.
    literal_area: Mutex<Option<LiteralArea>>,
    /// Bytes that the module takes, literals not counted.
    bytes: AtomicUsize,
    /// Where the module lies, null before it has settled.
    address: AtomicPtr<Module>,
}

impl Module {
    /// A module whose functions still have to settle.
    pub(crate) fn new(
        file: BeamFile,
        atoms: Box<[Atom]>,
        literals: Box<[Term]>,
        fun_literals: Box<[Term]>,
        literal_area: LiteralArea,
        imports: Box<[&'static Export]>,
        funs: Box<[&'static FunEntry]>,
    ) -> Module {
        Module {
            name: atoms[file.module as usize],
            functions: Module::make_functions(&file, &atoms),
            file,
            atoms,
            literals,
            fun_literals,
            imports,
            funs,
            records: OnceLock::new(),
            replaceable: OnceLock::new(),
            natives: OnceLock::new(),
            constants: Mutex::default(),
            literal_area: Mutex::new(Some(literal_area)),
            bytes: AtomicUsize::new(0),
            address: AtomicPtr::new(std::ptr::null_mut()),
        }
    }

    fn make_functions(file: &BeamFile, atoms: &[Atom]) -> Box<[FnInfo]> {
        (0u32..)
            .zip(&file.functions)
            .map(|(index, f)| FnInfo {
                module: AtomicPtr::new(std::ptr::null_mut()),
                name: atoms[f.name as usize],
                arity: f.arity,
                index,
                entry: Entry::new(),
                stub: [0; 2],
                body: OnceLock::new(),
                native: NativeSide::new(),
                nif: NifSide::default(),
            })
            .collect()
    }

    /// Puts the module at its final place, after which its functions can be called. It stays there until
    /// it is purged (see `purge`), which nobody does while processes run its code.
    pub(super) fn settle(self) -> &'static Module {
        let address = Box::into_raw(Box::new(self));
        // SAFETY: nobody else knows the address yet.
        let m: &'static mut Module = unsafe { &mut *address };
        m.address = AtomicPtr::new(address);
        m.count(m.file.memory() + size_of::<Module>() + m.functions.len() * size_of::<FnInfo>());
        for f in &mut m.functions {
            f.stub = [u64::from(ops::LAZY), std::ptr::from_ref(f) as u64];
            f.module = AtomicPtr::new(address);
            f.entry.set_code(f.stub.as_ptr());
            // A function that is a BIF has a body in the file for show only.
            if let Some(e) = export::lookup(m.name, f.name, f.arity)
                && e.bif().is_some()
            {
                f.entry.set_code(e.stub());
            }
        }
        let m: &'static Module = m;
        ranges::add_records(&m.functions);
        m
    }

    /// Adds to the bytes that the module takes.
    pub(super) fn count(&self, bytes: usize) {
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
        CODE_BYTES.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Bytes that the module takes, with its literals.
    pub fn bytes(&self) -> usize {
        self.bytes.load(Ordering::Relaxed) + self.literal_words() * size_of::<u64>()
    }

    /// Takes the memory of the literals away, for whoever frees it when no process refers to it.
    pub(super) fn take_literals(&self) -> Vec<LiteralArea> {
        let mut areas = std::mem::take(&mut *self.constants.lock());
        areas.extend(self.literal_area.lock().take());
        areas
    }

    /// Makes the functions unknown to those who look for an address.
    pub(super) fn forget_ranges(&self) {
        ranges::remove_records(&self.functions);
        for body in self.functions.iter().filter_map(FnInfo::body) {
            ranges::remove(&body.code);
        }
    }

    /// Frees the module.
    ///
    /// # Safety
    /// It was settled, no table leads to it, no process runs it or will return to it, and no thread looks
    /// at it.
    pub(super) unsafe fn free(address: *mut Module) {
        // SAFETY: `settle` made it from a box; the rest is as the caller promises.
        let m = unsafe { Box::from_raw(address) };
        CODE_BYTES.fetch_sub(m.bytes.load(Ordering::Relaxed), Ordering::Relaxed);
        FREED.fetch_add(1, Ordering::Release);
    }

    /// The address that `free` takes.
    pub(super) fn address(&self) -> *mut Module {
        self.address.load(Ordering::Relaxed)
    }

    /// Words of the literals.
    pub fn literal_words(&self) -> usize {
        self.literal_area
            .lock()
            .as_ref()
            .map_or(0, LiteralArea::words)
    }

    /// The native records that it defines.
    pub fn records(&self) -> &[Definition] {
        self.records.get_or_init(|| records::definitions(self))
    }

    /// A big integer of the code, from its two's complement bytes.
    pub(super) fn big_constant(&self, bytes: &[u8]) -> Term {
        let n = num_bigint::BigInt::from_signed_bytes_be(bytes);
        let mut heap = Heap::new();
        let mut term = [crate::data::bignum::from_bigint(&n, &mut heap)];
        let area = LiteralArea::copy_of(&mut term);
        self.constants.lock().push(area);
        term[0]
    }

    /// The tuple of keys of a small map with these different keys, as a constant of the code, and where each of its
    /// elements stands among them. Nothing if the map is not small.
    pub(super) fn map_keys(&self, keys: &[Term]) -> Option<(Term, Vec<usize>)> {
        if keys.is_empty() || keys.len() > map::MAX_FLAT {
            return None;
        }
        let mut heap = Heap::new();
        let numbered = keys.iter().zip(0..).map(|(&k, i)| (k, Term::small(i)));
        let numbered: Vec<(Term, Term)> = numbered.collect();
        let made = map::from_pairs(&mut heap, &numbered);
        if map::size(made) != keys.len() {
            return None;
        }
        let (sorted, numbers) = map::flat_parts(made);
        let order = numbers.iter().filter_map(|n| n.as_usize()).collect();
        let mut tuple = [heap.tuple(sorted)];
        let area = LiteralArea::copy_of(&mut tuple);
        self.constants.lock().push(area);
        Some((tuple[0], order))
    }

    /// The function with this name.
    pub fn function(&'static self, name: Atom, arity: u32) -> Option<&'static FnInfo> {
        self.functions
            .iter()
            .find(|f| f.name == name && f.arity == arity)
    }

    /// The exported functions.
    pub fn exports(&'static self) -> impl Iterator<Item = &'static FnInfo> {
        self.file
            .exports
            .iter()
            .filter_map(|e| self.file.function_by_entry(e.label))
            .map(|i| &self.functions[i])
    }

    /// Does an address belong to the bytecode of this module, or to the stub of one of its functions?
    pub fn holds_code(&self, pc: *const u64) -> bool {
        ranges::find(pc).is_some_and(|(f, _)| std::ptr::eq(f.module(), self))
    }
}

/// How many modules have been freed.
static FREED: AtomicU64 = AtomicU64::new(0);

/// How many modules have been freed. What has been said of a module by its address holds as long as this stays the same.
pub fn freed() -> u64 {
    FREED.load(Ordering::Acquire)
}

static CODE_BYTES: AtomicUsize = AtomicUsize::new(0);

/// Bytes that modules take, literals not counted.
pub fn bytes_in_use() -> usize {
    CODE_BYTES.load(Ordering::Relaxed)
}

/// The two versions of a module that there can be, and one that may become current. The references hold for the
/// time slice.
#[derive(Clone, Copy, Default)]
pub struct Versions {
    /// The one that calls go to.
    pub current: Option<&'static Module>,
    /// The one that processes may still run.
    pub old: Option<&'static Module>,
    /// The one whose on_load function runs or has failed.
    pub on_load: Option<&'static Module>,
}

/// All versions. Read without a lock; changed by whoever holds `install::LOADING`.
static MODULES: LazyLock<papaya::HashMap<Atom, Versions, FxBuildHasher>> =
    LazyLock::new(Default::default);

/// The versions of a module; none where it was never loaded.
pub fn versions(name: Atom) -> Option<Versions> {
    MODULES.pin().get(&name).copied()
}

/// Looks at the versions of a module from a thread that may be in no time slice.
pub fn with<R>(name: Atom, f: impl FnOnce(Versions) -> R) -> R {
    let _loading = LOADING.lock();
    f(versions(name).unwrap_or_default())
}

/// Changes the versions of a module.
pub(super) fn update<R>(
    _loading: &MutexGuard<'_, ()>,
    name: Atom,
    change: impl FnOnce(&mut Versions) -> R,
) -> R {
    let mut versions = versions(name).unwrap_or_default();
    let result = change(&mut versions);
    MODULES.pin().insert(name, versions);
    result
}

/// The current version of a module.
#[inline]
pub fn current(name: Atom) -> Option<&'static Module> {
    versions(name)?.current
}

/// Bytes that the table of modules takes.
pub fn table_memory() -> usize {
    MODULES.len() * size_of::<(Atom, Versions)>()
}

/// Names of the modules that have a current version.
pub fn loaded() -> Vec<Atom> {
    let modules = MODULES.pin();
    let current = modules.iter().filter(|(_, v)| v.current.is_some());
    current.map(|(&name, _)| name).collect()
}
