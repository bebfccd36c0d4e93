//! Loading and asking about code.

use crate::barrier::{self, BarrierStage};
use crate::nifs::prim_socket;
use crate::{bifs, code_permission};
use enigma_runtime::atom::Atom;
use enigma_runtime::bif::{Bif, system_limit};
use enigma_runtime::code::install::{self, Prepared};
use enigma_runtime::code::module::{self, Module};
use enigma_runtime::code::{export, ranges};
use enigma_runtime::heap::bits;
use enigma_runtime::heap::magic::Magic;
use enigma_runtime::term::list;
use enigma_runtime::{BifResult, Ctx, Exit, Heap, Term, badarg, etf, load, reference};
use parking_lot::Mutex;
use std::sync::{Arc, OnceLock};

bifs! { BIFS:
    "erts_internal" {
        "prepare_loading"/2 DirtyCpu => prepare_loading;
        "beamfile_module_md5"/1 Call => module_md5;
        "beamfile_chunk"/2 Call => beamfile_chunk;
    }
    "erlang" {
        "has_prepared_code_on_load"/1 Call => has_prepared_code_on_load;
        "finish_loading"/1 Call => finish_loading;
        "finish_after_on_load"/2 Call => finish_after_on_load;
        "call_on_load_function"/1 Call => call_on_load_function;
        "module_loaded"/1 Call => module_loaded;
        "loaded"/0 Call => loaded;
        "pre_loaded"/0 Call => pre_loaded;
        "function_exported"/3 Call => function_exported;
        "is_builtin"/3 Call => is_builtin;
        "get_module_info"/1 Call => get_module_info1;
        "get_module_info"/2 Call => get_module_info2;
        "check_old_code"/1 Call => check_old_code;
        "delete_module"/1 Call => delete_module;
        "load_nif"/2 Call => load_nif;
    }
    "code" {
        "coverage_support"/0 Call => coverage_support;
        "get_coverage_mode"/0 Call => get_coverage_mode;
        "get_coverage_mode"/1 Call => no_coverage;
        "get_coverage"/2 Call => no_coverage;
        "reset_coverage"/1 Call => no_coverage;
        "set_coverage_mode"/1 Call => no_coverage;
    }
}

/// A module between `prepare_loading` and `finish_loading`.
struct Handle(Mutex<Option<Prepared>>);

static PRELOADED: Mutex<Vec<Atom>> = Mutex::new(Vec::new());

/// Notes the names for `pre_loaded/0`.
pub fn set_preloaded(names: Vec<Atom>) {
    *PRELOADED.lock() = names;
}

fn prepare_loading(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let name = a[0].as_atom().ok_or_else(badarg)?;
    let bytes = bits::binary_bytes(a[1]).ok_or_else(badarg)?;
    cx.bump(bytes.len() / 100);
    match load::prepare(&bytes) {
        Ok(p) if p.name() == name => {
            let m: Magic = Arc::new(Handle(Mutex::new(Some(p))));
            Ok(cx.heap().magic_ref(reference::fresh(), m))
        }
        Ok(p) => {
            report_bad(name, &format!("it holds the module {}", p.name()));
            Ok(cx.error(Atom::BADFILE))
        }
        Err(why) => {
            report_bad(name, &why.to_string());
            Ok(cx.error(Atom::BADFILE))
        }
    }
}

/// Why a file was refused, as BEAM too says it on the logger's level below Erlang: on standard error.
fn report_bad(name: Atom, why: &str) {
    eprintln!("enigma: cannot load module {name}: {why}");
}

fn handles(l: Term) -> Result<Vec<Magic>, Exit> {
    let refs = list::to_vec(l).ok_or_else(badarg)?;
    refs.into_iter().map(handle).collect()
}

fn handle(t: Term) -> Result<Magic, Exit> {
    let m = t.as_magic().ok_or_else(badarg)?;
    if m.is::<Handle>() {
        Ok(m.clone())
    } else {
        Err(badarg())
    }
}

fn peek<R>(m: &Magic, f: impl FnOnce(&Prepared) -> R) -> Result<R, Exit> {
    let h = m.downcast_ref::<Handle>().ok_or_else(badarg)?;
    h.0.lock().as_ref().map(f).ok_or_else(badarg)
}

fn has_prepared_code_on_load(_: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let m = handle(a[0])?;
    Ok(peek(&m, Prepared::has_on_load)?.into())
}

/// Returns when every scheduler has passed: a process that was about to enter a function of the version
/// that is old now has done so, and has left it if it does not stay long.
fn finish_loading(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    match barrier::passage(cx) {
        BarrierStage::Ahead => code_permission::check(cx)?,
        BarrierStage::Waiting => return Err(Exit::Wait),
        BarrierStage::Between | BarrierStage::Passed => return Ok(Atom::OK.into()),
    }
    let all = handles(a[0])?;
    let (mut names, mut duplicated) = (Vec::new(), Vec::new());
    let mut with_on_load = Vec::new();
    for m in &all {
        let (name, on_load) = peek(m, |p| (p.name(), p.has_on_load()))?;
        if names.contains(&name) {
            duplicated.push(name);
        }
        names.push(name);
        if on_load {
            with_on_load.push(name);
        }
    }
    let answer = |cx: &mut Ctx<'_>, why: Atom, names: &[Atom]| {
        let l = cx
            .heap()
            .list_from(names.iter().map(|&n| Term::atom(n)).collect::<Vec<_>>());
        Ok(cx.tuple2(why, l))
    };
    if !with_on_load.is_empty() && all.len() > 1 {
        return Err(system_limit());
    }
    if !duplicated.is_empty() {
        return answer(cx, Atom::new("duplicated"), &duplicated);
    }
    let unpurged: Vec<Atom> = names
        .iter()
        .copied()
        .filter(|&n| install::is_unpurged(n))
        .collect();
    if !unpurged.is_empty() {
        return answer(cx, Atom::NOT_PURGED, &unpurged);
    }
    let mut prepared = Vec::new();
    for m in &all {
        let h = m.downcast_ref::<Handle>().ok_or_else(badarg)?;
        prepared.push(h.0.lock().take().ok_or_else(badarg)?);
    }
    if let ([name], [p]) = (&with_on_load[..], &prepared[..]) {
        debug_assert_eq!(*name, p.name());
        let p = prepared.remove(0);
        install::settle(p);
        return answer(cx, Atom::ON_LOAD, &with_on_load);
    }
    if let Err(prepared) = install::install(prepared) {
        // Somebody else has loaded one of them meanwhile.
        for (m, p) in all.iter().zip(prepared) {
            if let Some(h) = m.downcast_ref::<Handle>() {
                *h.0.lock() = Some(p);
            }
        }
        let unpurged: Vec<Atom> = names
            .into_iter()
            .filter(|&n| install::is_unpurged(n))
            .collect();
        return answer(cx, Atom::NOT_PURGED, &unpurged);
    }
    Err(barrier::begin(cx, false))
}

fn call_on_load_function(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let name = a[0].as_atom().ok_or_else(badarg)?;
    let m = install::settled(name).ok_or_else(badarg)?;
    let i = m.file.on_load.ok_or_else(badarg)?;
    let f = &m.functions[i as usize];
    cx.bump(1);
    Err(Exit::Call(f))
}

fn finish_after_on_load(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    code_permission::check(cx)?;
    let name = a[0].as_atom().ok_or_else(badarg)?;
    let keep = a[1].as_bool().ok_or_else(badarg)?;
    // Where it is not to be kept, the purger takes it away.
    let there = if keep {
        install::install_settled(name)
    } else {
        install::settled(name).is_some()
    };
    if there {
        Ok(true.into())
    } else {
        Err(badarg())
    }
}

fn module_loaded(_: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let name = a[0].as_atom().ok_or_else(badarg)?;
    Ok(module::current(name).is_some().into())
}

fn loaded(cx: &mut Ctx<'_>, _: &[Term]) -> BifResult {
    let names: Vec<Term> = module::loaded().into_iter().map(Term::atom).collect();
    Ok(cx.heap().list(&names))
}

fn pre_loaded(cx: &mut Ctx<'_>, _: &[Term]) -> BifResult {
    let names: Vec<Term> = PRELOADED.lock().iter().rev().map(|&n| n.into()).collect();
    Ok(cx.heap().list(&names))
}

fn function_exported(_: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let (Some(m), Some(f), Some(n)) = (a[0].as_atom(), a[1].as_atom(), a[2].as_small()) else {
        return Err(badarg());
    };
    // Of an arity the lowest 32 bits count.
    Ok(export::lookup(m, f, n as u32)
        .is_some_and(export::Export::is_callable)
        .into())
}

fn is_builtin(_: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let (Some(m), Some(f), Some(n)) = (a[0].as_atom(), a[1].as_atom(), a[2].as_small()) else {
        return Err(badarg());
    };
    if m == Atom::ERLANG && f == Atom::APPLY && (n == 2 || n == 3) {
        return Ok(true.into());
    }
    // Of an arity the lowest 32 bits count.
    Ok(export::lookup(m, f, n as u32)
        .is_some_and(|e| e.bif().is_some())
        .into())
}

// ---- module information ----

fn pairs(heap: &mut Heap, items: &[(Atom, u32)]) -> Term {
    let l: Vec<Term> = items
        .iter()
        .map(|&(n, a)| heap.tuple(&[n.into(), Term::small(i64::from(a))]))
        .collect();
    heap.list(&l)
}

fn decoded(heap: &mut Heap, bytes: Option<&[u8]>) -> Term {
    bytes
        .and_then(|b| etf::decode_trusted(b, heap).ok())
        .unwrap_or(Term::NIL)
}

fn info_item(heap: &mut Heap, m: &'static Module, item: Atom) -> Option<Term> {
    Some(match item {
        Atom::MODULE => m.name.into(),
        Atom::EXPORTS => {
            // The last of the file's table first, as BEAM gives them: test runners go by this order.
            let mut l: Vec<(Atom, u32)> = m.exports().map(|f| (f.name, f.arity)).collect();
            l.reverse();
            pairs(heap, &l)
        }
        Atom::FUNCTIONS => {
            let l: Vec<(Atom, u32)> = m.functions.iter().map(|f| (f.name, f.arity)).collect();
            pairs(heap, &l)
        }
        Atom::NIFS => {
            let built_in = export::of_module(m.name)
                .into_iter()
                .filter(|e| e.bif().is_some_and(Bif::is_nif))
                .map(|e| (e.function, e.arity));
            let l: Vec<(Atom, u32)> = built_in
                .chain(m.nifs().map(|f| (f.name, f.arity)))
                .collect();
            pairs(heap, &l)
        }
        Atom::ATTRIBUTES => decoded(heap, m.file.attributes.as_deref()),
        Atom::COMPILE => decoded(heap, m.file.compile_info.as_deref()),
        Atom::MD5 => heap.binary(&m.file.md5),
        Atom::NATIVE_ADDRESSES => Term::NIL,
        Atom::NATIVE => false.into(),
        _ => return None,
    })
}

fn get_module_info1(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let m = a[0]
        .as_atom()
        .and_then(module::current)
        .ok_or_else(badarg)?;
    let items = [
        Atom::MODULE,
        Atom::EXPORTS,
        Atom::ATTRIBUTES,
        Atom::COMPILE,
        Atom::MD5,
    ];
    let mut l = Vec::new();
    for item in items {
        if let Some(v) = info_item(cx.heap(), m, item) {
            l.push(cx.tuple2(item, v));
        }
    }
    Ok(cx.heap().list(&l))
}

fn get_module_info2(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let m = a[0]
        .as_atom()
        .and_then(module::current)
        .ok_or_else(badarg)?;
    let item = a[1].as_atom().ok_or_else(badarg)?;
    info_item(cx.heap(), m, item).ok_or_else(badarg)
}

fn module_md5(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let bytes = bits::binary_bytes(a[0]).ok_or_else(badarg)?;
    match enigma_loader::BeamFile::parse_unverified(&bytes) {
        Ok(f) => Ok(cx.heap().binary(&f.md5)),
        Err(_) => Ok(Atom::UNDEFINED.into()),
    }
}

fn beamfile_chunk(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let bytes = bits::binary_bytes(a[0]).ok_or_else(badarg)?;
    let id = list::to_bytes(a[1])
        .and_then(|b| <[u8; 4]>::try_from(b).ok())
        .ok_or_else(badarg)?;
    let found = enigma_loader::Container::open(&bytes)
        .ok()
        .and_then(|c| c.get(&id).map(<[u8]>::to_vec));
    Ok(match found {
        Some(chunk) => cx.heap().binary(&chunk),
        None => Atom::UNDEFINED.into(),
    })
}

// ---- old code ----

fn check_old_code(_: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let name = a[0].as_atom().ok_or_else(badarg)?;
    Ok(module::versions(name)
        .is_some_and(|v| v.old.is_some())
        .into())
}

/// Takes a module's current version away, after what was ready to run before has begun with it.
fn delete_module(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let name = a[0].as_atom().ok_or_else(badarg)?;
    match barrier::passage(cx) {
        BarrierStage::Waiting => Err(Exit::Wait),
        BarrierStage::Passed => Ok(true.into()),
        BarrierStage::Between => {
            install::delete(name);
            Err(barrier::begin(cx, false))
        }
        BarrierStage::Ahead => {
            code_permission::check(cx)?;
            // A name that was once a module's stays one: there may be nothing to delete, and that is no error.
            match module::versions(name).map(|v| v.old.is_some()) {
                None => Ok(Atom::UNDEFINED.into()),
                Some(true) => Err(badarg()),
                Some(false) => Err(barrier::begin_first(cx)),
            }
        }
    }
}

// ---- native functions, coverage ----

/// What loads a library in C: the module's version that asks for it, the path, and what the library is told.
pub type LibraryLoader = fn(&mut Ctx<'_>, &'static Module, &str, Term) -> BifResult;

static LOADER: OnceLock<LibraryLoader> = OnceLock::new();

/// Says what loads libraries in C; the first call wins.
pub fn set_library_loader(loader: LibraryLoader) {
    let _ = LOADER.set(loader);
}

/// The functions of built-in libraries take the place of the module's own from the start, so that loading
/// one has nothing more to do. Those that are missing keep the module's body, which raises an error.
fn load_nif(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let path = list::to_string(a[0])
        .or_else(|| bits::binary_bytes(a[0]).and_then(|b| String::from_utf8(b.into()).ok()));
    let path = path.filter(|p| !p.contains('\0')).ok_or_else(badarg)?;
    let Some((caller, _)) = ranges::find(cx.pc) else {
        let text = "load_nif/2 must be explicitly called from the NIF module. It cannot be called through apply/3.";
        let text = cx.heap().char_list(text);
        let why = cx.tuple2(Atom::new("bad_lib"), text);
        return Ok(cx.error(why));
    };
    let module = caller.module();
    let built_in = &crate::system::facts::facts().static_nifs;
    if built_in.contains(&module.name.text()) {
        if module.name.text() == "prim_socket" {
            prim_socket::settings::load(a[1]);
        }
        return Ok(Atom::OK.into());
    }
    code_permission::check(cx)?;
    let load = LOADER
        .get()
        .ok_or_else(|| Exit::error(Atom::new("notsup")))?;
    load(cx, module, &path, a[1])
}

fn coverage_support(_: &mut Ctx<'_>, _: &[Term]) -> BifResult {
    Ok(false.into())
}

/// As on a BEAM without native code: no module is loaded with coverage, and no mode can be set.
fn no_coverage(_: &mut Ctx<'_>, _: &[Term]) -> BifResult {
    Err(badarg())
}

fn get_coverage_mode(_: &mut Ctx<'_>, _: &[Term]) -> BifResult {
    Ok(Atom::NONE.into())
}
