//! What is written to the terminal.

use super::tty::tty;
use crate::{bifs, errno};
use enigma_runtime::atom::Atom;
use enigma_runtime::heap::bits;
use enigma_runtime::term::list;
use enigma_runtime::{BifResult, Ctx, Term, badarg};

bifs! { BIFS:
    "prim_tty" {
        "write_nif"/2 NifDirtyIo => write;
    }
}

fn write(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let t = tty(a[0])?;
    let mut bytes = Vec::new();
    for b in list::to_vec(a[1]).ok_or_else(badarg)? {
        bytes.extend_from_slice(&bits::binary_bytes(b).ok_or_else(badarg)?);
    }
    match crate::terminal::write_all(t.output, &bytes) {
        Ok(()) => Ok(Atom::OK.into()),
        Err(e) => Ok(cx.error(errno::of(&e))),
    }
}
