//! The emulator's own flags: what `+` flags become after the launcher has turned them into
//! `-` flags before a `--`.
//!
//! They are read in passes, as BEAM reads them, since that decides which of several
//! mistakes is reported: thread counts, allocators, polling, the rest. Texts of errors are
//! BEAM's, as scripts and people know them.

/// A usage error with a line of text.
macro_rules! bad {
    ($($piece:expr),+) => {{
        let mut text: Vec<u8> = Vec::new();
        $( text.extend_from_slice($piece.as_ref()); )+
        text.push(b'\n');
        Err(ParseStop::Usage(text))
    }};
}

pub(super) mod handlers;
mod settings;

use enigma_bifs::system::binding::BindType;
use enigma_otp::Profile;

use super::number::{atoi, strtol};
use super::table::{
    ALLOCATOR_LETTERS, FLAGS, Flag, FlagClass, Match, Pass, Since, WITHOUT_MIGRATION,
};
use crate::env::{Env, Host};
pub use settings::*;

/// What a `+M` flag accepts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AllocValue {
    /// `true` or `false`.
    Bool,
    /// A number of units that is not negative.
    Amount,
    /// As `Amount`, for allocators whose carriers migrate.
    MigrationAmount,
    /// A size that fits in bytes.
    Kilobytes,
    /// A size that fits in bytes.
    Megabytes,
    /// A size below two gigabytes.
    SmallKilobytes,
    /// 0 to 100 or `de`, for allocators whose carriers migrate.
    Percent,
    /// The name of an allocation strategy.
    Strategy,
    /// `true`, `false` or `code`.
    Tags,
    /// The letter of a carrier pool.
    Pool,
    /// A known set-up of all allocators.
    Setup,
    /// A number or `max`.
    DirtyInstances,
    /// One of these.
    Choice(&'static [&'static str]),
    /// Anything.
    Anything,
    /// The emulator knows no such flag, though the launcher does.
    Unknown,
}

/// What the emulator does with a flag.
#[derive(Debug, Clone, Copy)]
pub enum FlagHandler {
    /// It never sees it.
    None,
    /// Calls this.
    Run(fn(&mut Parser<'_>, &mut Taker<'_>) -> Result<(), ParseStop>),
    /// Checks the value of an allocator's setting.
    Alloc(AllocValue),
}

/// Why reading ended before its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ParseStop {
    /// A mistake: this text, then the usage text, and status 1.
    Usage(Vec<u8>),
    /// `+V`: this text on standard error, and status 0.
    Version(Vec<u8>),
}

/// A number of schedulers beyond which BEAM refuses.
const MAX_SCHEDULERS: i32 = 1024;
/// The largest number of processes or ports.
const MAX_TABLE: i32 = (1 << 27) - 1;

/// Reads the emulator's arguments (`args[0]` is the program) up to the first `--`. Returns
/// the flags and the index of the first argument for `init`.
pub fn parse(
    args: &[Vec<u8>],
    erts_vsn: &str,
    profile: &Profile,
    host: &Host,
    env: &Env,
) -> Result<(EmuFlags, usize), ParseStop> {
    let mut parser = Parser::new(args[0].clone(), erts_vsn, profile, host, env);
    for pass in [Pass::Early, Pass::Alloc, Pass::Poll] {
        parser.special_pass(args, pass)?;
        match pass {
            Pass::Early => parser.finish_threads()?,
            Pass::Poll => parser.finish_polling()?,
            _ => {}
        }
    }
    let rest = parser.main_pass(args)?;
    Ok((parser.finish(), rest))
}

/// The version of a runtime as the table counts it.
pub fn erts_since(erts_vsn: &str) -> Since {
    let [major, minor, _] = erts_numbers(erts_vsn);
    (major, minor)
}

/// The first numbers of a runtime's version.
pub fn erts_numbers(erts_vsn: &str) -> [u32; 3] {
    let mut numbers = erts_vsn.split('.').map(|part| part.parse().unwrap_or(0));
    std::array::from_fn(|_| numbers.next().unwrap_or(0))
}

/// The state of reading.
pub struct Parser<'a> {
    flags: EmuFlags,
    program: Vec<u8>,
    erts_vsn: &'a str,
    since: Since,
    profile: &'a Profile,
    // Thread counts are signed while they are worked out, as overflowing requests are
    // reported with the numbers that were given.
    processors: i32,
    available: i32,
    schedulers: i32,
    online: i32,
    schedulers_percent: (i32, i32),
    dirty: i32,
    dirty_online: i32,
    dirty_percent: (i32, i32),
    poll_threads: i32,
    poll_sets: i32,
    poll_threads_percent: i32,
    poll_sets_percent: i32,
    scheduler_polling: bool,
    interrupt: bool,
    processes: i32,
    ports: i32,
    ports_given: bool,
    max_files: u32,
    outstanding: Option<u32>,
}

/// Access to a flag's own text and to its value.
pub struct Taker<'a> {
    args: &'a [Vec<u8>],
    /// Index of the argument last taken.
    at: usize,
    /// The flag's argument.
    flag: usize,
    /// Length of the flag's name in it.
    name: usize,
}

impl<'a> Taker<'a> {
    /// The whole argument, with a `-` in front.
    fn whole(&self) -> &'a [u8] {
        &self.args[self.flag]
    }

    /// What is attached to the name.
    fn attached(&self) -> &'a [u8] {
        &self.args[self.flag][self.name..]
    }

    /// The argument after the flag.
    fn next(&self) -> Option<&'a [u8]> {
        self.args.get(self.flag + 1).map(Vec::as_slice)
    }

    /// The value: what is attached or, without that, the next argument.
    fn value(&mut self) -> Result<&'a [u8], ParseStop> {
        let attached = self.attached();
        if !attached.is_empty() {
            return Ok(attached);
        }
        let next = self
            .next()
            .ok_or_else(|| ParseStop::Usage(b"too few arguments\n".to_vec()))?;
        self.at = self.flag + 1;
        Ok(next)
    }
}

impl<'a> Parser<'a> {
    fn new(
        program: Vec<u8>,
        erts_vsn: &'a str,
        profile: &'a Profile,
        host: &Host,
        env: &Env,
    ) -> Parser<'a> {
        let number = |name: &str| env.get(name).map(atoi);
        let processors = host.processors.clamp(1, MAX_SCHEDULERS as u32) as i32;
        let available = host.available.clamp(1, processors as u32) as i32;
        let threads = Threads {
            schedulers: 0,
            schedulers_online: 0,
            dirty_cpu: 0,
            dirty_cpu_online: 0,
            dirty_io: 10,
            async_threads: number("ERL_THREAD_POOL_SIZE").unwrap_or(1).clamp(1, 1024) as u32,
            poll_threads: 1,
            poll_sets: 1,
        };
        let flags = EmuFlags {
            threads,
            limits: TableLimits {
                processes: 0,
                ports: 0,
                atoms: profile.default_atom_limit,
                ets_tables: number("ERL_MAX_ETS_TABLES").unwrap_or(0).max(0) as u32,
                files: host.max_files,
            },
            heap: HeapFlags {
                min_words: 233,
                min_bin_vheap_words: 32768,
                max_words: 0,
                max_kill: true,
                max_log: true,
                max_include_binaries: false,
                dictionary: 8,
                message_queue: MessageQueue::OnHeap,
                fullsweep_after: number("ERL_FULLSWEEP_AFTER").map_or(u16::MAX, |n| n as u16),
            },
            time_correction: true,
            time_warp: profile.default_time_warp,
            break_key: BreakKey::Menu,
            file_names: FileNames {
                encoding: FileNameEncoding::ByLocale,
                wrong: WrongNames::Warn,
            },
            printable_unicode: false,
            warnings_as: WarningsAs::Warning,
            boot_module: b"init".to_vec(),
            compat_release: profile.release,
            crash_dump: true,
            line_info: true,
            ets_compress: false,
            async_dist: false,
            port_parallelism: false,
            cpu_topology: None,
            topology_unread: false,
            bind_type: BindType::Unbound,
            dist_busy_limit: 1024 * 1024,
            node_table_gc: Some(60),
            outstanding_requests: 0,
            halt_flush_timeout: None,
            native: NativeFlags::default(),
            notices: Vec::new(),
        };
        Parser {
            flags,
            program,
            erts_vsn,
            since: erts_since(erts_vsn),
            profile,
            processors,
            available,
            schedulers: processors,
            online: available,
            schedulers_percent: (100, 100),
            dirty: processors,
            dirty_online: available,
            dirty_percent: (100, 100),
            poll_threads: 0,
            poll_sets: 0,
            poll_threads_percent: 0,
            poll_sets_percent: 0,
            scheduler_polling: true,
            interrupt: false,
            processes: profile.default_process_limit as i32,
            ports: number("ERL_MAX_PORTS").unwrap_or(profile.default_port_limit as i32),
            ports_given: env.get("ERL_MAX_PORTS").is_some(),
            max_files: host.max_files,
            outstanding: None,
        }
    }

    /// The first flag of the table that matches `arg` among those that `wanted` chooses.
    fn find(&self, arg: &[u8], wanted: impl Fn(&Flag) -> bool) -> Option<&'static Flag> {
        let text = arg.strip_prefix(b"-")?;
        FLAGS.iter().find(|flag| {
            let name = &flag.name.as_bytes()[1..];
            let matches = match flag.matching {
                Match::Prefix => text.starts_with(name),
                Match::Whole => text == name,
            };
            flag.class == FlagClass::Emulator
                && matches
                && flag.exists_in(self.since)
                && wanted(flag)
        })
    }

    /// A pass over everything before `--` that acts on the flags of that pass only, and
    /// steps over whatever else there is one argument at a time.
    fn special_pass(&mut self, args: &[Vec<u8>], pass: Pass) -> Result<(), ParseStop> {
        let mut at = 1;
        while at < args.len() && args[at] != b"--" {
            let mut taker = Taker {
                args,
                at,
                flag: at,
                name: 0,
            };
            if pass == Pass::Alloc {
                if args[at].starts_with(b"-M") {
                    self.allocator(&mut taker)?;
                }
            } else if let Some(flag) = self.find(&args[at], |flag| {
                flag.pass == pass || pass == Pass::Early && flag.pass == Pass::EarlyOnly
            }) {
                taker.name = flag.name.len();
                self.run(flag, &mut taker)?;
            }
            at = taker.at + 1;
        }
        Ok(())
    }

    fn main_pass(&mut self, args: &[Vec<u8>]) -> Result<usize, ParseStop> {
        let mut at = 1;
        while at < args.len() {
            let arg = &args[at];
            if !arg.starts_with(b"-") {
                return Err(ParseStop::Usage(Vec::new()));
            }
            if arg == b"--" {
                return Ok(at + 1);
            }
            let mut taker = Taker {
                args,
                at,
                flag: at,
                name: 0,
            };
            if arg.starts_with(b"-M") {
                // Checked by the allocators' pass.
                taker.name = self.allocator_flag(&taker)?.1;
                taker.value()?;
            } else if let Some(flag) = self.find(arg, |flag| {
                !matches!(flag.pass, Pass::EarlyOnly | Pass::Alloc)
            }) {
                taker.name = flag.name.len();
                match flag.pass {
                    Pass::Main => self.run(flag, &mut taker)?,
                    // Handled by its own pass.
                    _ if flag.argument.is_empty() => {}
                    _ => drop(taker.value()?),
                }
            } else {
                return self.unknown(arg);
            }
            at = taker.at + 1;
        }
        Ok(at)
    }

    fn unknown(&mut self, arg: &[u8]) -> Result<usize, ParseStop> {
        match arg.get(1) {
            Some(b's') => bad!("bad scheduling option ", arg),
            Some(b'z') => bad!("bad -z option ", arg),
            Some(b'D') if self.since >= (16, 0) => bad!("Unknown option ", &arg[1..]),
            Some(b'J') => match arg.get(2) {
                Some(b'M') if self.since >= (14, 0) => bad!("bad +JM sub-option "),
                // Not an error by itself, but the value that follows it is one.
                Some(b'D' | b'P') => Err(ParseStop::Usage(Vec::new())),
                _ => bad!("invalid JIT option ", arg),
            },
            _ => bad!(&self.program, " unknown flag ", arg),
        }
    }

    fn run(&mut self, flag: &Flag, taker: &mut Taker<'_>) -> Result<(), ParseStop> {
        match flag.handler {
            FlagHandler::Run(handler) => handler(self, taker),
            FlagHandler::None | FlagHandler::Alloc(_) => Ok(()),
        }
    }

    // --- allocators -----------------------------------------------------------------

    /// The flag that an `-M` argument is, and the length of its spelling.
    fn allocator_flag(&self, taker: &Taker<'_>) -> Result<(&'static Flag, usize), ParseStop> {
        let param = &taker.whole()[1..];
        let letter = param.get(1).copied();
        let found = FLAGS.iter().find_map(|flag| {
            let name = flag.name.as_bytes().strip_prefix(b"+M")?;
            if !flag.exists_in(self.since) {
                return None;
            }
            let spelled = match name.strip_prefix(b"<S>") {
                None => name.to_vec(),
                Some(setting) => {
                    let letter = letter.filter(|letter| ALLOCATOR_LETTERS.contains(letter))?;
                    let migrates = !WITHOUT_MIGRATION.contains(&letter);
                    let about_migration = setting.starts_with(b"ac") || setting == b"cp";
                    if about_migration && !migrates {
                        return None;
                    }
                    [&[letter], setting].concat()
                }
            };
            let known = !matches!(flag.handler, FlagHandler::Alloc(AllocValue::Unknown));
            (known && param[1..].starts_with(&spelled)).then_some((flag, 2 + spelled.len()))
        });
        match (found, letter) {
            (Some(found), _) => Ok(found),
            (None, Some(letter))
                if letter != b'e'
                    && (ALLOCATOR_LETTERS.contains(&letter) || b"MYld".contains(&letter)) =>
            {
                bad!("bad \"M", [letter], "\" parameter")
            }
            _ => bad!("bad \"M\" parameter"),
        }
    }

    fn allocator(&mut self, taker: &mut Taker<'_>) -> Result<(), ParseStop> {
        let (flag, name) = self.allocator_flag(taker)?;
        taker.name = name;
        let FlagHandler::Alloc(kind) = flag.handler else {
            return Ok(());
        };
        let spelled = taker.whole()[1..name].to_vec();
        if taker.attached().is_empty() && taker.next().is_none_or(|next| next == b"--") {
            return bad!("bad \"", spelled, "\" value: ");
        }
        let value = taker.value()?;
        let number = strtol(value);
        let amount = number.used > 0 && !number.overflow && number.value >= 0;
        let fits = |unit: i64| amount && number.value <= i64::MAX / unit * 2 + 2;
        let one_of = |choices: &[&str]| choices.iter().any(|choice| choice.as_bytes() == value);
        let good = match kind {
            AllocValue::Bool => one_of(&["true", "false"]),
            AllocValue::Amount | AllocValue::MigrationAmount => amount,
            AllocValue::Kilobytes => fits(1024),
            AllocValue::Megabytes => fits(1024 * 1024),
            AllocValue::SmallKilobytes => amount && number.value <= i64::from(i32::MAX / 1024),
            AllocValue::Percent => value == b"de" || amount && number.value <= 100,
            AllocValue::Strategy => {
                one_of(STRATEGIES) || spelled.get(1) == Some(&b'Z') && value == b"chaosff"
            }
            AllocValue::Tags => one_of(&["true", "false", "code"]),
            AllocValue::Pool => value.len() == 1 && b"BDEFHLRS@:".contains(&value[0]),
            AllocValue::Setup => one_of(&["min", "max", "r9c", "r10b", "r11b"]),
            AllocValue::DirtyInstances => value == b"max" || amount,
            AllocValue::Choice(choices) => one_of(choices),
            AllocValue::Anything => true,
            AllocValue::Unknown => false,
        };
        match kind {
            _ if good => Ok(()),
            // Three of these are not reported by their own names.
            AllocValue::Strategy => bad!("bad \"", spelled[..3], "\" value: ", value),
            AllocValue::Tags if self.since >= (14, 0) => bad!("bad \"atags\" value: ", value),
            AllocValue::Setup => bad!("bad \"Mea\" parameter"),
            _ => bad!("bad \"", spelled, "\" value: ", value),
        }
    }

    // --- conclusions ------------------------------------------------------------------

    fn finish_threads(&mut self) -> Result<(), ParseStop> {
        let (percent, online_percent) = self.schedulers_percent;
        if (percent, online_percent) != (100, 100) {
            self.schedulers = (self.schedulers * percent / 100).max(1);
            if self.schedulers > MAX_SCHEDULERS {
                return bad!(format!(
                    "bad schedulers percentage {percent} (total amount of schedulers {})",
                    self.schedulers
                ));
            }
            self.online = (self.online * online_percent / 100).max(1);
            if self.schedulers < self.online {
                return bad!(format!(
                    "bad schedulers online percentage {online_percent} \
                     (total amount of schedulers {}, online {})",
                    self.schedulers, self.online
                ));
            }
        }
        let (percent, online_percent) = self.dirty_percent;
        if (percent, online_percent) != (100, 100) {
            self.dirty = self.dirty * percent / 100;
            self.dirty_online = self.dirty_online * online_percent / 100;
        }
        self.dirty = self.dirty.min(self.schedulers).max(1);
        self.dirty_online = self.dirty_online.min(self.online).max(1);
        let threads = &mut self.flags.threads;
        threads.schedulers = self.schedulers as u32;
        threads.schedulers_online = self.online as u32;
        threads.dirty_cpu = self.dirty as u32;
        threads.dirty_cpu_online = self.dirty_online as u32;
        threads.async_threads = threads.async_threads.max(1);
        Ok(())
    }

    fn finish_polling(&mut self) -> Result<(), ParseStop> {
        if self.poll_threads == 0 {
            self.poll_threads = (self.schedulers * self.poll_threads_percent / 100).max(1);
        }
        if self.poll_sets == 0 {
            self.poll_sets = (self.poll_threads * self.poll_sets_percent / 100).max(1);
        }
        if self.poll_threads < self.poll_sets {
            return bad!(format!(
                "number of IO poll threads has to be greater or equal to the number of \n\
                 IO pollsets. Current values are set to: \n  -IOt {} -IOp {}",
                self.poll_threads, self.poll_sets
            ));
        }
        self.flags.threads.poll_threads = self.poll_threads as u32;
        self.flags.threads.poll_sets = self.poll_sets as u32;
        Ok(())
    }

    fn finish(mut self) -> EmuFlags {
        let ports = if self.ports_given {
            self.ports.max(1) as u32
        } else {
            (self.ports.max(1) as u32).max(self.max_files)
        };
        self.flags.limits.processes = table_size(self.processes.max(1) as u32);
        self.flags.limits.ports = table_size(ports);
        self.flags.outstanding_requests = self
            .outstanding
            .unwrap_or(2 * self.flags.threads.schedulers);
        if self.interrupt && self.flags.break_key == BreakKey::Menu {
            self.flags.break_key = BreakKey::Interrupt;
        }
        self.flags
    }
}

/// Tables of processes and ports have a power of two as their size.
fn table_size(asked: u32) -> u32 {
    asked
        .min(MAX_TABLE as u32)
        .next_power_of_two()
        .min(MAX_TABLE as u32)
}

const STRATEGIES: &[&str] = &[
    "bf",
    "aobf",
    "gf",
    "af",
    "aoff",
    "aoffcbf",
    "aoffcaobf",
    "ageffcaoff",
    "ageffcbf",
    "ageffcaobf",
];

/// What `erl -version` prints. Scripts take the last word of it.
fn version_line(erts_vsn: &str) -> String {
    format!("Erlang (SMP,ASYNC_THREADS) (BEAM) emulator version {erts_vsn}\n")
}
