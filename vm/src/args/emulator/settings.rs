//! The emulator's settings as the rest of the VM sees them.

use enigma_jit::memory::perf::PerfFiles;
use enigma_otp::profile::TimeWarp;

use super::super::topology::LogicalProcessor;
use enigma_bifs::system::binding::BindType;

/// All settings of the emulator, checked and complete.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmuFlags {
    /// How many threads of each kind.
    pub threads: Threads,
    /// Sizes of tables.
    pub limits: TableLimits,
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
    /// `+ssrct`
    pub topology_unread: bool,
    /// `+sbt`
    pub bind_type: BindType,
    /// `+zdbbl`, in bytes.
    pub dist_busy_limit: u64,
    /// `+zdntgc`: seconds, or never.
    pub node_table_gc: Option<u32>,
    /// `+zosrl`
    pub outstanding_requests: u32,
    /// `+zhft`: milliseconds, or no limit.
    pub halt_flush_timeout: Option<u32>,
    /// `+JD` and `+JP`
    pub native: NativeFlags,
    /// Text for standard error that is not an error.
    pub notices: Vec<u8>,
}

/// What is told of native code.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NativeFlags {
    /// `+JDdump`: write it down as text.
    pub assembly: bool,
    /// `+JPperf`
    pub perf: PerfFiles,
    /// `+JPperfdirectory`
    pub perf_directory: Option<Vec<u8>>,
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
    /// Threads that wait for descriptors (`+IOt`).
    pub poll_threads: u32,
    /// Sets of descriptors that they wait for (`+IOp`).
    pub poll_sets: u32,
}

/// Sizes of tables, as `erlang:system_info/1` reports them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TableLimits {
    /// `process_limit`: a power of two, or one less than the largest.
    pub processes: u32,
    /// `port_limit`, likewise.
    pub ports: u32,
    /// `atom_limit`
    pub atoms: u32,
    /// `ets_limit` as asked for; 0 when not.
    pub ets_tables: u32,
    /// How many descriptors may be open.
    pub files: u32,
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
