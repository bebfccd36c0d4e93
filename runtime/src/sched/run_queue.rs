//! What is ready to run, by priority: processes, and calls in dirty pools.

use crate::process::Process;
use crate::process::state::Priority;
use std::collections::VecDeque;

/// How many of normal priority run for every low one that waits.
const LOW_EVERY: u32 = 8;
/// The same where chance decides: a low one goes first once in so many turns.
const LOW_TURNS: usize = LOW_EVERY as usize + 1;

/// The queue of a scheduler, or of a pool.
pub struct RunQueue<T> {
    max: VecDeque<T>,
    high: VecDeque<T>,
    normal: VecDeque<T>,
    low: VecDeque<T>,
    since_low: u32,
}

impl<T> Default for RunQueue<T> {
    fn default() -> Self {
        RunQueue {
            max: VecDeque::new(),
            high: VecDeque::new(),
            normal: VecDeque::new(),
            low: VecDeque::new(),
            since_low: 0,
        }
    }
}

impl RunQueue<&'static Process> {
    /// Adds a process behind the others of its priority.
    pub fn push(&mut self, p: &'static Process) {
        self.put(p.state.queue_priority(), p);
    }

    /// Puts a process whose priority was raised where it belongs now; `false` if it is not here.
    pub fn promote(&mut self, p: &Process) -> bool {
        let found = [&mut self.low, &mut self.normal, &mut self.high]
            .into_iter()
            .find_map(|q| {
                let at = q.iter().position(|&other| std::ptr::eq(other, p))?;
                q.remove(at)
            });
        found.is_some_and(|p| {
            self.push(p);
            true
        })
    }
}

impl<T> RunQueue<T> {
    /// Adds something behind what else has that priority.
    pub fn put(&mut self, priority: Priority, what: T) {
        match priority {
            Priority::Max => self.max.push_back(what),
            Priority::High => self.high.push_back(what),
            Priority::Normal => self.normal.push_back(what),
            Priority::Low => self.low.push_back(what),
        }
    }

    /// Puts something before everything else.
    pub fn put_first(&mut self, what: T) {
        self.max.push_front(what);
    }

    /// Takes what is to run next.
    pub fn pop(&mut self) -> Option<T> {
        if let Some(p) = self.max.pop_front() {
            return Some(p);
        }
        if let Some(p) = self.high.pop_front() {
            return Some(p);
        }
        if !self.low.is_empty() && (self.since_low >= LOW_EVERY || self.normal.is_empty()) {
            self.since_low = 0;
            return self.low.pop_front();
        }
        self.since_low += 1;
        self.normal.pop_front()
    }

    /// Takes one of those that wait, whichever `choose` picks of how many.
    pub fn pop_any(&mut self, mut choose: impl FnMut(usize) -> usize) -> Option<T> {
        let low_first = !self.low.is_empty() && choose(LOW_TURNS) == 0;
        let (third, fourth) = if low_first {
            (&mut self.low, &mut self.normal)
        } else {
            (&mut self.normal, &mut self.low)
        };
        for q in [&mut self.max, &mut self.high, third, fourth] {
            if !q.is_empty() {
                let i = choose(q.len());
                return q.remove(i);
            }
        }
        None
    }

    /// Takes a process for another scheduler: the one that has waited longest. What a process starts first
    /// then begins first, also if its later work is not done here.
    pub fn steal(&mut self) -> Option<T> {
        [
            &mut self.max,
            &mut self.high,
            &mut self.normal,
            &mut self.low,
        ]
        .into_iter()
        .find_map(VecDeque::pop_front)
    }

    /// How many wait.
    pub fn len(&self) -> usize {
        self.max.len() + self.high.len() + self.normal.len() + self.low.len()
    }
}
