//! The loop, and which handler executes which instruction.

use super::Outcome;
use super::handlers::arith::{Add, Band, Bor, Bsl, Bsr, Bxor, Div, Mul, Rem, Sub};
use super::handlers::calls::{Exported, Local};
use super::handlers::{
    arith, bits, calls, compare, data, errors, floats, frames, guards, maps, receive, records,
    types,
};
use super::machine::{Any, Handler, K, Place, X, Y};
use crate::bif::Ctx;
use crate::code::ops;
use crate::process::context::{NOTHING_AWAITED, Raise};
use crate::term::Term;

/// Opcodes are below this.
const TABLE: usize = 512;
const _: () = assert!(ops::NAMES.len() <= TABLE);

/// Runs the process at `own.pc`; see `interp::run`.
pub fn run(cx: &mut Ctx<'_>) -> Outcome {
    let here = 0u8;
    cx.native.entered_at = std::ptr::from_ref(&here) as usize;
    cx.native.awaited = NOTHING_AWAITED;
    cx.own.heap.begin_slice();
    let x: *mut Term = cx.x.as_mut_ptr();
    let mut at = Place {
        pc: cx.own.pc,
        sp: cx.own.stack.sp().cast(),
    };
    loop {
        // SAFETY: `pc` is the address of an instruction.
        let w = unsafe { *at.pc };
        at = handler_of(w)(at.pc, at.sp, x, cx, w);
        if let Some(outcome) = at.outcome() {
            return outcome;
        }
    }
}

/// How a part of a process's run ends.
pub(super) enum PartEnd {
    /// The value that was waited for is in x0.
    Value,
    /// The process stops, or goes on there without the value.
    Elsewhere(Place),
}

/// Runs the process from a place on, on behalf of native code, until a function returns and leaves a stack of so many words
/// behind.
pub(super) fn run_for_value(cx: &mut Ctx<'_>, mut at: Place, depth: usize) -> PartEnd {
    let x: *mut Term = cx.x.as_mut_ptr();
    let outer = std::mem::replace(&mut cx.native.awaited, depth);
    let end = loop {
        // SAFETY: `pc` is the address of an instruction.
        let w = unsafe { *at.pc };
        at = handler_of(w)(at.pc, at.sp, x, cx, w);
        if at.pc.is_null() {
            break match at.outcome() {
                Some(_) => PartEnd::Elsewhere(at),
                None => PartEnd::Value,
            };
        }
        if cx.native.raised != Raise::No {
            if cx.own.stack.depth_of(at.sp.cast()) <= depth {
                // The handler belongs to native code, or to who called that.
                cx.native.raised = Raise::OtherFrame;
                break PartEnd::Elsewhere(at);
            }
            cx.native.raised = Raise::No;
        }
    };
    cx.native.awaited = outer;
    end
}

/// The handler of the instruction with this first word.
#[inline(always)]
pub(super) fn handler_of(w: u64) -> Handler {
    HANDLERS[w as usize % TABLE]
}

/// The handlers by opcode.
static HANDLERS: [Handler; TABLE] = {
    let mut t = [errors::slow::bad_code as Handler; TABLE];
    macro_rules! set {
        ($($op:ident => $handler:expr;)*) => { $(t[ops::$op as usize] = $handler;)* };
    }
    set! {
        EXPORT_STUB => calls::slow::stub;
        LAZY => calls::slow::lazy;
        NATIVE => calls::slow::native;
        NIF => calls::slow::nif;
        NATIVE_RETURN => calls::native_return;
        PREPEND => calls::slow::prepend;
        CONTINUE => calls::continuation;
        COUNT => calls::count;
        FUNC_INFO => calls::slow::no_clause;
        ENTER => calls::function_entry;
        NORMAL_EXIT => calls::slow::normal_exit;
        HIBERNATED => receive::slow::hibernated;
        APPLY_ARGS => calls::slow::apply_args;
        RETURN => calls::back;
        CALL => calls::call::<Local>;
        CALL_LAST => calls::call_last::<Local>;
        CALL_ONLY => calls::call_last::<Local>;
        CALL_EXT => calls::call::<Exported>;
        CALL_EXT_LAST => calls::call_last::<Exported>;
        CALL_EXT_ONLY => calls::call_last::<Exported>;
        CALL_BIF => calls::slow::call_bif;
        APPLY => calls::slow::apply;
        APPLY_LAST => calls::slow::apply_last;
        APPLY_FUN_LIST => calls::slow::apply_fun_list;
        APPLY_MFA => calls::slow::apply_mfa;
        CALL_FUN => calls::call_fun;
        CALL_FUN_LAST => calls::call_fun_last;
        ALLOCATE => frames::allocate;
        DEALLOCATE => frames::drop_slots;
        DEALLOCATE_RETURN => frames::deallocate_return;
        TRIM => frames::drop_slots;
        TEST_HEAP => frames::test_heap;
        INIT_Y => frames::init_y;
        JUMP => frames::jump;
        MOVE => data::move_one::<Any, Any>;
        MOVE_XX => data::move_one::<X, X>;
        MOVE_YX => data::move_one::<Y, X>;
        MOVE_XY => data::move_one::<X, Y>;
        MOVE_KX => data::move_one::<K, X>;
        MOVE2 => data::move_two::<Any, Any>;
        SWAP => data::swap;
        GET_LIST => data::get_list::<Any, Any>;
        GET_HD => data::get_hd;
        GET_TL => data::get_tl;
        GET_LIST_XXX => data::get_list::<X, X>;
        IS_CONS_GET_LIST => data::is_cons_get_list;
        PUT_LIST => data::put_list::<Any, Any, Any>;
        PUT_LIST_XXX => data::put_list::<X, X, X>;
        PUT_TUPLE => data::put_tuple;
        GET_TUPLE_ELEMENT => data::get_element::<Any, Any>;
        GET_TUPLE_ELEMENT_XX => data::get_element::<X, X>;
        GET_TWO_ELEMENTS => data::get_two_elements;
        SET_TUPLE_ELEMENT => data::slow::set_element;
        UPDATE_RECORD => data::update_record;
        UPDATE_RECORD_IN_PLACE => data::update_record_in_place;
        BADMATCH => errors::slow::badmatch;
        IF_END => errors::slow::if_end;
        CASE_END => errors::slow::case_end;
        TRY_CASE_END => errors::slow::try_case_end;
        BADRECORD => errors::slow::badrecord;
        NO_RETURN => errors::slow::bad_code;
        CATCH => errors::catch;
        CATCH_END => errors::catch_end;
        TRY_END => errors::try_end;
        TRY_CASE => errors::try_case;
        RAISE => errors::slow::raise;
        BUILD_STACKTRACE => errors::slow::build_stacktrace;
        RAW_RAISE => errors::slow::raw_raise;
        IS_INTEGER => types::is_integer::<Any>;
        IS_FLOAT => types::is_float;
        IS_NUMBER => types::is_number;
        IS_ATOM => types::is_atom::<Any>;
        IS_PID => types::is_pid;
        IS_REFERENCE => types::is_reference;
        IS_PORT => types::is_port;
        IS_NIL => types::is_nil::<Any>;
        IS_BINARY => types::is_binary;
        IS_BITSTR => types::is_bitstring;
        IS_LIST => types::is_list;
        IS_NONEMPTY_LIST => types::is_cons::<Any>;
        IS_NONEMPTY_LIST_X => types::is_cons::<X>;
        IS_TUPLE => types::is_tuple;
        IS_FUNCTION => types::is_function;
        IS_FUNCTION2 => types::is_function_of;
        IS_BOOLEAN => types::is_boolean;
        IS_MAP => types::is_map;
        IS_RECORD => types::is_record;
        TEST_ARITY => types::is_tuple_of::<Any>;
        IS_TUPLE_OF_ARITY => types::is_tuple_of::<Any>;
        IS_TAGGED_TUPLE => types::is_tagged_tuple::<Any>;
        IS_LT => compare::is_lt::<Any, Any>;
        IS_GE => compare::is_ge::<Any, Any>;
        IS_EQ => compare::is_eq;
        IS_NE => compare::is_ne;
        IS_EQ_EXACT => compare::is_eq_exact;
        IS_NE_EXACT => compare::is_ne_exact;
        IS_EQ_IMM => compare::is_eq_imm;
        IS_NE_IMM => compare::is_ne_imm;
        SELECT => compare::select;
        SELECT_RANGE => compare::select_range;
        SELECT_ARITY => compare::select_arity;
        ADD => arith::arith::<Add, Any, Any, Any>;
        SUB => arith::arith::<Sub, Any, Any, Any>;
        ADD_XI => arith::add_step;
        MUL => arith::arith::<Mul, Any, Any, Any>;
        INT_DIV => arith::arith::<Div, Any, Any, Any>;
        INT_REM => arith::arith::<Rem, Any, Any, Any>;
        BAND => arith::arith::<Band, Any, Any, Any>;
        BOR => arith::arith::<Bor, Any, Any, Any>;
        BXOR => arith::arith::<Bxor, Any, Any, Any>;
        BSL => arith::arith::<Bsl, Any, Any, Any>;
        BSR => arith::arith::<Bsr, Any, Any, Any>;
        GUARD_BIF => guards::slow::guard_bif;
        SEND => receive::slow::send;
        LOOP_REC => receive::loop_rec;
        LOOP_REC_END => receive::slow::loop_rec_end;
        WAIT => receive::slow::wait;
        WAIT_TIMEOUT => receive::slow::wait_timeout;
        TIMEOUT => receive::slow::timeout;
        REMOVE_MESSAGE => receive::slow::remove_message;
        RECV_MARKER_RESERVE => receive::slow::marker_reserve;
        RECV_MARKER_BIND => receive::slow::marker_bind;
        RECV_MARKER_CLEAR => receive::slow::marker_clear;
        RECV_MARKER_USE => receive::slow::marker_use;
        MAKE_FUN => data::make_fun;
        HAS_MAP_FIELDS => maps::has_fields;
        GET_MAP_ELEMENTS => maps::get_elements;
        PUT_MAP_ASSOC => maps::slow::put_assoc;
        NEW_MAP => maps::slow::new_map;
        PUT_MAP_EXACT => maps::slow::put_exact;
        FLOAD => floats::load;
        FSTORE => floats::store;
        FMOVE => floats::copy;
        FCONV => floats::convert;
        FADD => floats::add;
        FSUB => floats::sub;
        FMUL => floats::mul;
        FDIV => floats::div;
        FNEGATE => floats::negate;
        BS_START => bits::start;
        BS_TEST_TAIL => bits::test_tail;
        BS_TEST_UNIT => bits::test_unit;
        BS_TEST_LONG => bits::test_long;
        BS_GET_TAIL => bits::slow::get_tail;
        BS_GET_POSITION => bits::get_position;
        BS_SET_POSITION => bits::set_position_to;
        BS_GET => bits::get;
        BS_GET_UTF => bits::get_utf;
        BS_MATCH_STRING => bits::slow::match_string;
        BS_MATCH => bits::slow::match_any;
        BS_CREATE => bits::slow::create;
        BS_INIT_WRITABLE => bits::slow::init_writable;
        BS_ADD => bits::slow::add;
        BS_OLD => bits::slow::old;
        BS_PUT_STRING => bits::slow::put_string;
        BS_UTF_SIZE => bits::slow::utf_size;
        RECORD_OP => records::slow::record_op;
        JUMP_FAR => frames::jump_far;
        IS_LONG_TUPLE => types::is_long_tuple;
        PUT_LONG_TUPLE => data::slow::put_long_tuple;
        GET_FAR_TUPLE_ELEMENT => data::get_far_element;
        BAD_CODE => errors::slow::bad_code;
        BS_MATCH_SHORT => bits::match_short;
        BS_CREATE_SHORT => bits::create_short;
        GUARD_ELEMENT => guards::element;
        GUARD_HD => guards::head;
        GUARD_TL => guards::tail;
        GUARD_TUPLE_SIZE => guards::tuple_size;
        GUARD_SELF => guards::own_pid;
        ARITH_GUARD_ADD => arith::arith_guard::<Add>;
        ARITH_GUARD_SUB => arith::arith_guard::<Sub>;
        ARITH_GUARD_MUL => arith::arith_guard::<Mul>;
        ARITH_GUARD_DIV => arith::arith_guard::<Div>;
        ARITH_GUARD_BSR => arith::arith_guard::<Bsr>;
        ARITH_GUARD_REM => arith::arith_guard::<Rem>;
        ARITH_GUARD_BAND => arith::arith_guard::<Band>;
        ARITH_GUARD_BOR => arith::arith_guard::<Bor>;
        ARITH_GUARD_BXOR => arith::arith_guard::<Bxor>;
        ARITH_GUARD_BSL => arith::arith_guard::<Bsl>;
        MOVE2_XX => data::move_two::<X, X>;
        MOVE2_XY => data::move_two::<X, Y>;
        MOVE2_YX => data::move_two::<Y, X>;
        PUT_LIST_YXX => data::put_list::<Y, X, X>;
        IS_NIL_X => types::is_nil::<X>;
        IS_ATOM_X => types::is_atom::<X>;
        IS_INTEGER_X => types::is_integer::<X>;
        IS_TUPLE_OF_ARITY_X => types::is_tuple_of::<X>;
        IS_TAGGED_TUPLE_X => types::is_tagged_tuple::<X>;
        IS_LT_XX => compare::is_lt::<X, X>;
        IS_LT_XK => compare::is_lt::<X, K>;
        IS_LT_KX => compare::is_lt::<K, X>;
        IS_GE_XX => compare::is_ge::<X, X>;
        IS_GE_XK => compare::is_ge::<X, K>;
        IS_GE_KX => compare::is_ge::<K, X>;
        ADD_XX => arith::arith::<Add, X, X, X>;
        ADD_YX => arith::arith::<Add, Y, X, X>;
        ADD_YK => arith::arith::<Add, Y, K, X>;
        SUB_XX => arith::arith::<Sub, X, X, X>;
        SUB_YK => arith::arith::<Sub, Y, K, X>;
        MUL_XX => arith::arith::<Mul, X, X, X>;
        MUL_XK => arith::arith::<Mul, X, K, X>;
        BAND_XX => arith::arith::<Band, X, X, X>;
        BAND_XK => arith::arith::<Band, X, K, X>;
        BOR_XX => arith::arith::<Bor, X, X, X>;
        BXOR_XX => arith::arith::<Bxor, X, X, X>;
        BSL_XK => arith::arith::<Bsl, X, K, X>;
        BSR_XK => arith::arith::<Bsr, X, K, X>;
    }
    t
};

/// The handler that executes one instruction and returns, for instructions that native code has executed.
pub(super) fn single_handler(op: u16) -> Option<Handler> {
    SINGLE[op as usize]
}

/// The handler of an instruction that calls a function by what is only known when it is executed, and returns to the loop.
pub(super) fn call_handler(op: u16) -> Option<Handler> {
    Some(match op {
        ops::APPLY => calls::slow::apply,
        ops::APPLY_FUN_LIST => calls::slow::apply_fun_list,
        ops::APPLY_MFA => calls::slow::apply_mfa,
        ops::CALL_FUN => calls::slow::call_fun,
        _ => return None,
    })
}

/// The handlers that native code may call, by opcode.
static SINGLE: [Option<Handler>; TABLE] = {
    let mut t = [None; TABLE];
    macro_rules! set {
        ($($op:ident => $handler:expr;)*) => { $(t[ops::$op as usize] = Some($handler as Handler);)* };
    }
    set! {
        PUT_LONG_TUPLE => data::slow::put_long_tuple;
        SET_TUPLE_ELEMENT => data::slow::set_element;
        UPDATE_RECORD => data::slow::update_record;
        UPDATE_RECORD_IN_PLACE => data::slow::update_record;
        MAKE_FUN => data::slow::make_fun;
        BADMATCH => errors::slow::badmatch;
        IF_END => errors::slow::if_end;
        CASE_END => errors::slow::case_end;
        CATCH_END => errors::single::catch_end;
        TRY_CASE => errors::single::try_case;
        TRY_CASE_END => errors::slow::try_case_end;
        BADRECORD => errors::slow::badrecord;
        RAISE => errors::slow::raise;
        BUILD_STACKTRACE => errors::slow::build_stacktrace;
        RAW_RAISE => errors::slow::raw_raise;
        GUARD_BIF => guards::slow::guard_bif;
        GUARD_ELEMENT => guards::slow::guard_bif;
        GUARD_HD => guards::slow::guard_bif;
        GUARD_TL => guards::slow::guard_bif;
        GUARD_TUPLE_SIZE => guards::slow::guard_bif;
        SEND => receive::slow::send;
        LOOP_REC => receive::single::loop_rec;
        LOOP_REC_END => receive::slow::loop_rec_end;
        WAIT => receive::slow::wait;
        WAIT_TIMEOUT => receive::slow::wait_timeout;
        TIMEOUT => receive::slow::timeout;
        REMOVE_MESSAGE => receive::slow::remove_message;
        RECV_MARKER_RESERVE => receive::slow::marker_reserve;
        RECV_MARKER_BIND => receive::slow::marker_bind;
        RECV_MARKER_CLEAR => receive::slow::marker_clear;
        RECV_MARKER_USE => receive::slow::marker_use;
        PUT_MAP_ASSOC => maps::slow::put_assoc;
        NEW_MAP => maps::slow::new_map;
        PUT_MAP_EXACT => maps::slow::put_exact;
        BS_START => bits::single::start;
        BS_GET_TAIL => bits::slow::get_tail;
        BS_GET_POSITION => bits::single::get_position;
        BS_SET_POSITION => bits::single::set_position_to;
        BS_GET => bits::single::get;
        BS_GET_UTF => bits::single::get_utf;
        BS_MATCH_STRING => bits::slow::match_string;
        BS_MATCH => bits::slow::match_any;
        BS_MATCH_SHORT => bits::single::match_short;
        BS_CREATE => bits::slow::create;
        BS_CREATE_SHORT => bits::single::create_short;
        BS_INIT_WRITABLE => bits::slow::init_writable;
        BS_ADD => bits::slow::add;
        BS_OLD => bits::slow::old;
        BS_PUT_STRING => bits::slow::put_string;
        BS_UTF_SIZE => bits::slow::utf_size;
        RECORD_OP => records::slow::record_op;
    }
    t
};
