//! Guard BIFs and operators.

use crate::bifs;
use enigma_runtime::bif::{badarith, system_limit};
use enigma_runtime::code::{export, fun};
use enigma_runtime::data::arith::{self, Fault};
use enigma_runtime::data::{bignum, compare, map, record};
use enigma_runtime::heap::bits;
use enigma_runtime::term::Kind;
use enigma_runtime::{Atom, BifResult, Ctx, Exit, Term, badarg, node, release};
use std::cmp::Ordering;

bifs! { BIFS:
    "erlang" {
        "+"/1 Guard => plus, pure NUMBER;
        "-"/1 Guard => negate, pure NUMBER;
        "+"/2 Guard => add, pure NUMBER;
        "-"/2 Guard => sub, pure NUMBER;
        "*"/2 Guard => mul, pure NUMBER;
        "/"/2 Guard => divide, pure FLOAT;
        "div"/2 Guard => int_div, pure INTEGER;
        "rem"/2 Guard => int_rem, pure INTEGER;
        "band"/2 Guard => band, pure INTEGER;
        "bor"/2 Guard => bor, pure INTEGER;
        "bxor"/2 Guard => bxor, pure INTEGER;
        "bnot"/1 Guard => bnot, pure INTEGER;
        "bsl"/2 Guard => bsl, pure INTEGER;
        "bsr"/2 Guard => bsr, pure INTEGER;
        "abs"/1 Guard => abs, pure NUMBER;
        "float"/1 Guard => float, pure FLOAT;
        "round"/1 Guard => round, pure INTEGER;
        "trunc"/1 Guard => trunc, pure INTEGER;
        "floor"/1 Guard => floor, pure INTEGER;
        "ceil"/1 Guard => ceil, pure INTEGER;
        "=="/2 Guard => eq, total BOOLEAN;
        "/="/2 Guard => ne, total BOOLEAN;
        "=:="/2 Guard => exact_eq, total BOOLEAN;
        "=/="/2 Guard => exact_ne, total BOOLEAN;
        "<"/2 Guard => lt, total BOOLEAN;
        "=<"/2 Guard => le, total BOOLEAN;
        ">"/2 Guard => gt, total BOOLEAN;
        ">="/2 Guard => ge, total BOOLEAN;
        "min"/2 Guard => min, total ANY;
        "max"/2 Guard => max, total ANY;
        "and"/2 Guard => and, pure BOOLEAN;
        "or"/2 Guard => or, pure BOOLEAN;
        "xor"/2 Guard => xor, pure BOOLEAN;
        "not"/1 Guard => not, pure BOOLEAN;
        "is_atom"/1 Guard => is_atom, total BOOLEAN;
        "is_binary"/1 Guard => is_binary, total BOOLEAN;
        "is_bitstring"/1 Guard => is_bitstring, total BOOLEAN;
        "is_boolean"/1 Guard => is_boolean, total BOOLEAN;
        "is_float"/1 Guard => is_float, total BOOLEAN;
        "is_function"/1 Guard => is_function, total BOOLEAN;
        "is_function"/2 Guard => is_function_of, pure BOOLEAN;
        "is_integer"/1 Guard => is_integer, total BOOLEAN;
        "is_integer"/3 Guard => is_integer_in, pure BOOLEAN;
        "is_list"/1 Guard => is_list, total BOOLEAN;
        "is_map"/1 Guard => is_map, total BOOLEAN;
        "is_map_key"/2 Guard => is_map_key, pure BOOLEAN;
        "is_number"/1 Guard => is_number, total BOOLEAN;
        "is_pid"/1 Guard => is_pid, total BOOLEAN;
        "is_port"/1 Guard => is_port, total BOOLEAN;
        "is_record"/1 Guard => is_native_record, total BOOLEAN;
        "is_record"/2 Guard => is_record, pure BOOLEAN;
        "is_record"/3 Guard => is_record_of_size, pure BOOLEAN;
        "is_reference"/1 Guard => is_reference, total BOOLEAN;
        "is_tuple"/1 Guard => is_tuple, total BOOLEAN;
        "element"/2 Guard => element, pure ANY;
        "hd"/1 Guard => hd, pure ANY;
        "tl"/1 Guard => tl, pure ANY;
        "size"/1 Guard => size, pure SMALL;
        "byte_size"/1 Guard => byte_size, pure SMALL;
        "bit_size"/1 Guard => bit_size, pure SMALL;
        "tuple_size"/1 Guard => tuple_size, pure SMALL;
        "map_size"/1 Guard => map_size, pure SMALL;
        "map_get"/2 Guard => map_get, pure ANY;
        "binary_part"/2 Guard => binary_part_pair, pure BITSTRING;
        "binary_part"/3 Guard => binary_part, pure BITSTRING;
        "self"/0 Guard => self_pid, reads_total PID;
        "node"/0 Guard => this_node, reads_total ATOM;
        "node"/1 Guard => node_of, reads ATOM;
    }
}

// ---- arithmetic ----

/// The error of a failed operation.
#[cold]
pub(crate) fn fault(f: Fault) -> Exit {
    match f {
        Fault::BadArith => badarith(),
        Fault::SystemLimit => system_limit(),
    }
}

/// Makes BIFs of operations of `arith`.
macro_rules! operators {
    ($($name:ident ($($arg:literal),*) => $op:path;)*) => {
        $(fn $name(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
            $op(cx.heap(), $(a[$arg]),*).map_err(fault)
        })*
    };
}

operators! {
    negate(0) => arith::neg;
    add(0, 1) => arith::add;
    sub(0, 1) => arith::sub;
    mul(0, 1) => arith::mul;
    divide(0, 1) => arith::div_float;
    int_div(0, 1) => arith::int_div;
    int_rem(0, 1) => arith::int_rem;
    band(0, 1) => arith::band;
    bor(0, 1) => arith::bor;
    bxor(0, 1) => arith::bxor;
    bnot(0) => arith::bnot;
    bsl(0, 1) => arith::bsl;
    bsr(0, 1) => arith::bsr;
}

fn plus(_: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    if a[0].is_number() {
        Ok(a[0])
    } else {
        Err(badarith())
    }
}

fn abs(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    arith::abs(cx.heap(), a[0]).map_err(|_| badarg())
}

fn float(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    arith::to_float(cx.heap(), a[0]).map_err(|_| badarg())
}

/// The integer that `to_whole` makes of a float; integers stay as they are.
fn whole(cx: &mut Ctx<'_>, t: Term, to_whole: fn(f64) -> f64) -> BifResult {
    match t.as_float() {
        Some(f) => Ok(arith::float_to_int(cx.heap(), to_whole(f))),
        None if t.is_integer() => Ok(t),
        None => Err(badarg()),
    }
}

fn round(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    whole(cx, a[0], f64::round)
}

fn trunc(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    whole(cx, a[0], f64::trunc)
}

fn floor(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    whole(cx, a[0], f64::floor)
}

fn ceil(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    whole(cx, a[0], f64::ceil)
}

// ---- comparison ----

/// Makes BIFs of questions about terms that always have an answer.
macro_rules! questions {
    ($($name:ident ($($arg:ident),*) => $answer:expr;)*) => {
        $(fn $name(_: &mut Ctx<'_>, args: &[Term]) -> BifResult {
            let &[$($arg),*] = args else { return Err(badarg()) };
            Ok(Term::bool($answer))
        })*
    };
}

questions! {
    eq(a, b) => compare::eq(a, b);
    ne(a, b) => !compare::eq(a, b);
    exact_eq(a, b) => compare::exact_eq(a, b);
    exact_ne(a, b) => !compare::exact_eq(a, b);
    lt(a, b) => compare::compare(a, b) == Ordering::Less;
    le(a, b) => compare::compare(a, b) != Ordering::Greater;
    gt(a, b) => compare::compare(a, b) == Ordering::Greater;
    ge(a, b) => compare::compare(a, b) != Ordering::Less;
    is_atom(t) => t.is_atom();
    is_binary(t) => t.is_binary();
    is_bitstring(t) => t.is_bitstring();
    is_boolean(t) => t.as_bool().is_some();
    is_float(t) => t.is_float();
    is_function(t) => t.is_function();
    is_integer(t) => t.is_integer();
    is_list(t) => t.is_list();
    is_map(t) => t.is_map();
    is_number(t) => t.is_number();
    is_pid(t) => t.is_pid();
    is_port(t) => t.is_port();
    is_native_record(t) => t.is_kind(Kind::Record);
    is_reference(t) => t.is_reference();
    is_tuple(t) => t.is_tuple();
}

fn min(_: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    Ok(if compare::compare(a[0], a[1]) == Ordering::Greater {
        a[1]
    } else {
        a[0]
    })
}

fn max(_: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    Ok(if compare::compare(a[0], a[1]) == Ordering::Less {
        a[1]
    } else {
        a[0]
    })
}

// ---- truth values ----

fn truth(a: &[Term], f: impl FnOnce(bool, bool) -> bool) -> BifResult {
    match (a[0].as_bool(), a[1].as_bool()) {
        (Some(x), Some(y)) => Ok(Term::bool(f(x, y))),
        _ => Err(badarg()),
    }
}

fn and(_: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    truth(a, |x, y| x && y)
}

fn or(_: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    truth(a, |x, y| x || y)
}

fn xor(_: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    truth(a, |x, y| x != y)
}

fn not(_: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    a[0].as_bool().map(|b| Term::bool(!b)).ok_or_else(badarg)
}

// ---- types with a condition ----

fn is_function_of(_: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let arity = match a[1].as_small() {
        Some(n) => u32::try_from(n)
            .ok()
            .or(if n < 0 { None } else { Some(u32::MAX) }),
        None if a[1].is_kind(Kind::BigPos) => Some(u32::MAX),
        None => None,
    };
    let arity = arity.ok_or_else(badarg)?;
    Ok(Term::bool(fun_arity(a[0]) == Some(arity)))
}

/// The number of arguments of a fun, if `t` is one.
pub(crate) fn fun_arity(t: Term) -> Option<u32> {
    match t.kind()? {
        Kind::Fun => Some(fun::of(t).arity),
        Kind::Export => Some(export::of(t).arity),
        _ => None,
    }
}

fn is_integer_in(_: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let [t, low, high] = [a[0], a[1], a[2]];
    if !low.is_integer() || !high.is_integer() {
        return Err(badarg());
    }
    Ok(Term::bool(
        t.is_integer()
            && bignum::compare(low, t) != Ordering::Greater
            && bignum::compare(t, high) != Ordering::Greater,
    ))
}

fn is_record(_: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    if !a[1].is_atom() {
        return Err(badarg());
    }
    let native = a[0].is_kind(Kind::Record) && record::name(a[0]) == a[1];
    Ok(Term::bool(
        native || a[0].as_tuple().is_some_and(|e| e.first() == Some(&a[1])),
    ))
}

fn is_record_of_size(_: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let [t, tag, size] = [a[0], a[1], a[2]];
    // Since OTP 29 the third argument may also name a native record, its second the module.
    let named = release::number() >= 29 && size.is_atom();
    if !tag.is_atom() || !(size.is_small() || named) {
        return Err(badarg());
    }
    if named {
        return Ok(Term::bool(record::is_named(t, tag, size)));
    }
    Ok(Term::bool(t.as_tuple().is_some_and(|e| {
        e.first() == Some(&tag) && size.as_usize() == Some(e.len())
    })))
}

fn is_map_key(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    Ok(Term::bool(map::get(need_map(cx, a[1])?, a[0]).is_some()))
}

// ---- parts of terms ----

/// `error:{Tag, Value}`.
#[cold]
pub(crate) fn tagged_error(cx: &mut Ctx<'_>, tag: Atom, value: Term) -> Exit {
    Exit::error(cx.tuple2(tag, value))
}

/// The map, or else the error that says that there is none.
pub(crate) fn need_map(cx: &mut Ctx<'_>, t: Term) -> Result<Term, Exit> {
    if t.is_map() {
        Ok(t)
    } else {
        Err(tagged_error(cx, Atom::BADMAP, t))
    }
}

fn element(_: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let index = a[0].as_usize().ok_or_else(badarg)?;
    let elements = a[1].as_tuple().ok_or_else(badarg)?;
    elements
        .get(index.wrapping_sub(1))
        .copied()
        .ok_or_else(badarg)
}

fn hd(_: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    a[0].as_cons().map(|c| c.0).ok_or_else(badarg)
}

fn tl(_: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    a[0].as_cons().map(|c| c.1).ok_or_else(badarg)
}

fn size(_: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let n = match a[0].as_tuple() {
        Some(e) => e.len(),
        None if a[0].is_bitstring() => bits::bit_size(a[0]) / 8,
        None => return Err(badarg()),
    };
    Ok(Term::small(n as i64))
}

fn bit_size(_: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    if !a[0].is_bitstring() {
        return Err(badarg());
    }
    Ok(Term::small(bits::bit_size(a[0]) as i64))
}

fn byte_size(_: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    if !a[0].is_bitstring() {
        return Err(badarg());
    }
    Ok(Term::small(bits::bit_size(a[0]).div_ceil(8) as i64))
}

fn tuple_size(_: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    a[0].as_tuple()
        .map(|e| Term::small(e.len() as i64))
        .ok_or_else(badarg)
}

fn map_size(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    Ok(Term::small(map::size(need_map(cx, a[0])?) as i64))
}

fn map_get(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    match map::get(need_map(cx, a[1])?, a[0]) {
        Some(v) => Ok(v),
        None => Err(tagged_error(cx, Atom::BADKEY, a[0])),
    }
}

fn binary_part_pair(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let &[at, len] = a[1].as_tuple_n().ok_or_else(badarg)?;
    binary_part(cx, &[a[0], at, len])
}

fn binary_part(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let (at, len) = a[1].as_small().zip(a[2].as_small()).ok_or_else(badarg)?;
    if !a[0].is_bitstring() {
        return Err(badarg());
    }
    let view = bits::view(a[0]);
    if view.bits & 7 != 0 && release::number() >= 27 {
        return Err(badarg());
    }
    let (from, len) = if len < 0 {
        (at.checked_add(len), -len)
    } else {
        (Some(at), len)
    };
    let from = from
        .and_then(|n| usize::try_from(n).ok())
        .ok_or_else(badarg)?;
    let len = len as usize;
    if from.checked_add(len).is_none_or(|end| end > view.bits / 8) {
        return Err(badarg());
    }
    Ok(bits::share(&view.part(from * 8, len * 8), cx.heap()))
}

// ---- identity ----

fn self_pid(cx: &mut Ctx<'_>, _: &[Term]) -> BifResult {
    Ok(cx.self_pid())
}

fn this_node(_: &mut Ctx<'_>, _: &[Term]) -> BifResult {
    Ok(node::this().0.into())
}

fn node_of(_: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let t = a[0];
    match t.kind() {
        Some(Kind::ExtPid | Kind::ExtPort | Kind::ExtRef) => Ok(compare::node_of(t).name.into()),
        Some(Kind::Ref | Kind::MagicRef) => Ok(node::this().0.into()),
        None if t.is_local_pid() || t.is_local_port() => Ok(node::this().0.into()),
        _ => Err(badarg()),
    }
}
