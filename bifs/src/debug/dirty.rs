//! `erts_debug:dirty_cpu/2`, `dirty_io/2` and `dirty/3`: calls that do something simple in a pool, for tests
//! of what happens around a process that is there.

use crate::bifs;
use crate::erlang::message;
use enigma_runtime::atom::Atom;
use enigma_runtime::code::export::{self, Export};
use enigma_runtime::dirty::{self as pool, Pool};
use enigma_runtime::heap::copy;
use enigma_runtime::{BifResult, Ctx, Exit, Term, badarg};
use std::time::{Duration, Instant};

bifs! { BIFS:
    "erts_debug" {
        "dirty_cpu"/2 DirtyCpu => dirty_cpu;
        "dirty_io"/2 DirtyIo => dirty_io;
        "dirty"/3 Call => dirty;
    }
}

fn dirty_cpu(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    perform(cx, Some(Pool::Cpu), a[0], a[1])
}

fn dirty_io(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    perform(cx, Some(Pool::Io), a[0], a[1])
}

fn dirty(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let place = match a[0].as_atom().map(Atom::text) {
        Some("normal") => return perform(cx, None, a[1], a[2]),
        Some("dirty_cpu") => Pool::Cpu,
        Some("dirty_io") => Pool::Io,
        _ => return Err(badarg()),
    };
    let there = function(Some(place)).bif().ok_or_else(badarg)?;
    // What goes wrong there is told as an error of this call.
    pool::call(cx, place, there, &a[1..]).unwrap_or(Err(Exit::Wait))
}

/// The function that does something in this place; none is a scheduler.
fn function(place: Option<Pool>) -> &'static Export {
    let (name, arity) = match place {
        Some(Pool::Cpu) => ("dirty_cpu", 2),
        Some(Pool::Io) => ("dirty_io", 2),
        None => ("dirty", 3),
    };
    export::get(Atom::new("erts_debug"), Atom::new(name), arity)
}

/// Calls the function for this place.
fn go_to(cx: &mut Ctx<'_>, place: Option<Pool>, what: Term, arg: Term) -> BifResult {
    match place {
        Some(_) => cx.trap(function(place), &[what, arg]),
        None => cx.trap(function(None), &[Atom::NORMAL.into(), what, arg]),
    }
}

fn perform(cx: &mut Ctx<'_>, place: Option<Pool>, what: Term, arg: Term) -> BifResult {
    match what.as_atom().map(Atom::text) {
        Some("scheduler") if arg.as_atom() == Some(Atom::TYPE) => Ok(Atom::new(match place {
            None => "normal",
            Some(Pool::Cpu) => "dirty_cpu",
            Some(Pool::Io) => "dirty_io",
        })
        .into()),
        Some("error") => Err(match arg.as_atom().map(Atom::text) {
            Some("notsup" | "undef" | "badarith" | "noproc" | "system_limit") => Exit::error(arg),
            _ => badarg(),
        }),
        Some("copy") => {
            let copies: Vec<Term> = (0..1000)
                .map(|_| copy::copy_whole(arg, cx.heap()))
                .collect();
            Ok(cx.heap().list(&copies))
        }
        Some("send") => {
            tell(cx, arg, "ok")?;
            Ok(Atom::OK.into())
        }
        Some("wait") => {
            let ms = arg.as_usize().ok_or_else(badarg)? as u64;
            wait(Duration::from_millis(ms), place == Some(Pool::Cpu));
            Ok(Atom::OK.into())
        }
        Some("reschedule") => {
            let n = arg.as_usize().ok_or_else(badarg)?;
            match n {
                0 => return Ok(Atom::OK.into()),
                1 => return Err(badarg()),
                _ => {}
            }
            let next = match (n % 4, place) {
                (0, Some(Pool::Cpu)) => Some(Pool::Io),
                (0, Some(Pool::Io)) => None,
                (0, None) => Some(Pool::Cpu),
                _ => place,
            };
            go_to(cx, next, what, Term::small(n as i64 - 2))
        }
        Some("ready_wait6_done") => {
            tell(cx, arg, "ready")?;
            wait(Duration::from_secs(6), false);
            tell(cx, arg, "done")?;
            Ok(Atom::OK.into())
        }
        Some("alive_waitexiting") => {
            tell(cx, arg, "alive")?;
            while pool::is_alive(cx.proc.id) {
                std::thread::sleep(Duration::from_millis(10));
            }
            wait(Duration::from_secs(1), false);
            Ok(Atom::OK.into())
        }
        _ => Err(badarg()),
    }
}

/// Sends `{What, self()}`.
fn tell(cx: &mut Ctx<'_>, to: Term, what: &str) -> Result<(), Exit> {
    let me = cx.self_pid();
    let m = cx.tuple2(Atom::new(what), me);
    message::send(cx, to, m)
}

/// Lets time pass, by computing or by sleeping.
fn wait(time: Duration, busy: bool) {
    if !busy {
        return std::thread::sleep(time);
    }
    let start = Instant::now();
    while start.elapsed() < time {
        std::hint::spin_loop();
    }
}
