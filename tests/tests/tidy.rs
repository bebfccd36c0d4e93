//! What holds for the source as text: who may name whom, what every file begins with, where unsafe code is.

use enigma_tests::imports::Imports;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// The layers of the crate `runtime`, lowest first. A module names modules of its own layer's line and of those
/// above this line in the list, never below.
const LAYERS: &[&[&str]] = &[
    &[
        "atom",
        "budget",
        "bug",
        "errands",
        "io",
        "limbs",
        "node",
        "pile",
        "quiescence",
        "reference",
        "release",
        "sys",
        "tally",
    ],
    &["term"],
    &["heap"],
    &["data"],
    &["hooks", "process", "sched", "time", "timer"],
    &["bif", "code", "dirty", "work"],
    &["etf", "load", "match_spec"],
    &["interp"],
    &["spawn", "worker"],
    &["dist", "ets", "fuzz", "models", "persistent_term"],
];

/// Which crate may use which of ours.
const CRATES: &[(&str, &[&str])] = &[
    ("loader", &[]),
    ("otp", &[]),
    ("runtime", &["loader"]),
    ("bifs", &["loader", "runtime"]),
    ("nif", &["bifs", "runtime"]),
    ("native", &[]),
    ("jit", &["loader", "runtime"]),
    ("vm", &["bifs", "jit", "loader", "nif", "otp", "runtime"]),
    ("tests", &["otp"]),
];

/// Crates of which no two files name each other, not by way of others either.
const ACYCLIC: &[&str] = &["bifs", "otp"];

/// Where unsafe code may be, as prefixes of paths.
const UNSAFE: &[&str] = &[
    "jit/src/memory/",
    "loader/examples/",
    "runtime/src/",
    "nif/src/api/",
    "nif/src/c.rs",
    "nif/src/driver/api/",
    "nif/src/driver/binary.rs",
    "nif/src/driver/calls.rs",
    "nif/src/driver/entry.rs",
    "nif/src/driver/pdl.rs",
    "nif/src/driver/queue.rs",
    "nif/src/env.rs",
    "nif/src/exports.rs",
    "nif/src/library.rs",
    "nif/src/resource.rs",
    "nif/src/resource_type.rs",
    "native/src/",
    "bifs/src/break_menu/",
    "bifs/src/crash_dump.rs",
    "bifs/src/erlang/calendar.rs",
    "bifs/src/erlang/display.rs",
    "bifs/src/math.rs",
    "bifs/src/nifs/",
    "bifs/src/os_signal.rs",
    "bifs/src/ports/",
    "bifs/src/re/",
    "bifs/src/system/",
    "bifs/src/terminal/",
    "vm/src/args/start.rs",
    "vm/src/env.rs",
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// All Rust files below a folder, with their paths from the root.
fn sources(folder: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") {
                let text = fs::read_to_string(&path).expect("a source file can be read");
                let name = path.strip_prefix(root()).expect("it lies below the root");
                found.push((name.to_string_lossy().into_owned(), text));
            }
        }
    }
    found.sort();
    found
}

fn all_sources() -> Vec<(String, String)> {
    CRATES.iter().flat_map(|(name, _)| sources(name)).collect()
}

/// The code of a file without comments and without its unit tests.
fn code(text: &str) -> String {
    let text = text.split("#[cfg(test)]").next().unwrap_or("");
    let lines = text
        .lines()
        .map(|line| line.split("//").next().unwrap_or(""));
    lines.collect::<Vec<_>>().join("\n")
}

/// The names that follow `prefix` in a text: one, or those in braces.
fn named_after<'a>(text: &'a str, prefix: &'a str) -> impl Iterator<Item = &'a str> + 'a {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    text.match_indices(prefix).flat_map(move |(at, _)| {
        let whole = !text[..at].ends_with(|c: char| is_word(c) || c == ':');
        let rest = &text[at + prefix.len()..];
        let names: Vec<&str> = if let Some(group) = rest.strip_prefix('{') {
            let end = group.find('}').unwrap_or(group.len());
            let items = group[..end].split(',');
            items
                .map(|item| item.trim().split(|c| !is_word(c)).next().unwrap_or(""))
                .collect()
        } else {
            vec![rest.split(|c| !is_word(c)).next().unwrap_or("")]
        };
        names.into_iter().filter(move |_| whole)
    })
}

/// The module that a name at the crate's top stands for.
fn module_of(name: &str) -> &str {
    match name {
        "Atom" => "atom",
        "Heap" => "heap",
        "Term" => "term",
        "BifResult" | "Ctx" | "Exit" | "badarg" => "bif",
        other => other,
    }
}

#[test]
fn layers() {
    let layer = |module: &str| LAYERS.iter().position(|l| l.contains(&module));
    let mut upward: BTreeMap<(String, String), String> = BTreeMap::new();
    let mut unknown = BTreeSet::new();
    for (path, text) in sources("runtime/src") {
        let below = path.trim_start_matches("runtime/src/");
        let module = below
            .split('/')
            .next()
            .unwrap_or("")
            .trim_end_matches(".rs");
        if module == "lib" {
            continue;
        }
        let Some(from) = layer(module) else {
            unknown.insert(module.to_owned());
            continue;
        };
        for name in named_after(&code(&text), "crate::").map(module_of) {
            match layer(name) {
                Some(to) if to > from => {
                    upward.insert((module.to_owned(), name.to_owned()), path.clone());
                }
                Some(_) => {}
                None => {
                    unknown.insert(name.to_owned());
                }
            }
        }
    }
    assert!(unknown.is_empty(), "modules without a layer: {unknown:?}");
    assert!(upward.is_empty(), "references that run upward: {upward:#?}");
}

#[test]
fn no_cycles() {
    for name in ACYCLIC {
        let prefix = format!("{name}/src/");
        let files: Vec<(String, String)> = sources(&prefix)
            .into_iter()
            .map(|(path, text)| (path[prefix.len()..].to_owned(), code(&text)))
            .collect();
        let files = files.iter().map(|(path, text)| (&**path, &**text));
        let cycles = Imports::of(files).cycles();
        assert!(
            cycles.is_empty(),
            "files of {name} that name each other: {cycles:#?}"
        );
    }
}

/// The name of the public type that a line declares at the top of its file.
fn public_type(line: &str) -> Option<&str> {
    let rest = line.strip_prefix("pub ")?;
    let rest = rest.strip_prefix("unsafe ").unwrap_or(rest);
    let (what, rest) = rest.split_once(' ')?;
    let is_type = matches!(what, "struct" | "enum" | "union" | "trait" | "type");
    let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_');
    is_type.then_some(&rest[..end.unwrap_or(rest.len())])
}

#[test]
fn types_have_names_of_their_own() {
    let mut declared: BTreeMap<String, Vec<String>> = BTreeMap::new();
    // What libraries use has the names that they know: it never meets the VM's types.
    let of_the_vm = |(path, _): &(String, String)| !path.starts_with("native/");
    for (path, text) in all_sources().into_iter().filter(of_the_vm) {
        for name in code(&text).lines().filter_map(public_type) {
            let files = declared.entry(name.to_owned()).or_default();
            files.push(path.clone());
        }
    }
    declared.retain(|_, files| files.len() > 1);
    assert!(declared.is_empty(), "names of several types: {declared:#?}");
}

#[test]
fn crates() {
    for (name, allowed) in CRATES {
        let text = fs::read_to_string(root().join(name).join("Cargo.toml")).expect("a manifest");
        for line in text.lines() {
            let Some(used) = line.strip_prefix("enigma-") else {
                continue;
            };
            let used = used.split(['.', ' ']).next().unwrap_or("");
            assert!(allowed.contains(&used), "{name} must not use {used}");
        }
    }
}

#[test]
fn every_file_says_what_it_is() {
    let silent: Vec<String> = all_sources()
        .into_iter()
        .filter(|(_, text)| !text.starts_with("//!"))
        .map(|(path, _)| path)
        .collect();
    assert!(silent.is_empty(), "files without a header: {silent:#?}");
}

#[test]
fn unsafe_code_stays_where_it_is() {
    let elsewhere: Vec<String> = all_sources()
        .into_iter()
        .filter(|(path, text)| {
            let code = code(text);
            let has = ["unsafe {", "unsafe fn", "unsafe impl"]
                .iter()
                .any(|u| code.contains(u));
            has && path != "tests/tests/tidy.rs" && !UNSAFE.iter().any(|p| path.starts_with(p))
        })
        .map(|(path, _)| path)
        .collect();
    assert!(elsewhere.is_empty(), "unsafe code in {elsewhere:#?}");
}

/// Nothing in the tree knows where one of our machines keeps its files.
#[test]
fn no_paths_of_machines() {
    let folders = [["\"/ro", "ot/"].concat(), ["/wo", "rk/"].concat()];
    let known: Vec<String> = all_sources()
        .into_iter()
        .filter(|(_, text)| folders.iter().any(|f| text.contains(f)))
        .map(|(path, _)| path)
        .collect();
    assert!(known.is_empty(), "paths of a machine in {known:#?}");
}
