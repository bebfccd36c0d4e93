//! The short ways of frequent instructions: small functions that jump to each other.
//!
//! Each function here does the common case of one instruction and goes on to the next by a tail call, so that
//! program counter, stack pointer and registers stay in machine registers and every instruction has an
//! indirect jump of its own. Where the case is not the common one (a big integer, no room on the heap,
//! no reductions left) or the instruction has no function here, `leave` gives the place to the loop in
//! `dispatch`, which knows every instruction in full; it then comes back here. What a function here does
//! must be what the loop does.
//!
//! Stable Rust does not promise tail calls; LLVM makes them at its higher levels of optimisation as long
//! as no local variable's address gets out, so no function here may lend a local variable to a function that
//! is not inlined. In builds without optimisation (`cfg(not(threaded))`, see `build.rs`) each function returns
//! to the loop after one instruction.
//!
//! Why reading raw words is sound: see `dispatch`.

#[macro_use]
mod machine;
mod arith;
pub(crate) mod bits;
mod calls;
mod compare;
mod data;

use crate::bif::Ctx;
use crate::code::ops;
use crate::term::Term;
use arith::{Add, Band, Bor, Bsl, Bsr, Bxor, Div, Mul, Rem, Sub};
use machine::{Any, K, X, Y};

/// Where the loop goes on.
pub(crate) struct Place {
    /// The instruction that is next.
    pub pc: *const u64,
    /// The top of the stack.
    pub sp: *mut Term,
}

type Handler = for<'a, 'b> fn(*const u64, *mut Term, *mut Term, &'a mut Ctx<'b>, u64) -> Place;

/// Opcodes are below this.
const TABLE: usize = 512;
const _: () = assert!(ops::NAMES.len() <= TABLE);

/// Runs instructions from `pc` on as long as they have a short way.
#[inline(always)]
pub fn run(pc: *const u64, sp: *mut Term, x: *mut Term, cx: &mut Ctx<'_>) -> Place {
    // SAFETY: `pc` is the address of an instruction.
    let w = unsafe { *pc };
    HANDLERS[w as usize % TABLE](pc, sp, x, cx, w)
}

static HANDLERS: [Handler; TABLE] = {
    let mut t = [calls::leave as Handler; TABLE];
    macro_rules! set {
        ($($op:ident => $handler:expr;)*) => { $(t[ops::$op as usize] = $handler;)* };
    }
    set! {
        ENTER => calls::enter;
        CALL => calls::call_local;
        CALL_LAST => calls::call_local_last;
        CALL_ONLY => calls::call_local_last;
        CALL_EXT => calls::call_export;
        CALL_EXT_LAST => calls::call_export_last;
        CALL_EXT_ONLY => calls::call_export_last;
        CALL_FUN => calls::call_fun;
        CALL_FUN_LAST => calls::call_fun_last;
        RETURN => calls::back;
        ALLOCATE => calls::allocate;
        TEST_HEAP => calls::test_heap;
        DEALLOCATE => calls::deallocate;
        TRIM => calls::deallocate;
        DEALLOCATE_RETURN => calls::deallocate_return;
        INIT_Y => calls::init_y;
        JUMP => calls::jump;
        MOVE => data::move_one::<Any, Any>;
        MOVE_XX => data::move_one::<X, X>;
        MOVE_YX => data::move_one::<Y, X>;
        MOVE_XY => data::move_one::<X, Y>;
        MOVE_KX => data::move_one::<K, X>;
        MOVE2 => data::move_two::<Any, Any>;
        MOVE2_XX => data::move_two::<X, X>;
        MOVE2_XY => data::move_two::<X, Y>;
        MOVE2_YX => data::move_two::<Y, X>;
        SWAP => data::swap;
        GET_LIST => data::get_list::<Any, Any>;
        GET_LIST_XXX => data::get_list::<X, X>;
        GET_HD => data::get_hd;
        GET_TL => data::get_tl;
        IS_CONS_GET_LIST => data::is_cons_get_list;
        PUT_LIST => data::put_list::<Any, Any, Any>;
        PUT_LIST_XXX => data::put_list::<X, X, X>;
        PUT_LIST_YXX => data::put_list::<Y, X, X>;
        PUT_TUPLE => data::put_tuple;
        GET_TUPLE_ELEMENT => data::get_element::<Any, Any>;
        GET_TUPLE_ELEMENT_XX => data::get_element::<X, X>;
        GET_TWO_ELEMENTS => data::get_two_elements;
        UPDATE_RECORD => data::update_record;
        MAKE_FUN => data::make_fun;
        CATCH => data::catch_start;
        TRY_END => data::try_end;
        CATCH_END => data::catch_end;
        IS_NONEMPTY_LIST => compare::is_cons::<Any>;
        IS_NONEMPTY_LIST_X => compare::is_cons::<X>;
        IS_NIL => compare::is_nil::<Any>;
        IS_NIL_X => compare::is_nil::<X>;
        IS_LIST => compare::is_list;
        IS_ATOM => compare::is_atom::<Any>;
        IS_ATOM_X => compare::is_atom::<X>;
        IS_INTEGER => compare::is_integer::<Any>;
        IS_INTEGER_X => compare::is_integer::<X>;
        IS_FLOAT => compare::is_float;
        IS_NUMBER => compare::is_number;
        IS_PID => compare::is_pid;
        IS_TUPLE => compare::is_tuple;
        IS_MAP => compare::is_map;
        TEST_ARITY => compare::is_tuple_of::<Any>;
        IS_TUPLE_OF_ARITY => compare::is_tuple_of::<Any>;
        IS_TUPLE_OF_ARITY_X => compare::is_tuple_of::<X>;
        IS_TAGGED_TUPLE => compare::is_tagged_tuple::<Any>;
        IS_TAGGED_TUPLE_X => compare::is_tagged_tuple::<X>;
        IS_EQ_IMM => compare::is_eq_imm;
        IS_NE_IMM => compare::is_ne_imm;
        IS_EQ_EXACT => compare::is_eq_exact;
        IS_NE_EXACT => compare::is_ne_exact;
        IS_LT => compare::is_lt::<Any, Any>;
        IS_LT_XX => compare::is_lt::<X, X>;
        IS_LT_XK => compare::is_lt::<X, K>;
        IS_LT_KX => compare::is_lt::<K, X>;
        IS_GE => compare::is_ge::<Any, Any>;
        IS_GE_XX => compare::is_ge::<X, X>;
        IS_GE_XK => compare::is_ge::<X, K>;
        IS_GE_KX => compare::is_ge::<K, X>;
        SELECT => compare::select;
        SELECT_RANGE => compare::select_range;
        ADD_XI => arith::add_step;
        ADD => arith::arith::<Add, Any, Any, Any>;
        ADD_XX => arith::arith::<Add, X, X, X>;
        ADD_YX => arith::arith::<Add, Y, X, X>;
        ADD_YK => arith::arith::<Add, Y, K, X>;
        SUB => arith::arith::<Sub, Any, Any, Any>;
        SUB_XX => arith::arith::<Sub, X, X, X>;
        SUB_YK => arith::arith::<Sub, Y, K, X>;
        MUL => arith::arith::<Mul, Any, Any, Any>;
        MUL_XX => arith::arith::<Mul, X, X, X>;
        MUL_XK => arith::arith::<Mul, X, K, X>;
        INT_DIV => arith::arith::<Div, Any, Any, Any>;
        INT_REM => arith::arith::<Rem, Any, Any, Any>;
        BAND => arith::arith::<Band, Any, Any, Any>;
        BAND_XX => arith::arith::<Band, X, X, X>;
        BAND_XK => arith::arith::<Band, X, K, X>;
        BOR => arith::arith::<Bor, Any, Any, Any>;
        BOR_XX => arith::arith::<Bor, X, X, X>;
        BXOR => arith::arith::<Bxor, Any, Any, Any>;
        BXOR_XX => arith::arith::<Bxor, X, X, X>;
        BSL => arith::arith::<Bsl, Any, Any, Any>;
        BSL_XK => arith::arith::<Bsl, X, K, X>;
        BSR => arith::arith::<Bsr, Any, Any, Any>;
        BSR_XK => arith::arith::<Bsr, X, K, X>;
        ARITH_GUARD_ADD => arith::arith_guard::<Add>;
        ARITH_GUARD_SUB => arith::arith_guard::<Sub>;
        ARITH_GUARD_MUL => arith::arith_guard::<Mul>;
        ARITH_GUARD_DIV => arith::arith_guard::<Div>;
        ARITH_GUARD_BSR => arith::arith_guard::<Bsr>;
        ARITH_GUARD_REM => arith::arith_guard::<Rem>;
        ARITH_GUARD_BAND => arith::arith_guard::<Band>;
        GUARD_ELEMENT => data::element;
        GUARD_HD => data::head;
        GUARD_TL => data::tail;
        GUARD_TUPLE_SIZE => data::tuple_size;
        GUARD_SELF => data::own_pid;
        FLOAD => arith::float_load;
        FSTORE => arith::float_store;
        FCONV => arith::float_convert;
        FADD => arith::float_add;
        FSUB => arith::float_sub;
        FMUL => arith::float_mul;
        FDIV => arith::float_div;
        BS_START => bits::start;
        BS_TEST_TAIL => bits::test_tail;
        BS_GET_POSITION => bits::get_position;
        BS_SET_POSITION => bits::set_position_to;
        BS_MATCH_SHORT => bits::match_short;
        BS_GET => bits::get;
        BS_GET_UTF => bits::get_utf;
        BS_CREATE_SHORT => bits::create_short;
    }
    t
};
