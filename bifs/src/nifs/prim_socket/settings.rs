//! What holds for all sockets: settings that `prim_socket` hands over when it loads, and how many sockets there are.

use super::terms::{boolean_field, field};
use enigma_runtime::Term;
use parking_lot::Mutex;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};

/// Packed pid of the process that keeps a list of sockets; 0 for none.
static REGISTRY: AtomicU64 = AtomicU64::new(0);
static USE_REGISTRY: AtomicBool = AtomicBool::new(true);
static DEBUG: AtomicBool = AtomicBool::new(false);
static SOCKET_DEBUG: AtomicBool = AtomicBool::new(false);
static COUNTER_WRAPS: AtomicBool = AtomicBool::new(false);

/// Sockets that are open, by what they are.
#[derive(Default)]
pub struct Population {
    /// All.
    pub all: AtomicI64,
    /// By family: IPv4, IPv6, local.
    pub families: [AtomicI64; 3],
    /// By kind: stream, datagrams, packets in sequence.
    pub kinds: [AtomicI64; 3],
    /// By protocol: IP, SCTP, TCP, UDP.
    pub protocols: [AtomicI64; 4],
}

/// See there.
pub static POPULATION: Population = Population {
    all: AtomicI64::new(0),
    families: [const { AtomicI64::new(0) }; 3],
    kinds: [const { AtomicI64::new(0) }; 3],
    protocols: [const { AtomicI64::new(0) }; 4],
};

/// Counts sockets in, or out.
pub fn count(domain: i32, kind: i32, protocol: i32, by: i64) {
    let p = &POPULATION;
    let add = |c: &AtomicI64| {
        c.fetch_add(by, Ordering::Relaxed);
    };
    add(&p.all);
    match domain {
        libc::AF_INET => add(&p.families[0]),
        libc::AF_INET6 => add(&p.families[1]),
        libc::AF_UNIX => add(&p.families[2]),
        _ => {}
    }
    match kind {
        libc::SOCK_STREAM => add(&p.kinds[0]),
        libc::SOCK_DGRAM => add(&p.kinds[1]),
        libc::SOCK_SEQPACKET => add(&p.kinds[2]),
        _ => {}
    }
    match protocol {
        libc::IPPROTO_IP => add(&p.protocols[0]),
        libc::IPPROTO_SCTP => add(&p.protocols[1]),
        libc::IPPROTO_TCP => add(&p.protocols[2]),
        libc::IPPROTO_UDP => add(&p.protocols[3]),
        _ => {}
    }
}

/// The argument of `load_nif`: the registry's pid, and settings from the environment.
pub fn load(info: Term) {
    static ONCE: Mutex<()> = Mutex::new(());
    let _one = ONCE.lock();
    if let Some(pid) = field(info, "registry").and_then(Term::as_local_pid) {
        REGISTRY.store(pid, Ordering::Relaxed);
    }
    if let Some(on) = boolean_field(info, "use_registry") {
        USE_REGISTRY.store(on, Ordering::Relaxed);
    }
    if let Some(on) = boolean_field(info, "debug") {
        DEBUG.store(on, Ordering::Relaxed);
    }
    if let Some(on) = boolean_field(info, "socket_debug") {
        SOCKET_DEBUG.store(on, Ordering::Relaxed);
    }
    if let Some(on) = boolean_field(info, "iow") {
        COUNTER_WRAPS.store(on, Ordering::Relaxed);
    }
}

/// The registry's pid.
pub fn registry() -> Option<u64> {
    Some(REGISTRY.load(Ordering::Relaxed)).filter(|&p| p != 0)
}

/// Are new sockets put into the registry?
pub fn use_registry() -> bool {
    USE_REGISTRY.load(Ordering::Relaxed)
}

/// Says whether new sockets are put into the registry.
pub fn set_use_registry(on: bool) {
    USE_REGISTRY.store(on, Ordering::Relaxed);
}

/// Is the library as a whole being debugged?
pub fn debug() -> bool {
    DEBUG.load(Ordering::Relaxed)
}

/// See `debug`.
pub fn set_debug(on: bool) {
    DEBUG.store(on, Ordering::Relaxed);
}

/// Are new sockets debugged?
pub fn socket_debug() -> bool {
    SOCKET_DEBUG.load(Ordering::Relaxed)
}

/// See `socket_debug`.
pub fn set_socket_debug(on: bool) {
    SOCKET_DEBUG.store(on, Ordering::Relaxed);
}

/// Do owners of new sockets hear of counters that begin anew?
pub fn counter_wraps() -> bool {
    COUNTER_WRAPS.load(Ordering::Relaxed)
}
