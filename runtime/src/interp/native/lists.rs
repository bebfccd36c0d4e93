//! The lists that native code keeps for functions that return them (see `PREPEND`), where these return.

use super::{set_next, term};
use crate::bif::Ctx;
use crate::code::native::{ReturnKind, return_kind};
use crate::interp::machine::Place;
use crate::interp::special;
use crate::term::{Term, stack_word};

/// Does this return address stand for a list that native code keeps?
pub(super) fn is_of_list(word: u64) -> bool {
    return_kind(word) == ReturnKind::Prepend
}

/// Puts a list, of which these are the first and the last cell, before `tail`. The cells belong to nobody else, and are used up.
pub(in crate::interp) fn put_before(cx: &mut Ctx<'_>, list: [Term; 2], tail: Term) -> Term {
    let (v, copied) = cx.own.heap.prepend(list, tail);
    cx.bump(copied / CELLS_OF_REDUCTION);
    cx.note_allocation();
    v
}

/// Cells that are copied for a reduction.
const CELLS_OF_REDUCTION: usize = 16;

/// A function returns a value although native code keeps a list for it. Gives what it returns to its caller, or `NONVALUE`
/// if there are more such lists: the interpreter puts them before the value one by one.
pub(super) extern "C" fn finish_list(cx: &mut Ctx<'_>, value: u64, _: u64, _: u64) -> u64 {
    let sp = cx.native.sp;
    let mut value = term(value);
    // SAFETY: native code is about to return: a return address is on top, behind one of a list the cells of that.
    let (top, list) = unsafe {
        let list = [1, 2].map(|n| Term(*sp.wrapping_add(n)));
        (*sp, list)
    };
    if is_of_list(top) {
        value = put_before(cx, list, value);
        cx.native.sp = sp.wrapping_add(3);
    }
    // SAFETY: as above.
    let next = unsafe { *cx.native.sp };
    if is_of_list(next) {
        cx.x[0] = value;
        let sp = cx.native.sp.cast();
        let pc = special::return_x0();
        set_next(cx, Place { pc, sp });
        return Term::NONVALUE.0;
    }
    value.0
}

/// Native code shall begin another list, if it keeps one for the function that is entered: so none gets so long that it takes
/// long to copy it.
pub(super) fn end_list(cx: &Ctx<'_>) {
    // SAFETY: at a function's entry a return address is on top.
    unsafe { *cx.native.sp = stack_word::closed_list(*cx.native.sp) };
}
