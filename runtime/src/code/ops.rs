//! The interpreter's instructions: one table from which the translator, the handlers and the listing come.
//!
//! Bytecode is a sequence of 64-bit words. An instruction starts with
//!
//! ```text
//! 63          44 43      28 27      12 11       0
//! [ c           ][ b       ][ a       ][ opcode  ]
//! ```
//!
//! and may have more words. Which fields an instruction has, what they mean and how many words it takes is its
//! form (`forms`). An operand of 16 bits names a place:
//!
//! ```text
//! 0iiiiiiiiiiiiiii   X register i
//! 10iiiiiiiiiiiiii   Y register i, counted from the top of the stack
//! 11dddddddddddddd   the word d words after the instruction's first: a constant in a pool
//! ```
//!
//! Constants stand in pools behind the code that uses them, within reach of 14 bits.

use super::fields::Form;
use super::forms;
use super::operand::Place;

macro_rules! ops {
    ($($(#[$doc:meta])* $name:ident: $form:ident $(= $base:ident [$($sort:ident)*])?;)*) => {
        #[allow(non_camel_case_types, clippy::upper_case_acronyms, reason = "variants become the constants below")]
        #[repr(u16)]
        enum Op { $($name),* }
        $(
            $(#[$doc])*
            $(#[doc = concat!("`", stringify!($base), "` of operands in known places.")])?
            pub const $name: u16 = Op::$name as u16;
        )*
        /// Names by opcode.
        pub const NAMES: &[&str] = &[$(stringify!($name)),*];
        /// Forms by opcode.
        pub static FORMS: &[&Form] = &[$(&forms::$form::FORM),*];

        /// The instruction for operands of these kinds: the one given, or one that knows the kinds.
        pub fn for_operands(op: u16, places: &[Place]) -> u16 {
            match (op, places) {
                $($(($base, [$(Place::$sort(_)),*]) => $name,)?)*
                _ => op,
            }
        }
    };
}

ops! {
    /// An export entry without code: call the BIF, or the error handler.
    EXPORT_STUB: export_stub;
    /// A function not translated yet.
    LAZY: of_function;
    /// A function with native code: the second word is its address.
    NATIVE: native;
    /// A function that a native library stands for.
    NIF: of_function;
    /// Where a call in native code returns to: goes on there if it waits, and else at the bytecode's address.
    NATIVE_RETURN: native_return;
    /// Where a function returns to for which native code keeps a list, its first and its last cell on top of the stack: puts that
    /// before x0 and returns.
    PREPEND: prepend;
    /// Goes on in the native code that begins here, when there is some.
    CONTINUE: continue_native;
    /// A function whose calls are counted until it is compiled.
    COUNT: of_function;
    /// `func_info`: no clause matches.
    FUNC_INFO: of_function;
    /// Counts one reduction at a function's entry.
    ENTER: enter;
    /// The process's first function has returned.
    NORMAL_EXIT: plain;
    /// Waits until there is a message; x0 to x2 are for what follows.
    HIBERNATED: plain;
    /// x0: module, x1: function, x2: list of arguments; tail call.
    APPLY_ARGS: plain;
    /// Continues after a BIF that went on elsewhere; x0 is the value.
    RETURN: plain;
    /// Calls a function of the module.
    CALL: call;
    /// The same as a tail call from a frame.
    CALL_LAST: call;
    /// The same as a tail call without a frame.
    CALL_ONLY: call;
    /// Calls what an export entry leads to.
    CALL_EXT: call_ext;
    /// The same as a tail call from a frame.
    CALL_EXT_LAST: call_ext;
    /// The same as a tail call without a frame.
    CALL_EXT_ONLY: call_ext;
    /// Calls a BIF with its arguments in X registers.
    CALL_BIF: call_ext;
    /// `apply`.
    APPLY: apply;
    /// The same as a tail call from a frame.
    APPLY_LAST: apply;
    /// `erlang:apply/2`: x0 fun, x1 list.
    APPLY_FUN_LIST: apply_list;
    /// `erlang:apply/3`: x0 module, x1 function, x2 list.
    APPLY_MFA: apply_list;
    /// Calls a fun.
    CALL_FUN: call_fun;
    /// The same as a tail call from a frame.
    CALL_FUN_LAST: call_fun;
    /// Makes a frame and sees that there is heap.
    ALLOCATE: allocate;
    /// Drops the frame.
    DEALLOCATE: slots;
    /// Drops the frame and returns.
    DEALLOCATE_RETURN: slots;
    /// Drops the upper slots of the frame.
    TRIM: slots;
    /// Sees that there is heap.
    TEST_HEAP: test_heap;
    /// Clears slots.
    INIT_Y: init_y;
    /// Jumps.
    JUMP: jump;
    /// Copies a value.
    MOVE: unary;
    MOVE_XX: unary = MOVE [X X];
    MOVE_YX: unary = MOVE [Y X];
    MOVE_XY: unary = MOVE [X Y];
    MOVE_KX: unary = MOVE [K X];
    /// Copies two values, the second one after the first.
    MOVE2: move_two;
    /// Two values change places.
    SWAP: swap;
    /// Takes a cell apart.
    GET_LIST: get_list;
    /// The head of a cell.
    GET_HD: unary;
    /// The tail of a cell.
    GET_TL: unary;
    GET_LIST_XXX: get_list = GET_LIST [X X X];
    /// Takes a cell apart if it is one.
    IS_CONS_GET_LIST: is_cons_get_list;
    /// Makes a cell.
    PUT_LIST: put_list;
    PUT_LIST_XXX: put_list = PUT_LIST [X X X];
    /// Makes a tuple.
    PUT_TUPLE: put_tuple;
    /// An element of a tuple.
    GET_TUPLE_ELEMENT: get_element;
    GET_TUPLE_ELEMENT_XX: get_element = GET_TUPLE_ELEMENT [X X];
    /// Two elements of a tuple.
    GET_TWO_ELEMENTS: get_two_elements;
    /// Overwrites an element of a tuple just made.
    SET_TUPLE_ELEMENT: set_element;
    /// Copies a tuple but for some elements.
    UPDATE_RECORD: update_record;
    /// The same where nobody else knows the tuple: one that is fresh is overwritten.
    UPDATE_RECORD_IN_PLACE: update_record;
    /// `error:{badmatch, Value}`.
    BADMATCH: source;
    /// `error:if_clause`.
    IF_END: plain;
    /// `error:{case_clause, Value}`.
    CASE_END: source;
    /// `error:{try_clause, Value}`.
    TRY_CASE_END: source;
    /// `error:{badrecord, Value}`.
    BADRECORD: source;
    /// A call that must not return has returned.
    NO_RETURN: plain;
    /// Sets a handler, of `catch` or `try`.
    CATCH: catch;
    /// The end of `catch`.
    CATCH_END: catch_end;
    /// The end of the protected part of `try`.
    TRY_END: catch_end;
    /// The handler of `try` begins.
    TRY_CASE: catch_end;
    /// Passes an exception on.
    RAISE: raise;
    /// x0: raw trace, becomes a list.
    BUILD_STACKTRACE: plain;
    /// x0: class, x1: reason, x2: raw trace or list.
    RAW_RAISE: plain;
    /// Is it an integer?
    IS_INTEGER: test;
    /// Is it a float?
    IS_FLOAT: test;
    /// Is it a number?
    IS_NUMBER: test;
    /// Is it an atom?
    IS_ATOM: test;
    /// Is it a pid?
    IS_PID: test;
    /// Is it a reference?
    IS_REFERENCE: test;
    /// Is it a port?
    IS_PORT: test;
    /// Is it the empty list?
    IS_NIL: test;
    /// Is it a binary?
    IS_BINARY: test;
    /// Is it a bitstring?
    IS_BITSTR: test;
    /// Is it a cell or the empty list?
    IS_LIST: test;
    /// Is it a cell?
    IS_NONEMPTY_LIST: test;
    IS_NONEMPTY_LIST_X: test = IS_NONEMPTY_LIST [X];
    /// Is it a tuple?
    IS_TUPLE: test;
    /// Is it a fun?
    IS_FUNCTION: test;
    /// Is it a fun of an arity?
    IS_FUNCTION2: compare;
    /// Is it a boolean?
    IS_BOOLEAN: test;
    /// Is it a map?
    IS_MAP: test;
    /// Is it a native record?
    IS_RECORD: test;
    /// Has the tuple this size?
    TEST_ARITY: test_number;
    /// Is it a tuple of this size?
    IS_TUPLE_OF_ARITY: test_number;
    /// Is it a tuple of this size with this first element?
    IS_TAGGED_TUPLE: is_tagged_tuple;
    /// `<`.
    IS_LT: compare;
    /// `>=`.
    IS_GE: compare;
    /// `==`.
    IS_EQ: compare;
    /// `/=`.
    IS_NE: compare;
    /// `=:=`.
    IS_EQ_EXACT: compare;
    /// `=/=`.
    IS_NE_EXACT: compare;
    /// `=:=` with an immediate that is no float.
    IS_EQ_IMM: compare_word;
    /// `=/=` with an immediate that is no float.
    IS_NE_IMM: compare_word;
    /// `select_val` of immediates.
    SELECT: select;
    /// `select_val` of small integers that lie close together.
    SELECT_RANGE: select_range;
    /// `select_tuple_arity`.
    SELECT_ARITY: select_arity;
    /// `+`.
    ADD: binary;
    /// `-`.
    SUB: binary;
    /// Adds a small constant.
    ADD_XI: add_step;
    /// `*`.
    MUL: binary;
    /// `div`.
    INT_DIV: binary;
    /// `rem`.
    INT_REM: binary;
    /// `band`.
    BAND: binary;
    /// `bor`.
    BOR: binary;
    /// `bxor`.
    BXOR: binary;
    /// `bsl`.
    BSL: binary;
    /// `bsr`.
    BSR: binary;
    /// A guard BIF.
    GUARD_BIF: guard_bif;
    /// `!`: x0 receiver, x1 message.
    SEND: plain;
    /// Looks at the next message.
    LOOP_REC: loop_rec;
    /// The message does not match.
    LOOP_REC_END: jump;
    /// Waits for a message.
    WAIT: jump;
    /// Waits for a message, for some time.
    WAIT_TIMEOUT: wait_timeout;
    /// The time is over.
    TIMEOUT: plain;
    /// The current message is taken.
    REMOVE_MESSAGE: plain;
    /// Makes a receive marker.
    RECV_MARKER_RESERVE: target;
    /// Gives a marker its reference.
    RECV_MARKER_BIND: marker_bind;
    /// Drops the marker of a reference.
    RECV_MARKER_CLEAR: source;
    /// Starts at the marker of a reference.
    RECV_MARKER_USE: source;
    /// Makes a fun; the list is its environment.
    MAKE_FUN: make_fun;
    /// Does a map have these keys?
    HAS_MAP_FIELDS: map_fields;
    /// Values of a map; the list is of keys and destinations.
    GET_MAP_ELEMENTS: map_fields;
    /// `=>`; the list is of keys and values.
    PUT_MAP_ASSOC: put_map_assoc;
    /// Makes a small map of constant keys; the list is of values.
    NEW_MAP: new_map;
    /// `:=`; the list is of keys and values.
    PUT_MAP_EXACT: put_map_exact;
    /// Takes a float out of a term.
    FLOAD: float_load;
    /// Makes a term of a float.
    FSTORE: float_store;
    /// Copies a float.
    FMOVE: float_unary;
    /// Takes a number as a float.
    FCONV: float_load;
    /// `+` of floats.
    FADD: float_binary;
    /// `-` of floats.
    FSUB: float_binary;
    /// `*` of floats.
    FMUL: float_binary;
    /// `/` of floats.
    FDIV: float_binary;
    /// `-` of a float.
    FNEGATE: float_unary;
    /// Begins to match; without a place to jump to, anything else is an error.
    BS_START: bs_start;
    /// Are so many bits left?
    BS_TEST_TAIL: test_number;
    /// Is a multiple of so many bits left?
    BS_TEST_UNIT: test_number;
    /// Both for numbers that need a word.
    BS_TEST_LONG: bs_test_long;
    /// What is left, as a bitstring.
    BS_GET_TAIL: unary;
    /// The position.
    BS_GET_POSITION: unary;
    /// Goes back to a position.
    BS_SET_POSITION: bs_set_position;
    /// Takes a field.
    BS_GET: bs_get;
    /// Takes a code point.
    BS_GET_UTF: bs_get_utf;
    /// Takes constant bits.
    BS_MATCH_STRING: bs_match_string;
    /// Any commands of matching.
    BS_MATCH: bs_match;
    /// Makes a bitstring.
    BS_CREATE: bs_create;
    /// x0: size in bits; a writable binary to x0.
    BS_INIT_WRITABLE: plain;
    /// Adds up sizes for construction.
    BS_ADD: bs_add;
    /// A step of construction as compilers before OTP 25 wrote it.
    BS_OLD: bs_old;
    /// The same for constant bytes.
    BS_PUT_STRING: bs_put_string;
    /// How many bytes a code point takes.
    BS_UTF_SIZE: bs_utf_size;
    /// An operation on native records.
    RECORD_OP: record_op;
    /// Jumps anywhere.
    JUMP_FAR: jump_far;
    /// Is it a tuple of very many elements?
    IS_LONG_TUPLE: is_long_tuple;
    /// Makes a tuple of very many elements.
    PUT_LONG_TUPLE: put_long_tuple;
    /// An element far back in a tuple.
    GET_FAR_TUPLE_ELEMENT: get_far_element;
    /// The loader could not translate what stands here.
    BAD_CODE: of_function;
    /// `BS_MATCH` of commands that have a short way.
    BS_MATCH_SHORT: bs_match;
    /// `BS_CREATE` of segments that have a short way.
    BS_CREATE_SHORT: bs_create;
    /// `GUARD_BIF` of `element/2`.
    GUARD_ELEMENT: guard_bif;
    /// `GUARD_BIF` of `hd/1`.
    GUARD_HD: guard_bif;
    /// `GUARD_BIF` of `tl/1`.
    GUARD_TL: guard_bif;
    /// `GUARD_BIF` of `tuple_size/1`.
    GUARD_TUPLE_SIZE: guard_bif;
    /// `GUARD_BIF` of `self/0`.
    GUARD_SELF: guard_bif;
    /// `ADD` in a guard.
    ARITH_GUARD_ADD: binary_guard;
    /// `SUB` in a guard.
    ARITH_GUARD_SUB: binary_guard;
    /// `MUL` in a guard.
    ARITH_GUARD_MUL: binary_guard;
    /// `INT_DIV` in a guard.
    ARITH_GUARD_DIV: binary_guard;
    /// `BSR` in a guard.
    ARITH_GUARD_BSR: binary_guard;
    /// `INT_REM` in a guard.
    ARITH_GUARD_REM: binary_guard;
    /// `BAND` in a guard.
    ARITH_GUARD_BAND: binary_guard;
    /// `BOR` in a guard.
    ARITH_GUARD_BOR: binary_guard;
    /// `BXOR` in a guard.
    ARITH_GUARD_BXOR: binary_guard;
    /// `BSL` in a guard.
    ARITH_GUARD_BSL: binary_guard;
    MOVE2_XX: move_two = MOVE2 [X X X X];
    MOVE2_XY: move_two = MOVE2 [X Y X Y];
    MOVE2_YX: move_two = MOVE2 [Y X Y X];
    PUT_LIST_YXX: put_list = PUT_LIST [Y X X];
    IS_NIL_X: test = IS_NIL [X];
    IS_ATOM_X: test = IS_ATOM [X];
    IS_INTEGER_X: test = IS_INTEGER [X];
    IS_TUPLE_OF_ARITY_X: test_number = IS_TUPLE_OF_ARITY [X];
    IS_TAGGED_TUPLE_X: is_tagged_tuple = IS_TAGGED_TUPLE [X];
    IS_LT_XX: compare = IS_LT [X X];
    IS_LT_XK: compare = IS_LT [X K];
    IS_LT_KX: compare = IS_LT [K X];
    IS_GE_XX: compare = IS_GE [X X];
    IS_GE_XK: compare = IS_GE [X K];
    IS_GE_KX: compare = IS_GE [K X];
    ADD_XX: binary = ADD [X X X];
    ADD_YX: binary = ADD [Y X X];
    ADD_YK: binary = ADD [Y K X];
    SUB_XX: binary = SUB [X X X];
    SUB_YK: binary = SUB [Y K X];
    MUL_XX: binary = MUL [X X X];
    MUL_XK: binary = MUL [X K X];
    BAND_XX: binary = BAND [X X X];
    BAND_XK: binary = BAND [X K X];
    BOR_XX: binary = BOR [X X X];
    BXOR_XX: binary = BXOR [X X X];
    BSL_XK: binary = BSL [X K X];
    BSR_XK: binary = BSR [X K X];
}

/// The instruction for a guard, of an arithmetic one.
pub fn guard_for(op: u16) -> u16 {
    match op {
        ADD => ARITH_GUARD_ADD,
        SUB => ARITH_GUARD_SUB,
        MUL => ARITH_GUARD_MUL,
        INT_DIV => ARITH_GUARD_DIV,
        BSR => ARITH_GUARD_BSR,
        INT_REM => ARITH_GUARD_REM,
        BAND => ARITH_GUARD_BAND,
        BOR => ARITH_GUARD_BOR,
        BXOR => ARITH_GUARD_BXOR,
        BSL => ARITH_GUARD_BSL,
        _ => crate::bug::vm_bug("no arithmetic instruction"),
    }
}

/// The opcode of an instruction's first word.
#[inline(always)]
pub const fn of(word: u64) -> u16 {
    (word & 0xfff) as u16
}

/// How an `ADD_XI` was written: `x + n`.
pub const WRITTEN_PLUS: usize = 0;
/// `x - -n`.
pub const WRITTEN_MINUS: usize = 1;
/// `n + x`.
pub const WRITTEN_REVERSED: usize = 2;

/// How a call ends, as the field of `apply_list` tells it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CallEnding {
    /// It returns here.
    Returns,
    /// It is a tail call that drops the frame.
    DropsFrame,
    /// It is a tail call without a frame.
    HasNoFrame,
}
