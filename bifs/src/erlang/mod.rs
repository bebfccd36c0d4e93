//! The module `erlang`.

pub mod iolist;

use crate::bifs;
use enigma_runtime::{BifResult, Ctx, Term};

bifs! { BIFS:
    "erlang" {
        "self"/0 Guard => self_pid;
    }
}

fn self_pid(cx: &mut Ctx<'_>, _: &[Term]) -> BifResult {
    Ok(cx.self_pid())
}
