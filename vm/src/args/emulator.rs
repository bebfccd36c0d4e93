//! The emulator's own flags: what `+` flags become after the launcher has turned them into
//! `-` flags before a `--`.
//!
//! They are read in passes, as BEAM reads them, since that decides which of several
//! mistakes is reported: thread counts, allocators, polling, the rest. Texts of errors are
//! BEAM's, as scripts and people know them.

use enigma_otp::profile::{Profile, TimeWarp};

use super::number::{Pair, atoi, scan_int, scan_pair, strtol};
use super::table::{
    ALLOCATOR_LETTERS, Class, FLAGS, Flag, Match, Pass, Since, WITHOUT_MIGRATION,
};
use super::topology::{self, LogicalProcessor};
use crate::env::{Env, Host};

/// All settings of the emulator, checked and complete.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmuFlags {
    /// How many threads of each kind.
    pub threads: Threads,
    /// Sizes of tables.
    pub limits: Limits,
    /// Defaults of processes' memory.
    pub heap: HeapFlags,
    /// Correct the monotonic clock (`+c`).
    pub time_correction: bool,
    /// `+C`
    pub time_warp: TimeWarp,
    /// `+B`
    pub break_key: BreakKey,
    /// `+fn`
    pub file_names: FileNames,
    /// `+pc unicode`
    pub printable_unicode: bool,
    /// `+W`: what a warning is logged as.
    pub warnings_as: WarningsAs,
    /// `+i`: the module whose `boot/1` is called.
    pub boot_module: Vec<u8>,
    /// `+R`
    pub compat_release: u32,
    /// Write crash dumps for internal errors (not `+d`).
    pub crash_dump: bool,
    /// Load file names and line numbers (not `+L`).
    pub line_info: bool,
    /// `+ec`
    pub ets_compress: bool,
    /// `+pad`
    pub async_dist: bool,
    /// `+spp`
    pub port_parallelism: bool,
    /// `+sct`
    pub cpu_topology: Option<Vec<LogicalProcessor>>,
    /// `+zdbbl`, in bytes.
    pub dist_busy_limit: u64,
    /// `+zdntgc`: seconds, or never.
    pub node_table_gc: Option<u32>,
    /// `+zosrl`
    pub outstanding_requests: u32,
    /// `+zhft`: milliseconds, or no limit.
    pub halt_flush_timeout: Option<u32>,
    /// Text for standard error that is not an error.
    pub notices: Vec<u8>,
}

/// Numbers of threads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Threads {
    /// Scheduler threads (`+S`).
    pub schedulers: u32,
    /// Those of them that run processes at the start.
    pub schedulers_online: u32,
    /// Dirty CPU schedulers (`+SDcpu`).
    pub dirty_cpu: u32,
    /// Those of them online.
    pub dirty_cpu_online: u32,
    /// Dirty I/O schedulers (`+SDio`).
    pub dirty_io: u32,
    /// Threads of the asynchronous pool (`+A`).
    pub async_threads: u32,
}

/// Sizes of tables, as `erlang:system_info/1` reports them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// `process_limit`: a power of two, or one less than the largest.
    pub processes: u32,
    /// `port_limit`, likewise.
    pub ports: u32,
    /// `atom_limit`
    pub atoms: u32,
    /// `ets_limit` as asked for; 0 when not.
    pub ets_tables: u32,
}

/// Defaults of processes' memory, as they were asked for (heap sizes are rounded up to one
/// of the sizes that heaps have when they are used).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeapFlags {
    /// `min_heap_size` in words.
    pub min_words: u32,
    /// `min_bin_vheap_size` in words.
    pub min_bin_vheap_words: u32,
    /// `max_heap_size` in words; 0 is none.
    pub max_words: u64,
    /// Kill a process that exceeds it.
    pub max_kill: bool,
    /// Log it.
    pub max_log: bool,
    /// Count shared binaries.
    pub max_include_binaries: bool,
    /// Initial size of process dictionaries, a power of two.
    pub dictionary: u32,
    /// `message_queue_data`
    pub message_queue: MessageQueue,
    /// `fullsweep_after`
    pub fullsweep_after: u16,
}

/// Where message queues are kept by default.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MessageQueue {
    /// `on_heap`
    OnHeap,
    /// `off_heap`
    OffHeap,
}

/// What the break key does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BreakKey {
    /// The break menu.
    Menu,
    /// It interrupts what the shell evaluates.
    Interrupt,
    /// It ends the system.
    Kill,
    /// Nothing.
    Ignore,
}

/// How names of files are encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileNames {
    /// The encoding.
    pub encoding: FileNameEncoding,
    /// What to do about names that are not in it.
    pub wrong: WrongNames,
}

/// The encoding of names of files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileNameEncoding {
    /// Bytes are characters.
    Latin1,
    /// UTF-8.
    Utf8,
    /// UTF-8 if the locale is, Latin-1 otherwise.
    ByLocale,
}

/// What to do about names of files in the wrong encoding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WrongNames {
    /// Skip them and log a warning.
    Warn,
    /// Skip them.
    Ignore,
    /// Fail.
    Error,
}

/// What warnings are logged as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WarningsAs {
    /// `warning`
    Warning,
    /// `info`
    Info,
    /// `error`
    Error,
}

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
pub enum Handler {
    /// It never sees it.
    None,
    /// Calls this.
    Run(fn(&mut Parser<'_>, &mut Taker<'_>) -> Result<(), Stop>),
    /// Checks the value of an allocator's setting.
    Alloc(AllocValue),
}

/// Why reading ended before its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stop {
    /// A mistake: this text, then the usage text, and status 1.
    Usage(Vec<u8>),
    /// `+V`: this text on standard error, and status 0.
    Version(Vec<u8>),
}

/// A number of schedulers beyond which BEAM refuses.
const MAX_SCHEDULERS: i32 = 1024;
/// The largest number of processes or ports.
pub const MAX_TABLE: i32 = (1 << 27) - 1;
/// The smallest.
pub const MIN_TABLE: i32 = 1024;
/// The smallest atom table.
pub const MIN_ATOMS: i64 = 8192;
/// The largest.
pub const MAX_ATOMS: i64 = i32::MAX as i64;
/// The largest small integer, which bounds `+hmax`.
const MAX_SMALL: i64 = (1 << 59) - 1;
/// The longest delay of `+zdntgc`, in seconds.
const MAX_NODE_TABLE_GC: i64 = 100_000_000;

/// Reads the emulator's arguments (`args[0]` is the program) up to the first `--`. Returns
/// the flags and the index of the first argument for `init`.
pub fn parse(
    args: &[Vec<u8>],
    erts_vsn: &str,
    profile: &Profile,
    host: &Host,
    env: &Env,
) -> Result<(EmuFlags, usize), Stop> {
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
    let mut numbers = erts_vsn.split('.').map(|part| part.parse().unwrap_or(0));
    (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0))
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
    fn value(&mut self) -> Result<&'a [u8], Stop> {
        let attached = self.attached();
        if !attached.is_empty() {
            return Ok(attached);
        }
        let next = self.next().ok_or_else(|| Stop::Usage(b"too few arguments\n".to_vec()))?;
        self.at = self.flag + 1;
        Ok(next)
    }
}

/// A usage error with a line of text.
macro_rules! bad {
    ($($piece:expr),+) => {{
        let mut text: Vec<u8> = Vec::new();
        $( text.extend_from_slice($piece.as_ref()); )+
        text.push(b'\n');
        Err(Stop::Usage(text))
    }};
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
        };
        let flags = EmuFlags {
            threads,
            limits: Limits {
                processes: 0,
                ports: 0,
                atoms: profile.default_atom_limit,
                ets_tables: number("ERL_MAX_ETS_TABLES").unwrap_or(0).max(0) as u32,
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
            dist_busy_limit: 1024 * 1024,
            node_table_gc: Some(60),
            outstanding_requests: 0,
            halt_flush_timeout: None,
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
            flag.class == Class::Emulator && matches && flag.exists_in(self.since) && wanted(flag)
        })
    }

    /// A pass over everything before `--` that acts on the flags of that pass only, and
    /// steps over whatever else there is one argument at a time.
    fn special_pass(&mut self, args: &[Vec<u8>], pass: Pass) -> Result<(), Stop> {
        let mut at = 1;
        while at < args.len() && args[at] != b"--" {
            let mut taker = Taker { args, at, flag: at, name: 0 };
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

    fn main_pass(&mut self, args: &[Vec<u8>]) -> Result<usize, Stop> {
        let mut at = 1;
        while at < args.len() {
            let arg = &args[at];
            if !arg.starts_with(b"-") {
                return Err(Stop::Usage(Vec::new()));
            }
            if arg == b"--" {
                return Ok(at + 1);
            }
            let mut taker = Taker { args, at, flag: at, name: 0 };
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
                    _ => drop(taker.value()?),
                }
            } else {
                return self.unknown(arg);
            }
            at = taker.at + 1;
        }
        Ok(at)
    }

    fn unknown(&mut self, arg: &[u8]) -> Result<usize, Stop> {
        match arg.get(1) {
            Some(b's') => bad!("bad scheduling option ", arg),
            Some(b'z') => bad!("bad -z option ", arg),
            Some(b'D') if self.since >= (16, 0) => bad!("Unknown option ", &arg[1..]),
            Some(b'J') => match arg.get(2) {
                Some(b'M') if self.since >= (14, 0) => bad!("bad +JM sub-option "),
                // Not an error by itself, but the value that follows it is one.
                Some(b'D' | b'P') => Err(Stop::Usage(Vec::new())),
                _ => bad!("invalid JIT option ", arg),
            },
            _ => bad!(&self.program, " unknown flag ", arg),
        }
    }

    fn run(&mut self, flag: &Flag, taker: &mut Taker<'_>) -> Result<(), Stop> {
        match flag.handler {
            Handler::Run(handler) => handler(self, taker),
            Handler::None | Handler::Alloc(_) => Ok(()),
        }
    }

    // --- allocators -----------------------------------------------------------------

    /// The flag that an `-M` argument is, and the length of its spelling.
    fn allocator_flag(&self, taker: &Taker<'_>) -> Result<(&'static Flag, usize), Stop> {
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
            let known = !matches!(flag.handler, Handler::Alloc(AllocValue::Unknown));
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

    fn allocator(&mut self, taker: &mut Taker<'_>) -> Result<(), Stop> {
        let (flag, name) = self.allocator_flag(taker)?;
        taker.name = name;
        let Handler::Alloc(kind) = flag.handler else { return Ok(()) };
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
            AllocValue::Tags => bad!("bad \"atags\" value: ", value),
            AllocValue::Setup => bad!("bad \"Mea\" parameter"),
            _ => bad!("bad \"", spelled, "\" value: ", value),
        }
    }

    // --- conclusions ------------------------------------------------------------------

    fn finish_threads(&mut self) -> Result<(), Stop> {
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

    fn finish_polling(&mut self) -> Result<(), Stop> {
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
        self.flags.outstanding_requests =
            self.outstanding.unwrap_or(2 * self.flags.threads.schedulers);
        if self.interrupt && self.flags.break_key == BreakKey::Menu {
            self.flags.break_key = BreakKey::Interrupt;
        }
        self.flags
    }
}

/// Tables of processes and ports have a power of two as their size.
fn table_size(asked: u32) -> u32 {
    asked.min(MAX_TABLE as u32).next_power_of_two().min(MAX_TABLE as u32)
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

type Result_ = Result<(), Stop>;

/// Reads `true` or `false`.
fn boolean(value: &[u8]) -> Option<bool> {
    match value {
        b"true" => Some(true),
        b"false" => Some(false),
        _ => None,
    }
}

/// `N`, `N:Online` or `:Online`; `default` is what a missing or not positive number counts from.
fn counts(pair: Pair, current: (i32, i32), default: (i32, i32)) -> (i32, (i32, i32)) {
    let (total, online) = match pair {
        Pair::First(total) => (total, total.min(current.1)),
        Pair::Both(total, online) => (total, online),
        Pair::Second(online) => (default.0, online),
    };
    let from = |number: i32, base: i32| {
        if number > 0 { number } else { base.saturating_add(number) }
    };
    (total, (from(total, default.0), from(online, default.1)))
}

pub fn schedulers(p: &mut Parser<'_>, t: &mut Taker<'_>) -> Result_ {
    if t.attached().starts_with(b"D") {
        return bad!("bad or missing dirty scheduler specifier: ", t.whole());
    }
    let value = t.value()?;
    let Some(pair) = scan_pair(value) else { return bad!("bad amount of schedulers ", value) };
    let (total, (schedulers, online)) =
        counts(pair, (p.schedulers, p.online), (p.processors, p.available));
    (p.schedulers, p.online) = (schedulers, online);
    if !(1..=MAX_SCHEDULERS).contains(&schedulers) {
        return bad!(format!("bad amount of schedulers {total}"));
    }
    if !(1..=schedulers).contains(&online) {
        return bad!(format!(
            "bad amount of schedulers online {online} (total amount of schedulers {schedulers})"
        ));
    }
    Ok(())
}

pub fn dirty_cpu(p: &mut Parser<'_>, t: &mut Taker<'_>) -> Result_ {
    let value = t.value()?;
    let Some(pair) = scan_pair(value) else {
        return bad!("bad amount of dirty CPU schedulers ", value);
    };
    let (total, (dirty, online)) =
        counts(pair, (p.dirty, p.dirty_online), (p.processors, p.available));
    (p.dirty, p.dirty_online) = (dirty, online);
    if !(1..=MAX_SCHEDULERS).contains(&dirty) {
        return bad!(format!("bad amount of dirty CPU schedulers {total}"));
    }
    if !(1..=dirty).contains(&online) {
        return bad!(format!(
            "bad amount of dirty CPU schedulers online {online} \
             (total amount of dirty CPU schedulers {dirty})"
        ));
    }
    Ok(())
}

/// Percentages `P:Online`.
fn percentages(value: &[u8]) -> Option<(i32, i32)> {
    let pair = match scan_pair(value)? {
        Pair::First(total) => (total, total.min(100)),
        Pair::Both(total, online) => (total, online),
        Pair::Second(online) => (100, online),
    };
    (pair.0 >= 0 && pair.1 >= 0).then_some(pair)
}

pub fn schedulers_percent(p: &mut Parser<'_>, t: &mut Taker<'_>) -> Result_ {
    let value = t.value()?;
    match percentages(value) {
        Some(pair) => p.schedulers_percent = pair,
        None => return bad!("bad schedulers percentage specifier ", value),
    }
    Ok(())
}

pub fn dirty_cpu_percent(p: &mut Parser<'_>, t: &mut Taker<'_>) -> Result_ {
    let value = t.value()?;
    match percentages(value) {
        Some(pair) => p.dirty_percent = pair,
        None => return bad!("bad dirty CPU schedulers percentage specifier ", value),
    }
    Ok(())
}

pub fn dirty_io(p: &mut Parser<'_>, t: &mut Taker<'_>) -> Result_ {
    let value = t.value()?;
    let number = atoi(value);
    if !(1..=MAX_SCHEDULERS).contains(&number) {
        return bad!("bad number of dirty I/O schedulers ", value);
    }
    p.flags.threads.dirty_io = number as u32;
    Ok(())
}

pub fn async_threads(p: &mut Parser<'_>, t: &mut Taker<'_>) -> Result_ {
    let value = t.value()?;
    let number = atoi(value);
    if !(0..=1024).contains(&number) {
        return bad!("bad number of async threads ", value);
    }
    p.flags.threads.async_threads = number as u32;
    Ok(())
}

/// A limit that must be a number that is not negative.
fn plain_limit(t: &mut Taker<'_>, what: &str) -> Result_ {
    let value = t.value()?;
    match scan_int(value) {
        None => bad!("bad ", what, ": ", value),
        Some((number, _)) if number < 0 => bad!(format!("bad {what}: {number}")),
        Some(_) => Ok(()),
    }
}

pub fn counter_groups(_: &mut Parser<'_>, t: &mut Taker<'_>) -> Result_ {
    plain_limit(t, "decentralized counter groups limit")
}

pub fn reader_groups(_: &mut Parser<'_>, t: &mut Taker<'_>) -> Result_ {
    plain_limit(t, "reader groups limit")
}

/// A suggested size of stacks in kilowords.
fn stack(t: &mut Taker<'_>, least: i32, what: &str) -> Result_ {
    let value = t.value()?;
    if (least..=8192).contains(&atoi(value)) {
        return Ok(());
    }
    bad!("bad stack size for ", what, " threads ", value)
}

pub fn async_stack(_: &mut Parser<'_>, t: &mut Taker<'_>) -> Result_ {
    stack(t, 16, "async")
}

pub fn scheduler_stack(_: &mut Parser<'_>, t: &mut Taker<'_>) -> Result_ {
    stack(t, 20, "scheduler")
}

pub fn dirty_cpu_stack(_: &mut Parser<'_>, t: &mut Taker<'_>) -> Result_ {
    stack(t, 20, "dirty CPU scheduler")
}

pub fn dirty_io_stack(_: &mut Parser<'_>, t: &mut Taker<'_>) -> Result_ {
    stack(t, 20, "dirty IO scheduler")
}

pub fn break_key(p: &mut Parser<'_>, t: &mut Taker<'_>) -> Result_ {
    let letter = match t.attached().first() {
        Some(letter @ (b'i' | b'c' | b'd')) => Some(*letter),
        _ => {
            let next = t.next().and_then(|next| next.first().copied());
            let next = next.filter(|letter| b"icd".contains(letter));
            if next.is_some() {
                t.at = t.flag + 1;
            }
            next
        }
    };
    match letter {
        Some(b'i') => p.flags.break_key = BreakKey::Ignore,
        Some(b'c') => p.interrupt = true,
        _ if p.flags.break_key == BreakKey::Ignore => {}
        _ => p.flags.break_key = BreakKey::Kill,
    }
    Ok(())
}

pub fn time_correction(p: &mut Parser<'_>, t: &mut Taker<'_>) -> Result_ {
    let attached = t.attached();
    if !attached.is_empty() {
        match boolean(attached) {
            Some(on) => p.flags.time_correction = on,
            None => return bad!("Invalid time correnction value: ", attached),
        }
        return Ok(());
    }
    let next = t.next().and_then(boolean);
    if next.is_some() {
        t.at = t.flag + 1;
    }
    p.flags.time_correction = next.unwrap_or(false);
    Ok(())
}

pub fn time_warp(p: &mut Parser<'_>, t: &mut Taker<'_>) -> Result_ {
    let value = t.value()?;
    p.flags.time_warp = match value {
        b"no_time_warp" => TimeWarp::None,
        b"single_time_warp" => TimeWarp::Single,
        b"multi_time_warp" => TimeWarp::Multi,
        _ => return bad!("Invalid time warp mode: ", value),
    };
    Ok(())
}

pub fn debugging(_: &mut Parser<'_>, _: &mut Taker<'_>) -> Result_ {
    Ok(())
}

pub fn nothing(_: &mut Parser<'_>, _: &mut Taker<'_>) -> Result_ {
    Ok(())
}

pub fn line_breakpoints(_: &mut Parser<'_>, t: &mut Taker<'_>) -> Result_ {
    let value = t.value()?;
    if boolean(value).is_some() { Ok(()) } else { bad!("bad +Dibpl flag ", value) }
}

pub fn no_crash_dump(p: &mut Parser<'_>, _: &mut Taker<'_>) -> Result_ {
    p.flags.crash_dump = false;
    Ok(())
}

pub fn ets_compress(p: &mut Parser<'_>, _: &mut Taker<'_>) -> Result_ {
    p.flags.ets_compress = true;
    Ok(())
}

pub fn ets_limit(p: &mut Parser<'_>, t: &mut Taker<'_>) -> Result_ {
    let value = t.value()?;
    let Ok(limit) = u32::try_from(atoi(value)) else {
        return bad!("bad maximum number of ets tables ", value);
    };
    p.flags.limits.ets_tables = limit;
    Ok(())
}

pub fn ets_moves(_: &mut Parser<'_>, _: &mut Taker<'_>) -> Result_ {
    Ok(())
}

pub fn file_names(p: &mut Parser<'_>, t: &mut Taker<'_>) -> Result_ {
    let value = t.value()?;
    let wrong = |letter: Option<&u8>| match letter {
        None | Some(b'w') => Ok(WrongNames::Warn),
        Some(b'i') => Ok(WrongNames::Ignore),
        Some(b'e') => Ok(WrongNames::Error),
        Some(_) => bad!("bad type of warnings for wrongly coded filename: ", &value[1..]),
    };
    p.flags.file_names = match value.first() {
        Some(b'u') => {
            FileNames { encoding: FileNameEncoding::Utf8, wrong: wrong(value.get(1))? }
        }
        Some(b'l') => FileNames { encoding: FileNameEncoding::Latin1, wrong: WrongNames::Warn },
        Some(b'a') => {
            FileNames { encoding: FileNameEncoding::ByLocale, wrong: wrong(value.get(1))? }
        }
        _ => {
            return bad!(
                "bad filename encoding ",
                value,
                ", can be (l,u or a, optionally followed by w, i or e)"
            );
        }
    };
    Ok(())
}

pub fn removed_heap_flag(p: &mut Parser<'_>, _: &mut Taker<'_>) -> Result_ {
    p.flags
        .notices
        .extend_from_slice(b"The undocumented +H option has been removed (R10B-6).\n\n");
    Ok(())
}

/// A heap size: a positive number.
fn heap_size(t: &mut Taker<'_>) -> Result<u32, Stop> {
    let value = t.value()?;
    let number = atoi(value);
    if number > 0 { Ok(number as u32) } else { bad!("bad heap size ", value) }
}

pub fn min_heap(p: &mut Parser<'_>, t: &mut Taker<'_>) -> Result_ {
    p.flags.heap.min_words = heap_size(t)?;
    Ok(())
}

pub fn min_bin_vheap(p: &mut Parser<'_>, t: &mut Taker<'_>) -> Result_ {
    p.flags.heap.min_bin_vheap_words = heap_size(t)?;
    Ok(())
}

pub fn dictionary_size(p: &mut Parser<'_>, t: &mut Taker<'_>) -> Result_ {
    let value = t.value()?;
    let number = atoi(value);
    if number <= 0 {
        return bad!("bad initial process dictionary size ", value);
    }
    p.flags.heap.dictionary = (number as u32).next_power_of_two();
    Ok(())
}

pub fn message_queue_data(p: &mut Parser<'_>, t: &mut Taker<'_>) -> Result_ {
    let value = t.value()?;
    p.flags.heap.message_queue = match value {
        b"on_heap" => MessageQueue::OnHeap,
        b"off_heap" => MessageQueue::OffHeap,
        _ => return bad!("Invalid message_queue_data flag: ", value),
    };
    Ok(())
}

/// A boolean value, or an error that starts with `what`.
fn flag_value(t: &mut Taker<'_>, what: &str) -> Result<bool, Stop> {
    let value = t.value()?;
    match boolean(value) {
        Some(on) => Ok(on),
        None => bad!(what, value),
    }
}

pub fn max_heap_kill(p: &mut Parser<'_>, t: &mut Taker<'_>) -> Result_ {
    p.flags.heap.max_kill = flag_value(t, "bad max heap kill ")?;
    Ok(())
}

pub fn max_heap_log(p: &mut Parser<'_>, t: &mut Taker<'_>) -> Result_ {
    p.flags.heap.max_log = flag_value(t, "bad max heap error logger ")?;
    Ok(())
}

pub fn max_heap_binaries(p: &mut Parser<'_>, t: &mut Taker<'_>) -> Result_ {
    p.flags.heap.max_include_binaries = flag_value(t, "bad max heap include bins ")?;
    Ok(())
}

pub fn max_heap(p: &mut Parser<'_>, t: &mut Taker<'_>) -> Result_ {
    let value = t.value()?;
    let number = strtol(value).value;
    if !(0..=MAX_SMALL).contains(&number) {
        return bad!("bad max heap size ", value);
    }
    // BEAM compares the minimum with the value before this one.
    let heap = &mut p.flags.heap;
    if heap.max_words != 0 && heap.max_words < u64::from(heap.min_words) {
        return bad!(
            "max heap size (",
            value,
            format!(") is not allowed to be smaller than min heap size ({})", heap.min_words)
        );
    }
    heap.max_words = number as u64;
    Ok(())
}

/// A number that `sscanf` reads, in a range.
fn scanned(t: &mut Taker<'_>, range: std::ops::RangeInclusive<i32>, what: &str) -> Result<i32, Stop> {
    let value = t.value()?;
    match scan_int(value).filter(|(number, _)| range.contains(number)) {
        Some((number, _)) => Ok(number),
        None => bad!("bad I/O ", what, " number: ", value),
    }
}

pub fn poll_threads(p: &mut Parser<'_>, t: &mut Taker<'_>) -> Result_ {
    p.poll_threads = scanned(t, 1..=MAX_SCHEDULERS, "poll threads")?;
    Ok(())
}

pub fn poll_sets(p: &mut Parser<'_>, t: &mut Taker<'_>) -> Result_ {
    p.poll_sets = scanned(t, 1..=i32::MAX, "pollset")?;
    Ok(())
}

pub fn poll_threads_percent(p: &mut Parser<'_>, t: &mut Taker<'_>) -> Result_ {
    p.poll_threads_percent = scanned(t, 0..=100, "poll thread percentage")?;
    Ok(())
}

pub fn poll_sets_percent(p: &mut Parser<'_>, t: &mut Taker<'_>) -> Result_ {
    p.poll_sets_percent = scanned(t, 0..=100, "pollset percentage")?;
    Ok(())
}

pub fn scheduler_polling(p: &mut Parser<'_>, t: &mut Taker<'_>) -> Result_ {
    p.scheduler_polling = flag_value(t, "bad +IOs boolean argument: ")?;
    Ok(())
}

pub fn kernel_poll(_: &mut Parser<'_>, t: &mut Taker<'_>) -> Result_ {
    t.value().map(drop)
}

pub fn boot_module(p: &mut Parser<'_>, t: &mut Taker<'_>) -> Result_ {
    p.flags.boot_module = t.value()?.to_vec();
    Ok(())
}

pub fn jit_dump(_: &mut Parser<'_>, t: &mut Taker<'_>) -> Result_ {
    flag_value(t, "bad +JDdump flag ").map(drop)
}

pub fn jit_perf(p: &mut Parser<'_>, t: &mut Taker<'_>) -> Result_ {
    let value = t.value()?;
    match value {
        b"true" | b"false" | b"dump" | b"map" => Ok(()),
        b"fp" | b"no_fp" if p.since >= (14, 0) => Ok(()),
        _ => bad!("bad +JPperf support flag ", value),
    }
}

pub fn jit_perf_directory(_: &mut Parser<'_>, t: &mut Taker<'_>) -> Result_ {
    t.value().map(drop)
}

pub fn jit_cover(_: &mut Parser<'_>, t: &mut Taker<'_>) -> Result_ {
    let value = t.value()?;
    match value {
        b"true" | b"false" | b"function" | b"function_counters" | b"line" | b"line_counters" => {
            Ok(())
        }
        _ => bad!("bad +JPcover flag ", value),
    }
}

pub fn jit_single_map(_: &mut Parser<'_>, t: &mut Taker<'_>) -> Result_ {
    flag_value(t, "bad +JMsingle support flag ").map(drop)
}

pub fn no_line_info(p: &mut Parser<'_>, _: &mut Taker<'_>) -> Result_ {
    p.flags.line_info = false;
    Ok(())
}

pub fn port_signals(_: &mut Parser<'_>, t: &mut Taker<'_>) -> Result_ {
    let value = t.value()?;
    match value {
        b"s" | b"a" | b"d" => Ok(()),
        _ => bad!("bad -n option ", value),
    }
}

pub fn printable(p: &mut Parser<'_>, t: &mut Taker<'_>) -> Result_ {
    let value = t.value()?;
    p.flags.printable_unicode = match value {
        b"unicode" => true,
        b"latin1" => false,
        _ => return bad!("bad range of printable characters: ", value),
    };
    Ok(())
}

pub fn async_dist(p: &mut Parser<'_>, t: &mut Taker<'_>) -> Result_ {
    p.flags.async_dist = flag_value(t, "bad async dist value ")?;
    Ok(())
}

/// The size of a table of processes or ports; `None` for `legacy`, which changes nothing here.
fn table(t: &mut Taker<'_>, what: &str) -> Result<Option<i32>, Stop> {
    let value = t.value()?;
    if value == b"legacy" {
        return Ok(None);
    }
    let number = strtol(value);
    let size = number.value as i32;
    if number.overflow || !(MIN_TABLE..=MAX_TABLE).contains(&size) {
        return bad!("bad number of ", what, " ", value);
    }
    Ok(Some(size))
}

pub fn process_limit(p: &mut Parser<'_>, t: &mut Taker<'_>) -> Result_ {
    p.processes = table(t, "processes")?.unwrap_or(p.processes);
    Ok(())
}

pub fn port_limit(p: &mut Parser<'_>, t: &mut Taker<'_>) -> Result_ {
    if let Some(size) = table(t, "ports")? {
        (p.ports, p.ports_given) = (size, true);
    }
    Ok(())
}

pub fn compat_release(p: &mut Parser<'_>, t: &mut Taker<'_>) -> Result_ {
    let value = t.value()?;
    let release = u32::try_from(atoi(value)).unwrap_or(0);
    if !(p.profile.oldest_compat..=p.profile.release).contains(&release) {
        return bad!("bad compatibility release number ", value);
    }
    p.flags.compat_release = release;
    Ok(())
}

/// Reads how schedulers are to be bound.
fn bind(t: &mut Taker<'_>) -> Result_ {
    let value = t.value()?;
    match value {
        b"u" | b"db" | b"s" | b"ps" | b"ts" | b"tnnps" | b"nnps" | b"nnts" | b"ns" => Ok(()),
        _ => bad!("setting scheduler bind type '", value, "' failed: invalid type"),
    }
}

pub fn bind_type(_: &mut Parser<'_>, t: &mut Taker<'_>) -> Result_ {
    bind(t)
}

pub fn try_bind_type(_: &mut Parser<'_>, t: &mut Taker<'_>) -> Result_ {
    bind(t)
}

/// A threshold among `values`.
fn threshold(t: &mut Taker<'_>, values: &[&str], what: &str) -> Result_ {
    let value = t.value()?;
    if values.iter().any(|name| name.as_bytes() == value) {
        return Ok(());
    }
    bad!(what, value)
}

const BUSY_WAITS: &[&str] = &["none", "very_short", "short", "medium", "long", "very_long"];
const WAKEUPS: &[&str] = &["very_low", "low", "medium", "high", "very_high"];

pub fn busy_wait(_: &mut Parser<'_>, t: &mut Taker<'_>) -> Result_ {
    threshold(t, BUSY_WAITS, "bad scheduler busy wait threshold: ")
}

pub fn busy_wait_dirty_cpu(_: &mut Parser<'_>, t: &mut Taker<'_>) -> Result_ {
    threshold(t, BUSY_WAITS, "bad dirty CPU scheduler busy wait threshold: ")
}

pub fn busy_wait_dirty_io(_: &mut Parser<'_>, t: &mut Taker<'_>) -> Result_ {
    threshold(t, BUSY_WAITS, "bad dirty IO scheduler busy wait threshold: ")
}

pub fn wakeup(_: &mut Parser<'_>, t: &mut Taker<'_>) -> Result_ {
    threshold(t, WAKEUPS, "scheduler wakeup threshold: ")
}

pub fn wakeup_dirty_cpu(_: &mut Parser<'_>, t: &mut Taker<'_>) -> Result_ {
    threshold(t, WAKEUPS, "dirty CPU scheduler wakeup threshold: ")
}

pub fn wakeup_dirty_io(_: &mut Parser<'_>, t: &mut Taker<'_>) -> Result_ {
    threshold(t, WAKEUPS, "dirty IO scheduler wakeup threshold: ")
}

pub fn wakeup_strategy(_: &mut Parser<'_>, t: &mut Taker<'_>) -> Result_ {
    threshold(t, &["default", "legacy"], "scheduler wakeup strategy: ")
}

pub fn wake_cleanup(_: &mut Parser<'_>, t: &mut Taker<'_>) -> Result_ {
    let values = ["very_lazy", "lazy", "medium", "eager", "very_eager"];
    threshold(t, &values, "scheduler wake cleanup threshold: ")
}

pub fn ets_busy_wait(_: &mut Parser<'_>, t: &mut Taker<'_>) -> Result_ {
    let values = [BUSY_WAITS, &["extremely_long"]].concat();
    threshold(t, &values, "Invalid ets busy wait threshold: ")
}

pub fn compact_load(_: &mut Parser<'_>, t: &mut Taker<'_>) -> Result_ {
    let value = t.value()?;
    match boolean(value) {
        Some(_) => Ok(()),
        None => bad!("bad scheduler compact load value '", value, "'"),
    }
}

pub fn balance_utilisation(_: &mut Parser<'_>, t: &mut Taker<'_>) -> Result_ {
    let value = t.value()?;
    match boolean(value) {
        Some(_) => Ok(()),
        None => bad!("bad scheduler utilization balancing  value '", value, "'"),
    }
}

pub fn cpu_topology(p: &mut Parser<'_>, t: &mut Taker<'_>) -> Result_ {
    let value = t.value()?;
    match topology::parse(value) {
        Ok(cpus) => p.flags.cpu_topology = Some(cpus),
        Err(why) => return bad!("bad cpu topology '", value, "': ", why),
    }
    Ok(())
}

pub fn eager_io(_: &mut Parser<'_>, t: &mut Taker<'_>) -> Result_ {
    t.value().map(drop)
}

pub fn port_parallelism(p: &mut Parser<'_>, t: &mut Taker<'_>) -> Result_ {
    p.flags.port_parallelism = flag_value(t, "bad port parallelism scheduling hint ")?;
    Ok(())
}

pub fn forced_wakeup(_: &mut Parser<'_>, t: &mut Taker<'_>) -> Result_ {
    let value = t.value()?;
    let number = strtol(value);
    if number.overflow || number.value < 0 {
        return bad!("bad scheduler forced wakeup interval ", value);
    }
    Ok(())
}

pub fn atom_limit(p: &mut Parser<'_>, t: &mut Taker<'_>) -> Result_ {
    let value = t.value()?;
    let number = strtol(value);
    // Cut to 32 bits as BEAM does before it compares.
    let size = i64::from(number.value as i32);
    if number.overflow || !(MIN_ATOMS..=MAX_ATOMS).contains(&size) {
        return bad!("bad atom table size ", value);
    }
    p.flags.limits.atoms = size as u32;
    Ok(())
}

pub fn modified_timing(_: &mut Parser<'_>, t: &mut Taker<'_>) -> Result_ {
    let value = t.value()?;
    if (0..=9).contains(&atoi(value)) {
        return Ok(());
    }
    bad!("bad modified timing level ", value)
}

pub fn verbose(p: &mut Parser<'_>, _: &mut Taker<'_>) -> Result_ {
    p.flags.notices.extend_from_slice(b"warning: -v (only in debug compiled code)\n");
    Ok(())
}

pub fn version(p: &mut Parser<'_>, _: &mut Taker<'_>) -> Result_ {
    Err(Stop::Version(version_line(p.erts_vsn).into_bytes()))
}

/// What `erl -version` prints. Scripts take the last word of it.
pub fn version_line(erts_vsn: &str) -> String {
    format!("Erlang (SMP,ASYNC_THREADS) (BEAM) emulator version {erts_vsn}\n")
}

pub fn warnings_as(p: &mut Parser<'_>, t: &mut Taker<'_>) -> Result_ {
    let value = t.value()?;
    p.flags.warnings_as = match value.first() {
        Some(b'i') => WarningsAs::Info,
        Some(b'e') => WarningsAs::Error,
        Some(b'w') => WarningsAs::Warning,
        _ => return bad!("unrecognized warning_map option ", value),
    };
    Ok(())
}

pub fn dist_busy_limit(p: &mut Parser<'_>, t: &mut Taker<'_>) -> Result_ {
    let number = atoi(t.value()?);
    if !(1..=i32::MAX / 1024).contains(&number) {
        return bad!(format!("Invalid dbbl limit: {number}"));
    }
    p.flags.dist_busy_limit = number as u64 * 1024;
    Ok(())
}

pub fn node_table_gc(p: &mut Parser<'_>, t: &mut Taker<'_>) -> Result_ {
    let value = t.value()?;
    if value == b"infinity" {
        p.flags.node_table_gc = None;
        return Ok(());
    }
    let number = strtol(value);
    let whole = number.used > 0 && number.used == value.len() && !number.overflow;
    if !whole || !(0..=MAX_NODE_TABLE_GC).contains(&number.value) {
        return bad!("Invalid delayed node table gc: ", value);
    }
    p.flags.node_table_gc = Some(number.value as u32);
    Ok(())
}

pub fn outstanding_requests(p: &mut Parser<'_>, t: &mut Taker<'_>) -> Result_ {
    let value = t.value()?;
    let number = strtol(value);
    if number.overflow || !(1..=i64::from(MAX_TABLE)).contains(&number.value) {
        return bad!("Invalid outstanding requests limit ", value);
    }
    p.outstanding = Some(number.value as u32);
    Ok(())
}

pub fn halt_flush_timeout(p: &mut Parser<'_>, t: &mut Taker<'_>) -> Result_ {
    let value = t.value()?;
    if value == b"infinity" {
        p.flags.halt_flush_timeout = None;
        return Ok(());
    }
    let number = strtol(value);
    if number.overflow || !(0..=i64::from(i32::MAX)).contains(&number.value) {
        return bad!("Invalid halt flush timeout ", value);
    }
    p.flags.halt_flush_timeout = Some(number.value as u32);
    Ok(())
}
