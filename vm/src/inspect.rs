//! `enigma inspect`: what is in a `.beam` file, what becomes of it, and which BIFs there are.

use clap::{Arg, ArgAction, ArgGroup, ArgMatches, Command, value_parser};
use enigma_jit::stages::WantedStages;
use enigma_jit::{passes, tier};
use enigma_loader::inspect::{self, InspectOptions};
use enigma_runtime::code::{install, listing, module};
use enigma_runtime::{Atom, load, release};
use std::ffi::{OsStr, OsString};
use std::io::Write;
use std::os::unix::ffi::{OsStrExt, OsStringExt};

/// A function's name and arity.
type FunctionName = (String, u32);

fn command() -> Command {
    Command::new("inspect")
        .bin_name("enigma inspect")
        .about("What is in a .beam file, what becomes of it, and which BIFs there are")
        .disable_version_flag(true)
        .arg(
            Arg::new("what")
                .value_name("FILE.beam | bifs")
                .required(true)
                .value_parser(value_parser!(OsString))
                .help("A module, or the table of BIFs of each release"),
        )
        .arg(
            Arg::new("function")
                .long("function")
                .value_name("NAME/ARITY")
                .value_parser(function_name)
                .help("Only this function"),
        )
        .arg(
            Arg::new("no-listing")
                .long("no-listing")
                .action(ArgAction::SetTrue)
                .conflicts_with("function")
                .help("Chunks and verdict only"),
        )
        .arg(
            Arg::new("bytecode")
                .long("bytecode")
                .action(ArgAction::SetTrue)
                .help("The interpreter's instructions in place of the file's"),
        )
        .arg(
            Arg::new("ssa")
                .long("ssa")
                .action(ArgAction::SetTrue)
                .help("SSA form as it is built, and after each pass"),
        )
        .arg(
            Arg::new("pass")
                .long("pass")
                .value_name("NAME")
                .value_parser(pass_name)
                .help("SSA form after this pass only"),
        )
        .arg(
            Arg::new("clif")
                .long("clif")
                .action(ArgAction::SetTrue)
                .help("Cranelift's form"),
        )
        .arg(
            Arg::new("machine")
                .long("machine")
                .action(ArgAction::SetTrue)
                .help("Machine code, with the bytecode that each part belongs to"),
        )
        .group(
            ArgGroup::new("translated")
                .args(["bytecode", "ssa", "pass", "clif", "machine"])
                .multiple(true)
                .conflicts_with("no-listing"),
        )
        .arg(
            Arg::new("release")
                .long("release")
                .value_name("NUMBER")
                .value_parser(value_parser!(u32).range(25..=29))
                .help("The OTP release whose BIFs there are (for a module's functions 29 if not given)"),
        )
}

fn function_name(text: &str) -> Result<FunctionName, String> {
    let parts = text.rsplit_once('/');
    let parts = parts.and_then(|(name, arity)| Some((name.to_string(), arity.parse().ok()?)));
    parts.ok_or_else(|| "it is written as name/2".to_string())
}

fn pass_name(text: &str) -> Result<String, String> {
    let others = passes::ALL.iter().map(|p| p.name);
    let names: Vec<&str> = std::iter::once("inline").chain(others).collect();
    match names.contains(&text) {
        true => Ok(text.to_string()),
        false => Err(format!("the passes are {}", names.join(", "))),
    }
}

/// Runs the command; gives the exit status.
pub fn run(args: &[Vec<u8>]) -> u8 {
    let words = args.iter().map(|a| OsString::from_vec(a.clone()));
    let words = std::iter::once(OsString::from("inspect")).chain(words);
    let options = match command().try_get_matches_from(words) {
        Ok(options) => options,
        Err(e) => {
            let text = e.to_string();
            return if e.use_stderr() {
                crate::print(&[], text.as_bytes(), 1)
            } else {
                crate::print(text.as_bytes(), &[], 0)
            };
        }
    };
    let what: &OsString = options.get_one("what").expect("it is required");
    let function = options.get_one::<FunctionName>("function").cloned();
    let release = options.get_one::<u32>("release").copied();
    if what == "bifs" {
        bifs(release)
    } else if options.contains_id("translated") {
        translated(what, release.unwrap_or(29), function, &options)
    } else if release.is_some() {
        crate::fail("--release makes a difference to bifs and to what becomes of functions only")
    } else {
        let what_of_it = InspectOptions {
            function,
            no_listing: options.get_flag("no-listing"),
        };
        beam(what.as_bytes(), &what_of_it)
    }
}

/// What becomes of a module's functions, or of one.
fn translated(path: &OsStr, number: u32, only: Option<FunctionName>, options: &ArgMatches) -> u8 {
    let name = path.to_string_lossy().into_owned();
    let bytes = match std::fs::read(path) {
        Ok(b) => b,
        Err(e) => return crate::fail(&format!("{name}: {e}")),
    };
    let pass = options.get_one::<String>("pass").cloned();
    let whole = options.get_flag("ssa") && pass.is_none();
    let wanted = WantedForms {
        bytecode: options.get_flag("bytecode"),
        native: WantedStages {
            built: whole,
            pass: if whole { Some("all".to_string()) } else { pass },
            clif: options.get_flag("clif"),
            machine: options.get_flag("machine"),
        },
    };
    match translation_of(&bytes, number, only, &wanted) {
        Ok(text) => crate::print(text.as_bytes(), &[], 0),
        Err(why) => crate::fail(&format!("{name}: {why}")),
    }
}

/// Which forms of functions are wanted.
#[derive(Clone, Debug, Default)]
pub struct WantedForms {
    /// The interpreter's.
    pub bytecode: bool,
    /// The native tier's.
    pub native: WantedStages,
}

/// The forms of a module's functions as a release's system has them. To be called once: the tables of the VM are global.
pub fn translation_of(
    bytes: &[u8],
    number: u32,
    only: Option<FunctionName>,
    wanted: &WantedForms,
) -> Result<String, String> {
    let native = wanted.native != WantedStages::default();
    if native {
        tier::start_without_compiler();
    }
    release::set(number);
    enigma_bifs::table::register(number);
    let prepared = load::prepare(bytes).map_err(|e| e.to_string())?;
    let loaded: Vec<&'static module::Module> = install::install(vec![prepared]).unwrap_or_default();
    let mut out = String::new();
    let mut found = false;
    for f in loaded.iter().flat_map(|m| &m.functions) {
        let named = only
            .as_ref()
            .is_none_or(|(name, arity)| f.name == Atom::new(name) && f.arity == *arity);
        if named {
            f.translate();
            if wanted.bytecode {
                out.extend(listing::function(f));
                out.push('\n');
            }
            if native {
                let stages = tier::stages(f, wanted.native.clone());
                out.push_str(&stages.map_err(|why| format!("{f:?}: {why}"))?);
            }
            found = true;
        }
    }
    match only {
        Some((name, arity)) if !found => Err(format!("there is no function {name}/{arity}")),
        _ => Ok(out),
    }
}

fn beam(file: &[u8], what: &InspectOptions) -> u8 {
    let bytes = match std::fs::read(OsStr::from_bytes(file)) {
        Ok(b) => b,
        Err(e) => return crate::fail(&format!("{}: {e}", String::from_utf8_lossy(file))),
    };
    let mut out = String::new();
    match inspect::inspect(&bytes, what, &mut out) {
        Ok(good) => crate::print(out.as_bytes(), &[], i32::from(!good)),
        Err(e) => crate::fail(&format!("{}: {e}", String::from_utf8_lossy(file))),
    }
}

/// The BIFs that there are, and those that OTP's modules name but nobody implements, of a release or of all that there is a table of.
fn bifs(only: Option<u32>) -> u8 {
    let known = enigma_bifs::inventory::RELEASES;
    if let Some(number) = only.filter(|number| !known.contains(number)) {
        return crate::fail(&format!(
            "there is no table of the BIFs of OTP {number}, but of {known:?}"
        ));
    }
    let mut out = std::io::stdout().lock();
    for release in known {
        if only.is_some_and(|number| number != release) {
            continue;
        }
        let (mut present, mut missing) = (0, Vec::new());
        for b in enigma_bifs::inventory::of(release) {
            let there = enigma_bifs::table::has(b.module, b.function, b.arity);
            if there || b.built_into_code {
                present += 1;
            } else {
                missing.push(format!("  {}:{}/{}", b.module, b.function, b.arity));
            }
        }
        let lines = missing.join("\n");
        let _ = writeln!(
            out,
            "OTP {release}: {present} present, {} missing\n{lines}",
            missing.len()
        );
    }
    0
}
