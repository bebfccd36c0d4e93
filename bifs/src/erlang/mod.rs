//! The modules `erlang` and `erts_internal`.

pub mod bitstring;
pub mod code;
pub mod convert;
pub mod digest;
pub mod display;
pub mod guard;
pub mod iolist;
pub mod list;
pub mod message;
pub mod process;
pub mod purge;
pub mod raise;
pub mod relations;
pub mod spawn;
pub mod system_task;
pub mod term;
pub mod time;

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
pub mod calendar;
pub mod etf;
