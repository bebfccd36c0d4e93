//! Loading, purging and asking about code; work that the code purger asks of other processes.

use crate::bifs;
use enigma_runtime::atom::Atom;
use enigma_runtime::code::load::{self, Prepared};
use enigma_runtime::code::module::{self, Module};
use enigma_runtime::code::{export, ranges};
use enigma_runtime::etf;
use enigma_runtime::heap::copy;
use enigma_runtime::heap::literal::OwnedTerm;
use enigma_runtime::heap::magic::Magic;
use enigma_runtime::process::Owned;
use enigma_runtime::process::signal::{self, Signal, Task};
use enigma_runtime::term::{bits, list, stack_word};
use enigma_runtime::{BifResult, Ctx, Exit, Heap, Term, badarg, reference};
use parking_lot::Mutex;
use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

bifs! { BIFS:
    "erts_internal" {
        "prepare_loading"/2 DirtyCpu => prepare_loading;
        "purge_module"/2 Call => purge_module;
        "check_process_code"/1 Call => check_process_code;
        "request_system_task"/3 Call => request_system_task3;
        "request_system_task"/4 Call => request_system_task4;
        "beamfile_module_md5"/1 Call => module_md5;
        "beamfile_chunk"/2 Call => beamfile_chunk;
        "release_literal_area_switch"/0 Call => release_literal_area_switch;
        "is_process_executing_dirty"/1 Call => is_process_executing_dirty;
        "check_dirty_process_code"/2 Call => check_dirty_process_code;
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
        "get_coverage_mode"/1 Call => get_coverage_mode;
    }
}

/// A module between `prepare_loading` and `finish_loading`.
struct Handle(Mutex<Option<Prepared>>);

static PRELOADED: Mutex<Vec<Atom>> = Mutex::new(Vec::new());

/// Modules whose on_load function runs now.
static ON_LOAD: LazyLock<Mutex<HashMap<Atom, &'static Module>>> = LazyLock::new(Default::default);

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

fn finish_loading(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let all = handles(a[0])?;
    let mut names = Vec::new();
    let mut with_on_load = Vec::new();
    for m in &all {
        let (name, on_load) = peek(m, |p| (p.name(), p.has_on_load()))?;
        if names.contains(&name) {
            return Err(badarg());
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
        return answer(cx, Atom::ON_LOAD, &with_on_load);
    }
    let unpurged: Vec<Atom> = names
        .iter()
        .copied()
        .filter(|&n| {
            module::with(n, |v| {
                v.is_some_and(|v| v.old.is_some() && v.current.is_some())
            })
        })
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
        ON_LOAD.lock().insert(*name, load::settle(p));
        return answer(cx, Atom::ON_LOAD, &with_on_load);
    }
    load::install(prepared);
    Ok(Atom::OK.into())
}

fn call_on_load_function(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let name = a[0].as_atom().ok_or_else(badarg)?;
    let m = *ON_LOAD.lock().get(&name).ok_or_else(badarg)?;
    let i = m.file.on_load.ok_or_else(badarg)?;
    let f = &m.functions[i as usize];
    cx.bump(1);
    Err(Exit::Call(f))
}

fn finish_after_on_load(_: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let name = a[0].as_atom().ok_or_else(badarg)?;
    let keep = a[1].as_bool().ok_or_else(badarg)?;
    let m = ON_LOAD.lock().remove(&name).ok_or_else(badarg)?;
    if keep {
        load::install_settled(m);
    }
    Ok(true.into())
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
    let (Some(m), Some(f), Some(n)) = (a[0].as_atom(), a[1].as_atom(), a[2].as_usize()) else {
        return Err(badarg());
    };
    Ok(export::lookup(m, f, n as u32)
        .is_some_and(export::Export::is_callable)
        .into())
}

fn is_builtin(_: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let (Some(m), Some(f), Some(n)) = (a[0].as_atom(), a[1].as_atom(), a[2].as_usize()) else {
        return Err(badarg());
    };
    if m == Atom::ERLANG && f == Atom::APPLY && (n == 2 || n == 3) {
        return Ok(true.into());
    }
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
            let l: Vec<(Atom, u32)> = m.exports().map(|f| (f.name, f.arity)).collect();
            pairs(heap, &l)
        }
        Atom::FUNCTIONS => {
            let l: Vec<(Atom, u32)> = m.functions.iter().map(|f| (f.name, f.arity)).collect();
            pairs(heap, &l)
        }
        Atom::NIFS => {
            let l: Vec<(Atom, u32)> = crate::table::TABLES
                .iter()
                .copied()
                .flatten()
                .filter(|b| b.is_nif() && b.module == m.name.text())
                .map(|b| (Atom::new(b.function), u32::from(b.arity)))
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
    Ok(module::with(name, |v| v.is_some_and(|v| v.old.is_some())).into())
}

fn delete_module(_: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let name = a[0].as_atom().ok_or_else(badarg)?;
    let (current, old) = module::with(name, |v| {
        v.map_or((false, false), |v| (v.current.is_some(), v.old.is_some()))
    });
    if !current {
        return Ok(Atom::UNDEFINED.into());
    }
    if old {
        return Err(badarg());
    }
    Ok(load::delete(name).into())
}

fn purge_module(_: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let name = a[0].as_atom().ok_or_else(badarg)?;
    match a[1].as_atom() {
        Some(Atom::PREPARE) => {
            Ok(module::with(name, |v| v.is_some_and(|v| v.old.is_some())).into())
        }
        // Code of a failed on_load function was never reachable from outside: nothing runs it now.
        Some(Atom::PREPARE_ON_LOAD) => Ok(false.into()),
        Some(Atom::ABORT) => Ok(false.into()),
        Some(Atom::COMPLETE) => {
            load::purge(name);
            Ok(true.into())
        }
        _ => Err(badarg()),
    }
}

/// Does the process run, or is it going to return to, the old version of a module?
fn uses_old_code(own: &Owned, pc: *const u64, name: Atom) -> bool {
    let Some(old) = module::with(name, |v| v.and_then(|v| v.old)) else {
        return false;
    };
    let in_old = |pc: *const u64| {
        ranges::find(pc)
            .or_else(|| ranges::find(pc.wrapping_sub(1)))
            .is_some_and(|(f, _)| std::ptr::eq(f.module(), old))
    };
    in_old(pc)
        || own.stack.words().iter().any(|&w| {
            (stack_word::is_return(w) || stack_word::is_catch(w)) && in_old(stack_word::pc(w))
        })
}

fn check_process_code(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let name = a[0].as_atom().ok_or_else(badarg)?;
    Ok(uses_old_code(cx.own, cx.pc, name).into())
}

fn release_literal_area_switch(_: &mut Ctx<'_>, _: &[Term]) -> BifResult {
    Ok(false.into())
}

fn is_process_executing_dirty(_: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    a[0].as_local_pid().ok_or_else(badarg)?;
    Ok(false.into())
}

fn check_dirty_process_code(_: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    a[0].as_local_pid().ok_or_else(badarg)?;
    Ok(false.into())
}

// ---- work for other processes ----

fn request_system_task3(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let requester = cx.self_pid();
    system_task(requester, a[0], a[2])
}

fn request_system_task4(_: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    system_task(a[0], a[1], a[3])
}

/// Sends `{Type, Id, Arg}` to be done by `target`; the answer `{Type, Id, Result}` goes to `requester`.
fn system_task(requester: Term, target: Term, request: Term) -> BifResult {
    let to = target.as_local_pid().ok_or_else(badarg)?;
    let requester = requester.as_local_pid().ok_or_else(badarg)?;
    let Some(&[kind, id, arg]) = request.as_tuple_n::<3>() else {
        return Err(badarg());
    };
    let kind = kind.as_atom().ok_or_else(badarg)?;
    let arg = arg.as_atom().ok_or_else(badarg)?;
    if !matches!(
        kind,
        Atom::GARBAGE_COLLECT | Atom::CHECK_PROCESS_CODE | Atom::COPY_LITERALS
    ) {
        return Err(badarg());
    }
    let id = OwnedTerm::new(id);
    let task: Task = Box::new(move |other| {
        let result: Term = match other {
            None => match kind {
                Atom::GARBAGE_COLLECT | Atom::CHECK_PROCESS_CODE => false.into(),
                _ => Atom::OK.into(),
            },
            Some(cx) => match kind {
                Atom::GARBAGE_COLLECT => {
                    cx.own.collect(&mut [], 0, arg == Atom::MAJOR);
                    true.into()
                }
                Atom::CHECK_PROCESS_CODE => uses_old_code(cx.own, cx.own.pc, arg).into(),
                _ => Atom::OK.into(),
            },
        };
        let message = enigma_runtime::process::handle::build(|h| {
            let id = copy::copy(id.term(), h);
            h.tuple(&[kind.into(), id, result])
        });
        signal::send(requester, Signal::Message(message));
    });
    if let Err(task) = signal::send_task(to, task) {
        task(None);
    }
    Ok(Atom::OK.into())
}

// ---- native functions, coverage ----

/// The functions of built-in libraries take the place of the module's own from the start, so that loading
/// one has nothing more to do. Those that are missing keep the module's body, which raises an error.
fn load_nif(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let path = list::to_string(a[0])
        .or_else(|| bits::binary_bytes(a[0]).and_then(|b| String::from_utf8(b.into()).ok()));
    let path = path.ok_or_else(badarg)?;
    let caller = ranges::find(cx.pc).map(|(f, _)| f.module().name);
    let built_in = caller.is_some_and(|m| crate::system::facts().static_nifs.contains(&m.text()));
    if built_in {
        return Ok(Atom::OK.into());
    }
    let text = format!("Failed to load NIF library {path}: C NIF libraries are not supported yet");
    let text = cx.heap().char_list(&text);
    let why = cx.tuple2(Atom::LOAD_FAILED, text);
    Ok(cx.error(why))
}

fn coverage_support(_: &mut Ctx<'_>, _: &[Term]) -> BifResult {
    Ok(false.into())
}

fn get_coverage_mode(_: &mut Ctx<'_>, _: &[Term]) -> BifResult {
    Ok(Atom::NONE.into())
}
