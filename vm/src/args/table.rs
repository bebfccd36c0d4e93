//! The one table of everything that may stand on `erl`'s command line.
//!
//! Its readers are the launcher (`launcher.rs`: which `+` flags take the next argument),
//! the emulator's flag parser (`emulator.rs`: matching, in table order within a letter, and
//! handling), the usage texts (`usage.rs`) and `docs/flags.md`, which a test writes.

use super::emulator::{AllocValue, FlagHandler, handlers as emu};

/// Who acts on a flag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FlagClass {
    /// A `+` flag: the emulator.
    Emulator,
    /// A `-` flag that the launcher acts on; most are passed on as well.
    Launcher,
    /// A `-` flag that `init` acts on.
    Init,
    /// A `-` flag that other Erlang code asks for with `init:get_argument/1`.
    Library,
}

/// When the emulator handles one of its flags. Errors of an earlier pass come first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pass {
    /// Thread counts, before anything else. The main pass reads past them.
    Early,
    /// As `Early`, but the main pass does not know the flag at all.
    EarlyOnly,
    /// Memory allocators.
    Alloc,
    /// I/O polling.
    Poll,
    /// The rest.
    Main,
}

/// How the launcher treats a `+` flag that is spelled exactly as in the table. A longer
/// spelling (`+A5`) always stands alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Launch {
    /// It takes the next argument along.
    Next,
    /// It stands alone.
    Alone,
    /// `-` flags: the launcher only copies them, or has code of its own for them.
    NotEmulator,
}

/// How the emulator recognises a flag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Match {
    /// By its beginning: what follows is an attached value.
    Prefix,
    /// As a whole.
    Whole,
}

/// What a flag does in Enigma.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// What it does on BEAM.
    Works,
    /// OTP's own Erlang code acts on it; nothing depends on the emulator.
    Erlang,
    /// Some of what it does on BEAM; this says what is missing.
    Partly(&'static str),
    /// It is read and checked, and then has no effect, for this reason.
    Ignored(&'static str),
}

/// The version of the runtime system that first has a flag: (major, minor).
pub type Since = (u32, u32);

const R26: Since = (14, 0);
const R27: Since = (15, 0);
const R28: Since = (16, 0);

/// One flag.
#[derive(Debug, Clone, Copy)]
pub struct Flag {
    /// Its name with the `+` or `-`. `<S>` stands for a letter of an allocator.
    pub name: &'static str,
    /// Who acts on it.
    pub class: FlagClass,
    /// What its argument is called; empty without one.
    pub argument: &'static str,
    /// How the launcher takes its value.
    pub launch: Launch,
    /// How the emulator recognises it.
    pub matching: Match,
    /// When the emulator handles it.
    pub pass: Pass,
    /// What the emulator does with it.
    pub handler: FlagHandler,
    /// What it does in Enigma.
    pub effect: Effect,
    /// The first runtime version that has it.
    pub since: Since,
    /// One line about it.
    pub meaning: &'static str,
}

impl Flag {
    const fn since(self, since: Since) -> Flag {
        Flag { since, ..self }
    }

    const fn whole(self) -> Flag {
        Flag {
            matching: Match::Whole,
            ..self
        }
    }

    const fn alone(self) -> Flag {
        Flag {
            launch: Launch::Alone,
            ..self
        }
    }

    const fn early(self) -> Flag {
        Flag {
            pass: Pass::Early,
            ..self
        }
    }

    const fn early_only(self) -> Flag {
        Flag {
            pass: Pass::EarlyOnly,
            ..self
        }
    }

    const fn poll(self) -> Flag {
        Flag {
            pass: Pass::Poll,
            ..self
        }
    }

    const fn partly(self, what: &'static str) -> Flag {
        Flag {
            effect: Effect::Partly(what),
            ..self
        }
    }

    const fn ignored(self, why: &'static str) -> Flag {
        Flag {
            effect: Effect::Ignored(why),
            ..self
        }
    }

    /// Whether a runtime version has it.
    pub fn exists_in(&self, erts: Since) -> bool {
        self.since <= erts
    }
}

/// A `+` flag that takes a value.
const fn plus(
    name: &'static str,
    argument: &'static str,
    handler: FlagHandler,
    meaning: &'static str,
) -> Flag {
    Flag {
        name,
        class: FlagClass::Emulator,
        argument,
        launch: Launch::Next,
        matching: Match::Prefix,
        pass: Pass::Main,
        handler,
        effect: Effect::Works,
        since: (0, 0),
        meaning,
    }
}

/// A `+M` flag.
const fn alloc(
    name: &'static str,
    argument: &'static str,
    value: AllocValue,
    meaning: &'static str,
) -> Flag {
    Flag {
        pass: Pass::Alloc,
        ..plus(name, argument, FlagHandler::Alloc(value), meaning)
    }
    .ignored(ALLOCATORS)
}

/// A `-` flag.
const fn minus(
    class: FlagClass,
    name: &'static str,
    argument: &'static str,
    effect: Effect,
    meaning: &'static str,
) -> Flag {
    Flag {
        name,
        class,
        argument,
        launch: Launch::NotEmulator,
        matching: Match::Whole,
        pass: Pass::Main,
        handler: FlagHandler::None,
        effect,
        since: (0, 0),
        meaning,
    }
}

const fn launcher(name: &'static str, argument: &'static str, meaning: &'static str) -> Flag {
    minus(FlagClass::Launcher, name, argument, Effect::Works, meaning)
}

const fn init(name: &'static str, argument: &'static str, meaning: &'static str) -> Flag {
    minus(FlagClass::Init, name, argument, Effect::Erlang, meaning)
}

const fn library(name: &'static str, argument: &'static str, meaning: &'static str) -> Flag {
    minus(FlagClass::Library, name, argument, Effect::Erlang, meaning)
}

const ALLOCATORS: &str = "BEAM's allocators and their settings do not exist here";
const JIT: &str = "it is about BEAM's own code generator";
const THREADS: &str = "threads get the stack they need";
const SPINNING: &str = "idle threads do not spin";
const BALANCING: &str = "work stealing needs no such setting";
const POLLING: &str =
    "schedulers do not poll: a descriptor that is read often is not asked about more often";
const OBSOLETE: &str = "it has none on BEAM either";

use FlagHandler::Run;

/// All flags. Within a letter the order is the order of matching.
pub const FLAGS: &[Flag] = &[
    // --- threads -------------------------------------------------------------------
    plus("+SP", "P:Online", Run(emu::schedulers_percent), "scheduler threads and those online, in percent of the processors").early(),
    plus("+SDPcpu", "P:Online", Run(emu::dirty_cpu_percent), "dirty CPU schedulers and those online, in percent").early(),
    plus("+SDcpu", "N:Online", Run(emu::dirty_cpu), "dirty CPU schedulers and those online").early(),
    plus("+SDio", "N", Run(emu::dirty_io), "dirty I/O schedulers (10)").early(),
    plus("+S", "N:Online", Run(emu::schedulers), "scheduler threads and those online (one per processor)").early(),
    plus("+A", "Threads", Run(emu::async_threads), "threads of the asynchronous pool, 0 to 1024 (1)").early(),
    plus("+a", "Kilowords", Run(emu::async_stack), "suggested stack of asynchronous threads, 16 to 8192").ignored(THREADS),
    plus("+dcg", "Groups", Run(emu::counter_groups), "limit of decentralised counter groups; the value must be attached").early_only().alone().ignored("counters are kept otherwise"),
    plus("+rg", "Groups", Run(emu::reader_groups), "limit of reader groups of read-write locks").early().ignored("such locks are not used"),
    // --- the rest of the emulator, by letter ----------------------------------------
    plus("+B", "c|d|i", Run(emu::break_key), "what Ctrl+C does: c interrupts the shell's evaluation, d ends the system, i nothing; alone as d").alone().partly("the rest of the system goes on while the break menu is open"),
    plus("+c", "true|false", Run(emu::time_correction), "correction of the monotonic clock (true); alone it is false").alone(),
    plus("+C", "Mode", Run(emu::time_warp), "time warp mode: no_time_warp, single_time_warp or multi_time_warp"),
    plus("+Dibpl", "true|false", Run(emu::line_breakpoints), "instrument lines for breakpoints when debugging is on (true)").since(R28).ignored("the debugger's instrumentation is not there yet"),
    plus("+D", "", Run(emu::debugging), "turn on the functions of erl_debugger").whole().alone().since(R28).ignored("the debugger's instrumentation is not there yet"),
    plus("+d", "", Run(emu::no_crash_dump), "no crash dump for errors found inside the emulator").alone(),
    plus("+ec", "", Run(emu::ets_compress), "compress all ETS tables").whole().alone().partly("only reported, of each table too: tables here have one form"),
    plus("+e", "Number", Run(emu::ets_limit), "number of ETS tables; only reported"),
    plus("+fn", "l|u[wie]|a[wie]", Run(emu::file_names), "encoding of file names: latin1, UTF-8 or by the locale; how to take wrong ones: warn, ignore or error").alone(),
    plus("+H", "", Run(emu::removed_heap_flag), "prints that it has been removed").alone().ignored(OBSOLETE),
    plus("+hmbs", "Words", Run(emu::min_bin_vheap), "minimum virtual binary heap of a process (32768)"),
    plus("+hms", "Words", Run(emu::min_heap), "minimum heap of a process (233)"),
    plus("+hpds", "Entries", Run(emu::dictionary_size), "initial size of a process dictionary (8)").ignored("dictionaries grow as needed"),
    plus("+hmqd", "on_heap|off_heap", Run(emu::message_queue_data), "where message queues are kept by default"),
    plus("+hmaxk", "true|false", Run(emu::max_heap_kill), "kill a process that exceeds the maximum heap size (true)"),
    plus("+hmaxel", "true|false", Run(emu::max_heap_log), "log when the maximum heap size is exceeded (true)"),
    plus("+hmaxib", "true|false", Run(emu::max_heap_binaries), "count shared binaries as heap (false)").since(R26),
    plus("+hmax", "Words", Run(emu::max_heap), "maximum heap size of a process; 0 is none"),
    plus("+h", "Words", Run(emu::min_heap), "old spelling of +hms"),
    plus("+IOt", "N", Run(emu::poll_threads), "poll threads").poll(),
    plus("+IOp", "N", Run(emu::poll_sets), "poll sets").poll().whole(),
    plus("+IOPt", "Percent", Run(emu::poll_threads_percent), "poll threads in percent of the schedulers").poll().whole(),
    plus("+IOPp", "Percent", Run(emu::poll_sets_percent), "poll sets in percent of the poll threads").poll().whole(),
    plus("+IOs", "true|false", Run(emu::scheduler_polling), "a poll set of the schedulers for busy descriptors").poll().whole().ignored(POLLING),
    plus("+i", "Module", Run(emu::boot_module), "the module that boots (init)"),
    plus("+JDdump", "true|false", Run(emu::jit_dump), "write the machine code of compiled functions, as text, to MODULE.asm in the working directory"),
    plus("+JPperfdirectory", "Dir", Run(emu::jit_perf_directory), "where the files for perf go (/tmp)").since(R28),
    plus("+JPperf", "Value", Run(emu::jit_perf), "files for perf about compiled functions: true, false, dump, map; fp, no_fp from 26 on ask for nothing, as frames are always linked"),
    plus("+JPcover", "Value", Run(emu::jit_cover), "coverage of loaded modules: true, false, function, function_counters, line, line_counters").since(R27).ignored(JIT),
    plus("+JMsingle", "true|false", Run(emu::jit_single_map), "one mapping for writing and running code").since(R26).ignored(JIT),
    plus("+K", "true|false", Run(emu::kernel_poll), "kernel poll").poll().ignored(OBSOLETE),
    plus("+L", "", Run(emu::no_line_info), "load no file names and line numbers").alone(),
    plus("+n", "s|a|d", Run(emu::port_signals), "signals to ports: synchronous, asynchronous or by need").ignored("ports take their signals by need"),
    plus("+pc", "latin1|unicode", Run(emu::printable), "which characters are printable"),
    plus("+pad", "true|false", Run(emu::async_dist), "default of the process flag async_dist (false)").since((13, 2)),
    plus("+P", "N|legacy", Run(emu::process_limit), "maximum number of processes, 1024 to 134217727"),
    plus("+Q", "N|legacy", Run(emu::port_limit), "maximum number of ports, 1024 to 134217727"),
    plus("+R", "Release", Run(emu::compat_release), "the release to behave as, at most two back; only reported, as on BEAM"),
    plus("+r", "", Run(emu::ets_moves), "ETS moves memory on every reallocation").alone().ignored(ALLOCATORS),
    plus("+sbt", "Type", Run(emu::bind_type), "bind schedulers to processors: u, ns, ts, ps, s, nnts, nnps, tnnps, db"),
    plus("+sbwtdcpu", "Threshold", Run(emu::busy_wait_dirty_cpu), "busy waiting of dirty CPU schedulers").ignored(SPINNING),
    plus("+sbwtdio", "Threshold", Run(emu::busy_wait_dirty_io), "busy waiting of dirty I/O schedulers").ignored(SPINNING),
    plus("+sbwt", "Threshold", Run(emu::busy_wait), "busy waiting of schedulers: none, very_short, short, medium, long, very_long").ignored(SPINNING),
    plus("+scl", "true|false", Run(emu::compact_load), "gather load on few schedulers (true)").ignored(BALANCING),
    plus("+sct", "Topology", Run(emu::cpu_topology), "the processors' topology"),
    plus("+secio", "true|false", Run(emu::eager_io), "check for I/O eagerly").ignored(OBSOLETE),
    plus("+spp", "true|false", Run(emu::port_parallelism), "default of the port option parallelism (false)").partly("only reported: ports work in threads of their own"),
    plus("+stbt", "Type", Run(emu::try_bind_type), "as +sbt, without an error when it cannot be done"),
    plus("+sub", "true|false", Run(emu::balance_utilisation), "balance the schedulers' utilisation (false)").ignored(BALANCING),
    plus("+swct", "Threshold", Run(emu::wake_cleanup), "wake for clean-up: very_lazy, lazy, medium, eager, very_eager").ignored(BALANCING),
    plus("+swtdcpu", "Threshold", Run(emu::wakeup_dirty_cpu), "waking of dirty CPU schedulers").ignored(BALANCING),
    plus("+swtdio", "Threshold", Run(emu::wakeup_dirty_io), "waking of dirty I/O schedulers").ignored(BALANCING),
    plus("+swt", "Threshold", Run(emu::wakeup), "waking of schedulers: very_low, low, medium, high, very_high").ignored(BALANCING),
    plus("+sws", "default|legacy", Run(emu::wakeup_strategy), "strategy of waking schedulers").ignored(BALANCING),
    plus("+sssdcpu", "Kilowords", Run(emu::dirty_cpu_stack), "suggested stack of dirty CPU schedulers, 20 to 8192").ignored(THREADS),
    plus("+sssdio", "Kilowords", Run(emu::dirty_io_stack), "suggested stack of dirty I/O schedulers, 20 to 8192").ignored(THREADS),
    plus("+sss", "Kilowords", Run(emu::scheduler_stack), "suggested stack of schedulers, 20 to 8192").ignored(THREADS),
    plus("+sfwi", "Milliseconds", Run(emu::forced_wakeup), "interval of forced wakeups of schedulers").ignored(BALANCING),
    plus("+ssrct", "", Run(emu::topology_unread), "do not read the processors' topology").alone().early(),
    plus("+t", "N", Run(emu::atom_limit), "maximum number of atoms, 8192 to 2147483647 (1048576)"),
    plus("+T", "Level", Run(emu::modified_timing), "modified timing for tests, 0 to 9").ignored("the deterministic scheduler mode does this better"),
    plus("+v", "", Run(emu::verbose), "prints a warning, as every emulator that is no debug build").alone(),
    plus("+V", "", Run(emu::version), "print the version and stop").alone(),
    plus("+W", "w|i|e", Run(emu::warnings_as), "log warnings as warning, info or error (w)"),
    plus("+zdbbl", "Kilobytes", Run(emu::dist_busy_limit), "busy limit of the distribution buffer (1024)"),
    plus("+zdntgc", "Seconds|infinity", Run(emu::node_table_gc), "delay before unused node names are forgotten (60)").partly("only reported: names of nodes are atoms here"),
    plus("+zebwt", "Threshold", Run(emu::ets_busy_wait), "busy waiting on ETS locks: none to extremely_long").ignored(SPINNING),
    plus("+zosrl", "N", Run(emu::outstanding_requests), "limit of outstanding requests of system processes"),
    plus("+zhft", "Milliseconds|infinity", Run(emu::halt_flush_timeout), "limit of flushing when the system halts (infinity)").since(R27),
    // --- allocators ------------------------------------------------------------------
    alloc("+M<S>asbcst", "Kilobytes", AllocValue::Kilobytes, "absolute shrink threshold of single-block carriers"),
    alloc("+M<S>as", "Strategy", AllocValue::Strategy, "allocation strategy"),
    alloc("+M<S>atags", "true|false|code", AllocValue::Tags, "tag allocations"),
    alloc("+M<S>acul", "Percent|de", AllocValue::Percent, "utilisation below which carriers are abandoned"),
    alloc("+M<S>acnl", "Amount", AllocValue::MigrationAmount, "limit of abandoned carriers"),
    alloc("+M<S>acfml", "Bytes", AllocValue::MigrationAmount, "smallest free block that makes a carrier fit to be abandoned"),
    alloc("+M<S>acful", "Percent|de", AllocValue::Percent, "utilisation below which free memory of abandoned carriers is given back"),
    alloc("+M<S>cp", "Letter", AllocValue::Pool, "carrier pool"),
    alloc("+M<S>e", "true|false", AllocValue::Bool, "enable this allocator"),
    alloc("+M<S>lmbcs", "Kilobytes", AllocValue::Kilobytes, "largest multi-block carrier"),
    alloc("+M<S>mbcgs", "Ratio", AllocValue::Amount, "growth stages of multi-block carriers"),
    alloc("+M<S>mbsd", "Depth", AllocValue::Amount, "depth of the search for a block"),
    alloc("+M<S>mmbcs", "Kilobytes", AllocValue::Kilobytes, "size of the main multi-block carrier"),
    alloc("+M<S>mmmbc", "Amount", AllocValue::Amount, "limit of mapped multi-block carriers"),
    alloc("+M<S>mmsbc", "Amount", AllocValue::Amount, "limit of mapped single-block carriers"),
    alloc("+M<S>msbclt", "Value", AllocValue::Unknown, "known to the launcher only"),
    alloc("+M<S>rsbcmt", "Percent", AllocValue::Amount, "threshold of moving single-block carriers"),
    alloc("+M<S>rsbcst", "Percent", AllocValue::Amount, "threshold of shrinking single-block carriers"),
    alloc("+M<S>rmbcmt", "Percent", AllocValue::Amount, "threshold of moving multi-block carriers"),
    alloc("+M<S>ramv", "true|false", AllocValue::Bool, "reallocation always moves"),
    alloc("+M<S>sbct", "Kilobytes", AllocValue::Kilobytes, "threshold of single-block carriers"),
    alloc("+M<S>smbcs", "Kilobytes", AllocValue::Kilobytes, "smallest multi-block carrier"),
    alloc("+M<S>t", "true|false", AllocValue::Bool, "one instance for each scheduler"),
    alloc("+Mea", "min|max|r9c|r10b|r11b", AllocValue::Setup, "all allocators at once"),
    alloc("+Mummc", "Amount", AllocValue::Amount, "limit of mapped carriers"),
    alloc("+Muycs", "Kilobytes", AllocValue::Kilobytes, "carrier size of sys_alloc"),
    alloc("+Musac", "true|false", AllocValue::Bool, "allow carriers of sys_alloc"),
    alloc("+Mim", "Value", AllocValue::Unknown, "known to the launcher only"),
    alloc("+Mis", "Value", AllocValue::Unknown, "known to the launcher only"),
    alloc("+Mlpm", "all|no", AllocValue::Choice(&["all", "no"]), "lock physical memory"),
    alloc("+MMamcbf", "Kilobytes", AllocValue::Kilobytes, "absolute limit of the fit of cached segments"),
    alloc("+MMrmcbf", "Percent", AllocValue::Amount, "relative limit of the fit of cached segments"),
    alloc("+MMmcs", "Amount", AllocValue::Amount, "segments in the cache"),
    alloc("+MMscrfsd", "Amount", AllocValue::Amount, "free descriptors of the super carrier"),
    alloc("+MMscrpm", "true|false", AllocValue::Bool, "reserve memory for the super carrier"),
    alloc("+MMsco", "true|false", AllocValue::Bool, "only the super carrier"),
    alloc("+MMscs", "Megabytes", AllocValue::Megabytes, "size of the super carrier"),
    alloc("+MMlp", "on|off", AllocValue::Choice(&["on", "off"]), "large pages").since(R27),
    alloc("+MYe", "true", AllocValue::Choice(&["true"]), "enable sys_alloc"),
    alloc("+MYm", "libc", AllocValue::Anything, "which malloc sys_alloc uses"),
    alloc("+MYtp", "Kilobytes", AllocValue::SmallKilobytes, "top pad of sys_alloc"),
    alloc("+MYtt", "Kilobytes", AllocValue::SmallKilobytes, "trim threshold of sys_alloc"),
    alloc("+MIscs", "Megabytes", AllocValue::Megabytes, "size of the literals' super carrier"),
    alloc("+MXscs", "Value", AllocValue::Unknown, "known to the launcher only"),
    alloc("+Mdai", "N|max", AllocValue::DirtyInstances, "allocator instances of dirty CPU schedulers"),
    // --- the launcher ------------------------------------------------------------------
    launcher("-args_file", "File", "more arguments from a file, as if they stood here"),
    launcher("-compile", "Modules", "compile modules and stop").ignored_effect("the function it calls is long gone from OTP"),
    launcher("-configfd", "Fd", "read configuration from a descriptor; 0 implies -noinput"),
    launcher("-detached", "", "run in the background without a terminal; implies -noinput"),
    launcher("-emu_args", "", "print the emulator's command line, then run"),
    launcher("-emu_args_exit", "", "print the emulator's arguments, one a line, and stop"),
    launcher("-emu_flavor", "jit|emu|smp", "the flavour of the emulator; `emu` runs without native code"),
    launcher("-emu_name_exit", "", "print the emulator's name and stop"),
    launcher("-emu_qouted_cmd_exit", "", "print the emulator's command line in quotes and stop"),
    launcher("-emu_type", "opt", "the type of the emulator"),
    launcher("-env", "Variable Value", "set an environment variable"),
    launcher("-epmd", "Command", "the command that starts epmd"),
    launcher("-extra", "", "what follows are plain arguments"),
    launcher("-keep_window", "", "taken out; it is for Windows").ignored_effect("it has none on Unix"),
    launcher("-make", "", "run make:all/0 and stop; the rest of the line is dropped"),
    launcher("-man", "Page", "run the program man on the installation's pages"),
    launcher("-name", "Name", "long node name; starts epmd"),
    launcher("-no_epmd", "", "do not start epmd; needs -proto_dist"),
    launcher("-nohup", "", "with -detached: ignore the hang-up signal").ignored_effect("a detached system has no terminal that could hang up"),
    launcher("-noinput", "", "read no input; implies -noshell"),
    launcher("-proto_dist", "Module", "protocol of the distribution"),
    launcher("-smp", "enable|auto", "accepted for old scripts; `disable` is refused").ignored_effect(OBSOLETE),
    launcher("-sname", "Name", "short node name; starts epmd"),
    launcher("-start_epmd", "true|false", "whether -name and -sname start epmd (true)"),
    launcher("-version", "", "print the emulator's version and stop"),
    launcher("-S", "Module [Args]", "run the start function of a module with all that follows as its arguments").since(R26),
    // --- init --------------------------------------------------------------------------
    init("--", "", "the end of a flag's arguments; what follows up to the next flag is plain"),
    init("-boot", "File", "boot script, without its extension (start)"),
    init("-boot_var", "Var Dir", "a variable of the boot script's paths"),
    init("-code_path_choice", "strict|relaxed", "how archives in boot paths are looked for"),
    init("-disable-feature", "Name|all", "turn a language feature off"),
    init("-enable-feature", "Name|all", "turn a language feature on"),
    init("-epmd_port", "Port", "the port of epmd; added from ERL_EPMD_PORT"),
    init("-eval", "Expr", "evaluate at the end of the boot"),
    init("-hosts", "Hosts", "boot servers of the inet loader"),
    init("-id", "Id", "identity at the boot server"),
    init("-init_debug", "", "print how the boot goes on"),
    init("-loader", "efile|inet", "how modules are loaded during the boot"),
    init("-loader_debug", "", "print what the loader does"),
    init("-mode", "interactive|embedded|minimal", "when modules are loaded"),
    init("-pa", "Dirs", "directories before the code path"),
    init("-path", "Dirs", "directories instead of the boot script's path"),
    init("-profile_boot", "", "print where the boot spends its time"),
    init("-pz", "Dirs", "directories after the code path"),
    init("-run", "Mod [Fun [Args]]", "call a function at the end of the boot, with strings"),
    init("-s", "Mod [Fun [Args]]", "call a function at the end of the boot, with atoms"),
    init("-shutdown_time", "Milliseconds", "limit of an orderly shutdown"),
    init("-root", "Dir", "the installation's root; added by the launcher"),
    init("-bindir", "Dir", "the directory of helper programs; added by the launcher"),
    init("-progname", "Name", "the program's name; added by the launcher"),
    init("-home", "Dir", "the home directory; added by the launcher"),
    // --- Erlang code ---------------------------------------------------------------------
    library("-Application", "Par Value", "a parameter of an application"),
    library("-async_shell_start", "", "take input before the boot has ended"),
    library("-cache_boot_paths", "", "cache the directories of the boot script").since(R26),
    library("-code_path_cache", "", "cache the listings of the code path"),
    library("-config", "Files", "configuration of applications"),
    library("-connect_all", "false", "do not keep a full mesh of nodes"),
    library("-dets", "", "options of dets"),
    library("-dist_listen", "true|false", "whether to take connections of other nodes"),
    library("-epmd_module", "Module", "a replacement of erl_epmd"),
    library("-erl_epmd_port", "Port", "a fixed port for the distribution"),
    library("-heart", "", "let the program heart watch over the system"),
    library("-hidden", "", "be a hidden node"),
    library("-inet_epmd", "", "options of the inet_epmd distribution").since(R26),
    library("-master", "Node", "the master of a slave node"),
    library("-newshell", "", "accepted; nothing reads it"),
    library("-nocookie", "", "no cookie"),
    library("-noshell", "", "no shell"),
    library("-nostick", "", "no sticky directories"),
    library("-oldshell", "", "the line mode shell"),
    library("-origin", "", "internal to peer"),
    library("-peer_detached", "", "internal to peer").since(R26),
    library("-remsh", "Node", "a shell on another node"),
    library("-rsh", "Program", "the program that starts remote nodes"),
    library("-setcookie", "[Node] Cookie", "the cookie"),
    library("-ssl_dist_opt", "Options", "options of the distribution over TLS"),
    library("-ssl_dist_optfile", "File", "a file of options of the distribution over TLS"),
    library("-user", "Module", "the module of the process user"),
];

impl Flag {
    const fn ignored_effect(self, why: &'static str) -> Flag {
        Flag {
            effect: Effect::Ignored(why),
            ..self
        }
    }
}

/// The letters of allocators in `+M<S>...`, `u` for all of them.
pub const ALLOCATOR_LETTERS: &[u8] = b"uBIDEFHLRSTZ";

/// The allocators whose carriers never migrate: the flags about that do not exist for them.
pub const WITHOUT_MIGRATION: &[u8] = b"IT";

/// A long option of Enigma's own.
#[derive(Debug, Clone, Copy)]
pub struct OwnOption {
    /// With its two dashes.
    pub name: &'static str,
    /// What its argument is called; empty without one.
    pub argument: &'static str,
    /// One line about it.
    pub meaning: &'static str,
}

/// Enigma's own options. `erl` has no long options.
pub const OWN_OPTIONS: &[OwnOption] = &[
    OwnOption {
        name: "--otp",
        argument: "DIR",
        meaning: "the OTP installation to run",
    },
    OwnOption {
        name: "--jit",
        argument: "off|on|always",
        meaning: "when functions are compiled to native code: never, when called often, at once",
    },
    OwnOption {
        name: "--jit-threshold",
        argument: "CALLS",
        meaning: "after how many calls a function is compiled",
    },
    OwnOption {
        name: "--jit-only",
        argument: "FUNCTIONS",
        meaning: "compile no other functions: module, module:name or module:name/2, with commas between; with ! in \
                  front, compile all others",
    },
    OwnOption {
        name: "--jit-dump",
        argument: "FUNCTIONS",
        meaning: "print all stages of these functions on standard error when they are compiled",
    },
    OwnOption {
        name: "--jit-log",
        argument: "FILE",
        meaning: "write a line for each compilation: function, cause, sizes, times; - is standard error",
    },
    OwnOption {
        name: "--gc-stress",
        argument: "",
        meaning: "collect garbage at every chance",
    },
    OwnOption {
        name: "--step-stress",
        argument: "",
        meaning: "do the least work in each step of a BIF, and collect garbage at every chance",
    },
    OwnOption {
        name: "--chaos",
        argument: "SEED",
        meaning: "leave native code at random, with yields, collections and withdrawals of native code",
    },
    OwnOption {
        name: "--verify-heap",
        argument: "",
        meaning: "verify a process's heap at every collection",
    },
    OwnOption {
        name: "--sim",
        argument: "SEED",
        meaning: "one deterministic scheduler thread, its choices made from SEED",
    },
    OwnOption {
        name: "--version",
        argument: "",
        meaning: "print Enigma's version and stop",
    },
    OwnOption {
        name: "--help",
        argument: "",
        meaning: "print this and stop; --help-enigma is the same",
    },
    OwnOption {
        name: "--help-enigma",
        argument: "",
        meaning: "print this and stop",
    },
];
