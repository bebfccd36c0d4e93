//! Drivers, and ports that drivers open.

use crate::c::{CText, Ptr, Word};
use crate::driver::entry::{CDriver, CDriverEntry, DriverData};
use crate::driver::port::{DriverPort, PortHandle};
use crate::driver::{CDriverCode, CPortDriver};
use enigma_bifs::ports::{Port, loaded};
use enigma_runtime::process::PidKey;
use enigma_runtime::process::signal::{self, Signal};
use enigma_runtime::{Term, dirty};
use std::ffi::c_int;
use std::sync::Arc;

/// The driver of the port stays for good.
#[unsafe(no_mangle)]
pub extern "C" fn driver_lock_driver(port: PortHandle) -> c_int {
    match port.get() {
        Some(p) if loaded::make_permanent(&p.driver.name) => 0,
        _ => -1,
    }
}

/// Adds a driver that has no library of its own.
#[unsafe(no_mangle)]
pub extern "C" fn add_driver_entry(entry: Ptr<CDriverEntry>) {
    let driver = CDriver::of_entry(entry, None).filter(|d| d.check().is_ok());
    if let Some(driver) = driver.filter(|d| d.begin().is_ok()) {
        let name = driver.name.clone();
        loaded::add(&name, Arc::new(CDriverCode(Arc::new(driver))));
    }
}

/// Takes away a driver that was added.
#[unsafe(no_mangle)]
pub extern "C" fn remove_driver_entry(entry: Ptr<CDriverEntry>) -> c_int {
    let name = CDriver::of_entry(entry, None).map(|d| d.name);
    match name.is_some_and(|n| loaded::remove(&n)) {
        true => 0,
        false => -1,
    }
}

/// Opens a port beside another one of the same driver, without `start`.
#[unsafe(no_mangle)]
pub extern "C" fn driver_create_port(
    creator: PortHandle,
    owner: Word,
    name: CText,
    data: DriverData,
) -> PortHandle {
    let owner = owner.get().and_then(Term::as_local_pid);
    let (Some(creator), Some(owner)) = (creator.get(), owner.filter(|&id| dirty::is_alive(id)))
    else {
        return PortHandle::NONE;
    };
    if loaded::reserve(&creator.driver.name).is_none() {
        return PortHandle::NONE;
    }
    let mut made: Option<Arc<DriverPort>> = None;
    let opened = Port::open(owner, &name.latin1(), false, |port| {
        let p = creator.open_beside(port, data);
        made = Some(p.clone());
        Ok(Box::new(CPortDriver(p)))
    });
    match (opened, made) {
        (Ok(port), Some(p)) => {
            if let Some(from) = PidKey::of(port.term()) {
                signal::send(owner, Signal::Link { from, to: owner });
            }
            p.handle()
        }
        _ => {
            loaded::release(&creator.driver.name);
            PortHandle::NONE
        }
    }
}
