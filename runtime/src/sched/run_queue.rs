//! Processes that are ready to run, by priority.

use crate::process::Process;
use crate::process::state::Priority;
use std::collections::VecDeque;

/// How many normal processes run for every low one that waits.
const LOW_EVERY: u32 = 8;
/// The same where chance decides: a low one goes first once in so many turns.
const LOW_TURNS: usize = LOW_EVERY as usize + 1;

/// One scheduler's queue.
#[derive(Default)]
pub struct RunQueue {
    max: VecDeque<&'static Process>,
    high: VecDeque<&'static Process>,
    normal: VecDeque<&'static Process>,
    low: VecDeque<&'static Process>,
    since_low: u32,
}

impl RunQueue {
    /// Adds a process behind the others of its priority.
    pub fn push(&mut self, p: &'static Process) {
        match p.state.queue_priority() {
            Priority::Max => self.max.push_back(p),
            Priority::High => self.high.push_back(p),
            Priority::Normal => self.normal.push_back(p),
            Priority::Low => self.low.push_back(p),
        }
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

    /// Takes the process to run next.
    pub fn pop(&mut self) -> Option<&'static Process> {
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

    /// Takes one of the processes that wait, whichever `choose` picks of how many.
    pub fn pop_any(&mut self, mut choose: impl FnMut(usize) -> usize) -> Option<&'static Process> {
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
    pub fn steal(&mut self) -> Option<&'static Process> {
        [
            &mut self.max,
            &mut self.high,
            &mut self.normal,
            &mut self.low,
        ]
        .into_iter()
        .find_map(VecDeque::pop_front)
    }

    /// Number of processes that wait.
    pub fn len(&self) -> usize {
        self.max.len() + self.high.len() + self.normal.len() + self.low.len()
    }
}
