//! `enigma census`: runs a program and says at its end how much of it ran native, and what did not.
//!
//! The shares are of processor time, by samples; a time slice of the system's clock is the finest that they show. Counts
//! are exact.

use crate::args::{self, ArgError, Bytes, Command, Run};
use crate::env::Env;
use clap::{Arg, value_parser};
use enigma_jit::{census, memory};
use enigma_runtime::sys::{self, sampling};
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::sync::atomic::{AtomicUsize, Ordering};

static LINES: AtomicUsize = AtomicUsize::new(0);

fn command() -> clap::Command {
    clap::Command::new("census")
        .bin_name("enigma census")
        .about("Run a program and say at its end which share of it ran native, and what did not")
        .disable_version_flag(true)
        .arg(
            Arg::new("lines")
                .long("lines")
                .value_name("NUMBER")
                .value_parser(value_parser!(u32))
                .default_value("20")
                .help("Lines of each list"),
        )
        .arg(
            Arg::new("args")
                .value_name("ARGUMENTS")
                .value_parser(value_parser!(OsString))
                .num_args(0..)
                .last(true)
                .help("The command line of the program, as without `census`"),
        )
}

/// Reads the arguments after `census`: gives the program's.
fn program(args: &[Bytes]) -> Result<Vec<Bytes>, ArgError> {
    let words = args.iter().map(|a| OsString::from_vec(a.clone()));
    let words = std::iter::once(OsString::from("census")).chain(words);
    let options = command()
        .try_get_matches_from(words)
        .map_err(|e| ArgError {
            text: e.to_string().into_bytes(),
            status: i32::from(e.use_stderr()),
        })?;
    let lines = options.get_one::<u32>("lines").map_or(0, |&n| n as usize);
    LINES.store(lines, Ordering::Relaxed);
    let rest = options.get_many::<OsString>("args").unwrap_or_default();
    Ok(rest.map(|a| a.clone().into_vec()).collect())
}

/// The command of `enigma census` with these arguments.
pub fn command_line(argv0: &[u8], args: &[Bytes]) -> Result<Command, ArgError> {
    let mut command = args::parse(argv0, &program(args)?, Env::from_os())?;
    if let Command::Run(run) = &mut command {
        run.options.census = true;
    }
    Ok(command)
}

/// Before the native tier is switched on: code is to count, and the end is to be told.
pub fn prepare(run: &Run) {
    if run.options.census {
        census::switch_on();
        sys::at_exit(report);
    }
}

/// When the native tier is there: takes samples.
pub fn begin(run: &Run) {
    if !run.options.census {
        return;
    }
    let code = match memory::code().range() {
        Some(code) => {
            enigma_runtime::interp::native::mark_native();
            code
        }
        None => 0..0,
    };
    if let Err(why) = sampling::start(code) {
        eprintln!("enigma: no samples are taken: {why}");
    }
}

extern "C" fn report() {
    use sampling::Activity::{Called, Compiling, Native, Other};
    let [native, called, compiling, other] =
        [Native, Called, Compiling, Other].map(sampling::samples);
    let programs = native + called + other;
    let share = |n: u64| 100.0 * n as f64 / programs.max(1) as f64;
    let text = format!(
        "census: {programs} samples of processor time, and {compiling} more of compilations\n\
         {:6.1} %  native code\n\
         {:6.1} %  functions that native code called: helpers, BIFs, collections\n\
         {:6.1} %  the rest: the interpreter, what it called, schedulers\n{}",
        share(native),
        share(called),
        share(other),
        census::report(LINES.load(Ordering::Relaxed))
    );
    eprint!("{text}");
}
