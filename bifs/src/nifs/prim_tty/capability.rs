//! What the terminal's type can do: terminfo, asked by termcap's codes (before 28) or by terminfo's names.

use crate::bifs;
use crate::erlang::iolist;
use crate::terminal::capabilities::{BOOLEANS, Capability, NUMBERS, STRINGS};
use crate::terminal::expand::{self, Kept};
use crate::terminal::terminfo::Description;
use crate::terminal::window_size;
use enigma_runtime::atom::Atom;
use enigma_runtime::data::{bignum, map};
use enigma_runtime::term::list;
use enigma_runtime::{BifResult, Ctx, Exit, Term, badarg};
use parking_lot::Mutex;

bifs! { BIFS:
    "prim_tty" {
        "tgetent_nif"/1 Nif => tgetent;
        "tgetnum_nif"/1 Nif => tgetnum;
        "tgetflag_nif"/1 Nif => tgetflag;
        "tgetstr_nif"/1 Nif => tgetstr;
        "tgoto_nif"/1 Nif => tgoto;
        "tgoto_nif"/2 Nif => tgoto;
        "tgoto_nif"/3 Nif => tgoto;
        "setupterm_nif"/0 Nif => setupterm;
        "tigetnum_nif"/1 Nif => tgetnum;
        "tigetflag_nif"/1 Nif => tgetflag;
        "tigetstr_nif"/1 Nif => tigetstr;
        "tinfo_nif"/0 Nif => tinfo;
        "tputs_nif"/2 Nif => tputs;
    }
}

const STDOUT: i32 = 1;

/// The terminal that is asked about.
static TERMINAL: Mutex<Option<Description>> = Mutex::new(None);
static KEPT: Mutex<Option<Kept>> = Mutex::new(None);

/// A string up to its zero: callers put one at its end.
fn text(t: Term) -> Result<Vec<u8>, Exit> {
    let mut bytes = iolist::collect(t).map_err(|_| badarg())?;
    if let Some(end) = bytes.iter().position(|&b| b == 0) {
        bytes.truncate(end);
    }
    Ok(bytes)
}

/// `{error, {Function, unknown}}`: the C library's functions say no more than that they failed.
fn unknown(cx: &mut Ctx<'_>, function: &str) -> BifResult {
    let reason = cx.tuple2(Atom::new(function), Atom::new("unknown"));
    Ok(cx.error(reason))
}

fn with_terminal<T>(f: impl FnOnce(&Description) -> T) -> Option<T> {
    TERMINAL.lock().as_ref().map(f)
}

fn tgetent(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let name = text(a[0])?;
    let found = Description::find(&name).filter(|d| !d.is_generic() || d.has_cursor());
    let Some(description) = found else {
        return unknown(cx, "tgetent");
    };
    *TERMINAL.lock() = Some(description.with_size(window_size(STDOUT)));
    Ok(Atom::OK.into())
}

/// The terminal that the environment of the operating system names.
fn setupterm(cx: &mut Ctx<'_>, _: &[Term]) -> BifResult {
    let name = std::env::var_os("TERM").unwrap_or_default();
    let found =
        Description::find(name.as_encoded_bytes()).filter(|d| !d.is_generic() && !d.is_hard_copy());
    let Some(description) = found else {
        return unknown(cx, "setupterm");
    };
    *TERMINAL.lock() = Some(description.with_size(None));
    Ok(Atom::OK.into())
}

/// A number, -1 if there is none.
fn tgetnum(_: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let code = text(a[0])?;
    let number = with_terminal(|d| d.number(&code)).flatten();
    Ok(Term::small(i64::from(number.unwrap_or(-1))))
}

fn tgetflag(_: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let code = text(a[0])?;
    Ok(with_terminal(|d| d.flag(&code)).unwrap_or(false).into())
}

fn tgetstr(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let code = text(a[0])?;
    let string = with_terminal(|d| d.string_by_code(&code).map(<[u8]>::to_vec));
    Ok(string_or_false(cx, string.flatten()))
}

/// A string by its name in terminfo; a name that does not exist is an error.
fn tigetstr(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let name = text(a[0])?;
    let string = with_terminal(|d| d.string(&name).map(|s| s.map(<[u8]>::to_vec)));
    let string = string.flatten().ok_or_else(badarg)?;
    Ok(string_or_false(cx, string))
}

fn string_or_false(cx: &mut Ctx<'_>, string: Option<Vec<u8>>) -> Term {
    match string {
        Some(s) => {
            let b = cx.heap().binary(&s);
            cx.ok(b)
        }
        None => false.into(),
    }
}

fn sent(cx: &mut Ctx<'_>, string: &[u8]) -> BifResult {
    let b = cx.heap().binary(&expand::without_delays(string));
    Ok(cx.ok(b))
}

/// `tgoto(String, Column, Line)`.
fn tgoto(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let string = text(a[0])?;
    let mut place = [0; 2];
    for (n, &t) in place.iter_mut().zip(&a[1..]) {
        let value = t.as_small().ok_or_else(badarg)?;
        *n = i32::try_from(value).map_err(|_| badarg())?;
    }
    let expanded = {
        let mut kept = KEPT.lock();
        expand::goto(&string, place[0], place[1], kept.get_or_insert_default())
    };
    match expanded {
        Some(string) => sent(cx, &string),
        None => unknown(cx, "tgoto"),
    }
}

/// `tputs(String, Parameters)`.
fn tputs(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let string = text(a[0])?;
    let mut parameters = [0; 9];
    let given = list::to_vec(a[1]).ok_or_else(badarg)?;
    if given.len() > parameters.len() {
        return Err(badarg());
    }
    for (p, &t) in parameters.iter_mut().zip(&given) {
        // Capabilities count in 32 bits.
        *p = bignum::to_i64(t).ok_or_else(badarg)? as i32;
    }
    if given.is_empty() {
        return sent(cx, &string);
    }
    let expanded = {
        let mut kept = KEPT.lock();
        expand::expand(&string, &parameters, kept.get_or_insert_default())
    };
    match expanded {
        Some(string) => sent(cx, &string),
        None => unknown(cx, "tparm"),
    }
}

/// All capabilities that terminfo knows, with their names.
fn tinfo(cx: &mut Ctx<'_>, _: &[Term]) -> BifResult {
    let (bool, num, str) = (names(cx, BOOLEANS), names(cx, NUMBERS), names(cx, STRINGS));
    let key = |name: &str| Term::from(Atom::new(name));
    let pairs = [(key("bool"), bool), (key("num"), num), (key("str"), str)];
    Ok(map::from_pairs(cx.heap(), &pairs))
}

fn names(cx: &mut Ctx<'_>, table: &[Capability]) -> Term {
    let key = |name: &str| Term::from(Atom::new(name));
    let mut l = Term::NIL;
    for c in table {
        let h = cx.heap();
        let (name, code) = (h.char_list(c.name), h.char_list(c.code));
        let full = h.char_list(c.full_name);
        let pairs = [
            (key("name"), name),
            (key("code"), code),
            (key("full_name"), full),
        ];
        let m = map::from_pairs(h, &pairs);
        l = h.cons(m, l);
    }
    l
}
