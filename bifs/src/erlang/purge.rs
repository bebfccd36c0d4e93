//! What the code purger and the collector of literal areas ask of the VM.

use crate::barrier::{self, BarrierStage};
use crate::{bifs, code_permission};
use enigma_runtime::atom::Atom;
use enigma_runtime::code::purge;
use enigma_runtime::dirty;
use enigma_runtime::heap::literal::OwnedTerm;
use enigma_runtime::heap::{copy, release};
use enigma_runtime::process::signal::{self, Signal, Task};
use enigma_runtime::process::{handle, literals};
use enigma_runtime::{BifResult, Ctx, Exit, Term, badarg};

bifs! { BIFS:
    "erts_internal" {
        "purge_module"/2 Call => purge_module;
        "check_process_code"/1 Call => check_process_code;
        "is_process_executing_dirty"/1 Call => is_process_executing_dirty;
        "check_dirty_process_code"/2 Call => check_dirty_process_code;
    }
    "erts_literal_area_collector" {
        "release_area_switch"/0 Call => release_area_switch;
        "send_copy_request"/3 Call => send_copy_request;
    }
}

/// One process may call this, because there is one purge at a time.
fn purge_module(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    if cx.own.name() != Some(Atom::ERTS_CODE_PURGER) {
        return Err(Exit::error(Atom::NOTSUP));
    }
    code_permission::check(cx)?;
    let name = a[0].as_atom().ok_or_else(badarg)?;
    let done = match a[1].as_atom() {
        Some(Atom::PREPARE) => purge::prepare(name, false),
        Some(Atom::PREPARE_ON_LOAD) => purge::prepare(name, true),
        Some(Atom::ABORT) => {
            purge::abort();
            false
        }
        Some(Atom::COMPLETE) => complete(cx)?,
        _ => return Err(badarg()),
    };
    Ok(done.into())
}

/// A native library is gone when this is over, so that one which is loaded from the same file begins anew.
fn complete(cx: &mut Ctx<'_>) -> Result<bool, Exit> {
    match barrier::passage(cx) {
        BarrierStage::Ahead => match purge::complete() {
            Some(gone) if gone.has_library() => {
                return Err(barrier::begin_with(cx, move || drop(gone)));
            }
            Some(gone) => gone.free_in_time(),
            None => return Ok(false),
        },
        BarrierStage::Waiting => return Err(Exit::Wait),
        BarrierStage::Between | BarrierStage::Passed => {}
    }
    Ok(true)
}

fn check_process_code(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let name = a[0].as_atom().ok_or_else(badarg)?;
    Ok(purge::is_used_by(cx.own, cx.pc, name).into())
}

/// A process with a call in a dirty pool is looked into like any other: to the purger no process is dirty.
fn is_process_executing_dirty(_: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    a[0].as_local_pid().ok_or_else(badarg)?;
    Ok(false.into())
}

fn check_dirty_process_code(_: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    a[0].as_local_pid().ok_or_else(badarg)?;
    Ok(false.into())
}

/// Frees the literal areas that every process has given up, and takes up the next ones. `false` if there
/// are none; otherwise the collector then asks every process to give them up.
fn release_area_switch(cx: &mut Ctx<'_>, _: &[Term]) -> BifResult {
    match barrier::passage(cx) {
        BarrierStage::Ahead if release::begin_next() => Err(barrier::begin(cx, false)),
        BarrierStage::Ahead => Ok(false.into()),
        BarrierStage::Waiting => Err(Exit::Wait),
        BarrierStage::Between | BarrierStage::Passed => Ok(true.into()),
    }
}

/// Asks a process to copy what it holds of the areas that are being released. The answer is
/// `{copy_literals, {Area, How, Pid}, ok}`.
fn send_copy_request(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let collector = cx.proc.id;
    let to = a[0].as_local_pid().ok_or_else(badarg)?;
    let id = cx.heap().tuple(&[a[1], a[2], a[0]]);
    let id = OwnedTerm::new(id);
    let answer: Task = Box::new(move |_| {
        let message = handle::build(|h| {
            let id = copy::copy(id.term(), h);
            h.tuple(&[Atom::COPY_LITERALS.into(), id, Atom::OK.into()])
        });
        signal::send(collector, Signal::Message(message));
    });
    let task: Task = Box::new(move |process| {
        if let Some(cx) = process {
            if !dirty::is_under_way(cx.own) && cx.own.leave_to_copy_literals() {
                return cx.own.put_off(answer);
            }
            let words = literals::copy_releasing(cx.own);
            cx.bump(words / 16);
        }
        answer(None);
    });
    signal::request(to, task, Signal::SystemTask);
    Ok(Atom::OK.into())
}
