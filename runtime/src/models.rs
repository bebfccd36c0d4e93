//! Small programs over what threads share, run by loom in all orders that the memory model permits
//! (`RUSTFLAGS="--cfg model" cargo test --release -p enigma-runtime models`).

use crate::process::inbox::Inbox;
use crate::process::state::{Priority, State, Stop, Wake};
use crate::quiescence::{Domain, Role};
use loom::sync::Arc;
use loom::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use loom::thread;

/// What two senders send arrives whole, each one's in its order.
#[test]
fn inbox_keeps_each_senders_order() {
    loom::model(|| {
        let inbox = Arc::new(Inbox::new());
        let sender = |who: u32, inbox: Arc<Inbox<(u32, u32)>>| {
            thread::spawn(move || (0..2).for_each(|n| inbox.push((who, n))))
        };
        let senders = [sender(0, inbox.clone()), sender(1, inbox.clone())];
        let mut got: Vec<(u32, u32)> = inbox.take_all().collect();
        for s in senders {
            s.join().unwrap();
        }
        got.extend(inbox.take_all());
        for who in 0..2 {
            let of: Vec<u32> = got.iter().filter(|s| s.0 == who).map(|s| s.1).collect();
            assert_eq!(of, [0, 1]);
        }
    });
}

/// A process with its inbox, and how many times it is in a run queue.
struct Process {
    state: State,
    inbox: Inbox<u32>,
    queued: AtomicUsize,
    answered: AtomicUsize,
}

impl Process {
    fn waiting() -> Process {
        let state = State::new(Priority::Normal);
        state.start();
        assert!(state.stop_waiting() == Stop::Waits);
        Process {
            state,
            inbox: Inbox::new(),
            queued: AtomicUsize::new(0),
            answered: AtomicUsize::new(0),
        }
    }

    fn enqueue(&self) {
        let before = self.queued.fetch_add(1, Ordering::SeqCst);
        assert_eq!(before, 0, "a process is in one queue at most");
    }

    /// As `signal::send` does.
    fn send(&self, signal: u32) {
        if self.state.is_exiting() {
            self.answered.fetch_add(1, Ordering::SeqCst);
            return;
        }
        self.inbox.push(signal);
        match self.state.wake() {
            Wake::Enqueue => self.enqueue(),
            Wake::Nothing => {}
            Wake::Gone => self.answer_all(),
        }
    }

    fn answer_all(&self) {
        let n = self.inbox.take_all().count();
        self.answered.fetch_add(n, Ordering::SeqCst);
    }

    /// One time slice, if the process is in a queue: gives what it has handled.
    fn run(&self) -> usize {
        if self.queued.load(Ordering::SeqCst) == 0 {
            return 0;
        }
        self.queued.fetch_sub(1, Ordering::SeqCst);
        self.state.start();
        let n = self.inbox.take_all().count();
        if self.state.stop_waiting() == Stop::Enqueue {
            self.enqueue();
        }
        n
    }
}

/// A process that waits is never left with a signal and in no queue.
#[test]
fn a_signal_wakes_its_receiver() {
    loom::model(|| {
        let p = Arc::new(Process::waiting());
        let sender = |p: Arc<Process>| thread::spawn(move || p.send(1));
        let senders = [sender(p.clone()), sender(p.clone())];
        let mut handled = p.run();
        for s in senders {
            s.join().unwrap();
        }
        handled += p.run();
        handled += p.run();
        assert_eq!(handled, 2);
        assert_eq!(p.queued.load(Ordering::SeqCst), 0);
    });
}

/// Who looks at a process that waits keeps it from nobody: what arrives meanwhile is handled.
#[test]
fn a_signal_while_somebody_looks() {
    loom::model(|| {
        let p = Arc::new(Process::waiting());
        let sender = {
            let p = p.clone();
            thread::spawn(move || p.send(1))
        };
        if p.state.try_hold() && p.state.stop_waiting() == Stop::Enqueue {
            p.enqueue();
        }
        sender.join().unwrap();
        assert_eq!(p.run() + p.run(), 1);
    });
}

/// Each signal to a process that ends is answered, once.
#[test]
fn signals_to_a_process_that_ends_are_answered() {
    loom::model(|| {
        let p = Arc::new(Process::waiting());
        let sender = {
            let p = p.clone();
            thread::spawn(move || p.send(1))
        };
        if p.state.try_hold() {
            p.state.set_exiting();
            p.answer_all();
            sender.join().unwrap();
            assert_eq!(p.answered.load(Ordering::SeqCst), 1);
        } else {
            sender.join().unwrap();
        }
    });
}

/// What was taken out of a table is freed when nobody looks at it any more, and is freed.
#[test]
fn nothing_is_freed_under_a_time_slice() {
    loom::model(|| {
        let domain = Arc::new(Domain::new());
        let freed = [0, 1].map(|_| Arc::new(AtomicBool::new(false)));
        // The number of the object that the table leads to.
        let table = Arc::new(AtomicUsize::new(0));
        let reader = {
            let (domain, freed, table) = (domain.clone(), freed.clone(), table.clone());
            thread::spawn(move || {
                let passage = domain.register(Role::Scheduler);
                passage.enter();
                let object = table.load(Ordering::SeqCst);
                assert!(!freed[object].load(Ordering::SeqCst));
                passage.leave_in(&domain);
                domain.before_sleep();
            })
        };
        let passage = domain.register(Role::Scheduler);
        passage.enter();
        table.store(1, Ordering::SeqCst);
        let old = freed[0].clone();
        domain.wait(
            false,
            Box::new(move || {
                assert!(!old.swap(true, Ordering::SeqCst));
            }),
        );
        passage.leave_in(&domain);
        domain.before_sleep();
        reader.join().unwrap();
        assert!(freed[0].load(Ordering::SeqCst));
        assert!(!freed[1].load(Ordering::SeqCst));
    });
}
