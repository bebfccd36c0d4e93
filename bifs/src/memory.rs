//! What memory is used for: the material of `erlang:memory/0,1`, which is written in Erlang and asks for
//! the numbers of BEAM's allocators.
//!
//! There is one allocator here; what each of BEAM's would hold is counted where it is allocated.

use enigma_runtime::atom::{self, Atom};
use enigma_runtime::code::{export, fun, module};
use enigma_runtime::ets::registry;
use enigma_runtime::heap::literal;
use enigma_runtime::process::signal::{self, Signal};
use enigma_runtime::process::{Process, handle, table};
use enigma_runtime::tally::Tally;
use enigma_runtime::term::list;
use enigma_runtime::timer;
use enigma_runtime::{BifResult, Ctx, Heap, Term, badarg};

/// How many messages answer a request for the numbers.
pub const ANSWERS: i64 = 1;

/// BEAM's allocators, in its order.
pub const ALLOCATORS: [&str; 10] = [
    "temp_alloc",
    "sl_alloc",
    "std_alloc",
    "ll_alloc",
    "eheap_alloc",
    "ets_alloc",
    "fix_alloc",
    "literal_alloc",
    "binary_alloc",
    "driver_alloc",
];

/// Bytes by what they are used for. They are not read all at one moment.
pub struct Memory {
    /// Heaps, stacks and messages.
    heaps: usize,
    /// The records of processes.
    records: usize,
    /// Timers that send messages.
    timers: usize,
    process_table: usize,
    atoms: atom::AtomMemory,
    binaries: usize,
    modules: usize,
    module_table: usize,
    exports: usize,
    funs: usize,
    literals: usize,
    ets: usize,
}

/// The numbers now.
pub fn now() -> Memory {
    Memory {
        heaps: Tally::Heap.bytes(),
        records: table::count() * size_of::<Process>(),
        timers: timer::memory(),
        process_table: table::memory(),
        atoms: atom::memory(),
        binaries: Tally::Binary.bytes(),
        modules: module::bytes_in_use(),
        module_table: module::table_memory(),
        exports: export::memory(),
        funs: fun::memory(),
        literals: literal::bytes_in_use(),
        ets: registry::memory(),
    }
}

impl Memory {
    /// What processes take.
    pub fn processes(&self) -> usize {
        self.heaps + self.records + self.process_table
    }

    /// The sums that `erlang:memory/0` gives, by their names.
    pub fn by_kind(&self) -> [(&'static str, usize); 9] {
        let (total, processes) = (self.total(), self.processes());
        let code = self.modules + self.module_table + self.exports + self.funs;
        [
            ("total", total),
            ("processes", processes),
            ("processes_used", processes),
            ("system", total.saturating_sub(processes)),
            ("atom", self.atoms.texts + self.atoms.pages),
            ("atom_used", self.atoms.texts + self.atoms.table_used),
            ("binary", self.binaries),
            ("code", code),
            ("ets", self.ets),
        ]
    }

    /// The same as a list of pairs.
    pub fn to_term(&self, h: &mut Heap) -> Term {
        let rows = self.by_kind().map(|(k, n)| pair(h, k, num(n)));
        h.list(&rows)
    }

    /// All of it.
    pub fn total(&self) -> usize {
        ALLOCATORS.iter().map(|a| self.allocator(a)).sum()
    }

    /// What lies in the allocator for objects of fixed sizes, by their kinds.
    pub fn fixed(&self) -> [(&'static str, usize); 2] {
        [("proc", self.records), ("bif_timer", self.timers)]
    }

    /// What lies in one of BEAM's allocators.
    pub fn allocator(&self, name: &str) -> usize {
        match name {
            "eheap_alloc" => self.heaps,
            "fix_alloc" => self.records + self.timers,
            "ets_alloc" => self.ets,
            "binary_alloc" => self.binaries,
            "literal_alloc" => self.literals,
            "std_alloc" => self.process_table,
            "ll_alloc" => {
                let code = self.modules + self.module_table + self.exports + self.funs;
                code + self.atoms.texts + self.atoms.pages
            }
            _ => 0,
        }
    }
}

fn num(n: usize) -> Term {
    Term::small(n as i64)
}

fn pair(h: &mut Heap, key: &str, value: Term) -> Term {
    h.tuple(&[Atom::new(key).into(), value])
}

/// `system_info(alloc_util_allocators)`.
pub fn allocators(h: &mut Heap) -> Term {
    h.list_from(ALLOCATORS.map(|a| Term::atom(Atom::new(a))))
}

/// `system_info(allocated_areas)`.
pub fn areas(h: &mut Heap) -> Term {
    let m = now();
    let texts = [
        Atom::new("atom_space").into(),
        num(m.atoms.texts),
        num(m.atoms.texts),
    ];
    // The table counts as used as a whole, so what is unused of it is part of the space for texts.
    let unused = m.atoms.pages - m.atoms.table_used;
    let space = h.tuple(&[texts[0], num(m.atoms.texts + unused), texts[2]]);
    let rows = [
        ("atom_table", m.atoms.table_used),
        ("module_table", m.module_table),
        ("export_table", m.exports),
        ("export_list", 0),
        ("fun_table", m.funs),
        ("module_refs", 0),
        ("loaded_code", m.modules),
        ("bif_timer", m.timers),
        ("process_table", m.process_table),
        ("ets_misc", 0),
    ];
    let mut all = vec![space];
    all.extend(rows.map(|(k, n)| pair(h, k, num(n))));
    h.list(&all)
}

/// The blocks of one of BEAM's allocators, in the form of its statistics.
fn statistics(h: &mut Heap, m: &Memory, name: &str) -> Term {
    let size = num(m.allocator(name));
    let blocks = if size == Term::small(0) {
        Term::NIL
    } else {
        let sizes = h.tuple(&[Atom::SIZE.into(), size, size, size]);
        let sizes = h.list(&[sizes]);
        let row = pair(h, name, sizes);
        h.list(&[row])
    };
    let blocks = pair(h, "blocks", blocks);
    let blocks = h.list(&[blocks]);
    let mut all = Vec::new();
    if name == "fix_alloc" {
        let types = m.fixed().map(|(name, n)| {
            let row = [Atom::new(name).into(), num(n), num(n)];
            h.tuple(&row)
        });
        let types = h.list(&types);
        all.push(pair(h, "fix_types", types));
    }
    all.push(pair(h, "mbcs", blocks));
    h.list(&all)
}

fn known(name: &str) -> Option<&'static str> {
    ALLOCATORS.into_iter().find(|a| *a == name)
}

/// `system_info({memory_internal, Reference, Names})`: sends the numbers of these allocators as
/// `{Reference, Thread, [{Name, Instance, Statistics}]}`.
pub fn send(cx: &mut Ctx<'_>, reference: Term, names: Term) -> BifResult {
    if !reference.is_reference() {
        return Err(badarg());
    }
    let names: Option<Vec<&str>> = list::to_vec(names)
        .ok_or_else(badarg)?
        .into_iter()
        .map(|n| known(n.as_atom()?.text()))
        .collect();
    let names = names.filter(|n| !n.is_empty()).ok_or_else(badarg)?;
    let m = now();
    let message = handle::build(|h| {
        let rows: Vec<Term> = names
            .into_iter()
            .map(|name| {
                let s = statistics(h, &m, name);
                h.tuple(&[Atom::new(name).into(), num(0), s])
            })
            .collect();
        let rows = h.list(&rows);
        h.tuple(&[reference, num(0), rows])
    });
    signal::send(cx.proc.id, Signal::Message(message));
    Ok(true.into())
}
