//! What drivers do with their ports.

use crate::c::{Bool, CText, Ptr, Word};
use crate::driver::entry::{CDriverMonitor, DriverData, DriverEvent};
use crate::driver::events;
use crate::driver::port::{DriverFailure, PortHandle};
use enigma_bifs::errno;
use enigma_runtime::atom::Atom;
use enigma_runtime::{Term, dirty};
use std::ffi::{c_int, c_ulong};
use std::sync::atomic::Ordering;

/// `ERL_DRV_READ`.
const READ: c_int = 1;
/// `ERL_DRV_WRITE`.
const WRITE: c_int = 2;
/// `ERL_DRV_USE`.
const USE: c_int = 4;
/// What `ERL_DRV_USE_NO_CALLBACK` adds.
const NO_CALLBACK: c_int = 8;

/// Says whether the driver is to be called when a descriptor is ready.
#[unsafe(no_mangle)]
pub extern "C" fn driver_select(
    port: PortHandle,
    event: DriverEvent,
    mode: c_int,
    on: c_int,
) -> c_int {
    let Some(p) = port.get() else { return -1 };
    let ways = [mode & READ != 0, mode & WRITE != 0];
    let uses = mode & USE != 0;
    let done = if on != 0 {
        events::enter(&p, event, ways, uses)
    } else {
        events::stop(&p, event, ways, uses.then_some(mode & NO_CALLBACK == 0))
    };
    if done { 0 } else { -1 }
}

/// Sets the timer.
#[unsafe(no_mangle)]
pub extern "C" fn driver_set_timer(port: PortHandle, ms: c_ulong) -> c_int {
    match port.get() {
        Some(p) if p.set_timer(ms) => 0,
        _ => -1,
    }
}

/// Stops the timer.
#[unsafe(no_mangle)]
pub extern "C" fn driver_cancel_timer(port: PortHandle) -> c_int {
    let Some(p) = port.get() else { return -1 };
    p.cancel_timer();
    0
}

/// Milliseconds until the timer is due.
#[unsafe(no_mangle)]
pub extern "C" fn driver_read_timer(port: PortHandle, left: Ptr<c_ulong>) -> c_int {
    let Some(p) = port.get() else { return -1 };
    left.set(p.timer_left());
    0
}

fn fail(port: PortHandle, failure: DriverFailure) -> c_int {
    let Some(p) = port.get() else { return -1 };
    p.fail(failure);
    0
}

fn reason(text: CText) -> Atom {
    Atom::try_new(&text.latin1()).unwrap_or(Atom::EINVAL)
}

/// Nothing more comes: the port closes, or tells its owner.
#[unsafe(no_mangle)]
pub extern "C" fn driver_failure_eof(port: PortHandle) -> c_int {
    fail(port, DriverFailure::Eof)
}

/// Ends the port for a reason.
#[unsafe(no_mangle)]
pub extern "C" fn driver_failure_atom(port: PortHandle, text: CText) -> c_int {
    fail(port, DriverFailure::Reason(reason(text)))
}

/// Ends the port for an error of the system.
#[unsafe(no_mangle)]
pub extern "C" fn driver_failure_posix(port: PortHandle, code: c_int) -> c_int {
    fail(port, DriverFailure::Reason(errno::atom(code)))
}

/// Ends the port for a number; for none, as if nothing more came.
#[unsafe(no_mangle)]
pub extern "C" fn driver_failure(port: PortHandle, code: c_int) -> c_int {
    match code {
        0 => driver_failure_eof(port),
        _ => fail(port, DriverFailure::Number(code)),
    }
}

/// Ends the port; its owner is no longer linked to it.
#[unsafe(no_mangle)]
pub extern "C" fn driver_exit(port: PortHandle, code: c_int) -> c_int {
    let why = if code == 0 {
        Atom::NORMAL
    } else {
        errno::atom(code)
    };
    fail(port, DriverFailure::Quiet(why))
}

/// Monitors a process: 0, 1 if there is no such process, -1 if the driver has nothing to call.
#[unsafe(no_mangle)]
pub extern "C" fn driver_monitor_process(
    port: PortHandle,
    process: Word,
    to: Ptr<CDriverMonitor>,
) -> c_int {
    let Some(p) = port.get().filter(|p| p.driver.entry.process_exit.is_some()) else {
        return -1;
    };
    let process = process.get().and_then(Term::as_local_pid);
    let monitor = process
        .filter(|&id| dirty::is_alive(id))
        .and_then(|id| p.monitor(id));
    match monitor {
        Some(m) => {
            to.set(m);
            0
        }
        None => 1,
    }
}

/// Takes a monitor away: 0, or 1 if it is none.
#[unsafe(no_mangle)]
pub extern "C" fn driver_demonitor_process(port: PortHandle, m: Ptr<CDriverMonitor>) -> c_int {
    match (port.get(), m.get()) {
        (Some(p), Some(m)) => c_int::from(!p.demonitor(m)),
        _ => -1,
    }
}

/// The process that is monitored.
#[unsafe(no_mangle)]
pub extern "C" fn driver_get_monitored_process(_: PortHandle, m: Ptr<CDriverMonitor>) -> Word {
    m.get()
        .map_or(Term::NIL, |m| Term::local_pid(m.process))
        .into()
}

/// The order of monitors, in which each has its place.
#[unsafe(no_mangle)]
pub extern "C" fn driver_compare_monitors(a: Ptr<CDriverMonitor>, b: Ptr<CDriverMonitor>) -> c_int {
    a.get().cmp(&b.get()) as c_int
}

/// Says that the port is busy, or no longer.
#[unsafe(no_mangle)]
pub extern "C" fn set_busy_port(port: PortHandle, on: c_int) {
    if let Some(port) = port.get().and_then(|p| p.port.upgrade()) {
        port.set_busy(on != 0);
    }
}

/// `PORT_CONTROL_FLAG_BINARY` and `PORT_FLAG_BINARY`.
const BINARY: c_int = 1;
/// `PORT_FLAG_LINE`.
const LINE: c_int = 2;

/// Says how answers of `control` are given. That of calls that take long (`PORT_CONTROL_FLAG_HEAVY`) says nothing, on BEAM neither.
#[unsafe(no_mangle)]
pub extern "C" fn set_port_control_flags(port: PortHandle, flags: c_int) {
    if let Some(p) = port.get() {
        p.control_binary
            .store(flags & BINARY != 0, Ordering::Relaxed);
    }
}

/// How the port was opened.
#[unsafe(no_mangle)]
pub extern "C" fn get_port_flags(port: PortHandle) -> c_int {
    let Some(p) = port.get() else { return 0 };
    let flags = [(p.is_binary(), BINARY), (p.has_lines(), LINE)];
    flags.iter().filter(|f| f.0).map(|f| f.1).sum()
}

/// Limits of commands that were not taken yet. Here a command is taken when it is given, so these are only kept.
#[unsafe(no_mangle)]
pub extern "C" fn erl_drv_busy_msgq_limits(port: PortHandle, low: Ptr<usize>, high: Ptr<usize>) {
    const DISABLED: usize = usize::MAX;
    let wanted = |p: Ptr<usize>| p.get().copied().unwrap_or(0);
    let (wanted_low, wanted_high) = (wanted(low), wanted(high));
    let port = port.get();
    let mut none = None;
    let mut guard = port.as_ref().map(|p| p.command_limits.lock());
    let limits = guard.as_deref_mut().unwrap_or(&mut none);
    if wanted_low == DISABLED || wanted_high == DISABLED {
        *limits = None;
    }
    if let Some((l, h)) = limits {
        if wanted_low != 0 {
            *l = wanted_low;
            *h = (*h).max(wanted_low);
        }
        if wanted_high != 0 {
            *h = wanted_high;
            *l = (*l).min(wanted_high);
        }
    }
    let (l, h) = limits.unwrap_or((DISABLED, DISABLED));
    low.set(l);
    high.set(h);
}

/// The function that runs has used part of a time slice, in percent: is it to return?
#[unsafe(no_mangle)]
pub extern "C" fn erl_drv_consume_timeslice(port: PortHandle, percent: c_int) -> Bool {
    let Some(p) = port.get() else { return 1 };
    let percent = i64::from(percent.clamp(1, 100));
    Bool::from(p.used.fetch_add(percent, Ordering::Relaxed) + percent >= 100)
}

/// The driver says how the start of a port has gone.
#[unsafe(no_mangle)]
pub extern "C" fn erl_drv_init_ack(port: PortHandle, data: DriverData) {
    if let Some(p) = port.get() {
        p.acknowledge(data);
    }
}

/// The process id that is shown for the port.
#[unsafe(no_mangle)]
pub extern "C" fn erl_drv_set_os_pid(port: PortHandle, pid: i64) {
    if let Some(p) = port.get() {
        p.os_pid.store(pid, Ordering::Relaxed);
    }
}
