//! Small BIFs of modules that have one or two: printing range, warnings, node flags.

use crate::bifs;
use crate::system::facts::facts;
use enigma_runtime::atom::Atom;
use enigma_runtime::{BifResult, Ctx, Term, badarg};

bifs! { BIFS:
    "io" {
        "printable_range"/0 Call => printable_range;
    }
    "error_logger" {
        "warning_map"/0 Call => warning_map;
    }
    "net_kernel" {
        "dflag_unicode_io"/1 Call => dflag_unicode_io;
    }
    "erts_internal" {
        "no_aux_work_threads"/0 Call => no_aux_work_threads;
    }
}

fn printable_range(_: &mut Ctx<'_>, _: &[Term]) -> BifResult {
    Ok(if facts().printable_unicode {
        Atom::UNICODE
    } else {
        Atom::LATIN1
    }
    .into())
}

fn warning_map(_: &mut Ctx<'_>, _: &[Term]) -> BifResult {
    Ok(Atom::new(facts().warnings_as).into())
}

/// Every node that can be connected to understands Unicode.
fn dflag_unicode_io(_: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    if a[0].is_pid() {
        Ok(true.into())
    } else {
        Err(badarg())
    }
}

/// `erlang:memory/0,1` waits for one answer less than this (see `memory::send`).
fn no_aux_work_threads(_: &mut Ctx<'_>, _: &[Term]) -> BifResult {
    Ok(Term::small(crate::memory::ANSWERS + 1))
}
