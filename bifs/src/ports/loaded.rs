//! Drivers that are loaded at run time: who wants them, what is open to them, when they go.
//!
//! A driver stays while somebody counts on it: *users* (each load by a process is one), open ports, or itself if it has made itself
//! permanent. What happens when nobody does any more is done by a thread of its own, one driver at a time, because it calls the
//! driver's code, and whoever gave it up last may hold a lock of the driver. It unloads it, and loads it again where that was asked for.
//!
//! ```text
//!          load                     last user gone              nobody counts on it
//! (none) --------> Loaded --------------------------> Unloading --------------------> (none)
//!                    |  ^---------------------------------'  load
//!                    |  asked to load it anew                   nobody counts on it
//!                    '-----------------------------> Reloading --------------------> Loaded, or (none) where that fails
//! ```
//!
//! A user does not keep a driver that is to be loaded anew; it is one again afterwards. While the ports of a driver that goes are
//! being closed no new ones are opened.

use super::Port;
use super::options::PortOptions;
use enigma_runtime::Term;
use enigma_runtime::atom::Atom;
use enigma_runtime::heap::Heap;
use enigma_runtime::heap::literal::OwnedTerm;
use enigma_runtime::process::handle;
use enigma_runtime::process::signal::{self, Signal};
use enigma_runtime::reference;
use parking_lot::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, LazyLock, OnceLock};

/// The code of a driver.
pub trait DriverCode: Send + Sync {
    /// Opens a port to it.
    fn open(&self, owner: u64, line: &[u8], options: &PortOptions) -> Result<Arc<Port>, Atom>;
    /// Closes all its ports for this reason.
    fn close_ports(&self, reason: Atom);
    /// Nobody uses it any more: it goes.
    fn unload(&self);
}

/// Why a driver does not load.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LoadFailure {
    /// The library has nothing that a driver begins with.
    NoInit,
    /// The driver refuses to begin.
    InitFailed,
    /// It calls itself by another name.
    BadName,
    /// It was compiled for another version of the interface.
    BadVersion,
    /// What the system's linker has said, by a number.
    System(i64),
}

impl LoadFailure {
    /// As `try_load/3` names it.
    pub fn to_term(self, h: &mut Heap) -> Term {
        let name = match self {
            LoadFailure::NoInit => "no_driver_init",
            LoadFailure::InitFailed => "driver_init_failed",
            LoadFailure::BadName => "bad_driver_name",
            LoadFailure::BadVersion => "driver_incorrect_version",
            LoadFailure::System(n) => {
                return h.tuple(&[Atom::new("open_error").into(), Term::small(n)]);
            }
        };
        Atom::new(name).into()
    }
}

/// Loads the driver of a name from a file, whose suffix is left out.
pub type LoadDriver = fn(path: &[u8], name: &[u8]) -> Result<Arc<dyn DriverCode>, LoadFailure>;

/// Loads drivers from files.
pub struct DriverLoader {
    /// Loads one.
    pub load: LoadDriver,
    /// What the system's linker has said.
    pub linker_text: fn(i64) -> Option<String>,
}

static LOADER: OnceLock<DriverLoader> = OnceLock::new();

/// Sets what loads drivers; the first call wins.
pub fn set_driver_loader(loader: DriverLoader) {
    let _ = LOADER.set(loader);
}

/// The text of a failure of the system's linker.
pub fn linker_text(number: i64) -> Option<String> {
    (LOADER.get()?.linker_text)(number)
}

/// What a process waits for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Awaited {
    /// To be loaded.
    Load,
    /// To be unloaded.
    Unload,
    /// The same, and whoever loads it meanwhile is no news.
    UnloadOnly,
}

/// What a driver that was asked for is in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Status {
    Loaded,
    Unloading,
    Reloading,
    Permanent,
}

/// A load that somebody has asked for.
struct User {
    process: u64,
    /// Does the driver stay for it?
    keeps: bool,
}

/// Somebody who is to be told.
struct Waiter {
    process: u64,
    reference: u64,
    what: Awaited,
}

/// A driver.
struct LoadedDriver {
    name: Vec<u8>,
    /// None while it is being loaded anew.
    code: Option<Arc<dyn DriverCode>>,
    status: Status,
    path: Vec<u8>,
    kills_ports: bool,
    users: Vec<User>,
    waiters: Vec<Waiter>,
    ports: usize,
    /// It may not go although nobody counts on it: its ports are being closed.
    pins: usize,
    closes_ports: bool,
    /// Where it is to be loaded from anew, and whether it closes its ports then.
    reload: Option<(Vec<u8>, bool)>,
    /// Was it added by another driver, not loaded by a process?
    is_added: bool,
}

/// Drivers in the order in which they came.
static DRIVERS: Mutex<Vec<LoadedDriver>> = Mutex::new(Vec::new());

/// Has there ever been one? Most VMs have none, and every process that ends asks.
static ANY: AtomicBool = AtomicBool::new(false);

/// Held while a driver's code is loaded or unloaded.
static LOADING: Mutex<()> = Mutex::new(());

fn find<'a>(all: &'a mut [LoadedDriver], name: &[u8]) -> Option<&'a mut LoadedDriver> {
    all.iter_mut().find(|d| d.name == name)
}

/// Takes a fresh one in.
fn insert(all: &mut Vec<LoadedDriver>, d: LoadedDriver) {
    ANY.store(true, Ordering::Release);
    all.insert(0, d);
}

fn name_atom(name: &[u8]) -> Atom {
    let text: String = name.iter().map(|&b| char::from(b)).collect();
    Atom::new(&text)
}

/// Sends `{Type, Reference, driver, Name, What}`.
fn tell(to: u64, r: u64, kind: &str, name: Term, what: impl FnOnce(&mut Heap) -> Term) {
    let message = handle::build(|h| {
        let what = what(h);
        let r = h.reference(r, 0);
        let parts = [
            Atom::new(kind).into(),
            r,
            Atom::new("driver").into(),
            name,
            what,
        ];
        h.tuple(&parts)
    });
    signal::send(to, Signal::Message(message));
}

impl LoadedDriver {
    fn new(name: &[u8], path: &[u8], kills_ports: bool, code: Arc<dyn DriverCode>) -> LoadedDriver {
        LoadedDriver {
            name: name.to_vec(),
            code: Some(code),
            status: Status::Loaded,
            path: path.to_vec(),
            kills_ports,
            users: Vec::new(),
            waiters: Vec::new(),
            ports: 0,
            pins: 0,
            closes_ports: false,
            reload: None,
            is_added: false,
        }
    }

    fn users_of(&self, process: u64) -> usize {
        self.users.iter().filter(|u| u.process == process).count()
    }

    fn add_user(&mut self, process: u64, keeps: bool) {
        self.users.push(User { process, keeps });
    }

    /// Takes away a load of the process: the last one that it has asked for.
    fn remove_user(&mut self, process: u64) -> bool {
        let at = self.users.iter().rposition(|u| u.process == process);
        at.map(|at| self.users.remove(at)).is_some()
    }

    /// Tells those who wait for this, who wait no more.
    fn tell_all(&mut self, what: Awaited, kind: &str, news: &str) {
        let name = Term::atom(name_atom(&self.name));
        let (told, rest) = std::mem::take(&mut self.waiters)
            .into_iter()
            .partition(|w| w.what == what);
        self.waiters = rest;
        for w in Vec::into_iter(told) {
            tell(w.process, w.reference, kind, name, |_| {
                Atom::new(news).into()
            });
        }
    }

    /// It goes when nobody counts on it; what was to be loaded anew is not.
    fn begin_unload(&mut self) {
        if self.reload.take().is_some() {
            self.tell_all(Awaited::Load, "DOWN", "load_cancelled");
        }
        self.status = Status::Unloading;
    }

    /// Has somebody to close its ports, if there are any; it does not go before that is done.
    fn begin_closing_ports(&mut self) -> Option<Arc<dyn DriverCode>> {
        let code = self.code.clone().filter(|_| self.ports > 0)?;
        self.pins += 1;
        self.closes_ports = true;
        Some(code)
    }

    fn is_wanted(&self) -> bool {
        self.status == Status::Permanent
            || self.is_added
            || self.ports > 0
            || self.pins > 0
            || self.users.iter().any(|u| u.keeps)
    }
}

/// A waiter's reference.
fn wait(d: &mut LoadedDriver, process: u64, what: Awaited) -> u64 {
    let reference = reference::fresh();
    d.waiters.push(Waiter {
        process,
        reference,
        what,
    });
    reference
}

/// Closes the ports of a driver, whose lock must not be held here.
fn close_ports(name: &[u8], code: &Arc<dyn DriverCode>) {
    code.close_ports(Atom::new("driver_unloaded"));
    if let Some(d) = find(&mut DRIVERS.lock(), name) {
        d.pins -= 1;
    }
    settle_later(name);
}

/// Sees to drivers that nobody counts on any more, in a thread.
static SETTLING: LazyLock<Option<Sender<Vec<u8>>>> = LazyLock::new(|| {
    let (send, receive) = mpsc::channel::<Vec<u8>>();
    let _loosened = enigma_runtime::sched::bind::loosened();
    let thread = std::thread::Builder::new().name("driver_loader".to_string());
    let started = thread.spawn(move || receive.iter().for_each(|name| settle(&name)));
    started.is_ok().then_some(send)
});

fn settle_later(name: &[u8]) {
    match &*SETTLING {
        // The thread ends with the program.
        Some(to) => _ = to.send(name.to_vec()),
        None => settle(name),
    }
}

/// Unloads a driver if nobody counts on it, and loads it again if that was asked for.
fn settle(name: &[u8]) {
    let _loading = LOADING.lock();
    let mut all = DRIVERS.lock();
    let Some(d) = find(&mut all, name).filter(|d| !d.is_wanted()) else {
        return;
    };
    let code = d.code.take();
    drop(all);
    if let Some(code) = code {
        code.unload();
    }
    let mut all = DRIVERS.lock();
    let Some(d) = find(&mut all, name) else {
        return;
    };
    d.tell_all(Awaited::Unload, "DOWN", "unloaded");
    d.tell_all(Awaited::UnloadOnly, "DOWN", "unloaded");
    let Some((path, kills_ports)) = d.reload.take() else {
        all.retain(|d| d.name != name);
        return;
    };
    drop(all);
    let loaded = load(&path, name);
    let mut all = DRIVERS.lock();
    let Some(d) = find(&mut all, name) else {
        return;
    };
    match loaded {
        Ok(code) => {
            d.code = Some(code);
            d.status = Status::Loaded;
            d.path = path;
            d.kills_ports = kills_ports;
            d.closes_ports = false;
            d.users.iter_mut().for_each(|u| u.keeps = true);
            d.tell_all(Awaited::Load, "UP", "loaded");
            if d.users.is_empty() {
                d.begin_unload();
                drop(all);
                settle_later(name);
            }
        }
        Err(why) => {
            let atom = Term::atom(name_atom(name));
            for w in std::mem::take(&mut d.waiters) {
                tell(w.process, w.reference, "DOWN", atom, |h| {
                    let why = why.to_term(h);
                    h.tuple(&[Atom::new("load_failure").into(), why])
                });
            }
            all.retain(|d| d.name != name);
        }
    }
}

fn load(path: &[u8], name: &[u8]) -> Result<Arc<dyn DriverCode>, LoadFailure> {
    let loader = LOADER.get().ok_or(LoadFailure::System(0))?;
    (loader.load)(path, name)
}

/// When a load or its end is to be watched.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Debug)]
pub enum WatchWhen {
    /// Never.
    #[default]
    Never,
    /// If ports alone delay it.
    PendingDriver,
    /// If anything does.
    Pending,
}

/// What is asked of `try_load/3`.
#[derive(Default, Debug)]
pub struct LoadWish {
    /// The driver is to close its ports when it goes.
    pub kills_ports: bool,
    /// Is the load to be watched?
    pub watch: WatchWhen,
    /// Is it to be loaded anew: if no other process has it (`PendingDriver`), or in any case?
    pub reload: WatchWhen,
}

/// How a request has gone: its name, and the reference by which the process will hear more.
pub type Granted = (&'static str, Option<u64>);

/// Why a request is refused.
#[derive(Debug)]
pub enum DriverRefused {
    /// By this name.
    Named(&'static str),
    /// The driver does not load.
    Load(LoadFailure),
}

/// `erl_ddll:try_load/3` by a process, from a file whose suffix is left out.
pub fn try_load(
    process: u64,
    path: &[u8],
    name: &[u8],
    wish: &LoadWish,
) -> Result<Granted, DriverRefused> {
    let loading = LOADING.lock();
    let mut all = DRIVERS.lock();
    let Some(d) = find(&mut all, name) else {
        if wish.reload != WatchWhen::Never {
            return Err(DriverRefused::Named("not_loaded"));
        }
        drop(all);
        let code = load(path, name).map_err(DriverRefused::Load)?;
        let mut d = LoadedDriver::new(name, path, wish.kills_ports, code);
        d.add_user(process, true);
        insert(&mut DRIVERS.lock(), d);
        return Ok(("loaded", None));
    };
    if d.is_added {
        return Err(DriverRefused::Named("linked_in_driver"));
    }
    let anew = wish.reload != WatchWhen::Never;
    match d.status {
        Status::Permanent => Err(DriverRefused::Named("permanent")),
        Status::Loaded if anew => {
            let mine = d.users_of(process);
            if wish.reload == WatchWhen::PendingDriver && (mine != 1 || d.users.len() != 1) {
                return Err(DriverRefused::Named("pending_process"));
            }
            if d.kills_ports != wish.kills_ports {
                return Err(DriverRefused::Named("inconsistent"));
            }
            if mine == 0 {
                return Err(DriverRefused::Named("not_loaded_by_this_process"));
            }
            d.users.iter_mut().for_each(|u| u.keeps = false);
            d.status = Status::Reloading;
            d.reload = Some((path.to_vec(), wish.kills_ports));
            let watch = (wish.watch != WatchWhen::Never).then(|| wait(d, process, Awaited::Load));
            let closing = wish.kills_ports.then(|| d.begin_closing_ports()).flatten();
            drop(all);
            drop(loading);
            match closing {
                Some(code) => close_ports(name, &code),
                None => settle_later(name),
            }
            let pending = match wish.reload {
                WatchWhen::Pending => "pending_process",
                _ => "pending_driver",
            };
            Ok((pending, watch))
        }
        Status::Unloading if anew => Err(DriverRefused::Named("not_loaded_by_this_process")),
        Status::Loaded | Status::Unloading => {
            if d.path != path || d.kills_ports != wish.kills_ports {
                return Err(DriverRefused::Named("inconsistent"));
            }
            if d.status == Status::Unloading {
                d.status = Status::Loaded;
                d.closes_ports = false;
                d.tell_all(Awaited::Unload, "UP", "unload_cancelled");
            }
            d.add_user(process, true);
            Ok(("already_loaded", None))
        }
        Status::Reloading if anew => Err(DriverRefused::Named("pending_reload")),
        Status::Reloading => {
            let same = |r: &(Vec<u8>, bool)| r.0 == path && r.1 == wish.kills_ports;
            if !d.reload.as_ref().is_some_and(same) {
                return Err(DriverRefused::Named("inconsistent"));
            }
            d.add_user(process, false);
            // Whatever was asked for, the process hears when it is there.
            Ok(("pending_driver", Some(wait(d, process, Awaited::Load))))
        }
    }
}

/// `erl_ddll:try_unload/2` by a process.
pub fn try_unload(
    process: u64,
    name: &[u8],
    kills_ports: bool,
    watch: WatchWhen,
) -> Result<Granted, DriverRefused> {
    let mut all = DRIVERS.lock();
    let d = find(&mut all, name).ok_or(DriverRefused::Named("not_loaded"))?;
    if d.is_added {
        return Err(DriverRefused::Named("linked_in_driver"));
    }
    if d.status == Status::Permanent {
        return Err(DriverRefused::Named("permanent"));
    }
    if !d.remove_user(process) && !d.users.is_empty() {
        return Err(DriverRefused::Named("not_loaded_by_this_process"));
    }
    let waits =
        |d: &mut LoadedDriver, least| (watch >= least).then(|| wait(d, process, Awaited::Unload));
    if !d.users.is_empty() {
        let watched = waits(d, WatchWhen::Pending);
        return Ok(("pending_process", watched));
    }
    d.begin_unload();
    let watched = waits(d, WatchWhen::PendingDriver);
    let closes = kills_ports || d.kills_ports;
    let closing = closes.then(|| d.begin_closing_ports()).flatten();
    drop(all);
    match closing {
        Some(code) => close_ports(name, &code),
        None => settle_later(name),
    }
    Ok(("pending_driver", watched))
}

/// A process has ended: it uses no driver and waits for none any more.
pub fn process_exit(process: u64) {
    if !ANY.load(Ordering::Acquire) {
        return;
    }
    let mut all = DRIVERS.lock();
    let mut closing = Vec::new();
    let mut unwanted = Vec::new();
    for d in all.iter_mut().filter(|d| d.status != Status::Permanent) {
        let (users, waiters) = (d.users.len(), d.waiters.len());
        d.users.retain(|u| u.process != process);
        d.waiters.retain(|w| w.process != process);
        if (users, waiters) == (d.users.len(), d.waiters.len()) || !d.users.is_empty() || d.is_added
        {
            continue;
        }
        d.begin_unload();
        match d.kills_ports.then(|| d.begin_closing_ports()).flatten() {
            Some(code) => closing.push((d.name.clone(), code)),
            None => unwanted.push(d.name.clone()),
        }
    }
    drop(all);
    closing
        .iter()
        .for_each(|(name, code)| close_ports(name, code));
    unwanted.iter().for_each(|name| settle_later(name));
}

/// Lets a process wait for a driver, which it names by this term: the reference of what it will be told.
pub fn watch(process: u64, shown: Term, name: &[u8], what: Awaited) -> u64 {
    let mut all = DRIVERS.lock();
    let news = match find(&mut all, name) {
        None => ("DOWN", "unloaded"),
        Some(d) if d.is_added || d.status == Status::Permanent => ("UP", "permanent"),
        Some(d) => match (what, d.status) {
            (Awaited::Load, Status::Loaded) => ("UP", "loaded"),
            (Awaited::Load, Status::Unloading) => ("DOWN", "load_cancelled"),
            _ => return wait(d, process, what),
        },
    };
    drop(all);
    watched_at_once(process, shown, news)
}

/// The reference of a message that is sent at once.
pub fn watched_at_once(process: u64, shown: Term, news: (&str, &str)) -> u64 {
    let reference = reference::fresh();
    let shown = OwnedTerm::new(shown);
    tell(process, reference, news.0, shown.term(), |_| {
        Atom::new(news.1).into()
    });
    reference
}

/// The process waits no more for what it would be told by this reference.
pub fn unwatch(process: u64, reference: u64) {
    for d in DRIVERS.lock().iter_mut() {
        d.waiters
            .retain(|w| (w.process, w.reference) != (process, reference));
    }
}

/// The names of all, the youngest first.
pub fn names() -> Vec<Vec<u8>> {
    DRIVERS.lock().iter().map(|d| d.name.clone()).collect()
}

/// Processes with the number of their requests, the last one who came first.
type Counts = Vec<(u64, usize)>;

/// What is known of a driver.
pub struct DriverInfo {
    /// Was it added by another driver?
    pub is_added: bool,
    /// Has it made itself permanent?
    pub is_permanent: bool,
    /// Does it close its ports when it goes?
    pub kills_ports: bool,
    /// Open ports.
    pub ports: usize,
    /// Users.
    pub users: Counts,
    /// Who waits for it to be loaded.
    pub awaits_load: Counts,
    /// Who waits for it to be unloaded.
    pub awaits_unload: Counts,
}

fn count(processes: impl DoubleEndedIterator<Item = u64>) -> Counts {
    let mut counts: Counts = Vec::new();
    for p in processes.rev() {
        match counts.iter_mut().find(|c| c.0 == p) {
            Some(c) => c.1 += 1,
            None => counts.push((p, 1)),
        }
    }
    counts.reverse();
    counts
}

/// What is known of the driver with this name.
pub fn info(name: &[u8]) -> Option<DriverInfo> {
    let mut all = DRIVERS.lock();
    let d = find(&mut all, name)?;
    let waiting = |load: bool| {
        let those = d.waiters.iter();
        count(
            those
                .filter(|w| (w.what == Awaited::Load) == load)
                .map(|w| w.process),
        )
    };
    Some(DriverInfo {
        is_added: d.is_added,
        is_permanent: d.status == Status::Permanent,
        kills_ports: d.kills_ports,
        ports: d.ports,
        users: count(d.users.iter().map(|u| u.process)),
        awaits_load: waiting(true),
        awaits_unload: waiting(false),
    })
}

/// Opens a port to the driver that the first word of a line names; nothing if none of those here is called so.
pub fn open(owner: u64, line: &[u8], o: &PortOptions) -> Option<Result<Arc<Port>, Atom>> {
    let name = line.split(|&b| b == b' ').next()?;
    let code = reserve(name)?;
    let opened = code.open(owner, line, o);
    if opened.is_err() {
        release(name);
    }
    Some(opened)
}

/// Is there a driver of this name that takes new ports?
pub fn is_there(name: &[u8]) -> bool {
    let mut all = DRIVERS.lock();
    find(&mut all, name).is_some_and(|d| !d.closes_ports && d.code.is_some())
}

/// Counts a port of this driver before it is opened: its code. Nothing if it is not there, or takes no new ones.
pub fn reserve(name: &[u8]) -> Option<Arc<dyn DriverCode>> {
    let mut all = DRIVERS.lock();
    let d = find(&mut all, name).filter(|d| !d.closes_ports)?;
    let code = d.code.clone()?;
    d.ports += 1;
    Some(code)
}

/// A port of this driver is gone.
pub fn release(name: &[u8]) {
    let mut all = DRIVERS.lock();
    let Some(d) = find(&mut all, name) else {
        return;
    };
    d.ports = d.ports.saturating_sub(1);
    if d.is_wanted() {
        return;
    }
    drop(all);
    settle_later(name);
}

/// The driver may not go until `unpin`, although nobody counts on it.
pub fn pin(name: &[u8]) {
    if let Some(d) = find(&mut DRIVERS.lock(), name) {
        d.pins += 1;
    }
}

/// It may go again.
pub fn unpin(name: &[u8]) {
    let mut all = DRIVERS.lock();
    if let Some(d) = find(&mut all, name) {
        d.pins = d.pins.saturating_sub(1);
    }
    drop(all);
    settle_later(name);
}

/// The driver stays for good.
pub fn make_permanent(name: &[u8]) -> bool {
    let mut all = DRIVERS.lock();
    let Some(d) = find(&mut all, name).filter(|d| !d.is_added) else {
        return false;
    };
    if d.status != Status::Permanent {
        d.reload = None;
        d.tell_all(Awaited::Load, "UP", "permanent");
        d.tell_all(Awaited::Unload, "UP", "permanent");
        d.tell_all(Awaited::UnloadOnly, "UP", "permanent");
        d.users.clear();
        d.status = Status::Permanent;
    }
    true
}

/// Another driver adds one of its own. `false` if there is one with this name.
pub fn add(name: &[u8], code: Arc<dyn DriverCode>) -> bool {
    let mut all = DRIVERS.lock();
    let fresh = find(&mut all, name).is_none();
    if fresh {
        let mut d = LoadedDriver::new(name, b"", false, code);
        d.is_added = true;
        insert(&mut all, d);
    }
    fresh
}

/// Takes away a driver that was added. `false` if it was not.
pub fn remove(name: &[u8]) -> bool {
    let mut all = DRIVERS.lock();
    let before = all.len();
    all.retain(|d| !(d.is_added && d.name == name));
    all.len() != before
}
