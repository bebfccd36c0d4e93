//! What is fixed when the system starts.

use super::binding::BindType;
use super::processor::LogicalProcessor;
use enigma_runtime::atom::Atom;
use enigma_runtime::{Exit, Term};
use std::path::PathBuf;
use std::sync::OnceLock;

/// See the module's text.
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
    pub port_limit: u32,
    pub ets_limit: u32,
    pub async_threads: u32,
    pub compat_release: u32,
    pub printable_unicode: bool,
    pub warnings_as: &'static str,
    pub break_ignored: bool,
    pub ets_always_compress: bool,
    pub port_parallelism: bool,
    pub cpu_topology: Option<Vec<LogicalProcessor>>,
    /// The system is not asked for the topology.
    pub topology_unread: bool,
    pub bind_type: BindType,
    /// Bytes.
    pub dist_buf_busy_limit: u64,
    /// How many descriptors may be open.
    pub max_files: u32,
    /// Seconds, or for ever.
    pub delayed_node_table_gc: Option<u32>,
    pub outstanding_system_requests_limit: u32,
    /// Milliseconds, or no limit.
    pub halt_flush_timeout: Option<u32>,
}

static FACTS: OnceLock<Facts> = OnceLock::new();

/// Sets what is fixed; the first call wins.
pub fn set(facts: Facts) {
    let _ = FACTS.set(facts);
}

/// What is fixed.
pub fn facts() -> &'static Facts {
    FACTS.get_or_init(Facts::default)
}

/// A number as a term.
pub fn num(n: usize) -> Term {
    Term::small(n as i64)
}

/// A refusal that names what is missing.
pub fn unsupported(what: &str) -> Exit {
    eprintln!("enigma: {what} is not supported yet");
    Exit::error(Atom::NOTSUP)
}
