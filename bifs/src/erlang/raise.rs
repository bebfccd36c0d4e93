//! Exceptions made by calls: `error`, `exit`, `throw`, `raise`, `nif_error`.

use crate::bifs;
use enigma_runtime::atom::Atom;
use enigma_runtime::bif::{Class, TraceArg};
use enigma_runtime::data::map;
use enigma_runtime::interp::exception;
use enigma_runtime::term::list;
use enigma_runtime::{BifResult, Ctx, Exit, Term};

bifs! { BIFS:
    "erlang" {
        "error"/1 Call => error1;
        "error"/2 Call => error2;
        "error"/3 Call => error3;
        "exit"/1 Call => exit1;
        "throw"/1 Call => throw1;
        "raise"/3 Call => raise;
        "nif_error"/1 Call => nif_error;
        "nif_error"/2 Call => nif_error;
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

/// The arguments that `error/2` was given, shown as they are; anything but a list, proper or not, means none.
fn given(args: Term) -> Term {
    if args.is_nil() || args.is_cons() {
        args
    } else {
        Term::NONVALUE
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

/// Unlike those of `error`, its own call begins the trace.
fn nif_error(_: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    Err(Exit::error(a[0]))
}

fn exit1(_: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    Err(Exit::exit(a[0]))
}

fn throw1(_: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    Err(Exit::throw(a[0]))
}

/// An entry of a stack trace that `erlang:raise/3` was given.
enum Entry {
    /// It says where.
    Full,
    /// It does not: `{Fun, Args}` or `{Module, Function, Arguments}`.
    Bare,
}

fn entry(t: Term) -> Option<Entry> {
    let (entry, place) = match *t.as_tuple()? {
        [f, _] if f.is_function() => (Entry::Bare, Term::NIL),
        [f, _, place] if f.is_function() => (Entry::Full, place),
        [m, f, _] if m.is_atom() && f.is_atom() => (Entry::Bare, Term::NIL),
        [m, f, _, place] if m.is_atom() && f.is_atom() => (Entry::Full, place),
        _ => return None,
    };
    place.is_list().then_some(entry)
}

/// The stack trace that becomes of one that was given: as long as stack traces may be, and every entry says
/// where, if only with an empty list. Nothing if it is none.
fn given_trace(cx: &mut Ctx<'_>, t: Term) -> Option<Term> {
    let mut items = list::to_vec(t)?;
    let mut bare = false;
    for &item in &items {
        bare |= matches!(entry(item)?, Entry::Bare);
    }
    let most = exception::trace_length();
    if !bare && items.len() <= most {
        return Some(t);
    }
    items.truncate(most);
    for item in &mut items {
        if matches!(entry(*item), Some(Entry::Bare)) {
            let mut parts = item.as_tuple()?.to_vec();
            parts.push(Term::NIL);
            *item = cx.heap().tuple(&parts);
        }
    }
    Some(cx.heap().list(&items))
}

fn raise(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let class = a[0].as_atom().and_then(Class::from_atom);
    let given = class.and_then(|class| Some((class, given_trace(cx, a[2])?)));
    match given {
        Some((class, trace)) => Err(Exit::RaiseWith {
            class,
            reason: a[1],
            trace: TraceArg::Trace(trace),
        }),
        None => Ok(Atom::BADARG.into()),
    }
}
