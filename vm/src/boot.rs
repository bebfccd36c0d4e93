//! From settings to a running system: limits, BIFs, preloaded modules, the first processes.

use crate::args::emulator::{
    BreakKey, FileNameEncoding, MessageQueue, WarningsAs, WrongNames, erts_numbers,
};
use crate::args::{Jit, Run};
use crate::census;
use enigma_bifs::file_name::{self, BadName};
use enigma_bifs::hooks;
use enigma_bifs::system;
use enigma_bifs::system::facts::Facts;
use enigma_bifs::terminal::locale;
use enigma_bifs::{break_menu, os_signal};
use enigma_jit::memory::perf;
use enigma_jit::observe::{AssemblyFiles, CompileLog, Observation};
use enigma_jit::tier::{self, Where};
use enigma_otp::boot::{self, Preloaded};
use enigma_otp::profile::{Arguments, InitialPriority, TimeWarp};
use enigma_runtime::code::install;
use enigma_runtime::code::native::{self, NativeMode};
use enigma_runtime::heap::gc;
use enigma_runtime::interp::native::chaos;
use enigma_runtime::process::signal;
use enigma_runtime::process::{MaxHeap, flag, set_verify_heaps, state, table};
use enigma_runtime::spawn::{self, SpawnOptions};
use enigma_runtime::{
    Atom, Heap, Term, atom, bug, dirty, heap, io, load, release, sched, time, work, worker,
};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// Calls after which a function is compiled, unless told.
const THRESHOLD: u32 = 1000;

/// Why a system cannot be started.
#[derive(Debug)]
pub enum BootError {
    /// The preloaded modules cannot be read.
    Otp(enigma_otp::OtpError),
    /// One of them cannot be loaded.
    Preloaded(&'static str, load::Failure),
    /// The first processes cannot be made.
    Processes,
}

impl std::fmt::Display for BootError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            BootError::Otp(e) => e.fmt(f),
            BootError::Preloaded(name, e) => {
                write!(f, "cannot load the preloaded module {name}: {e}")
            }
            BootError::Processes => f.write_str("cannot make the first processes"),
        }
    }
}

/// Runs a system until it halts; gives the exit status.
pub fn run(run: &Run) -> Result<i32, BootError> {
    configure(run);
    let modules = boot::preloaded(&run.install).map_err(BootError::Otp)?;
    enigma_bifs::table::register(run.install.release);
    hooks::install();
    enigma_nif::install();
    load_preloaded(&modules)?;
    first_processes(run)?;
    match run.options.sim {
        Some(seed) => worker::sim::run_all(seed),
        None => worker::run_all(),
    }
    Ok(system::halt::exit_status())
}

/// Applies the settings that must be in force before anything is made.
fn configure(run: &Run) {
    let emu = &run.emu;
    let warp = match emu.time_warp {
        TimeWarp::None => time::Warp::None,
        TimeWarp::Single => time::Warp::Single,
        TimeWarp::Multi => time::Warp::Multi,
    };
    time::init(warp, emu.time_correction);
    release::set(run.install.release);
    let [major, minor, patch] = erts_numbers(&run.install.erts_vsn);
    release::set_runtime(major, minor, patch);
    atom::set_limit(emu.limits.atoms);
    table::set_limit(emu.limits.processes as usize);
    let simulated = run.options.sim.is_some();
    let (schedulers, online) = if simulated {
        (1, 1)
    } else {
        (
            emu.threads.schedulers as usize,
            emu.threads.schedulers_online as usize,
        )
    };
    sched::init(schedulers, online);
    io::configure(io::PollSetCounts {
        sets: emu.threads.poll_sets as usize,
        threads: emu.threads.poll_threads as usize,
    });
    dirty::set_limit(dirty::Pool::Cpu, emu.threads.dirty_cpu as usize);
    dirty::set_limit(dirty::Pool::Io, emu.threads.dirty_io as usize);
    dirty::set_online(dirty::Pool::Cpu, emu.threads.dirty_cpu_online as usize);
    load::set_line_info(emu.line_info);
    bug::set_dumps(emu.crash_dump);
    signals(emu.break_key);
    let heap = &emu.heap;
    let mut flags = 0;
    if heap.message_queue == MessageQueue::OffHeap {
        flags |= flag::OFF_HEAP_MESSAGES;
    }
    if emu.async_dist {
        flags |= flag::ASYNC_DIST;
    }
    spawn::set_default_flags(flags);
    spawn::set_default_min_heap(heap.min_words as usize);
    spawn::set_default_min_vheap(heap.min_bin_vheap_words as usize);
    spawn::set_default_fullsweep(heap.fullsweep_after);
    if heap.max_words > 0 || !heap.max_kill || !heap.max_log || heap.max_include_binaries {
        spawn::set_default_max_heap(Some(MaxHeap {
            size: heap.max_words as usize,
            kill: heap.max_kill,
            error_logger: heap.max_log,
            include_shared_binaries: heap.max_include_binaries,
        }));
    }
    if run.options.verify_heap {
        set_verify_heaps(true);
    }
    spawn::set_gc_stress(run.options.gc_stress || run.options.step_stress);
    if let Some(seed) = run.options.chaos {
        chaos::switch_on(seed);
    }
    census::prepare(run);
    start_native_tier(run);
    census::begin(run);
    work::set_stress(run.options.step_stress);
    if run.options.step_stress {
        gc::set_long(1 << 12);
    }
    let names = &emu.file_names;
    let utf8 = match names.encoding {
        FileNameEncoding::Utf8 => true,
        FileNameEncoding::Latin1 => false,
        FileNameEncoding::ByLocale => locale::set_from_environment(),
    };
    let bad = match names.wrong {
        WrongNames::Warn => BadName::Warn,
        WrongNames::Ignore => BadName::Ignore,
        WrongNames::Error => BadName::Error,
    };
    file_name::configure(utf8, bad);
    system::configure(facts(run));
    enigma_runtime::dist::connection::set_busy_limit(run.emu.dist_busy_limit as usize);
    enigma_bifs::os::set_environment(run.env.iter().map(|(k, v)| (k.to_vec(), v.to_vec())));
}

/// Switches native code on, unless the interpreter alone is wanted.
fn start_native_tier(run: &Run) {
    let (options, flags) = (&run.options, &run.emu.native);
    let mode = match options.jit {
        _ if run.flavor == b"emu" => NativeMode::Off,
        Jit::Off => NativeMode::Off,
        Jit::On => NativeMode::Tiered(options.jit_threshold.unwrap_or(THRESHOLD)),
        Jit::Always => NativeMode::Always,
    };
    if mode == NativeMode::Off {
        return;
    }
    let folder = flags.perf_directory.as_deref().unwrap_or(b"/tmp");
    let folder = Path::new(OsStr::from_bytes(folder));
    if let Err(why) = perf::enable(flags.perf, folder) {
        eprintln!("enigma: no files for perf in {}: {why}", folder.display());
    }
    let log = options.jit_log.as_deref().and_then(|path| {
        let log = CompileLog::to(path);
        let tell = |why| {
            eprintln!(
                "enigma: no log of compilations in {}: {why}",
                path.display()
            )
        };
        log.map_err(tell).ok()
    });
    let observation = Observation {
        only: options.jit_only.clone(),
        dump: options.jit_dump.clone(),
        log,
        assembly: flags.assembly.then(AssemblyFiles::default),
    };
    let place = match options.sim {
        Some(_) => Where::InPlace,
        None => Where::InThread,
    };
    if let Err(why) = tier::start(mode, place, observation) {
        eprintln!("enigma: code is run by the interpreter alone: {why}");
    }
}

/// What the signals do that a user or the operating system's services send.
fn signals(break_key: BreakKey) {
    os_signal::handle(libc::SIGTERM);
    os_signal::handle(libc::SIGUSR1);
    match break_key {
        BreakKey::Ignore => {
            for number in [libc::SIGINT, libc::SIGQUIT, libc::SIGTSTP] {
                os_signal::ignore(number);
            }
        }
        BreakKey::Menu | BreakKey::Interrupt => {
            break_menu::install();
            os_signal::handle(libc::SIGQUIT);
        }
        BreakKey::Kill => {}
    }
    if break_key == BreakKey::Interrupt {
        break_menu::disable_key();
    }
}

/// What `erlang:system_info/1` tells of the settings.
fn facts(run: &Run) -> Facts {
    let emu = &run.emu;
    let profile = run.install.profile();
    let banner = enigma_otp::profile::BannerFacts {
        erts_vsn: &run.install.erts_vsn,
        schedulers: emu.threads.schedulers,
        schedulers_online: emu.threads.schedulers_online,
        dirty_cpu: emu.threads.dirty_cpu,
        dirty_cpu_online: emu.threads.dirty_cpu_online,
        dirty_io: emu.threads.dirty_io,
        async_threads: emu.threads.async_threads,
        tier: match native::mode() {
            NativeMode::Off => "",
            NativeMode::Tiered(_) | NativeMode::Always => "[jit]",
        },
    };
    Facts {
        otp_release: run.install.release.to_string(),
        erts_version: run.install.erts_vsn.clone(),
        system_version: profile.system_version(&banner),
        emu_args: run.emu_args.clone(),
        init_args: run.init_args.clone(),
        root: run.install.root.clone(),
        preloaded: profile.preloaded.to_vec(),
        static_nifs: profile.static_nifs.to_vec(),
        port_limit: emu.limits.ports,
        ets_limit: emu.limits.ets_tables,
        async_threads: emu.threads.async_threads,
        compat_release: emu.compat_release,
        printable_unicode: emu.printable_unicode,
        warnings_as: match emu.warnings_as {
            WarningsAs::Warning => "warning",
            WarningsAs::Info => "info",
            WarningsAs::Error => "error",
        },
        break_ignored: emu.break_key == BreakKey::Ignore,
        ets_always_compress: emu.ets_compress,
        port_parallelism: emu.port_parallelism,
        cpu_topology: emu.cpu_topology.clone(),
        topology_unread: emu.topology_unread,
        bind_type: emu.bind_type,
        dist_buf_busy_limit: emu.dist_busy_limit,
        max_files: emu.limits.files,
        delayed_node_table_gc: emu.node_table_gc,
        outstanding_system_requests_limit: emu.outstanding_requests,
        halt_flush_timeout: emu.halt_flush_timeout,
    }
}

fn load_preloaded(modules: &[Preloaded]) -> Result<(), BootError> {
    let mut prepared = Vec::with_capacity(modules.len());
    let mut names = Vec::with_capacity(modules.len());
    for m in modules {
        let p = load::prepare(&m.beam).map_err(|e| BootError::Preloaded(m.name, e))?;
        names.push(p.name());
        prepared.push(p.without_lines());
    }
    if install::install(prepared).is_err() {
        enigma_runtime::bug::vm_bug("a preloaded module was loaded before");
    }
    enigma_bifs::erlang::code::set_preloaded(names);
    Ok(())
}

/// Starts the processes that the emulator itself starts, in the order of their pids.
fn first_processes(run: &Run) -> Result<(), BootError> {
    for p in run.install.profile().system_processes {
        let mut heap = Heap::new();
        let args = match p.arguments {
            Arguments::Nothing => Term::NIL,
            Arguments::Boot => {
                let args: Vec<Term> = run.init_args.iter().map(|a| heap.binary(a)).collect();
                let args = heap.list(&args);
                let module = Atom::new(&String::from_utf8_lossy(&run.emu.boot_module));
                heap.list(&[module.into(), args])
            }
        };
        let options = SpawnOptions {
            priority: match p.priority {
                InitialPriority::Normal => state::Priority::Normal,
                InitialPriority::High => state::Priority::High,
                InitialPriority::Max => state::Priority::Max,
            },
            flags: flag::HAS_RESOURCES
                | if p.system { flag::SYSTEM } else { 0 }
                | SpawnOptions::default().flags,
            ..SpawnOptions::default()
        };
        let call = (Atom::new(p.module), Atom::new(p.function), args);
        let id = spawn::spawn(None, call, &options, |_, _| ()).ok_or(BootError::Processes)?;
        if call.0 == Atom::ERTS_LITERAL_AREA_COLLECTOR {
            heap::release::set_collector(move || {
                signal::send_message(id, Atom::COPY_LITERALS.into());
            });
        }
        system::note_first_process(id, p.system);
    }
    Ok(())
}
