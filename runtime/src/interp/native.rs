//! Where interpreted and native code follow each other.
//!
//! Native code works on the same Erlang stack as the interpreter: its frames' Y registers lie there, and each call that
//! is no tail call pushes a return point, which stands for the bytecode address at which the interpreter would go on. X registers live in machine
//! registers, of which those that somebody else is to see are written to memory first. So at every
//! call of a function here, and wherever native code stops, the process is in a state in which the interpreter can
//! go on, and no native frame holds anything that the process needs. Where native code must stop (the slice is over,
//! the mailbox is empty, an exception), all native frames return `NONVALUE`, and the loop in `dispatch` goes on at
//! `Handover::next_pc`. Where only the innermost function must be interpreted, its frame goes, and a loop of the interpreter
//! runs in its place until it has a value for the native caller (`resume`), who need not know.
//!
//! Native code calls the functions that [`Helper`] names with the stack pointer in `Handover::sp`, heap pointer and
//! reductions in their places; they leave them there. A helper may collect only where its text says so. Those that neither
//! look at nor change any of these are called without that.

mod bit_syntax;
pub mod chaos;
pub mod layout;
mod lists;
mod resume;

use super::calls::{self, Next};
use super::dispatch;
use super::machine::{Handler, Place};
use super::maps;
use crate::bif::{self, Ctx, Effects};
use crate::code::export::{self, Export};
use crate::code::forms::{continue_native, new_map};
use crate::code::module::FnInfo;
use crate::code::{entry, fun, ops};
use crate::data::{arith, bignum, compare, map};
use crate::heap::Heap;
use crate::interp::bits;
use crate::process::context::Raise;
use crate::process::handle;
use crate::sched::{self, later};
use crate::term::{Kind, Term, list, stack_word};
use crate::timer;
use bit_syntax::{
    append_character, append_room, create_bits, decode_utf8, get_bits, get_utf, match_string,
    part_of_bits, read_bits, signed_integer, unsigned_integer, writable_bits,
};
use chaos::chaos as chaos_helper;
pub(super) use lists::put_before;
use lists::{end_list, finish_list};
use resume::{after_of, first_return, interpret, land, resume, resume_at, wait_for_value};
use std::cmp::Ordering as Order;
use std::sync::atomic::{AtomicPtr, Ordering};

/// The type of the way in: runs the machine code at the second argument for the process of the first one. Gives the
/// value that it returns, or `NONVALUE` when the process goes on at `Handover::next_pc`.
pub type WayIn = extern "C" fn(*mut Ctx<'_>, *const u8) -> u64;

static WAY_IN: AtomicPtr<u8> = AtomicPtr::new(std::ptr::null_mut());

/// Says how native code is entered, before there is any.
///
/// The code at the address must be a `WayIn`, and stay.
pub fn set_way_in(address: *const u8) {
    WAY_IN.store(address.cast_mut(), Ordering::Release);
}

static REAL_WAY_IN: AtomicPtr<u8> = AtomicPtr::new(std::ptr::null_mut());

/// Lets each way in tell the samples of processor time that native code runs. To be called when the way in is set.
pub fn mark_native() {
    let real = WAY_IN.swap(marked_way_in as *mut u8, Ordering::AcqRel);
    REAL_WAY_IN.store(real, Ordering::Release);
}

extern "C" fn marked_way_in(cx: *mut Ctx<'_>, address: *const u8) -> u64 {
    // SAFETY: `mark_native` has stored the way in, which is code of this type.
    let way_in: WayIn = unsafe { std::mem::transmute(REAL_WAY_IN.load(Ordering::Acquire)) };
    crate::sys::sampling::in_native(|| way_in(cx, address))
}

/// Runs native code at `address`, of a function whose arguments are in the X registers and whose return address is
/// pushed; the call's reduction has been taken.
pub(super) fn run(cx: &mut Ctx<'_>, address: *const u8) -> Place {
    // Native functions count their call at their entry.
    cx.reds += 1;
    run_continuation(cx, address)
}

/// Runs native code at `address`, of the continuation at which the process is. Gives where it goes on.
pub(super) fn run_continuation(cx: &mut Ctx<'_>, address: *const u8) -> Place {
    // SAFETY: whoever has installed native code has set the way in before, to code of this type.
    let way_in: WayIn = unsafe { std::mem::transmute(WAY_IN.load(Ordering::Acquire)) };
    cx.native.sp = cx.own.stack.sp();
    cx.native.raised = Raise::No;
    let entered_with = first_return(cx, stack_word::is_return).unwrap_or(0);
    let outer = std::mem::replace(&mut cx.native.entered_with, entered_with);
    let value = Term(way_in(std::ptr::from_mut(cx).cast(), address));
    cx.native.entered_with = outer;
    if value.is_nonvalue() {
        return Place {
            pc: cx.native.next_pc,
            sp: cx.native.next_sp.cast(),
        };
    }
    cx.x[0] = value;
    // SAFETY: a function returns with its return address on top.
    let back = unsafe { *cx.native.sp };
    let sp = cx.native.sp.wrapping_add(1);
    cx.own.stack.set_sp(sp);
    Place {
        pc: stack_word::pc(back),
        sp: sp.cast(),
    }
}

/// A function that native code calls.
pub type HelperFn = extern "C" fn(&mut Ctx<'_>, u64, u64, u64) -> u64;

macro_rules! helpers {
    ($($(#[$doc:meta])* $name:ident $function:ident;)*) => {
        /// The functions that native code calls.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        #[repr(usize)]
        pub enum Helper { $($(#[$doc])* $name),* }

        /// By `Helper`.
        static HELPERS: &[HelperFn] = &[$($function),*];

        impl Helper {
            /// All of them.
            pub const ALL: &[Helper] = &[$(Helper::$name),*];

            /// Its name in listings.
            pub fn name(self) -> &'static str {
                match self { $(Helper::$name => stringify!($function)),* }
            }
        }
    };
}

helpers! {
    /// Executes the bytecode instruction at the first argument; gives where it goes on, or 0 if the process
    /// stops. `next_pc` says so too.
    Step step;
    /// Takes the place of a function, the one whose record's address is the first of `Handover::arguments`, where it begins without
    /// reductions: may collect. Gives the machine code to go on with, which begins it anew, or 0: the process stops.
    OutOfReductions out_of_reductions;
    /// Makes room for what calls and lists push on the stack.
    MoreStack more_stack;
    /// Makes room for so many words of heap without a collection.
    MoreRoom more_room;
    /// Calls the BIF of an export entry, from the instruction at the second argument, to go on at the return point that is
    /// the third: may collect. Gives the value, or `NONVALUE` if the process goes on elsewhere.
    CallBif call_bif;
    /// Executes the call instruction at the first argument, to go on at the return point that is the second: may collect.
    /// Gives the value, or `NONVALUE` if the process goes on elsewhere.
    CallStep call_step;
    /// The interpreter goes on with the innermost function at `next_pc`, in place of its native code. Gives its value, or `NONVALUE` if
    /// the process goes on elsewhere. What is threaded is in memory already.
    Resume resume;
    /// The same at the bytecode address that is the first argument, with the stack as it is.
    ResumeAt resume_at;
    /// The same with the first two X registers, which are not in memory yet, around the address.
    ResumeWith resume_at;
    /// A callee has raised, and the function, whose frame ends so many bytes above the stack's end, has handlers. Gives the machine code that
    /// goes on at the one that is meant, or 0 if that is another function's or has none.
    Land land;
    /// Is called in place of a function, the one of the record at `Handover::callee`, that has no machine code: lets the interpreter run it.
    Interpret interpret;
    /// The entry record of the loaded function of this module, this name and so many arguments; 0 if there is none, or if it is called
    /// in another way.
    FindEntry find_entry;
    /// Prepares the call of a fun with so many arguments in X registers: puts its environment behind them.
    /// Gives the address of its machine code, or 0 if it cannot be called at once.
    PrepareFun prepare_fun;
    /// Returns a value where native code keeps lists: what is returned then, or `NONVALUE` if the process goes on elsewhere.
    FinishList finish_list;
    /// `+`, as all arithmetic: the value, or `NONVALUE` if there is none.
    Add add;
    /// `-`
    Sub sub;
    /// `*`
    Mul mul;
    /// `div`
    Div div;
    /// `rem`
    Rem rem;
    /// `band`
    Band band;
    /// `bor`
    Bor bor;
    /// `bxor`
    Bxor bxor;
    /// `bsl`
    Bsl bsl;
    /// `bsr`
    Bsr bsr;
    /// Is the first less than the second?
    Less less;
    /// Are both equal?
    Equal equal;
    /// Are both exactly equal?
    ExactlyEqual exactly_equal;
    /// A boxed float of these bits.
    BoxFloat box_float;
    /// The value of a key in a map, which it must be; `NONVALUE` if it is not there.
    MapGet map_get;
    /// A map with the pairs that so many X registers hold, keys and values in turn; `NONVALUE` if it is no map.
    MapPut map_put;
    /// The same where all keys must be there; `NONVALUE` if one is not.
    MapUpdate map_update;
    /// The message that `receive` looks at next; `NONVALUE` if none is there. It only looks at the mailbox.
    PeekMessage peek_message;
    /// Goes on to the next message, likewise.
    SkipMessage skip_message;
    /// Takes the message that `receive` looks at.
    TakeMessage take_message;
    /// Sends a message, the second argument. 0: the interpreter has to do that.
    SendMessage send_message;
    /// Is it a bitstring of whole bytes, or a match context of whole bytes?
    IsBinary is_binary;
    /// The bits of a `HeapBits` or `BinRef`, from a position on, so many (at most 64), as an unsigned number. Takes no heap.
    ReadBits read_bits;
    /// Reads a code point in UTF-8 at an address, where so many bits are left. Gives it times 256 and the number of its bits,
    /// or 0 if there is none. Takes no heap.
    DecodeUtf8 decode_utf8;
    /// So many bits of a `HeapBits` or `BinRef` from a position on, as a bitstring.
    PartOfBits part_of_bits;
    /// Takes a field off a match context: the size, and unit, flags and kind. `NONVALUE` if that is not possible.
    GetBits get_bits;
    /// Takes a code point off a match context: flags and kind. `NONVALUE` if that is not possible. Takes no heap.
    GetUtf get_utf;
    /// Are the next so many bits of a match context those at an address? Passes over them. Takes no heap.
    MatchString match_string;
    /// A term for an unsigned number.
    UnsignedInteger unsigned_integer;
    /// A term for a signed number.
    SignedInteger signed_integer;
    /// Executes the construction of a bitstring at the first argument. The value of segment `n` stands in X register `2 * n`, its
    /// size in the next one. `NONVALUE` if that is not possible.
    CreateBits create_bits;
    /// Room for so many bits, whole bytes, behind a binary, which nothing else uses if the third argument is not 0. Gives the
    /// longer one, and in `Handover::room` the address of the room; `NONVALUE` if there is none.
    AppendRoom append_room;
    /// Appends a code point in UTF-8, the second argument, to a binary, which nothing else uses if the third argument is not 0.
    /// `NONVALUE`, with nothing done, if that is not simple.
    AppendCharacter append_character;
    /// An empty binary with room for so many bits.
    WritableBits writable_bits;
    /// What the guard BIF of an export entry gives for the two arguments behind, or as many as it takes; `NONVALUE` if it fails. It is one
    /// that does its work at once.
    GuardBif guard_bif;
    /// Is it a fun of so many arguments?
    IsFunctionOf is_function_of;
    /// The number of elements of a list; `NONVALUE` if it is none, `[]` if there are many.
    ListLength list_length;
    /// In the test mode `chaos`: what happens besides where code of this function leaves. Calls may be due to stop afterwards.
    Chaos chaos_helper;
}

/// How native code calls a helper.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum HelperCall {
    /// As a native function: it takes and gives what is threaded.
    Threaded,
    /// It keeps all machine registers, because it is called where that is rare; what is threaded goes by memory.
    Keeping,
    /// In place of a native function, with its arguments.
    Again,
    /// In place of the rest of a native function, with an address and what is threaded. It gives what a native function does.
    LastAt,
    /// The same with the first two X registers besides.
    LastWith,
    /// The same without arguments: all is in memory.
    Last,
    /// In place of the rest of a native function, with one word; all else is in memory. What it gives is run, if it gives something.
    Landing,
    /// Directly: it neither looks at nor changes what is threaded.
    Direct,
}

impl Helper {
    /// How it is called.
    pub fn call(self) -> HelperCall {
        use Helper::*;
        match self {
            MapGet | PeekMessage | SkipMessage | IsBinary | IsFunctionOf | ListLength
            | FindEntry => HelperCall::Direct,
            MoreRoom | MoreStack | Chaos => HelperCall::Keeping,
            OutOfReductions => HelperCall::Again,
            ResumeAt => HelperCall::LastAt,
            ResumeWith => HelperCall::LastWith,
            Resume => HelperCall::Last,
            Land => HelperCall::Landing,
            _ if self.makes_a_term() || self.only_looks() => HelperCall::Keeping,
            _ => HelperCall::Threaded,
        }
    }

    /// The address of its function.
    pub fn address(self) -> usize {
        HELPERS[self as usize] as usize
    }

    /// Does it look at terms, and change nothing?
    pub fn only_looks(self) -> bool {
        use Helper::*;
        matches!(self, Less | Equal | ExactlyEqual | ReadBits | DecodeUtf8)
    }

    /// May it move the stack, or stop the process?
    pub fn moves_stack(self) -> bool {
        !(self.makes_a_term()
            || self.only_looks()
            || matches!(self, Helper::MoreRoom | Helper::Chaos))
    }

    /// Does it make a term of others, and nothing else?
    fn makes_a_term(self) -> bool {
        use Helper::*;
        matches!(
            self,
            Add | Sub | Mul | Div | Rem | Band | Bor | Bxor | Bsl | Bsr | BoxFloat
        ) || matches!(self, UnsignedInteger | SignedInteger | GetUtf | PartOfBits)
            || matches!(self, CreateBits | AppendRoom | AppendCharacter)
    }
}

/// Arguments are words that native code holds as terms.
fn term(word: u64) -> Term {
    Term(word)
}

/// Work with the stack as native code has left it.
#[inline(always)]
fn on_stack<R>(cx: &mut Ctx<'_>, work: impl FnOnce(&mut Ctx<'_>) -> R) -> R {
    cx.own.stack.set_sp(cx.native.sp);
    let r = work(cx);
    cx.native.sp = cx.own.stack.sp();
    r
}

/// The process stops or goes on elsewhere.
fn leave(cx: &mut Ctx<'_>, next: Next) {
    let place = match next {
        Next::Go(pc) => Place {
            pc,
            sp: cx.own.stack.sp().cast(),
        },
        Next::Stop(outcome) => Place::stop(outcome),
    };
    set_next(cx, place);
}

fn set_next(cx: &mut Ctx<'_>, place: Place) {
    cx.native.next_pc = place.pc;
    cx.native.next_sp = place.sp.cast();
}

/// Has what was done here raised an exception? One whose handler is in this frame needs no more attention from callers: the
/// interpreter goes on at the handler, as at any other place.
fn is_raised(cx: &mut Ctx<'_>) -> bool {
    if cx.native.raised == Raise::SameFrame {
        cx.native.raised = Raise::No;
        return true;
    }
    cx.native.raised != Raise::No
}

/// Bytes of the machine's stack that the process has taken since it began to run.
fn depth(cx: &Ctx<'_>) -> usize {
    let here = 0u8;
    cx.native
        .entered_at
        .abs_diff(std::ptr::from_ref(&here) as usize)
}

/// Executes the bytecode instruction at an address by its handler. Gives where it goes on, unless it stops the process or raises;
/// `next_pc` says where in any case.
fn execute(cx: &mut Ctx<'_>, pc: u64, handler_of: fn(u16) -> Handler) -> Option<Place> {
    let pc = pc as *const u64;
    // SAFETY: native code names instructions of its function's bytecode.
    let w = unsafe { *pc };
    let x: *mut Term = cx.x.as_mut_ptr();
    let place = handler_of(ops::of(w))(pc, cx.native.sp.cast(), x, cx, w);
    set_next(cx, place);
    (!place.pc.is_null() && !is_raised(cx)).then_some(place)
}

extern "C" fn call_step(cx: &mut Ctx<'_>, pc: u64, point: u64, _: u64) -> u64 {
    match execute(cx, pc, call_handler) {
        Some(place) => wait_for_value(cx, place, point),
        None => Term::NONVALUE.0,
    }
}

extern "C" fn step(cx: &mut Ctx<'_>, pc: u64, _: u64, _: u64) -> u64 {
    match execute(cx, pc, single) {
        Some(place) => {
            cx.native.sp = place.sp.cast();
            place.pc as u64
        }
        None => 0,
    }
}

/// Bytes of the machine's stack that native frames may take before they are given up for a moment.
const MAX_DEPTH: usize = 16 << 20;

/// Gives a process that has used up its reductions fresh ones, if nobody else wants to run here and no timer is due.
fn renew(cx: &mut Ctx<'_>) -> bool {
    let may = cx.native.renewals > 0
        && cx.gc_reds.is_none()
        && !cx.leave
        && !cx.own.heap.wants_gc()
        && depth(cx) < MAX_DEPTH
        && !handle::is_behind(cx.proc, cx.own)
        && sched::is_alone(cx.scheduler)
        && !timer::is_due(cx.scheduler - 1);
    if may {
        if later::is_left() {
            later::perform();
        }
        cx.native.renewals -= 1;
        cx.own.reductions += sched::TIME_SLICE as u64;
        cx.reds += sched::TIME_SLICE;
        cx.own.heap.begin_slice();
    }
    may
}

extern "C" fn out_of_reductions(cx: &mut Ctx<'_>, _: u64, _: u64, _: u64) -> u64 {
    // SAFETY: native code names the record of its own function, which holds for the time slice.
    let f = unsafe { &*(cx.native.arguments[0] as *const FnInfo) };
    end_list(cx);
    if cx.reds > 0 || !renew(cx) {
        let (stub, arity) = (f.native_stub(), f.arity as usize);
        let next = on_stack(cx, |cx| calls::out_of_reductions(cx, stub, arity));
        if !matches!(next, Next::Go(_)) {
            leave(cx, next);
            return 0;
        }
    }
    code_of(cx, &f.entry)
}

/// The machine code that calls of an entry record run, which is told by the record if the function has none of its own.
fn code_of(cx: &mut Ctx<'_>, entry: &entry::Entry) -> u64 {
    cx.native.callee = std::ptr::from_ref(entry).cast();
    entry.native_target() as u64
}

extern "C" fn more_stack(cx: &mut Ctx<'_>, _: u64, _: u64, _: u64) -> u64 {
    on_stack(cx, |cx| cx.own.stack.grow(calls::STACK_SLACK));
    1
}

extern "C" fn more_room(cx: &mut Ctx<'_>, words: u64, _: u64, _: u64) -> u64 {
    cx.heap().make_room(words as usize);
    cx.note_allocation();
    1
}

extern "C" fn call_bif(cx: &mut Ctx<'_>, export: u64, pc: u64, point: u64) -> u64 {
    // SAFETY: native code names export entries, which are never freed.
    let export = unsafe { &*(export as *const Export) };
    let (pc, arity) = (pc as *const u64, export.arity as usize);
    if let Some(b) = export.bif()
        && cx.reds > 0
        && arity <= calls::FEW_ARGUMENTS
        && b.pool().is_none()
        && !(b.has_steps() && cx.own.has_work())
    {
        let args = calls::few_arguments(cx);
        let may_look = b.facts.effects == Effects::Any;
        if may_look {
            cx.own.stack.set_sp(cx.native.sp);
        }
        cx.pc = pc;
        let result = (b.run)(cx, &args[..arity]);
        if may_look {
            // It may have moved the stack.
            cx.native.sp = cx.own.stack.sp();
        }
        return match result {
            Ok(v) if is_nothing_due(cx) && !(may_look && cx.own.keeps_calls()) => {
                cx.reds -= 1;
                v.0
            }
            result => {
                let work = |cx: &mut Ctx<'_>| {
                    let after = after_of(point);
                    calls::after_bif(cx, export, b, pc, after, &args[..arity], result)
                };
                bif_result(cx, point, work)
            }
        };
    }
    bif_result(cx, point, |cx| {
        calls::call_bif(cx, export, pc, after_of(point))
    })
}

/// Guard BIFs of more arguments are executed by the interpreter.
pub const MOST_GUARD_ARGUMENTS: usize = 2;

extern "C" fn guard_bif(cx: &mut Ctx<'_>, export: u64, first: u64, second: u64) -> u64 {
    // SAFETY: native code names export entries, which are never freed.
    let export = unsafe { &*(export as *const Export) };
    let Some(bif) = export.bif() else {
        return Term::NONVALUE.0;
    };
    let mut args = [term(first), term(second)];
    let args = &mut args[..export.arity as usize];
    for t in &mut *args {
        if t.is_kind(Kind::MatchCtx) {
            *t = bits::tail(cx.heap(), *t);
        }
    }
    let Ok(value) = (bif.run)(cx, args) else {
        return Term::NONVALUE.0;
    };
    if cx.own.heap.stress {
        bif.check_value(value);
    }
    cx.note_allocation();
    value.0
}

/// May a process go on after a BIF that has given a value?
fn is_nothing_due(cx: &Ctx<'_>) -> bool {
    !cx.own.heap.wants_gc() && !cx.leave
}

/// What native code gets that has called a BIF, after work that says where the process goes on.
#[cold]
#[inline(never)]
fn bif_result(cx: &mut Ctx<'_>, point: u64, work: impl FnOnce(&mut Ctx<'_>) -> Next) -> u64 {
    let after = after_of(point);
    let next = on_stack(cx, work);
    let raised = is_raised(cx);
    match next {
        // Native code does not write down its calls, if the BIF has asked for that.
        Next::Go(to) if to == after && !raised && !cx.own.keeps_calls() => cx.x[0].0,
        Next::Go(to) if to != after && !raised => {
            let sp = cx.native.sp.cast();
            wait_for_value(cx, Place { pc: to, sp }, point)
        }
        next => {
            leave(cx, next);
            Term::NONVALUE.0
        }
    }
}

extern "C" fn prepare_fun(cx: &mut Ctx<'_>, fun: u64, arity: u64, _: u64) -> u64 {
    let (fun, n) = (term(fun), arity as usize);
    if fun.is_kind(Kind::Export) {
        let e = export::of(fun);
        return match e.arity as usize == n && is_entered(cx, e) {
            true => code_of(cx, e.entry()),
            false => 0,
        };
    }
    if !fun.is_kind(Kind::Fun) {
        return 0;
    }
    let e = fun::of(fun);
    if e.arity as usize != n {
        return 0;
    }
    let Some(target) = e.target() else {
        return 0;
    };
    let env = fun.fun_env().unwrap_or(&[]);
    cx.x[n..n + env.len()].copy_from_slice(env);
    code_of(cx, &target.entry)
}

/// May native code call it by its entry record? Not what always raises: a tail call of that keeps its frame.
fn is_entered(cx: &Ctx<'_>, e: &Export) -> bool {
    e.is_callable() && !e.raises() && !cx.own.keeps_calls()
}

extern "C" fn find_entry(cx: &mut Ctx<'_>, module: u64, function: u64, arity: u64) -> u64 {
    let (Some(module), Some(function)) = (term(module).as_atom(), term(function).as_atom()) else {
        return 0;
    };
    match export::lookup(module, function, arity as u32) {
        Some(e) if is_entered(cx, e) => std::ptr::from_ref(e.entry()) as u64,
        _ => 0,
    }
}

macro_rules! arithmetic {
    ($($name:ident = $operation:path;)*) => {
        $(
            extern "C" fn $name(cx: &mut Ctx<'_>, a: u64, b: u64, _: u64) -> u64 {
                match $operation(cx.heap(), term(a), term(b)) {
                    Ok(v) => {
                        cx.note_allocation();
                        v.0
                    }
                    Err(_) => Term::NONVALUE.0,
                }
            }
        )*
    };
}

arithmetic! {
    add = arith::add;
    sub = arith::sub;
    mul = arith::mul;
    div = arith::int_div;
    rem = arith::int_rem;
    band = arith::band;
    bor = arith::bor;
    bxor = arith::bxor;
    bsl = arith::bsl;
    bsr = arith::bsr;
}

extern "C" fn less(_: &mut Ctx<'_>, a: u64, b: u64, _: u64) -> u64 {
    u64::from(compare::compare(term(a), term(b)) == Order::Less)
}

extern "C" fn equal(_: &mut Ctx<'_>, a: u64, b: u64, _: u64) -> u64 {
    u64::from(compare::eq(term(a), term(b)))
}

extern "C" fn exactly_equal(_: &mut Ctx<'_>, a: u64, b: u64, _: u64) -> u64 {
    u64::from(compare::exact_eq(term(a), term(b)))
}

extern "C" fn box_float(cx: &mut Ctx<'_>, bits: u64, _: u64, _: u64) -> u64 {
    let v = cx.heap().float(f64::from_bits(bits));
    cx.note_allocation();
    v.0
}

/// The integer from 0 to 2^64 - 1 that a constant of code is, if it is one.
pub fn unsigned_constant(word: u64) -> Option<u64> {
    let t = term(word);
    (t.is_small() || t.is_kind(Kind::BigPos))
        .then(|| bignum::to_u64(t))
        .flatten()
}

extern "C" fn map_get(_: &mut Ctx<'_>, map: u64, key: u64, _: u64) -> u64 {
    map::get(term(map), term(key)).unwrap_or(Term::NONVALUE).0
}

extern "C" fn map_put(cx: &mut Ctx<'_>, map: u64, words: u64, _: u64) -> u64 {
    put_pairs(cx, words, |heap, pairs| {
        maps::put_assoc(heap, term(map), pairs)
    })
}

extern "C" fn map_update(cx: &mut Ctx<'_>, map: u64, words: u64, _: u64) -> u64 {
    put_pairs(cx, words, |heap, pairs| {
        maps::put_exact(heap, term(map), pairs)
    })
}

fn put_pairs(
    cx: &mut Ctx<'_>,
    words: u64,
    put: impl FnOnce(&mut Heap, &[map::MapPair]) -> Option<Term>,
) -> u64 {
    let (pairs, _) = cx.x[..words as usize].as_chunks::<2>();
    let v = put(&mut cx.own.heap.young, pairs);
    cx.note_allocation();
    v.unwrap_or(Term::NONVALUE).0
}

extern "C" fn peek_message(cx: &mut Ctx<'_>, _: u64, _: u64, _: u64) -> u64 {
    cx.own.mailbox.peek().unwrap_or(Term::NONVALUE).0
}

extern "C" fn skip_message(cx: &mut Ctx<'_>, _: u64, _: u64, _: u64) -> u64 {
    cx.own.mailbox.skip();
    1
}

extern "C" fn take_message(cx: &mut Ctx<'_>, _: u64, _: u64, _: u64) -> u64 {
    super::receive::take(cx);
    1
}

extern "C" fn send_message(cx: &mut Ctx<'_>, to: u64, message: u64, _: u64) -> u64 {
    // A call that is to be written down is the interpreter's, and so is a receiver that is to be found out.
    if cx.reds <= 0 || !term(to).is_local_pid() {
        return 0;
    }
    // What does not work out has not been done, and is done again.
    if bif::send(cx, term(to), term(message)).is_err() {
        return 0;
    }
    cx.reds -= 4;
    1
}

extern "C" fn is_binary(_: &mut Ctx<'_>, t: u64, _: u64, _: u64) -> u64 {
    let t = term(t);
    u64::from(t.is_binary() || t.is_kind(Kind::MatchCtx) && bits::left(t) & 7 == 0)
}

extern "C" fn is_function_of(_: &mut Ctx<'_>, f: u64, arity: u64, _: u64) -> u64 {
    u64::from(super::handlers::types::has_arity(term(f), term(arity)))
}

/// Lists of more elements are counted by the BIF, which stops now and then.
const FEW_ELEMENTS: usize = 16_000;

extern "C" fn list_length(_: &mut Ctx<'_>, list: u64, _: u64, _: u64) -> u64 {
    let (n, rest) = list::walk(term(list), FEW_ELEMENTS);
    if rest.is_cons() {
        return Term::NIL.0;
    }
    match rest.is_nil() {
        true => Term::small(n as i64).0,
        false => Term::NONVALUE.0,
    }
}

/// Is it an instruction of the bit syntax?
pub fn is_bit_syntax(op: u16) -> bool {
    ops::NAMES[op as usize].starts_with("BS_")
}

/// What native code does with messages without the interpreter.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MessageStep {
    /// Looks at a message.
    Look,
    /// Goes on to the next one.
    Skip,
    /// Takes the one that has been looked at.
    Take,
    /// Sends one.
    Send,
}

/// What the instruction at a place in bytecode does with messages.
pub fn message_step(code: &[u64], offset: u32) -> Option<MessageStep> {
    Some(match opcode_at(code, offset) {
        ops::LOOP_REC => MessageStep::Look,
        ops::LOOP_REC_END => MessageStep::Skip,
        ops::REMOVE_MESSAGE => MessageStep::Take,
        ops::SEND => MessageStep::Send,
        _ => return None,
    })
}

/// Can native code let this instruction be executed by itself?
pub fn steps(op: u16) -> bool {
    dispatch::single_handler(op).is_some()
}

/// The instruction at a place in bytecode.
pub fn opcode_at(code: &[u64], offset: u32) -> u16 {
    ops::of(code[offset as usize])
}

/// Words of the instruction at a place in bytecode that only lets native code go on there: 0 if there is another one.
pub fn continuation_words(code: &[u64], offset: u32) -> u32 {
    let op = code.get(offset as usize).map(|&w| ops::of(w));
    match op {
        Some(ops::CONTINUE) => continue_native::WORDS as u32,
        _ => 0,
    }
}

/// Words of the instruction at a place in bytecode.
pub fn length_at(code: &[u64], offset: u32) -> usize {
    let rest = &code[offset as usize..];
    ops::FORMS[ops::of(rest[0]) as usize].length(rest)
}

/// The tuple of keys of the instruction at a place in bytecode, if it makes a map of such a tuple.
pub fn new_map_keys(code: &[u64], offset: u32) -> Option<Term> {
    let at = new_map::KEYS.at;
    let makes = opcode_at(code, offset) == ops::NEW_MAP;
    makes.then(|| Term(at.of(code[offset as usize + at.word])))
}

fn call_handler(op: u16) -> Handler {
    match dispatch::call_handler(op) {
        Some(h) => h,
        None => crate::bug::vm_bug("native code executes a call that it cannot"),
    }
}

fn single(op: u16) -> Handler {
    match dispatch::single_handler(op) {
        Some(h) => h,
        None => crate::bug::vm_bug("native code executes an instruction that goes on by itself"),
    }
}
