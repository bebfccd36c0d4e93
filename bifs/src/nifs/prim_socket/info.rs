//! What is known of sockets, and commands that concern all of them.

use super::address;
use super::settings::{self, POPULATION};
use super::sock::{LifePhase, Marks, SockState, sock};
use super::terms::{atom, field, map_of, text};
use crate::bifs;
use crate::ports::inet::sys::MAX_PARTS;
use enigma_runtime::atom::Atom;
use enigma_runtime::{BifResult, Ctx, Heap, Term, badarg, release};
use std::sync::atomic::{AtomicI64, Ordering};

bifs! { BIFS:
    "prim_socket" {
        "nif_info"/0 Nif => info;
        "nif_info"/1 Nif => socket_info;
        "nif_command"/1 Nif => command;
    }
}

/// All counters have so many bits.
const COUNTER_BITS: i64 = 64;

fn info(cx: &mut Ctx<'_>, _: &[Term]) -> BifResult {
    let p = &POPULATION;
    let n = |c: &AtomicI64| Term::small(c.load(Ordering::Relaxed).max(0));
    let h = cx.heap();
    let counters = map_of(
        h,
        &[
            ("num_cnt_bits", Term::small(COUNTER_BITS)),
            ("num_sockets", n(&p.all)),
            ("num_dinet", n(&p.families[0])),
            ("num_dinet6", n(&p.families[1])),
            ("num_dlocal", n(&p.families[2])),
            ("num_tstreams", n(&p.kinds[0])),
            ("num_tdgrams", n(&p.kinds[1])),
            ("num_tseqpkgs", n(&p.kinds[2])),
            ("num_pip", n(&p.protocols[0])),
            ("num_psctp", n(&p.protocols[1])),
            ("num_ptcp", n(&p.protocols[2])),
            ("num_pudp", n(&p.protocols[3])),
        ],
    );
    let mut pairs = vec![
        ("counters", counters),
        ("debug", settings::debug().into()),
        ("socket_debug", settings::socket_debug().into()),
        ("use_registry", settings::use_registry().into()),
        ("iow", settings::counter_wraps().into()),
        ("iov_max", Term::small(MAX_PARTS as i64)),
    ];
    if release::number() >= 26 {
        let mut backend = vec![("name", atom("unix_essio"))];
        if release::number() >= 29 {
            let names = [
                "bindx",
                "connectx",
                "peeloff",
                "getladdrs",
                "freeladdrs",
                "getpaddrs",
                "freepaddrs",
            ];
            let none: Vec<(&str, Term)> = names.iter().map(|&n| (n, false.into())).collect();
            backend.push(("sctp", map_of(h, &none)));
        }
        pairs.push(("io_backend", map_of(h, &backend)));
        pairs.push(("eei", true.into()));
    }
    Ok(map_of(h, &pairs))
}

fn counters(h: &mut Heap, s: &SockState) -> Term {
    let c = &s.counters;
    let mut pairs = vec![
        ("read_pkg", c.read_packets),
        ("read_pkg_max", c.read_max),
        ("read_byte", c.read_bytes),
        ("read_tries", c.read_tries),
        ("read_waits", 0),
        ("read_fails", c.read_fails),
        ("write_pkg", c.write_packets),
        ("write_pkg_max", c.write_max),
        ("write_byte", c.write_bytes),
        ("write_tries", c.write_tries),
        ("write_waits", c.write_waits),
        ("write_fails", c.write_fails),
        ("acc_success", c.accept_success),
        ("acc_fails", c.accept_fails),
        ("acc_tries", c.accept_tries),
        ("acc_waits", 0),
    ];
    if c.sendfiles > 0 {
        pairs.extend([
            ("sendfile", c.sendfiles),
            ("sendfile_pkg", c.sendfile_packets),
            ("sendfile_byte", c.sendfile_bytes),
            ("sendfile_pkg_max", c.sendfile_max),
            ("sendfile_max", c.sendfile_max),
            ("sendfile_tries", c.sendfile_tries),
            ("sendfile_waits", c.sendfile_waits),
            ("sendfile_fails", c.sendfile_fails),
        ]);
    }
    let pairs: Vec<(&str, Term)> = pairs.into_iter().map(|(k, n)| (k, h.uint(n))).collect();
    map_of(h, &pairs)
}

fn states(h: &mut Heap, all: &[(&str, bool)]) -> Term {
    let names: Vec<Term> = all.iter().filter(|s| s.1).map(|s| atom(s.0)).collect();
    h.list(&names)
}

/// The names of what has happened to the side that reads, and to the one that writes.
fn both_states(h: &mut Heap, m: Marks, phase: LifePhase) -> (Term, Term) {
    let closing = phase >= LifePhase::Closing;
    let closed = phase == LifePhase::Closed;
    let read = states(
        h,
        &[
            ("bound", m.bound),
            ("listening", m.listening),
            ("accepting", m.accepting),
            ("selected", m.selected_read),
            ("closing", closing),
            ("closed", closed),
        ],
    );
    let write = states(
        h,
        &[
            ("connected", m.connected),
            ("selected", m.selected_write),
            ("closing", closing),
            ("closed", closed),
        ],
    );
    (read, write)
}

fn socket_info(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let socket = sock(a[0])?;
    let s = socket.state.lock();
    let h = cx.heap();
    let (read, write) = both_states(h, s.marks, s.phase);
    let n = |n: usize| Term::small(n as i64);
    let ctype = match s.original {
        None => atom("normal"),
        Some(fd) if s.owns_descriptor => h.tuple(&[atom("fromfd"), Term::small(i64::from(fd))]),
        Some(_) => atom("fromfd"),
    };
    let domain = address::domain_term(h, s.domain);
    let kind = address::kind_term(h, s.kind);
    let counters = counters(h, &s);
    let owner = s.owner.map_or(Atom::UNDEFINED.into(), Term::local_pid);
    Ok(map_of(
        h,
        &[
            ("domain", domain),
            ("type", kind),
            ("protocol", Term::small(i64::from(s.protocol))),
            ("owner", owner),
            ("ctype", ctype),
            ("rstates", read),
            ("wstates", write),
            ("counters", counters),
            ("num_readers", n(s.readers.len())),
            ("num_writers", n(s.writers.len())),
            ("num_acceptors", n(s.acceptors.len())),
        ],
    ))
}

/// `nif_command(#{command => debug | socket_debug | use_registry, data => boolean()})`.
fn command(_: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let name = field(a[0], "command").and_then(text).ok_or_else(badarg)?;
    let on = field(a[0], "data")
        .and_then(Term::as_bool)
        .ok_or_else(badarg)?;
    match name {
        "debug" => settings::set_debug(on),
        "socket_debug" => settings::set_socket_debug(on),
        "use_registry" => settings::set_use_registry(on),
        _ => return Err(badarg()),
    }
    Ok(Atom::OK.into())
}
