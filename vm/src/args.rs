//! Reading a command line: `erl`'s, with a few long options of Enigma's own.
//!
//! ```text
//!  argv ──Front::read──> who is called, own options ──search──> an OTP installation
//!       ──launcher─────> the emulator's arguments, as erlexec makes them
//!       ──emulator─────> EmuFlags, and the list of binaries for init:boot/1
//! ```
//!
//! [`parse`] does it all. Nothing is started or changed by it: what is to be done comes back
//! as a [`Command`], and [`start::prepare`] does what must be done before a system runs.

pub mod emulator;
mod launcher;
mod number;
mod split;
pub mod start;
pub mod table;
mod topology;
mod usage;

use std::ffi::OsStr;
use std::fmt;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use enigma_jit::pattern::FunctionChoice;
use enigma_otp::{Install, Search};

use crate::env::{Env, Host, program_dir, program_name};
pub use emulator::EmuFlags;
use launcher::{Instead, Places};

/// Arguments are arbitrary bytes.
pub type Bytes = Vec<u8>;

/// What a command line asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Run a system.
    Run(Box<Run>),
    /// `enigma inspect ...`: the arguments after the word.
    Inspect {
        /// What to inspect and how.
        args: Vec<Bytes>,
    },
    /// `enigma census ...`: the arguments after the word.
    Census {
        /// What to run, and how much to say.
        args: Vec<Bytes>,
    },
    /// Print and end.
    Print(Printout),
    /// Replace this program by another.
    Exec {
        /// The program, to be found on `PATH`.
        program: Bytes,
        /// Its arguments.
        args: Vec<Bytes>,
        /// Its environment.
        env: Env,
    },
}

/// A system to run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// The OTP to run.
    pub install: Install,
    /// The emulator's settings.
    pub emu: EmuFlags,
    /// What `init:boot/1` gets, each as a binary.
    pub init_args: Vec<Bytes>,
    /// The emulator's whole argument vector (`erlang:system_info(emu_args)`).
    pub emu_args: Vec<Bytes>,
    /// The environment that Erlang code sees and children inherit.
    pub env: Env,
    /// Enigma's own options.
    pub options: Options,
    /// A command for `sh -c` that starts epmd, to be run first. Its failure is none of ours.
    pub epmd: Option<Bytes>,
    /// Go into the background, with `/dev/null` as standard input, output and error.
    pub detached: bool,
    /// Text for standard output before anything else.
    pub announce: Bytes,
    /// The flavour that was asked for: `smp` (no wish), `jit`, or `emu`, which runs without
    /// native code.
    pub flavor: Bytes,
}

/// Text to print and a status to end with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Printout {
    /// For standard output.
    pub stdout: Bytes,
    /// For standard error.
    pub stderr: Bytes,
    /// The status.
    pub status: i32,
}

impl Printout {
    fn printed(stdout: Bytes) -> Printout {
        Printout {
            stdout,
            stderr: Vec::new(),
            status: 0,
        }
    }

    fn failed(stderr: Bytes) -> Printout {
        Printout {
            stdout: Vec::new(),
            stderr,
            status: 1,
        }
    }
}

/// A command line that cannot be carried out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArgError {
    /// The whole text for standard error, with newlines.
    pub text: Bytes,
    /// The status to end with.
    pub status: i32,
}

impl ArgError {
    fn own(text: impl fmt::Display) -> ArgError {
        ArgError {
            text: format!("enigma: {text}\n").into_bytes(),
            status: 1,
        }
    }
}

impl fmt::Display for ArgError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(String::from_utf8_lossy(&self.text).trim_end())
    }
}

impl std::error::Error for ArgError {}

/// Which program this is taken for, by the name it was called by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Personality {
    /// `enigma`, or any name not below: own options, subcommands, `erl`'s command line.
    Enigma,
    /// `erl`: exactly `erl`'s command line.
    Erl,
    /// `erlexec`: `erl`'s command line, with ROOTDIR and BINDIR from the environment.
    Erlexec,
    /// `beam.smp` and the like: an emulator's command line, as the launcher makes it.
    Emulator,
}

impl Personality {
    /// By the program's name.
    pub fn of(argv0: &[u8]) -> Personality {
        match program_name(argv0) {
            b"erl" => Personality::Erl,
            b"erlexec" => Personality::Erlexec,
            b"beam.smp" | b"beam.jit" | b"beam.emu" | b"beam" => Personality::Emulator,
            _ => Personality::Enigma,
        }
    }
}

/// When functions are compiled to native code.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Jit {
    /// Never: the interpreter alone runs code, and no page is executable that need not be.
    Off,
    /// When they have been called often.
    #[default]
    On,
    /// At their first call.
    Always,
}

impl Jit {
    /// Reads `off`, `on` or `always`.
    fn parse(text: &[u8]) -> Option<Jit> {
        Some(match text {
            b"off" => Jit::Off,
            b"on" => Jit::On,
            b"always" => Jit::Always,
            _ => return None,
        })
    }
}

/// Enigma's own options.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Options {
    /// `--otp DIR`
    pub otp: Option<PathBuf>,
    /// `--jit`
    pub jit: Jit,
    /// `--jit-threshold`: calls after which a function is compiled.
    pub jit_threshold: Option<u32>,
    /// `--jit-only`: the functions that are compiled.
    pub jit_only: Option<FunctionChoice>,
    /// `--jit-dump`: the functions whose stages are printed.
    pub jit_dump: Option<FunctionChoice>,
    /// `--jit-log`: where a line for each compilation goes.
    pub jit_log: Option<PathBuf>,
    /// `enigma census`: say at the end how much ran native.
    pub census: bool,
    /// `--gc-stress`: collect at every chance.
    pub gc_stress: bool,
    /// `--step-stress`: the least work in each step of a BIF, and a collection at every chance.
    pub step_stress: bool,
    /// `--chaos SEED`: leave native code at random.
    pub chaos: Option<u64>,
    /// `--verify-heap`: verify heaps at collections.
    pub verify_heap: bool,
    /// `--sim SEED`: one deterministic scheduler thread.
    pub sim: Option<u64>,
}

/// The first reading of a command line, which takes Enigma's own options out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Front {
    /// The program's name as it was called.
    pub argv0: Bytes,
    /// Who is called.
    pub personality: Personality,
    /// Enigma's own options.
    pub options: Options,
    /// What else was asked for.
    pub action: Action,
    /// The other arguments.
    pub args: Vec<Bytes>,
}

/// What the first reading found to be wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// A system, or something that `erl` can do.
    Run,
    /// `inspect`
    Inspect,
    /// `census`
    Census,
    /// `--version`
    Version,
    /// `--help`
    Help,
}

impl Front {
    /// Reads own options from `ENIGMA_FLAGS` and, unless the program is called as one of
    /// OTP's, from the arguments.
    pub fn read(argv0: &[u8], args: &[Bytes], env: &Env) -> Result<Front, ArgError> {
        let personality = Personality::of(argv0);
        let mut front = Front {
            argv0: argv0.to_vec(),
            personality,
            options: Options::default(),
            action: Action::Run,
            args: Vec::new(),
        };
        if let Some(flags) = env.get("ENIGMA_FLAGS") {
            let words = split::split(flags, false);
            let mut at = 0;
            while at < words.len() {
                if !front.own_option(&words, &mut at)? {
                    let word = String::from_utf8_lossy(&words[at]).into_owned();
                    return Err(ArgError::own(format!(
                        "ENIGMA_FLAGS: unknown option {word}"
                    )));
                }
                at += 1;
            }
        }
        if personality != Personality::Enigma {
            front.action = Action::Run;
            front.args = args.to_vec();
            return Ok(front);
        }
        let mut at = 0;
        while at < args.len() {
            let arg = &args[at];
            // What follows these is the program's.
            if [&b"--"[..], b"-extra", b"-S"].contains(&arg.as_slice()) {
                break;
            }
            if arg == b"inspect" && front.args.is_empty() {
                front.action = Action::Inspect;
                at += 1;
                break;
            }
            if arg == b"census" && front.args.is_empty() {
                front.action = Action::Census;
                at += 1;
                break;
            }
            if !front.own_option(args, &mut at)? {
                front.args.push(arg.clone());
            }
            at += 1;
        }
        front
            .args
            .extend(args[at.min(args.len())..].iter().cloned());
        Ok(front)
    }

    /// Takes an own option at `at`, which is left at its last argument.
    fn own_option(&mut self, args: &[Bytes], at: &mut usize) -> Result<bool, ArgError> {
        let (name, joined) = match args[*at].iter().position(|&c| c == b'=') {
            Some(i) => (&args[*at][..i], Some(&args[*at][i + 1..])),
            None => (&args[*at][..], None),
        };
        let Some(option) = table::OWN_OPTIONS
            .iter()
            .find(|o| o.name.as_bytes() == name && (joined.is_none() || !o.argument.is_empty()))
        else {
            return Ok(false);
        };
        let mut value = &[][..];
        if let Some(joined) = joined {
            value = joined;
        } else if !option.argument.is_empty() {
            *at += 1;
            value = args.get(*at).ok_or_else(|| {
                ArgError::own(format!(
                    "{} needs an argument: {}",
                    option.name, option.argument
                ))
            })?;
        }
        match option.name {
            "--otp" => self.options.otp = Some(PathBuf::from(OsStr::from_bytes(value))),
            "--jit" => {
                self.options.jit = Jit::parse(value).ok_or_else(|| {
                    let text = String::from_utf8_lossy(value);
                    ArgError::own(format!("--jit {text}: it may be off, on or always"))
                })?;
            }
            "--jit-threshold" => {
                let text = String::from_utf8_lossy(value);
                self.options.jit_threshold = Some(text.parse().map_err(|_| {
                    ArgError::own(format!("--jit-threshold {text}: it must be a number"))
                })?);
            }
            "--jit-only" => self.options.jit_only = Some(functions(option.name, value)?),
            "--jit-dump" => self.options.jit_dump = Some(functions(option.name, value)?),
            "--jit-log" => self.options.jit_log = Some(PathBuf::from(OsStr::from_bytes(value))),
            "--gc-stress" => self.options.gc_stress = true,
            "--step-stress" => self.options.step_stress = true,
            "--chaos" => {
                let text = String::from_utf8_lossy(value);
                self.options.chaos = Some(seed(&text).ok_or_else(|| {
                    ArgError::own(format!("--chaos {text}: the seed must be a number"))
                })?);
            }
            "--verify-heap" => self.options.verify_heap = true,
            "--sim" => {
                let text = String::from_utf8_lossy(value);
                self.options.sim = Some(seed(&text).ok_or_else(|| {
                    ArgError::own(format!("--sim {text}: the seed must be a number"))
                })?);
            }
            "--version" => self.action = Action::Version,
            _ => self.action = Action::Help,
        }
        Ok(true)
    }

    /// Where to look for an installation. The programs of OTP that this one may stand in
    /// for are told by their environment or arguments.
    pub fn search(&self, env: &Env) -> Search {
        let mut search = Search::from_env(self.options.otp.clone(), |name| env.os(name));
        let told = match self.personality {
            Personality::Enigma | Personality::Erl => None,
            Personality::Erlexec => env.get("ROOTDIR"),
            Personality::Emulator => {
                let at = self.args.iter().position(|arg| arg == b"-root");
                at.and_then(|at| self.args.get(at + 1)).map(Vec::as_slice)
            }
        };
        if search.option.is_none() && search.enigma_otp.is_none() {
            search.option = told.map(|root| PathBuf::from(OsStr::from_bytes(root)));
        }
        search
    }

    /// The command, given the installation to run.
    pub fn command(self, env: Env, install: Install, host: &Host) -> Result<Command, ArgError> {
        let since = emulator::erts_since(&install.erts_vsn);
        let profile = install.profile();
        let launched = match self.personality {
            Personality::Emulator => launcher::Launched {
                emu_args: std::iter::once(self.argv0.clone())
                    .chain(self.args.clone())
                    .collect(),
                env,
                epmd: None,
                detached: false,
                announce: Vec::new(),
                flavor: match program_name(&self.argv0) {
                    b"beam.emu" => b"emu".to_vec(),
                    _ => b"smp".to_vec(),
                },
            },
            _ => {
                let (places, env) = self.places(env, &install);
                match launcher::launch(&self.args, env, &places, profile, since) {
                    Ok(launched) => launched,
                    Err(Instead::Man(args, env)) => {
                        return Ok(Command::Exec {
                            program: b"man".to_vec(),
                            args,
                            env: *env,
                        });
                    }
                    Err(Instead::Printout(exit)) if exit.status == 0 => {
                        return Ok(Command::Print(exit));
                    }
                    Err(Instead::Printout(exit)) => {
                        return Err(ArgError {
                            text: exit.stderr,
                            status: exit.status,
                        });
                    }
                }
            }
        };
        let emu_args = launched.emu_args;
        let parsed = emulator::parse(&emu_args, &install.erts_vsn, profile, host, &launched.env);
        let (emu, rest) = match parsed {
            Ok(parsed) => parsed,
            Err(emulator::ParseStop::Version(text)) => {
                return Ok(Command::Print(Printout {
                    stdout: Vec::new(),
                    stderr: text,
                    status: 0,
                }));
            }
            Err(emulator::ParseStop::Usage(mut text)) => {
                let program = program_name(&emu_args[0]);
                text.extend_from_slice(usage::emulator(program, since).as_bytes());
                return Err(ArgError { text, status: 1 });
            }
        };
        let init_args = emu_args[rest..].to_vec();
        Ok(Command::Run(Box::new(Run {
            install,
            emu,
            init_args,
            emu_args,
            env: launched.env,
            options: self.options,
            epmd: launched.epmd,
            detached: launched.detached,
            announce: launched.announce,
            flavor: launched.flavor,
        })))
    }

    /// What OTP's `erl` script does before it runs the launcher.
    fn places(&self, mut env: Env, install: &Install) -> (Places, Env) {
        let root = install.root.as_os_str().as_bytes().to_vec();
        let bin = install.bindir.as_os_str().as_bytes().to_vec();
        let own = std::env::current_exe().ok();
        let own = own.as_ref().map(|path| path.as_os_str().as_bytes());
        let from_env =
            |env: &Env, name: &str, default: &[u8]| env.get(name).unwrap_or(default).to_vec();
        let places = match self.personality {
            Personality::Erlexec | Personality::Emulator => Places {
                rootdir: from_env(&env, "ROOTDIR", &root),
                bindir: from_env(&env, "BINDIR", &bin),
                progname: from_env(&env, "PROGNAME", b"erl"),
                emu: from_env(&env, "EMU", b"beam"),
                path_front: None,
            },
            Personality::Erl => Places {
                rootdir: root,
                bindir: bin,
                progname: b"erl".to_vec(),
                emu: b"beam".to_vec(),
                path_front: self.own_dir(&env),
            },
            // Nodes that this one starts are started by PROGNAME, so it must lead here
            // from any directory.
            Personality::Enigma => Places {
                rootdir: root,
                bindir: bin,
                progname: own.unwrap_or(&self.argv0).to_vec(),
                emu: b"beam".to_vec(),
                path_front: None,
            },
        };
        for (name, value) in [
            ("ROOTDIR", &places.rootdir),
            ("BINDIR", &places.bindir),
            ("PROGNAME", &places.progname),
            ("EMU", &places.emu),
        ] {
            env.set(name, value.clone());
        }
        // Children that run Enigma again are to find the same installation.
        if let Some(dir) = self
            .options
            .otp
            .as_ref()
            .and_then(|dir| std::fs::canonicalize(dir).ok())
        {
            env.set("ENIGMA_OTP", dir.as_os_str().as_bytes());
        }
        (places, env)
    }

    /// The directory in which the program that was called as `erl` lies. It stays in front
    /// of the helper programs on `PATH`, among which there is another `erl`: children that
    /// run `erl` are to get this one again.
    fn own_dir(&self, env: &Env) -> Option<Bytes> {
        if let Some(dir) = program_dir(&self.argv0) {
            let dir = std::fs::canonicalize(OsStr::from_bytes(dir)).ok()?;
            return Some(dir.as_os_str().as_bytes().to_vec());
        }
        let name = OsStr::from_bytes(&self.argv0);
        std::env::split_paths(&env.os("PATH")?)
            .find(|dir| dir.join(name).is_file())
            .map(|dir| dir.as_os_str().as_bytes().to_vec())
    }
}

/// A decimal or hexadecimal number.
fn seed(text: &str) -> Option<u64> {
    match text.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    }
}

/// The functions that an own option is about.
fn functions(option: &str, value: &[u8]) -> Result<FunctionChoice, ArgError> {
    let text = String::from_utf8_lossy(value);
    let choice = text.parse();
    choice.map_err(|why| ArgError::own(format!("{option} {text}: {why}")))
}

/// Reads a whole command line (`args` is without the program's name), finding or fetching
/// an OTP installation on the way where one is needed.
pub fn parse(argv0: &[u8], args: &[Bytes], env: Env) -> Result<Command, ArgError> {
    let front = Front::read(argv0, args, &env)?;
    match front.action {
        Action::Help => {
            return Ok(Command::Print(Printout::printed(
                usage::enigma().into_bytes(),
            )));
        }
        Action::Version => {
            let text = format!("enigma {}\n", env!("CARGO_PKG_VERSION"));
            return Ok(Command::Print(Printout::printed(text.into_bytes())));
        }
        Action::Inspect => {
            return Ok(Command::Inspect { args: front.args });
        }
        Action::Census => {
            return Ok(Command::Census { args: front.args });
        }
        Action::Run => {}
    }
    if env.get(enigma_otp::install::PROBE_VARIABLE).is_some() {
        return Err(ArgError::own(
            "asked for an OTP installation, but this is not one",
        ));
    }
    let install = front.search(&env).run().map_err(ArgError::own)?;
    front.command(env, install, &Host::detect())
}

#[cfg(test)]
mod tests;
