//! `generate`: random modules, run on BEAM and on Enigma and compared.
//!
//! ```text
//! cargo run --release -p enigma-tests --bin generate -- [--seconds N] [--seed S] [--release N]
//!     [--modules N] [--way NAME]... [--keep DIR] [--reduce-seconds N]
//! cargo run --release -p enigma-tests --bin generate -- --reduce FILE.erl [--entry NAME] [--way NAME]
//! cargo run --release -p enigma-tests --bin generate -- --show SEED
//! ```
//!
//! Modules are made from seeds that count up from `--seed`. What differs is made small and kept, with its seed and
//! both answers, in `--keep`. `--reduce` takes up a kept file, whose first line names its seed.

use enigma_tests::cache;
use enigma_tests::command::{exit_code, number};
use enigma_tests::generate::batch::{Difference, Kind, Lab, PATIENCE, Trial, WAYS, Way};
use enigma_tests::generate::{RandomModule, module, reduce};
use enigma_tests::machine::Machine;
use enigma_tests::oracle;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

struct Options {
    seconds: u64,
    seed: u64,
    release: u32,
    modules: u64,
    ways: Vec<&'static Way>,
    keep: PathBuf,
    reduce_seconds: u64,
    reduce: Option<PathBuf>,
    entry: Option<String>,
    show: Option<u64>,
}

fn main() -> ExitCode {
    exit_code(run())
}

fn options() -> Result<Options, String> {
    let mut options = Options {
        seconds: 60,
        seed: 1,
        release: 27,
        modules: 10,
        ways: vec![],
        keep: cache::root().join("generated"),
        reduce_seconds: 120,
        reduce: None,
        entry: None,
        show: None,
    };
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        let mut value = || args.next().ok_or(format!("{arg} needs a value"));
        match arg.as_str() {
            "--seconds" => options.seconds = number(&value()?)?,
            "--seed" => options.seed = number(&value()?)?,
            "--release" => options.release = u32::try_from(number::<u64>(&value()?)?).unwrap_or(0),
            "--modules" => options.modules = number::<u64>(&value()?)?.max(1),
            "--way" => options.ways.push(way(&value()?)?),
            "--keep" => options.keep = PathBuf::from(value()?),
            "--reduce-seconds" => options.reduce_seconds = number(&value()?)?,
            "--reduce" => options.reduce = Some(PathBuf::from(value()?)),
            "--entry" => options.entry = Some(value()?),
            "--show" => options.show = Some(number(&value()?)?),
            _ => return Err(format!("no option is called {arg}")),
        }
    }
    if options.ways.is_empty() {
        options.ways = WAYS.iter().collect();
    }
    Ok(options)
}

fn way(name: &str) -> Result<&'static Way, String> {
    let found = WAYS.iter().find(|w| w.name == name);
    found.ok_or_else(|| {
        let names: Vec<&str> = WAYS.iter().map(|w| w.name).collect();
        format!("no way is called {name}: {}", names.join(", "))
    })
}

fn run() -> Result<bool, String> {
    let options = options()?;
    if let Some(seed) = options.show {
        print!("{}", module(seed).text(&format!("g{seed}")));
        return Ok(true);
    }
    let lab = Lab {
        otp: oracle::locate(options.release)?,
        machine: Machine::under_test()?,
        dir: cache::root().join(format!("generate-{}", std::process::id())),
        patience: PATIENCE,
    };
    let good = match &options.reduce {
        Some(file) => again(&lab, &options, file),
        None => search(&lab, &options),
    };
    let _ = fs::remove_dir_all(&lab.dir);
    good
}

/// Batches until the time is over.
fn search(lab: &Lab, options: &Options) -> Result<bool, String> {
    let end = Instant::now() + Duration::from_secs(options.seconds);
    let mut seed = options.seed;
    let (mut compared, mut failures) = (0, 0);
    while Instant::now() < end {
        let modules: Vec<RandomModule> = (seed..seed + options.modules).map(module).collect();
        let samples: Vec<Trial> = modules.iter().map(Trial::of).collect();
        let (differences, n) = lab.compare(&samples, &options.ways)?;
        compared += n;
        for (i, found) in differences.iter().enumerate() {
            failures += 1;
            // One of a module and a way is enough.
            let earlier = |d: &Difference| {
                d.module == found.module && d.way == found.way && d.kind == found.kind
            };
            let Some(module) = modules
                .iter()
                .find(|m| format!("g{}", m.seed) == found.module)
            else {
                continue;
            };
            if !differences[..i].iter().any(earlier) {
                keep(lab, options, module, found)?;
            }
        }
        seed += options.modules;
        println!("seeds below {seed}: {compared} answers compared, {failures} differ");
    }
    Ok(failures == 0)
}

/// Makes a module small and writes it down.
fn keep(
    lab: &Lab,
    options: &Options,
    module: &RandomModule,
    found: &Difference,
) -> Result<(), String> {
    println!("{found}");
    let (mut small, mut known) = (module.clone(), found.clone());
    if found.kind != Kind::Refused && options.reduce_seconds > 0 {
        let deadline = Instant::now() + Duration::from_secs(options.reduce_seconds);
        (small, known) = reduce::reduce(lab, module, found, way(found.way)?, deadline)?;
    }
    fs::create_dir_all(&options.keep)
        .map_err(|e| format!("cannot create {}: {e}", options.keep.display()))?;
    let name = format!("g{}_{}_{}", module.seed, found.way, found.entry);
    let path = options.keep.join(format!("{name}.erl"));
    let comment = |text: &str| text.replace('\n', " | ");
    let text = format!(
        "{}\n%% {}() {} {:?}\n%% BEAM   {}\n%% Enigma {}\n",
        small.text(&name),
        found.entry,
        found.way,
        found.kind,
        comment(&known.beam),
        comment(&known.enigma)
    );
    fs::write(&path, &text).map_err(|e| format!("cannot write {}: {e}", path.display()))?;
    println!("{text}\nkept as {}", path.display());
    Ok(())
}

/// Makes the module that a kept file came from small again.
fn again(lab: &Lab, options: &Options, file: &Path) -> Result<bool, String> {
    let text =
        fs::read_to_string(file).map_err(|e| format!("cannot read {}: {e}", file.display()))?;
    let seed = text
        .lines()
        .find_map(|l| l.strip_prefix("%% seed "))
        .ok_or("the file does not say its seed")?;
    let module = module(number(seed.trim())?);
    let mut sample = Trial::of(&module);
    if let Some(entry) = &options.entry {
        sample.entries.retain(|e| e == entry);
    }
    let (differences, _) = lab.compare(&[sample], &options.ways)?;
    match differences.first() {
        Some(found) => keep(lab, options, &module, found).map(|()| false),
        None => {
            println!("no difference");
            Ok(true)
        }
    }
}
