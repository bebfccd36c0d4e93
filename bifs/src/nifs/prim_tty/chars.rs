//! How characters come out on the terminal.

use crate::bifs;
use crate::erlang::iolist;
use crate::terminal::locale;
use enigma_runtime::atom::Atom;
use enigma_runtime::{BifResult, Ctx, Exit, Term, badarg};

bifs! { BIFS:
    "prim_tty" {
        "isprint"/1 Nif => isprint;
        "wcwidth"/1 Nif => wcwidth;
        "wcswidth"/1 Nif => wcswidth;
        "sizeof_wchar"/0 Nif => sizeof_wchar;
    }
}

fn int(t: Term) -> Result<i32, Exit> {
    let n = t.as_small().ok_or_else(badarg)?;
    i32::try_from(n).map_err(|_| badarg())
}

fn not_printable(cx: &mut Ctx<'_>) -> Term {
    cx.error(Atom::new("not_printable"))
}

fn isprint(_: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    Ok(locale::is_printable(int(a[0])? as u8).into())
}

fn wcwidth(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    // The type of wide characters has a sign on some machines and none on others; the bits are the same.
    Ok(match locale::width(int(a[0])? as libc::wchar_t) {
        Some(n) => Term::small(i64::from(n)),
        None => not_printable(cx),
    })
}

/// The width of a string of the C library's wide characters.
fn wcswidth(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let bytes = iolist::collect(a[0]).map_err(|_| badarg())?;
    let (chars, _) = bytes.as_chunks::<4>();
    let chars: Vec<libc::wchar_t> = chars
        .iter()
        .map(|&c| libc::wchar_t::from_ne_bytes(c))
        .collect();
    Ok(match locale::string_width(&chars) {
        Some(n) => cx.ok(Term::small(i64::from(n))),
        None => not_printable(cx),
    })
}

fn sizeof_wchar(_: &mut Ctx<'_>, _: &[Term]) -> BifResult {
    Ok(Term::small(size_of::<libc::wchar_t>() as i64))
}
