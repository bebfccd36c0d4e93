//! Exceptions: raising, handlers, and what correct code never does.

use crate::atom::Atom;
use crate::bif::Class;
use crate::code::forms::{catch, catch_end, plain, raise, source};
use crate::interp::calls;
use crate::interp::exception::{self, Head};
use crate::interp::machine::{Any, Place, Slow};
use crate::term::{Term, stack_word};

handlers! {
    catch |m| {
        let word = stack_word::catch(m.destination(catch::HANDLER));
        // SAFETY: catch words are words of the stack.
        m.set_y(catch::SLOT, unsafe { Term::from_raw(word) });
        m.next(catch::WORDS)
    }
    catch_end |m| {
        if m.getx(0).is_nonvalue() {
            return m.hand_to(slow::caught);
        }
        m.set_y(catch_end::SLOT, Term::NIL);
        m.next(catch_end::WORDS)
    }
    try_end |m| {
        m.set_y(catch_end::SLOT, Term::NIL);
        m.next(catch_end::WORDS)
    }
    try_case |m| {
        m.set_y(catch_end::SLOT, Term::NIL);
        for i in 0..3 {
            m.setx(i, m.getx(i + 1));
        }
        m.next(catch_end::WORDS)
    }
}

slow_handlers! {
    caught |m| {
        m.set_y(catch_end::SLOT, Term::NIL);
        let (class, reason, trace) = (m.getx(1), m.getx(2), m.getx(3));
        let v = exception::catch_value(m.cx, class, reason, trace);
        m.setx(0, v);
        m.cx.note_allocation();
        m.next(catch_end::WORDS)
    }
    raise |m| {
        let (trace, reason) = (m.src::<Any>(raise::TRACE), m.src::<Any>(raise::REASON));
        let class = exception::class_of(trace).unwrap_or(Class::Error);
        m.end_with(|cx, pc| calls::raise(cx, pc, class, reason, Head::Given(trace)))
    }
    build_stacktrace |m| {
        let trace = m.getx(0);
        let list = exception::stacktrace(m.cx.heap(), trace);
        m.setx(0, list);
        m.cx.note_allocation();
        m.next(plain::WORDS)
    }
    raw_raise |m| {
        let (reason, trace) = (m.getx(1), m.getx(2));
        match m.getx(0).as_atom().and_then(Class::from_atom) {
            Some(class) => {
                m.end_with(|cx, pc| calls::raise(cx, pc, class, reason, Head::Given(trace)))
            }
            None => {
                m.setx(0, Atom::BADARG.into());
                m.next(plain::WORDS)
            }
        }
    }
    badmatch |m| { let v = m.src::<Any>(source::VALUE); m.error_with(Atom::BADMATCH, v) }
    case_end |m| { let v = m.src::<Any>(source::VALUE); m.error_with(Atom::CASE_CLAUSE, v) }
    try_case_end |m| { let v = m.src::<Any>(source::VALUE); m.error_with(Atom::TRY_CLAUSE, v) }
    badrecord |m| { let v = m.src::<Any>(source::VALUE); m.error_with(Atom::BADRECORD, v) }
    if_end |m| m.error(Atom::IF_CLAUSE)
    bad_code |m| m.bad_code()
}

impl Slow<'_, '_> {
    /// Code that the verifier lets through but that looks into a term of the wrong kind, or a call that must
    /// not return has returned: the process gets an error that no handler of correct code expects.
    #[cold]
    pub(in crate::interp) fn bad_code(self) -> Place {
        self.error(Atom::INVALID_CODE)
    }
}
