//! What excludes calls of a driver: a lock a port, or one for all ports of a driver.
//!
//! Who wants something done now (a process that gives a command) waits for the lock. What comes from elsewhere (a descriptor is ready, a
//! timer is due) is a *job*: it is done by whoever has the lock when that is let go, or by a thread that is there for that where nobody
//! has it. So neither the poller nor a timer ever waits for a driver. A thread may take a lock that it has already.

use enigma_bifs::ports::PortJob;
use parking_lot::{Condvar, Mutex};
use std::collections::VecDeque;
use std::sync::{Arc, LazyLock, Weak};
use std::thread::{self, ThreadId};

/// Jobs that one who lets go of a lock does before others have a turn.
const TURN: usize = 16;

/// See the module's text.
pub struct PortLock {
    me: Weak<PortLock>,
    state: Mutex<LockState>,
    free: Condvar,
}

#[derive(Default)]
struct LockState {
    owner: Option<ThreadId>,
    depth: usize,
    jobs: VecDeque<PortJob>,
    /// Will a worker look at the jobs?
    is_queued: bool,
}

impl PortLock {
    /// A lock that nobody has.
    pub fn new() -> Arc<PortLock> {
        Arc::new_cyclic(|me| PortLock {
            me: me.clone(),
            state: Mutex::default(),
            free: Condvar::new(),
        })
    }

    /// Does something under the lock.
    pub fn with<R>(&self, f: impl FnOnce() -> R) -> R {
        self.take();
        let result = f();
        self.let_go();
        result
    }

    fn take(&self) {
        let me = thread::current().id();
        let mut s = self.state.lock();
        while s.owner.is_some_and(|o| o != me) {
            self.free.wait(&mut s);
        }
        s.owner = Some(me);
        s.depth += 1;
    }

    fn let_go(&self) {
        let mut s = self.state.lock();
        if s.depth > 1 {
            s.depth -= 1;
            return;
        }
        for _ in 0..TURN {
            let Some(job) = s.jobs.pop_front() else { break };
            drop(s);
            job();
            s = self.state.lock();
        }
        s.depth = 0;
        s.owner = None;
        self.hand_over(&mut s);
        self.free.notify_one();
    }

    /// Has a worker look at the jobs, if there are any.
    fn hand_over(&self, s: &mut LockState) {
        if s.jobs.is_empty() || s.is_queued {
            return;
        }
        if let Some(me) = self.me.upgrade() {
            s.is_queued = true;
            WORKERS.give(me);
        }
    }

    /// Has something done under the lock, at once or later.
    pub fn post(&self, job: PortJob) {
        let mut s = self.state.lock();
        s.jobs.push_back(job);
        if s.owner.is_none() {
            self.hand_over(&mut s);
        }
    }

    /// Has something done when the call of another thread that is under way has ended; gives it back where there is none.
    pub fn defer(&self, job: PortJob) -> Option<PortJob> {
        let mut s = self.state.lock();
        if s.owner.is_none_or(|o| o == thread::current().id()) {
            return Some(job);
        }
        s.jobs.push_back(job);
        None
    }

    /// Does jobs, unless somebody has the lock, who will do them then.
    fn work(&self) {
        let mut s = self.state.lock();
        s.is_queued = false;
        if s.owner.is_some() {
            return;
        }
        s.owner = Some(thread::current().id());
        s.depth = 1;
        drop(s);
        self.let_go();
    }
}

/// Threads that do jobs.
struct Workers {
    waiting: Mutex<VecDeque<Arc<PortLock>>>,
    more: Condvar,
}

static WORKERS: LazyLock<&'static Workers> = LazyLock::new(|| {
    let workers: &'static Workers = Box::leak(Box::new(Workers {
        waiting: Mutex::default(),
        more: Condvar::new(),
    }));
    let _loosened = enigma_runtime::sched::bind::loosened();
    for n in 0..enigma_runtime::sched::count() {
        let thread = thread::Builder::new().name(format!("drivers_{n}"));
        if thread.spawn(|| workers.run()).is_err() && n == 0 {
            enigma_runtime::bug::limit_reached("Failed to create the thread of drivers");
        }
    }
    workers
});

impl Workers {
    fn give(&self, lock: Arc<PortLock>) {
        self.waiting.lock().push_back(lock);
        self.more.notify_one();
    }

    fn run(&self) {
        loop {
            let mut waiting = self.waiting.lock();
            let lock = loop {
                match waiting.pop_front() {
                    Some(lock) => break lock,
                    None => self.more.wait(&mut waiting),
                }
            };
            drop(waiting);
            lock.work();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::channel;
    use std::time::Duration;

    #[test]
    fn a_lock_can_be_taken_again_and_jobs_wait_for_it() {
        let lock = PortLock::new();
        let (tell, told) = channel();
        lock.with(|| {
            lock.with(|| {
                let tell = tell.clone();
                lock.post(Box::new(move || tell.send(2).unwrap()));
            });
            tell.send(1).unwrap();
        });
        assert_eq!(told.try_iter().collect::<Vec<_>>(), [1, 2]);
        lock.post(Box::new(move || tell.send(3).unwrap()));
        assert_eq!(told.recv_timeout(Duration::from_secs(10)), Ok(3));
    }

    #[test]
    fn a_job_waits_for_the_call_of_another_thread_only() {
        let lock = PortLock::new();
        let (tell, told) = channel();
        let job = |n| -> PortJob {
            let tell = tell.clone();
            Box::new(move || tell.send(n).unwrap())
        };
        assert!(lock.defer(job(0)).is_some());
        lock.with(|| {
            assert!(lock.defer(job(0)).is_some());
            let (lock, job) = (lock.clone(), job(1));
            thread::spawn(move || assert!(lock.defer(job).is_none()))
                .join()
                .unwrap();
            assert!(told.try_recv().is_err());
        });
        assert_eq!(told.try_iter().collect::<Vec<_>>(), [1]);
    }
}
