//! `erlang:load_nif/2`: a library takes the place of functions of the module version that asks for it.

use crate::c::{Ptr, Word};
use crate::env::NifEnv;
use crate::halting;
use crate::library::{Declared, Library, LibraryEntry, Mapped, NoEntry};
use crate::resource_type::OpenedTypes;
use enigma_runtime::atom::Atom;
use enigma_runtime::bif::{BifResult, Ctx};
use enigma_runtime::code::module::{self, Module};
use enigma_runtime::code::nif::{self, NifCall};
use enigma_runtime::{Term, release};
use std::collections::HashSet;
use std::ffi::c_int;
use std::path::Path;
use std::sync::Arc;

/// What BEAM's libraries call the emulator.
const VM_VARIANT: &str = "beam.vanilla";

/// The version of the interface that a release has.
pub fn version() -> (c_int, c_int) {
    match release::number() {
        ..=25 => (2, 16),
        26..=28 => (2, 17),
        _ => (2, 18),
    }
}

/// Why a library does not load: the first element of the error, and the text.
struct Refused(&'static str, String);

/// See the module's text.
pub fn load(cx: &mut Ctx<'_>, m: &'static Module, path: &str, info: Term) -> BifResult {
    match try_load(cx, m, path, info) {
        Ok(()) => Ok(Atom::OK.into()),
        Err(Refused(what, why)) => {
            let text = cx.heap().char_list(&why);
            let why = cx.tuple2(Atom::new(what), text);
            Ok(cx.error(why))
        }
    }
}

fn try_load(cx: &mut Ctx<'_>, m: &'static Module, path: &str, info: Term) -> Result<(), Refused> {
    let name = m.name;
    let versions = module::versions(name).unwrap_or_default();
    let is = |v: Option<&'static Module>| v.is_some_and(|v| std::ptr::eq(v, m));
    if is(versions.old) {
        let why = format!("Calling load_nif from old module '{name}' not allowed");
        return Err(Refused("old_code", why));
    }
    if m.library().is_some() {
        let why = "NIF library already loaded (reload disallowed since OTP 20).";
        return Err(Refused("reload", why.to_string()));
    }
    let mapped = Mapped::open(Path::new(path)).map_err(no_entry)?;
    let entry = mapped.entry().map_err(no_entry)?;
    nif::taint(name);
    check(name, &entry)?;
    let functions = functions(m, &entry)?;
    // Of the versions before, that which is current while on_load runs, or else the old one.
    let before = match is(versions.on_load) {
        true => versions.current.or(versions.old),
        false => versions.old,
    };
    let before = before.and_then(Module::library);
    let before = before.and_then(|l| l.as_any().downcast_ref::<Library>());
    let library = Library::new(name, mapped, &entry);
    initialise(cx, &library, &entry, before, info)?;
    let calls = functions.into_iter().map(|(index, f)| {
        let call = NifCall {
            function: f.function,
            arity: f.arity as usize,
            pool: f.pool,
            library: library.clone(),
        };
        (index, call)
    });
    halting::add(&library);
    m.set_library(library.clone(), calls.collect());
    Ok(())
}

fn no_entry(why: NoEntry) -> Refused {
    match why {
        NoEntry::NotMapped(why) => Refused(
            "load_failed",
            format!("Failed to load NIF library: '{why}'"),
        ),
        NoEntry::NoInit(why) => Refused(
            "bad_lib",
            format!("Failed to find library init function: '{why}'"),
        ),
        NoEntry::Nothing => Refused("bad_lib", "Library init-call unsuccessful".to_string()),
    }
}

/// Was the library compiled for this module and this version of the interface?
fn check(name: Atom, entry: &LibraryEntry) -> Result<(), Refused> {
    let (major, minor) = entry.version;
    let ours = version();
    if entry.version > ours {
        let needs = entry
            .min_erts
            .clone()
            .unwrap_or_else(|| String::from("a newer version"));
        let why = format!(
            "That '{name}' NIF library needs {needs} or newer. Either try to recompile the NIF lib or use a newer erts runtime."
        );
        return Err(Refused("bad_lib", why));
    }
    if major < 2 || entry.version == (2, 5) {
        let why = format!(
            "That old NIF library ({major}.{minor}) is not compatible with this erts runtime ({}.{}). Try recompile the NIF lib.",
            ours.0, ours.1
        );
        return Err(Refused("bad_lib", why));
    }
    if let Some(variant) = &entry.vm_variant
        && variant != VM_VARIANT
    {
        let why = format!("Library ({variant}) not compiled for this vm variant ({VM_VARIANT}).");
        return Err(Refused("bad_lib", why));
    }
    if entry.name != name.text() {
        let why = format!(
            "Library module name '{}' does not match calling module '{name}'",
            entry.name
        );
        return Err(Refused("bad_lib", why));
    }
    Ok(())
}

/// The functions of the module that the library stands for, by their indices.
fn functions<'a>(
    m: &'static Module,
    entry: &'a LibraryEntry,
) -> Result<Vec<(u32, &'a Declared)>, Refused> {
    let name = m.name;
    let bad =
        |what: &str, f: &str, arity: u32| Refused("bad_lib", format!("{what} {name}:{f}/{arity}"));
    let declared = entry.functions.as_ref().map_err(|f| {
        Refused(
            "bad_lib",
            format!("Illegal flags or no function for NIF {name}:{f}"),
        )
    })?;
    let mut seen = HashSet::new();
    let find = |f: &'a Declared| {
        let known = Atom::existing(&f.name).and_then(|a| m.function(a, f.arity));
        let found = known.ok_or_else(|| bad("Function not found", &f.name, f.arity))?;
        if !found.may_be_replaced() {
            return Err(bad("Function not declared as nif", &f.name, f.arity));
        }
        if !seen.insert(found.index) {
            return Err(bad("Duplicate NIF entry for", &f.name, f.arity));
        }
        Ok((found.index, f))
    };
    declared.iter().map(find).collect()
}

/// Lets the library set itself up.
fn initialise(
    cx: &mut Ctx<'_>,
    library: &Arc<Library>,
    entry: &LibraryEntry,
    before: Option<&Library>,
    info: Term,
) -> Result<(), Refused> {
    let mut opened = OpenedTypes::default();
    let private = Ptr::to(library.private.as_ptr());
    let mut env = NifEnv::of_load(cx, library, &mut opened);
    let env = Ptr::to(&raw mut env);
    if let Some(before) = before {
        let Some(upgrade) = entry.upgrade else {
            let why = "Upgrade not supported by this NIF library.";
            return Err(Refused("upgrade", why.to_string()));
        };
        let old = Ptr::to(before.private.as_ptr());
        let code = upgrade(env, private, old, Word::from(info));
        if code != 0 {
            let why = format!("Library upgrade-call unsuccessful ({code}).");
            return Err(Refused("upgrade", why));
        }
    } else if let Some(load) = entry.load {
        let code = load(env, private, Word::from(info));
        if code != 0 {
            let why = format!("Library load-call unsuccessful ({code}).");
            return Err(Refused("load", why));
        }
    }
    if let Some(loaded) = library.set_loaded() {
        opened.commit(&loaded);
    }
    Ok(())
}
