//! Hand-made valid modules, the seeds of the fuzzer and the subjects of the golden tests.

use crate::builder::{Arg, Builder, Format};
use crate::ops::Op;

/// Small valid modules that together hold most instructions, in all formats.
pub fn seeds() -> Vec<Vec<u8>> {
    let formats = [
        Format::default(),
        Format {
            long_atoms: true,
            plain_literals: true,
            ..Format::default()
        },
        Format {
            latin1_atoms: true,
            ..Format::default()
        },
        Format {
            gzip: true,
            ..Format::default()
        },
    ];
    let mut seeds = Vec::new();
    for (index, build) in [control, terms, bits, legacy, records]
        .into_iter()
        .enumerate()
    {
        let mut builder = build();
        for format in &formats[..if index == 0 { 4 } else { 2 }] {
            builder.format = *format;
            seeds.push(builder.finish());
        }
    }
    seeds
}

const X0: Arg = Arg::X(0);
const X1: Arg = Arg::X(1);
const X2: Arg = Arg::X(2);
const Y0: Arg = Arg::Y(0);
const Y1: Arg = Arg::Y(1);

/// Calls, frames, exceptions, receive, jumps.
pub fn control() -> Builder {
    let mut b = Builder::new("control");
    let looping = b.new_label();
    b.function("main", 2, true);
    let line = b.line(10);
    b.op(Op::Line, &[line]);
    b.op(Op::Allocate, &[Arg::U(2), Arg::U(2)]);
    b.op(Op::InitYregs, &[Arg::List(vec![Y0, Y1])]);
    b.op(Op::Move, &[X0, Y0]);
    let handler = b.new_label();
    b.op(Op::Try, &[Y1, Arg::F(handler)]);
    let map = b.import("lists", "map", 2);
    b.op(Op::CallExt, &[Arg::U(2), map]);
    b.op(Op::TryEnd, &[Y1]);
    b.op(Op::Deallocate, &[Arg::U(2)]);
    b.op(Op::Return, &[]);
    b.place(handler);
    b.op(Op::TryCase, &[Y1]);
    let other = b.new_label();
    let error = b.a("error");
    b.op(Op::IsEqExact, &[Arg::F(other), X0, error.clone()]);
    b.op(Op::Move, &[X2, X0]);
    b.op(Op::BuildStacktrace, &[]);
    b.op(Op::Trim, &[Arg::U(1), Arg::U(1)]);
    b.op(Op::CallLast, &[Arg::U(1), Arg::F(looping), Arg::U(1)]);
    b.place(other);
    b.op(Op::Raise, &[X2, X1]);
    let info = b.new_label();
    let exit = b.import("erlang", "exit", 1);
    b.function_at("loop", 1, false, info, looping);
    b.op(Op::Allocate, &[Arg::U(1), Arg::U(1)]);
    b.op(Op::Move, &[X0, Y0]);
    let (again, wait, skip, after) = (b.new_label(), b.new_label(), b.new_label(), b.new_label());
    b.place(again);
    b.op(Op::LoopRec, &[Arg::F(wait), X0]);
    b.op(Op::IsTaggedTuple, &[Arg::F(skip), X0, Arg::U(2), error]);
    b.op(Op::GetTupleElement, &[X0, Arg::U(1), X0]);
    b.op(Op::RemoveMessage, &[]);
    b.op(Op::CallExtLast, &[Arg::U(1), exit, Arg::U(1)]);
    b.place(skip);
    b.op(Op::LoopRecEnd, &[Arg::F(again)]);
    b.place(wait);
    b.op(Op::WaitTimeout, &[Arg::F(again), Arg::I(5000)]);
    b.op(Op::Timeout, &[]);
    b.op(Op::Catch, &[Y0, Arg::F(after)]);
    let selff = b.import("erlang", "self", 0);
    b.op(Op::Bif0, &[selff, X0]);
    b.op(Op::Move, &[Arg::I(-1), X1]);
    b.op(Op::Send, &[]);
    b.place(after);
    b.op(Op::CatchEnd, &[Y0]);
    b.op(Op::Deallocate, &[Arg::U(1)]);
    b.op(Op::Return, &[]);
    let pick = b.function("pick", 3, true);
    let (one, two, three) = (b.new_label(), b.new_label(), b.new_label());
    let ok = b.a("ok");
    b.op(
        Op::SelectVal,
        &[
            X0,
            Arg::F(one),
            Arg::List(vec![Arg::I(1), Arg::F(two), ok, Arg::F(three)]),
        ],
    );
    b.place(one);
    b.op(Op::IsTuple, &[Arg::F(pick - 1), X0]);
    b.op(
        Op::SelectTupleArity,
        &[X0, Arg::F(two), Arg::List(vec![Arg::U(2), Arg::F(three)])],
    );
    b.place(two);
    b.op(Op::Badmatch, &[X0]);
    b.place(three);
    b.op(Op::IsFunction2, &[Arg::F(two), X1, Arg::I(1)]);
    b.op(
        Op::AllocateHeap,
        &[
            Arg::U(0),
            Arg::Alloc(vec![(0, 3), (1, 1), (2, 1)]),
            Arg::U(3),
        ],
    );
    let tag = b.a("unsafe");
    b.op(Op::CallFun2, &[tag, Arg::U(1), X1]);
    b.op(Op::Move, &[X0, X1]);
    b.op(Op::Move, &[X0, X2]);
    b.op(Op::Apply, &[Arg::U(1)]);
    b.op(Op::Deallocate, &[Arg::U(0)]);
    b.op(Op::Return, &[]);
    b.function("boot", 0, false);
    b.op(Op::OnLoad, &[]);
    b.op(Op::NifStart, &[]);
    b.op(Op::IfEnd, &[]);
    b
}

/// Lists, tuples, maps, funs, arithmetic, floats.
pub fn terms() -> Builder {
    let mut b = Builder::new("terms");
    let body = b.new_label();
    let run = b.function("run", 3, true);
    let fail = Arg::F(run - 1);
    let plus = b.import("erlang", "+", 2);
    b.op(
        Op::GcBif2,
        &[Arg::F(0), Arg::U(3), plus, X0, Arg::I(70000), X0],
    );
    let big = Arg::Big(vec![1, 0, 0, 0, 0, 0, 0, 0, 0, 7]);
    b.op(Op::IsLt, &[fail.clone(), X0, big]);
    b.op(Op::TestHeap, &[Arg::U(12), Arg::U(3)]);
    b.op(Op::PutList, &[X0, Arg::Nil, X1]);
    let literal = b.literal(&[131, 104, 2, 97, 1, 119, 1, b'a']);
    b.op(
        Op::PutTuple2,
        &[X2, Arg::List(vec![X0, X1, literal.clone()])],
    );
    let copy = b.a("copy");
    b.op(
        Op::UpdateRecord,
        &[
            copy,
            Arg::U(3),
            X2,
            X2,
            Arg::List(vec![Arg::U(2), Arg::Nil]),
        ],
    );
    b.op(Op::GetList, &[X1, X0, X1]);
    b.op(Op::Swap, &[X0, X1]);
    let key = b.a("key");
    b.op(
        Op::PutMapAssoc,
        &[
            Arg::F(0),
            literal.clone(),
            X2,
            Arg::U(3),
            Arg::List(vec![key.clone(), X0]),
        ],
    );
    b.op(
        Op::GetMapElements,
        &[fail.clone(), X2, Arg::List(vec![key.clone(), X1])],
    );
    b.op(Op::HasMapFields, &[fail.clone(), X2, Arg::List(vec![key])]);
    let fun = b.lambda("fun_body", 2, body, 1);
    b.op(Op::MakeFun3, &[fun, X0, Arg::List(vec![X1])]);
    let float = b.literal(&[131, 70, 63, 248, 0, 0, 0, 0, 0, 0]);
    b.op(Op::Fmove, &[float, Arg::Fr(0)]);
    b.op(Op::Fconv, &[X1, Arg::Fr(1)]);
    b.op(Op::Fadd, &[Arg::F(0), Arg::Fr(0), Arg::Fr(1), Arg::Fr(0)]);
    b.op(Op::Fnegate, &[Arg::F(0), Arg::Fr(0), Arg::Fr(0)]);
    b.op(Op::Fmove, &[Arg::Fr(0), X1]);
    b.op(Op::CallOnly, &[Arg::U(2), Arg::F(body)]);
    let info = b.new_label();
    b.function_at("fun_body", 2, false, info, body);
    let hd = b.import("erlang", "hd", 1);
    b.op(Op::Bif1, &[Arg::F(info), hd, Arg::TX(1, 0), X1]);
    b.op(Op::TestHeap, &[Arg::U(4), Arg::U(2)]);
    b.op(Op::SetTupleElement, &[X0, X1, Arg::U(0)]);
    let call = b.import("erlang", "list_to_atom", 1);
    b.op(Op::CallExtOnly, &[Arg::U(1), call]);
    b.chunk(
        b"Type",
        &[
            0, 0, 0, 3, 0, 0, 0, 2, 0x0f, 0xff, 0x30, 0x20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
            0, 1, 0,
        ],
    );
    b.chunk(b"Attr", &[131, 106]);
    b.chunk(b"CInf", &[131, 106]);
    b
}

/// Binary matching and construction of current compilers.
pub fn bits() -> Builder {
    let mut b = Builder::new("bits");
    let parse = b.function("parse", 1, true);
    let fail = Arg::F(parse - 1);
    let (no_fail, tail) = (b.a("no_fail"), b.new_label());
    b.op(Op::BsStartMatch3, &[fail.clone(), X0, Arg::U(1), X1]);
    b.op(Op::BsGetPosition, &[X1, X2, Arg::U(2)]);
    let [at_least, exactly, integer, binary, skip, get_tail, equal] = [
        "ensure_at_least",
        "ensure_exactly",
        "integer",
        "binary",
        "skip",
        "get_tail",
        "=:=",
    ]
    .map(|name| b.a(name));
    let commands = vec![
        at_least,
        Arg::U(40),
        Arg::U(8),
        integer,
        Arg::U(3),
        Arg::Nil,
        Arg::U(8),
        Arg::U(1),
        Arg::X(3),
        equal,
        Arg::Nil,
        Arg::U(8),
        Arg::I(7),
        binary,
        Arg::U(4),
        Arg::Nil,
        Arg::U(16),
        Arg::U(1),
        Arg::X(4),
        skip,
        Arg::U(8),
        get_tail,
        Arg::U(5),
        Arg::U(8),
        Arg::X(5),
    ];
    b.op(Op::BsMatch, &[Arg::F(tail), X1, Arg::List(commands)]);
    b.op(
        Op::BsMatch,
        &[Arg::F(tail), X1, Arg::List(vec![exactly, Arg::U(0)])],
    );
    let string = b.string(b"abcdef");
    let [append, string_kind, integer, utf8, all, undefined] =
        ["append", "string", "integer", "utf8", "all", "undefined"].map(|name| b.a(name));
    let segments = vec![
        append,
        Arg::U(1),
        Arg::U(8),
        Arg::Nil,
        Arg::X(4),
        all.clone(),
        string_kind,
        Arg::U(2),
        Arg::U(8),
        Arg::Nil,
        string.clone(),
        Arg::I(3),
        integer,
        Arg::U(3),
        Arg::U(1),
        Arg::Nil,
        Arg::X(3),
        Arg::I(8),
        utf8,
        Arg::U(4),
        Arg::U(0),
        Arg::Nil,
        Arg::X(3),
        undefined,
    ];
    b.op(
        Op::BsCreateBin,
        &[
            Arg::F(0),
            Arg::U(0),
            Arg::U(6),
            Arg::U(8),
            X0,
            Arg::List(segments),
        ],
    );
    b.op(Op::Return, &[]);
    b.place(tail);
    b.op(Op::BsSetPosition, &[X1, X2]);
    b.op(
        Op::BsGetInteger2,
        &[
            fail.clone(),
            X1,
            Arg::U(2),
            Arg::I(8),
            Arg::U(1),
            Arg::U(0),
            X0,
        ],
    );
    b.op(
        Op::BsGetFloat2,
        &[
            fail.clone(),
            X1,
            Arg::U(2),
            Arg::I(64),
            Arg::U(1),
            Arg::U(2),
            X0,
        ],
    );
    b.op(
        Op::BsGetBinary2,
        &[fail.clone(), X1, Arg::U(2), all, Arg::U(8), Arg::U(0), X0],
    );
    b.op(
        Op::BsSkipBits2,
        &[fail.clone(), X1, Arg::I(3), Arg::U(1), Arg::U(0)],
    );
    b.op(Op::BsMatchString, &[fail.clone(), X1, Arg::U(20), string]);
    b.op(Op::BsGetUtf8, &[fail.clone(), X1, Arg::U(2), Arg::U(0), X0]);
    b.op(Op::BsSkipUtf16, &[fail.clone(), X1, Arg::U(2), Arg::U(0)]);
    b.op(Op::BsTestTail2, &[fail, X1, Arg::U(0)]);
    b.op(Op::BsGetTail, &[X1, X0, Arg::U(2)]);
    b.op(Op::BsStartMatch4, &[no_fail, Arg::U(1), X0, X0]);
    b.op(Op::Return, &[]);
    b
}

/// Instructions that only older compilers emit.
pub fn legacy() -> Builder {
    let mut b = Builder::new("legacy");
    let (body, mark, last) = (b.new_label(), b.new_label(), b.new_label());
    b.function("main", 2, true);
    b.op(Op::AllocateZero, &[Arg::U(2), Arg::U(2)]);
    b.op(Op::Init, &[Y0]);
    b.op(Op::BsAdd, &[Arg::F(0), X0, X1, Arg::U(8), X1]);
    b.op(Op::BsUtf8Size, &[Arg::F(0), X0, X2]);
    b.op(
        Op::BsInit2,
        &[Arg::F(0), X1, Arg::U(0), Arg::U(3), Arg::U(0), X1],
    );
    b.op(
        Op::BsPutInteger,
        &[Arg::F(0), Arg::I(8), Arg::U(1), Arg::U(0), X0],
    );
    let string = b.string(b"xyz");
    b.op(Op::BsPutString, &[Arg::U(3), string]);
    b.op(Op::BsPutUtf8, &[Arg::F(0), Arg::U(0), X0]);
    b.op(
        Op::BsInitBits,
        &[Arg::F(0), Arg::U(12), Arg::U(0), Arg::U(3), Arg::U(0), X2],
    );
    let all = b.a("all");
    b.op(
        Op::BsPutBinary,
        &[Arg::F(0), all.clone(), Arg::U(8), Arg::U(0), X1],
    );
    b.op(
        Op::BsPutFloat,
        &[Arg::F(0), Arg::I(64), Arg::U(1), Arg::U(0), X0],
    );
    b.op(
        Op::BsAppend,
        &[
            Arg::F(0),
            Arg::I(8),
            Arg::U(0),
            Arg::U(3),
            Arg::U(8),
            X1,
            Arg::U(0),
            X1,
        ],
    );
    b.op(
        Op::BsPrivateAppend,
        &[Arg::F(0), Arg::I(8), Arg::U(8), X1, Arg::U(0), X1],
    );
    b.op(Op::BsInitWritable, &[]);
    b.op(Op::Fclearerror, &[]);
    b.op(Op::Fcheckerror, &[Arg::F(0)]);
    let fun = b.lambda("body", 1, body, 1);
    b.op(Op::MakeFun2, &[fun]);
    b.op(Op::RecvMark, &[Arg::F(mark)]);
    b.op(Op::RecvSet, &[Arg::F(mark)]);
    b.place(mark);
    b.op(Op::CallLast, &[Arg::U(1), Arg::F(body), Arg::U(2)]);
    let info = b.new_label();
    b.function_at("body", 1, false, info, body);
    b.op(Op::AllocateHeapZero, &[Arg::U(1), Arg::U(2), Arg::U(1)]);
    b.op(Op::BsStartMatch3, &[Arg::F(last), X0, Arg::U(1), X0]);
    b.op(Op::BsTestUnit, &[Arg::F(last), X0, Arg::U(8)]);
    b.op(Op::Deallocate, &[Arg::U(1)]);
    b.op(Op::Return, &[]);
    b.place(last);
    b.op(Op::CaseEnd, &[all]);
    b
}

/// Native records and debug information of the newest release.
pub fn records() -> Builder {
    let mut b = Builder::new("records");
    let main = b.function("main", 2, true);
    let fail = Arg::F(main - 1);
    let [name, x, entry] = ["point", "x", "entry"].map(|text| b.a(text));
    let line = b.line(70000);
    b.op(Op::DebugLine, &[entry, line.clone(), Arg::U(1), Arg::U(2)]);
    b.op(Op::ExecutableLine, &[line, Arg::U(1)]);
    b.op(Op::IsAnyNativeRecord, &[fail.clone(), X0]);
    let module = b.a("records");
    b.op(
        Op::IsNativeRecord,
        &[fail.clone(), X0, module.clone(), name.clone()],
    );
    b.op(Op::IsRecordAccessible, &[fail.clone(), X0, module]);
    b.op(
        Op::GetRecordElements,
        &[fail.clone(), X0, Arg::List(vec![x.clone(), X1])],
    );
    b.op(
        Op::GetRecordField,
        &[Arg::F(0), X0, name.clone(), x.clone(), X1],
    );
    b.op(
        Op::PutRecord,
        &[
            Arg::F(0),
            name.clone(),
            Arg::Nil,
            X0,
            Arg::U(2),
            Arg::List(vec![x.clone(), X1]),
        ],
    );
    let element = b.import("erlang", "is_record", 3);
    b.op(Op::Bif3, &[fail, element, X0, name.clone(), Arg::I(2), X0]);
    b.op(Op::Return, &[]);
    let mut chunk = vec![0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 2];
    let yes = b.a("true");
    let fields = Arg::List(vec![x.clone(), Arg::I(5), x, Arg::U(0)]);
    for arg in [Arg::F(0), name, yes, fields] {
        crate::builder::encode_arg(&mut chunk, &arg);
    }
    b.chunk(b"Recs", &chunk);
    b.chunk(b"Meta", &[131, 106]);
    b.chunk(b"Type", &[0, 0, 0, 4, 0, 0, 0, 1, 0x1f, 0xff]);
    b
}
