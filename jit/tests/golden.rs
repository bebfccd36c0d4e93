//! What passes do, by example: every file `golden/<pass>/<case>.ssa` holds a function and, behind a line `; ---`, what the pass
//! makes of it. `ENIGMA_BLESS=1` writes what it makes of it now.
//!
//! The files of `inline` have further functions in front of that line, each behind a line `; callee N` with its number in the module.
//! The number of the first one is 2.

use enigma_jit::ir::{SsaFunction, parse, verify};
use enigma_jit::passes::{self, inline};
use std::fs;
use std::path::{Path, PathBuf};

const LINE: &str = "; ---\n";

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    let mut files: Vec<PathBuf> = entries.flatten().map(|e| e.path()).collect();
    files.sort();
    files
}

/// Changes a function.
type Change<'a> = &'a dyn Fn(&mut SsaFunction);

/// What a change makes of the function that a text is, all of it as it should stand in the file; `rest` comes behind the function.
fn result(change: Change<'_>, text: &str, rest: &str) -> Result<String, String> {
    let mut function = parse(text).map_err(|e| e.to_string())?;
    verify(&function).map_err(|e| format!("before the pass:\n{e}"))?;
    change(&mut function);
    let output = function.to_string();
    verify(&function).map_err(|e| format!("behind the pass:\n{e}{output}"))?;
    Ok(format!("{text}{rest}{LINE}{output}"))
}

/// What `inline` makes of the first function of a text with the others.
fn inlined(text: &str) -> Result<String, String> {
    let mut parts = text.split("; callee ");
    let first = parts.next().unwrap_or("");
    let mut callees = Vec::new();
    for part in parts {
        let (number, body) = part.split_once('\n').ok_or("nothing behind a number")?;
        let number: u32 = number
            .trim()
            .parse()
            .map_err(|e| format!("{number}: {e}"))?;
        callees.push((number, body));
    }
    let find = |n: u32| {
        let (_, body) = callees.iter().find(|c| c.0 == n)?;
        let function = parse(body).ok()?;
        inline::Inlinable::of(function, 100)
    };
    result(
        &|f| inline::run(f, 2, true, find),
        first,
        &text[first.len()..],
    )
}

fn input(text: &str) -> &str {
    text.split(LINE).next().unwrap_or("")
}

/// Compares the files of a folder with what is made of them now, or writes that.
fn check(folder: &str, make: impl Fn(&str) -> Result<String, String>) {
    let all = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let bless = std::env::var_os("ENIGMA_BLESS").is_some();
    let mut wrong = Vec::new();
    let files = files(&all.join(folder));
    assert!(!files.is_empty(), "nothing says what {folder} does");
    for file in files {
        let text = fs::read_to_string(&file).expect("it can be read");
        let name = file.strip_prefix(&all).expect("it lies there").display();
        match make(input(&text)) {
            Ok(now) if now == text => {}
            Ok(now) if bless => fs::write(&file, now).expect("it can be written"),
            Ok(now) => wrong.push(format!("{name} is now\n{now}")),
            Err(error) => wrong.push(format!("{name}: {error}")),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn passes_do_what_the_files_say() {
    for pass in passes::ALL {
        check(pass.name, |text| result(&|f| (pass.run)(f), text, ""));
    }
}

#[test]
fn functions_stand_in_the_place_of_calls() {
    check("inline", inlined);
}
