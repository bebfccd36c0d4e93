//! `term_to_binary`, `binary_to_term` and their kin.

use crate::bifs;
use enigma_runtime::atom::Atom;
use enigma_runtime::etf::decode::{self, DecodeError};
use enigma_runtime::etf::encode::{self, Options};
use enigma_runtime::heap::bits;
use enigma_runtime::term::list;
use enigma_runtime::{BifResult, Ctx, Exit, Term, badarg};
use std::io::Write;

bifs! { BIFS:
    "erlang" {
        "term_to_binary"/1 Call => term_to_binary1;
        "term_to_binary"/2 Call => term_to_binary2;
        "term_to_iovec"/1 Call => term_to_iovec1;
        "term_to_iovec"/2 Call => term_to_iovec2;
        "binary_to_term"/1 Call => binary_to_term1;
        "binary_to_term"/2 Call => binary_to_term2;
        "external_size"/1 Call => external_size1;
        "external_size"/2 Call => external_size2;
    }
}

struct Wanted {
    encode: Options,
    level: Option<u32>,
}

fn options(l: Term) -> Result<Wanted, Exit> {
    let mut w = Wanted {
        encode: Options::default(),
        level: None,
    };
    for o in list::to_vec(l).ok_or_else(badarg)? {
        match (o.as_atom(), o.as_tuple_n::<2>()) {
            (Some(Atom::COMPRESSED), _) => w.level = Some(6),
            (Some(a), _) if a.text() == "deterministic" => w.encode.deterministic = true,
            (Some(Atom::LOCAL), _) => {}
            (_, Some(&[k, v])) => match (k.as_atom(), v.as_usize()) {
                (Some(Atom::COMPRESSED), Some(n)) if n <= 9 => w.level = Some(n as u32),
                (Some(k), Some(n)) if n <= 2 && k.text() == "minor_version" => {
                    w.encode.minor = n as u8
                }
                _ => return Err(badarg()),
            },
            _ => return Err(badarg()),
        }
    }
    Ok(w)
}

/// The encoded term, compressed if that was asked for and makes it shorter.
fn encoded(cx: &mut Ctx<'_>, t: Term, w: &Wanted) -> Vec<u8> {
    let plain = encode::encode(t, w.encode);
    cx.bump(plain.len() / 64);
    let Some(level) = w.level.filter(|&l| l > 0) else {
        return plain;
    };
    let body = &plain[1..];
    let mut z = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::new(level));
    match z.write_all(body).and_then(|()| z.finish()) {
        Ok(packed) if packed.len() + 5 <= body.len() => {
            let mut out = vec![131, 80];
            out.extend_from_slice(&(body.len() as u32).to_be_bytes());
            out.extend_from_slice(&packed);
            out
        }
        _ => plain,
    }
}

fn to_binary(cx: &mut Ctx<'_>, t: Term, w: &Wanted) -> BifResult {
    let bytes = encoded(cx, t, w);
    Ok(cx.heap().binary(&bytes))
}

fn term_to_binary1(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let w = options(Term::NIL)?;
    to_binary(cx, a[0], &w)
}

fn term_to_binary2(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let w = options(a[1])?;
    to_binary(cx, a[0], &w)
}

fn term_to_iovec1(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let b = term_to_binary1(cx, a)?;
    Ok(cx.heap().list(&[b]))
}

fn term_to_iovec2(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let b = term_to_binary2(cx, a)?;
    Ok(cx.heap().list(&[b]))
}

fn decoded(cx: &mut Ctx<'_>, t: Term, o: decode::Options) -> Result<(Term, usize), Exit> {
    let bytes = bits::binary_bytes(t).ok_or_else(badarg)?;
    cx.bump(bytes.len() / 64);
    match decode::decode(&bytes, cx.heap(), o) {
        Ok(r) => Ok(r),
        Err(DecodeError::Limit) => Err(Exit::error(Atom::SYSTEM_LIMIT)),
        Err(_) => Err(badarg()),
    }
}

fn binary_to_term1(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    decoded(cx, a[0], decode::Options::default()).map(|(t, _)| t)
}

fn binary_to_term2(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let (mut o, mut used) = (decode::Options::default(), false);
    let bad_option = || Exit::error_cause(Atom::BADARG, Atom::BADOPT);
    for item in list::to_vec(a[1]).ok_or_else(bad_option)? {
        match item.as_atom().map(Atom::text) {
            Some("safe") => o.safe = true,
            Some("used") => used = true,
            _ => return Err(bad_option()),
        }
    }
    let (t, n) = decoded(cx, a[0], o)?;
    Ok(if used {
        cx.tuple2(t, Term::small(n as i64))
    } else {
        t
    })
}

fn external_size1(_: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    Ok(Term::small(
        encode::encode(a[0], Options::default()).len() as i64
    ))
}

fn external_size2(_: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let w = options(a[1])?;
    Ok(Term::small(encode::encode(a[0], w.encode).len() as i64))
}
