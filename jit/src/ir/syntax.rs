//! How instructions are written: one table, which the printer and the parser read.
//!
//! A row says what an operation is called and which operands stand before and which behind the values that it uses:
//!
//! ```text
//! v3 = arith.add v1, v2, exit4
//!      name .sub args    behind
//! ```
//!
//! Every kind of operand is a type that knows how to write itself and to read itself again ([`Operand`]).

use super::bits::{Flags, Segments, Steps};
use super::names::Named;
use super::parse::{ParseError, Parser};
use super::{Callee, ExitRef, Op, Target, Test, Value};
use enigma_runtime::atom::Atom;
use enigma_runtime::code::export::{self, Export};
use enigma_runtime::term::Term;
use std::fmt::{self, Formatter, Write};

/// Writes the operands of an instruction with commas between them.
pub(super) struct Writer<'a, 'f> {
    out: &'a mut Formatter<'f>,
    any: bool,
}

impl Writer<'_, '_> {
    pub(super) fn item(&mut self, text: fmt::Arguments<'_>) -> fmt::Result {
        self.out.write_str(if self.any { ", " } else { " " })?;
        self.any = true;
        self.out.write_fmt(text)
    }

    fn sub(&mut self, name: &str) -> fmt::Result {
        write!(self.out, ".{name}")
    }

    pub(super) fn list<T>(
        &mut self,
        keyword: &str,
        all: &[T],
        mut each: impl FnMut(&mut Formatter<'_>, &T) -> fmt::Result,
    ) -> fmt::Result {
        self.item(format_args!("{keyword}["))?;
        for (i, x) in all.iter().enumerate() {
            self.out.write_str(if i == 0 { "" } else { ", " })?;
            each(self.out, x)?;
        }
        self.out.write_char(']')
    }
}

/// A kind of operand.
pub(super) trait Operand {
    /// What it stands for in an [`Op`].
    type Of;

    fn write(x: &Self::Of, w: &mut Writer<'_, '_>) -> fmt::Result;
    fn read(p: &mut Parser<'_>) -> Result<Self::Of, ParseError>;
}

macro_rules! operations {
    ($($op:ident $(($($field:ident),*))? $({$($part:ident),*})? = $name:literal
        [$($before:ident $b:ident),*] [$($behind:ident $e:ident),*];)*) => {
        impl Op {
            /// What it is called in texts.
            pub fn name(&self) -> &'static str {
                match self { $(operations!(@any $op $(($($field),*))? $({$($part),*})?) => $name),* }
            }
        }

        /// The names of all operations.
        #[cfg(test)]
        pub(super) const NAMES: &[&str] = &[$($name),*];

        /// Writes what an instruction does.
        pub(super) fn write(op: &Op, args: &[Value], out: &mut Formatter<'_>) -> fmt::Result {
            out.write_str(op.name())?;
            let mut w = Writer { out, any: false };
            match op {
                $(Op::$op $(($($field),*))? $({$($part),*})? => {
                    $($before::write($b, &mut w)?;)*
                    for arg in args {
                        w.item(format_args!("{arg}"))?;
                    }
                    $($behind::write($e, &mut w)?;)*
                })*
            }
            Ok(())
        }

        /// Reads what stands behind the name of an operation. Nothing if no operation is called so.
        pub(super) fn read(
            name: &str,
            p: &mut Parser<'_>,
        ) -> Result<Option<(Op, Vec<Value>)>, ParseError> {
            p.begin_operands();
            Ok(Some(match name {
                $($name => {
                    $(let $b = $before::read(p)?;)*
                    let args = p.args()?;
                    $(let $e = $behind::read(p)?;)*
                    (Op::$op $(($($field),*))? $({$($part),*})?, args)
                })*
                _ => return Ok(None),
            }))
        }
    };
    (@any $op:ident) => { Op::$op };
    (@any $op:ident ($($field:ident),*)) => { Op::$op(..) };
    (@any $op:ident {$($part:ident),*}) => { Op::$op { .. } };
}

operations! {
    Const(word) = "const" [Word word] [];
    Float(float) = "float" [Float float] [];
    LoadY(n) = "load_y" [Y n] [];
    StoreY(n) = "store_y" [Y n] [];
    StoreCatch(n, handler) = "store_catch" [Y n, Pc handler] [];

    Test(test) = "test" [Question test] [];
    Compare(how) = "compare" [Sub how] [];
    IsValue = "is_value" [] [];
    IsFunctionOf = "is_function_of" [] [];
    BitsLeftAre(n) = "bits_left_are" [Bits n] [];
    BitsLeftMultiple(n) = "bits_left_multiple" [Bits n] [];
    BoolTerm = "bool_term" [] [];

    StartMatch = "start_match" [] [];
    MatchBits(steps) = "match_bits" [Steps steps] [];
    MatchString(bits, from) = "match_string" [Bits bits, Number from] [];
    GetBits(kind, unit, flags) = "get_bits" [Sub kind, Number unit, Flags flags] [];
    GetUtf(encoding, flags) = "get_utf" [Sub encoding, Flags flags] [];
    RestBits = "rest_bits" [] [];
    BitsPosition = "bits_position" [] [];
    SetBitsPosition = "set_bits_position" [] [];
    ByteSize = "byte_size" [] [];
    BitSize = "bit_size" [] [];
    CreateBits(segments, exit) = "create_bits" [Segments segments] [Exit exit];
    WritableBits = "writable_bits" [] [];

    Head = "head" [] [];
    Tail = "tail" [] [];
    Element(n) = "element" [Number n] [];
    ElementAt = "element_at" [] [];
    ListLength = "list_length" [] [];
    TupleSize = "tuple_size" [] [];
    OwnPid = "own_pid" [] [];
    MapGet = "map_get" [] [];
    MapSize = "map_size" [] [];
    NewMap = "new_map" [] [];
    MapPut(exit) = "map_put" [] [Exit exit];
    MapUpdate(exit) = "map_update" [] [Exit exit];
    Cons = "cons" [] [];
    Tuple = "tuple" [] [];
    UpdateTuple(size, positions) = "update_tuple" [Number size, Numbers positions] [];
    OverwriteTuple(size, positions) = "overwrite_tuple" [Number size, Numbers positions] [];
    Fun(n) = "fun" [Number n] [];

    GuardBif(bif) = "guard_bif" [External bif] [];

    Arith(what, exit) = "arith" [Sub what] [Exit exit];
    TryArith(what) = "try_arith" [Sub what] [];
    Unbox(exit) = "unbox" [] [Exit exit];
    ToFloat(exit) = "to_float" [] [Exit exit];
    Box = "box" [] [];
    FloatArith(what, exit) = "float_arith" [Sub what] [Exit exit];
    FloatNegate = "float_negate" [] [];
    SmallArith(what) = "small_arith" [Sub what] [];
    TrySmallArith(what) = "try_small_arith" [Sub what] [];
    AreSmall = "are_small" [] [];
    CompareSmall(how) = "compare_small" [Sub how] [];
    CompareFloat(how) = "compare_float" [Sub how] [];
    TryUnbox = "try_unbox" [] [];
    TryToFloat = "try_to_float" [] [];
    SmallToFloat = "small_to_float" [] [];
    RawFloatArith(what) = "raw_float_arith" [Sub what] [];
    IsFinite = "is_finite" [] [];
    WordConst(n) = "word_const" [Bits n] [];
    TryWord = "try_word" [] [];
    WordArith(what) = "word_arith" [Sub what] [];
    TryWordArith(what) = "try_word_arith" [Sub what] [];
    WordTerm(most) = "word_term" [Bits most] [];

    Allocate { slots, heap, clear, exit } = "allocate" [Slots slots, Heap heap, Clear clear] [Exit exit];
    Reserve(heap, exit) = "reserve" [Heap heap] [Exit exit];
    Drop(n) = "drop" [Slots n] [];
    PushReturn(next) = "push_return" [] [Next next];
    Build(next) = "build" [] [Next next];

    Call(callee, next) = "call" [Called callee] [Next next];
    FunCode(arity) = "fun_code" [Number arity] [];
    CallFun(next, exit) = "call_fun" [] [Next next, Exit exit];
    CallFunAt(next, exit) = "call_fun_at" [] [Next next, Exit exit];
    CallApply(next, exit) = "call_apply" [] [Next next, Exit exit];
    CallBif(bif, next, exit) = "call_bif" [External bif] [Next next, Exit exit];
    CallStep(next, exit) = "call_step" [] [Next next, Exit exit];
    Step { at, next, other, writes, float_writes } = "step"
        [] [Exit at, Next next, Other other, Writes writes, FloatWrites float_writes];

    Jump(target) = "jump" [] [To target];
    Branch(yes, no) = "branch" [] [To yes, To no];
    Switch(cases, other) = "switch" [] [WordCases cases, To other];
    SwitchArity(cases, other) = "switch_arity" [] [NumberCases cases, To other];
    Return = "return" [] [];
    TailCall(callee, slots) = "tail_call" [Called callee, Drops slots] [];
    TailCallFun(slots, exit) = "tail_call_fun" [Drops slots] [Exit exit];
    TailCallApply(slots, exit) = "tail_call_apply" [Drops slots] [Exit exit];
    Again(target) = "again" [] [To target];
    Leave(exit) = "leave" [] [Exit exit];
}

// ---- words and numbers ----

/// A word: a small integer, flonum, atom or nil as in Erlang, others in hexadecimal.
struct Word;

impl Operand for Word {
    type Of = u64;

    fn write(x: &u64, w: &mut Writer<'_, '_>) -> fmt::Result {
        w.item(format_args!("{}", ShownWord(*x)))
    }

    fn read(p: &mut Parser<'_>) -> Result<u64, ParseError> {
        p.separator()?;
        read_word(p)
    }
}

/// A word as it is written.
struct ShownWord(u64);

impl fmt::Display for ShownWord {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let word = self.0;
        match Term::immediate(word) {
            Some(t) if t.is_small() => return write!(f, "{}", t.small_value()),
            Some(t) if t.is_nil() => return f.write_str("[]"),
            Some(t) if t.is_flonum() && Term::try_flonum(t.flonum_value()) == Some(t) => {
                return write!(f, "{:?}", t.flonum_value());
            }
            Some(t) => {
                if let Some(atom) = t.as_atom().and_then(|a| Atom::at(a.index()))
                    && Term::atom(atom) == t
                {
                    return write!(f, "{}", Quoted(atom.text(), '\''));
                }
            }
            None => {}
        }
        write!(f, "{word:#x}")
    }
}

fn read_word(p: &mut Parser<'_>) -> Result<u64, ParseError> {
    if p.take_symbol('[') {
        p.symbol(']')?;
        return Ok(Term::NIL.raw());
    }
    if let Some(text) = p.take_quoted('\'')? {
        return Ok(Term::atom(make_atom(p, &text)?).raw());
    }
    let text = p.number_text()?;
    let word = if let Some(digits) = text.strip_prefix("0x") {
        u64::from_str_radix(digits, 16).ok()
    } else if let Ok(n) = text.parse::<i64>() {
        Term::try_small(n).map(Term::raw)
    } else {
        text.parse().ok().and_then(Term::try_flonum).map(Term::raw)
    };
    word.ok_or_else(|| p.error_before(format!("`{text}` is no word")))
}

/// A float; one that is no number by its bits.
struct Float;

impl Operand for Float {
    type Of = f64;

    fn write(x: &f64, w: &mut Writer<'_, '_>) -> fmt::Result {
        if x.is_finite() {
            w.item(format_args!("{x:?}"))
        } else {
            w.item(format_args!("{:#x}", x.to_bits()))
        }
    }

    fn read(p: &mut Parser<'_>) -> Result<f64, ParseError> {
        p.separator()?;
        let text = p.number_text()?;
        let float = match text.strip_prefix("0x") {
            Some(digits) => u64::from_str_radix(digits, 16).ok().map(f64::from_bits),
            None => text.parse().ok().filter(|f: &f64| f.is_finite()),
        };
        float.ok_or_else(|| p.error_before(format!("`{text}` is no float")))
    }
}

macro_rules! plain_numbers {
    ($($(#[$doc:meta])* $name:ident $of:ident;)*) => {
        $($(#[$doc])*
        struct $name;

        impl Operand for $name {
            type Of = $of;

            fn write(x: &$of, w: &mut Writer<'_, '_>) -> fmt::Result {
                w.item(format_args!("{x}"))
            }

            fn read(p: &mut Parser<'_>) -> Result<$of, ParseError> {
                p.separator()?;
                p.number()
            }
        })*
    };
}

plain_numbers! {
    /// A plain number.
    Number u32;
    /// A number of bits.
    Bits u64;
}

/// Plain numbers.
struct Numbers;

impl Operand for Numbers {
    type Of = Vec<u32>;

    fn write(x: &Vec<u32>, w: &mut Writer<'_, '_>) -> fmt::Result {
        w.list("", x, |f, n| write!(f, "{n}"))
    }

    fn read(p: &mut Parser<'_>) -> Result<Vec<u32>, ParseError> {
        p.separator()?;
        p.list(Parser::number)
    }
}

/// Numbers behind a word that says what they are.
macro_rules! numbers {
    ($($(#[$doc:meta])* $name:ident $keyword:literal;)*) => {
        $($(#[$doc])*
        struct $name;

        impl Operand for $name {
            type Of = u32;

            fn write(x: &u32, w: &mut Writer<'_, '_>) -> fmt::Result {
                w.item(format_args!(concat!($keyword, " {}"), x))
            }

            fn read(p: &mut Parser<'_>) -> Result<u32, ParseError> {
                p.separator()?;
                p.word($keyword)?;
                p.number()
            }
        })*
    };
}

numbers! {
    /// An offset of the bytecode.
    Pc "pc";
    /// The offset of the bytecode behind the instruction.
    Next "next";
    /// Slots of the frame.
    Slots "slots";
    /// Slots of the frame that go away with a call.
    Drops "drop";
    /// Words of heap.
    Heap "heap";
}

/// Another offset of the bytecode, if there is one.
struct Other;

impl Operand for Other {
    type Of = Option<u32>;

    fn write(x: &Option<u32>, w: &mut Writer<'_, '_>) -> fmt::Result {
        match x {
            Some(pc) => w.item(format_args!("other {pc}")),
            None => Ok(()),
        }
    }

    fn read(p: &mut Parser<'_>) -> Result<Option<u32>, ParseError> {
        match p.take_item("other") {
            true => p.number().map(Some),
            false => Ok(None),
        }
    }
}

// ---- registers ----

/// A slot of the frame.
struct Y;

impl Operand for Y {
    type Of = u16;

    fn write(x: &u16, w: &mut Writer<'_, '_>) -> fmt::Result {
        w.item(format_args!("y{x}"))
    }

    fn read(p: &mut Parser<'_>) -> Result<u16, ParseError> {
        p.separator()?;
        p.numbered("y")
    }
}

/// Registers behind a word that says what happens to them; nothing if there are none.
macro_rules! register_lists {
    ($($(#[$doc:meta])* $name:ident $keyword:literal $prefix:literal;)*) => {
        $($(#[$doc])*
        struct $name;

        impl Operand for $name {
            type Of = Vec<u16>;

            fn write(x: &Vec<u16>, w: &mut Writer<'_, '_>) -> fmt::Result {
                if x.is_empty() {
                    return Ok(());
                }
                w.list(concat!($keyword, " "), x, |f, n| write!(f, concat!($prefix, "{}"), n))
            }

            fn read(p: &mut Parser<'_>) -> Result<Vec<u16>, ParseError> {
                match p.take_item($keyword) {
                    true => p.list(|p| p.numbered($prefix)),
                    false => Ok(Vec::new()),
                }
            }
        })*
    };
}

register_lists! {
    /// Slots of the frame that are cleared.
    Clear "clear" "y";
    /// X registers that are written.
    Writes "writes" "x";
    /// Float registers that are written.
    FloatWrites "writes_floats" "f";
}

// ---- what has names ----

/// Which of several kinds, behind a point.
struct Sub<T>(std::marker::PhantomData<T>);

impl<T: Named> Operand for Sub<T> {
    type Of = T;

    fn write(x: &T, w: &mut Writer<'_, '_>) -> fmt::Result {
        w.sub(x.name())
    }

    fn read(p: &mut Parser<'_>) -> Result<T, ParseError> {
        let name = p.sub()?;
        T::named(&name).ok_or_else(|| p.error_before(format!("`{name}` is not known here")))
    }
}

/// A question about a term.
struct Question;

macro_rules! questions {
    ($($test:ident $name:literal,)*) => {
        const PLAIN: &[(&str, Test)] = &[$(($name, Test::$test)),*];

        /// The names of the questions that are one word.
        #[cfg(test)]
        pub(super) fn plain_questions() -> impl Iterator<Item = &'static str> {
            PLAIN.iter().map(|(name, _)| *name)
        }

        impl Operand for Question {
            type Of = Test;

            fn write(x: &Test, w: &mut Writer<'_, '_>) -> fmt::Result {
                match x {
                    $(Test::$test => w.sub($name),)*
                    Test::Kind(kind) => {
                        w.sub("kind")?;
                        w.sub(kind.name())
                    }
                    Test::TupleOf(size) => {
                        w.sub("tuple_of")?;
                        Number::write(size, w)
                    }
                    Test::TupleAbove(size) => {
                        w.sub("tuple_above")?;
                        Number::write(size, w)
                    }
                    Test::Tagged(size, tag) => {
                        w.sub("tagged")?;
                        Number::write(size, w)?;
                        Word::write(&Term::atom(*tag).raw(), w)
                    }
                }
            }

            fn read(p: &mut Parser<'_>) -> Result<Test, ParseError> {
                let name = p.sub()?;
                match name.as_str() {
                    "kind" => Sub::read(p).map(Test::Kind),
                    "tuple_of" => Number::read(p).map(Test::TupleOf),
                    "tuple_above" => Number::read(p).map(Test::TupleAbove),
                    "tagged" => {
                        let size = Number::read(p)?;
                        p.separator()?;
                        Ok(Test::Tagged(size, read_atom(p)?))
                    }
                    _ => match PLAIN.iter().find(|(n, _)| *n == name) {
                        Some((_, test)) => Ok(*test),
                        None => Err(p.error_before(format!("`{name}` is no question"))),
                    },
                }
            }
        }
    };
}

questions! {
    Small "small",
    Integer "integer",
    Float "float",
    Number "number",
    Atom "atom",
    Boolean "boolean",
    Nil "nil",
    Cons "cons",
    List "list",
    Map "map",
    Pid "pid",
    Port "port",
    Reference "reference",
    Function "function",
    Binary "binary",
    Bitstring "bitstring",
}

/// A text in quotes.
pub(super) struct Quoted<'a>(pub &'a str, pub char);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_char(self.1)?;
        for c in self.0.chars() {
            match c {
                '\\' => f.write_str("\\\\")?,
                '\n' => f.write_str("\\n")?,
                c if c == self.1 => write!(f, "\\{c}")?,
                c if c.is_control() => write!(f, "\\x{{{:x}}}", u32::from(c))?,
                c => f.write_char(c)?,
            }
        }
        f.write_char(self.1)
    }
}

fn read_atom(p: &mut Parser<'_>) -> Result<Atom, ParseError> {
    match p.take_quoted('\'')? {
        Some(text) => make_atom(p, &text),
        None => Err(p.error_here("an atom in quotes is expected")),
    }
}

fn make_atom(p: &Parser<'_>, text: &str) -> Result<Atom, ParseError> {
    Atom::try_new(text).map_err(|_| p.error_before("that is no atom"))
}

// ---- where to go ----

/// An exit.
struct Exit;

impl Operand for Exit {
    type Of = ExitRef;

    fn write(x: &ExitRef, w: &mut Writer<'_, '_>) -> fmt::Result {
        w.item(format_args!("{x}"))
    }

    fn read(p: &mut Parser<'_>) -> Result<ExitRef, ParseError> {
        p.separator()?;
        p.numbered("exit").map(ExitRef)
    }
}

/// A function that is named by module, name and arity.
struct External;

impl Operand for External {
    type Of = &'static Export;

    fn write(x: &&'static Export, w: &mut Writer<'_, '_>) -> fmt::Result {
        let (module, function) = (x.module.text(), x.function.text());
        w.item(format_args!(
            "{}:{}/{}",
            Quoted(module, '\''),
            Quoted(function, '\''),
            x.arity
        ))
    }

    fn read(p: &mut Parser<'_>) -> Result<&'static Export, ParseError> {
        p.separator()?;
        let module = read_atom(p)?;
        p.symbol(':')?;
        let function = read_atom(p)?;
        p.symbol('/')?;
        Ok(export::get(module, function, p.number()?))
    }
}

/// A function that is called.
struct Called;

impl Operand for Called {
    type Of = Callee;

    fn write(x: &Callee, w: &mut Writer<'_, '_>) -> fmt::Result {
        match x {
            Callee::This => w.item(format_args!("this")),
            Callee::Local(n) => w.item(format_args!("local {n}")),
            Callee::Export(e) => External::write(e, w),
        }
    }

    fn read(p: &mut Parser<'_>) -> Result<Callee, ParseError> {
        if p.take_item("this") {
            return Ok(Callee::This);
        }
        match p.take_item("local") {
            true => p.number().map(Callee::Local),
            false => External::read(p).map(Callee::Export),
        }
    }
}

/// A block and values for its parameters.
struct To;

impl fmt::Display for Target {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.block)?;
        for (i, arg) in self.args.iter().enumerate() {
            write!(f, "{}{arg}", if i == 0 { "(" } else { ", " })?;
        }
        f.write_str(if self.args.is_empty() { "" } else { ")" })
    }
}

impl Operand for To {
    type Of = Target;

    fn write(x: &Target, w: &mut Writer<'_, '_>) -> fmt::Result {
        w.item(format_args!("{x}"))
    }

    fn read(p: &mut Parser<'_>) -> Result<Target, ParseError> {
        p.separator()?;
        p.target()
    }
}

/// Targets beside words.
struct WordCases;

impl Operand for WordCases {
    type Of = Vec<(u64, Target)>;

    fn write(x: &Vec<(u64, Target)>, w: &mut Writer<'_, '_>) -> fmt::Result {
        w.list("", x, |f, (word, target)| {
            write!(f, "{}: {target}", ShownWord(*word))
        })
    }

    fn read(p: &mut Parser<'_>) -> Result<Vec<(u64, Target)>, ParseError> {
        p.separator()?;
        p.list(|p| {
            let word = read_word(p)?;
            p.symbol(':')?;
            Ok((word, p.target()?))
        })
    }
}

/// Targets beside numbers.
struct NumberCases;

impl Operand for NumberCases {
    type Of = Vec<(u32, Target)>;

    fn write(x: &Vec<(u32, Target)>, w: &mut Writer<'_, '_>) -> fmt::Result {
        w.list("", x, |f, (n, target)| write!(f, "{n}: {target}"))
    }

    fn read(p: &mut Parser<'_>) -> Result<Vec<(u32, Target)>, ParseError> {
        p.separator()?;
        p.list(|p| {
            let n = p.number()?;
            p.symbol(':')?;
            Ok((n, p.target()?))
        })
    }
}
