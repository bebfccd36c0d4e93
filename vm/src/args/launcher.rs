//! What `erlexec` does: from a command line and the environment to the emulator's
//! arguments.
//!
//! ```text
//!  ERL_OTPnn_FLAGS  ERL_AFLAGS  command line  ERL_FLAGS  ERL_ZFLAGS
//!        \              \            |            /          /
//!         one list, each part closed by `--`; everything after an `-extra` goes last
//!                                    |
//!     EMULATOR  +flags as -flags  --  -root R -bindir B -progname P  --  -home H  --  the rest
//!     \_________________________/     \_______________________________________________________/
//!        read by the emulator            what `init:boot/1` gets, as binaries
//! ```

use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use enigma_otp::Profile;

use super::split::split;
use super::table::{ALLOCATOR_LETTERS, FLAGS, FlagClass, Launch, Since};
use super::{Bytes, Printout, usage};
use crate::env::{Env, emulator_path};

/// The places that the launcher fills in.
#[derive(Debug, Clone)]
pub struct Places {
    /// ROOTDIR
    pub rootdir: Bytes,
    /// BINDIR
    pub bindir: Bytes,
    /// PROGNAME
    pub progname: Bytes,
    /// EMU, normally `beam`.
    pub emu: Bytes,
    /// A directory that goes before all others in `PATH`.
    pub path_front: Option<Bytes>,
}

/// What became of a command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Launched {
    /// The emulator's argument vector, its name first.
    pub emu_args: Vec<Bytes>,
    /// The environment of the emulator.
    pub env: Env,
    /// The command that starts epmd, for the shell.
    pub epmd: Option<Bytes>,
    /// Go into the background.
    pub detached: bool,
    /// Text for standard output before the emulator starts.
    pub announce: Bytes,
    /// The flavour that was asked for.
    pub flavor: Bytes,
}

/// What is to happen instead of running the emulator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Instead {
    /// End with this.
    Printout(Printout),
    /// Replace this program by `man` with these arguments.
    Man(Vec<Bytes>, Box<Env>),
}

impl From<Printout> for Instead {
    fn from(exit: Printout) -> Instead {
        Instead::Printout(exit)
    }
}

/// The separator of groups of arguments.
const SEPARATOR: &[u8] = b"--";

/// Does what the launcher of the given release does. `args` is without the program's name.
pub fn launch(
    args: &[Bytes],
    mut env: Env,
    places: &Places,
    profile: &Profile,
    since: Since,
) -> Result<Launched, Instead> {
    let args = gather(args, &env, profile)?;
    let flavor = choose_emulator(&args)?;
    let mut emulator = places.emu.clone();
    emulator.push(b'.');
    emulator.extend_from_slice(&flavor);
    let emulator_file = [&places.bindir[..], b"/", &emulator].concat();

    let path = emulator_path(
        env.get("PATH"),
        &places.bindir,
        &places.rootdir,
        places.path_front.as_deref(),
        profile.launcher_runs_scripts,
    );
    env.set("PATH", path);

    let mut line = Line {
        profile,
        since,
        args: &args,
        at: 0,
        emu_args: vec![
            env.get("ESCRIPT_NAME")
                .map_or(emulator_file.clone(), <[u8]>::to_vec),
        ],
        init_args: Vec::new(),
        env,
        emulator,
        rootdir: &places.rootdir,
        state: State::default(),
    };
    if let Some(home) = line.env.get("HOME").map(<[u8]>::to_vec) {
        line.push_all(&[b"-home", &home]);
    }
    if let Some(port) = line.env.get("ERL_EPMD_PORT").map(<[u8]>::to_vec) {
        line.push_all(&[b"-epmd_port", &port]);
    }
    line.push(SEPARATOR);
    line.read()?;
    let Line {
        mut emu_args,
        init_args,
        env,
        state,
        ..
    } = line;
    if state.no_epmd && !state.proto_dist {
        return Err(failure(
            "Missing -proto_dist option, expected when using -no_epmd.",
        ));
    }
    for arg in [
        SEPARATOR,
        b"-root",
        &places.rootdir,
        b"-bindir",
        &places.bindir,
        b"-progname",
        &places.progname,
        SEPARATOR,
    ] {
        emu_args.push(arg.to_vec());
    }
    emu_args.extend(init_args);
    if state.halt_afterwards {
        for arg in [&b"-s"[..], b"erlang", b"halt"] {
            emu_args.push(arg.to_vec());
        }
    }
    if state.print_quoted {
        let mut text = Vec::new();
        for arg in std::iter::once(&emulator_file).chain(&emu_args[1..]) {
            text.extend_from_slice(&[b"\"", &arg[..], b"\" "].concat());
        }
        text.push(b'\n');
        return Err(Printout::printed(text).into());
    }
    if state.print_args {
        let mut text = emu_args[1..].join(&b'\n');
        text.push(b'\n');
        return Err(Printout::printed(text).into());
    }
    let mut announce = Vec::new();
    if state.verbose {
        announce.extend_from_slice(b"Executing: ");
        announce.extend_from_slice(&emulator_file);
        for arg in &emu_args {
            announce.push(b' ');
            announce.extend_from_slice(arg);
        }
        announce.extend_from_slice(b"\n\n");
    }
    let start_epmd = state.distributed && state.start_epmd;
    let epmd = start_epmd.then(|| {
        state
            .epmd
            .unwrap_or_else(|| [b"\"", &places.bindir[..], b"/epmd\" -daemon"].concat())
    });
    Ok(Launched {
        emu_args,
        env,
        epmd,
        detached: state.detached,
        announce,
        flavor,
    })
}

fn failure(text: &str) -> Instead {
    Printout::failed(format!("erlexec: {text}\n").into_bytes()).into()
}

fn missing(flag: &[u8]) -> Instead {
    let mut text = b"Missing argument(s) for '".to_vec();
    text.extend_from_slice(flag);
    text.extend_from_slice(b"'.\n");
    refused(text)
}

fn refused(mut text: Bytes) -> Instead {
    text.extend_from_slice(usage::launcher().as_bytes());
    Printout::failed(text).into()
}

// --- gathering ----------------------------------------------------------------------------

/// Puts the command line and the flags of the environment together and reads `-args_file`s.
fn gather(args: &[Bytes], env: &Env, profile: &Profile) -> Result<Vec<Bytes>, Instead> {
    let release_flags = format!("ERL_OTP{}_FLAGS", profile.release);
    let from_env = |name: &str| {
        env.get(name)
            .map(|text| split(text, false))
            .unwrap_or_default()
    };
    let before = [from_env(&release_flags), from_env("ERL_AFLAGS")];
    let after = [from_env("ERL_FLAGS"), from_env("ERL_ZFLAGS")];
    let scripts = profile.launcher_runs_scripts;

    // Up to 25, a command line that needs nothing done is taken as it is, which shows
    // where it has an `-extra`, and in the missing separator at its end.
    let bare = before.iter().chain(&after).all(Vec::is_empty)
        && !plain_part(args).iter().any(|arg| arg == b"-args_file");
    if !scripts && bare {
        return Ok(args.to_vec());
    }

    let mut gathered = Gathered {
        close_extra: !scripts,
        ..Gathered::default()
    };
    let add_env = |gathered: &mut Gathered, words: &Vec<Bytes>| -> Result<(), Instead> {
        if words.is_empty() {
            return Ok(());
        }
        let extra = words.iter().any(|word| word == b"-extra");
        gathered.part(words, scripts, false)?;
        if !extra || gathered.close_extra {
            gathered.close(extra);
        }
        Ok(())
    };
    for words in &before {
        add_env(&mut gathered, words)?;
    }
    if !args.is_empty() {
        gathered.part(args, scripts, scripts)?;
        gathered.args.push(SEPARATOR.to_vec());
    }
    for words in &after {
        add_env(&mut gathered, words)?;
    }
    let Gathered {
        mut args,
        extra,
        script,
        ..
    } = gathered;
    if !extra.is_empty() {
        args.push(b"-extra".to_vec());
        args.extend(extra);
    }
    args.extend(script);
    Ok(args)
}

/// The arguments before an `-extra`.
fn plain_part(args: &[Bytes]) -> &[Bytes] {
    let end = args
        .iter()
        .position(|arg| arg == b"-extra")
        .unwrap_or(args.len());
    &args[..end]
}

/// The parts of the final list.
#[derive(Default)]
struct Gathered {
    args: Vec<Bytes>,
    /// What followed an `-extra`.
    extra: Vec<Bytes>,
    /// `++S` and what followed an `-S`.
    script: Vec<Bytes>,
    /// Lists that have an `-extra` are closed as well (up to 25).
    close_extra: bool,
}

impl Gathered {
    /// Adds the arguments of one origin.
    fn part(&mut self, words: &[Bytes], close_extra: bool, script: bool) -> Result<(), Instead> {
        let mut rest = words.iter();
        while let Some(word) = rest.next() {
            match word.as_slice() {
                b"-args_file" => {
                    let file = rest.next().ok_or_else(|| missing(b"-args_file"))?;
                    self.file(file, 0)?;
                }
                b"-extra" => {
                    self.extra.extend(rest.by_ref().cloned());
                    if close_extra {
                        self.args.push(SEPARATOR.to_vec());
                    }
                }
                b"-S" if script => {
                    self.script.push(b"++S".to_vec());
                    // A `--` of the user's must not look like one of the launcher's.
                    self.script.extend(rest.by_ref().map(|arg| {
                        if arg == SEPARATOR {
                            b"\\--".to_vec()
                        } else {
                            arg.clone()
                        }
                    }));
                    self.args.push(SEPARATOR.to_vec());
                }
                _ => self.args.push(word.clone()),
            }
        }
        Ok(())
    }

    /// Closes a list of the environment or a file. In one that has an `-extra`, the
    /// separator that closes it is one of the extra arguments.
    fn close(&mut self, in_extra: bool) {
        let list = if in_extra {
            &mut self.extra
        } else {
            &mut self.args
        };
        list.push(SEPARATOR.to_vec());
    }

    /// Adds the arguments of a file; a file may name others.
    fn file(&mut self, name: &[u8], depth: usize) -> Result<(), Instead> {
        let words = read_args_file(name)?;
        if depth > 64 {
            return Err(failure("arguments files are nested too deeply"));
        }
        let extra = words.iter().any(|word| word == b"-extra");
        let mut rest = words.iter();
        while let Some(word) = rest.next() {
            match word.as_slice() {
                b"-args_file" => {
                    let file = rest.next().ok_or_else(|| missing(b"-args_file"))?;
                    self.file(file, depth + 1)?;
                }
                b"-extra" => self.extra.extend(rest.by_ref().cloned()),
                _ => self.args.push(word.clone()),
            }
        }
        if !words.is_empty() && (!extra || self.close_extra) {
            self.close(extra);
        }
        Ok(())
    }
}

fn read_args_file(name: &[u8]) -> Result<Vec<Bytes>, Instead> {
    let path = Path::new(std::ffi::OsStr::from_bytes(name));
    let text = std::fs::read(path).map_err(|error| {
        let dir = std::env::current_dir().unwrap_or_default();
        let error = error.to_string();
        // The system's own words, without the number that Rust adds.
        let reason = error
            .split(" (os error")
            .next()
            .unwrap_or_default()
            .to_owned();
        refused(
            [
                b"Failed to open arguments file \"",
                name,
                b"\" at \"",
                dir.as_os_str().as_bytes(),
                b"\": ",
                reason.as_bytes(),
                b"\n",
            ]
            .concat(),
        )
    })?;
    Ok(split(&text, true))
}

// --- choosing the emulator ------------------------------------------------------------------

/// Reads `-smp`, `-emu_type` and `-emu_flavor`, wherever they stand before `-extra`.
fn choose_emulator(args: &[Bytes]) -> Result<Bytes, Instead> {
    let not_supported =
        || refused(b"Argument '-smp disable' not supported. Use \"+S 1\" instead.\n".to_vec());
    let mut kind = b"opt".to_vec();
    let mut flavor = b"smp".to_vec();
    let mut at = 0;
    while at < args.len() {
        let next = args.get(at + 1);
        match args[at].as_slice() {
            b"-smp" => match next.map(Vec::as_slice) {
                Some(b"auto" | b"enable") => at += 1,
                Some(b"disable") => return Err(not_supported()),
                _ => {}
            },
            b"-smpdisable" => return Err(not_supported()),
            b"-extra" => break,
            flag @ (b"-emu_type" | b"-emu_flavor") => {
                let value = next
                    .filter(|next| *next != SEPARATOR)
                    .ok_or_else(|| missing(flag))?;
                if flag == b"-emu_type" {
                    kind = value.clone();
                } else {
                    flavor = value.clone();
                }
                at += 1;
            }
            _ => {}
        }
        at += 1;
    }
    let known = matches!(flavor.as_slice(), b"smp" | b"jit" | b"emu");
    if kind != b"opt" || !known {
        return Err(failure(
            "Invalid emulator type or flavor. Available combinations are: \
             \n  -emu_flavor emu\n  -emu_flavor jit\n  -emu_flavor smp\n",
        ));
    }
    Ok(flavor)
}

// --- reading the line ---------------------------------------------------------------------------

/// What flags have asked for.
struct State {
    distributed: bool,
    no_epmd: bool,
    proto_dist: bool,
    start_epmd: bool,
    epmd: Option<Bytes>,
    detached: bool,
    verbose: bool,
    print_args: bool,
    print_quoted: bool,
    halt_afterwards: bool,
}

impl Default for State {
    fn default() -> State {
        State {
            distributed: false,
            no_epmd: false,
            proto_dist: false,
            start_epmd: true,
            epmd: None,
            detached: false,
            verbose: false,
            print_args: false,
            print_quoted: false,
            halt_afterwards: false,
        }
    }
}

struct Line<'a> {
    profile: &'a Profile,
    since: Since,
    args: &'a [Bytes],
    at: usize,
    emu_args: Vec<Bytes>,
    init_args: Vec<Bytes>,
    env: Env,
    emulator: Bytes,
    rootdir: &'a [u8],
    state: State,
}

impl Line<'_> {
    fn push(&mut self, arg: &[u8]) {
        self.init_args.push(arg.to_vec());
    }

    fn push_all(&mut self, args: &[&[u8]]) {
        for arg in args {
            self.push(arg);
        }
    }

    /// The argument after the current one, which must be there and be no separator.
    fn value(&mut self, flag: &[u8]) -> Result<Bytes, Instead> {
        let value = self
            .args
            .get(self.at + 1)
            .filter(|value| *value != SEPARATOR);
        let value = value.cloned().ok_or_else(|| missing(flag))?;
        self.at += 1;
        Ok(value)
    }

    fn read(&mut self) -> Result<(), Instead> {
        while self.at < self.args.len() {
            let arg = self.args[self.at].clone();
            match arg.first() {
                Some(b'-') => {
                    if self.minus(&arg)? {
                        break;
                    }
                }
                Some(b'+') => {
                    if self.plus(&arg)? {
                        break;
                    }
                }
                _ => self.push(&arg),
            }
            self.at += 1;
        }
        Ok(())
    }

    /// The rest of the line is not looked at.
    fn copy_rest(&mut self) {
        let rest = &self.args[self.at + 1..];
        self.init_args.extend(rest.iter().cloned());
    }

    /// A `-` argument. True ends the reading.
    fn minus(&mut self, arg: &[u8]) -> Result<bool, Instead> {
        match arg {
            b"-compile" => {
                self.push_all(&[b"-noshell", b"-noinput", b"-s", b"c", b"lc_batch"]);
                self.emu_args.push(b"-B".to_vec());
                self.state.halt_afterwards = false;
            }
            b"-configfd" => {
                // The descriptor itself is copied as an ordinary argument.
                let fd = self.value(arg)?;
                self.at -= 1;
                if fd == b"0" {
                    self.push_all(&[b"-noshell", b"-noinput"]);
                }
                self.push(arg);
            }
            b"-detached" => {
                if self.profile.launcher_runs_scripts {
                    self.push(arg);
                }
                self.state.detached = true;
                self.push_all(&[b"-noshell", b"-noinput"]);
            }
            b"-extra" => {
                self.push(arg);
                self.copy_rest();
                return Ok(true);
            }
            b"-emu_args" => self.state.verbose = true,
            b"-emu_args_exit" => self.state.print_args = true,
            b"-emu_qouted_cmd_exit" => self.state.print_quoted = true,
            b"-emu_name_exit" => {
                let mut name = self.emulator.clone();
                name.push(b'\n');
                return Err(Printout::printed(name).into());
            }
            b"-env" => {
                let name = self.value(arg)?;
                let value = self.value(arg)?;
                self.env.set(name, value);
            }
            b"-epmd" => self.state.epmd = Some(self.value(arg)?),
            b"-keep_window" => {}
            b"-make" => {
                self.push_all(&[b"-noshell", b"-noinput", b"-s", b"make", b"all_or_nothing"]);
                self.emu_args.push(b"-B".to_vec());
                self.state.halt_afterwards = true;
                return Ok(true);
            }
            b"-man" => {
                let rest = &self.args[self.at + 1..];
                let end = if self.profile.launcher_runs_scripts {
                    rest.iter()
                        .position(|arg| arg.starts_with(SEPARATOR))
                        .unwrap_or(rest.len())
                } else {
                    rest.len()
                };
                self.env.set("MANPATH", [self.rootdir, b"/man"].concat());
                let env = std::mem::take(&mut self.env);
                return Err(Instead::Man(rest[..end].to_vec(), Box::new(env)));
            }
            b"-name" | b"-sname" => {
                let name = self.value(arg)?;
                self.push_all(&[arg, &name]);
                self.state.distributed = true;
            }
            b"-noinput" => self.push_all(&[b"-noshell", b"-noinput"]),
            b"-no_epmd" => {
                self.push(arg);
                self.state.no_epmd = true;
                self.state.start_epmd = false;
            }
            b"-proto_dist" => {
                let module = self.value(arg)?;
                self.push_all(&[arg, &module]);
                self.state.proto_dist = true;
            }
            b"-start_epmd" => {
                let value = self.value(arg)?;
                self.state.start_epmd = match value.as_slice() {
                    b"true" => true,
                    b"false" => false,
                    _ => {
                        let text = b"Expected boolean argument for '-start_epmd'.\n";
                        return Err(refused(text.to_vec()));
                    }
                };
                self.push_all(&[arg, &value]);
            }
            b"-version" => self.emu_args.push(b"-V".to_vec()),
            _ => self.push(arg),
        }
        Ok(false)
    }

    /// A `+` argument. True ends the reading.
    fn plus(&mut self, arg: &[u8]) -> Result<bool, Instead> {
        if arg == b"++S" && self.profile.launcher_runs_scripts {
            self.push_all(&[b"-noshell", b"-S"]);
            self.copy_rest();
            return Ok(true);
        }
        if arg.starts_with(b"++") && self.profile.launcher_runs_scripts {
            self.push(arg);
            return Ok(false);
        }
        let with_dash = [b"-", &arg[1..]].concat();
        let next = self.args.get(self.at + 1).map(Vec::as_slice);
        let takes_next = match arg.get(1..).unwrap_or_default() {
            [b'B', rest @ ..] => match rest.first() {
                Some(b'i' | b'c' | b'd') => false,
                Some(_) => return Err(missing(&with_dash)),
                None => matches!(next, Some(b"i" | b"c" | b"d")),
            },
            b"c" => matches!(next, Some(b"true" | b"false")),
            [b'J', ..] => true,
            [b'I', ..] => {
                let letters = &arg[2..];
                let known = [&b"Ot"[..], b"Op", b"OPt", b"OPp", b"Os"]
                    .iter()
                    .any(|known| letters.starts_with(known));
                if !known {
                    return Err(missing(arg));
                }
                self.takes_next(arg)
            }
            [b'S', b'D', kind @ ..] => {
                if ![&b"cpu"[..], b"Pcpu", b"io"]
                    .iter()
                    .any(|known| kind.starts_with(known))
                {
                    return Err(missing(arg));
                }
                self.takes_next(arg)
            }
            _ => self.takes_next(arg),
        };
        if takes_next {
            let value = self.value(arg)?;
            self.emu_args.push(with_dash);
            self.emu_args.push(value);
        } else {
            self.emu_args.push(with_dash);
        }
        Ok(false)
    }

    /// Whether this spelling takes the next argument along.
    fn takes_next(&self, arg: &[u8]) -> bool {
        FLAGS.iter().any(|flag| {
            flag.class == FlagClass::Emulator
                && flag.launch == Launch::Next
                && flag.exists_in(self.since)
                && spelled(flag.name.as_bytes(), arg)
        })
    }
}

/// Whether `arg` is the flag called `name`, where `<S>` in the name stands for any letter of
/// an allocator.
fn spelled(name: &[u8], arg: &[u8]) -> bool {
    match name.strip_prefix(b"+M<S>") {
        None => name == arg,
        Some(setting) => arg
            .strip_prefix(b"+M")
            .and_then(<[u8]>::split_first)
            .is_some_and(|(letter, rest)| ALLOCATOR_LETTERS.contains(letter) && rest == setting),
    }
}
