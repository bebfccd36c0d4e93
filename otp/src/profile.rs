//! What differs between the supported OTP releases, as data.
//!
//! One [`Profile`] per release. Facts of 25, 27 and 29 were read from those releases
//! themselves; 26 and 28 follow their public release notes and the releases around them.
//! Which opcodes, BIFs and port operations a release has is not here: those tables carry
//! their own release columns next to their code.

/// The oldest supported release.
pub const OLDEST: u32 = 25;
/// The newest supported release.
pub const NEWEST: u32 = 29;

/// A priority of a process, as `process_flag(priority, _)` names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InitialPriority {
    /// `normal`
    Normal,
    /// `high`
    High,
    /// `max`
    Max,
}

/// How the runtime system treats a change of the operating system's clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeWarp {
    /// `no_time_warp`: the time offset never changes.
    None,
    /// `single_time_warp`: it changes once.
    Single,
    /// `multi_time_warp`: it may change at any time.
    Multi,
}

/// A process that the emulator itself starts before any code of a user runs. Their
/// identifiers follow the order of the table: `<0.0.0>`, `<0.1.0>` and so on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SystemProcess {
    /// The module of its first function.
    pub module: &'static str,
    /// The function.
    pub function: &'static str,
    /// What it is called with.
    pub arguments: Arguments,
    /// Its priority.
    pub priority: InitialPriority,
    /// The node cannot live without it: its end is a fatal error. (The end of the first
    /// process is one too, told by another message.)
    pub system: bool,
}

/// Arguments of a process that the emulator starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arguments {
    /// `(BootModule, BootArguments)`: the value of `+i` as an atom (`init` by default) and
    /// the list of binaries of the command line.
    Boot,
    /// None.
    Nothing,
}

/// Where the text of a limit exceeded or a default differs, and language semantics that do.
#[derive(Debug, PartialEq, Eq)]
pub struct Profile {
    /// The release: 25 to 29.
    pub release: u32,
    /// The modules in the emulator's own preload, in the order in which they are loaded.
    /// `erlang:pre_loaded/0` returns them in the opposite order.
    pub preloaded: &'static [&'static str],
    /// The modules whose native functions are built in.
    pub static_nifs: &'static [&'static str],
    /// The processes that the emulator starts, in the order of their identifiers.
    pub system_processes: &'static [SystemProcess],
    /// The default of `+P`.
    pub default_process_limit: u32,
    /// The default of `+Q` where the number of open files does not lower it.
    pub default_port_limit: u32,
    /// The default of `+t`.
    pub default_atom_limit: u32,
    /// The time warp mode without `+C`.
    pub default_time_warp: TimeWarp,
    /// The oldest release that `+R` accepts.
    pub oldest_compat: u32,
    /// Whether the `-S` flag of the launcher exists (from 26 on), and with it the `--`
    /// that the launcher puts after the command line.
    pub launcher_runs_scripts: bool,
    /// `erlang:system_info(otp_release)`
    pub otp_release: &'static str,
}

impl Profile {
    /// The first line that the shell prints and `erlang:system_info(system_version)`
    /// returns, as a string that ends in a newline:
    /// `Erlang/OTP 27 [erts-15.2.7] [source] [64-bit] [smp:4:4] [ds:4:4:10] [async-threads:1]`.
    ///
    /// BEAM adds `[jit:ns]` where its code generator is active; `tier` is that part, with
    /// its brackets, or empty.
    pub fn system_version(&self, facts: &BannerFacts<'_>) -> String {
        format!(
            "Erlang/OTP {} [erts-{}] [source] [64-bit] [smp:{}:{}] [ds:{}:{}:{}] \
             [async-threads:{}]{}{}\n",
            self.otp_release,
            facts.erts_vsn,
            facts.schedulers,
            facts.schedulers_online,
            facts.dirty_cpu,
            facts.dirty_cpu_online,
            facts.dirty_io,
            facts.async_threads,
            if facts.tier.is_empty() { "" } else { " " },
            facts.tier,
        )
    }
}

/// What the banner tells about a running system.
#[derive(Debug, Clone, Copy)]
pub struct BannerFacts<'a> {
    /// The version of the runtime system.
    pub erts_vsn: &'a str,
    /// Scheduler threads.
    pub schedulers: u32,
    /// Scheduler threads online.
    pub schedulers_online: u32,
    /// Dirty CPU schedulers.
    pub dirty_cpu: u32,
    /// Dirty CPU schedulers online.
    pub dirty_cpu_online: u32,
    /// Dirty I/O schedulers.
    pub dirty_io: u32,
    /// Threads of the asynchronous pool.
    pub async_threads: u32,
    /// The part about the native tier, such as `[jit]`, or nothing.
    pub tier: &'a str,
}

/// The profile of a release, when it is supported.
pub fn get(release: u32) -> Option<&'static Profile> {
    PROFILES.iter().find(|profile| profile.release == release)
}

/// The preload up to 26: without the trace cleaner.
const PRELOADED_25: &[&str] = &[
    "erts_code_purger",
    "erl_init",
    "init",
    "prim_buffer",
    "prim_eval",
    "prim_inet",
    "prim_file",
    "zlib",
    "socket_registry",
    "prim_socket",
    "prim_net",
    "prim_zip",
    "erl_prim_loader",
    "erlang",
    "erts_internal",
    "erl_tracer",
    "erts_literal_area_collector",
    "erts_dirty_process_signal_handler",
    "atomics",
    "counters",
    "persistent_term",
];

/// The preload from 27 on: trace sessions brought a process of their own.
const PRELOADED_27: &[&str] = &[
    "erts_code_purger",
    "erl_init",
    "init",
    "prim_buffer",
    "prim_eval",
    "prim_inet",
    "prim_file",
    "zlib",
    "socket_registry",
    "prim_socket",
    "prim_net",
    "prim_zip",
    "erl_prim_loader",
    "erlang",
    "erts_internal",
    "erl_tracer",
    "erts_literal_area_collector",
    "erts_trace_cleaner",
    "erts_dirty_process_signal_handler",
    "atomics",
    "counters",
    "persistent_term",
];

/// All that there are in some release, in the order in which they came: `prim_tty` with 26, `zstd` (in stdlib) with 28.
const STATIC_NIFS: &[&str] = &[
    "erl_tracer",
    "prim_buffer",
    "prim_file",
    "zlib",
    "prim_socket",
    "prim_net",
    "prim_tty",
    "zstd",
];

const FIRST: SystemProcess = SystemProcess {
    module: "erl_init",
    function: "start",
    arguments: Arguments::Boot,
    priority: InitialPriority::Normal,
    system: false,
};

const fn system(module: &'static str, priority: InitialPriority) -> SystemProcess {
    SystemProcess {
        module,
        function: "start",
        arguments: Arguments::Nothing,
        priority,
        system: true,
    }
}

const PROCESSES_25: &[SystemProcess] = &[
    FIRST,
    system("erts_code_purger", InitialPriority::High),
    system("erts_literal_area_collector", InitialPriority::High),
    system("erts_dirty_process_signal_handler", InitialPriority::Normal),
    system("erts_dirty_process_signal_handler", InitialPriority::High),
    system("erts_dirty_process_signal_handler", InitialPriority::Max),
];

const PROCESSES_27: &[SystemProcess] = &[
    FIRST,
    system("erts_code_purger", InitialPriority::High),
    system("erts_literal_area_collector", InitialPriority::High),
    system("erts_dirty_process_signal_handler", InitialPriority::Normal),
    system("erts_dirty_process_signal_handler", InitialPriority::High),
    system("erts_dirty_process_signal_handler", InitialPriority::Max),
    system("erts_trace_cleaner", InitialPriority::Normal),
];

/// Each release as a change of the one before it.
const PROFILES: &[Profile] = &[P25, P26, P27, P28, P29];

const P25: Profile = Profile {
    release: 25,
    preloaded: PRELOADED_25,
    static_nifs: STATIC_NIFS.split_at(6).0,
    system_processes: PROCESSES_25,
    default_process_limit: 1 << 18,
    default_port_limit: 1 << 16,
    default_atom_limit: 1 << 20,
    default_time_warp: TimeWarp::None,
    oldest_compat: 23,
    launcher_runs_scripts: false,
    otp_release: "25",
};

const P26: Profile = Profile {
    release: 26,
    static_nifs: STATIC_NIFS.split_at(7).0,
    default_process_limit: 1 << 20,
    default_time_warp: TimeWarp::Multi,
    oldest_compat: 24,
    launcher_runs_scripts: true,
    otp_release: "26",
    ..P25
};

const P27: Profile = Profile {
    release: 27,
    preloaded: PRELOADED_27,
    system_processes: PROCESSES_27,
    oldest_compat: 25,
    otp_release: "27",
    ..P26
};

const P28: Profile = Profile {
    release: 28,
    static_nifs: STATIC_NIFS,
    oldest_compat: 26,
    otp_release: "28",
    ..P27
};

const P29: Profile = Profile {
    release: 29,
    oldest_compat: 27,
    otp_release: "29",
    ..P28
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_supported_release_has_a_consistent_profile() {
        for release in OLDEST..=NEWEST {
            let profile = get(release).expect("a profile");
            assert_eq!(profile.otp_release, release.to_string());
            assert_eq!(profile.oldest_compat, release - 2);
            for process in profile.system_processes {
                assert!(
                    profile.preloaded.contains(&process.module),
                    "{}",
                    process.module
                );
            }
        }
        assert!(get(OLDEST - 1).is_none() && get(NEWEST + 1).is_none());
    }

    #[test]
    fn the_banner_reads_as_on_beam() {
        let facts = BannerFacts {
            erts_vsn: "13.1.5",
            schedulers: 2,
            schedulers_online: 2,
            dirty_cpu: 2,
            dirty_cpu_online: 2,
            dirty_io: 10,
            async_threads: 1,
            tier: "[jit:ns]",
        };
        let banner = get(25).expect("25").system_version(&facts);
        assert_eq!(
            banner,
            "Erlang/OTP 25 [erts-13.1.5] [source] [64-bit] [smp:2:2] [ds:2:2:10] \
             [async-threads:1] [jit:ns]\n"
        );
        let plain = get(25)
            .expect("25")
            .system_version(&BannerFacts { tier: "", ..facts });
        assert!(plain.ends_with("[async-threads:1]\n"));
    }
}
