//! What programs ask of BEAM's allocators (`system_info({allocator, _})` and `{allocator_sizes, _}`), in the form that
//! they know.
//!
//! There is one allocator here. Each of BEAM's is shown as one instance with one carrier that holds as many bytes as
//! are counted for what it would hold; requests are not counted.

use crate::memory::{self, ALLOCATORS, Memory};
use enigma_runtime::atom::Atom;
use enigma_runtime::term::list;
use enigma_runtime::{BifResult, Exit, Heap, Term, badarg};

/// How much is told.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Detail {
    /// Options, carriers, blocks and calls.
    All,
    /// Sizes of carriers and blocks.
    Sizes,
}

impl Detail {
    /// What a key of `system_info` asks for.
    pub fn of(key: &str) -> Option<Detail> {
        match key {
            "allocator" => Some(Detail::All),
            "allocator_sizes" => Some(Detail::Sizes),
            _ => None,
        }
    }
}

/// A term to be made.
enum Info {
    Number(usize),
    Bool(bool),
    Name(&'static str),
    Text(&'static str),
    Tuple(Vec<Info>),
    List(Vec<Info>),
}

use Info::{Bool, List, Name, Number, Text, Tuple};

impl Info {
    fn term(&self, h: &mut Heap) -> Term {
        let all = |parts: &[Info], h: &mut Heap| -> Vec<Term> {
            parts.iter().map(|p| p.term(h)).collect()
        };
        match self {
            Number(n) => h.uint(*n as u64),
            Bool(b) => Term::bool(*b),
            Name(s) => Atom::new(s).into(),
            Text(s) => h.char_list(s),
            Tuple(parts) => {
                let parts = all(parts, h);
                h.tuple(&parts)
            }
            List(parts) => {
                let parts = all(parts, h);
                h.list(&parts)
            }
        }
    }
}

fn row(name: &'static str, values: impl IntoIterator<Item = Info>) -> Info {
    Tuple(std::iter::once(Name(name)).chain(values).collect())
}

/// `{Name, Now, SinceLastAsked, Ever}`.
fn levels(name: &'static str, n: usize) -> Info {
    row(name, [Number(n), Number(n), Number(n)])
}

/// `{Name, Giga, Units}`.
fn calls(name: &'static str) -> Info {
    row(name, [Number(0), Number(0)])
}

/// The strategy by which BEAM's allocator finds room, and the version of that.
fn strategy(name: &str) -> (&'static str, &'static str) {
    match name {
        "temp_alloc" => ("af", "0.9"),
        _ => ("aoffcbf", "0.9"),
    }
}

/// The names of the calls that BEAM counts for an allocator.
fn call_names(name: &str) -> [&'static str; 3] {
    match name {
        "temp_alloc" => ["temp_alloc", "temp_free", "temp_realloc"],
        "sl_alloc" => ["sl_alloc", "sl_free", "sl_realloc"],
        "std_alloc" => ["std_alloc", "std_free", "std_realloc"],
        "ll_alloc" => ["ll_alloc", "ll_free", "ll_realloc"],
        "eheap_alloc" => ["eheap_alloc", "eheap_free", "eheap_realloc"],
        "ets_alloc" => ["ets_alloc", "ets_free", "ets_realloc"],
        "fix_alloc" => ["fix_alloc", "fix_free", "fix_realloc"],
        "literal_alloc" => ["literal_alloc", "literal_free", "literal_realloc"],
        "binary_alloc" => ["binary_alloc", "binary_free", "binary_realloc"],
        _ => ["driver_alloc", "driver_free", "driver_realloc"],
    }
}

fn options(name: &str) -> Info {
    let numbers = [
        ("sbct", usize::MAX),
        ("asbcst", 0),
        ("rsbcst", 0),
        ("rsbcmt", 0),
        ("rmbcmt", 0),
        ("mmbcs", 0),
        ("mmmbc", usize::MAX),
        ("mmsbc", 0),
        ("lmbcs", 0),
        ("smbcs", 0),
        ("mbcgs", 0),
        ("acul", 0),
    ];
    let mut all = vec![
        row("e", [Bool(true)]),
        row("t", [Bool(false)]),
        row("ramv", [Bool(false)]),
    ];
    all.extend(numbers.map(|(name, n)| row(name, [Number(n)])));
    all.push(row("as", [Name(strategy(name).0)]));
    row("options", [List(all)])
}

/// Carriers of a kind: one with so many bytes, or none.
fn carriers(kind: &'static str, name: &'static str, bytes: usize, detail: Detail) -> Info {
    let n = usize::from(bytes > 0);
    let mut block = Vec::new();
    if detail == Detail::All {
        block.push(levels("count", n));
    }
    block.push(levels("size", bytes));
    let blocks = if bytes > 0 {
        vec![row(name, [List(block)])]
    } else {
        Vec::new()
    };
    let blocks = row("blocks", [List(blocks)]);
    let all = match detail {
        Detail::Sizes => vec![blocks, levels("carriers_size", bytes)],
        Detail::All => vec![
            blocks,
            levels("carriers", n),
            row("mseg_alloc_carriers", [Number(0)]),
            row("sys_alloc_carriers", [Number(n)]),
            levels("carriers_size", bytes),
            row("mseg_alloc_carriers_size", [Number(0)]),
            row("sys_alloc_carriers_size", [Number(bytes)]),
        ],
    };
    row(kind, [List(all)])
}

/// The one instance of an allocator.
fn instance(m: &Memory, name: &'static str, detail: Detail) -> Info {
    let bytes = m.allocator(name);
    let mut all = Vec::new();
    if detail == Detail::All {
        all.push(row("versions", [Text(strategy(name).1), Text("3.0")]));
        all.push(options(name));
    }
    if name == "fix_alloc" {
        let types = m.fixed().map(|(name, n)| row(name, [Number(n), Number(n)]));
        all.push(row("fix_types", [List(types.into())]));
    }
    all.push(carriers("mbcs", name, bytes, detail));
    all.push(carriers("sbcs", name, 0, detail));
    if detail == Detail::All {
        let mut counted: Vec<Info> = call_names(name).map(calls).into();
        counted.extend(
            [
                "mseg_alloc",
                "mseg_dealloc",
                "mseg_realloc",
                "sys_alloc",
                "sys_free",
                "sys_realloc",
            ]
            .map(calls),
        );
        all.push(row("calls", [List(counted)]));
    }
    List(all)
}

/// What is told of an allocator, or of what else BEAM has below its allocators.
fn told(m: &Memory, name: &str, detail: Detail) -> Option<Info> {
    let one = |info: Info| List(vec![row("instance", [Number(0), info])]);
    if let Some(name) = ALLOCATORS.into_iter().find(|a| *a == name) {
        return Some(one(instance(m, name, detail)));
    }
    Some(match (name, detail) {
        ("sys_alloc", Detail::All) => {
            let options = List(vec![row("e", [Bool(true)]), row("m", [Name("mimalloc")])]);
            one(List(vec![row("options", [options])]))
        }
        ("sys_alloc", Detail::Sizes) => one(List(Vec::new())),
        ("mseg_alloc", Detail::Sizes) => one(List(vec![levels("segments_size", 0)])),
        ("mseg_alloc", Detail::All) => {
            let status = List(vec![
                row("cached_segments", [Number(0)]),
                row("cache_hits", [Number(0)]),
                levels("segments", 0),
                row("segments_watermark", [Number(0)]),
                levels("segments_size", 0),
            ]);
            let counted = List(
                ["mseg_alloc", "mseg_dealloc", "mseg_realloc"]
                    .map(calls)
                    .into(),
            );
            let kind = List(vec![
                row("name", [Text("all memory")]),
                row("status", [status]),
                row("calls", [counted]),
            ]);
            one(List(vec![
                row("version", [Text("0.9")]),
                row("options", [List(Vec::new())]),
                row("memkind", [kind]),
            ]))
        }
        ("erts_mmap", _) => {
            let used = List(vec![row("used", [Number(m.total())])]);
            let os = List(vec![row("sizes", [used])]);
            let default = List(vec![
                row("options", [List(vec![row("scs", [Number(0)])])]),
                row("os", [os]),
            ]);
            List(vec![row("default_mmap", [default])])
        }
        _ => return None,
    })
}

/// `system_info({Key, Name})`, or a list of names.
pub fn info(h: &mut Heap, detail: Detail, what: Term) -> BifResult {
    let m = memory::now();
    let of = |t: Term| told(&m, t.as_atom()?.text(), detail);
    if what.is_atom() {
        let info = of(what).ok_or_else(badarg)?;
        return Ok(info.term(h));
    }
    if !what.is_list() {
        return Err(Exit::error(Atom::FUNCTION_CLAUSE));
    }
    let names = list::to_vec(what)
        .filter(|l| !l.is_empty())
        .ok_or_else(badarg)?;
    let mut rows = Vec::with_capacity(names.len());
    for name in names {
        let info = of(name).ok_or_else(badarg)?.term(h);
        rows.push(h.tuple(&[name, info]));
    }
    Ok(h.list(&rows))
}

/// `system_info(allocator)`: the system's allocator, its version, what there is, and the settings.
pub fn summary(h: &mut Heap) -> Term {
    let features = std::iter::once("sys_alloc").chain(ALLOCATORS);
    let settings = ALLOCATORS.map(|name| {
        let Tuple(mut parts) = options(name) else {
            return Name(name);
        };
        Tuple(vec![Name(name), parts.pop().unwrap_or(List(Vec::new()))])
    });
    Tuple(vec![
        Name("undefined"),
        List(Vec::new()),
        List(features.map(Name).collect()),
        List(settings.into()),
    ])
    .term(h)
}
