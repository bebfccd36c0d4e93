//! The interface for drivers in C (`erl_driver.h`, versions 2.0 to 3.3): what `erl_ddll` loads, and ports to it.
//!
//! `entry` is a driver, `port` a port of one; `lock` says who may call a driver when, `events` when a descriptor is ready, `calls` has
//! asynchronous calls, `queue` what waits to be written. `api` has the functions that the program exports.

pub mod api;
pub mod binary;
pub mod calls;
pub mod entry;
pub mod events;
pub mod lock;
pub mod pdl;
pub mod port;
pub mod queue;
pub mod terms;

use crate::api::io_vectors::Slice;
use crate::c::Ptr;
use binary::DriverBinary;
use enigma_bifs::erlang::iolist::{self, IolistPart};
use enigma_bifs::ports::loaded::{self, DriverCode, DriverLoader};
use enigma_bifs::ports::options::PortOptions;
use enigma_bifs::ports::{Driver, Port, PortJob, Refusal};
use enigma_runtime::atom::Atom;
use enigma_runtime::{Heap, Term};
use entry::CDriver;
use parking_lot::Mutex;
use port::{DriverFailure, DriverPort, PortStatus};
use queue::CDriverVector;
use std::ffi::c_int;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// Lets the VM load drivers.
pub fn install() {
    loaded::set_driver_loader(DriverLoader {
        load: |path, name| {
            let driver = CDriver::load(path, name)?;
            let text: String = name.iter().map(|&b| char::from(b)).collect();
            enigma_runtime::code::nif::taint(Atom::new(&text));
            Ok(Arc::new(CDriverCode(Arc::new(driver))))
        },
        linker_text,
    });
    enigma_runtime::hooks::add_resource_down(port::down);
}

/// What the linker has said, each once.
static SAID: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// The number of the first.
const FIRST: i64 = -10;

/// The number by which a text of the linker is known.
pub fn number_of(text: String) -> i64 {
    let mut all = SAID.lock();
    let at = all.iter().position(|t| *t == text).unwrap_or_else(|| {
        all.push(text);
        all.len() - 1
    });
    FIRST - at as i64
}

fn linker_text(number: i64) -> Option<String> {
    let at = FIRST.checked_sub(number)?;
    SAID.lock().get(usize::try_from(at).ok()?).cloned()
}

/// The code of a driver, as what loads it sees it.
pub struct CDriverCode(pub Arc<CDriver>);

impl DriverCode for CDriverCode {
    fn open(&self, owner: u64, line: &[u8], o: &PortOptions) -> Result<Arc<Port>, Atom> {
        let name = String::from_utf8_lossy(line);
        let port = Port::open(owner, &name, false, |port| {
            let p = DriverPort::open(port, &self.0, line, o)?;
            Ok(Box::new(CPortDriver(p)))
        })?;
        if port.is_closed() {
            // It was closed before anybody knew what is behind it.
            port.driver().into_iter().for_each(Driver::finish);
        }
        Ok(port)
    }

    fn close_ports(&self, reason: Atom) {
        for p in port::all_of(&self.0) {
            p.call(None, |_| p.fail(DriverFailure::Reason(reason)));
        }
    }

    fn unload(&self) {
        self.0.finish();
    }
}

/// What a port has of its driver.
pub struct CPortDriver(pub Arc<DriverPort>);

/// Room that a driver gets for an answer of `control`, and of `call`.
const CONTROL_ROOM: usize = 64;
const CALL_ROOM: usize = 256;

/// What the external format begins with.
const VERSION_MAGIC: u8 = 131;
/// `DRIVER_CALL_KEEP_BUFFER`.
const KEEP_BUFFER: u32 = 1;

/// How long the end of the VM waits for a queue.
const PATIENCE: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_millis(1);

impl CPortDriver {
    fn give(&self, caller: Option<u64>, parts: &[IolistPart<'_>]) {
        let p = &*self.0;
        if p.driver.entry.outputv.is_none() {
            let bytes: Vec<u8> = parts
                .iter()
                .flat_map(|part| bytes_of(part))
                .copied()
                .collect();
            return p.give(caller, &mut CDriverVector::default(), &bytes);
        }
        // As on BEAM the first element is empty.
        let mut slices = vec![Slice {
            data: std::ptr::null(),
            len: 0,
        }];
        let mut binaries = vec![Ptr::NULL];
        let held: Vec<DriverBinary> = parts
            .iter()
            .filter_map(|part| DriverBinary::of_bytes(bytes_of(part)))
            .collect();
        for b in &held {
            binaries.push(b.as_ptr());
            slices.push(Slice {
                data: b.data(),
                len: b.size(),
            });
        }
        let mut v = CDriverVector {
            count: slices.len() as c_int,
            size: held.iter().map(DriverBinary::size).sum(),
            slices: Ptr::to(slices.as_mut_ptr()),
            binaries: Ptr::to(binaries.as_mut_ptr()),
        };
        p.give(caller, &mut v, &[]);
    }
}

fn bytes_of<'a>(part: &'a IolistPart<'_>) -> &'a [u8] {
    match part {
        IolistPart::Gathered(b) => b,
        IolistPart::Whole(_, b) => b,
    }
}

/// Memory that a driver has taken for an answer.
struct Answer(*mut u8);

impl Drop for Answer {
    fn drop(&mut self) {
        api::memory::driver_free(Ptr::to(self.0.cast()));
    }
}

impl Driver for CPortDriver {
    fn output(&self, _: &Arc<Port>, data: Vec<u8>) -> Result<(), Atom> {
        self.give(None, &[IolistPart::Gathered(data)]);
        Ok(())
    }

    fn command(&self, _: &Arc<Port>, caller: u64, data: Term) -> Option<Result<usize, Refusal>> {
        let Ok(parts) = iolist::pieces(data) else {
            return Some(Err(Refusal::BadData));
        };
        let size = parts.iter().map(|p| bytes_of(p).len()).sum();
        self.give(Some(caller), &parts);
        Some(Ok(size))
    }

    fn can_be_forced(&self) -> bool {
        self.0.driver.is_soft_busy()
    }

    fn queue_size(&self) -> usize {
        self.0.queue.lock().size()
    }

    fn control_to_term(
        &self,
        caller: u64,
        operation: u32,
        data: &[u8],
        heap: &mut Heap,
    ) -> Option<Option<Term>> {
        let p = &*self.0;
        let Some(control) = p.driver.entry.control else {
            return Some(None);
        };
        let mut room = [0u8; CONTROL_ROOM];
        let own = room.as_mut_ptr();
        let mut at = own;
        let n = p.call(Some(caller), |d| {
            control(
                d,
                operation,
                data.as_ptr(),
                data.len(),
                &raw mut at,
                CONTROL_ROOM,
            )
        });
        let n = n.and_then(|n| usize::try_from(n).ok());
        let is_own = at == own;
        Some(n.map(|n| {
            let binary = p.control_binary.load(Ordering::Relaxed);
            if at.is_null() {
                return Term::NIL;
            }
            match (binary, is_own) {
                (true, true) => heap.binary(&room[..n.min(CONTROL_ROOM)]),
                (true, false) => {
                    let b = DriverBinary::take(Ptr::to(at.cast()));
                    let b = b.and_then(|b| b.to_term(0, b.size(), heap));
                    b.unwrap_or(Term::NIL)
                }
                (false, true) => heap.byte_list(&room[..n.min(CONTROL_ROOM)]),
                (false, false) => {
                    let _freed = Answer(at);
                    heap.byte_list(Ptr::to(at).slice(n))
                }
            }
        }))
    }

    fn call(&self, caller: u64, operation: u32, data: &[u8]) -> Option<Vec<u8>> {
        let p = &*self.0;
        let call = p.driver.entry.call?;
        let mut room = [0u8; CALL_ROOM];
        let own = room.as_mut_ptr();
        let (mut at, mut flags) = (own, 0);
        let n = p.call(Some(caller), |d| {
            let (to, flags) = (&raw mut at, &raw mut flags);
            call(
                d,
                operation,
                data.as_ptr(),
                data.len(),
                to,
                CALL_ROOM,
                flags,
            )
        })?;
        let is_own = at == own;
        let _freed = (!is_own && flags & KEEP_BUFFER == 0).then(|| Answer(at));
        let n = usize::try_from(n).ok()?;
        let bytes = match is_own {
            true => &room[..n.min(CALL_ROOM)],
            false => Ptr::to(at).slice(n),
        };
        (bytes.first() == Some(&VERSION_MAGIC)).then(|| bytes.to_vec())
    }

    fn monitors(&self) -> Vec<u64> {
        self.0.monitored()
    }

    fn locking(&self) -> &'static str {
        match self.0.driver.locks_ports() {
            true => "port_level",
            false => "driver_level",
        }
    }

    fn start_reference(&self) -> Option<u64> {
        self.0.start_reference()
    }

    fn emergency_close(&self) {
        if let Some(close) = self.0.driver.emergency_close() {
            self.0.call_as_is(close);
        }
    }

    fn close(&self) {}

    fn discard(&self) {
        self.0.discard();
    }

    fn defer(&self, job: PortJob) -> Option<PortJob> {
        self.0.lock.defer(job)
    }

    fn lingers(&self) -> bool {
        self.0.is_to_flush()
    }

    fn finish(&self) {
        self.0.shut();
    }

    fn flush(&self) {
        self.0.shut();
        let end = Instant::now() + PATIENCE;
        while self.0.status() != PortStatus::Stopped && Instant::now() < end {
            std::thread::sleep(PAUSE);
        }
    }

    fn os_pid(&self) -> Option<u32> {
        u32::try_from(self.0.os_pid.load(Ordering::Relaxed)).ok()
    }
}
