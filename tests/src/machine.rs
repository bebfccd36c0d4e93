//! The two kinds of machine that run the compiled suites.

use crate::cache;
use crate::oracle::Otp;
use crate::proc;
use std::fmt;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

/// How Enigma is made to attack itself while it runs a suite.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// As a user runs it.
    Plain,
    /// The interpreter alone.
    Interp,
    /// Functions are compiled to native code after a few calls.
    Tiered,
    /// The heap verifier runs at every collection.
    VerifyHeap,
    /// A collection is forced at every chance.
    GcStress,
    /// BIFs that work in steps do the least in each, and a collection is forced at every chance.
    StepStress,
    /// Every function is compiled to native code at its first call.
    Native,
    /// The same with a collection at every chance.
    NativeStress,
    /// Every function is compiled to native code at its first call, and that is left at random, as this seed has it.
    Chaos(u64),
    /// The deterministic single-thread scheduler with this seed.
    Sim(u64),
}

impl Mode {
    /// Command-line options of this mode.
    pub fn options(self) -> Vec<String> {
        match self {
            Mode::Plain => vec![],
            Mode::Interp => vec!["--jit=off".to_string()],
            Mode::Tiered => vec!["--jit=on".to_string(), "--jit-threshold=20".to_string()],
            Mode::VerifyHeap => vec!["--jit=off".to_string(), "--verify-heap".to_string()],
            Mode::GcStress => vec!["--jit=off".to_string(), "--gc-stress".to_string()],
            Mode::StepStress => vec!["--step-stress".to_string()],
            Mode::Native => vec!["--jit=always".to_string()],
            Mode::NativeStress => vec!["--jit=always".to_string(), "--gc-stress".to_string()],
            Mode::Chaos(seed) => {
                let [jit, chaos] = ["--jit=always", "--chaos"].map(str::to_string);
                vec![jit, chaos, seed.to_string()]
            }
            Mode::Sim(seed) => vec!["--sim".to_string(), seed.to_string()],
        }
    }

    /// Whether cases marked heavy are left out.
    pub fn light(self) -> bool {
        matches!(self, Mode::GcStress | Mode::StepStress | Mode::NativeStress)
    }

    /// Reads `plain`, `interp`, `tiered`, `verify-heap`, `gc-stress`, `step-stress`, `native`, `native-stress`, `chaos:N` or `sim:N`.
    pub fn parse(text: &str) -> Result<Mode, String> {
        match text {
            "plain" => Ok(Mode::Plain),
            "interp" => Ok(Mode::Interp),
            "tiered" => Ok(Mode::Tiered),
            "verify-heap" => Ok(Mode::VerifyHeap),
            "gc-stress" => Ok(Mode::GcStress),
            "step-stress" => Ok(Mode::StepStress),
            "native" => Ok(Mode::Native),
            "native-stress" => Ok(Mode::NativeStress),
            _ => {
                let seed = |name: &str| text.strip_prefix(name)?.parse().ok();
                let sim = seed("sim:").map(Mode::Sim);
                sim.or_else(|| seed("chaos:").map(Mode::Chaos)).ok_or_else(|| {
                    format!(
                        "no mode is called {text}: plain, interp, tiered, verify-heap, gc-stress, step-stress, native, \
                         native-stress, chaos:N, sim:N"
                    )
                })
            }
        }
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Mode::Plain => f.write_str("plain"),
            Mode::Interp => f.write_str("interp"),
            Mode::Tiered => f.write_str("tiered"),
            Mode::VerifyHeap => f.write_str("verify-heap"),
            Mode::GcStress => f.write_str("gc-stress"),
            Mode::StepStress => f.write_str("step-stress"),
            Mode::Native => f.write_str("native"),
            Mode::NativeStress => f.write_str("native-stress"),
            Mode::Chaos(seed) => write!(f, "chaos:{seed}"),
            Mode::Sim(seed) => write!(f, "sim:{seed}"),
        }
    }
}

/// Something that takes `erl`'s command line.
#[derive(Clone, Debug)]
pub enum Machine {
    /// The release's own `erl`.
    Beam,
    /// An `enigma` executable, or any other stand-in for `erl`.
    Enigma(PathBuf),
}

impl Machine {
    /// The machine under test: `ENIGMA_BIN`, or the workspace's release build, which
    /// is brought up to date first. `ENIGMA_BIN=beam` compares BEAM with itself, which
    /// checks the tests.
    pub fn under_test() -> Result<Machine, String> {
        match std::env::var("ENIGMA_BIN") {
            Ok(name) if name == "beam" => return Ok(Machine::Beam),
            Ok(path) => return Ok(Machine::Enigma(cache::workspace().join(path))),
            Err(_) => {}
        }
        let path = cache::target().join("release/enigma");
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut build = Command::new(cargo);
        build.current_dir(cache::workspace());
        build.args(["build", "--release", "-p", "enigma-vm", "--bin", "enigma"]);
        let out = proc::run(build, Duration::from_secs(1800))?;
        if !out.success() {
            return Err(format!("cannot build enigma: {}", out.obituary()));
        }
        Ok(Machine::Enigma(path))
    }

    /// A command that runs this machine on the libraries of `otp`.
    pub fn command(&self, otp: &Otp, mode: Mode) -> Command {
        let mut command = match self {
            Machine::Beam => Command::new(&otp.erl),
            Machine::Enigma(path) => {
                let mut command = Command::new(path);
                command.args(mode.options());
                command.env("ENIGMA_OTP", &otp.root);
                command
            }
        };
        for name in [
            "ERL_FLAGS",
            "ERL_AFLAGS",
            "ERL_ZFLAGS",
            "ERL_LIBS",
            "ERL_INETRC",
        ] {
            command.env_remove(name);
        }
        command.env("ERL_CRASH_DUMP_SECONDS", "0");
        // Suites that start nodes: how this machine is started, and the release's own, an argument a line.
        let this = match self {
            Machine::Beam => otp.erl.display().to_string(),
            Machine::Enigma(path) => {
                let words = std::iter::once(path.display().to_string()).chain(mode.options());
                words.collect::<Vec<String>>().join("\n")
            }
        };
        command.env("ENIGMA_TEST_SELF", this);
        command.env("ENIGMA_TEST_BEAM", &otp.erl);
        command
            .env("LC_ALL", "C.UTF-8")
            .env("TZ", "UTC")
            .env("TERM", "dumb");
        command
    }
}
