//! Formatted printing: the directives of `printf`, and `%T` for a term.
//!
//! The shim in C asks which arguments a format takes, takes them off its list, and hands them over. Each directive is printed by the
//! system's own function.

use crate::c::{CText, Ptr, Word};
use enigma_runtime::data::display;
use std::ffi::{CString, c_char, c_int};

/// What a directive takes; the same numbers as in `variadic.c`.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
enum Takes {
    Nothing = 0,
    Int = 1,
    Long = 2,
    Double = 3,
    LongDouble = 4,
    Pointer = 5,
}

/// An argument: its bits, or its address.
#[derive(Clone, Copy)]
#[repr(C)]
pub union Argument {
    integer: i64,
    number: f64,
    pointer: *mut std::ffi::c_void,
}

/// A piece of a format.
enum Piece<'a> {
    /// CText as it is.
    Plain(&'a [u8]),
    /// A directive: flags, width and precision as written, of which so many are taken from the arguments (`*`), its length modifiers,
    /// and what it is.
    Directive {
        head: &'a [u8],
        stars: usize,
        length: &'a [u8],
        conversion: u8,
    },
}

/// Takes a piece off a format.
fn piece(format: &[u8]) -> Option<(Piece<'_>, &[u8])> {
    let at = format.iter().position(|&c| c == b'%');
    match at {
        None if format.is_empty() => return None,
        None => return Some((Piece::Plain(format), &[])),
        Some(0) => {}
        Some(n) => return Some((Piece::Plain(&format[..n]), &format[n..])),
    }
    let end_of = |from: usize, set: &[u8]| {
        let rest = &format[from..];
        from + rest
            .iter()
            .position(|c| !set.contains(c))
            .unwrap_or(rest.len())
    };
    let head_end = end_of(1, b"-+ #0123456789.*'");
    let length_end = end_of(head_end, b"hlLjztqb");
    let head = &format[..head_end];
    let Some(&conversion) = format.get(length_end) else {
        return Some((Piece::Plain(format), &[]));
    };
    let directive = Piece::Directive {
        head,
        stars: head.iter().filter(|&&c| c == b'*').count(),
        length: &format[head_end..length_end],
        conversion,
    };
    Some((directive, &format[length_end + 1..]))
}

/// What a directive takes behind its stars.
fn takes(length: &[u8], conversion: u8) -> Takes {
    match conversion {
        b'd' | b'i' | b'o' | b'u' | b'x' | b'X' => {
            if length.iter().any(|c| b"ljztq".contains(c)) {
                Takes::Long
            } else {
                Takes::Int
            }
        }
        b'c' => Takes::Int,
        b'e' | b'E' | b'f' | b'F' | b'g' | b'G' | b'a' | b'A' if length.contains(&b'L') => {
            Takes::LongDouble
        }
        b'e' | b'E' | b'f' | b'F' | b'g' | b'G' | b'a' | b'A' => Takes::Double,
        b's' | b'p' | b'n' => Takes::Pointer,
        b'T' => Takes::Long,
        _ => Takes::Nothing,
    }
}

/// Writes what the arguments of a format are, at most so many: how many there are, or -1 if they are more.
#[unsafe(no_mangle)]
pub extern "C" fn enigma_nif_kinds(format: CText, kinds: Ptr<u8>, most: c_int) -> c_int {
    let mut found = Vec::new();
    let mut rest = format.bytes();
    while let Some((next, behind)) = piece(rest) {
        rest = behind;
        if let Piece::Directive {
            stars,
            length,
            conversion,
            ..
        } = next
        {
            found.extend(std::iter::repeat_n(Takes::Int as u8, stars));
            match takes(length, conversion) {
                Takes::Nothing => {}
                kind => found.push(kind as u8),
            }
        }
    }
    if found.len() > usize::try_from(most).unwrap_or(0) {
        return -1;
    }
    kinds.copy_from(&found);
    found.len() as c_int
}

/// Most characters of a term that are printed.
const TERM: usize = 100_000;

/// The text of a format with its arguments.
fn text(format: &[u8], arguments: &[Argument]) -> Vec<u8> {
    let mut out = Vec::new();
    let (mut rest, mut arguments) = (format, arguments.iter().copied());
    while let Some((next, behind)) = piece(rest) {
        rest = behind;
        match next {
            Piece::Plain(t) => out.extend_from_slice(t),
            Piece::Directive {
                head,
                stars,
                length,
                conversion,
            } => {
                // SAFETY: what stands for a star is an integer.
                let stars = arguments.by_ref().take(stars).map(|a| unsafe { a.integer });
                let head = with_stars(head, &stars.collect::<Vec<_>>());
                let kind = takes(length, conversion);
                let argument = match kind {
                    Takes::Nothing => None,
                    _ => arguments.next(),
                };
                match (kind, argument) {
                    (Takes::Nothing, _) if conversion == b'%' => out.push(b'%'),
                    (_, Some(a)) => directive(&mut out, &head, conversion, kind, a),
                    _ => {
                        out.extend_from_slice(&head);
                        out.extend_from_slice(length);
                        out.push(conversion);
                    }
                }
            }
        }
    }
    out
}

/// Flags, width and precision with numbers in place of stars. A negative precision is none.
fn with_stars(head: &[u8], stars: &[i64]) -> Vec<u8> {
    let mut out: Vec<u8> = Vec::with_capacity(head.len());
    let mut stars = stars.iter();
    for &c in head {
        if c != b'*' {
            out.push(c);
            continue;
        }
        let n = stars.next().copied().unwrap_or(0);
        if n < 0 && out.last() == Some(&b'.') {
            out.pop();
        } else {
            out.extend_from_slice(n.to_string().as_bytes());
        }
    }
    out
}

fn directive(out: &mut Vec<u8>, head: &[u8], conversion: u8, kind: Takes, a: Argument) {
    let print = |modifier: &str, conversion: u8| {
        let bytes = [head, modifier.as_bytes(), &[conversion]].concat();
        CString::new(bytes).unwrap_or_default()
    };
    // SAFETY: each member is read as the directive has it, and the system's function gets as many arguments as the directive takes.
    unsafe {
        match (kind, conversion) {
            (_, b'T') => {
                let word: Word = std::mem::transmute(a.integer);
                let shown = match word.get() {
                    Some(t) => display::text(t, TERM),
                    None => b"<none>".to_vec(),
                };
                let shown = CString::new(shown).unwrap_or_default();
                let f = print("", b's');
                append(out, |p, n| libc::snprintf(p, n, f.as_ptr(), shown.as_ptr()));
            }
            (Takes::Int | Takes::Long, b'c') => {
                let f = print("", b'c');
                append(out, |p, n| {
                    libc::snprintf(p, n, f.as_ptr(), a.integer as c_int)
                });
            }
            (Takes::Int, _) => {
                let f = print("", conversion);
                append(out, |p, n| {
                    libc::snprintf(p, n, f.as_ptr(), a.integer as c_int)
                });
            }
            (Takes::Long, _) => {
                let f = print("l", conversion);
                append(out, |p, n| libc::snprintf(p, n, f.as_ptr(), a.integer));
            }
            (Takes::Double | Takes::LongDouble, _) => {
                let f = print("", conversion);
                append(out, |p, n| libc::snprintf(p, n, f.as_ptr(), a.number));
            }
            // Nothing is written to where `%n` points.
            (_, b'n') => {}
            _ => {
                let f = print("", conversion);
                append(out, |p, n| libc::snprintf(p, n, f.as_ptr(), a.pointer));
            }
        }
    }
}

/// Appends what the system's function prints.
fn append(out: &mut Vec<u8>, print: impl Fn(*mut c_char, usize) -> c_int) {
    let mut room = vec![0u8; 64];
    let needed = print(room.as_mut_ptr().cast(), room.len());
    let Ok(needed) = usize::try_from(needed) else {
        return;
    };
    if needed >= room.len() {
        room = vec![0; needed + 1];
        print(room.as_mut_ptr().cast(), room.len());
    }
    out.extend_from_slice(&room[..needed]);
}

/// Prints a format into a file, or, where that is null, as much as fits into memory, with a zero byte: how many bytes it is.
#[unsafe(no_mangle)]
pub extern "C" fn enigma_nif_print(
    file: Ptr<libc::FILE>,
    buffer: Ptr<u8>,
    size: usize,
    format: CText,
    arguments: Ptr<Argument>,
    count: c_int,
) -> c_int {
    let arguments = arguments.slice(usize::try_from(count).unwrap_or(0));
    let mut printed = text(format.bytes(), arguments);
    let len = printed.len();
    if file.address().is_null() {
        if size > 0 {
            printed.truncate(size - 1);
            printed.push(0);
            buffer.copy_from(&printed);
        }
        return len as c_int;
    }
    // SAFETY: the file is the library's; as many bytes are there.
    let written = unsafe { libc::fwrite(printed.as_ptr().cast(), 1, len, file.address()) };
    if written == len { len as c_int } else { -1 }
}
