//! Atoms, numbers, identifiers and funs from and to text.

use super::guard::fun_arity;
use crate::bifs;
use enigma_runtime::atom::{self, AtomError, MAX_ATOM_CHARS};
use enigma_runtime::bif::system_limit;
use enigma_runtime::code::{export, fun};
use enigma_runtime::data::int_text::{self, NoInteger, ParsedInteger, ToText};
use enigma_runtime::data::{bignum, compare, display, float_text};
use enigma_runtime::heap::{bits, magic};
use enigma_runtime::term::{Kind, list, pid};
use enigma_runtime::work::{self, Budget, Step, Work};
use enigma_runtime::{Atom, BifResult, Ctx, Exit, Heap, Term, badarg, node};
use std::task::Poll;

bifs! { BIFS:
    "erlang" {
        "atom_to_list"/1 Call => atom_to_list, pure LIST;
        "atom_to_binary"/2 Call => atom_to_binary, pure BINARY;
        "list_to_atom"/1 Guard => list_to_atom, reads ATOM;
        "list_to_existing_atom"/1 Call => list_to_existing_atom, reads ATOM;
        "binary_to_atom"/2 Call => binary_to_atom, reads ATOM;
        "binary_to_existing_atom"/2 Call => binary_to_existing_atom, reads ATOM;
        "integer_to_list"/1 Steps => integer_to_list, pure LIST;
        "integer_to_list"/2 Steps => integer_to_list, pure LIST;
        "integer_to_binary"/1 Steps => integer_to_binary, pure BINARY;
        "integer_to_binary"/2 Steps => integer_to_binary, pure BINARY;
        "list_to_integer"/1 Steps => list_to_integer, pure INTEGER;
        "list_to_integer"/2 Steps => list_to_integer, pure INTEGER;
        "binary_to_integer"/1 Steps => binary_to_integer, pure INTEGER;
        "binary_to_integer"/2 Steps => binary_to_integer, pure INTEGER;
        "float_to_list"/1 Call => float_to_list, pure LIST;
        "float_to_list"/2 Call => float_to_list, pure LIST;
        "float_to_binary"/1 Call => float_to_binary, pure BINARY;
        "float_to_binary"/2 Call => float_to_binary, pure BINARY;
        "list_to_float"/1 Call => list_to_float, pure FLOAT;
        "binary_to_float"/1 Call => binary_to_float, pure FLOAT;
        "pid_to_list"/1 Call => pid_to_list;
        "list_to_pid"/1 Call => list_to_pid;
        "port_to_list"/1 Call => port_to_list;
        "list_to_port"/1 Call => list_to_port;
        "ref_to_list"/1 Call => ref_to_list;
        "list_to_ref"/1 Call => list_to_ref;
        "fun_to_list"/1 Call => fun_to_list;
        "fun_info"/2 Call => fun_info;
        "fun_info_mfa"/1 Call => fun_info_mfa;
        "make_fun"/3 Call => make_fun;
    }
    "erts_internal" {
        "binary_to_integer"/2 Steps => internal_binary_to_integer;
        "list_to_integer"/2 Steps => internal_list_to_integer;
    }
    "string" {
        "list_to_integer"/1 Steps => string_list_to_integer;
        "list_to_float"/1 Call => string_list_to_float;
    }
}

// ---- atoms ----

fn atom_to_list(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let atom = a[0].as_atom().ok_or_else(badarg)?;
    Ok(cx.heap().char_list(atom.text()))
}

/// How the bytes of a binary stand for characters.
#[derive(Clone, Copy, PartialEq)]
enum Encoding {
    Latin1,
    Utf8,
}

fn encoding(t: Term) -> Result<Encoding, Exit> {
    match t.as_atom() {
        Some(Atom::LATIN1) => Ok(Encoding::Latin1),
        Some(Atom::UTF8 | Atom::UNICODE) => Ok(Encoding::Utf8),
        _ => Err(badarg()),
    }
}

fn atom_to_binary(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let text = a[0].as_atom().ok_or_else(badarg)?.text();
    match encoding(a[1])? {
        Encoding::Utf8 => Ok(cx.heap().binary(text.as_bytes())),
        Encoding::Latin1 => {
            let bytes: Option<Vec<u8>> = text
                .chars()
                .map(|c| u8::try_from(u32::from(c)).ok())
                .collect();
            Ok(cx.heap().binary(&bytes.ok_or_else(badarg)?))
        }
    }
}

/// An atom's text, from a list of code points. One that is too long is a system limit even where
/// something else is wrong behind the limit.
fn text_of_list(t: Term) -> Result<String, AtomFault> {
    let mut text = String::new();
    let mut it = list::iter(t);
    for (n, e) in it.by_ref().enumerate() {
        if n == MAX_ATOM_CHARS {
            return Err(AtomFault::TooLong);
        }
        let code = e
            .as_small()
            .and_then(|n| u32::try_from(n).ok())
            .and_then(char::from_u32);
        text.push(code.ok_or(AtomFault::Malformed)?);
    }
    if it.tail().is_nil() {
        Ok(text)
    } else {
        Err(AtomFault::Malformed)
    }
}

/// Why a term is no text of an atom.
enum AtomFault {
    TooLong,
    Malformed,
}

fn text_of_binary(a: &[Term]) -> Result<String, AtomFault> {
    let encoding = encoding(a[1]).map_err(|_| AtomFault::Malformed)?;
    let bytes = bits::binary_bytes(a[0]).ok_or(AtomFault::Malformed)?;
    match encoding {
        Encoding::Latin1 if bytes.len() > MAX_ATOM_CHARS => Err(AtomFault::TooLong),
        Encoding::Latin1 => Ok(bytes.iter().map(|&b| char::from(b)).collect()),
        Encoding::Utf8 => match std::str::from_utf8(&bytes) {
            Ok(s) if s.chars().count() > MAX_ATOM_CHARS => Err(AtomFault::TooLong),
            Ok(s) => Ok(s.to_owned()),
            Err(e) => {
                let good =
                    std::str::from_utf8(&bytes[..e.valid_up_to()]).map_or(0, |s| s.chars().count());
                Err(if good > MAX_ATOM_CHARS {
                    AtomFault::TooLong
                } else {
                    AtomFault::Malformed
                })
            }
        },
    }
}

fn new_atom(text: Result<String, AtomFault>) -> BifResult {
    let text = text.map_err(|f| match f {
        AtomFault::TooLong => system_limit(),
        AtomFault::Malformed => badarg(),
    })?;
    match Atom::try_new(&text) {
        Ok(a) => Ok(a.into()),
        Err(AtomError::TooLong) => Err(system_limit()),
        Err(AtomError::TableFull) => atom::table_full(),
    }
}

fn known_atom(text: Result<String, AtomFault>) -> BifResult {
    let text = text.map_err(|_| badarg())?;
    Atom::existing(&text).map(Term::from).ok_or_else(badarg)
}

fn list_to_atom(_: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    new_atom(text_of_list(a[0]))
}

fn list_to_existing_atom(_: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    known_atom(text_of_list(a[0]))
}

fn binary_to_atom(_: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    new_atom(text_of_binary(a))
}

fn binary_to_existing_atom(_: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    known_atom(text_of_binary(a))
}

// ---- integers ----

/// The base in the second argument, ten without one.
fn base(a: &[Term]) -> Option<u32> {
    match a.get(1) {
        None => Some(10),
        Some(b) => b
            .as_small()
            .and_then(|n| u32::try_from(n).ok())
            .filter(|n| (2..=36).contains(n)),
    }
}

/// Writes a long integer, then makes a list or a binary of its text.
struct Writing {
    text: ToText,
    as_list: bool,
    /// The text, the end of which is in the list already.
    written: Option<Vec<u8>>,
    list: Term,
}

impl Work for Writing {
    fn step(&mut self, cx: &mut Ctx<'_>, _: &[Term], budget: &mut Budget) -> Step {
        if self.written.is_none() {
            let Poll::Ready(text) = self.text.go_on(budget) else {
                return Ok(Poll::Pending);
            };
            if !self.as_list {
                return Ok(Poll::Ready(cx.heap().binary(&text)));
            }
            self.written = Some(text);
        }
        let text = self.written.get_or_insert_default();
        let from = text.len() - budget.grant(text.len());
        self.list = cx.heap().byte_list_with_tail(&text[from..], self.list);
        text.truncate(from);
        Ok(if from == 0 {
            Poll::Ready(self.list)
        } else {
            Poll::Pending
        })
    }

    fn visit_roots(&mut self, visit: &mut dyn FnMut(&mut [Term])) {
        visit(std::slice::from_mut(&mut self.list));
    }
}

fn written(cx: &mut Ctx<'_>, a: &[Term], as_list: bool) -> BifResult {
    let base = base(a).ok_or_else(badarg)?;
    if !a[0].is_integer() {
        return Err(badarg());
    }
    let heap = cx.heap();
    let short = int_text::with_text(a[0], base, |s| match as_list {
        true => heap.byte_list(s),
        false => heap.binary(s),
    });
    if let Some(t) = short {
        return Ok(t);
    }
    let mut buf = [0];
    let (negative, limbs) = bignum::limbs(a[0], &mut buf);
    let work = Writing {
        text: ToText::new(negative, limbs, base),
        as_list,
        written: None,
        list: Term::NIL,
    };
    work::start(cx, a, work)
}

fn integer_to_list(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    written(cx, a, true)
}

fn integer_to_binary(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    written(cx, a, false)
}

#[cold]
fn no_integer(why: NoInteger) -> Exit {
    match why {
        NoInteger::Malformed => badarg(),
        NoInteger::TooLarge => system_limit(),
    }
}

/// Texts of most numbers fit here.
const SHORT_TEXT: usize = 32;

/// Lends the bytes of a proper list of bytes.
fn with_list_bytes<R>(t: Term, use_bytes: impl FnOnce(&[u8]) -> R) -> Option<R> {
    let mut buf = [0u8; SHORT_TEXT];
    let mut it = list::iter(t);
    for (n, e) in it.by_ref().enumerate() {
        if n == SHORT_TEXT {
            return list::to_bytes(t).map(|v| use_bytes(&v));
        }
        buf[n] = u8::try_from(e.as_small()?).ok()?;
    }
    let len = list::iter(t).count();
    it.tail().is_nil().then(|| use_bytes(&buf[..len]))
}

/// How a BIF answers for what it has read.
#[derive(Clone, Copy)]
enum Answer {
    /// The integer, or an exception.
    Raise,
    /// The integer, or an atom: `big` makes the caller go on in Erlang, which finds out that the number is too large.
    Atom,
    /// The integer and the rest of the list, or an atom.
    WithRest,
    /// The same, or an error tuple.
    WithRestOrError,
}

impl Answer {
    #[inline]
    fn of(self, cx: &mut Ctx<'_>, read: Result<Term, NoInteger>, rest: Term) -> BifResult {
        let no_integer_atom = || Atom::new("no_integer");
        match (self, read) {
            (Answer::Raise | Answer::Atom, Ok(n)) => Ok(n),
            (Answer::WithRest | Answer::WithRestOrError, Ok(n)) => Ok(cx.tuple2(n, rest)),
            (Answer::Raise, Err(why)) => Err(no_integer(why)),
            (Answer::Atom, Err(NoInteger::Malformed)) => Ok(Atom::BADARG.into()),
            (Answer::WithRest, Err(NoInteger::Malformed)) => Ok(no_integer_atom().into()),
            (Answer::WithRestOrError, Err(NoInteger::Malformed)) => Ok(cx.error(no_integer_atom())),
            (Answer::Atom | Answer::WithRest, Err(NoInteger::TooLarge)) => Ok(Atom::BIG.into()),
            (Answer::WithRestOrError, Err(NoInteger::TooLarge)) => Err(system_limit()),
        }
    }
}

/// Reads a long integer.
struct Reading {
    long: int_text::Long,
    answer: Answer,
    rest: Term,
}

impl Work for Reading {
    fn step(&mut self, cx: &mut Ctx<'_>, _: &[Term], budget: &mut Budget) -> Step {
        let read = match self.long.go_on(cx.heap(), budget) {
            Ok(Poll::Pending) => return Ok(Poll::Pending),
            Ok(Poll::Ready(n)) => Ok(n),
            Err(why) => Err(why),
        };
        self.answer.of(cx, read, self.rest).map(Poll::Ready)
    }

    fn visit_roots(&mut self, visit: &mut dyn FnMut(&mut [Term])) {
        visit(std::slice::from_mut(&mut self.rest));
    }
}

#[inline]
fn read(
    cx: &mut Ctx<'_>,
    a: &[Term],
    parsed: Result<ParsedInteger, NoInteger>,
    answer: Answer,
    rest: Term,
) -> BifResult {
    match parsed {
        Ok(ParsedInteger::Integer(n)) => answer.of(cx, Ok(n), rest),
        Err(why) => answer.of(cx, Err(why), rest),
        Ok(ParsedInteger::Long(long)) => {
            let work = Reading { long, answer, rest };
            work::start(cx, a, work)
        }
    }
}

fn list_to_integer(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let base = base(a).ok_or_else(badarg)?;
    if let Some((n, Term::NIL)) = small_leading_integer(a[0], base) {
        return Ok(n);
    }
    let heap = cx.heap();
    let parsed = with_list_bytes(a[0], |s| int_text::parse(s, base, heap)).ok_or_else(badarg)?;
    read(cx, a, parsed, Answer::Raise, Term::NIL)
}

/// The small integer that a binary says in few digits.
#[inline]
fn small_integer(t: Term, base: u32) -> Option<Term> {
    let v = bits::binary_view(t)?;
    int_text::parse_few(v.aligned()?, base)
}

fn binary_to_integer(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let base = base(a).ok_or_else(badarg)?;
    if let Some(n) = small_integer(a[0], base) {
        return Ok(n);
    }
    let text = bits::binary_bytes(a[0]).ok_or_else(badarg)?;
    let parsed = int_text::parse(&text, base, cx.heap());
    read(cx, a, parsed, Answer::Raise, Term::NIL)
}

/// As `binary_to_integer/2`, for `erlang` of OTP 26 and later: an atom instead of an exception.
fn internal_binary_to_integer(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    if let Some(n) = base(a).and_then(|base| small_integer(a[0], base)) {
        return Ok(n);
    }
    let Some((base, text)) = base(a).zip(bits::binary_bytes(a[0])) else {
        return Ok(Atom::BADARG.into());
    };
    let parsed = int_text::parse(&text, base, cx.heap());
    read(cx, a, parsed, Answer::Atom, Term::NIL)
}

/// An integer of few digits at the beginning of a list, and the rest of the list.
#[inline]
fn small_leading_integer(t: Term, base: u32) -> Option<(Term, Term)> {
    let byte = |t: Term| u8::try_from(t.as_small()?).ok();
    let (first, mut rest) = t.as_cons()?;
    let sign = byte(first).filter(|b| matches!(b, b'+' | b'-'));
    if sign.is_none() {
        rest = t;
    }
    let (mut n, mut count) = (0, 0);
    while let Some((head, tail)) = rest.as_cons()
        && let Some(d) = byte(head).and_then(|b| int_text::digit(b, base))
    {
        if count == int_text::small_digits(base) {
            return None;
        }
        n = n * i64::from(base) + i64::from(d);
        count += 1;
        rest = tail;
    }
    let n = if sign == Some(b'-') { -n } else { n };
    (count > 0).then_some((Term::small(n), rest))
}

/// An integer at the beginning of a list, and the rest of the list.
#[inline]
fn leading_integer(
    t: Term,
    base: u32,
    heap: &mut Heap,
) -> (Result<ParsedInteger, NoInteger>, Term) {
    let first = |t: Term| {
        let (head, tail) = t.as_cons()?;
        Some((u8::try_from(head.as_small()?).ok()?, tail))
    };
    if let Some((n, rest)) = small_leading_integer(t, base) {
        return (Ok(ParsedInteger::Integer(n)), rest);
    }
    let mut text = Vec::with_capacity(SHORT_TEXT);
    let mut rest = t;
    if let Some((sign @ (b'+' | b'-'), tail)) = first(rest) {
        text.push(sign);
        rest = tail;
    }
    while let Some((b, tail)) = first(rest)
        && int_text::digit(b, base).is_some()
    {
        text.push(b);
        rest = tail;
    }
    (int_text::parse(&text, base, heap), rest)
}

/// `{Integer, Rest}` or an atom that says why not, for `erlang` and `string` of OTP 26 and later.
fn internal_list_to_integer(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    if !a[0].is_list() {
        return Ok(Atom::new("not_a_list").into());
    }
    if a[0].is_nil() {
        return Ok(Atom::new("no_integer").into());
    }
    let Some(base) = base(a) else {
        return Ok(Atom::BADARG.into());
    };
    let (parsed, rest) = leading_integer(a[0], base, cx.heap());
    read(cx, a, parsed, Answer::WithRest, rest)
}

fn string_list_to_integer(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    if !a[0].is_list() {
        return Ok(cx.error(Atom::new("not_a_list")));
    }
    let (parsed, rest) = leading_integer(a[0], 10, cx.heap());
    read(cx, a, parsed, Answer::WithRestOrError, rest)
}

// ---- floats ----

/// Longest text of a float.
const MAX_FLOAT_TEXT: usize = 255;

fn float_text_of(a: &[Term]) -> Result<String, Exit> {
    let x = a[0].as_float().ok_or_else(badarg)?;
    enum Format {
        Short,
        Fixed(i64),
        Scientific(i64),
    }
    let mut format = Format::Scientific(float_text::DEFAULT_DECIMALS as i64);
    let mut compact = false;
    let mut options = list::iter(a.get(1).copied().unwrap_or(Term::NIL));
    for option in options.by_ref() {
        match option.as_atom().map(Atom::text) {
            Some("compact") => compact = true,
            Some("short") => format = Format::Short,
            _ => {
                let &[name, digits] = option.as_tuple_n().ok_or_else(badarg)?;
                let digits = digits.as_small().ok_or_else(badarg)?;
                format = match name.as_atom().map(Atom::text) {
                    Some("decimals") => Format::Fixed(digits),
                    Some("scientific") => Format::Scientific(digits),
                    _ => return Err(badarg()),
                };
            }
        }
    }
    if !options.tail().is_nil() {
        return Err(badarg());
    }
    let room = |digits: i64| {
        usize::try_from(digits)
            .ok()
            .filter(|&n| n <= MAX_FLOAT_TEXT)
            .ok_or_else(badarg)
    };
    let text = match format {
        Format::Short => float_text::shortest(x),
        Format::Fixed(digits) => float_text::fixed(x, room(digits)?, compact),
        // A negative number of digits stands for C's default.
        Format::Scientific(digits) => {
            float_text::scientific(x, if digits < 0 { 6 } else { room(digits)? })
        }
    };
    // BEAM measures the text before it leaves out zeros at its end.
    let full = match format {
        Format::Fixed(digits) if compact => float_text::fixed(x, room(digits)?, false).len(),
        _ => text.len(),
    };
    if full > MAX_FLOAT_TEXT {
        Err(badarg())
    } else {
        Ok(text)
    }
}

fn float_to_list(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let text = float_text_of(a)?;
    Ok(cx.heap().byte_list(text.as_bytes()))
}

fn float_to_binary(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let text = float_text_of(a)?;
    Ok(cx.heap().binary(text.as_bytes()))
}

fn list_to_float(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let x = with_list_bytes(a[0], float_text::parse)
        .flatten()
        .ok_or_else(badarg)?;
    Ok(cx.heap().float(x))
}

fn binary_to_float(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let text = bits::binary_bytes(a[0]).ok_or_else(badarg)?;
    // A byte 0 ends the text, as it does in the old external format of floats.
    let text = text.split(|&b| b == 0).next().unwrap_or_default();
    let x = float_text::parse(text).ok_or_else(badarg)?;
    Ok(cx.heap().float(x))
}

fn string_list_to_float(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    if !a[0].is_list() {
        return Ok(cx.error(Atom::new("not_a_list")));
    }
    let part_of_float = |e: Term| {
        e.as_small()
            .and_then(|n| u8::try_from(n).ok())
            .filter(|b| b.is_ascii_digit() || matches!(b, b'+' | b'-' | b'.' | b',' | b'e' | b'E'))
    };
    let text: Vec<u8> = list::iter(a[0]).map_while(part_of_float).collect();
    let found = float_text::prefix(&text).and_then(|n| Some((n, float_text::parse(&text[..n])?)));
    let Some((n, x)) = found else {
        return Ok(cx.error(Atom::NO_FLOAT));
    };
    let rest = list::skip(a[0], n);
    let x = cx.heap().float(x);
    Ok(cx.tuple2(x, rest))
}

// ---- identifiers ----

fn shown(cx: &mut Ctx<'_>, t: Term, right_kind: bool) -> BifResult {
    if right_kind {
        Ok(cx.heap().byte_list(&display::text(t, usize::MAX)))
    } else {
        Err(badarg())
    }
}

fn pid_to_list(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    shown(cx, a[0], a[0].is_pid())
}

fn port_to_list(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    shown(cx, a[0], a[0].is_port())
}

fn ref_to_list(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    if let Some(m) = a[0].as_magic() {
        magic::note_written(a[0].ref_number(), m);
    }
    shown(cx, a[0], a[0].is_reference())
}

fn fun_to_list(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    shown(cx, a[0], a[0].is_function())
}

/// The numbers in `before A.B.C>`.
fn dotted(t: Term, before: &str) -> Result<Vec<u64>, Exit> {
    let text = list::to_string(t).ok_or_else(badarg)?;
    let inner = text
        .strip_prefix(before)
        .and_then(|s| s.strip_suffix('>'))
        .ok_or_else(badarg)?;
    let number = |s: &str| -> Option<u64> {
        if s.bytes().all(|b| b.is_ascii_digit()) {
            s.parse().ok()
        } else {
            None
        }
    };
    inner
        .split('.')
        .map(number)
        .collect::<Option<Vec<u64>>>()
        .ok_or_else(badarg)
}

/// The node that the first number of an identifier's text stands for; nothing for this one.
fn node_number(n: u64) -> Result<Option<node::Node>, Exit> {
    if n == 0 {
        return Ok(None);
    }
    u32::try_from(n)
        .ok()
        .and_then(node::by_name_index)
        .map(Some)
        .ok_or_else(badarg)
}

fn list_to_pid(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let parts = dotted(a[0], "<")?;
    let &[at, number, serial] = &parts[..] else {
        return Err(badarg());
    };
    match node_number(at)? {
        None => pid::from_parts(number, serial)
            .map(Term::local_pid)
            .ok_or_else(badarg),
        Some(n) => {
            let number = u32::try_from(number).ok().filter(|&n| n < 1 << 28);
            let (Some(number), Ok(serial)) = (number, u32::try_from(serial)) else {
                return Err(badarg());
            };
            let id = pid::external(number, serial);
            Ok(cx.heap().external_id(Kind::ExtPid, n, id))
        }
    }
}

/// Greatest number of a port of this node.
const MAX_PORT: u64 = (1 << 56) - 1;

fn list_to_port(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let parts = dotted(a[0], "#Port<")?;
    let &[at, number] = &parts[..] else {
        return Err(badarg());
    };
    match node_number(at)? {
        None if number > MAX_PORT => Err(badarg()),
        None => Ok(Term::local_port(number)),
        Some(n) => Ok(cx.heap().external_id(Kind::ExtPort, n, number)),
    }
}

fn list_to_ref(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let parts = dotted(a[0], "#Ref<")?;
    let (&at, ids) = parts.split_first().ok_or_else(badarg)?;
    let ids: Vec<u32> = ids
        .iter()
        .map(|&n| u32::try_from(n).ok())
        .collect::<Option<_>>()
        .ok_or_else(badarg)?;
    if ids.last().is_none_or(|&n| n >= 1 << 18) {
        return Err(badarg());
    }
    match node_number(at)? {
        Some(n) if matches!(ids.len(), 3 | 5) => {
            let reversed: Vec<u32> = ids.iter().rev().copied().collect();
            Ok(cx.heap().external_ref(n, &reversed))
        }
        Some(_) => Err(badarg()),
        None => {
            let (number, owner) = compare::ref_from_ids(&ids).ok_or_else(badarg)?;
            Ok(cx.heap().read_reference(number, owner))
        }
    }
}

// ---- funs ----

fn fun_info(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let [fun, item] = [a[0], a[1]];
    let name = item
        .as_atom()
        .filter(|_| fun.is_function())
        .ok_or_else(badarg)?;
    let value = match fun.kind() {
        Some(Kind::Export) => external_fun_item(fun, name),
        _ => local_fun_item(cx, fun, name),
    };
    let value = value.ok_or_else(badarg)?;
    Ok(cx.tuple2(item, value))
}

fn external_fun_item(fun: Term, item: Atom) -> Option<Term> {
    let e = export::of(fun);
    Some(match item.text() {
        "type" => Atom::EXTERNAL.into(),
        "module" => e.module.into(),
        "name" => e.function.into(),
        "arity" => Term::small(i64::from(e.arity)),
        "env" => Term::NIL,
        "pid" | "index" | "uniq" | "new_index" | "new_uniq" | "refc" => Atom::UNDEFINED.into(),
        _ => return None,
    })
}

fn local_fun_item(cx: &mut Ctx<'_>, fun: Term, item: Atom) -> Option<Term> {
    let e = fun::of(fun);
    Some(match item.text() {
        "type" => Atom::LOCAL.into(),
        "module" => e.module.into(),
        "name" => e.target().map_or(Term::NIL, |f| f.name.into()),
        "arity" => Term::small(i64::from(e.arity)),
        "env" => cx.heap().list(fun.fun_env().unwrap_or(&[])),
        "pid" => fun.fun_creator()?,
        "index" | "new_index" => Term::small(i64::from(e.index)),
        "uniq" => Term::small(i64::from(e.old_uniq.cast_signed())),
        "new_uniq" => cx.heap().binary(&e.uniq),
        // The entry itself counts, and, before OTP 29, one holder that stands for all funs.
        "refc" => Term::small(if enigma_runtime::release::number() < 29 {
            2
        } else {
            1
        }),
        _ => return None,
    })
}

fn fun_info_mfa(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let arity = fun_arity(a[0]).ok_or_else(badarg)?;
    let (module, name) = if a[0].is_kind(Kind::Export) {
        let e = export::of(a[0]);
        (e.module, Term::atom(e.function))
    } else {
        let e = fun::of(a[0]);
        (e.module, e.target().map_or(Term::NIL, |f| f.name.into()))
    };
    Ok(cx
        .heap()
        .tuple(&[module.into(), name, Term::small(i64::from(arity))]))
}

/// Greatest number of arguments of a function.
const MAX_ARITY: i64 = 255;

fn make_fun(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let (module, function) = a[0].as_atom().zip(a[1].as_atom()).ok_or_else(badarg)?;
    let arity = a[2]
        .as_small()
        .filter(|n| (0..=MAX_ARITY).contains(n))
        .ok_or_else(badarg)?;
    Ok(cx
        .heap()
        .export_fun(export::get(module, function, arity as u32)))
}
