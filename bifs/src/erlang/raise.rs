//! Exceptions made by calls: `error`, `exit`, `throw`, `raise`, `nif_error`.

use crate::bifs;
use enigma_runtime::atom::Atom;
use enigma_runtime::bif::{Class, TraceArg};
use enigma_runtime::term::{list, map};
use enigma_runtime::{BifResult, Ctx, Exit, Term};

bifs! { BIFS:
    "erlang" {
        "error"/1 Call => error1;
        "error"/2 Call => error2;
        "error"/3 Call => error3;
        "exit"/1 Call => exit1;
        "throw"/1 Call => throw1;
        "raise"/3 Call => raise;
        "nif_error"/1 Call => error1;
        "nif_error"/2 Call => error2;
    }
}

fn with_args(reason: Term, args: Term, info: Term) -> BifResult {
    Err(Exit::RaiseWith {
        class: Class::Error,
        reason,
        trace: TraceArg::Args(args, info),
    })
}

fn error1(_: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    with_args(a[0], Term::NONVALUE, Term::NIL)
}

/// The arguments that `error/2` was given; anything but a list means none.
fn given(args: Term) -> Term {
    if args.as_atom() == Some(Atom::NONE) || list::length(args).is_none() {
        Term::NONVALUE
    } else {
        args
    }
}

fn error2(_: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    with_args(a[0], given(a[1]), Term::NIL)
}

fn error3(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let mut info = Term::NIL;
    for o in list::to_vec(a[2]).unwrap_or_default() {
        match o.as_tuple_n::<2>() {
            Some(&[key, m]) if key.as_atom() == Some(Atom::ERROR_INFO) && m.is_map() => {
                let keys = [Atom::MODULE, Atom::FUNCTION];
                if keys
                    .iter()
                    .all(|&k| map::get(m, k.into()).is_none_or(Term::is_atom))
                {
                    info = cx.heap().list(&[o]);
                    continue;
                }
            }
            _ => {}
        }
        // Options that are none of these are passed over, as on BEAM: the error itself counts.
    }
    with_args(a[0], given(a[1]), info)
}

fn exit1(_: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    Err(Exit::exit(a[0]))
}

fn throw1(_: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    Err(Exit::throw(a[0]))
}

/// Is this a stack trace as `erlang:raise/3` accepts it?
fn is_trace(t: Term) -> bool {
    let mut it = list::iter(t);
    let entries = it.by_ref().all(|e| match e.as_tuple() {
        Some([m, f, a]) => is_call(*m, *f, *a) || (m.is_function() && list::length(*f).is_some()),
        Some([m, f, a, l]) => is_call(*m, *f, *a) && is_location(*l),
        Some([f, args]) => f.is_function() && list::length(*args).is_some(),
        _ => false,
    });
    entries && it.tail().is_nil()
}

fn is_call(m: Term, f: Term, a: Term) -> bool {
    m.is_atom()
        && f.is_atom()
        && (list::length(a).is_some() || a.as_usize().is_some_and(|n| n <= 255))
}

fn is_location(l: Term) -> bool {
    list::to_vec(l).is_some_and(|l| l.iter().all(|e| e.as_tuple_n::<2>().is_some()))
}

fn raise(_: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let class = a[0].as_atom().and_then(Class::from_atom);
    match class {
        Some(class) if is_trace(a[2]) => Err(Exit::RaiseWith {
            class,
            reason: a[1],
            trace: TraceArg::Trace(a[2]),
        }),
        _ => Ok(Atom::BADARG.into()),
    }
}
