//! The interpreter's instructions.
//!
//! Bytecode is a sequence of 64-bit words. An instruction starts with
//!
//! ```text
//! 63          44 43      28 27      12 11       0
//! [ c           ][ b       ][ a       ][ opcode  ]
//! ```
//!
//! and may have more words, always the same number for one opcode, except where a count says otherwise.
//! `a` and `b` are operands or small numbers; `c` is an operand, or the signed distance in words to the
//! place to jump to when a test fails. An operand of 16 bits names a place:
//!
//! ```text
//! 0iiiiiiiiiiiiiii   X register i
//! 10iiiiiiiiiiiiii   Y register i, counted from the top of the stack
//! 11dddddddddddddd   the word d words after the instruction's first: a constant in a pool
//! ```
//!
//! Constants stand in pools behind the code that uses them, within reach of 14 bits.

use crate::code::operand::Place;

macro_rules! ops {
    ($($(#[$doc:meta])* $name:ident = $len:literal;)*) => {
        #[allow(non_camel_case_types, clippy::upper_case_acronyms, reason = "variants become the constants below")]
        #[repr(u16)]
        enum Op { $($name),* }
        $(
            $(#[$doc])*
            pub const $name: u16 = Op::$name as u16;
        )*
        /// Names by opcode.
        pub const NAMES: &[&str] = &[$(stringify!($name)),*];
        /// Words of an instruction by opcode; 0 where a count in it says so.
        pub const LENGTHS: &[u8] = &[$($len),*];
    };
}

ops! {
    /// An export entry without code: call the BIF, or the error handler. Word 1: the `Export`.
    EXPORT_STUB = 2;
    /// A function not translated yet. Word 1: the `FnInfo`.
    LAZY = 2;
    /// `func_info`: no clause matches. Word 1: the `FnInfo`.
    FUNC_INFO = 2;
    /// Counts one reduction at a function's entry; a: arity.
    ENTER = 1;
    /// The process's first function has returned.
    NORMAL_EXIT = 1;
    /// Waits until there is a message; x0 to x2 are for what follows.
    HIBERNATED = 1;
    /// x0: module, x1: function, x2: list of arguments; tail call.
    APPLY_ARGS = 1;
    /// Continues after a BIF that went on elsewhere; x0 is the value.
    RETURN = 1;
    /// a: arity. Word 1: the `FnInfo`.
    CALL = 2;
    /// a: arity, b: words of the frame to drop. Word 1: the `FnInfo`.
    CALL_LAST = 2;
    /// a: arity. Word 1: the `FnInfo`.
    CALL_ONLY = 2;
    /// a: arity. Word 1: the `Export`.
    CALL_EXT = 2;
    /// a: arity, b: frame. Word 1: the `Export`.
    CALL_EXT_LAST = 2;
    /// a: arity. Word 1: the `Export`.
    CALL_EXT_ONLY = 2;
    /// A BIF with its arguments in X registers; a: arity. Word 1: the `Export`.
    CALL_BIF = 2;
    /// a: arity; module and function in the registers after the arguments.
    APPLY = 1;
    /// a: arity, b: frame.
    APPLY_LAST = 1;
    /// `erlang:apply/2`: x0 fun, x1 list; b: frame, c: 0 call, 1 last, 2 only.
    APPLY_FUN_LIST = 1;
    /// `erlang:apply/3` as a call; b: frame, c: 0 call, 1 last, 2 only.
    APPLY_MFA = 1;
    /// a: arity, b: the fun.
    CALL_FUN = 1;
    /// The same as a tail call; c: frame.
    CALL_FUN_LAST = 1;
    /// a: slots, b: live, words of heap in c.
    ALLOCATE = 1;
    /// a: slots.
    DEALLOCATE = 1;
    /// a: slots; then return.
    DEALLOCATE_RETURN = 1;
    /// a: slots to drop.
    TRIM = 1;
    /// a: live. Word 1: words.
    TEST_HEAP = 2;
    /// b: count; operands four a word from word 1 on.
    INIT_Y = 0;
    /// c: distance.
    JUMP = 1;
    /// a to b.
    MOVE = 1;
    /// a to b, both X registers.
    MOVE_XX = 1;
    /// Y register a to X register b.
    MOVE_YX = 1;
    /// X register a to Y register b.
    MOVE_XY = 1;
    /// Constant a to X register b.
    MOVE_KX = 1;
    /// a to b and then c to the operand in word 1's low bits.
    MOVE2 = 2;
    /// a and b change places.
    SWAP = 1;
    /// a: list, b: head, c: tail.
    GET_LIST = 1;
    /// a: list, b: head.
    GET_HD = 1;
    /// a: list, b: tail.
    GET_TL = 1;
    /// a: list, b, c: X registers.
    GET_LIST_XXX = 1;
    /// a: X register; fails to c; then head and tail to the X registers in word 1.
    IS_CONS_GET_LIST = 2;
    /// a: head, b: tail, c: destination.
    PUT_LIST = 1;
    /// a: head, b: tail, c: destination, all X registers.
    PUT_LIST_XXX = 1;
    /// a: destination, b: count; operands four a word from word 1 on.
    PUT_TUPLE = 0;
    /// a: tuple, b: index from 0, c: destination.
    GET_TUPLE_ELEMENT = 1;
    /// The same, a and c X registers.
    GET_TUPLE_ELEMENT_XX = 1;
    /// Two elements of one tuple. a: tuple, b: index from 0, c: destination, both X registers. Word 1: the other
    /// index, and its destination in bits 16, another X register.
    GET_TWO_ELEMENTS = 2;
    /// a: value, b: tuple, c: index from 0.
    SET_TUPLE_ELEMENT = 1;
    /// a: tuple, b: destination, c: updates. Word 1: size; then pairs, index in a word's low half and operand in bits 32.
    UPDATE_RECORD = 0;
    /// a: value of badmatch.
    BADMATCH = 1;
    /// No clause of an `if` is true.
    IF_END = 1;
    /// a: value of case_clause.
    CASE_END = 1;
    /// a: value of try_clause.
    TRY_CASE_END = 1;
    /// a: value of badrecord.
    BADRECORD = 1;
    /// A call that must not return has returned.
    NO_RETURN = 1;
    /// a: Y register, c: handler.
    CATCH = 1;
    /// a: Y register.
    CATCH_END = 1;
    /// a: Y register.
    TRY_END = 1;
    /// a: Y register.
    TRY_CASE = 1;
    /// a: raw trace, b: reason.
    RAISE = 1;
    /// x0: raw trace, becomes a list.
    BUILD_STACKTRACE = 1;
    /// x0: class, x1: reason, x2: raw trace or list.
    RAW_RAISE = 1;
    /// a; c: fail.
    IS_INTEGER = 1;
    /// a; c: fail.
    IS_FLOAT = 1;
    /// a; c: fail.
    IS_NUMBER = 1;
    /// a; c: fail.
    IS_ATOM = 1;
    /// a; c: fail.
    IS_PID = 1;
    /// a; c: fail.
    IS_REFERENCE = 1;
    /// a; c: fail.
    IS_PORT = 1;
    /// a; c: fail.
    IS_NIL = 1;
    /// a; c: fail.
    IS_BINARY = 1;
    /// a; c: fail.
    IS_BITSTR = 1;
    /// a; c: fail.
    IS_LIST = 1;
    /// a; c: fail.
    IS_NONEMPTY_LIST = 1;
    /// a: X register; c: fail.
    IS_NONEMPTY_LIST_X = 1;
    /// a; c: fail.
    IS_TUPLE = 1;
    /// a; c: fail.
    IS_FUNCTION = 1;
    /// a: fun, b: arity; c: fail.
    IS_FUNCTION2 = 1;
    /// a; c: fail.
    IS_BOOLEAN = 1;
    /// a; c: fail.
    IS_MAP = 1;
    /// a native record; c: fail.
    IS_RECORD = 1;
    /// a: tuple, tested before, b: size; c: fail.
    TEST_ARITY = 1;
    /// Tuple of the size at once; a, b: size; c: fail.
    IS_TUPLE_OF_ARITY = 1;
    /// a: term, b: size; c: fail. Word 1: the atom.
    IS_TAGGED_TUPLE = 2;
    /// a, b; c: fail.
    IS_LT = 1;
    /// a, b; c: fail.
    IS_GE = 1;
    /// a, b; c: fail.
    IS_EQ = 1;
    /// a, b; c: fail.
    IS_NE = 1;
    /// a, b; c: fail.
    IS_EQ_EXACT = 1;
    /// a, b; c: fail.
    IS_NE_EXACT = 1;
    /// a: X register; c: fail. Word 1: an immediate that is no float.
    IS_EQ_IMM = 2;
    /// a: X register; c: fail. Word 1: an immediate that is no float.
    IS_NE_IMM = 2;
    /// a: value, b: pairs; c: otherwise. Then sorted words, then distances, two a word.
    SELECT = 0;
    /// a: value, b: count; c: otherwise. Word 1: least small integer; then distances, two a word.
    SELECT_RANGE = 0;
    /// a: tuple, b: pairs; c: otherwise. As `SELECT`, by size.
    SELECT_ARITY = 0;
    /// a + b to c.
    ADD = 1;
    /// a - b to c.
    SUB = 1;
    /// a + immediate b (signed 16 bits) to c, a and c X registers. `ADD_XI_MINUS` and `ADD_XI_REVERSED` tell how
    /// it was written.
    ADD_XI = 1;
    /// a * b to c.
    MUL = 1;
    /// a div b to c.
    INT_DIV = 1;
    /// a rem b to c.
    INT_REM = 1;
    /// a band b to c.
    BAND = 1;
    /// a bor b to c.
    BOR = 1;
    /// a bxor b to c.
    BXOR = 1;
    /// a bsl b to c.
    BSL = 1;
    /// a bsr b to c.
    BSR = 1;
    /// Any arithmetic in a guard: a, b; c: fail. Word 1: destination, and the opcode above in bits 16.
    ARITH_GUARD = 2;
    /// Guard BIF; a: count, b: destination; c: fail, 0 for none. Word 1: the `Export`; word 2: up to 3 operands, and
    /// in bits 48 one more than the number of live X registers where the process may stop here, or 0.
    GUARD_BIF = 3;
    /// a: message register ignored; x0 receiver, x1 message.
    SEND = 1;
    /// c: no message. a: destination.
    LOOP_REC = 1;
    /// c: back.
    LOOP_REC_END = 1;
    /// c: back.
    WAIT = 1;
    /// a: time; c: back.
    WAIT_TIMEOUT = 1;
    /// The time is over.
    TIMEOUT = 1;
    /// The current message is taken.
    REMOVE_MESSAGE = 1;
    /// a: destination.
    RECV_MARKER_RESERVE = 1;
    /// a: marker, b: reference.
    RECV_MARKER_BIND = 1;
    /// a: reference.
    RECV_MARKER_CLEAR = 1;
    /// a: reference.
    RECV_MARKER_USE = 1;
    /// a: destination, b: free variables. Word 1: the `FunEntry`; operands four a word from word 2 on.
    MAKE_FUN = 0;
    /// a: source, c: fail, b: count. From word 1 on: keys, four a word.
    HAS_MAP_FIELDS = 0;
    /// a: source, b: count of operands; c: fail. From word 1 on: keys and destinations, four a word.
    GET_MAP_ELEMENTS = 0;
    /// a: source, b: count of operands, c: destination. From word 1 on: keys and values, four a word.
    PUT_MAP_ASSOC = 0;
    /// A small map of constant keys. a: destination, b: count. Word 1: the tuple of keys, in order; from word 2 on: values,
    /// four a word.
    NEW_MAP = 0;
    /// a: source, b: count of operands; c: fail, 0 for none. Word 1: destination; then keys and values, four a word.
    PUT_MAP_EXACT = 0;
    /// a: register of a float, b: float register.
    FLOAD = 1;
    /// a: float register, b: destination.
    FSTORE = 1;
    /// a: float register, b: float register.
    FMOVE = 1;
    /// a: number, b: float register; c: fail.
    FCONV = 1;
    /// Float registers a, b to c's low 16 bits.
    FADD = 1;
    /// Float registers a, b to c's low 16 bits.
    FSUB = 1;
    /// Float registers a, b to c's low 16 bits.
    FMUL = 1;
    /// Float registers a, b to c's low 16 bits.
    FDIV = 1;
    /// Float register a to b.
    FNEGATE = 1;
    /// a: source, b: destination; c: fail, or 0 where anything else is an error.
    BS_START = 1;
    /// a: context, b: number of bits; c: fail.
    BS_TEST_TAIL = 1;
    /// a: context, b: unit; c: fail.
    BS_TEST_UNIT = 1;
    /// a: context, b: 0 as `BS_TEST_TAIL`, 1 as `BS_TEST_UNIT`; c: fail. Word 1: the number.
    BS_TEST_LONG = 2;
    /// a: context, b: destination.
    BS_GET_TAIL = 1;
    /// a: context, b: destination.
    BS_GET_POSITION = 1;
    /// a: context, b: position.
    BS_SET_POSITION = 1;
    /// a: context, b: size; c: fail. Word 1: destination, unit in bits 16, flags in bits 32, kind in bits 48.
    BS_GET = 2;
    /// a: context; c: fail. b: destination or none (0xffff); word 1: kind (utf8, 16, 32), flags in bits 16.
    BS_GET_UTF = 2;
    /// a: context; c: fail. Word 1: bits; word 2: address of the bytes.
    BS_MATCH_STRING = 3;
    /// a: context, b: commands; c: fail. Two words a command, see `bits`.
    BS_MATCH = 0;
    /// a: segments, b: destination; c: fail, 0 for none. Two words a segment, see `bits`.
    BS_CREATE = 0;
    /// x0: size in bits; a writable binary to x0.
    BS_INIT_WRITABLE = 1;
    /// a, b: sizes. c: fail. Word 1: unit, destination in bits 16.
    BS_ADD = 2;
    /// Old construction: kind in b, see `bits`; a: destination; c: fail. Words 1, 2: operands.
    BS_OLD = 3;
    /// Size of a code point: a: source, b: destination; c: 0 for utf8, 1 for utf16.
    BS_UTF_SIZE = 1;
    /// a: operation on native records, see `records`; b: operands; c: fail. Word 1: destination, address
    /// of the module in bits 16; operands from word 2 on.
    RECORD_OP = 0;
    /// x0 and x1: module and function name of the on_load function; not reached.
    ON_LOAD = 1;
    /// Calls the function that a debugger or tracer put in front of an instruction.
    BREAKPOINT = 2;
    /// Word 1: distance.
    JUMP_FAR = 2;
    /// a: term; c: fail. Word 1: number of elements; word 2: the first one, or 0 for any.
    IS_LONG_TUPLE = 3;
    /// a: destination. Word 1: number of elements, each in a word.
    PUT_LONG_TUPLE = 0;
    /// a: tuple, b: destination. Word 1: index.
    GET_FAR_TUPLE_ELEMENT = 2;
    /// The loader could not translate what stands here. Word 1: the `FnInfo`.
    BAD_CODE = 2;

    /// `BS_MATCH` of commands that `fast::bits` knows.
    BS_MATCH_SHORT = 0;
    /// `BS_CREATE` of segments that `fast::bits` knows.
    BS_CREATE_SHORT = 0;

    // What follows are instructions from above whose operands are known to be X registers (X), Y registers
    // (Y) or constants (K); words and fields are the same, and results go to X registers.
    /// `GUARD_BIF` of `element/2`.
    GUARD_ELEMENT = 3;
    /// `GUARD_BIF` of `hd/1`.
    GUARD_HD = 3;
    /// `GUARD_BIF` of `tl/1`.
    GUARD_TL = 3;
    /// `GUARD_BIF` of `tuple_size/1`.
    GUARD_TUPLE_SIZE = 3;
    /// `GUARD_BIF` of `self/0`.
    GUARD_SELF = 3;
    /// `ARITH_GUARD` with `ADD`, any operands.
    ARITH_GUARD_ADD = 2;
    /// `ARITH_GUARD` with `SUB`, any operands.
    ARITH_GUARD_SUB = 2;
    /// `ARITH_GUARD` with `MUL`, any operands.
    ARITH_GUARD_MUL = 2;
    /// `ARITH_GUARD` with `INT_DIV`, any operands.
    ARITH_GUARD_DIV = 2;
    /// `ARITH_GUARD` with `BSR`, any operands.
    ARITH_GUARD_BSR = 2;
    /// `ARITH_GUARD` with `INT_REM`, any operands.
    ARITH_GUARD_REM = 2;
    /// `ARITH_GUARD` with `BAND`, any operands.
    ARITH_GUARD_BAND = 2;
    /// `MOVE2`.
    MOVE2_XX = 2;
    /// `MOVE2`, destinations Y registers.
    MOVE2_XY = 2;
    /// `MOVE2`.
    MOVE2_YX = 2;
    /// `PUT_LIST`.
    PUT_LIST_YXX = 1;
    /// `IS_NIL`.
    IS_NIL_X = 1;
    /// `IS_ATOM`.
    IS_ATOM_X = 1;
    /// `IS_INTEGER`.
    IS_INTEGER_X = 1;
    /// `IS_TUPLE_OF_ARITY`.
    IS_TUPLE_OF_ARITY_X = 1;
    /// `IS_TAGGED_TUPLE`.
    IS_TAGGED_TUPLE_X = 2;
    /// `IS_LT`.
    IS_LT_XX = 1;
    /// `IS_LT`.
    IS_LT_XK = 1;
    /// `IS_LT`.
    IS_LT_KX = 1;
    /// `IS_GE`.
    IS_GE_XX = 1;
    /// `IS_GE`.
    IS_GE_XK = 1;
    /// `IS_GE`.
    IS_GE_KX = 1;
    /// `ADD`.
    ADD_XX = 1;
    /// `ADD`.
    ADD_YX = 1;
    /// `ADD`.
    ADD_YK = 1;
    /// `SUB`.
    SUB_XX = 1;
    /// `SUB`.
    SUB_YK = 1;
    /// `MUL`.
    MUL_XX = 1;
    /// `MUL`.
    MUL_XK = 1;
    /// `BAND`.
    BAND_XX = 1;
    /// `BAND`.
    BAND_XK = 1;
    /// `BOR`.
    BOR_XX = 1;
    /// `BXOR`.
    BXOR_XX = 1;
    /// `BSL`.
    BSL_XK = 1;
    /// `BSR`.
    BSR_XK = 1;
}

/// The instruction for operands of these kinds: the one given, or one that knows the kinds.
pub fn for_operands(op: u16, places: &[Place]) -> u16 {
    use Place::{K, X, Y};
    match (op, places) {
        (MOVE, [X(_), X(_)]) => MOVE_XX,
        (MOVE, [Y(_), X(_)]) => MOVE_YX,
        (MOVE, [X(_), Y(_)]) => MOVE_XY,
        (MOVE, [K(_), X(_)]) => MOVE_KX,
        (MOVE2, [X(_), X(_), X(_), X(_)]) => MOVE2_XX,
        (MOVE2, [X(_), Y(_), X(_), Y(_)]) => MOVE2_XY,
        (MOVE2, [Y(_), X(_), Y(_), X(_)]) => MOVE2_YX,
        (GET_LIST, [X(_), X(_), X(_)]) => GET_LIST_XXX,
        (GET_TUPLE_ELEMENT, [X(_), X(_)]) => GET_TUPLE_ELEMENT_XX,
        (PUT_LIST, [X(_), X(_), X(_)]) => PUT_LIST_XXX,
        (PUT_LIST, [Y(_), X(_), X(_)]) => PUT_LIST_YXX,
        (IS_NONEMPTY_LIST, [X(_)]) => IS_NONEMPTY_LIST_X,
        (IS_NIL, [X(_)]) => IS_NIL_X,
        (IS_ATOM, [X(_)]) => IS_ATOM_X,
        (IS_INTEGER, [X(_)]) => IS_INTEGER_X,
        (IS_TUPLE_OF_ARITY, [X(_)]) => IS_TUPLE_OF_ARITY_X,
        (IS_TAGGED_TUPLE, [X(_)]) => IS_TAGGED_TUPLE_X,
        (IS_LT, [X(_), X(_)]) => IS_LT_XX,
        (IS_LT, [X(_), K(_)]) => IS_LT_XK,
        (IS_LT, [K(_), X(_)]) => IS_LT_KX,
        (IS_GE, [X(_), X(_)]) => IS_GE_XX,
        (IS_GE, [X(_), K(_)]) => IS_GE_XK,
        (IS_GE, [K(_), X(_)]) => IS_GE_KX,
        (ADD, [X(_), X(_), X(_)]) => ADD_XX,
        (ADD, [Y(_), X(_), X(_)]) => ADD_YX,
        (ADD, [Y(_), K(_), X(_)]) => ADD_YK,
        (SUB, [X(_), X(_), X(_)]) => SUB_XX,
        (SUB, [Y(_), K(_), X(_)]) => SUB_YK,
        (MUL, [X(_), X(_), X(_)]) => MUL_XX,
        (MUL, [X(_), K(_), X(_)]) => MUL_XK,
        (BAND, [X(_), X(_), X(_)]) => BAND_XX,
        (BAND, [X(_), K(_), X(_)]) => BAND_XK,
        (BOR, [X(_), X(_), X(_)]) => BOR_XX,
        (BXOR, [X(_), X(_), X(_)]) => BXOR_XX,
        (BSL, [X(_), K(_), X(_)]) => BSL_XK,
        (BSR, [X(_), K(_), X(_)]) => BSR_XK,
        _ => op,
    }
}

/// `ARITH_GUARD` for an arithmetic instruction.
pub fn guard_for(op: u16) -> u16 {
    match op {
        ADD => ARITH_GUARD_ADD,
        SUB => ARITH_GUARD_SUB,
        MUL => ARITH_GUARD_MUL,
        INT_DIV => ARITH_GUARD_DIV,
        BSR => ARITH_GUARD_BSR,
        INT_REM => ARITH_GUARD_REM,
        BAND => ARITH_GUARD_BAND,
        _ => ARITH_GUARD,
    }
}

/// A bit of `ADD_XI`: it was `a - (-b)`.
pub const ADD_XI_MINUS: u64 = 1 << 60;
/// A bit of `ADD_XI`: it was `b + a`.
pub const ADD_XI_REVERSED: u64 = 1 << 61;

/// Name of the instruction in a word.
pub fn name(word: u64) -> &'static str {
    NAMES.get((word & 0xfff) as usize).copied().unwrap_or("?")
}
