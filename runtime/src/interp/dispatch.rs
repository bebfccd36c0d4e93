//! The loop: every instruction in full; what is frequent is first tried in `fast`. Program counter, stack pointer and the address of the X registers live in machine registers;
//! everything that may look at or change the stack is called between `sync!` and `reload!`.
//!
//! The loop reads raw words. Why that is sound: bytecode is made by `code::translate` alone, from
//! functions that the loader's verifier has accepted, so register numbers, frame sizes and jumps are
//! in range; terms are checked for their kind by every instruction that looks into one, because the
//! verifier does not prove kinds.

#![allow(
    unused_unsafe,
    reason = "the macros that read operands are used inside each other"
)]

use super::calls::{self, Next, STACK_SLACK};
use super::{Outcome, bits, fast, maps, park, records};
use crate::atom::Atom;
use crate::bif::{Class, Ctx, Exit};
use crate::code::export::{self, Export};
use crate::code::fun::{self, FunEntry};
use crate::code::module::{FnInfo, Module};
use crate::code::records::op;
use crate::code::{operand, ops};
use crate::data::{arith, compare, record};
use crate::interp::exception::{self, Head};
use crate::process::{Timeout, handle};
use crate::term::{Header, Kind, TAG_CONS, Term, stack_word};
use crate::{release, time, timer};
use std::cmp::Ordering;

/// Index of the first float register in the register file.
pub const FLOATS: usize = 1024;

/// Runs the process at `own.pc`; see `interp::run`.
#[allow(
    clippy::cognitive_complexity,
    clippy::too_many_lines,
    reason = "one arm an instruction"
)]
pub fn run(cx: &mut Ctx<'_>) -> Outcome {
    let x: *mut Term = cx.x.as_mut_ptr();
    let mut pc: *const u64 = cx.own.pc;
    let mut sp: *mut Term = cx.own.stack.sp().cast();

    macro_rules! sync {
        () => {
            cx.own.stack.set_sp(sp.cast())
        };
    }
    macro_rules! reload {
        () => {
            sp = cx.own.stack.sp().cast()
        };
    }
    // Goes on where a slow part that has run already says; the stack may have changed.
    macro_rules! resume {
        ($next:expr) => {
            match $next {
                Next::Go(to) => {
                    reload!();
                    pc = to;
                    continue;
                }
                Next::Stop(outcome) => return outcome,
            }
        };
    }
    // A slow part that may change the stack and tells where to go on.
    macro_rules! go {
        ($next:expr) => {{
            sync!();
            match $next {
                Next::Go(to) => {
                    reload!();
                    pc = to;
                    continue;
                }
                Next::Stop(outcome) => return outcome,
            }
        }};
    }
    macro_rules! a {
        ($w:expr) => {
            (($w >> 12) as usize & 0xffff)
        };
    }
    macro_rules! b {
        ($w:expr) => {
            (($w >> 28) as usize & 0xffff)
        };
    }
    macro_rules! c {
        ($w:expr) => {
            (($w >> 44) as usize & 0xffff)
        };
    }
    macro_rules! ptr {
        ($p:expr, $n:expr) => {
            $p.wrapping_add($n)
        };
    }
    // The place that an operand names.
    macro_rules! place {
        ($o:expr) => {{
            let o: usize = $o;
            if o & 0x8000 == 0 {
                ptr!(x, o)
            } else if o & 0x4000 == 0 {
                ptr!(sp, o & 0x3fff)
            } else {
                ptr!(pc.cast_mut().cast::<Term>(), o & 0x3fff)
            }
        }};
    }
    macro_rules! src {
        ($o:expr) => {
            // SAFETY: see the module's text.
            unsafe { *place!($o) }
        };
    }
    macro_rules! dst {
        ($o:expr, $v:expr) => {{
            let v: Term = $v;
            let o: usize = $o;
            let at = if o & 0x8000 == 0 {
                ptr!(x, o)
            } else {
                ptr!(sp, o & 0x3fff)
            };
            // SAFETY: see the module's text.
            unsafe { *at = v }
        }};
    }
    macro_rules! getx {
        ($n:expr) => {
            // SAFETY: see the module's text.
            unsafe { *ptr!(x, $n) }
        };
    }
    macro_rules! setx {
        ($n:expr, $v:expr) => {{
            let v: Term = $v;
            // SAFETY: see the module's text.
            unsafe { *ptr!(x, $n) = v }
        }};
    }
    macro_rules! word {
        ($n:expr) => {
            // SAFETY: see the module's text.
            unsafe { *ptr!(pc, $n) }
        };
    }
    macro_rules! next {
        ($n:expr) => {{
            pc = ptr!(pc, $n);
            continue;
        }};
    }
    macro_rules! jump {
        ($w:expr) => {{
            pc = pc.wrapping_offset((($w as i64) >> 44) as isize);
            continue;
        }};
    }
    macro_rules! test {
        ($w:expr, $ok:expr) => {{ if $ok { next!(1) } else { jump!($w) } }};
    }
    // Operand i of a list of operands, four a word, that starts at a word of the instruction.
    macro_rules! listed {
        ($from:expr, $i:expr) => {
            ((word!($from + $i / 4) >> (16 * ($i % 4))) as usize & 0xffff)
        };
    }
    macro_rules! push_pc {
        ($after:expr) => {{
            sp = sp.wrapping_sub(1);
            // SAFETY: every frame was made with room for this word.
            unsafe { *sp.cast::<u64>() = stack_word::return_pc($after) }
        }};
    }
    // Enters code whose arity is known.
    macro_rules! enter {
        ($to:expr, $arity:expr) => {{
            pc = $to;
            cx.reds -= 1;
            if cx.reds < 0 {
                let (to, arity) = (pc, $arity);
                go!(calls::out_of_reductions(cx, to, arity));
            }
            continue;
        }};
    }
    // A call whose target is known only now, with the return address `after`.
    macro_rules! dynamic_call {
        ($target:expr, $after:expr) => {
            match $target {
                Ok((code, live)) => {
                    push_pc!($after);
                    go!(calls::arrive(cx, code, live))
                }
                Err(next) => resume!(next),
            }
        };
    }
    // The same as a tail call from a frame of `n` slots.
    macro_rules! dynamic_last {
        ($target:expr, $n:expr) => {
            match $target {
                Ok((code, live)) => {
                    drop_frame!($n);
                    go!(calls::arrive(cx, code, live))
                }
                Err(next) => resume!(next),
            }
        };
    }
    macro_rules! drop_frame {
        ($n:expr) => {
            sp = ptr!(sp, $n)
        };
    }
    macro_rules! float {
        ($n:expr) => {
            // SAFETY: see the module's text; float registers lie behind the X registers.
            unsafe { *ptr!(x, FLOATS + $n).cast::<f64>() }
        };
    }
    macro_rules! set_float {
        ($n:expr, $v:expr) => {{
            let v: f64 = $v;
            // SAFETY: as above.
            unsafe { *ptr!(x, FLOATS + $n).cast::<f64>() = v }
        }};
    }
    macro_rules! float_op {
        ($w:expr, $op:tt) => {{
            let r = float!(a!($w)) $op float!(b!($w));
            if !r.is_finite() {
                go!(calls::error(cx, pc, Atom::BADARITH));
            }
            set_float!(c!($w), r);
            next!(1)
        }};
    }
    macro_rules! arith {
        ($w:expr, $name:ident, $how:path) => {{
            let (p, q) = (src!(a!($w)), src!(b!($w)));
            match $how(cx.heap(), p, q) {
                Ok(v) => {
                    dst!(c!($w), v);
                    cx.note_allocation();
                    next!(1)
                }
                Err(e) => go!(arith_fault(cx, pc, Atom::$name, &[p, q], e)),
            }
        }};
    }

    loop {
        let at = fast::run(pc, sp, x, cx);
        (pc, sp) = (at.pc, at.sp);
        let w = word!(0);
        match (w & 0xfff) as u16 {
            // ---- calls ----
            ops::EXPORT_STUB => {
                // SAFETY: word 1 is the entry's own address.
                let e: &'static Export = unsafe { &*(word!(1) as *const Export) };
                go!(calls::stub(cx, e, pc))
            }
            ops::LAZY => {
                // SAFETY: word 1 is the address of a function record.
                let f: &'static FnInfo = unsafe { &*(word!(1) as *const FnInfo) };
                pc = calls::translate(f);
            }
            ops::FUNC_INFO => {
                // SAFETY: as above.
                let function: &'static FnInfo = unsafe { &*(word!(1) as *const FnInfo) };
                let args: Vec<Term> = cx.x[..function.arity as usize].to_vec();
                let args = cx.heap().list(&args);
                let head = Head::Clause { function, args };
                go!(calls::raise(
                    cx,
                    pc,
                    Class::Error,
                    Atom::FUNCTION_CLAUSE.into(),
                    head
                ))
            }
            ops::ENTER => enter!(ptr!(pc, 1), a!(w)),
            ops::CALL => {
                // SAFETY: word 1 is the address of a function record.
                let f = unsafe { &*(word!(1) as *const FnInfo) };
                push_pc!(ptr!(pc, 2));
                enter!(f.code(), a!(w))
            }
            ops::CALL_LAST => {
                // SAFETY: as above.
                let f = unsafe { &*(word!(1) as *const FnInfo) };
                drop_frame!(b!(w));
                enter!(f.code(), a!(w))
            }
            ops::CALL_ONLY => {
                // SAFETY: as above.
                let f = unsafe { &*(word!(1) as *const FnInfo) };
                enter!(f.code(), a!(w))
            }
            ops::CALL_EXT => {
                // SAFETY: word 1 is the address of an export entry.
                let e = unsafe { &*(word!(1) as *const Export) };
                push_pc!(ptr!(pc, 2));
                enter!(e.code(), a!(w))
            }
            ops::CALL_EXT_LAST => {
                // SAFETY: as above.
                let e = unsafe { &*(word!(1) as *const Export) };
                drop_frame!(b!(w));
                enter!(e.code(), a!(w))
            }
            ops::CALL_EXT_ONLY => {
                // SAFETY: as above.
                let e = unsafe { &*(word!(1) as *const Export) };
                enter!(e.code(), a!(w))
            }
            ops::CALL_BIF => {
                // SAFETY: as above.
                let e: &'static Export = unsafe { &*(word!(1) as *const Export) };
                go!(calls::call_bif(cx, e, pc, ptr!(pc, 2)))
            }
            ops::HIBERNATED => {
                if cx.own.mailbox.is_empty() {
                    sync!();
                    park(cx, pc, 3);
                    return Outcome::Wait;
                }
                next!(1)
            }
            ops::APPLY_ARGS => {
                sync!();
                dynamic_last!(calls::apply_mfa(cx, pc), 0)
            }
            ops::APPLY => {
                sync!();
                let target = calls::apply(cx, pc, a!(w));
                dynamic_call!(target, ptr!(pc, 1))
            }
            ops::APPLY_LAST => {
                sync!();
                let target = calls::apply(cx, pc, a!(w));
                if calls::always_raises(&target) {
                    dynamic_call!(target, ptr!(pc, 1))
                }
                dynamic_last!(target, b!(w))
            }
            ops::APPLY_FUN_LIST | ops::APPLY_MFA => {
                sync!();
                let target = if (w & 0xfff) as u16 == ops::APPLY_MFA {
                    calls::apply_mfa(cx, pc)
                } else {
                    calls::apply_fun_list(cx, pc)
                };
                match c!(w) {
                    0 => dynamic_call!(target, ptr!(pc, 1)),
                    _ if calls::always_raises(&target) => dynamic_call!(target, ptr!(pc, 1)),
                    1 => dynamic_last!(target, b!(w)),
                    _ => dynamic_last!(target, 0),
                }
            }
            ops::CALL_FUN => {
                let fun = src!(b!(w));
                sync!();
                let target = calls::call_fun(cx, pc, fun, a!(w), Head::Call);
                dynamic_call!(target, ptr!(pc, 1))
            }
            ops::CALL_FUN_LAST => {
                let fun = src!(b!(w));
                sync!();
                let target = calls::call_fun(cx, pc, fun, a!(w), Head::Here);
                dynamic_last!(target, c!(w))
            }
            ops::RETURN => {
                // SAFETY: the verifier has seen that the frame is gone, so a return address is on top.
                let back = unsafe { *sp.cast::<u64>() };
                sp = ptr!(sp, 1);
                pc = stack_word::pc(back);
            }
            ops::NORMAL_EXIT => {
                let reason = crate::heap::literal::OwnedTerm::new(Atom::NORMAL.into());
                cx.own.exit_reason = Some(Box::new(reason));
                return Outcome::Exit;
            }

            // ---- frames and memory ----
            ops::ALLOCATE => {
                let (slots, words) = (a!(w), (w >> 44) as usize);
                if (sp as usize).wrapping_sub(cx.own.stack.limit() as usize) / 8
                    < slots + STACK_SLACK
                {
                    sync!();
                    calls::grow_stack(cx, slots + STACK_SLACK);
                    reload!();
                }
                if words > 0 && cx.own.heap.young.room() < words {
                    sync!();
                    if !calls::reserve(cx, words, b!(w)) {
                        return Outcome::Exit;
                    }
                    reload!();
                }
                for _ in 0..slots {
                    sp = sp.wrapping_sub(1);
                    // SAFETY: there is room, see above.
                    unsafe { *sp = Term::NIL }
                }
                next!(1)
            }
            ops::TEST_HEAP => {
                let words = word!(1) as usize;
                if cx.own.heap.young.room() < words || cx.own.heap.stress {
                    sync!();
                    if !calls::reserve(cx, words, a!(w)) {
                        return Outcome::Exit;
                    }
                    reload!();
                }
                next!(2)
            }
            ops::DEALLOCATE | ops::TRIM => {
                drop_frame!(a!(w));
                next!(1)
            }
            ops::DEALLOCATE_RETURN => {
                drop_frame!(a!(w));
                // SAFETY: as for `RETURN`.
                let back = unsafe { *sp.cast::<u64>() };
                sp = ptr!(sp, 1);
                pc = stack_word::pc(back);
            }
            ops::INIT_Y => {
                let n = b!(w);
                for i in 0..n {
                    dst!(listed!(1, i), Term::NIL);
                }
                next!(1 + n.div_ceil(4))
            }
            ops::JUMP => jump!(w),
            ops::JUMP_FAR => {
                pc = pc.wrapping_offset(word!(1) as u32 as i32 as isize);
                continue;
            }

            // ---- moves, lists, tuples ----
            ops::MOVE | ops::MOVE_XX | ops::MOVE_YX | ops::MOVE_XY | ops::MOVE_KX => {
                dst!(b!(w), src!(a!(w)));
                next!(1)
            }
            ops::MOVE2 | ops::MOVE2_XX | ops::MOVE2_XY | ops::MOVE2_YX => {
                dst!(b!(w), src!(a!(w)));
                dst!(word!(1) as usize & 0xffff, src!(c!(w)));
                next!(2)
            }
            ops::SWAP => {
                let (p, q) = (src!(a!(w)), src!(b!(w)));
                dst!(a!(w), q);
                dst!(b!(w), p);
                next!(1)
            }
            ops::GET_LIST | ops::GET_LIST_XXX => {
                let l = src!(a!(w));
                if !l.is_cons() {
                    go!(bad_code(cx, pc));
                }
                let (h, t) = (l.head(), l.tail());
                dst!(b!(w), h);
                dst!(c!(w), t);
                next!(1)
            }
            ops::IS_CONS_GET_LIST => {
                let l = getx!(a!(w));
                if l.tag() != TAG_CONS {
                    jump!(w)
                }
                let (h, t) = (l.head(), l.tail());
                let to = word!(1) as usize;
                setx!(to & 0xffff, h);
                setx!(to >> 16, t);
                next!(2)
            }
            ops::GET_HD => {
                let l = src!(a!(w));
                if !l.is_cons() {
                    go!(bad_code(cx, pc));
                }
                dst!(b!(w), l.head());
                next!(1)
            }
            ops::GET_TL => {
                let l = src!(a!(w));
                if !l.is_cons() {
                    go!(bad_code(cx, pc));
                }
                dst!(b!(w), l.tail());
                next!(1)
            }
            ops::PUT_LIST | ops::PUT_LIST_XXX | ops::PUT_LIST_YXX => {
                let (h, t) = (src!(a!(w)), src!(b!(w)));
                let l = cx.own.heap.young.cons(h, t);
                dst!(c!(w), l);
                next!(1)
            }
            ops::PUT_TUPLE => {
                let n = b!(w);
                let p = cx.own.heap.young.alloc(1 + n);
                // SAFETY: that many fresh words.
                unsafe {
                    *p = crate::term::Header::new(Kind::Tuple, n).0;
                    for i in 0..n {
                        *p.add(1 + i) = src!(listed!(1, i)).raw();
                    }
                }
                dst!(a!(w), Term::boxed_at(p));
                next!(1 + n.div_ceil(4))
            }
            ops::PUT_LONG_TUPLE => {
                let n = word!(1) as usize;
                let p = cx.own.heap.young.alloc(1 + n);
                // SAFETY: that many fresh words.
                unsafe {
                    *p = crate::term::Header::new(Kind::Tuple, n).0;
                    for i in 0..n {
                        let o = word!(2 + i);
                        *p.add(1 + i) = if o & 0b111 == operand::WIDE_PLACE {
                            src!((o >> 3) as usize).raw()
                        } else {
                            o
                        };
                    }
                }
                dst!(a!(w), Term::boxed_at(p));
                next!(2 + n)
            }
            ops::GET_FAR_TUPLE_ELEMENT => {
                let (t, i) = (src!(a!(w)), word!(1) as usize);
                if !(t.is_boxed() && t.header().kind() == Kind::Tuple && i < t.header().words()) {
                    go!(bad_code(cx, pc));
                }
                dst!(b!(w), Term(t.word(1 + i)));
                next!(2)
            }
            ops::GET_TUPLE_ELEMENT | ops::GET_TUPLE_ELEMENT_XX => {
                let (t, i) = (src!(a!(w)), b!(w));
                if !(t.is_boxed() && t.header().kind() == Kind::Tuple && i < t.header().words()) {
                    go!(bad_code(cx, pc));
                }
                dst!(c!(w), Term(t.word(1 + i)));
                next!(1)
            }
            ops::GET_TWO_ELEMENTS => {
                let (t, i, second) = (getx!(a!(w)), b!(w), word!(1) as usize);
                let j = second & 0xffff;
                if !t.is_tuple() || i.max(j) >= t.header().words() {
                    go!(bad_code(cx, pc));
                }
                setx!(c!(w), Term(t.word(1 + i)));
                setx!(second >> 16, Term(t.word(1 + j)));
                next!(2)
            }
            ops::SET_TUPLE_ELEMENT => {
                let (v, t, i) = (src!(a!(w)), src!(b!(w)), (w >> 44) as usize);
                if !t.is_tuple()
                    || i >= t.header().words()
                    || crate::heap::literal::is_literal(t.ptr())
                {
                    go!(bad_code(cx, pc));
                }
                set_element(cx, t, i, v);
                next!(1)
            }
            ops::UPDATE_RECORD => {
                let (t, n, updates) = (src!(a!(w)), word!(1) as usize, c!(w));
                if !t.is_tuple() || t.header().words() != n {
                    go!(bad_code(cx, pc));
                }
                let p = cx.own.heap.young.alloc(1 + n);
                // SAFETY: that many fresh words; the tuple has as many; positions were verified.
                unsafe {
                    std::ptr::copy_nonoverlapping(t.ptr(), p, 1 + n);
                    for k in 0..updates {
                        let pair = word!(2 + k);
                        *p.add((pair & 0xffff_ffff) as usize) = src!((pair >> 32) as usize).raw();
                    }
                }
                dst!(b!(w), Term::boxed_at(p));
                next!(2 + updates)
            }

            // ---- errors ----
            ops::BADMATCH => go!(calls::error_with(cx, pc, Atom::BADMATCH, src!(a!(w)))),
            ops::IF_END => go!(calls::error(cx, pc, Atom::IF_CLAUSE)),
            ops::CASE_END => go!(calls::error_with(cx, pc, Atom::CASE_CLAUSE, src!(a!(w)))),
            ops::TRY_CASE_END => go!(calls::error_with(cx, pc, Atom::TRY_CLAUSE, src!(a!(w)))),
            ops::BADRECORD => go!(calls::error_with(cx, pc, Atom::BADRECORD, src!(a!(w)))),
            ops::NO_RETURN | ops::ON_LOAD | ops::BREAKPOINT | ops::BAD_CODE => {
                go!(bad_code(cx, pc))
            }
            ops::CATCH => {
                let handler = pc.wrapping_offset(((w as i64) >> 44) as isize);
                // SAFETY: see the module's text.
                unsafe { *ptr!(sp, a!(w)).cast::<u64>() = stack_word::catch(handler) };
                next!(1)
            }
            ops::TRY_END => {
                // SAFETY: see the module's text.
                unsafe { *ptr!(sp, a!(w)) = Term::NIL };
                next!(1)
            }
            ops::CATCH_END => {
                // SAFETY: see the module's text.
                unsafe { *ptr!(sp, a!(w)) = Term::NIL };
                if getx!(0).is_nonvalue() {
                    sync!();
                    let v = exception::catch_value(cx, getx!(1), getx!(2), getx!(3));
                    setx!(0, v);
                    if cx.own.heap.wants_gc() {
                        cx.own.collect(&mut cx.x[..1], 0, false);
                        if cx.own.exit_reason.is_some() {
                            return Outcome::Exit;
                        }
                    }
                    reload!();
                }
                next!(1)
            }
            ops::TRY_CASE => {
                // SAFETY: see the module's text.
                unsafe { *ptr!(sp, a!(w)) = Term::NIL };
                setx!(0, getx!(1));
                setx!(1, getx!(2));
                setx!(2, getx!(3));
                next!(1)
            }
            ops::RAISE => {
                let (raw, reason) = (src!(a!(w)), src!(b!(w)));
                let class = exception::class_of(raw).unwrap_or(Class::Error);
                go!(calls::raise(cx, pc, class, reason, Head::Given(raw)))
            }
            ops::BUILD_STACKTRACE => {
                let list = exception::stacktrace(cx.heap(), getx!(0));
                setx!(0, list);
                cx.note_allocation();
                next!(1)
            }
            ops::RAW_RAISE => {
                match getx!(0).as_atom().and_then(Class::from_atom) {
                    Some(class) => {
                        go!(calls::raise(cx, pc, class, getx!(1), Head::Given(getx!(2))))
                    }
                    None => setx!(0, Atom::BADARG.into()),
                }
                next!(1)
            }

            // ---- type tests ----
            ops::IS_NONEMPTY_LIST | ops::IS_NONEMPTY_LIST_X => test!(w, src!(a!(w)).is_cons()),
            ops::IS_NIL | ops::IS_NIL_X => test!(w, src!(a!(w)).is_nil()),
            ops::IS_LIST => test!(w, src!(a!(w)).is_list()),
            ops::IS_ATOM | ops::IS_ATOM_X => test!(w, src!(a!(w)).is_atom()),
            ops::IS_INTEGER | ops::IS_INTEGER_X => test!(w, src!(a!(w)).is_integer()),
            ops::IS_FLOAT => test!(w, src!(a!(w)).is_float()),
            ops::IS_NUMBER => test!(w, src!(a!(w)).is_number()),
            ops::IS_PID => test!(w, src!(a!(w)).is_pid()),
            ops::IS_REFERENCE => test!(w, src!(a!(w)).is_reference()),
            ops::IS_PORT => test!(w, src!(a!(w)).is_port()),
            ops::IS_BINARY => {
                let t = src!(a!(w));
                test!(
                    w,
                    t.is_binary() || t.is_kind(Kind::MatchCtx) && bits::left(t) & 7 == 0
                )
            }
            ops::IS_BITSTR => {
                let t = src!(a!(w));
                test!(w, t.is_bitstring() || t.is_kind(Kind::MatchCtx))
            }
            ops::IS_TUPLE => test!(w, src!(a!(w)).is_tuple()),
            ops::IS_FUNCTION => test!(w, src!(a!(w)).is_function()),
            ops::IS_BOOLEAN => test!(w, src!(a!(w)).as_bool().is_some()),
            ops::IS_MAP => test!(w, src!(a!(w)).is_map()),
            ops::IS_RECORD => test!(w, src!(a!(w)).is_kind(Kind::Record)),
            ops::IS_FUNCTION2 => test!(w, is_function2(src!(a!(w)), src!(b!(w)))),
            ops::TEST_ARITY | ops::IS_TUPLE_OF_ARITY | ops::IS_TUPLE_OF_ARITY_X => {
                let t = src!(a!(w));
                test!(
                    w,
                    t.is_boxed() && t.header() == crate::term::Header::new(Kind::Tuple, b!(w))
                )
            }
            ops::IS_LONG_TUPLE => {
                let t = src!(a!(w));
                if t.is_boxed()
                    && t.header() == crate::term::Header::new(Kind::Tuple, word!(1) as usize)
                    && (word!(2) == 0 || t.word(1) == word!(2))
                {
                    next!(3)
                }
                jump!(w)
            }
            ops::IS_TAGGED_TUPLE | ops::IS_TAGGED_TUPLE_X => {
                let t = src!(a!(w));
                if t.is_boxed()
                    && t.header() == crate::term::Header::new(Kind::Tuple, b!(w))
                    && t.word(1) == word!(1)
                {
                    next!(2)
                }
                jump!(w)
            }

            // ---- comparisons ----
            ops::IS_EQ_IMM => {
                if getx!(a!(w)).raw() == word!(1) {
                    next!(2)
                }
                jump!(w)
            }
            ops::IS_NE_IMM => {
                if getx!(a!(w)).raw() != word!(1) {
                    next!(2)
                }
                jump!(w)
            }
            ops::IS_EQ_EXACT => test!(w, compare::exact_eq(src!(a!(w)), src!(b!(w)))),
            ops::IS_NE_EXACT => test!(w, !compare::exact_eq(src!(a!(w)), src!(b!(w)))),
            ops::IS_EQ => test!(w, compare::eq(src!(a!(w)), src!(b!(w)))),
            ops::IS_NE => test!(w, !compare::eq(src!(a!(w)), src!(b!(w)))),
            ops::IS_LT | ops::IS_LT_XX | ops::IS_LT_XK | ops::IS_LT_KX => test!(
                w,
                compare::compare(src!(a!(w)), src!(b!(w))) == Ordering::Less
            ),
            ops::IS_GE | ops::IS_GE_XX | ops::IS_GE_XK | ops::IS_GE_KX => test!(
                w,
                compare::compare(src!(a!(w)), src!(b!(w))) != Ordering::Less
            ),
            ops::SELECT => {
                let v = src!(a!(w)).raw();
                let n = b!(w);
                // SAFETY: the words follow the instruction's first.
                let keys = unsafe { std::slice::from_raw_parts(ptr!(pc, 1), n) };
                match keys.binary_search(&v) {
                    Ok(i) => {
                        let d = (word!(1 + n + i / 2) >> (32 * (i & 1))) as i32;
                        pc = pc.wrapping_offset(d as isize);
                    }
                    Err(_) => jump!(w),
                }
            }
            ops::SELECT_RANGE => {
                let v = src!(a!(w));
                let i = v.small_value().wrapping_sub(word!(1) as i64) as u64;
                if v.is_small() && i < b!(w) as u64 {
                    let d = (word!(2 + i as usize / 2) >> (32 * (i & 1))) as i32;
                    pc = pc.wrapping_offset(d as isize);
                    continue;
                }
                jump!(w)
            }
            ops::SELECT_ARITY => {
                let t = src!(a!(w));
                if !t.is_tuple() {
                    jump!(w)
                }
                let n = b!(w);
                // SAFETY: the words follow the instruction's first.
                let keys = unsafe { std::slice::from_raw_parts(ptr!(pc, 1), n) };
                match keys.iter().position(|&k| k == t.header().words() as u64) {
                    Some(i) => {
                        let d = (word!(1 + n + i / 2) >> (32 * (i & 1))) as i32;
                        pc = pc.wrapping_offset(d as isize);
                    }
                    None => jump!(w),
                }
            }

            // ---- arithmetic ----
            ops::ADD_XI => {
                let p = getx!(a!(w));
                let step = i64::from(b!(w) as u16 as i16);
                let q = Term::small(step);
                match arith::add(cx.heap(), p, q) {
                    Ok(v) => {
                        setx!(c!(w) & 0xffff, v);
                        cx.note_allocation();
                        next!(1)
                    }
                    Err(e) => go!(step_fault(cx, pc, p, step, e)),
                }
            }
            ops::ADD | ops::ADD_XX | ops::ADD_YX | ops::ADD_YK => arith!(w, PLUS, arith::add),
            ops::SUB | ops::SUB_XX | ops::SUB_YK => arith!(w, MINUS, arith::sub),
            ops::MUL | ops::MUL_XX | ops::MUL_XK => arith!(w, TIMES, arith::mul),
            ops::INT_DIV => arith!(w, DIV, arith::int_div),
            ops::INT_REM => arith!(w, REM, arith::int_rem),
            ops::BAND | ops::BAND_XX | ops::BAND_XK => arith!(w, BAND, arith::band),
            ops::BOR | ops::BOR_XX => arith!(w, BOR, arith::bor),
            ops::BXOR | ops::BXOR_XX => arith!(w, BXOR, arith::bxor),
            ops::BSL | ops::BSL_XK => arith!(w, BSL, arith::bsl),
            ops::BSR | ops::BSR_XK => arith!(w, BSR, arith::bsr),
            ops::ARITH_GUARD
            | ops::ARITH_GUARD_ADD
            | ops::ARITH_GUARD_MUL
            | ops::ARITH_GUARD_DIV
            | ops::ARITH_GUARD_BSR
            | ops::ARITH_GUARD_SUB
            | ops::ARITH_GUARD_REM
            | ops::ARITH_GUARD_BAND => {
                let (p, q) = (src!(a!(w)), src!(b!(w)));
                let how = word!(1);
                match arith_guard(cx, (how >> 16) as u16, p, q) {
                    Ok(v) => {
                        dst!(how as usize & 0xffff, v);
                        cx.note_allocation();
                        next!(2)
                    }
                    Err(_) => jump!(w),
                }
            }
            ops::GUARD_BIF
            | ops::GUARD_ELEMENT
            | ops::GUARD_HD
            | ops::GUARD_TL
            | ops::GUARD_TUPLE_SIZE
            | ops::GUARD_SELF => {
                // SAFETY: word 1 is the address of an export entry.
                let e: &'static Export = unsafe { &*(word!(1) as *const Export) };
                let n = a!(w);
                let list = word!(2) as usize;
                let args = [
                    src!(list & 0xffff),
                    src!((list >> 16) & 0xffff),
                    src!((list >> 32) & 0xffff),
                ];
                // From OTP 28 on sizes are asked of match contexts too.
                let args = args.map(|t| {
                    if t.is_kind(Kind::MatchCtx) {
                        bits::tail(cx.heap(), t)
                    } else {
                        t
                    }
                });
                sync!();
                let Some(bif) = e.bif() else {
                    go!(missing_guard(cx, pc, e))
                };
                let live = list >> 48;
                let value = if bif.has_steps() {
                    calls::guard_steps(cx, bif, &args[..n], live > 0)
                } else {
                    (bif.run)(cx, &args[..n])
                };
                match value {
                    Ok(v) => {
                        dst!(b!(w), v);
                        cx.note_allocation();
                        next!(3)
                    }
                    Err(Exit::Yield) => return calls::yield_at(cx, pc, live - 1),
                    Err(_) if (w as i64) >> 44 != 0 => jump!(w),
                    Err(exit) => go!(calls::bif_raised(cx, pc, e, &args[..n], exit)),
                }
            }

            // ---- messages ----
            ops::SEND => {
                sync!();
                match crate::bif::send(cx, getx!(0), getx!(1)) {
                    Ok(()) => {
                        setx!(0, getx!(1));
                        cx.reds -= 4;
                        next!(1)
                    }
                    Err(e) => {
                        let export = crate::code::export::get(Atom::ERLANG, Atom::SEND_MESSAGE, 2);
                        let args = [getx!(0), getx!(1)];
                        match e {
                            Exit::Raise { .. } => go!(calls::bif_raised(cx, pc, export, &args, e)),
                            _ => {
                                park(cx, pc, 2);
                                return if matches!(e, Exit::Wait) {
                                    Outcome::Wait
                                } else {
                                    Outcome::Yield
                                };
                            }
                        }
                    }
                }
            }
            ops::LOOP_REC => {
                let mut message = cx.own.mailbox.peek();
                if message.is_none() && !cx.proc.inbox.is_empty() {
                    sync!();
                    cx.own.pc = pc;
                    handle::fetch(cx);
                    if cx.own.exit_reason.is_some() {
                        return Outcome::Exit;
                    }
                    reload!();
                    message = cx.own.mailbox.peek();
                }
                match message {
                    Some(m) => {
                        dst!(a!(w), m);
                        next!(1)
                    }
                    None => jump!(w),
                }
            }
            ops::LOOP_REC_END => {
                cx.own.mailbox.skip();
                cx.reds -= 1;
                let back = pc.wrapping_offset(((w as i64) >> 44) as isize);
                if cx.reds < 0 {
                    go!(calls::out_of_reductions(cx, back, 0));
                }
                pc = back;
            }
            ops::WAIT => {
                let back = pc.wrapping_offset(((w as i64) >> 44) as isize);
                sync!();
                park(cx, back, 0);
                return Outcome::Wait;
            }
            ops::WAIT_TIMEOUT => {
                let back = pc.wrapping_offset(((w as i64) >> 44) as isize);
                match cx.own.timeout {
                    Timeout::Over => next!(1),
                    Timeout::Running(..) | Timeout::Never => {
                        sync!();
                        park(cx, back, 0);
                        return Outcome::Wait;
                    }
                    Timeout::None => {
                        let t = src!(a!(w));
                        sync!();
                        match start_wait(cx, t) {
                            Some(Wait::Over) => next!(1),
                            Some(Wait::Started) => {
                                park(cx, back, 0);
                                return Outcome::Wait;
                            }
                            None => {
                                cx.own.mailbox.rewind();
                                go!(calls::error(cx, pc, Atom::TIMEOUT_VALUE))
                            }
                        }
                    }
                }
            }
            ops::TIMEOUT => {
                cx.own.mailbox.rewind();
                cx.own.timeout = Timeout::None;
                next!(1)
            }
            ops::REMOVE_MESSAGE => {
                let own = &mut *cx.own;
                own.mailbox.take(&mut own.heap.young);
                if let Timeout::Running(_, handle) = own.timeout {
                    timer::cancel(handle);
                }
                own.timeout = Timeout::None;
                cx.note_allocation();
                next!(1)
            }
            ops::RECV_MARKER_RESERVE => {
                // Signals are not fetched here, where X registers may be live: messages that wait outside
                // get later numbers than the marker, and are looked at once more than need be.
                let m = cx.own.mailbox.reserve_marker();
                dst!(a!(w), m);
                next!(1)
            }
            ops::RECV_MARKER_BIND => {
                cx.own.mailbox.bind_marker(src!(a!(w)), src!(b!(w)));
                next!(1)
            }
            ops::RECV_MARKER_CLEAR => {
                cx.own.mailbox.clear_marker(src!(a!(w)));
                next!(1)
            }
            ops::RECV_MARKER_USE => {
                cx.own.mailbox.use_marker(src!(a!(w)));
                next!(1)
            }

            // ---- funs and maps ----
            ops::MAKE_FUN => {
                let n = b!(w);
                // SAFETY: word 1 is the address of a fun entry, which is never freed.
                let entry: &'static FunEntry = unsafe { &*(word!(1) as *const FunEntry) };
                let mut env = [Term::NIL; 256];
                for (i, slot) in env.iter_mut().enumerate().take(n) {
                    *slot = src!(listed!(2, i));
                }
                let me = cx.self_pid();
                let f = cx.own.heap.young.fun(entry, me, &env[..n]);
                dst!(a!(w), f);
                next!(2 + n.div_ceil(4))
            }
            ops::HAS_MAP_FIELDS => {
                let (m, n) = (src!(a!(w)), b!(w));
                let mut ok = m.is_map();
                for i in 0..n {
                    ok = ok && crate::data::map::get(m, src!(listed!(1, i))).is_some();
                }
                if !ok {
                    jump!(w)
                }
                next!(1 + n.div_ceil(4))
            }
            ops::GET_MAP_ELEMENTS => {
                let (m, n) = (src!(a!(w)), b!(w));
                let mut ok = m.is_map();
                let mut i = 0;
                while ok && i < n {
                    match crate::data::map::get(m, src!(listed!(1, i))) {
                        Some(v) => dst!(listed!(1, i + 1), v),
                        None => ok = false,
                    }
                    i += 2;
                }
                if !ok {
                    jump!(w)
                }
                next!(1 + n.div_ceil(4))
            }
            ops::PUT_MAP_ASSOC => {
                let (m, n) = (src!(a!(w)), b!(w));
                let mut pairs: Vec<(Term, Term)> = Vec::with_capacity(n / 2);
                for i in (0..n).step_by(2) {
                    pairs.push((src!(listed!(1, i)), src!(listed!(1, i + 1))));
                }
                match maps::put_assoc(cx.heap(), m, &pairs) {
                    Some(v) => dst!(c!(w), v),
                    None => go!(calls::error_with(cx, pc, Atom::BADMAP, m)),
                }
                cx.note_allocation();
                next!(1 + n.div_ceil(4))
            }
            ops::NEW_MAP => {
                let n = b!(w);
                let p = cx.heap().alloc(2 + n);
                // SAFETY: that many fresh words, laid out as a flat map; word 1 is a tuple of `n` keys in order.
                unsafe {
                    *p = Header::new(Kind::FlatMap, 1 + n).0;
                    *p.add(1) = word!(1);
                    for i in 0..n {
                        *p.add(2 + i) = src!(listed!(2, i)).raw();
                    }
                }
                dst!(a!(w), Term::boxed_at(p));
                cx.note_allocation();
                next!(2 + n.div_ceil(4))
            }
            ops::PUT_MAP_EXACT => {
                let (m, n) = (src!(a!(w)), b!(w));
                let mut pairs: Vec<(Term, Term)> = Vec::with_capacity(n / 2);
                for i in (0..n).step_by(2) {
                    pairs.push((src!(listed!(2, i)), src!(listed!(2, i + 1))));
                }
                match maps::put_exact(cx.heap(), m, &pairs) {
                    Ok(v) => dst!(word!(1) as usize & 0xffff, v),
                    Err(_) if (w as i64) >> 44 != 0 => jump!(w),
                    Err((tag, what)) => go!(calls::error_with(cx, pc, tag, what)),
                }
                cx.note_allocation();
                next!(2 + n.div_ceil(4))
            }

            // ---- native records ----
            ops::RECORD_OP => {
                let (operation, n) = (a!(w) as u64, b!(w));
                let size = 2 + n.div_ceil(4);
                if operation == op::ELEMENTS {
                    let value = src!(listed!(2, 0));
                    // The value's own register may be among the destinations, so all fields come first.
                    let mut found = value.is_kind(Kind::Record);
                    let mut fields: Vec<Term> = Vec::with_capacity(n / 2);
                    let mut i = 1;
                    while found && i < n {
                        match record::position(value, src!(listed!(2, i))) {
                            Some(at) => fields.push(record::values(value)[at]),
                            None => found = false,
                        }
                        i += 2;
                    }
                    if !found {
                        jump!(w);
                    }
                    for (k, &v) in fields.iter().enumerate() {
                        dst!(listed!(2, 2 * k + 2), v);
                    }
                    next!(size)
                }
                let mut args: Vec<Term> = Vec::with_capacity(n);
                for i in 0..n {
                    args.push(src!(listed!(2, i)));
                }
                // SAFETY: the upper bits are the address of the running module, which is never freed.
                let running = unsafe { &*((word!(1) >> 16) as *const Module) };
                match records::run(cx, running, operation, &args) {
                    records::Outcome::Test(true) => {}
                    records::Outcome::Test(false) => jump!(w),
                    records::Outcome::Value(v) => dst!(word!(1) as usize & 0xffff, v),
                    records::Outcome::Error(_) if (w as i64) >> 44 != 0 => jump!(w),
                    records::Outcome::Error(reason) => go!(calls::error(cx, pc, reason)),
                }
                cx.note_allocation();
                next!(size)
            }

            // ---- floats ----
            ops::FLOAD => {
                match src!(a!(w)).as_float() {
                    Some(f) => set_float!(b!(w), f),
                    None => go!(bad_code(cx, pc)),
                }
                next!(1)
            }
            ops::FSTORE => {
                let v = cx.own.heap.young.float(float!(a!(w)));
                dst!(b!(w), v);
                next!(1)
            }
            ops::FMOVE => {
                set_float!(b!(w), float!(a!(w)));
                next!(1)
            }
            ops::FCONV => {
                match arith::float_value(src!(a!(w))) {
                    Ok(f) => set_float!(b!(w), f),
                    Err(_) => go!(calls::error(cx, pc, Atom::BADARITH)),
                }
                next!(1)
            }
            ops::FADD => float_op!(w, +),
            ops::FSUB => float_op!(w, -),
            ops::FMUL => float_op!(w, *),
            ops::FDIV => float_op!(w, /),
            ops::FNEGATE => {
                set_float!(b!(w), -float!(a!(w)));
                next!(1)
            }

            // ---- bit syntax ----
            ops::BS_START => {
                let s = src!(a!(w));
                match bits::start(cx.heap(), s) {
                    Some(ctx) => {
                        dst!(b!(w), ctx);
                        next!(1)
                    }
                    None if (w as i64) >> 44 != 0 => jump!(w),
                    None => go!(bad_code(cx, pc)),
                }
            }
            ops::BS_TEST_TAIL => test!(w, bits::left(src!(a!(w))) == b!(w)),
            ops::BS_TEST_UNIT => test!(w, bits::left(src!(a!(w))).is_multiple_of(b!(w).max(1))),
            ops::BS_TEST_LONG => {
                let (left, n) = (bits::left(src!(a!(w))), word!(1) as usize);
                if if b!(w) == 0 {
                    left == n
                } else {
                    left.is_multiple_of(n)
                } {
                    next!(2)
                }
                jump!(w)
            }
            ops::BS_GET_TAIL => {
                let s = src!(a!(w));
                let t = bits::tail(cx.heap(), s);
                dst!(b!(w), t);
                next!(1)
            }
            ops::BS_GET_POSITION => {
                let s = src!(a!(w));
                let t = bits::position(cx.heap(), s);
                dst!(b!(w), t);
                next!(1)
            }
            ops::BS_SET_POSITION => {
                bits::set_position(src!(a!(w)), src!(b!(w)));
                next!(1)
            }
            ops::BS_GET => {
                let (s, size) = (src!(a!(w)), src!(b!(w)));
                let how = word!(1);
                match bits::get(cx.heap(), s, size, how) {
                    Some(v) => {
                        if !v.is_nonvalue() {
                            dst!(how as usize & 0xffff, v);
                        }
                        cx.note_allocation();
                        next!(2)
                    }
                    None => jump!(w),
                }
            }
            ops::BS_GET_UTF => match bits::get_utf(src!(a!(w)), word!(1)) {
                Some(v) => {
                    if b!(w) != 0xffff {
                        dst!(b!(w), v);
                    }
                    next!(2)
                }
                None => jump!(w),
            },
            ops::BS_MATCH_STRING => {
                if bits::match_string(src!(a!(w)), word!(1) as usize, word!(2)) {
                    next!(3)
                }
                jump!(w)
            }
            ops::BS_MATCH | ops::BS_MATCH_SHORT => {
                let s = src!(a!(w));
                let n = b!(w);
                let mut ok = s.is_kind(Kind::MatchCtx);
                let mut i = 0;
                while ok && i < n {
                    let (how, arg) = (word!(1 + 2 * i), word!(2 + 2 * i));
                    match bits::command(cx.heap(), s, how, arg) {
                        Some(v) if v.is_nonvalue() => {}
                        Some(v) => dst!((how >> 16) as usize & 0xffff, v),
                        None => ok = false,
                    }
                    i += 1;
                }
                if !ok {
                    jump!(w)
                }
                cx.note_allocation();
                next!(1 + 2 * n)
            }
            ops::BS_CREATE | ops::BS_CREATE_SHORT => {
                let n = a!(w);
                let mut segments: [bits::Segment; bits::INLINE_SEGMENTS] =
                    [bits::Segment::NONE; bits::INLINE_SEGMENTS];
                let mut many: Vec<bits::Segment> = Vec::new();
                let decode = |i: usize| {
                    bits::Segment::decode(word!(1 + 2 * i), word!(2 + 2 * i), |o| src!(o))
                };
                if n <= bits::INLINE_SEGMENTS {
                    for (i, slot) in segments.iter_mut().enumerate().take(n) {
                        *slot = decode(i);
                    }
                } else {
                    many.extend((0..n).map(decode));
                }
                let list = if n <= bits::INLINE_SEGMENTS {
                    &segments[..n]
                } else {
                    &many[..]
                };
                match bits::create(cx.heap(), list) {
                    Ok((v, bytes)) => {
                        cx.bump(bytes / bits::BYTES_A_REDUCTION);
                        dst!(b!(w), v);
                        cx.note_allocation();
                        next!(1 + 2 * n)
                    }
                    Err(_) if (w as i64) >> 44 != 0 => jump!(w),
                    Err(fault) => go!(bits::raise_create(cx, pc, &fault)),
                }
            }
            ops::BS_INIT_WRITABLE => {
                let size = getx!(0);
                let v = bits::init_writable(cx.heap(), size);
                setx!(0, v);
                next!(1)
            }
            ops::BS_ADD => {
                let (p, q) = (src!(a!(w)), src!(b!(w)));
                match bits::add_sizes(p, q, word!(1) as usize & 0xffff) {
                    Ok(v) => {
                        dst!((word!(1) >> 16) as usize & 0xffff, v);
                        next!(2)
                    }
                    Err(_) if (w as i64) >> 44 != 0 => jump!(w),
                    Err(e) => go!(calls::error(cx, pc, e)),
                }
            }
            ops::BS_OLD => {
                let (p, q) = (
                    src!(word!(1) as usize & 0xffff),
                    src!((word!(1) >> 16) as usize & 0xffff),
                );
                match bits::old(cx, b!(w), word!(1), word!(2), p, q) {
                    Ok(v) => {
                        if !v.is_nonvalue() {
                            dst!(a!(w), v);
                        }
                        cx.note_allocation();
                        next!(3)
                    }
                    Err(_) if (w as i64) >> 44 != 0 => jump!(w),
                    Err(e) => go!(calls::error(cx, pc, e)),
                }
            }
            ops::BS_UTF_SIZE => {
                let v = src!(a!(w));
                dst!(b!(w), bits::utf_size(v, c!(w)));
                next!(1)
            }
            _ => go!(bad_code(cx, pc)),
        }
    }
}

/// Code that the verifier lets through but that looks into a term of the wrong kind, or a call that must
/// not return has returned: the process gets an error that no handler of correct code expects.
#[cold]
fn bad_code(cx: &mut Ctx<'_>, pc: *const u64) -> Next {
    calls::error(cx, pc, Atom::INVALID_CODE)
}

#[cold]
fn missing_guard(cx: &mut Ctx<'_>, pc: *const u64, e: &'static Export) -> Next {
    let reason = cx.heap().tuple(&[
        e.module.into(),
        e.function.into(),
        Term::small(i64::from(e.arity)),
    ]);
    calls::error_with(cx, pc, Atom::UNDEF, reason)
}

#[cold]
#[inline(never)]
fn arith_fault(
    cx: &mut Ctx<'_>,
    pc: *const u64,
    name: Atom,
    args: &[Term],
    e: arith::Fault,
) -> Next {
    let export = crate::code::export::get(Atom::ERLANG, name, args.len() as u32);
    let reason = match e {
        arith::Fault::BadArith => Atom::BADARITH,
        arith::Fault::SystemLimit => Atom::SYSTEM_LIMIT,
    };
    if release::increments_are_anonymous() && is_increment(pc, name, args) {
        return calls::error(cx, pc, reason);
    }
    calls::bif_raised(cx, pc, export, args, Exit::error(reason))
}

/// `ADD_XI` has failed: the operands as they were written.
#[cold]
#[inline(never)]
fn step_fault(cx: &mut Ctx<'_>, pc: *const u64, p: Term, step: i64, e: arith::Fault) -> Next {
    // SAFETY: `pc` is the address of the instruction that failed.
    let w = unsafe { *pc };
    if w & ops::ADD_XI_MINUS != 0 {
        arith_fault(cx, pc, Atom::MINUS, &[p, Term::small(-step)], e)
    } else if w & ops::ADD_XI_REVERSED != 0 {
        arith_fault(cx, pc, Atom::PLUS, &[Term::small(step), p], e)
    } else {
        arith_fault(cx, pc, Atom::PLUS, &[p, Term::small(step)], e)
    }
}

/// Does the instruction at `pc` add a constant to a register, or take one from it, where the constant is a
/// small integer of BEAM's 60 bits and its negation is as good?
fn is_increment(pc: *const u64, name: Atom, args: &[Term]) -> bool {
    // SAFETY: `pc` is the address of the instruction that failed.
    let w = unsafe { *pc };
    let (first, second) = match (w & 0xfff) as u16 {
        ops::ADD_XI => (w & ops::ADD_XI_REVERSED != 0, w & ops::ADD_XI_REVERSED == 0),
        ops::ADD
        | ops::ADD_XX
        | ops::ADD_YX
        | ops::ADD_YK
        | ops::SUB
        | ops::SUB_XX
        | ops::SUB_YK => {
            let constant = |shift: u32| w >> shift & 0xc000 == 0xc000;
            (constant(operand::A), constant(operand::B))
        }
        _ => return false,
    };
    let n = match (first, second) {
        (false, true) => args[1].as_small(),
        (true, false) if name == Atom::PLUS => args[0].as_small(),
        _ => None,
    };
    let least = if name == Atom::PLUS { -(1 << 59) } else { 0 };
    n.is_some_and(|n| (least..1 << 59).contains(&n))
}

#[inline(never)]
fn arith_guard(cx: &mut Ctx<'_>, op: u16, p: Term, q: Term) -> Result<Term, arith::Fault> {
    let heap = cx.heap();
    match op {
        ops::ADD => arith::add(heap, p, q),
        ops::SUB => arith::sub(heap, p, q),
        ops::MUL => arith::mul(heap, p, q),
        ops::INT_DIV => arith::int_div(heap, p, q),
        ops::INT_REM => arith::int_rem(heap, p, q),
        ops::BAND => arith::band(heap, p, q),
        ops::BOR => arith::bor(heap, p, q),
        ops::BXOR => arith::bxor(heap, p, q),
        ops::BSL => arith::bsl(heap, p, q),
        _ => arith::bsr(heap, p, q),
    }
}

fn is_function2(f: Term, arity: Term) -> bool {
    let n = match f.kind() {
        Some(Kind::Fun) => fun::of(f).arity,
        Some(Kind::Export) => export::of(f).arity,
        _ => return false,
    };
    arity.as_small() == Some(i64::from(n))
}

/// Overwrites an element of a tuple. The compiler puts this right behind its making or its copying, other code need
/// not.
fn set_element(cx: &mut Ctx<'_>, t: Term, i: usize, v: Term) {
    // SAFETY: the caller has checked that it is a tuple of more than `i` elements outside literal areas.
    unsafe { *t.ptr().add(1 + i) = v.raw() }
    cx.own.heap.note_overwritten(t.ptr());
}

enum Wait {
    /// No time to wait.
    Over,
    /// The timer runs, or there is none because the time is infinite.
    Started,
}

/// Starts to wait for the time that an operand of `wait_timeout` names, in milliseconds.
fn start_wait(cx: &mut Ctx<'_>, t: Term) -> Option<Wait> {
    if t.as_atom() == Some(Atom::INFINITY) {
        cx.own.timeout = Timeout::Never;
        return Some(Wait::Started);
    }
    let ms = t.as_small().filter(|&n| (0..=0xffff_ffff).contains(&n))?;
    if ms == 0 {
        return Some(Wait::Over);
    }
    let deadline = time::monotonic() + ms * 1_000_000;
    let (number, handle) = timer::start_wait(cx.proc.id, deadline);
    cx.own.timeout = Timeout::Running(number, handle);
    Some(Wait::Started)
}
