//! The native functions of `prim_buffer`: a growing queue of bytes.

use crate::bifs;
use enigma_runtime::atom::Atom;
use enigma_runtime::heap::bits;
use enigma_runtime::heap::magic::Magic;
use enigma_runtime::term::list;
use enigma_runtime::{BifResult, Ctx, Exit, Term, badarg, reference};
use parking_lot::Mutex;
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

bifs! { BIFS:
    "prim_buffer" {
        "new"/0 Nif => new;
        "size"/1 Nif => size;
        "peek_head"/1 Nif => peek_head;
        "skip"/2 Nif => skip;
        "copying_read"/2 Nif => copying_read;
        "write"/2 Nif => write;
        "find_byte_index"/2 Nif => find_byte_index;
        "try_lock"/1 Nif => try_lock;
        "unlock"/1 Nif => unlock;
    }
}

struct Buffer {
    bytes: Mutex<VecDeque<u8>>,
    locked: AtomicBool,
}

fn buffer<'a>(t: Term) -> Result<&'a Buffer, Exit> {
    t.as_magic()
        .and_then(|m| m.downcast_ref::<Buffer>())
        .ok_or_else(badarg)
}

fn new(cx: &mut Ctx<'_>, _: &[Term]) -> BifResult {
    let m: Magic = Arc::new(Buffer {
        bytes: Mutex::default(),
        locked: AtomicBool::new(false),
    });
    Ok(cx.heap().magic_ref(reference::fresh(), m))
}

fn size(_: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    Ok(Term::small(buffer(a[0])?.bytes.lock().len() as i64))
}

/// Some of the first bytes, at least one; an empty buffer is an error of the caller.
fn peek_head(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let b = buffer(a[0])?.bytes.lock();
    let head = b.as_slices().0;
    if head.is_empty() {
        return Err(badarg());
    }
    Ok(cx.heap().binary(head))
}

fn skip(_: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let mut b = buffer(a[0])?.bytes.lock();
    let n = a[1]
        .as_usize()
        .filter(|&n| n <= b.len())
        .ok_or_else(badarg)?;
    b.drain(..n);
    Ok(Atom::OK.into())
}

fn copying_read(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let mut b = buffer(a[0])?.bytes.lock();
    let n = a[1]
        .as_usize()
        .filter(|&n| n <= b.len())
        .ok_or_else(badarg)?;
    let taken: Vec<u8> = b.drain(..n).collect();
    Ok(cx.heap().binary_of(taken))
}

fn write(_: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let parts = list::to_vec(a[1]).ok_or_else(badarg)?;
    let mut bytes = Vec::new();
    for p in parts {
        bytes.extend_from_slice(&bits::binary_bytes(p).ok_or_else(badarg)?);
    }
    buffer(a[0])?.bytes.lock().extend(bytes);
    Ok(Atom::OK.into())
}

fn find_byte_index(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let b = buffer(a[0])?.bytes.lock();
    let wanted = a[1]
        .as_small()
        .and_then(|n| u8::try_from(n).ok())
        .ok_or_else(badarg)?;
    match b.iter().position(|&x| x == wanted) {
        Some(i) => {
            let i = Term::small(i as i64);
            drop(b);
            Ok(cx.ok(i))
        }
        None => Ok(Atom::new("not_found").into()),
    }
}

fn try_lock(_: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let taken = buffer(a[0])?.locked.swap(true, Ordering::Acquire);
    Ok(if taken {
        Atom::new("busy")
    } else {
        Atom::new("acquired")
    }
    .into())
}

fn unlock(_: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    if buffer(a[0])?.locked.swap(false, Ordering::Release) {
        Ok(Atom::OK.into())
    } else {
        Err(Exit::error(Atom::new("lock_order_violation")))
    }
}
