//! The deterministic mode: one thread runs everything, and a seed decides who runs next and for how
//! long. Dirty BIFs and collections run in place, time is virtual.

use super::run;
use crate::heap::gc;
use crate::sched::{
    MAX_SCHEDULERS, TIME_SLICE, become_scheduler, fresh_registers, rest, schedulers,
};
use crate::{dirty, errands, time, timer};
use std::sync::atomic::Ordering;

/// A small generator of pseudo-random numbers (xorshift64*), for decisions of the scheduler only.
struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % n
    }
}

/// Runs everything on this thread until `shutdown`. Waits for the outside world only when nothing can
/// run and no timer is set.
pub fn run_all(seed: u64) {
    dirty::run_in_place();
    gc::set_long(usize::MAX);
    time::make_virtual();
    become_scheduler(0);
    let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let mut x = fresh_registers();
    let s = schedulers();
    debug_assert!(s.all.len() <= MAX_SCHEDULERS);
    let errands = errands::register(|| rest::poke(0));
    while !s.stopping.load(Ordering::Relaxed) {
        errands.run();
        timer::advance(0, time::monotonic());
        let next = {
            let mut q = s.all[0].queue.lock();
            let p = q.pop_any(|n| random.below(n));
            s.all[0].length.store(q.len(), Ordering::Relaxed);
            p
        };
        match next {
            Some(p) => {
                let slice = 1 + random.below(TIME_SLICE as usize) as i64;
                time::advance_virtual(time::monotonic() + slice * 10);
                run(1, p, &mut x, slice);
            }
            None => match timer::next_deadline(0) {
                Some(at) => time::advance_virtual(at),
                None => rest::sleep(0),
            },
        }
    }
}
