//! Match specifications by themselves: compiling, running over lists, testing.

use enigma_runtime::atom::Atom;
use enigma_runtime::bif::Ctx;
use enigma_runtime::match_spec::{
    Actions, Dialect, MatchAction, Matcher, NoActions, OwnedProgram, Program, SpecError, Subject,
};
use enigma_runtime::term::list;
use enigma_runtime::work::{self, Budget, Step, UNITS, Work};
use enigma_runtime::{BifResult, Heap, Term, badarg, reference};
use std::sync::Arc;
use std::task::Poll;

/// The compiled specification behind a reference.
pub(super) fn shared(t: Term) -> Option<Arc<OwnedProgram>> {
    Arc::clone(t.as_magic()?).downcast().ok()
}

/// A reference to a compiled specification.
pub(super) fn reference_to(s: Arc<OwnedProgram>, heap: &mut Heap) -> Term {
    heap.magic_ref(reference::fresh(), s)
}

pub(super) fn compile(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let s = OwnedProgram::compile_clauses(a[0], Dialect::Table).map_err(|_| badarg())?;
    Ok(reference_to(Arc::new(s), cx.heap()))
}

pub(super) fn is_compiled(_: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    Ok(Term::bool(shared(a[0]).is_some()))
}

/// Runs a specification over a list.
struct Run {
    program: Arc<OwnedProgram>,
    rest: Term,
    results: Term,
    machine: Matcher,
}

impl Work for Run {
    fn step(&mut self, cx: &mut Ctx<'_>, _: &[Term], budget: &mut Budget) -> Step {
        let mut it = list::iter(self.rest);
        while !budget.is_spent()
            && let Some(t) = it.next()
        {
            budget.spend(UNITS);
            let program = self.program.program();
            if let Some(r) = self
                .machine
                .run(program, cx, t, Subject::Local, &mut NoActions)
            {
                self.results = cx.heap().cons(r, self.results);
            }
        }
        self.rest = it.tail();
        if self.rest.is_cons() {
            Ok(Poll::Pending)
        } else if self.rest.is_nil() {
            Ok(Poll::Ready(self.results))
        } else {
            Err(badarg())
        }
    }

    fn visit_roots(&mut self, visit: &mut dyn FnMut(&mut [Term])) {
        visit(std::slice::from_mut(&mut self.rest));
        visit(std::slice::from_mut(&mut self.results));
    }
}

pub(super) fn run(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let work = Run {
        program: shared(a[1]).ok_or_else(badarg)?,
        rest: a[0],
        results: a[2],
        machine: Matcher::default(),
    };
    work::start(cx, a, work)
}

/// Actions in a test: they have no effect except on what the test reports.
#[derive(Default)]
struct Pretended {
    message: Option<Term>,
    flags: Vec<Atom>,
}

impl Actions for Pretended {
    fn act(&mut self, cx: &mut Ctx<'_>, action: MatchAction, args: &[Term]) -> Option<Term> {
        let yes = Some(Term::bool(true));
        match action {
            MatchAction::Message => {
                self.message = Some(args[0]);
                yes
            }
            MatchAction::ReturnTrace => {
                self.flags.push(Atom::new("return_trace"));
                yes
            }
            MatchAction::ExceptionTrace => {
                self.flags.push(Atom::new("exception_trace"));
                yes
            }
            MatchAction::Caller => Some(Atom::UNDEFINED.into()),
            MatchAction::CallerLine => Some(Atom::UNDEFINED.into()),
            MatchAction::CurrentStacktrace => Some(Term::NIL),
            MatchAction::GetSeqToken => Some(Term::NIL),
            MatchAction::IsSeqTrace => Some(Term::bool(false)),
            MatchAction::GetTcw | MatchAction::SetTcw => Some(Term::small(0)),
            MatchAction::Display => {
                eprintln!("{}", args[0]);
                yes
            }
            MatchAction::ProcessDump => Some(cx.heap().binary(b"")),
            _ => yes,
        }
    }
}

pub(super) fn test(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let trace = match a[2].as_atom() {
        Some(Atom::TRACE) => true,
        Some(t) if t.text() == "table" => false,
        _ => return Err(badarg()),
    };
    let dialect = if trace {
        Dialect::Trace
    } else {
        Dialect::Table
    };
    if trace && !a[0].is_list() {
        return Err(badarg());
    }
    let program = match Program::compile_clauses(a[1], dialect) {
        Ok(p) => p,
        Err(e) => return Ok(explained(cx, &e)),
    };
    let mut actions = Pretended::default();
    let result = Matcher::default().run(&program, cx, a[0], Subject::Local, &mut actions);
    let value = match result {
        None => Term::bool(false),
        Some(_) if trace => actions.message.unwrap_or(Term::bool(true)),
        Some(v) => v,
    };
    let flags: Vec<Term> = actions.flags.iter().map(|&f| f.into()).collect();
    let heap = cx.heap();
    let flags = heap.list(&flags);
    Ok(heap.tuple(&[Atom::OK.into(), value, flags, Term::NIL]))
}

fn explained(cx: &mut Ctx<'_>, e: &SpecError) -> Term {
    let heap = cx.heap();
    let texts: Vec<Term> =
        e.0.iter()
            .map(|text| {
                let text = heap.char_list(text);
                heap.tuple(&[Atom::ERROR.into(), text])
            })
            .collect();
    let list = heap.list(&texts);
    heap.tuple(&[Atom::ERROR.into(), list])
}
