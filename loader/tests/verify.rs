//! Each rule of the verifier: a function that breaks it is refused for that reason, and one just
//! inside the rule is accepted.

use enigma_loader::builder::{Arg, Builder};
use enigma_loader::{BeamFile, ErrorKind, Op};

const X0: Arg = Arg::X(0);
const X1: Arg = Arg::X(1);
const Y0: Arg = Arg::Y(0);
const Y1: Arg = Arg::Y(1);

/// Errors of a module with the function `f/1`, whose body is made by `body`.
fn errors(body: impl FnOnce(&mut Builder)) -> Vec<ErrorKind> {
    let mut b = Builder::new("m");
    b.function("f", 1, true);
    body(&mut b);
    module_errors(&b)
}

fn module_errors(b: &Builder) -> Vec<ErrorKind> {
    let mut file = BeamFile::parse_unverified(&b.finish()).expect("the module can be read");
    file.verify().into_iter().map(|error| error.kind).collect()
}

#[track_caller]
fn accepts(body: impl FnOnce(&mut Builder)) {
    assert_eq!(errors(body), []);
}

#[track_caller]
fn refuses(expected: ErrorKind, body: impl FnOnce(&mut Builder)) {
    let errors = errors(body);
    assert!(
        errors.contains(&expected),
        "{expected:?} expected, {errors:?} found"
    );
}

fn call(b: &mut Builder, arity: u32) {
    let import = b.import("m", "g", arity);
    b.op(Op::CallExt, &[Arg::U(u64::from(arity)), import]);
}

/// The X registers that are set to the empty list in the function `f/1`, each with the instruction after which.
#[track_caller]
fn cleared(body: impl FnOnce(&mut Builder)) -> Vec<(Op, u16)> {
    let mut b = Builder::new("m");
    b.function("f", 1, true);
    body(&mut b);
    let mut file = BeamFile::parse_unverified(&b.finish()).expect("the module can be read");
    assert_eq!(file.verify(), []);
    let code = file.function_code(0).expect("the function can be decoded");
    let op = |offset| code.instrs().iter().find(|i| i.offset == offset);
    file.functions[0]
        .cleared
        .iter()
        .map(|&(offset, x)| (op(offset).expect("a place in the code").op, x))
        .collect()
}

#[test]
fn x_registers() {
    assert_eq!(cleared(|b| b.op(Op::Return, &[])), []);
    assert_eq!(
        cleared(|b| {
            b.op(Op::Move, &[X1, X0]);
            b.op(Op::Return, &[]);
        }),
        [(Op::Label, 1)]
    );
    assert_eq!(
        cleared(|b| {
            b.op(Op::TestHeap, &[Arg::U(2), Arg::U(2)]);
            b.op(Op::Return, &[]);
        }),
        [(Op::Label, 1)]
    );
    // A collection loses what is not live.
    assert_eq!(
        cleared(|b| {
            b.op(Op::Move, &[X0, X1]);
            b.op(Op::TestHeap, &[Arg::U(2), Arg::U(1)]);
            b.op(Op::PutList, &[X0, X1, X0]);
            b.op(Op::Return, &[]);
        }),
        [(Op::Label, 1), (Op::TestHeap, 1)]
    );
    // So does a call.
    assert_eq!(
        cleared(|b| {
            b.op(Op::Allocate, &[Arg::U(0), Arg::U(1)]);
            b.op(Op::Move, &[X0, X1]);
            call(b, 2);
            b.op(Op::Move, &[X1, X0]);
            b.op(Op::Deallocate, &[Arg::U(0)]);
            b.op(Op::Return, &[]);
        }),
        [(Op::Label, 1), (Op::Allocate, 1), (Op::CallExt, 1)]
    );
    // What the instruction itself sets is left alone.
    assert_eq!(
        cleared(|b| {
            let length = b.import("erlang", "length", 1);
            let after = b.new_label();
            b.op(Op::GcBif1, &[Arg::F(after), Arg::U(1), length, X0, X1]);
            b.place(after);
            b.op(Op::Move, &[X1, X0]);
            b.op(Op::Return, &[]);
        }),
        [(Op::Label, 1)]
    );
    // Where paths meet only what both have set counts.
    assert_eq!(
        cleared(|b| {
            let meet = b.new_label();
            b.op(Op::IsAtom, &[Arg::F(meet), X0]);
            b.op(Op::Move, &[X0, X1]);
            b.place(meet);
            b.op(Op::Move, &[X1, X0]);
            b.op(Op::Return, &[]);
        }),
        [(Op::Label, 1)]
    );
    // A handler has the exception in the first three.
    assert_eq!(
        cleared(|b| {
            let handler = b.new_label();
            b.op(Op::Allocate, &[Arg::U(1), Arg::U(1)]);
            b.op(Op::Try, &[Y0, Arg::F(handler)]);
            call(b, 1);
            b.op(Op::TryEnd, &[Y0]);
            b.op(Op::Deallocate, &[Arg::U(1)]);
            b.op(Op::Return, &[]);
            b.place(handler);
            b.op(Op::TryCase, &[Y0]);
            b.op(Op::Move, &[Arg::X(3), X0]);
            b.op(Op::Deallocate, &[Arg::U(1)]);
            b.op(Op::Return, &[]);
        }),
        [
            (Op::Label, 3),
            (Op::Allocate, 3),
            (Op::CallExt, 3),
            (Op::TryCase, 3)
        ]
    );
    // A process that has waited has lost them all.
    assert_eq!(
        cleared(|b| {
            let (again, wait) = (b.new_label(), b.new_label());
            b.place(again);
            b.op(Op::LoopRec, &[Arg::F(wait), X0]);
            b.op(Op::RemoveMessage, &[]);
            b.op(Op::Move, &[X1, X0]);
            b.op(Op::Return, &[]);
            b.place(wait);
            b.op(Op::Wait, &[Arg::F(again)]);
        }),
        [(Op::Label, 1), (Op::Label, 1)]
    );
}

#[test]
fn frames() {
    refuses(
        ErrorKind::OutsideFrame {
            op: Op::Move,
            register: 0,
        },
        |b| {
            b.op(Op::Move, &[X0, Y0]);
            b.op(Op::Return, &[]);
        },
    );
    // The slots of a frame hold the empty list at first.
    accepts(|b| {
        b.op(Op::Allocate, &[Arg::U(2), Arg::U(1)]);
        call(b, 1);
        b.op(Op::Move, &[Y1, X0]);
        b.op(Op::Deallocate, &[Arg::U(2)]);
        b.op(Op::Return, &[]);
    });
    refuses(
        ErrorKind::FrameSize {
            op: Op::Deallocate,
            expected: 2,
            found: 1,
        },
        |b| {
            b.op(Op::Allocate, &[Arg::U(2), Arg::U(1)]);
            b.op(Op::Deallocate, &[Arg::U(1)]);
            b.op(Op::Return, &[]);
        },
    );
    refuses(ErrorKind::HasFrame { op: Op::Return }, |b| {
        b.op(Op::Allocate, &[Arg::U(2), Arg::U(1)]);
        b.op(Op::Return, &[]);
    });
    refuses(ErrorKind::HasFrame { op: Op::Allocate }, |b| {
        b.op(Op::Allocate, &[Arg::U(0), Arg::U(1)]);
        b.op(Op::Allocate, &[Arg::U(0), Arg::U(1)]);
        b.op(Op::Return, &[]);
    });
    refuses(ErrorKind::NoFrame { op: Op::CallExt }, |b| {
        call(b, 1);
        b.op(Op::Return, &[]);
    });
    accepts(|b| {
        b.op(Op::Allocate, &[Arg::U(2), Arg::U(1)]);
        b.op(Op::Move, &[X0, Y1]);
        b.op(Op::Trim, &[Arg::U(1), Arg::U(1)]);
        b.op(Op::Move, &[Y0, X0]);
        b.op(Op::Deallocate, &[Arg::U(1)]);
        b.op(Op::Return, &[]);
    });
    refuses(
        ErrorKind::FrameSize {
            op: Op::Trim,
            expected: 2,
            found: 3,
        },
        |b| {
            b.op(Op::Allocate, &[Arg::U(2), Arg::U(1)]);
            b.op(Op::Trim, &[Arg::U(1), Arg::U(2)]);
            b.op(Op::Deallocate, &[Arg::U(1)]);
            b.op(Op::Return, &[]);
        },
    );
}

#[test]
fn different_frames_may_meet_only_to_raise() {
    let shared = |b: &mut Builder, end: &dyn Fn(&mut Builder)| {
        let fail = b.new_label();
        b.op(Op::IsAtom, &[Arg::F(fail), X0]);
        b.op(Op::Allocate, &[Arg::U(1), Arg::U(1)]);
        b.op(Op::Move, &[X0, Y0]);
        b.op(Op::IsTuple, &[Arg::F(fail), X0]);
        b.op(Op::Deallocate, &[Arg::U(1)]);
        b.op(Op::Return, &[]);
        b.place(fail);
        end(b);
    };
    accepts(|b| shared(b, &|b| b.op(Op::Badmatch, &[X0])));
    refuses(ErrorKind::HasFrame { op: Op::Return }, |b| {
        shared(b, &|b| b.op(Op::Return, &[]))
    });
    refuses(
        ErrorKind::OutsideFrame {
            op: Op::Move,
            register: 0,
        },
        |b| {
            shared(b, &|b| {
                b.op(Op::Move, &[Y0, X0]);
                b.op(Op::Badmatch, &[X0]);
            });
        },
    );
}

#[test]
fn ends() {
    refuses(ErrorKind::FallsOff, |b| b.op(Op::Move, &[X0, X1]));
    // A call that cannot return may be the last instruction.
    accepts(|b| {
        let error = b.import("erlang", "error", 1);
        b.op(Op::CallExt, &[Arg::U(1), error]);
    });
    let mut b = Builder::new("m");
    b.function("f", 1, true);
    b.op(Op::Allocate, &[Arg::U(0), Arg::U(1)]);
    call(&mut b, 1);
    let mut file = BeamFile::parse_unverified(&b.finish()).expect("valid");
    assert_eq!(file.verify(), []);
    assert_eq!(file.functions[0].no_return.len(), 1);
}

/// A try with a handler, around `inner`, and then the handler's instructions.
fn guarded(
    b: &mut Builder,
    slots: u64,
    inner: impl FnOnce(&mut Builder),
    handler: impl FnOnce(&mut Builder),
) {
    let label = b.new_label();
    b.op(Op::Allocate, &[Arg::U(slots), Arg::U(1)]);
    b.op(
        Op::InitYregs,
        &[Arg::List((0..slots).map(Arg::Y).collect())],
    );
    b.op(Op::Try, &[Arg::Y(slots - 1), Arg::F(label)]);
    inner(b);
    b.op(Op::TryEnd, &[Arg::Y(slots - 1)]);
    b.op(Op::Deallocate, &[Arg::U(slots)]);
    b.op(Op::Return, &[]);
    b.place(label);
    handler(b);
}

fn handle(slots: u64) -> impl FnOnce(&mut Builder) {
    move |b| {
        b.op(Op::TryCase, &[Arg::Y(slots - 1)]);
        b.op(Op::Move, &[Arg::X(2), X0]);
        b.op(Op::Deallocate, &[Arg::U(slots)]);
        b.op(Op::Return, &[]);
    }
}

#[test]
fn catches() {
    accepts(|b| guarded(b, 2, |b| call(b, 1), handle(2)));
    refuses(
        ErrorKind::CatchTagUsed {
            op: Op::Move,
            register: 1,
        },
        |b| {
            guarded(
                b,
                2,
                |b| {
                    call(b, 1);
                    b.op(Op::Move, &[Y1, X0]);
                },
                handle(2),
            );
        },
    );
    refuses(
        ErrorKind::CatchTagUsed {
            op: Op::InitYregs,
            register: 1,
        },
        |b| {
            guarded(
                b,
                2,
                |b| b.op(Op::InitYregs, &[Arg::List(vec![Y1])]),
                handle(2),
            );
        },
    );
    // An inner catch lies lower on the stack.
    refuses(ErrorKind::CatchNesting { op: Op::Try }, |b| {
        let other = b.new_label();
        guarded(b, 1, |b| b.op(Op::Try, &[Y0, Arg::F(other)]), handle(1));
        b.place(other);
        b.op(Op::IfEnd, &[]);
    });
    refuses(ErrorKind::CatchNesting { op: Op::TryEnd }, |b| {
        guarded(b, 2, |b| b.op(Op::TryEnd, &[Y0]), handle(2));
    });
    refuses(ErrorKind::CatchActive { op: Op::Deallocate }, |b| {
        guarded(
            b,
            1,
            |b| {
                let skip = b.new_label();
                b.op(Op::IsAtom, &[Arg::F(skip), X0]);
                b.op(Op::Deallocate, &[Arg::U(1)]);
                b.op(Op::Return, &[]);
                b.place(skip);
                call(b, 1);
            },
            handle(1),
        );
    });
    // A handler starts by taking the exception, and nothing else may go there.
    let bad = |errors: Vec<ErrorKind>| {
        assert!(
            errors
                .iter()
                .any(|kind| matches!(kind, ErrorKind::BadHandler { .. })),
            "{errors:?}"
        );
    };
    bad(errors(|b| {
        guarded(b, 1, |b| call(b, 1), |b| b.op(Op::Badmatch, &[Y0]))
    }));
    bad(errors(|b| {
        let label = b.new_label();
        b.op(Op::Allocate, &[Arg::U(1), Arg::U(1)]);
        b.op(Op::InitYregs, &[Arg::List(vec![Y0])]);
        b.op(Op::Try, &[Y0, Arg::F(label)]);
        b.op(Op::Move, &[X0, X1]);
        b.place(label);
        b.op(Op::TryCase, &[Y0]);
        b.op(Op::IfEnd, &[]);
    }));
}

#[test]
fn shared_code_raises_to_each_catch() {
    // Both the body and the handler end in the same if_end, once inside of the outer try and once
    // outside.
    accepts(|b| {
        let (outer, inner, shared) = (b.new_label(), b.new_label(), b.new_label());
        b.op(Op::Allocate, &[Arg::U(2), Arg::U(1)]);
        b.op(Op::InitYregs, &[Arg::List(vec![Y0, Y1])]);
        b.op(Op::Try, &[Y1, Arg::F(outer)]);
        b.op(Op::Try, &[Y0, Arg::F(inner)]);
        call(b, 1);
        b.op(Op::TryEnd, &[Y0]);
        b.op(Op::TryEnd, &[Y1]);
        b.op(Op::Deallocate, &[Arg::U(2)]);
        b.op(Op::Return, &[]);
        b.place(inner);
        b.op(Op::TryCase, &[Y0]);
        b.op(Op::Jump, &[Arg::F(shared)]);
        b.place(outer);
        b.op(Op::TryCase, &[Y1]);
        b.place(shared);
        b.op(Op::IfEnd, &[]);
    });
}

#[test]
fn labels_and_calls() {
    let mut b = Builder::new("m");
    let first = b.function("f", 1, true);
    b.op(Op::CallOnly, &[Arg::U(2), Arg::F(first)]);
    b.function("g", 1, true);
    b.op(Op::Jump, &[Arg::F(first)]);
    b.function("g", 1, true);
    b.place(first);
    b.op(Op::Return, &[]);
    let import = b.import("m", "h", 3);
    b.function("h", 1, true);
    b.op(Op::CallExtOnly, &[Arg::U(1), import]);
    let errors = module_errors(&b);
    for expected in [
        ErrorKind::BadCallTarget {
            label: first,
            arity: 2,
        },
        ErrorKind::ForeignLabel {
            op: Op::Jump,
            label: first,
        },
        ErrorKind::DuplicateFunction,
        ErrorKind::DuplicateLabel { label: first },
        ErrorKind::ImportArity { arity: 1 },
    ] {
        assert!(
            errors.contains(&expected),
            "{expected:?} expected, {errors:?} found"
        );
    }
}

#[test]
fn guard_bifs() {
    refuses(ErrorKind::BifArity { op: Op::Bif1 }, |b| {
        let import = b.import("erlang", "element", 2);
        b.op(Op::Bif1, &[Arg::F(0), import, X0, X0]);
        b.op(Op::Return, &[]);
    });
    refuses(ErrorKind::NotAGuardBif { op: Op::Bif1 }, |b| {
        let import = b.import("lists", "last", 1);
        b.op(Op::Bif1, &[Arg::F(0), import, X0, X0]);
        b.op(Op::Return, &[]);
    });
}

#[test]
fn operands() {
    refuses(
        ErrorKind::BadOperandKind {
            op: Op::Move,
            position: 0,
            expected: "a term",
        },
        |b| {
            b.op(Op::Move, &[Arg::U(1), X0]);
            b.op(Op::Return, &[]);
        },
    );
    refuses(
        ErrorKind::BadOperandKind {
            op: Op::Move,
            position: 1,
            expected: "a register",
        },
        |b| {
            b.op(Op::Move, &[X0, Arg::Nil]);
            b.op(Op::Return, &[]);
        },
    );
    refuses(ErrorKind::RegisterRange { value: 1024 }, |b| {
        b.op(Op::Move, &[X0, Arg::X(1024)])
    });
    refuses(ErrorKind::AtomRange { index: 1000 }, |b| {
        b.op(Op::Move, &[Arg::A(1000), X0])
    });
    refuses(ErrorKind::LiteralRange { index: 0 }, |b| {
        b.op(Op::Move, &[Arg::Lit(0), X0])
    });
    refuses(ErrorKind::LabelRange { label: 1000 }, |b| {
        b.op(Op::Jump, &[Arg::F(1000)])
    });
    refuses(ErrorKind::ImportRange { index: 9 }, |b| {
        b.op(Op::CallExtOnly, &[Arg::U(1), Arg::U(9)]);
    });
    refuses(
        ErrorKind::OperandRange {
            op: Op::TestHeap,
            position: 1,
            value: 1025,
        },
        |b| {
            b.op(Op::TestHeap, &[Arg::U(1), Arg::U(1025)]);
            b.op(Op::Return, &[]);
        },
    );
    refuses(
        ErrorKind::OperandRange {
            op: Op::TestHeap,
            position: 0,
            value: 1 << 40,
        },
        |b| {
            b.op(Op::TestHeap, &[Arg::U(1 << 40), Arg::U(1)]);
            b.op(Op::Return, &[]);
        },
    );
    refuses(ErrorKind::StringRange { offset: 4 }, |b| {
        b.string(b"abcd");
        b.op(Op::BsPutString, &[Arg::U(1), Arg::U(4)]);
        b.op(Op::Return, &[]);
    });
    for (opcode, kind) in [
        (192, ErrorKind::UnknownOpcode { opcode: 192 }),
        (0, ErrorKind::UnknownOpcode { opcode: 0 }),
    ] {
        let mut b = Builder::new("m");
        b.function("f", 1, true);
        b.raw(&[opcode]);
        assert_eq!(
            BeamFile::parse_unverified(&b.finish())
                .expect_err("refused")
                .kind,
            kind
        );
    }
}

#[test]
fn lists() {
    let list = |op, args: &dyn Fn(&mut Builder) -> Vec<Arg>| {
        refuses(ErrorKind::BadList { op }, |b| {
            let args = args(b);
            b.op(op, &args);
            b.op(Op::IfEnd, &[]);
        });
    };
    list(Op::SelectVal, &|_| {
        vec![X0, Arg::F(1), Arg::List(vec![Arg::I(1)])]
    });
    list(Op::SelectVal, &|_| {
        vec![X0, Arg::F(1), Arg::List(vec![X0, Arg::F(1)])]
    });
    list(Op::SelectTupleArity, &|_| {
        vec![X0, Arg::F(1), Arg::List(vec![Arg::U(1), Arg::F(0)])]
    });
    list(Op::PutMapAssoc, &|_| {
        vec![Arg::F(0), X0, X0, Arg::U(1), Arg::List(vec![X0])]
    });
    list(Op::UpdateRecord, &|b| {
        vec![
            b.a("copy"),
            Arg::U(2),
            X0,
            X0,
            Arg::List(vec![Arg::U(3), Arg::Nil]),
        ]
    });
    list(Op::InitYregs, &|_| vec![Arg::List(vec![X0])]);
    list(Op::BsCreateBin, &|b| {
        let segment = vec![
            b.a("nonsense"),
            Arg::U(1),
            Arg::U(1),
            Arg::Nil,
            X0,
            Arg::I(8),
        ];
        vec![
            Arg::F(0),
            Arg::U(0),
            Arg::U(1),
            Arg::U(1),
            X0,
            Arg::List(segment),
        ]
    });
    // Bits are taken that have not been ensured.
    list(Op::BsMatch, &|b| {
        let ensure = b.a("ensure_at_least");
        let skip = b.a("skip");
        vec![
            Arg::F(1),
            X0,
            Arg::List(vec![ensure, Arg::U(8), Arg::U(1), skip, Arg::U(9)]),
        ]
    });
    list(Op::BsMatch, &|b| {
        vec![Arg::F(1), X0, Arg::List(vec![b.a("skip")])]
    });
}

#[test]
fn tables() {
    let mut b = Builder::new("m");
    let entry = b.function("f", 1, true);
    b.op(Op::Return, &[]);
    b.lambda("f", 2, entry, 1);
    b.lambda("f", 1, entry + 7, 0);
    let errors = module_errors(&b);
    assert_eq!(
        errors,
        [
            ErrorKind::BadEntry {
                table: "fun",
                index: 0
            },
            ErrorKind::BadEntry {
                table: "fun",
                index: 1
            }
        ]
    );
}

#[test]
fn loops() {
    refuses(ErrorKind::EndlessLoop { label: 3 }, |b| {
        let (again, out) = (b.new_label(), b.new_label());
        b.place(again);
        b.op(Op::IsAtom, &[Arg::F(out), X0]);
        b.op(Op::Jump, &[Arg::F(again)]);
        b.place(out);
        b.op(Op::Return, &[]);
    });
    // A handler that leads to the `try` again.
    refuses(ErrorKind::EndlessLoop { label: 3 }, |b| {
        let (again, handler) = (b.new_label(), b.new_label());
        b.op(Op::AllocateZero, &[Arg::U(1), Arg::U(1)]);
        b.place(again);
        b.op(Op::Try, &[Y0, Arg::F(handler)]);
        b.op(Op::IfEnd, &[]);
        b.place(handler);
        b.op(Op::TryCase, &[Y0]);
        b.op(Op::Jump, &[Arg::F(again)]);
    });
    accepts(|b| {
        let again = b.new_label();
        b.op(Op::Allocate, &[Arg::U(0), Arg::U(1)]);
        b.place(again);
        b.op(Op::Call, &[Arg::U(1), Arg::F(2)]);
        b.op(Op::Jump, &[Arg::F(again)]);
    });
    accepts(|b| {
        let (again, wait) = (b.new_label(), b.new_label());
        b.place(again);
        b.op(Op::LoopRec, &[Arg::F(wait), X0]);
        b.op(Op::LoopRecEnd, &[Arg::F(again)]);
        b.place(wait);
        b.op(Op::Wait, &[Arg::F(again)]);
    });
}

#[test]
fn hostile_shapes_end_soon() {
    // Many labels that each jump to the one before: one pass per label would take for ever.
    let mut b = Builder::new("m");
    b.function("f", 1, true);
    let labels: Vec<u32> = (0..20_000).map(|_| b.new_label()).collect();
    b.op(Op::Jump, &[Arg::F(labels[labels.len() - 1])]);
    for (index, &label) in labels.iter().enumerate() {
        b.place(label);
        if index == 0 {
            b.op(Op::Return, &[]);
        } else {
            b.op(Op::Jump, &[Arg::F(labels[index - 1])]);
        }
    }
    assert_eq!(module_errors(&b), []);
    // Catches in sequence that are never ended.
    let mut b = Builder::new("m");
    b.function("f", 1, true);
    let handler = b.new_label();
    b.op(Op::AllocateZero, &[Arg::U(1000), Arg::U(1)]);
    for slot in (0..1000).rev() {
        let skip = b.new_label();
        b.op(Op::IsAtom, &[Arg::F(skip), X0]);
        b.op(Op::Try, &[Arg::Y(slot), Arg::F(handler)]);
        b.place(skip);
    }
    b.op(Op::IfEnd, &[]);
    b.place(handler);
    b.op(Op::TryCase, &[Y0]);
    b.op(Op::IfEnd, &[]);
    assert!(module_errors(&b).contains(&ErrorKind::TooComplex));
}
