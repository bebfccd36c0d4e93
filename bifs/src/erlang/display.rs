//! Printing for debugging, past the I/O system, and questions about how a term is represented.

use crate::bifs;
use crate::debug::terms::is_small_on_beam;
use enigma_runtime::bif::Exit;
use enigma_runtime::data::{compare, display};
use enigma_runtime::heap::bits;
use enigma_runtime::term::{Kind, list};
use enigma_runtime::{Atom, BifResult, Ctx, Term, badarg, release};
use std::cmp::Ordering;
use std::fs::File;
use std::io::{self, Write};
use std::mem::ManuallyDrop;
use std::os::fd::FromRawFd;

bifs! { BIFS:
    "erlang" {
        "display"/1 Call => display;
        "display_nl"/0 Call => display_nl;
        "display_string"/1 Call => display_string;
        "display_string"/2 Call => display_string_to;
    }
    "erts_internal" {
        "term_to_string"/2 Call => term_to_string;
        "cmp_term"/2 Call => cmp_term;
        "term_type"/1 Call => term_type;
    }
}

/// Writes all bytes to a file descriptor of the operating system process, past all buffers.
fn write_all(fd: i32, bytes: &[u8]) -> io::Result<()> {
    // SAFETY: descriptors 1 and 2 are open for the whole run, and are not closed here.
    let mut file = ManuallyDrop::new(unsafe { File::from_raw_fd(fd) });
    let mut rest = bytes;
    while !rest.is_empty() {
        match file.write(rest) {
            Ok(n) => rest = &rest[n..],
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) if e.kind() == io::ErrorKind::WouldBlock => std::thread::yield_now(),
            Err(e) => return Err(e),
        }
    }
    Ok(())
}

fn display(_: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let mut text = display::text(a[0], usize::MAX);
    // As on BEAM, whose terminal may be in raw mode.
    text.extend_from_slice(b"\r\n");
    // A closed standard output is no reason to fail.
    let _ = write_all(1, &text);
    Ok(Term::bool(true))
}

fn display_nl(_: &mut Ctx<'_>, _: &[Term]) -> BifResult {
    let _ = write_all(2, b"\n");
    Ok(Term::bool(true))
}

fn display_string(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    if !a[0].is_list() && release::number() < 26 {
        return Err(badarg());
    }
    display_string_to(cx, &[Atom::new("stderr").into(), a[0]])
}

fn display_string_to(_: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let device = a[0].as_atom().ok_or_else(badarg)?;
    let text = if a[1].is_list() {
        list::to_string(a[1]).ok_or_else(badarg)?.into_bytes()
    } else {
        bits::binary_bytes(a[1]).ok_or_else(badarg)?.into_owned()
    };
    let done = match device.text() {
        "stdout" => write_all(1, &text),
        "stderr" => write_all(2, &text),
        "stdin" => type_into_terminal(&text),
        _ => return Err(badarg()),
    };
    match done {
        Ok(()) => Ok(Term::bool(true)),
        Err(e) => Err(Exit::error_cause(Atom::BADARG, Atom::new(error_name(&e)))),
    }
}

/// Puts bytes into the input of the controlling terminal, as if they had been typed.
fn type_into_terminal(bytes: &[u8]) -> io::Result<()> {
    use std::os::fd::AsRawFd;
    let terminal = File::open("/dev/tty")?;
    for b in bytes {
        // SAFETY: the request reads one byte from a valid address.
        if unsafe { libc::ioctl(terminal.as_raw_fd(), libc::TIOCSTI, std::ptr::from_ref(b)) } < 0 {
            return Err(io::Error::last_os_error());
        }
    }
    Ok(())
}

/// The name of an error of the operating system, in lower case.
fn error_name(e: &io::Error) -> &'static str {
    match e.raw_os_error() {
        Some(libc::EACCES) => "eacces",
        Some(libc::EBADF) => "ebadf",
        Some(libc::EINVAL) => "einval",
        Some(libc::EIO) => "eio",
        Some(libc::ENOENT) => "enoent",
        Some(libc::ENOSPC) => "enospc",
        Some(libc::ENOTTY) => "enotty",
        Some(libc::ENXIO) => "enxio",
        Some(libc::EPERM) => "eperm",
        Some(libc::EPIPE) => "epipe",
        _ => "unknown",
    }
}

fn term_to_string(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let limit = match (a[1].as_small(), a[1].as_atom()) {
        (Some(n), _) if n > 1 && n < i64::from(i32::MAX) => n as usize,
        (_, Some(Atom::UNDEFINED)) => usize::MAX,
        _ => return Err(badarg()),
    };
    let text = display::text(a[0], limit);
    Ok(cx.heap().byte_list(&text))
}

fn cmp_term(_: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    Ok(Term::small(match compare::compare_exact(a[0], a[1]) {
        Ordering::Less => -1,
        Ordering::Equal => 0,
        Ordering::Greater => 1,
    }))
}

fn term_type(_: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let t = a[0];
    Ok(Atom::new(match t.kind() {
        None if t.as_small().is_some_and(is_small_on_beam) => "fixnum",
        None if t.is_small() => "bignum",
        None if t.is_atom() => "atom",
        None if t.is_flonum() => "hfloat",
        None if t.is_nil() => "nil",
        None if t.is_cons() => "list",
        None if t.is_local_pid() => "pid",
        None => "port",
        Some(kind) => match kind {
            Kind::Tuple => "tuple",
            Kind::BigPos | Kind::BigNeg => "bignum",
            Kind::Float => "hfloat",
            Kind::Fun => "fun",
            Kind::Export => "export",
            Kind::HeapBits => "heap_binary",
            Kind::BinRef if release::number() < 27 => "refc_binary",
            Kind::BinRef | Kind::SubBits | Kind::MatchCtx => "sub_binary",
            Kind::FlatMap => "flatmap",
            Kind::HashMap => "hashmap",
            Kind::Ref => "reference",
            Kind::MagicRef => "magic_reference",
            Kind::ExtPid => "external_pid",
            Kind::ExtPort => "external_port",
            Kind::ExtRef => "external_reference",
            Kind::Record => "record",
            Kind::HashNode | Kind::HashCollision => "internal",
        },
    })
    .into())
}
