//! Exceptions: the raw stack trace, the search for a handler, the end of a process without one.
//!
//! While an exception is on its way, and until Erlang code asks for the list, a stack trace is *raw*: a
//! tuple `{Class, First, Address, ...}`, where `First` is a ready-made entry, `{Module, Function, Args}` or
//! `{Module, Function, Args, Cause, []}` of a failed BIF, or `[]`, and addresses of bytecode are small integers; or `{Class, First, Entries}`
//! with the list of the entries that Erlang code has given, or no more entries. Erlang code never looks into it.

use crate::atom::Atom;
use crate::bif::{Class, Ctx};
use crate::code::export::Export;
use crate::code::module::{FnInfo, SourceName};
use crate::code::native::return_address;
use crate::code::ranges;
use crate::data::map;
use crate::heap::Heap;
use crate::hooks;
use crate::process::Owned;
use crate::process::context::Raise;
use crate::process::exit_reason::ExitReason;
use crate::term::{Term, list, stack_word};
use smallvec::SmallVec;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Where the trace of a new exception begins.
pub enum Head {
    /// At the instruction itself.
    Here,
    /// At a call that nothing could be entered by, told as the place of the call and as the place to return to.
    Call,
    /// In a function that is not bytecode: entry with its arity, then the instruction that called it.
    In(&'static Export),
    /// A failed BIF: entry with its arguments, then the instruction that called it.
    Bif {
        /// The BIF.
        export: &'static Export,
        /// Its arguments, as a list.
        args: Term,
        /// Cause for the module that explains errors, or `NONVALUE`.
        cause: Term,
    },
    /// No clause of a function matches: entry with its arguments, then its caller.
    Clause {
        /// The function.
        function: &'static FnInfo,
        /// Its arguments, as a list.
        args: Term,
    },
    /// A failed function of a native library: entry with its arguments, then its caller.
    Nif {
        /// The function that it stands for.
        function: &'static FnInfo,
        /// Its arguments, as a list.
        args: Term,
    },
    /// At the instruction, with arguments in place of the arity and a list of extra information.
    Args {
        /// List of arguments, or `NONVALUE` for the arity.
        args: Term,
        /// Extra information: a list of pairs.
        info: Term,
    },
    /// A raw trace, or a list made by Erlang code.
    Given(Term),
}

/// An exception about to be raised.
pub struct Raised {
    /// Class.
    pub class: Class,
    /// Reason.
    pub reason: Term,
    /// Where its trace begins.
    pub head: Head,
}

/// The greatest length of stack traces, unless somebody has set it.
const USUAL_DEPTH: usize = 8;

/// Entries of a trace, or words of a raw one.
type Entries = SmallVec<[Term; 2 + USUAL_DEPTH]>;

static DEPTH: AtomicUsize = AtomicUsize::new(USUAL_DEPTH);

/// Sets the greatest length of stack traces (`system_flag(backtrace_depth, N)`); gives the old one.
pub fn set_backtrace_depth(n: usize) -> usize {
    DEPTH.swap(n, Ordering::Relaxed)
}

/// The greatest length of stack traces.
pub fn backtrace_depth() -> usize {
    DEPTH.load(Ordering::Relaxed)
}

/// The greatest length of an exception's stack trace: it always says where the exception was raised.
pub fn trace_length() -> usize {
    backtrace_depth().max(1)
}

/// The module that explains errors of BIFs of `module`.
fn explainer(module: Atom) -> Option<Atom> {
    match module.text() {
        "erlang" | "atomics" | "counters" | "erts_internal" | "persistent_term" | "erl_tracer"
        | "trace" => Some(Atom::ERL_ERTS_ERRORS),
        "binary" | "ets" | "lists" | "maps" | "math" | "re" | "unicode" | "io" | "string" => {
            Some(Atom::new("erl_stdlib_errors"))
        }
        "code" | "os" | "prim_file" => Some(Atom::new("erl_kernel_errors")),
        _ => None,
    }
}

/// `{M, F, Args, Info}`.
fn entry(heap: &mut Heap, m: Atom, f: Atom, args: Term, info: Term) -> Term {
    heap.tuple(&[m.into(), f.into(), args, info])
}

/// `[{file, F}, {line, L}]`, or `[]`.
fn location(heap: &mut Heap, at: Option<(SourceName<'_>, u32)>) -> Term {
    let Some((file, line)) = at else {
        return Term::NIL;
    };
    let name = file.to_list(heap);
    let file = heap.tuple(&[Atom::FILE.into(), name]);
    let line = heap.tuple(&[Atom::LINE.into(), Term::small(i64::from(line))]);
    heap.list(&[file, line])
}

fn first_entry(cx: &mut Ctx<'_>, pc: *const u64, head: &Head) -> (Term, bool) {
    match *head {
        Head::Here | Head::Call | Head::Given(_) => (Term::NIL, true),
        Head::In(export) => {
            let arity = Term::small(i64::from(export.arity));
            let at = entry(cx.heap(), export.module, export.function, arity, Term::NIL);
            (at, true)
        }
        Head::Bif {
            export,
            args,
            cause,
        } => {
            let (m, f) = (export.module.into(), export.function.into());
            let words = [m, f, args, cause, Term::NIL];
            let n = if cause.is_nonvalue() { 3 } else { 5 };
            (cx.heap().tuple(&words[..n]), true)
        }
        Head::Clause { function, args } => {
            let at = function.position(function.body().map_or(0, |b| b.entry as usize));
            let info = location(cx.heap(), at);
            (
                entry(cx.heap(), function.module().name, function.name, args, info),
                false,
            )
        }
        Head::Nif { function, args } => {
            let module = function.module().name;
            let at = entry(cx.heap(), module, function.name, args, Term::NIL);
            (at, false)
        }
        Head::Args { args, info } if args.is_nonvalue() && info.is_nil() => (Term::NIL, true),
        Head::Args { args, info } => {
            let Some((f, offset)) = ranges::find(pc) else {
                return (Term::NIL, true);
            };
            let at = f.position(offset + 1);
            let here = location(cx.heap(), at);
            let info = if here.is_nil() {
                info
            } else {
                cx.heap().list_before(here, 2, info)
            };
            let args = if args.is_nonvalue() {
                Term::small(i64::from(f.arity))
            } else {
                args
            };
            (entry(cx.heap(), f.module().name, f.name, args, info), false)
        }
    }
}

/// The first entry of a raw trace, as Erlang code sees it: that of a failed BIF gets what explains its errors.
fn ready_made(heap: &mut Heap, first: Term) -> Term {
    let (m, f, args, cause) = match (first.as_tuple_n::<3>(), first.as_tuple_n::<5>()) {
        (Some(&[m, f, args]), _) => (m, f, args, None),
        (_, Some(&[m, f, args, cause, _])) => (m, f, args, Some(cause)),
        _ => return first,
    };
    let info = match m.as_atom().and_then(explainer) {
        Some(m) => {
            let mut pairs = vec![(Term::atom(Atom::MODULE), Term::atom(m))];
            pairs.extend(cause.map(|cause| (Atom::CAUSE.into(), cause)));
            let map = map::from_pairs(heap, &pairs);
            let pair = heap.tuple(&[Atom::ERROR_INFO.into(), map]);
            heap.list(&[pair])
        }
        None => Term::NIL,
    };
    heap.tuple(&[m, f, args, info])
}

/// The raw trace of an exception raised at `pc` with the stack as it is, of so many entries.
fn raw_trace(cx: &mut Ctx<'_>, pc: *const u64, class: Class, head: &Head, length: usize) -> Term {
    let class = class.atom().into();
    if let Head::Given(t) = *head {
        return match t.as_tuple() {
            Some([_, others @ ..]) if others.len() >= 2 => {
                let words: Entries = std::iter::once(class)
                    .chain(others.iter().copied())
                    .collect();
                cx.heap().tuple(&words)
            }
            _ => cx.heap().tuple(&[class, Term::NIL, t]),
        };
    }
    let (first, with_pc) = first_entry(cx, pc, head);
    let most = length.saturating_sub(usize::from(!first.is_nil()));
    let with_pc = with_pc && !in_stub(pc, head);
    let mut usual = [Term::NIL; 2 + USUAL_DEPTH];
    let mut long = Vec::new();
    let words = if most <= USUAL_DEPTH {
        &mut usual[..]
    } else {
        long.resize(4 + most.min(cx.own.stack.words().len()), Term::NIL);
        &mut long[..]
    };
    (words[0], words[1]) = (class, first);
    let most = most.min(words.len() - 2);
    let addresses = &mut words[2..2 + most];
    let mut n = 0;
    if with_pc {
        // One word further, so that all addresses are return addresses.
        let here = Term::small(pc.wrapping_add(1) as i64);
        n = most.min(1 + usize::from(matches!(head, Head::Call)));
        addresses[..n].fill(here);
    }
    n += return_addresses(cx.own, &mut addresses[n..]);
    cx.heap().tuple(&words[..2 + n.max(1)])
}

/// Was the BIF called by the code of its export entry, which belongs to no function? That is how BIFs are
/// applied, and called as funs.
fn in_stub(pc: *const u64, head: &Head) -> bool {
    matches!(head, Head::Bif { export, .. } if export.stub() == pc)
}

/// Writes return addresses that are on the stack, the top first, until there is no more room; gives their number.
fn return_addresses(own: &Owned, addresses: &mut [Term]) -> usize {
    let mut free = addresses.iter_mut();
    // A function that has called itself many times from one place is told once. Such a place has two words if the function stands in
    // the place of its call.
    let (mut last, mut same) = (std::ptr::null(), [0; 2]);
    let words = own.stack.words().iter().copied();
    for word in words.filter(|&word| stack_word::is_return(word)) {
        if same.contains(&word) {
            continue;
        }
        let pc = return_address(word);
        if pc == last {
            same[1] = word;
            continue;
        }
        let Some(next) = free.next() else { break };
        *next = Term::small(pc as i64);
        (last, same) = (pc, [word; 2]);
    }
    let left = free.len();
    addresses.len() - left
}

/// The stack trace of the functions to which a process will return.
pub fn frames(heap: &mut Heap, own: &Owned) -> Term {
    let most = backtrace_depth().min(own.stack.words().len());
    let mut addresses = vec![Term::NIL; most];
    let n = return_addresses(own, &mut addresses);
    let mut entries = Entries::new();
    entries_of(heap, &addresses[..n], &mut entries);
    heap.list(&entries)
}

/// The class in a raw trace; none where the trace is a list.
pub fn class_of(raw: Term) -> Option<Class> {
    raw.as_tuple()
        .and_then(|t| Class::from_atom(t.first()?.as_atom()?))
}

/// The list that Erlang code sees of a raw trace.
pub fn stacktrace(heap: &mut Heap, raw: Term) -> Term {
    let Some(&[_, first, ref rest @ ..]) = raw.as_tuple() else {
        return raw;
    };
    let mut entries = Entries::new();
    if !first.is_nil() {
        entries.push(ready_made(heap, first));
    }
    match *rest {
        [given] if given.is_list() => entries.extend(list::iter(given)),
        _ => entries_of(heap, rest, &mut entries),
    }
    heap.list(&entries)
}

/// The entries for return addresses.
fn entries_of(heap: &mut Heap, addresses: &[Term], entries: &mut Entries) {
    for a in addresses {
        let pc = a.small_value() as *const u64;
        if let Some((f, offset)) = ranges::find(pc.wrapping_sub(1)) {
            let (module, name) = (f.module().name, f.name);
            let info = location(heap, f.position(offset + 1));
            let arity = Term::small(i64::from(f.arity));
            entries.push(entry(heap, module, name, arity, info));
        }
    }
}

/// The stack trace of a process that stands at `pc`, as `process_info` gives it.
pub fn current_stacktrace(cx: &mut Ctx<'_>, pc: *const u64) -> Term {
    let raw = raw_trace(cx, pc, Class::Error, &Head::Here, backtrace_depth());
    stacktrace(cx.heap(), raw)
}

/// Reductions for what is told of an error.
const ERROR_COST: usize = 3;

/// Raises an exception at `pc`. With a handler: sets the stack and x0 to x3 and gives the handler's
/// address. Without one: the process is to exit, for the reason now in `own.exit_reason`.
#[cold]
#[inline(never)]
pub fn raise(cx: &mut Ctx<'_>, pc: *const u64, r: &Raised) -> Option<*const u64> {
    if r.class == Class::Error {
        cx.bump(ERROR_COST);
    }
    let raw = raw_trace(cx, pc, r.class, &r.head, trace_length());
    let stack = &mut cx.own.stack;
    let mut frame = 0;
    let mut found = None;
    for (i, &w) in stack.words().iter().enumerate() {
        if stack_word::is_return(w) {
            frame = i + 1;
        } else if stack_word::is_catch(w) {
            found = Some((frame, stack_word::pc(w)));
            break;
        }
    }
    if let Some((frame, handler)) = found {
        let sp = stack.sp().wrapping_add(frame);
        stack.set_sp(sp);
        cx.native.raised = if frame == 0 {
            Raise::SameFrame
        } else {
            Raise::OtherFrame
        };
        cx.x[0] = Term::NONVALUE;
        cx.x[1] = r.class.atom().into();
        cx.x[2] = r.reason;
        cx.x[3] = raw;
        return Some(handler);
    }
    let trace = stacktrace(cx.heap(), raw);
    let reason = match r.class {
        Class::Exit => r.reason,
        Class::Error => cx.tuple2(r.reason, trace),
        Class::Throw => {
            let nocatch = cx.tuple2(Atom::NOCATCH, r.reason);
            cx.tuple2(nocatch, trace)
        }
    };
    if r.class != Class::Exit {
        hooks::get().uncaught(cx, reason);
    }
    cx.own.exit_reason = Some(Box::new(ExitReason::new(reason)));
    None
}

/// What `catch` gives for an exception.
pub fn catch_value(cx: &mut Ctx<'_>, class: Term, reason: Term, raw: Term) -> Term {
    let why = match class.as_atom() {
        Some(Atom::THROW) => return reason,
        Some(Atom::ERROR) => {
            let trace = stacktrace(cx.heap(), raw);
            cx.tuple2(reason, trace)
        }
        _ => reason,
    };
    cx.tuple2(Atom::EXIT_SIGNAL, why)
}
