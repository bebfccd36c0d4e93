//! The module `re`: regular expressions, by the PCRE2 library.
//!
//! Up to OTP 27 a compiled pattern carries a binary, which may be stored anywhere. Ours holds options and
//! pattern; the compiled code is found among those used last, or made again. BEAM's, which modules hold as literals,
//! are understood too (`stored`). From OTP 28 on it carries a reference to the compiled code.

pub(crate) mod code;
mod dialect;
mod errors;
pub(crate) mod options;
mod place;
mod probe;
mod recursion;
mod stored;

use crate::bifs;
use crate::erlang::iolist;
use code::{Code, Settings, cached};
use enigma_runtime::atom::Atom;
use enigma_runtime::bif::{Bif, Ctx};
use enigma_runtime::code::export;
use enigma_runtime::dirty::{self, Pool};
use enigma_runtime::heap::bits::{self, View};
use enigma_runtime::term::list;
use enigma_runtime::{BifResult, Exit, Heap, Term, badarg, reference};
use errors::{Wrong, first_generation};
use options::PatternOptions;
use pcre2_sys as sys;
use probe::{Attempt, is_inside_character};
pub use probe::{LOOP_LIMIT, shown_limit};
use std::borrow::Cow;
use std::sync::Arc;

bifs! { BIFS:
    "re" {
        "version"/0 Call => version;
        "compile"/1 Call => compile;
        "compile"/2 Call => compile;
        "run"/2 Call => run;
        "run"/3 Call => run;
        "internal_run"/4 Call => internal_run;
        "inspect"/2 Call => inspect;
        "import"/1 Call => import;
    }
}

/// Begins the binary of a compiled pattern.
const MAGIC: &[u8] = b"Enigma re 1\0";
/// Begins an exported pattern.
const EXPORTED: &[u8] = b"re-PCRE2";

fn bad_option() -> Exit {
    Exit::error_cause(Atom::BADARG, Atom::BADOPT)
}

fn options_of(t: Option<&Term>) -> Result<PatternOptions, Exit> {
    options::parse(t.copied().unwrap_or(Term::NIL)).ok_or_else(bad_option)
}

/// Leaves for a function of the module `re` that prepares the arguments and comes back.
fn leave(cx: &mut Ctx<'_>, function: &str, args: &[Term]) -> BifResult {
    let e = export::get(Atom::new("re"), Atom::new(function), args.len() as u32);
    cx.trap(e, args)
}

fn version(cx: &mut Ctx<'_>, _: &[Term]) -> BifResult {
    Ok(cx.heap().binary(code::version().as_bytes()))
}

/// `{Text, Offset}`.
fn explained(heap: &mut Heap, w: &Wrong) -> Term {
    let text = heap.char_list(&errors::text(w.number));
    heap.tuple(&[text, Term::small(w.offset as i64)])
}

fn is_bits(t: Term) -> bool {
    t.is_bitstring()
}

fn compile(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let o = options_of(a.get(1))?;
    if o.run_only {
        return Err(bad_option());
    }
    if o.unicode && !is_bits(a[0]) {
        return leave(cx, "ucompile", &[a[0], a[1]]);
    }
    let pattern = iolist::collect(a[0])?;
    cx.bump(20 + pattern.len() / 8);
    match cached(&pattern, o.compile) {
        Err(w) => {
            let why = explained(cx.heap(), &w);
            Ok(cx.error(why))
        }
        Ok(_) if o.export => {
            let heap = cx.heap();
            let mut head = EXPORTED.to_vec();
            head.extend([0; 6]);
            let parts = [
                Atom::new("re_exported_pattern").into(),
                heap.binary(&head),
                heap.binary(&pattern),
                a[1],
                heap.binary(b""),
            ];
            let t = heap.tuple(&parts);
            Ok(cx.ok(t))
        }
        Ok(c) => {
            let t = pattern_term(cx.heap(), &c);
            Ok(cx.ok(t))
        }
    }
}

/// `{re_pattern, Groups, Unicode, Crlf, Code}`.
fn pattern_term(heap: &mut Heap, c: &Arc<Code>) -> Term {
    let code = if first_generation() {
        let s = c.settings;
        let mut b = MAGIC.to_vec();
        for n in [s.options, s.newline, s.bsr] {
            b.extend(n.to_be_bytes());
        }
        b.extend(&*c.pattern);
        heap.binary(&b)
    } else {
        heap.magic_ref(reference::fresh(), c.clone())
    };
    let flag = |b: bool| Term::small(i64::from(b));
    let unicode = flag(c.settings.options & sys::PCRE2_UTF != 0);
    heap.tuple(&[
        Atom::new("re_pattern").into(),
        Term::small(c.groups as i64),
        unicode,
        flag(c.crlf),
        code,
    ])
}

/// The code in a compiled pattern.
fn code_of(t: Term) -> Option<Arc<Code>> {
    if let Some(m) = t.as_magic() {
        return m.clone().downcast::<Code>().ok();
    }
    let bytes = bits::binary_bytes(t)?;
    let Some(ours) = bytes.strip_prefix(MAGIC) else {
        return first_generation()
            .then(|| stored::pattern(&bytes))
            .flatten();
    };
    let (numbers, pattern) = ours.split_at_checked(12)?;
    let number =
        |i: usize| u32::from_be_bytes([numbers[i], numbers[i + 1], numbers[i + 2], numbers[i + 3]]);
    let settings = Settings {
        options: number(0),
        newline: number(4),
        bsr: number(8),
    };
    // The binary may have come from anywhere: it can ask for nothing that a call of `re:compile/2` cannot.
    options::can_be(settings)
        .then(|| cached(pattern, settings).ok())
        .flatten()
}

struct Precompiled {
    unicode: bool,
    code: Arc<Code>,
}

/// The parts of `{re_pattern, ...}`.
fn precompiled(t: Term) -> Option<Precompiled> {
    let &[tag, groups, unicode, crlf, code] = t.as_tuple_n::<5>()?;
    if tag.as_atom()?.text() != "re_pattern" || !groups.is_small() || !crlf.is_small() {
        return None;
    }
    Some(Precompiled {
        unicode: unicode.as_small()? != 0,
        code: code_of(code)?,
    })
}

fn run(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    in_time(cx, "run", a, |cx, a| execute(cx, a, true))
}

fn internal_run(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    in_time(cx, "internal_run", a, |cx, a| {
        let first = crate::args::boolean(a[3])?;
        execute(cx, &a[..3], first)
    })
}

/// A call that is made here, or in a pool if it takes long.
fn in_time(
    cx: &mut Ctx<'_>,
    function: &str,
    a: &[Term],
    call: fn(&mut Ctx<'_>, &[Term]) -> Result<Option<Term>, Exit>,
) -> BifResult {
    if !dirty::is_under_way(cx.own)
        && let Some(value) = call(cx, a)?
    {
        return Ok(value);
    }
    let same = |b: &&Bif| b.function == function && usize::from(b.arity) == a.len();
    let bif = BIFS.iter().find(same).ok_or_else(badarg)?;
    dirty::call(cx, Pool::Cpu, bif, a).unwrap_or(Err(Exit::Wait))
}

/// Runs a pattern; nothing if that takes long and can be done elsewhere. `first` is false for the later steps of a
/// global search, whose subject has been checked.
fn execute(cx: &mut Ctx<'_>, a: &[Term], first: bool) -> Result<Option<Term>, Exit> {
    let given = a.get(2).copied().unwrap_or(Term::NIL);
    let o = options_of(Some(&given))?;
    let as_list = o.capture.and_then(|c| c.1).and_then(|t| t.as_atom()) == Some(Atom::LIST);
    let is_pattern = a[1].as_tuple().is_some_and(|t| t.len() == 5);
    let code = if is_pattern {
        if o.compile_only || o.line_ends && !first_generation() {
            return Err(badarg());
        }
        let p = precompiled(a[1]).ok_or_else(badarg)?;
        if p.unicode && (!is_bits(a[0]) || as_list && !o.global) {
            return leave(cx, "urun", &[a[0], a[1], given]).map(Some);
        }
        if o.global {
            let more = cx.tuple2(given, false);
            return leave(cx, "grun", &[a[0], a[1], more]).map(Some);
        }
        // The line ends asked for now count, not those that the pattern was compiled with.
        if o.line_ends {
            let mut s = p.code.settings;
            if o.compile.newline != 0 {
                s.newline = o.compile.newline;
            }
            if o.compile.bsr != 0 {
                s.bsr = o.compile.bsr;
            }
            cached(&p.code.pattern, s).map_err(|_| badarg())?
        } else {
            p.code
        }
    } else {
        if !is_bits(a[1]) && !a[1].is_list() {
            return Err(badarg());
        }
        if o.unicode && (!is_bits(a[1]) || !is_bits(a[0]) || as_list && !o.global) {
            return leave(cx, "urun", &[a[0], a[1], given]).map(Some);
        }
        let pattern = iolist::collect(a[1])?;
        let code = match cached(&pattern, o.compile) {
            Ok(c) => c,
            Err(w) if o.report_errors => {
                let why = explained(cx.heap(), &w);
                let why = cx.tuple2(Atom::COMPILE, why);
                return Ok(Some(cx.error(why)));
            }
            Err(_) => return Err(badarg()),
        };
        if o.global {
            let p = pattern_term(cx.heap(), &code);
            let more = cx.heap().tuple(&[given, o.compile_only.into(), a[1]]);
            return leave(cx, "grun", &[a[0], p, more]).map(Some);
        }
        code
    };
    let wanted = match o.capture {
        None => Wanted {
            values: Values::All,
            form: Form::Index,
        },
        Some((values, form)) => wanted(&code, values, form).ok_or_else(badarg)?,
    };
    let view = a[0].is_binary().then(|| bits::view(a[0]));
    let bytes: Cow<'_, [u8]> = match view {
        Some(v) => v.to_bytes(),
        None => iolist::collect(a[0])?.into(),
    };
    let text = code.utf && view.is_some();
    let attempt = Attempt {
        code: &code,
        subject: &bytes,
        offset: o.offset,
        options: o.run,
        limits: o.limits,
        is_text: text && at_character(&bytes, o.offset) && is_known_text(cx, a[0], &bytes, first),
    };
    let mut found = Vec::new();
    // What the library has to look through all of, it does not look at in parts.
    let has_parts = o.offset <= bytes.len() && (!code.utf || attempt.is_text);
    let outcome = if cx.whole || !has_parts && bytes.len() <= LOOKED_THROUGH {
        attempt.whole(&mut found)
    } else if has_parts && let Some(outcome) = attempt.short(&mut found) {
        outcome
    } else {
        return Ok(None);
    };
    cx.bump(10 + bytes.len().saturating_sub(o.offset) / 64);
    match outcome {
        Ok(()) => Ok(result(cx.heap(), &wanted, &found, &bytes, view.as_ref())),
        Err(e) => failure(cx, e, o.report_errors),
    }
    .map(Some)
}

/// A subject of so many bytes is looked through at once.
const LOOKED_THROUGH: usize = 1 << 20;

/// Does a character of UTF-8 begin here, or does the text end?
fn at_character(bytes: &[u8], offset: usize) -> bool {
    offset == bytes.len() || bytes.get(offset).is_some_and(|&b| !is_inside_character(b))
}

/// Is the subject UTF-8? All of it is looked at only if it is not the one that was looked at last: a global search is
/// as many calls as there are matches. A long one is not looked at here the first time.
fn is_known_text(cx: &mut Ctx<'_>, subject: Term, bytes: &[u8], first: bool) -> bool {
    // As long as nothing was collected, this word means this object.
    let key = (subject.raw(), cx.own.collections);
    if cx.own.rare().checked_text == Some(key) {
        return true;
    }
    if first && !cx.whole && bytes.len() > LOOKED_THROUGH {
        return false;
    }
    let is_text = std::str::from_utf8(bytes).is_ok();
    cx.own.rare().checked_text = is_text.then_some(key);
    is_text
}

fn failure(cx: &mut Ctx<'_>, e: i32, report: bool) -> BifResult {
    let nomatch = Term::from(Atom::new("nomatch"));
    match e {
        sys::PCRE2_ERROR_MATCHLIMIT if report => Ok(cx.error(Atom::new("match_limit"))),
        sys::PCRE2_ERROR_DEPTHLIMIT | sys::PCRE2_ERROR_HEAPLIMIT if report => {
            Ok(cx.error(Atom::new("match_limit_recursion")))
        }
        sys::PCRE2_ERROR_NOMATCH
        | sys::PCRE2_ERROR_MATCHLIMIT
        | sys::PCRE2_ERROR_DEPTHLIMIT
        | sys::PCRE2_ERROR_HEAPLIMIT
        | sys::PCRE2_ERROR_NOMEMORY
        | sys::PCRE2_ERROR_RECURSELOOP => Ok(nomatch),
        sys::PCRE2_ERROR_BADOFFSET if first_generation() => {
            Err(Exit::error(Atom::new("internal_error")))
        }
        _ => Err(badarg()),
    }
}

/// Which groups are wanted.
enum Values {
    All,
    AllButFirst,
    Nothing,
    /// One of these groups each: the first that took part.
    Groups(Vec<Vec<i64>>),
}

#[derive(Clone, Copy)]
enum Form {
    Index,
    List,
    Binary,
}

struct Wanted {
    values: Values,
    form: Form,
}

fn wanted(code: &Code, values: Term, form: Option<Term>) -> Option<Wanted> {
    let form = match form {
        None => Form::Index,
        Some(t) => match t.as_atom()? {
            Atom::LIST => Form::List,
            Atom::BINARY => Form::Binary,
            a if a.text() == "index" => Form::Index,
            _ => return None,
        },
    };
    let values = match values.as_atom().map(Atom::text) {
        Some("all") => Values::All,
        Some("none") => Values::Nothing,
        Some("all_but_first") => Values::AllButFirst,
        Some("first") => Values::Groups(vec![vec![0]]),
        Some("all_names") => {
            if code.names.is_empty() {
                Values::Nothing
            } else {
                let mut groups: Vec<Vec<i64>> = Vec::new();
                let mut last: Option<&[u8]> = None;
                for (n, name) in &code.names {
                    match groups.last_mut() {
                        Some(g) if code.duplicate_names && last == Some(&**name) => {
                            g.push(i64::from(*n))
                        }
                        _ => groups.push(vec![i64::from(*n)]),
                    }
                    last = Some(name);
                }
                Values::Groups(groups)
            }
        }
        Some(_) => return None,
        None if values.is_nil() => Values::Nothing,
        None => {
            let all = list::to_vec(values)?;
            Values::Groups(
                all.into_iter()
                    .map(|t| group(code, t))
                    .collect::<Option<_>>()?,
            )
        }
    };
    Some(Wanted { values, form })
}

/// The groups that a number or name stands for.
fn group(code: &Code, t: Term) -> Option<Vec<i64>> {
    if let Some(n) = t.as_small() {
        return (n >= 0).then(|| vec![n]);
    }
    let name = match t.as_atom() {
        Some(a) => a.text().as_bytes().to_vec(),
        None if t.is_bitstring() || t.is_list() => iolist::collect(t).ok()?,
        None => return None,
    };
    let all = code
        .names
        .iter()
        .filter(|n| *n.1 == name[..])
        .map(|n| i64::from(n.0));
    Some(if code.duplicate_names {
        all.collect()
    } else {
        all.take(1).collect()
    })
}

type Span = Option<(usize, usize)>;

fn result(heap: &mut Heap, w: &Wanted, found: &[Span], bytes: &[u8], view: Option<&View>) -> Term {
    let spans: Vec<Span> = match &w.values {
        Values::Nothing => return Atom::new("match").into(),
        Values::All => found.to_vec(),
        Values::AllButFirst => found.get(1..).unwrap_or(&[]).to_vec(),
        Values::Groups(groups) => {
            let span = |n: &i64| {
                usize::try_from(*n)
                    .ok()
                    .and_then(|n| found.get(n).copied().flatten())
            };
            groups.iter().map(|g| g.iter().find_map(span)).collect()
        }
    };
    let terms: Vec<Term> = spans
        .into_iter()
        .map(|s| part(heap, w.form, s, bytes, view))
        .collect();
    let list = heap.list(&terms);
    heap.tuple(&[Atom::new("match").into(), list])
}

fn part(heap: &mut Heap, form: Form, span: Span, bytes: &[u8], view: Option<&View>) -> Term {
    match form {
        Form::Index => {
            let (at, n) = span.map_or((-1, 0), |(s, e)| (s as i64, e as i64 - s as i64));
            heap.tuple(&[Term::small(at), Term::small(n)])
        }
        Form::List => span.map_or(Term::NIL, |(s, e)| {
            heap.byte_list(bytes.get(s..e).unwrap_or(&[]))
        }),
        Form::Binary => match (span, view) {
            (Some((s, e)), Some(v)) if s <= e => bits::share(&v.part(8 * s, 8 * (e - s)), heap),
            (Some((s, e)), _) => heap.binary(bytes.get(s..e).unwrap_or(&[])),
            (None, _) => heap.binary(b""),
        },
    }
}

fn inspect(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let p = precompiled(a[0]).ok_or_else(badarg)?;
    if a[1].as_atom().map(Atom::text) != Some("namelist") {
        return Err(badarg());
    }
    let mut names: Vec<&[u8]> = p.code.names.iter().map(|n| &*n.1).collect();
    names.dedup();
    let heap = cx.heap();
    let terms: Vec<Term> = names.iter().map(|n| heap.binary(n)).collect();
    let list = heap.list(&terms);
    Ok(heap.tuple(&[a[1], list]))
}

fn import(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let &[tag, head, pattern, given, _] = a[0].as_tuple_n::<5>().ok_or_else(badarg)?;
    if tag.as_atom().map(Atom::text) != Some("re_exported_pattern") {
        return Err(badarg());
    }
    let head = bits::binary_bytes(head).ok_or_else(badarg)?;
    let pattern = bits::binary_bytes(pattern).ok_or_else(badarg)?;
    let o = options::parse(given)
        .filter(|o| !o.run_only && head.starts_with(EXPORTED))
        .ok_or_else(badarg)?;
    let c = cached(&pattern, o.compile).map_err(|_| badarg())?;
    Ok(pattern_term(cx.heap(), &c))
}
