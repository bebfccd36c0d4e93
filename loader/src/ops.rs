//! The instruction table: one row for each of the 191 generic BEAM instructions.
//!
//! [`for_each_genop!`] is the only list of instructions. The decoder takes the number of operands
//! and their kinds from it, the verifier what is read, written and jumped to, the disassembler the
//! names; the interpreter and the native tier expand it as well. A row reads
//!
//! ```text
//! number snake_name CamelName [operand kinds] since status family "what it does";
//! ```
//!
//! `since` is the OTP release (R4 to R16 are written 4 to 16). `status` says how the instruction
//! stands in the supported releases: `current` is emitted by at least the newest compiler or accepted by all
//! loaders, `legacy` is accepted by the loader of at least one release but no longer emitted, and `obsolete` is refused by all.
//! Operand kinds are explained at [`OperandKind`].

use std::fmt;

/// Calls the macro `$m` with all rows of the instruction table.
#[macro_export]
macro_rules! for_each_genop {
    ($m:ident) => {
        $m! {
            1 label Label [Def] 4 Current Control "Names this place in the code.";
            2 func_info FuncInfo [Atom Atom Arity] 4 Current Control "Starts a function; raises function_clause when executed.";
            3 int_code_end IntCodeEnd [] 4 Current Control "Ends the code of the module.";
            4 call Call [Arity Entry] 4 Current Call "Calls a function of this module.";
            5 call_last CallLast [Arity Entry Frame] 4 Current Call "Drops the frame and tail calls a function of this module.";
            6 call_only CallOnly [Arity Entry] 4 Current Call "Tail calls a function of this module without a frame.";
            7 call_ext CallExt [Arity Import] 4 Current Call "Calls an imported function.";
            8 call_ext_last CallExtLast [Arity Import Frame] 4 Current Call "Drops the frame and tail calls an imported function.";
            9 bif0 Bif0 [Import Dst] 4 Current Guard "Guard BIF without arguments.";
            10 bif1 Bif1 [Fail Import Src Dst] 4 Current Guard "Guard BIF with one argument that never needs the heap.";
            11 bif2 Bif2 [Fail Import Src Src Dst] 4 Current Guard "Guard BIF with two arguments that never needs the heap.";
            12 allocate Allocate [Frame Live] 4 Current Control "Makes a stack frame.";
            13 allocate_heap AllocateHeap [Frame Heap Live] 4 Current Control "Makes a stack frame and reserves heap.";
            14 allocate_zero AllocateZero [Frame Live] 4 Legacy Control "Makes a stack frame with all slots set.";
            15 allocate_heap_zero AllocateHeapZero [Frame Heap Live] 4 Legacy Control "Makes a stack frame with all slots set and reserves heap.";
            16 test_heap TestHeap [Heap Live] 4 Current Control "Reserves heap.";
            17 init Init [YDst] 4 Legacy Control "Sets a stack slot to nil.";
            18 deallocate Deallocate [Frame] 4 Current Control "Drops the stack frame.";
            19 return Return [] 4 Current Control "Returns x0.";
            20 send Send [] 4 Current Msg "Sends x1 to x0; the message becomes the value.";
            21 remove_message RemoveMessage [] 4 Current Msg "Takes the current message out of the mailbox.";
            22 timeout Timeout [] 4 Current Msg "Resets the mailbox position after a timeout.";
            23 loop_rec LoopRec [Jump Dst] 4 Current Msg "Looks at the next message; jumps when there is none.";
            24 loop_rec_end LoopRecEnd [Jump] 4 Current Msg "Skips the current message and jumps back.";
            25 wait Wait [Jump] 4 Current Msg "Suspends until a message arrives.";
            26 wait_timeout WaitTimeout [Jump Src] 4 Current Msg "Suspends until a message arrives or the time is over.";
            27 m_plus MPlus [Any Any Any Any] 4 Obsolete Arith "Addition.";
            28 m_minus MMinus [Any Any Any Any] 4 Obsolete Arith "Subtraction.";
            29 m_times MTimes [Any Any Any Any] 4 Obsolete Arith "Multiplication.";
            30 m_div MDiv [Any Any Any Any] 4 Obsolete Arith "Division.";
            31 int_div IntDiv [Any Any Any Any] 4 Obsolete Arith "Integer division.";
            32 int_rem IntRem [Any Any Any Any] 4 Obsolete Arith "Integer remainder.";
            33 int_band IntBand [Any Any Any Any] 4 Obsolete Arith "Bitwise and.";
            34 int_bor IntBor [Any Any Any Any] 4 Obsolete Arith "Bitwise or.";
            35 int_bxor IntBxor [Any Any Any Any] 4 Obsolete Arith "Bitwise exclusive or.";
            36 int_bsl IntBsl [Any Any Any Any] 4 Obsolete Arith "Shift left.";
            37 int_bsr IntBsr [Any Any Any Any] 4 Obsolete Arith "Shift right.";
            38 int_bnot IntBnot [Any Any Any] 4 Obsolete Arith "Bitwise not.";
            39 is_lt IsLt [Jump Src Src] 4 Current Guard "Goes on when the first is less than the second.";
            40 is_ge IsGe [Jump Src Src] 4 Current Guard "Goes on when the first is not less than the second.";
            41 is_eq IsEq [Jump Src Src] 4 Current Guard "Goes on when both are equal as numbers or terms.";
            42 is_ne IsNe [Jump Src Src] 4 Current Guard "Goes on when both differ as numbers or terms.";
            43 is_eq_exact IsEqExact [Jump Src Src] 4 Current Guard "Goes on when both are exactly equal.";
            44 is_ne_exact IsNeExact [Jump Src Src] 4 Current Guard "Goes on when both are not exactly equal.";
            45 is_integer IsInteger [Jump Src] 4 Current Guard "Integer test.";
            46 is_float IsFloat [Jump Src] 4 Current Guard "Float test.";
            47 is_number IsNumber [Jump Src] 4 Current Guard "Number test.";
            48 is_atom IsAtom [Jump Src] 4 Current Guard "Atom test.";
            49 is_pid IsPid [Jump Src] 4 Current Guard "Process identifier test.";
            50 is_reference IsReference [Jump Src] 4 Current Guard "Reference test.";
            51 is_port IsPort [Jump Src] 4 Current Guard "Port test.";
            52 is_nil IsNil [Jump Src] 4 Current Guard "Empty list test.";
            53 is_binary IsBinary [Jump Src] 4 Current Guard "Test for a bitstring of whole bytes.";
            54 is_constant IsConstant [Any Any] 4 Obsolete Guard "Constant test.";
            55 is_list IsList [Jump Src] 4 Current Guard "Test for a list cell or the empty list.";
            56 is_nonempty_list IsNonemptyList [Jump Src] 4 Current Guard "Test for a list cell.";
            57 is_tuple IsTuple [Jump Src] 4 Current Guard "Tuple test.";
            58 test_arity TestArity [Jump Src Uint] 4 Current Guard "Test of the size of a tuple.";
            59 select_val SelectVal [Src Jump SelectVal] 4 Current Select "Jumps by value.";
            60 select_tuple_arity SelectTupleArity [Src Jump SelectArity] 4 Current Select "Jumps by tuple size.";
            61 jump Jump [Jump] 4 Current Control "Jumps.";
            62 catch Catch [CatchSlot Handler] 4 Current Control "Starts a catch.";
            63 catch_end CatchEnd [CatchSlot] 4 Current Control "Ends a catch, also its handler.";
            64 move Move [Src Dst] 4 Current ListTuple "Copies a term.";
            65 get_list GetList [Src Dst Dst] 4 Current ListTuple "Head and tail of a list cell.";
            66 get_tuple_element GetTupleElement [Src Uint Dst] 4 Current ListTuple "Element of a tuple, counted from 0.";
            67 set_tuple_element SetTupleElement [Src Src Uint] 4 Current ListTuple "Overwrites an element of a fresh tuple, counted from 0.";
            68 put_string PutString [Any Any Any] 4 Obsolete ListTuple "Builds a string.";
            69 put_list PutList [Src Src Dst] 4 Current ListTuple "Builds a list cell.";
            70 put_tuple PutTuple [Any Any] 4 Obsolete ListTuple "Starts a tuple.";
            71 put Put [Any] 4 Obsolete ListTuple "Adds an element to a tuple.";
            72 badmatch Badmatch [Src] 4 Current Control "Raises {badmatch, Term}.";
            73 if_end IfEnd [] 4 Current Control "Raises if_clause.";
            74 case_end CaseEnd [Src] 4 Current Control "Raises {case_clause, Term}.";
            75 call_fun CallFun [Arity] 4 Current Fun "Calls the fun in the register after the arguments.";
            76 make_fun MakeFun [Any Any Any] 4 Obsolete Fun "Builds a fun.";
            77 is_function IsFunction [Jump Src] 4 Current Guard "Fun test.";
            78 call_ext_only CallExtOnly [Arity Import] 5 Current Call "Tail calls an imported function without a frame.";
            79 bs_start_match BsStartMatch [Any Any] 7 Obsolete Bits "Starts binary matching.";
            80 bs_get_integer BsGetInteger [Any Any Any Any Any] 7 Obsolete Bits "Matches an integer.";
            81 bs_get_float BsGetFloat [Any Any Any Any Any] 7 Obsolete Bits "Matches a float.";
            82 bs_get_binary BsGetBinary [Any Any Any Any Any] 7 Obsolete Bits "Matches a binary.";
            83 bs_skip_bits BsSkipBits [Any Any Any Any] 7 Obsolete Bits "Skips bits.";
            84 bs_test_tail BsTestTail [Any Any] 7 Obsolete Bits "Tests the rest.";
            85 bs_save BsSave [Any] 7 Obsolete Bits "Saves the position.";
            86 bs_restore BsRestore [Any] 7 Obsolete Bits "Restores the position.";
            87 bs_init BsInit [Any Any] 7 Obsolete Bits "Starts binary construction.";
            88 bs_final BsFinal [Any Any] 7 Obsolete Bits "Ends binary construction.";
            89 bs_put_integer BsPutInteger [Fail Size Unit Flags Src] 7 Legacy Bits "Adds an integer to the binary being built.";
            90 bs_put_binary BsPutBinary [Fail Size Unit Flags Src] 7 Legacy Bits "Adds a binary to the binary being built.";
            91 bs_put_float BsPutFloat [Fail Size Unit Flags Src] 7 Legacy Bits "Adds a float to the binary being built.";
            92 bs_put_string BsPutString [Uint StrBytes] 7 Legacy Bits "Adds constant bytes to the binary being built.";
            93 bs_need_buf BsNeedBuf [Any] 7 Obsolete Bits "Reserves a buffer.";
            94 fclearerror Fclearerror [] 8 Legacy Float "Clears the floating point error flag.";
            95 fcheckerror Fcheckerror [Fail] 8 Legacy Float "Raises badarith after a floating point error.";
            96 fmove Fmove [FmoveSrc FmoveDst] 8 Current Float "Moves between a float register and a term.";
            97 fconv Fconv [Src FDst] 8 Current Float "Converts a number to a float register.";
            98 fadd Fadd [Fail FSrc FSrc FDst] 8 Current Float "Adds float registers.";
            99 fsub Fsub [Fail FSrc FSrc FDst] 8 Current Float "Subtracts float registers.";
            100 fmul Fmul [Fail FSrc FSrc FDst] 8 Current Float "Multiplies float registers.";
            101 fdiv Fdiv [Fail FSrc FSrc FDst] 8 Current Float "Divides float registers.";
            102 fnegate Fnegate [Fail FSrc FDst] 8 Current Float "Negates a float register.";
            103 make_fun2 MakeFun2 [Lambda] 8 Legacy Fun "Builds a fun from the first X registers into x0.";
            104 try Try [CatchSlot Handler] 10 Current Control "Starts a try.";
            105 try_end TryEnd [CatchSlot] 10 Current Control "Ends the protected part of a try.";
            106 try_case TryCase [CatchSlot] 10 Current Control "Handler of a try: class, reason and raw stack trace to x0, x1, x2.";
            107 try_case_end TryCaseEnd [Src] 10 Current Control "Raises {try_clause, Term}.";
            108 raise Raise [Src Src] 10 Current Control "Raises again: raw stack trace, then reason.";
            109 bs_init2 BsInit2 [Fail Size Heap Live Flags Dst] 10 Legacy Bits "Starts a binary of a size in bytes.";
            110 bs_bits_to_bytes BsBitsToBytes [Any Any Any] 10 Obsolete Bits "Converts bits to bytes.";
            111 bs_add BsAdd [Fail Src Src Unit Dst] 10 Legacy Bits "First plus second times unit, for binary sizes.";
            112 apply Apply [Arity] 10 Current Call "Calls by module and function in the two registers after the arguments.";
            113 apply_last ApplyLast [Arity Frame] 10 Current Call "Drops the frame and tail calls by module and function.";
            114 is_boolean IsBoolean [Jump Src] 10 Current Guard "Boolean test.";
            115 is_function2 IsFunction2 [Jump Src Src] 10 Current Guard "Test for a fun of some arity.";
            116 bs_start_match2 BsStartMatch2 [Any Any Any Any Any] 11 Obsolete Bits "Starts binary matching.";
            117 bs_get_integer2 BsGetInteger2 [Jump Src Live Size Unit Flags Dst] 11 Current Bits "Matches an integer.";
            118 bs_get_float2 BsGetFloat2 [Jump Src Live Size Unit Flags Dst] 11 Current Bits "Matches a float.";
            119 bs_get_binary2 BsGetBinary2 [Jump Src Live Size Unit Flags Dst] 11 Current Bits "Matches a bitstring.";
            120 bs_skip_bits2 BsSkipBits2 [Jump Src Size Unit Flags] 11 Current Bits "Skips bits.";
            121 bs_test_tail2 BsTestTail2 [Jump Src Uint] 11 Current Bits "Tests that so many bits are left.";
            122 bs_save2 BsSave2 [Any Any] 11 Obsolete Bits "Saves the position.";
            123 bs_restore2 BsRestore2 [Any Any] 11 Obsolete Bits "Restores the position.";
            124 gc_bif1 GcBif1 [Fail Live Import Src Dst] 11 Current Guard "Guard BIF with one argument that may need the heap.";
            125 gc_bif2 GcBif2 [Fail Live Import Src Src Dst] 11 Current Guard "Guard BIF with two arguments that may need the heap.";
            126 bs_final2 BsFinal2 [Any Any] 11 Obsolete Bits "Ends binary construction.";
            127 bs_bits_to_bytes2 BsBitsToBytes2 [Any Any] 11 Obsolete Bits "Converts bits to bytes.";
            128 put_literal PutLiteral [Any Any] 11 Obsolete ListTuple "Loads a literal.";
            129 is_bitstr IsBitstr [Jump Src] 11 Current Guard "Bitstring test.";
            130 bs_context_to_binary BsContextToBinary [Any] 12 Obsolete Bits "Turns a match context into a binary.";
            131 bs_test_unit BsTestUnit [Jump Src Unit] 12 Legacy Bits "Tests that the rest is a multiple of the unit.";
            132 bs_match_string BsMatchString [Jump Src Uint StrBits] 12 Current Bits "Matches constant bits.";
            133 bs_init_writable BsInitWritable [] 12 Current Bits "Makes an appendable binary of the size in x0.";
            134 bs_append BsAppend [Fail Size Heap Live Unit Src Flags Dst] 12 Legacy Bits "Starts appending to a binary.";
            135 bs_private_append BsPrivateAppend [Fail Size Unit Src Flags Dst] 12 Legacy Bits "Starts appending to a binary that nothing else uses.";
            136 trim Trim [Frame Frame] 12 Current Control "Drops the first slots of the frame.";
            137 bs_init_bits BsInitBits [Fail Size Heap Live Flags Dst] 12 Legacy Bits "Starts a bitstring of a size in bits.";
            138 bs_get_utf8 BsGetUtf8 [Jump Src Live Flags Dst] 12 Current Bits "Matches a UTF-8 character.";
            139 bs_skip_utf8 BsSkipUtf8 [Jump Src Live Flags] 12 Current Bits "Skips a UTF-8 character.";
            140 bs_get_utf16 BsGetUtf16 [Jump Src Live Flags Dst] 12 Current Bits "Matches a UTF-16 character.";
            141 bs_skip_utf16 BsSkipUtf16 [Jump Src Live Flags] 12 Current Bits "Skips a UTF-16 character.";
            142 bs_get_utf32 BsGetUtf32 [Jump Src Live Flags Dst] 12 Current Bits "Matches a UTF-32 character.";
            143 bs_skip_utf32 BsSkipUtf32 [Jump Src Live Flags] 12 Current Bits "Skips a UTF-32 character.";
            144 bs_utf8_size BsUtf8Size [Fail Src Dst] 12 Legacy Bits "Bytes of a character in UTF-8.";
            145 bs_put_utf8 BsPutUtf8 [Fail Flags Src] 12 Legacy Bits "Adds a UTF-8 character.";
            146 bs_utf16_size BsUtf16Size [Fail Src Dst] 12 Legacy Bits "Bytes of a character in UTF-16.";
            147 bs_put_utf16 BsPutUtf16 [Fail Flags Src] 12 Legacy Bits "Adds a UTF-16 character.";
            148 bs_put_utf32 BsPutUtf32 [Fail Flags Src] 12 Legacy Bits "Adds a UTF-32 character.";
            149 on_load OnLoad [] 13 Current Control "Marks the function to run when the module is loaded.";
            150 recv_mark RecvMark [Mark] 14 Legacy Msg "Remembers the end of the mailbox for a label.";
            151 recv_set RecvSet [Mark] 14 Legacy Msg "Starts the scan at the remembered place.";
            152 gc_bif3 GcBif3 [Fail Live Import Src Src Src Dst] 14 Current Guard "Guard BIF with three arguments that may need the heap.";
            153 line Line [Line] 15 Current Control "Source position of what follows.";
            154 put_map_assoc PutMapAssoc [Fail Src Dst Live PairList] 17 Current Map "Updates a map.";
            155 put_map_exact PutMapExact [Fail Src Dst Live PairList] 17 Current Map "Updates existing keys of a map.";
            156 is_map IsMap [Jump Src] 17 Current Guard "Map test.";
            157 has_map_fields HasMapFields [Jump Src SrcList] 17 Current Map "Tests that keys are present.";
            158 get_map_elements GetMapElements [Jump Src GetList] 17 Current Map "Values of keys, or jumps.";
            159 is_tagged_tuple IsTaggedTuple [Jump Src Uint Atom] 20 Current Guard "Tests size and first element of a tuple.";
            160 build_stacktrace BuildStacktrace [] 21 Current Control "Turns the raw stack trace in x0 into a list.";
            161 raw_raise RawRaise [] 21 Current Control "Raises class x0, reason x1 with raw stack trace x2; badarg to x0 for a bad class.";
            162 get_hd GetHd [Src Dst] 21 Current ListTuple "Head of a list cell.";
            163 get_tl GetTl [Src Dst] 21 Current ListTuple "Tail of a list cell.";
            164 put_tuple2 PutTuple2 [Dst SrcList] 22 Current ListTuple "Builds a tuple.";
            165 bs_get_tail BsGetTail [Src Dst Live] 22 Current Bits "The rest as a bitstring.";
            166 bs_start_match3 BsStartMatch3 [Jump Src Live Dst] 22 Current Bits "Starts binary matching.";
            167 bs_get_position BsGetPosition [Src Dst Live] 22 Current Bits "Position of a match context.";
            168 bs_set_position BsSetPosition [Src Src] 22 Current Bits "Sets the position of a match context.";
            169 swap Swap [Reg Reg] 23 Current ListTuple "Swaps two registers.";
            170 bs_start_match4 BsStartMatch4 [FailOrAtom Live Src Dst] 23 Current Bits "Starts binary matching; no_fail or resume instead of a label.";
            171 make_fun3 MakeFun3 [Lambda Dst SrcList] 24 Current Fun "Builds a fun.";
            172 init_yregs InitYregs [YList] 24 Current Control "Sets stack slots to nil.";
            173 recv_marker_bind RecvMarkerBind [Src Src] 24 Current Msg "Binds a receive marker to a reference.";
            174 recv_marker_clear RecvMarkerClear [Src] 24 Current Msg "Clears the receive marker of a reference.";
            175 recv_marker_reserve RecvMarkerReserve [Dst] 24 Current Msg "Makes a receive marker.";
            176 recv_marker_use RecvMarkerUse [Src] 24 Current Msg "Starts the scan at the marker of a reference.";
            177 bs_create_bin BsCreateBin [Fail Heap Live Unit Dst Segments] 25 Current Bits "Builds a bitstring.";
            178 call_fun2 CallFun2 [FunTag Arity Src] 25 Current Fun "Calls a fun.";
            179 nif_start NifStart [] 25 Current Control "Marks a function that a native library may replace.";
            180 badrecord Badrecord [Src] 25 Current Control "Raises {badrecord, Term}.";
            181 update_record UpdateRecord [Atom Uint Src Dst UpdateList] 26 Current ListTuple "Copies a tuple with some elements replaced.";
            182 bs_match BsMatch [Jump Src Commands] 26 Current Bits "Matches several segments at once.";
            183 executable_line ExecutableLine [Line Uint] 27 Current Trace "Source position that coverage counts.";
            184 debug_line DebugLine [Atom Line Uint Uint] 28 Current Trace "Source position with debug information.";
            185 bif3 Bif3 [Fail Import Src Src Src Dst] 29 Current Guard "Guard BIF with three arguments that never needs the heap.";
            186 is_any_native_record IsAnyNativeRecord [Jump Src] 29 Current Guard "Test for a native record.";
            187 is_native_record IsNativeRecord [Jump Src Src Src] 29 Current Guard "Test for a native record of a module and name.";
            188 get_record_elements GetRecordElements [Jump Src GetList] 29 Current Map "Fields of a native record, or jumps.";
            189 put_record PutRecord [Fail Src Src Dst Live PairList] 29 Current Map "Builds or updates a native record.";
            190 is_record_accessible IsRecordAccessible [Jump Src Src] 29 Current Guard "Tests that this module may look into a native record.";
            191 get_record_field GetRecordField [Fail Src Src Src Dst] 29 Current Map "Field of a native record.";
        }
    };
}

/// The operand kinds of the table. They say what may stand at that position and what it means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OperandKind {
    /// Anything (obsolete instructions only).
    Any,
    /// Number of the label that is defined.
    Def,
    /// Unsigned number.
    Uint,
    /// Number of arguments.
    Arity,
    /// Number of live X registers: x0 up to it are kept, all above are lost.
    Live,
    /// Slots of a stack frame.
    Frame,
    /// Heap need: a number of words or an allocation list.
    Heap,
    /// A term that is read: register, atom, nil, integer, literal.
    Src,
    /// Segment size: a term that is read or an unsigned number.
    Size,
    /// Unit of a bit syntax segment, 1 to 256.
    Unit,
    /// Flags of a bit syntax segment: 2 little, 4 signed, 16 native.
    Flags,
    /// X or Y register that is written.
    Dst,
    /// Y register that is written.
    YDst,
    /// X or Y register that is read and written.
    Reg,
    /// Y register that holds a catch tag.
    CatchSlot,
    /// Label to jump to on failure; 0 means that an exception is raised.
    Fail,
    /// Label to jump to.
    Jump,
    /// Label that is only a name for `recv_mark` and `recv_set`.
    Mark,
    /// Label of an exception handler.
    Handler,
    /// Failure label or one of the atoms `no_fail` and `resume`.
    FailOrAtom,
    /// Label of a function's entry.
    Entry,
    /// Index into the imports.
    Import,
    /// Index into the lambdas.
    Lambda,
    /// Lambda index or one of the atoms `safe` and `unsafe`.
    FunTag,
    /// Atom.
    Atom,
    /// Float register that is read.
    FSrc,
    /// Float register that is written.
    FDst,
    /// Source of `fmove`: float register or term.
    FmoveSrc,
    /// Destination of `fmove`: float register, or X or Y register.
    FmoveDst,
    /// Index into the line table.
    Line,
    /// Offset into the string chunk; the operand before is the number of bytes.
    StrBytes,
    /// Offset into the string chunk; the operand before is the number of bits.
    StrBits,
    /// List of terms.
    SrcList,
    /// List of pairs of terms.
    PairList,
    /// List of pairs of a key and the register that takes its value.
    GetList,
    /// List of pairs of a 1-based position and a term.
    UpdateList,
    /// List of pairs of a value and a label.
    SelectVal,
    /// List of pairs of a tuple size and a label.
    SelectArity,
    /// List of Y registers that are written.
    YList,
    /// Segments of `bs_create_bin`: type, sequence number, unit, flags, value, size.
    Segments,
    /// Commands of `bs_match`.
    Commands,
}

/// How an instruction stands in the supported releases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Accepted by the loaders of all releases that know it.
    Current,
    /// No longer emitted, but accepted by the loader of at least one supported release.
    Legacy,
    /// Refused by all supported releases.
    Obsolete,
}

/// Families of instructions; both tiers have one file for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// Arithmetic.
    Arith,
    /// Bit syntax.
    Bits,
    /// Calls of functions by name.
    Call,
    /// Frames, jumps, returns, exceptions.
    Control,
    /// Floats in float registers.
    Float,
    /// Funs.
    Fun,
    /// Tests and guard BIFs.
    Guard,
    /// Moves, lists and tuples.
    ListTuple,
    /// Maps and native records.
    Map,
    /// Messages.
    Msg,
    /// Multiway jumps.
    Select,
    /// Tracing and coverage.
    Trace,
}

/// One row of the instruction table.
#[derive(Debug)]
pub struct OpInfo {
    /// Name as in listings.
    pub name: &'static str,
    /// Operand kinds by position.
    pub kinds: &'static [OperandKind],
    /// First OTP release (R4 to R16 are 4 to 16).
    pub since: u8,
    /// Whether it is still in use.
    pub status: Status,
    /// Family.
    pub family: Family,
    /// One line of meaning.
    pub doc: &'static str,
}

macro_rules! define_ops {
    ($($number:literal $name:ident $variant:ident [$($kind:ident)*] $since:literal $status:ident $family:ident $doc:literal;)*) => {
        /// A generic BEAM instruction.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum Op {
            $(#[doc = $doc] $variant = $number,)*
        }

        impl Op {
            /// All instructions in order of their numbers.
            pub const ALL: [Op; MAX_OPCODE as usize] = [$(Op::$variant),*];

            /// The table row.
            #[inline]
            pub fn info(self) -> &'static OpInfo {
                &OP_INFO[self as usize - 1]
            }
        }

        static OP_INFO: [OpInfo; MAX_OPCODE as usize] = [$(OpInfo {
            name: stringify!($name),
            kinds: &[$(OperandKind::$kind),*],
            since: $since,
            status: Status::$status,
            family: Family::$family,
            doc: $doc,
        }),*];
    };
}

/// The highest instruction number of the supported releases.
pub const MAX_OPCODE: u8 = 191;

for_each_genop!(define_ops);

impl Op {
    /// The instruction with this number.
    #[inline]
    pub fn from_number(number: u8) -> Option<Op> {
        Op::ALL.get((number as usize).wrapping_sub(1)).copied()
    }

    /// Number of operands.
    #[inline]
    pub fn arity(self) -> usize {
        self.info().kinds.len()
    }

    /// Name as in listings.
    pub fn name(self) -> &'static str {
        self.info().name
    }
}

impl fmt::Display for Op {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Debug for Op {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_follow_the_table() {
        for (index, op) in Op::ALL.iter().enumerate() {
            assert_eq!(*op as usize, index + 1);
            assert_eq!(Op::from_number(*op as u8), Some(*op));
        }
        assert_eq!(Op::from_number(0), None);
        assert_eq!(Op::from_number(192), None);
    }
}
