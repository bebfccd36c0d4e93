//! The forms of instructions: which fields each has, and how many words.

use super::fields::{
    Bytes, Constant, ContinuationAt, Dst, ExportEntry, Float, Fun, Function, Jump, ModuleRef,
    Number, Signed, Src, X, Y,
};
use super::fields::{Field, FieldInfo, FieldKind, Form, List, Tail, at};

macro_rules! count {
    ($tail:ident $count:ident) => {
        Some($count.at)
    };
    () => {
        None
    };
}

macro_rules! tail {
    ($tail:ident) => {
        Tail::$tail
    };
    () => {
        Tail::None
    };
}

macro_rules! forms {
    ($(
        $(#[$doc:meta])*
        $form:ident: $words:literal $(+ $tail:ident($count:ident))? {
            $($field:ident: $kind:ident @ $at:ident),* $(,)?
        }
    )*) => {
        $(
            $(#[$doc])*
            #[allow(unused_imports, reason = "few forms have fields of all kinds")]
            pub mod $form {
                use super::*;
                $(
                    #[allow(missing_docs, reason = "named as the form's text says")]
                    pub const $field: Field<$kind> = Field::new(at::$at);
                )*
                /// What follows the fixed words.
                pub const LIST: List = List { from: $words };
                /// The form as a listing sees it.
                pub static FORM: Form = Form {
                    words: $words,
                    tail: tail!($($tail)?),
                    count: count!($($tail $count)?),
                    fields: &[$(FieldInfo {
                        name: stringify!($field),
                        at: at::$at,
                        sort: <$kind as FieldKind>::SORT,
                    }),*],
                };
                /// Words of an instruction whose tail has `n` elements.
                #[inline(always)]
                pub const fn words(n: usize) -> usize {
                    $words + tail!($($tail)?).words(n)
                }
                /// Its fixed words.
                pub const WORDS: usize = $words;
            }
        )*
    };
}

forms! {
    /// No fields.
    plain: 1 {}
    /// The stub of an export entry.
    export_stub: 2 { EXPORT: ExportEntry @ W1 }
    /// Something about a function.
    of_function: 2 { FUNCTION: Function @ W1 }
    /// Machine code.
    native: 2 { ADDRESS: Constant @ W1 }
    /// Where a call of native code returns to: in bytecode, and the continuation there.
    native_return: 3 { AFTER: Constant @ W1, CONTINUATION: ContinuationAt @ W2 }
    /// Where a function returns to for which native code keeps a list, in bytecode.
    prepend: 2 { AFTER: Constant @ W1 }
    /// A place at which native code goes on.
    continue_native: 2 { CONTINUATION: ContinuationAt @ W1 }
    /// A function's entry.
    enter: 1 { ARITY: Number @ A }
    /// A call inside the module. A tail call drops a frame of so many words.
    call: 2 { ARITY: Number @ A, FRAME: Number @ B, FUNCTION: Function @ W1 }
    /// A call of an export entry.
    call_ext: 2 { ARITY: Number @ A, FRAME: Number @ B, EXPORT: ExportEntry @ W1 }
    /// `apply`, module and function behind the arguments.
    apply: 1 { ARITY: Number @ A, FRAME: Number @ B }
    /// `erlang:apply/2,3`. How: an `ops::CallEnding`.
    apply_list: 1 { FRAME: Number @ B, HOW: Number @ C }
    /// A call of a fun.
    call_fun: 1 { ARITY: Number @ A, FUN: Src @ B, FRAME: Number @ C }
    /// A new frame, and heap.
    allocate: 1 { SLOTS: Number @ A, LIVE: Number @ B, HEAP: Number @ C20 }
    /// Slots of the frame that go.
    slots: 1 { SLOTS: Number @ A }
    /// Heap.
    test_heap: 2 { LIVE: Number @ A, HEAP: Number @ W1 }
    /// Slots to clear.
    init_y: 1 + Operands(COUNT) { COUNT: Number @ B }
    /// A jump.
    jump: 1 { TO: Jump @ C20 }
    /// A jump further than the field `c` reaches.
    jump_far: 2 { TO: Jump @ W1_LOW }
    /// A value read and a value written.
    unary: 1 { FROM: Src @ A, TO: Dst @ B }
    /// Two moves, one after the other.
    move_two: 2 { FROM: Src @ A, TO: Dst @ B, THEN_FROM: Src @ C, THEN_TO: Dst @ W1_0 }
    /// Two places that are read and written.
    swap: 1 { LEFT: Src @ A, LEFT_AGAIN: Dst @ A, RIGHT: Src @ B, RIGHT_AGAIN: Dst @ B }
    /// A list taken apart.
    get_list: 1 { LIST_AT: Src @ A, HEAD: Dst @ B, REST: Dst @ C }
    /// The same, with the test that it is one.
    is_cons_get_list: 2 { LIST_AT: X @ A, FAIL: Jump @ C20, HEAD: X @ W1_0, REST: X @ W1_16 }
    /// A cell made.
    put_list: 1 { HEAD: Src @ A, REST: Src @ B, TO: Dst @ C }
    /// A tuple made.
    put_tuple: 1 + Operands(COUNT) { TO: Dst @ A, COUNT: Number @ B }
    /// A tuple of very many elements made.
    put_long_tuple: 2 + WideOperands(COUNT) { TO: Dst @ A, COUNT: Number @ W1 }
    /// An element, counted from 0.
    get_element: 1 { TUPLE: Src @ A, INDEX: Number @ B, TO: Dst @ C }
    /// An element far back.
    get_far_element: 2 { TUPLE: Src @ A, TO: Dst @ B, INDEX: Number @ W1 }
    /// Two elements of one tuple.
    get_two_elements: 2 {
        TUPLE: X @ A, INDEX: Number @ B, TO: X @ C, THEN_INDEX: Number @ W1_0, THEN_TO: X @ W1_16,
    }
    /// An element overwritten.
    set_element: 1 { VALUE: Src @ A, TUPLE: Src @ B, INDEX: Number @ C20 }
    /// A copy of a tuple with other elements at some positions.
    update_record: 2 + Updates(COUNT) { TUPLE: Src @ A, TO: Dst @ B, COUNT: Number @ C, SIZE: Number @ W1 }
    /// A handler set.
    catch: 1 { SLOT: Y @ A, HANDLER: Jump @ C20 }
    /// A handler's slot cleared.
    catch_end: 1 { SLOT: Y @ A }
    /// An exception passed on: the raw trace and the reason.
    raise: 1 { TRACE: Src @ A, REASON: Src @ B }
    /// A test of one value.
    test: 1 { VALUE: Src @ A, FAIL: Jump @ C20 }
    /// A test of one value against a number.
    test_number: 1 { VALUE: Src @ A, NUMBER: Number @ B, FAIL: Jump @ C20 }
    /// A test of two values.
    compare: 1 { LEFT: Src @ A, RIGHT: Src @ B, FAIL: Jump @ C20 }
    /// A test of a register against a word.
    compare_word: 2 { VALUE: X @ A, FAIL: Jump @ C20, WORD: Constant @ W1 }
    /// A test for a tuple of a size and a first element.
    is_tagged_tuple: 2 { VALUE: Src @ A, SIZE: Number @ B, FAIL: Jump @ C20, TAG: Constant @ W1 }
    /// The same for sizes that need a word; no tag is any tag.
    is_long_tuple: 3 { VALUE: Src @ A, FAIL: Jump @ C20, SIZE: Number @ W1, TAG: Constant @ W2 }
    /// A choice by value.
    select: 1 + Keys(COUNT) { VALUE: Src @ A, COUNT: Number @ B, OTHERWISE: Jump @ C20 }
    /// A choice by the size of a tuple.
    select_arity: 1 + Sizes(COUNT) { VALUE: Src @ A, COUNT: Number @ B, OTHERWISE: Jump @ C20 }
    /// A choice among small integers from the least one on.
    select_range: 2 + Distances(COUNT) {
        VALUE: Src @ A, COUNT: Number @ B, OTHERWISE: Jump @ C20, LEAST: Number @ W1,
    }
    /// Arithmetic that raises.
    binary: 1 { LEFT: Src @ A, RIGHT: Src @ B, TO: Dst @ C }
    /// A register and a small constant. Written: 0 as `x + n`, 1 as `x - -n`, 2 as `n + x`.
    add_step: 1 { FROM: X @ A, STEP: Signed @ B, TO: X @ C, WRITTEN: Number @ C_REST }
    /// Arithmetic that jumps.
    binary_guard: 2 { LEFT: Src @ A, RIGHT: Src @ B, FAIL: Jump @ C20, TO: Dst @ W1_0 }
    /// A guard BIF. Live: one more than the number of live X registers where the process may stop here, or 0.
    guard_bif: 3 {
        COUNT: Number @ A, TO: Dst @ B, FAIL: Jump @ C20, EXPORT: ExportEntry @ W1,
        FIRST: Src @ W2_0, SECOND: Src @ W2_16, THIRD: Src @ W2_32, LIVE: Number @ W2_48,
    }
    /// The next message.
    loop_rec: 1 { TO: Dst @ A, NONE: Jump @ C20 }
    /// A wait with a time.
    wait_timeout: 1 { TIME: Src @ A, BACK: Jump @ C20 }
    /// A value written.
    target: 1 { TO: Dst @ A }
    /// A receive marker and a reference.
    marker_bind: 1 { MARKER: Src @ A, REFERENCE: Src @ B }
    /// A value read.
    source: 1 { VALUE: Src @ A }
    /// A fun made.
    make_fun: 2 + Operands(COUNT) { TO: Dst @ A, COUNT: Number @ B, FUN: Fun @ W1 }
    /// Keys that a map must have, or such keys and places for their values.
    map_fields: 1 + Operands(COUNT) { MAP: Src @ A, COUNT: Number @ B, FAIL: Jump @ C20 }
    /// Keys and values put into a map.
    put_map_assoc: 1 + Operands(COUNT) { MAP: Src @ A, COUNT: Number @ B, TO: Dst @ C }
    /// The same for keys that must be there.
    put_map_exact: 2 + Operands(COUNT) { MAP: Src @ A, COUNT: Number @ B, FAIL: Jump @ C20, TO: Dst @ W1_0 }
    /// A small map of known keys: their tuple, and values.
    new_map: 2 + Operands(COUNT) { TO: Dst @ A, COUNT: Number @ B, KEYS: Constant @ W1 }
    /// A float taken out of a term.
    float_load: 1 { FROM: Src @ A, TO: Float @ B }
    /// A term made of a float.
    float_store: 1 { FROM: Float @ A, TO: Dst @ B }
    /// Between float registers.
    float_unary: 1 { FROM: Float @ A, TO: Float @ B }
    /// Arithmetic of floats.
    float_binary: 1 { LEFT: Float @ A, RIGHT: Float @ B, TO: Float @ C }
    /// Matching begins.
    bs_start: 1 { FROM: Src @ A, TO: Dst @ B, FAIL: Jump @ C20 }
    /// A test of what is left. Whole: 0 for exactly so many bits, 1 for a multiple.
    bs_test_long: 2 { CONTEXT: Src @ A, MULTIPLE: Number @ B, FAIL: Jump @ C20, BITS: Number @ W1 }
    /// A position set.
    bs_set_position: 1 { CONTEXT: Src @ A, POSITION: Src @ B }
    /// A field; see `bit_words`.
    bs_get: 2 {
        CONTEXT: Src @ A, SIZE: Src @ B, FAIL: Jump @ C20,
        TO: Dst @ W1_0, UNIT: Number @ W1_16, FLAGS: Number @ W1_32, KIND: Number @ W1_48,
    }
    /// A code point; 65535 in place of a destination keeps nothing.
    bs_get_utf: 2 { CONTEXT: Src @ A, TO: Dst @ B, FAIL: Jump @ C20, KIND: Number @ W1_0, FLAGS: Number @ W1_16 }
    /// Constant bits that must come next.
    bs_match_string: 3 { CONTEXT: Src @ A, FAIL: Jump @ C20, BITS: Number @ W1, BYTES: Bytes @ W2 }
    /// Commands of matching; see `bit_words`.
    bs_match: 1 + Commands(COUNT) { CONTEXT: Src @ A, COUNT: Number @ B, FAIL: Jump @ C20 }
    /// Segments of construction; see `bit_words`.
    bs_create: 1 + Segments(COUNT) { COUNT: Number @ A, TO: Dst @ B, FAIL: Jump @ C20 }
    /// A sum of sizes.
    bs_add: 2 { LEFT: Src @ A, RIGHT: Src @ B, FAIL: Jump @ C20, UNIT: Number @ W1_0, TO: Dst @ W1_16 }
    /// A step of construction as compilers before OTP 25 wrote it; see `bit_words`.
    bs_old: 3 {
        TO: Dst @ A, KIND: Number @ B, FAIL: Jump @ C20,
        FIRST: Src @ W1_0, SECOND: Src @ W1_16, UNIT: Number @ W1_32, HOW: Number @ W2,
    }
    /// Constant bytes added, as the same compilers wrote it.
    bs_put_string: 3 { LENGTH: Number @ W1, BYTES: Bytes @ W2 }
    /// The size of a code point; utf16: 1, utf8: 0.
    bs_utf_size: 1 { FROM: Src @ A, TO: Dst @ B, WIDE: Number @ C }
    /// An operation on native records; see `records`.
    record_op: 2 + Operands(COUNT) {
        OPERATION: Number @ A, COUNT: Number @ B, FAIL: Jump @ C20, TO: Dst @ W1_0, MODULE: ModuleRef @ W1_UPPER,
    }
}
