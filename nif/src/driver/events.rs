//! `driver_select`: a driver is called as long as a descriptor is ready.
//!
//! A descriptor is in the poller for what ports want of it now, and no call is under way: it is put back when the driver has returned.
//! So nobody else uses it where a driver gives it up, and `stop_select` is called at once. What the system cannot watch (a file) is
//! always ready.

use super::entry::{CDriver, DriverEvent};
use super::port::{self, DriverPort};
use crate::poller::Selected;
use enigma_bifs::log;
use enigma_runtime::io::{Readiness, SourceKind, Waits};
use parking_lot::Mutex;
use std::collections::HashMap;
use std::os::fd::RawFd;
use std::sync::{Arc, LazyLock};

/// One way in which a descriptor may be ready.
#[derive(Clone, Copy, Default)]
struct Way {
    /// Number of the port that wants to know.
    port: Option<u64>,
    /// A call is to be made, or under way.
    is_called: bool,
}

struct EventEntry {
    selected: Selected,
    ways: [Way; 2],
    driver: Arc<CDriver>,
    /// Is `stop_select` to be called in the end?
    is_used: bool,
}

/// By descriptors.
static ENTRIES: LazyLock<Mutex<HashMap<RawFd, EventEntry>>> = LazyLock::new(Mutex::default);

impl EventEntry {
    fn is_wanted(&self, way: usize) -> bool {
        self.ways[way].port.is_some() && !self.ways[way].is_called
    }

    /// Does no port want to know?
    fn is_free(&self) -> bool {
        self.ways.iter().all(|w| w.port.is_none())
    }

    /// Has the poller look for what is wanted now.
    fn watch(&mut self, fd: RawFd) {
        let wanted = Waits {
            read: self.is_wanted(0),
            write: self.is_wanted(1),
            priority: false,
        };
        if wanted.is_none() {
            return self.selected.rest();
        }
        match self.selected.ask(wanted).map_err(|e| e.raw_os_error()) {
            Ok(()) => {}
            Err(Some(libc::EPERM)) => {
                self.selected.is_always_ready();
                self.call(fd, [wanted.read, wanted.write]);
            }
            Err(code) => {
                let why = enigma_bifs::errno::name(code.unwrap_or(libc::EIO));
                let name = String::from_utf8_lossy(&self.driver.name);
                log::port_error(&format!(
                    "Bad descriptor fd={fd} of driver '{name}' in driver_select: {why}\n"
                ));
                self.selected.forget();
                self.ways = Default::default();
            }
        }
    }

    /// Has the driver called.
    fn call(&mut self, fd: RawFd, ready: [bool; 2]) {
        for (way, is_ready) in ready.into_iter().enumerate() {
            if !is_ready || !self.is_wanted(way) {
                continue;
            }
            let Some(p) = self.ways[way].port.and_then(port::get) else {
                self.ways[way].port = None;
                continue;
            };
            self.ways[way].is_called = true;
            let underway = self.selected.underway();
            let why = if way == 1 { "output" } else { "input" };
            p.post_because(why, move |p, data| {
                let is_wanted = {
                    let entries = ENTRIES.lock();
                    let entry = entries.get(&fd).map(|e| e.ways[way]);
                    entry.is_some_and(|w| w.is_called && w.port == Some(p.id))
                };
                if is_wanted {
                    p.ready(data, fd as DriverEvent, way == 1);
                }
                called(fd, way, p.id);
                drop(underway);
            });
        }
    }
}

/// A call has returned: the descriptor is watched again, if that is still wanted.
fn called(fd: RawFd, way: usize, port: u64) {
    let mut entries = ENTRIES.lock();
    let Some(e) = entries.get_mut(&fd) else {
        return;
    };
    if e.ways[way].port.is_none_or(|p| p == port) {
        e.ways[way].is_called = false;
    }
    if e.is_wanted(0) || e.is_wanted(1) {
        e.watch(fd);
    } else if e.is_free() && !e.is_used {
        entries.remove(&fd);
    }
}

/// A descriptor has become ready. For the poller.
fn ready(fd: RawFd, came: Readiness) {
    let mut entries = ENTRIES.lock();
    let Some(e) = entries.get_mut(&fd) else {
        return;
    };
    e.call(fd, [came.readable, came.writable]);
    if e.is_wanted(0) || e.is_wanted(1) {
        e.watch(fd);
    }
}

/// The port wants to know when a descriptor is ready to be read, or to be written.
pub fn enter(p: &DriverPort, event: DriverEvent, ways: [bool; 2], uses: bool) -> bool {
    let Ok(fd) = RawFd::try_from(event) else {
        return false;
    };
    let mut entries = ENTRIES.lock();
    let e = entries.entry(fd).or_insert_with(|| EventEntry {
        selected: Selected::new(fd, SourceKind::Port, ready),
        ways: Default::default(),
        driver: p.driver.clone(),
        is_used: false,
    });
    let mut before = None;
    for way in (0..2).filter(|&w| ways[w]) {
        let w = &mut e.ways[way];
        if w.port != Some(p.id) {
            before = before.or(w.port);
            w.is_called = false;
        }
        w.port = Some(p.id);
    }
    if let Some(other) = before {
        // The descriptor has one owner: the other way goes too.
        for w in e.ways.iter_mut().filter(|w| w.port == Some(other)) {
            *w = Way::default();
        }
        let name = |p: Option<Arc<DriverPort>>| {
            let p = p?;
            let line = p.port.upgrade()?.name.clone();
            let driver = String::from_utf8_lossy(&p.driver.name).into_owned();
            Some(format!("driver '{driver}' ({line}) #Port<0.{}>", p.id))
        };
        let (me, it) = (name(port::get(p.id)), name(port::get(other)));
        let unknown = || format!("#Port<0.{other}>");
        log::port_error(&format!(
            "driver_select: {} steals fd={fd} from {}\n",
            me.unwrap_or_default(),
            it.unwrap_or_else(unknown)
        ));
        e.is_used = false;
    }
    e.driver = p.driver.clone();
    e.is_used |= uses;
    if ways != [false; 2] {
        e.watch(fd);
    }
    true
}

/// The port does not want to know that any more, or has nothing to call for it.
pub fn leave(p: &DriverPort, event: DriverEvent, to_write: bool) {
    stop(p, event, [!to_write, to_write], None);
}

/// The port does not want to know; `gives_up` that nobody uses the descriptor any more, and whether `stop_select` is to be called.
pub fn stop(p: &DriverPort, event: DriverEvent, ways: [bool; 2], gives_up: Option<bool>) -> bool {
    let Ok(fd) = RawFd::try_from(event) else {
        return false;
    };
    let mut entries = ENTRIES.lock();
    let driver = match entries.get_mut(&fd) {
        Some(e) => {
            for (way, ends) in e.ways.iter_mut().zip(ways) {
                if way.port == Some(p.id) && (ends || gives_up == Some(true)) {
                    way.port = None;
                }
            }
            let driver = e.driver.clone();
            if e.is_free() && (gives_up.is_some() || !e.is_used) {
                entries.remove(&fd);
            } else {
                e.watch(fd);
            }
            driver
        }
        None => p.driver.clone(),
    };
    drop(entries);
    if gives_up == Some(true)
        && let Some(stop_select) = driver.entry.stop_select
    {
        stop_select(event, std::ptr::null_mut());
    }
    true
}

/// A port has stopped.
pub fn forget_port(id: u64) {
    let mut entries = ENTRIES.lock();
    entries.retain(|&fd, e| {
        if e.ways.iter().all(|w| w.port != Some(id)) {
            return true;
        }
        for w in e.ways.iter_mut().filter(|w| w.port == Some(id)) {
            *w = Way::default();
        }
        if !e.is_free() {
            e.watch(fd);
        }
        !e.is_free()
    });
}
