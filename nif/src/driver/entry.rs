//! A driver: what its entry says, and the library that holds it.
//!
//! Its functions are called by the types that `driver_entry` declares for them; they are there as long as the library is mapped, which
//! whoever has the `Arc` of the driver keeps.

use super::lock::PortLock;
use super::port::PortHandle;
use super::queue::CDriverVector;
use crate::c::{CText, Ptr};
use crate::library::Mapped;
use enigma_bifs::ports::loaded::LoadFailure;
use parking_lot::Mutex;
use std::ffi::{c_char, c_int, c_uint, c_void};
use std::sync::Arc;

/// `ErlDrvData`.
pub type DriverData = usize;
/// `ErlDrvEvent`: a descriptor.
pub type DriverEvent = isize;

/// A function that takes what the driver keeps for a port.
pub type PlainFn = extern "C" fn(DriverData);
/// `ready_input` and `ready_output`.
pub type ReadyFn = extern "C" fn(DriverData, DriverEvent);
/// `stop_select`.
pub type StopSelectFn = extern "C" fn(DriverEvent, *mut c_void);

/// `ErlDrvEntry`.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct CDriverEntry {
    init: Option<extern "C" fn() -> c_int>,
    /// A port is opened.
    pub start: Option<extern "C" fn(PortHandle, *mut c_char) -> DriverData>,
    /// It is closed.
    pub stop: Option<PlainFn>,
    /// Data for the outside.
    pub output: Option<extern "C" fn(DriverData, *const u8, usize)>,
    /// A descriptor is readable.
    pub ready_input: Option<ReadyFn>,
    /// A descriptor is writable.
    pub ready_output: Option<ReadyFn>,
    driver_name: CText,
    finish: Option<extern "C" fn()>,
    handle: *mut c_void,
    /// `port_control/3`.
    pub control:
        Option<extern "C" fn(DriverData, c_uint, *const u8, usize, *mut *mut u8, usize) -> isize>,
    /// The timer is due.
    pub timeout: Option<PlainFn>,
    /// Data for the outside, in parts.
    pub outputv: Option<extern "C" fn(DriverData, *mut CDriverVector)>,
    /// An asynchronous call is done.
    pub ready_async: Option<extern "C" fn(DriverData, *mut c_void)>,
    /// The port closes and its queue is not empty.
    pub flush: Option<PlainFn>,
    /// `port_call/3`.
    #[allow(clippy::type_complexity, reason = "it is what the interface says")]
    pub call: Option<
        extern "C" fn(
            DriverData,
            c_uint,
            *const u8,
            usize,
            *mut *mut u8,
            usize,
            *mut c_uint,
        ) -> isize,
    >,
    unused: *mut c_void,
    extended_marker: c_int,
    major_version: c_int,
    minor_version: c_int,
    driver_flags: c_int,
    handle2: *mut c_void,
    /// A process is gone that the port monitors.
    pub process_exit: Option<extern "C" fn(DriverData, *const CDriverMonitor)>,
    /// Nobody uses a descriptor any more.
    pub stop_select: Option<StopSelectFn>,
    /// The VM aborts; from version 3.2.
    emergency_close: Option<PlainFn>,
}

/// `ErlDrvMonitor`: the number of the monitor's reference, and the packed pid.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
#[repr(C)]
pub struct CDriverMonitor {
    /// Number of the reference.
    pub reference: u64,
    /// The process.
    pub process: u64,
    spare: [u64; 2],
}

impl CDriverMonitor {
    /// One of this process.
    pub fn new(reference: u64, process: u64) -> CDriverMonitor {
        CDriverMonitor {
            reference,
            process,
            spare: [0; 2],
        }
    }
}

/// What says that an entry has all its fields.
const MARKER: c_int = 0xfeee_eeed_u32 as c_int;

/// The version of the interface that is here.
pub const VERSION: (c_int, c_int) = (3, 3);
/// The least major version that is taken.
const LEAST_MAJOR: c_int = 2;

/// `ERL_DRV_FLAG_USE_PORT_LOCKING`.
const USE_PORT_LOCKING: c_int = 1;
/// `ERL_DRV_FLAG_SOFT_BUSY`.
const SOFT_BUSY: c_int = 2;
/// `ERL_DRV_FLAG_NO_BUSY_MSGQ`.
const NO_BUSY_MSGQ: c_int = 4;
/// `ERL_DRV_FLAG_USE_INIT_ACK`.
const USE_INIT_ACK: c_int = 8;

/// What the linker says without the file's name, so that its texts are few.
fn without_file(why: &str, path: &[u8]) -> String {
    let file = format!("{}.so", String::from_utf8_lossy(path));
    let rest = why.strip_prefix(&file).unwrap_or(why);
    let rest = rest.trim_start_matches([':', ' ']);
    if rest.is_empty() { why } else { rest }.to_string()
}

/// A driver.
pub struct CDriver {
    /// Its name.
    pub name: Vec<u8>,
    /// Its functions.
    pub entry: CDriverEntry,
    /// What excludes calls of all its ports, unless each has a lock of its own.
    lock: Option<Arc<PortLock>>,
    /// Where the driver has its entry.
    address: usize,
    /// Keeps the library, if it is one of its own; given up last.
    mapped: Mutex<Option<Mapped>>,
}

// SAFETY: the addresses are those of the driver's code and entry, which are there as long as this is.
unsafe impl Send for CDriver {}
// SAFETY: as above; nothing is changed.
unsafe impl Sync for CDriver {}

impl CDriver {
    /// Loads a driver of this name from a file, and lets it begin.
    pub fn load(path: &[u8], name: &[u8]) -> Result<CDriver, LoadFailure> {
        let mapped = Mapped::at(path)
            .map_err(|why| LoadFailure::System(super::number_of(without_file(&why, path))))?;
        let entry = mapped.driver_entry().ok_or(LoadFailure::NoInit)?();
        let driver = CDriver::of_entry(entry, Some(mapped)).ok_or(LoadFailure::InitFailed)?;
        driver.check()?;
        if driver.name != name {
            return Err(LoadFailure::BadName);
        }
        driver.begin()?;
        Ok(driver)
    }

    /// The driver that an entry describes.
    pub fn of_entry(entry: Ptr<CDriverEntry>, mapped: Option<Mapped>) -> Option<CDriver> {
        let address = entry.address() as usize;
        let mut entry = *entry.get()?;
        if (entry.major_version, entry.minor_version) < (3, 2) {
            entry.emergency_close = None;
        }
        let lock = (entry.driver_flags & USE_PORT_LOCKING == 0).then(PortLock::new);
        Some(CDriver {
            name: entry.driver_name.bytes().to_vec(),
            entry,
            lock,
            address,
            mapped: Mutex::new(mapped),
        })
    }

    /// Was it compiled for a version of the interface that is here?
    pub fn check(&self) -> Result<(), LoadFailure> {
        let e = &self.entry;
        let version = (e.major_version, e.minor_version);
        let fits = e.extended_marker == MARKER && version.0 >= LEAST_MAJOR && version <= VERSION;
        fits.then_some(()).ok_or(LoadFailure::BadVersion)
    }

    /// Lets it begin.
    pub fn begin(&self) -> Result<(), LoadFailure> {
        match self.entry.init {
            Some(init) if init() != 0 => Err(LoadFailure::InitFailed),
            _ => Ok(()),
        }
    }

    /// Nobody uses it any more.
    pub fn finish(&self) {
        if let Some(finish) = self.entry.finish {
            finish();
        }
        drop(self.mapped.lock().take());
    }

    /// The lock of a new port.
    pub fn lock(&self) -> Arc<PortLock> {
        self.lock.clone().unwrap_or_else(PortLock::new)
    }

    /// Has each port a lock of its own?
    pub fn locks_ports(&self) -> bool {
        self.lock.is_none()
    }

    fn has(&self, flag: c_int) -> bool {
        self.entry.driver_flags & flag != 0
    }

    /// May commands be forced upon a busy port?
    pub fn is_soft_busy(&self) -> bool {
        self.has(SOFT_BUSY)
    }

    /// Are there no limits for commands that have not been taken?
    pub fn has_no_command_limits(&self) -> bool {
        self.has(NO_BUSY_MSGQ)
    }

    /// Does it say itself when a port has started?
    pub fn acknowledges(&self) -> bool {
        self.has(USE_INIT_ACK)
    }

    /// Where the driver has its entry.
    pub fn address(&self) -> usize {
        self.address
    }

    /// What is to be called when the VM aborts.
    pub fn emergency_close(&self) -> Option<PlainFn> {
        self.entry.emergency_close
    }
}
