//! `halt/2`: the end of the VM that Erlang code asks for.

use super::facts::facts;
use crate::{args, bifs};
use enigma_runtime::atom::Atom;
use enigma_runtime::data::bignum;
use enigma_runtime::dist::nodes;
use enigma_runtime::term::list;
use enigma_runtime::{BifResult, Ctx, Exit, Term, badarg, release};
use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::{OnceLock, mpsc};
use std::time::{Duration, Instant};

bifs! { BIFS:
    "erlang" {
        "halt"/2 Call => halt;
    }
}

static STATUS: AtomicI32 = AtomicI32::new(0);

/// The status that `halt` was given.
pub fn exit_status() -> i32 {
    STATUS.load(Ordering::Relaxed)
}

/// The status when what processes have written cannot be flushed in time.
const FLUSH_TIMED_OUT: i32 = 255;

/// `halt(Status, Options)`: a number, a slogan for a crash dump, or `abort`.
fn halt(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let mut flush = true;
    let mut timeout = facts().halt_flush_timeout;
    for o in list::to_vec(a[1]).ok_or_else(badarg)? {
        match o.as_tuple_n::<2>() {
            Some(&[k, v]) if k.as_atom() == Some(Atom::FLUSH) => flush = args::boolean(v)?,
            Some(&[k, v])
                if k.as_atom() == Some(Atom::new("flush_timeout")) && release::number() >= 27 =>
            {
                if v.as_atom() != Some(Atom::INFINITY) {
                    let n = v.as_usize().filter(|&n| n <= i32::MAX as usize);
                    let n = n.ok_or_else(badarg)? as u32;
                    timeout = Some(timeout.map_or(n, |t| t.min(n)));
                }
            }
            _ => return Err(Exit::error_cause(Atom::BADARG, Atom::BADOPT)),
        }
    }
    let status = match a[0].as_atom().map(Atom::text) {
        Some("abort") => {
            crate::terminal::initial::restore();
            std::process::abort()
        }
        Some(_) => return Err(badarg()),
        None => match low_byte(a[0]) {
            Some(n) => n,
            None => {
                let slogan = slogan(a[0]).ok_or_else(badarg)?;
                crate::crash_dump::write_aloud_by(cx, &slogan);
                1
            }
        },
    };
    let in_time = !flush || libraries_ended(timeout) && flushed(timeout);
    let status = if in_time { status } else { FLUSH_TIMED_OUT };
    STATUS.store(status, Ordering::Relaxed);
    std::process::exit(status);
}

/// Most characters of a slogan.
const SLOGAN: usize = 1023;

/// The slogan in a list of characters: as many as there is room for, of which what follows a zero is not told.
fn slogan(t: Term) -> Option<String> {
    let mut characters = list::iter(t);
    let mut slogan = String::new();
    for c in characters.by_ref().take(SLOGAN) {
        slogan.push(char::from_u32(u32::try_from(c.as_small()?).ok()?)?);
    }
    let is_cut = characters.next().is_some();
    if !is_cut && !characters.tail().is_nil() {
        return None;
    }
    slogan.truncate(slogan.find('\0').unwrap_or(slogan.len()));
    Some(slogan)
}

/// The part of a status, which is not negative, that the operating system takes.
fn low_byte(t: Term) -> Option<i32> {
    if !t.is_integer() {
        return None;
    }
    let mut small = [0];
    let (negative, limbs) = bignum::limbs(t, &mut small);
    let low = limbs.first().copied().unwrap_or(0);
    (!negative).then_some((low & 0xff) as i32)
}

/// What native libraries have to do at a halt, until some time at most; was there enough?
pub type HaltLibraries = fn(Option<Instant>) -> bool;

static LIBRARIES: OnceLock<HaltLibraries> = OnceLock::new();

/// Says what native libraries have to do at a halt; the first call wins.
pub fn set_halting(halt: HaltLibraries) {
    let _ = LIBRARIES.set(halt);
}

/// Lets native libraries end what they do, at most so many milliseconds. Was it in time?
fn libraries_ended(timeout: Option<u32>) -> bool {
    let end = timeout.map(|ms| Instant::now() + Duration::from_millis(u64::from(ms)));
    LIBRARIES.get().is_none_or(|halt| halt(end))
}

/// Waits until what processes have written is out, at most so many milliseconds. Was it in time?
fn flushed(timeout: Option<u32>) -> bool {
    for c in nodes::connections() {
        c.flush();
    }
    let Some(ms) = timeout else {
        crate::ports::flush_all();
        return true;
    };
    let (done, wait) = mpsc::channel();
    let flushing = std::thread::Builder::new().spawn(move || {
        crate::ports::flush_all();
        // Nobody listens any more when it came too late.
        let _ = done.send(());
    });
    flushing.is_ok()
        && wait
            .recv_timeout(Duration::from_millis(u64::from(ms)))
            .is_ok()
}
