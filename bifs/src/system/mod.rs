//! The system as a whole: `system_info`, `system_flag`, `statistics`, `halt`.

pub mod flags;
pub mod halt;
pub mod info;
pub mod load;
pub mod statistics;
pub mod topology;

use enigma_runtime::atom::Atom;
use enigma_runtime::{Exit, Term};
use parking_lot::Mutex;
use std::path::PathBuf;
use std::sync::OnceLock;
use topology::LogicalProcessor;

/// What is fixed when the system starts.
#[derive(Debug, Default)]
#[allow(missing_docs, reason = "the names are those of `erlang:system_info/1`")]
pub struct Facts {
    pub otp_release: String,
    pub erts_version: String,
    pub system_version: String,
    pub emu_args: Vec<Vec<u8>>,
    pub init_args: Vec<Vec<u8>>,
    pub root: PathBuf,
    pub preloaded: Vec<&'static str>,
    pub static_nifs: Vec<&'static str>,
    pub process_limit: u32,
    pub port_limit: u32,
    pub atom_limit: u32,
    pub ets_limit: u32,
    pub async_threads: u32,
    pub compat_release: u32,
    pub printable_unicode: bool,
    pub warnings_as: &'static str,
    pub break_ignored: bool,
    pub ets_always_compress: bool,
    pub port_parallelism: bool,
    pub cpu_topology: Option<Vec<LogicalProcessor>>,
    /// Bytes.
    pub dist_buf_busy_limit: u64,
    /// Seconds, or for ever.
    pub delayed_node_table_gc: Option<u32>,
    pub outstanding_system_requests_limit: u32,
    /// Milliseconds, or no limit.
    pub halt_flush_timeout: Option<u32>,
}

static FACTS: OnceLock<Facts> = OnceLock::new();
static FIRST: Mutex<Vec<(u64, bool)>> = Mutex::new(Vec::new());

/// Sets what is fixed; the first call wins.
pub fn configure(facts: Facts) {
    let _ = FACTS.set(facts);
    flags::configure();
    topology::configure();
}

/// What is fixed.
pub fn facts() -> &'static Facts {
    FACTS.get_or_init(Facts::default)
}

/// Notes a process that the emulator started; the system cannot live without it.
pub fn note_first_process(id: u64, system: bool) {
    FIRST.lock().push((id, system));
}

/// What a process has changed for the time of its life ends with it.
pub fn process_exit(id: u64) {
    enigma_runtime::sched::block::release(id);
    load::release(id);
}

/// Ends the VM if a process that it cannot live without has ended.
pub fn check_vital(id: u64, reason: Term) {
    let vital = FIRST.lock().iter().any(|&(v, _)| v == id);
    if vital {
        let slogan = if id == 0 {
            format!("Kernel pid terminated (init) ({reason})")
        } else {
            format!("System process <0.{id}.0> terminated: {reason}")
        };
        crate::crash_dump::write_aloud(&slogan);
        std::process::exit(1);
    }
}

/// A number as a term.
fn num(n: usize) -> Term {
    Term::small(n as i64)
}

/// A refusal that names what is missing.
pub fn unsupported(what: &str) -> Exit {
    eprintln!("enigma: {what} is not supported yet");
    Exit::error(Atom::NOTSUP)
}
