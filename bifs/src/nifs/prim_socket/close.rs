//! Closing, by whoever asks and where the owner ends; shutting down a direction; cancelling.

use super::message;
use super::monitor::Monitoring;
use super::settings;
use super::sock::{LifePhase, Sock, SockState, SocketLane, sock, with_open};
use super::terms::{atom, closed, done, raise_invalid, text};
use super::waiting::Cancelled;
use crate::bifs;
use enigma_runtime::atom::Atom;
use enigma_runtime::{BifResult, Ctx, Term, badarg, release};

bifs! { BIFS:
    "prim_socket" {
        "nif_close"/1 Nif => close;
        "nif_finalize_close"/1 NifDirtyIo => finalize_close;
        "nif_shutdown"/2 Nif => shutdown;
        "nif_cancel"/3 Nif => cancel;
    }
}

/// Nobody can use the socket any more: all who wait are told, and so is the registry.
fn begin_close(socket: &Sock, s: &mut SockState) {
    s.phase = LifePhase::Closing;
    settings::count(s.domain, s.kind, s.protocol, -1);
    s.forget();
    let all = s
        .connector
        .take()
        .into_iter()
        .chain(s.acceptors.take())
        .chain(s.writers.take())
        .chain(s.readers.take());
    for w in all {
        message::abort(socket, w.process, w.reference.term(), Atom::CLOSED.into());
    }
    s.drop_owner();
    s.file = None;
    s.marks.accepting = false;
    if s.otp.in_registry
        && let Some(registry) = settings::registry()
    {
        message::registry(socket, registry, "del");
    }
}

/// Where nobody waits in the poller, the descriptor can be closed by `nif_finalize_close` at once.
fn close(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    with_open(cx, a[0], |_, socket, s| {
        begin_close(socket, s);
        Ok(Atom::OK.into())
    })
}

/// Closes the descriptor, and waits for what the option `linger` says.
fn finalize_close(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let socket = sock(a[0])?;
    let mut s = socket.state.lock();
    match s.phase {
        LifePhase::Closed => return Ok(closed(cx)),
        LifePhase::Open => {
            drop(s);
            return Err(raise_invalid(cx, atom("state")));
        }
        LifePhase::Closing => s.phase = LifePhase::Closed,
    }
    let fd = s.take_socket();
    let ours = s.owns_descriptor;
    drop(s);
    let Some(fd) = fd else {
        return Ok(closed(cx));
    };
    if !ours {
        fd.release();
        return Ok(Atom::OK.into());
    }
    // The system waits for the option `linger` also where the descriptor does not block, which others may share.
    let result = fd.close();
    Ok(done(cx, result))
}

impl Monitoring for Sock {
    /// A process ends that owns the socket or waits for it.
    fn process_gone(&self, process: u64) {
        let mut s = self.state.lock();
        if s.phase != LifePhase::Open {
            return;
        }
        if s.owner == Some(process) {
            begin_close(self, &mut s);
            s.phase = LifePhase::Closed;
            let ours = s.owns_descriptor;
            match s.take_socket() {
                Some(fd) if ours => fd.close_at_once(),
                Some(fd) => {
                    fd.release();
                }
                None => {}
            }
            return;
        }
        for lane in [SocketLane::Read, SocketLane::Write, SocketLane::Accept] {
            if s.lane(lane).remove(process) {
                advance(self, &mut s, lane);
            }
        }
        s.connector.take_if(|w| w.process == process);
    }
}

/// The current process is gone from its place.
fn advance(socket: &Sock, s: &mut SockState, lane: SocketLane) {
    if s.lane(lane).advance() {
        socket.go_on(s, lane);
    } else if lane == SocketLane::Accept {
        s.marks.accepting = false;
    }
}

fn shutdown(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let how = match text(a[1]) {
        Some("read") => libc::SHUT_RD,
        Some("write") => libc::SHUT_WR,
        Some("read_write") => libc::SHUT_RDWR,
        _ => {
            sock(a[0])?;
            let what = cx.tuple2(atom("how"), a[1]);
            return Err(raise_invalid(cx, what));
        }
    };
    with_open(cx, a[0], |cx, _, s| {
        let result = s.open_socket().map(|fd| fd.shutdown(how));
        Ok(match result {
            Some(r) => done(cx, r),
            None => closed(cx),
        })
    })
}

fn cancel(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let lane = match text(a[1]) {
        Some("recv" | "recvfrom" | "recvmsg" | "recvmmsg") => Some(SocketLane::Read),
        Some("send" | "sendto" | "sendmsg" | "sendmmsg" | "sendv" | "sendfile") => {
            Some(SocketLane::Write)
        }
        Some("accept") => Some(SocketLane::Accept),
        Some("connect") => None,
        _ => return Err(badarg()),
    };
    if !a[2].is_reference() {
        return Err(badarg());
    }
    with_open(cx, a[0], |cx, socket, s| {
        let me = cx.proc.id;
        let Some(lane) = lane else {
            let is = |w: &mut super::waiting::SocketWaiter| w.process == me && w.has(a[2]);
            return Ok(match s.connector.take_if(is) {
                None if release::number() <= 25 => atom("not_found"),
                None => cx.error(atom("not_found")),
                Some(w) if w.told => atom("select_sent"),
                Some(_) => Atom::OK.into(),
            });
        };
        let found = s.lane(lane).cancel(me, a[2]);
        if found != Cancelled::NotFound && s.lane(lane).is_empty() {
            advance(socket, s, lane);
        }
        Ok(match found {
            Cancelled::Waiting => Atom::OK.into(),
            Cancelled::Told => atom("select_sent"),
            Cancelled::NotFound => atom("not_found"),
        })
    })
}
