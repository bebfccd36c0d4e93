//! How Erlang's clock follows the operating system's two: pure arithmetic, without a look at either.
//!
//! Erlang monotonic time runs with the operating system's monotonic time. When the operating system's
//! idea of the time of day comes to differ from Erlang system time (somebody has set the clock), what
//! happens depends on the time warp mode: either the offset between the two Erlang clocks changes, or it
//! stays and the monotonic clock goes a little faster or slower until they agree again. Source: the
//! chapter "Time and Time Correction in Erlang" of ERTS's user's guide. All times are in nanoseconds.

/// The time warp mode (`+C`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Warp {
    /// The offset is fixed at the start.
    None,
    /// It is preliminary until it is made final, once.
    Single,
    /// It may change at any time.
    Multi,
}

/// What is known of the offset's future.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OffsetState {
    /// It will change once.
    Preliminary,
    /// It does not change.
    Final,
    /// It may change.
    Volatile,
}

/// Both clocks of the operating system, read together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reading {
    /// Its monotonic time, from an arbitrary start.
    pub monotonic: i64,
    /// Its system time, since 1970.
    pub system: i64,
}

/// A difference from the time of day that is worth correcting.
const TOLERANCE: i64 = 1_000_000;
/// A correction makes the monotonic clock faster or slower by one in this many.
const SLEW: i64 = 100;

/// A line of which Erlang monotonic time is a part: from `(from, start)` on, faster by
/// `slew / SLEW`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClockLine {
    /// Operating system monotonic time at the start of the line.
    pub from: i64,
    /// Erlang monotonic time there.
    pub start: i64,
    /// -1, 0 or 1.
    pub slew: i64,
}

impl ClockLine {
    /// Erlang monotonic time at an operating system monotonic time.
    #[inline]
    pub fn at(self, monotonic: i64) -> i64 {
        let passed = monotonic - self.from;
        self.start + passed + passed / SLEW * self.slew
    }
}

/// The clock.
#[derive(Clone, Debug)]
pub struct Clock {
    warp: Warp,
    correction: bool,
    finalized: bool,
    line: ClockLine,
    offset: i64,
}

impl Clock {
    /// A clock that shows `start` at the reading, where system time is right.
    pub fn new(warp: Warp, correction: bool, start: i64, now: Reading) -> Clock {
        Clock {
            warp,
            correction,
            finalized: warp == Warp::None,
            line: ClockLine {
                from: now.monotonic,
                start,
                slew: 0,
            },
            offset: now.system - start,
        }
    }

    /// The line that the monotonic clock follows.
    pub fn line(&self) -> ClockLine {
        self.line
    }

    /// System time minus monotonic time.
    pub fn offset(&self) -> i64 {
        self.offset
    }

    /// The time warp mode.
    pub fn warp(&self) -> Warp {
        self.warp
    }

    /// Is the monotonic clock corrected (`+c`)?
    pub fn correction(&self) -> bool {
        self.correction
    }

    /// What is known of the offset's future.
    pub fn offset_state(&self) -> OffsetState {
        match self.warp {
            Warp::Multi => OffsetState::Volatile,
            _ if self.finalized => OffsetState::Final,
            _ => OffsetState::Preliminary,
        }
    }

    /// Makes a preliminary offset final, with the time of day as it is now. Gives the state before and
    /// whether the offset has changed.
    pub fn finalize(&mut self, now: Reading) -> (OffsetState, bool) {
        let before = self.offset_state();
        let mut changed = false;
        if before == OffsetState::Preliminary {
            self.finalized = true;
            changed = self.set_offset(now);
        }
        (before, changed)
    }

    /// Compares with the time of day; has the offset changed?
    pub fn check(&mut self, now: Reading) -> bool {
        match self.offset_state() {
            OffsetState::Volatile => self.difference(now).abs() > TOLERANCE && self.set_offset(now),
            OffsetState::Preliminary => false,
            OffsetState::Final => {
                self.correct(now);
                false
            }
        }
    }

    /// How far the time of day is ahead of Erlang system time.
    fn difference(&self, now: Reading) -> i64 {
        now.system - self.offset - self.line.at(now.monotonic)
    }

    fn set_offset(&mut self, now: Reading) -> bool {
        let new = now.system - self.line.at(now.monotonic);
        std::mem::replace(&mut self.offset, new) != new
    }

    /// With a fixed offset it is the monotonic clock that moves: slowly, or without correction by a jump
    /// forward, or by going as slowly as it can while it is ahead.
    fn correct(&mut self, now: Reading) {
        let difference = self.difference(now);
        let here = self.line.at(now.monotonic);
        let (start, slew) = if !self.correction && difference > TOLERANCE {
            (here + difference, 0)
        } else if difference.abs() > TOLERANCE {
            (here, difference.signum())
        } else {
            (here, 0)
        };
        if (start, slew) != (here, self.line.slew) {
            self.line = ClockLine {
                from: now.monotonic,
                start,
                slew,
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: i64 = 1_000_000_000;
    const START: i64 = -1_000 * S;

    fn at(seconds: i64, day: i64) -> Reading {
        Reading {
            monotonic: seconds * S,
            system: day * S,
        }
    }

    fn system(c: &Clock, now: Reading) -> i64 {
        c.line().at(now.monotonic) + c.offset()
    }

    #[test]
    fn a_fixed_offset_is_caught_up_with_slowly() {
        let mut c = Clock::new(Warp::None, true, START, at(0, 5_000));
        assert_eq!(c.offset_state(), OffsetState::Final);
        // The time of day is set two seconds ahead.
        let mut last = START;
        let offset = c.offset();
        for t in 1..400 {
            let now = at(t, 5_002 + t);
            assert!(!c.check(now));
            let mono = c.line().at(now.monotonic);
            assert!(mono - last >= S && mono - last <= S + S / 50);
            last = mono;
        }
        assert_eq!(c.offset(), offset);
        let now = at(400, 5_402);
        assert!((system(&c, now) - now.system).abs() <= S / SLEW);
        assert_eq!(c.line().slew, 0);
    }

    #[test]
    fn a_fixed_offset_never_turns_the_clock_back() {
        for correction in [true, false] {
            let mut c = Clock::new(Warp::None, correction, START, at(0, 5_000));
            let mut last = START;
            for t in 1..600 {
                let now = at(t, 4_997 + t);
                c.check(now);
                let mono = c.line().at(now.monotonic);
                assert!(mono > last);
                last = mono;
            }
            assert!((system(&c, at(600, 5_597)) - 5_597 * S).abs() <= S / SLEW);
        }
    }

    #[test]
    fn without_correction_it_jumps_ahead() {
        let mut c = Clock::new(Warp::None, false, START, at(0, 5_000));
        let now = at(1, 5_100);
        c.check(now);
        assert_eq!(system(&c, now), 5_100 * S);
    }

    #[test]
    fn multi_time_warp_changes_the_offset() {
        let mut c = Clock::new(Warp::Multi, true, START, at(0, 5_000));
        assert_eq!(c.offset_state(), OffsetState::Volatile);
        assert!(!c.check(at(1, 5_001)));
        assert!(c.check(at(2, 4_000)));
        assert_eq!(c.line().at(2 * S), START + 2 * S);
        assert_eq!(system(&c, at(2, 4_000)), 4_000 * S);
    }

    #[test]
    fn single_time_warp_changes_it_once() {
        let mut c = Clock::new(Warp::Single, true, START, at(0, 5_000));
        assert!(!c.check(at(1, 6_000)));
        assert_eq!(c.finalize(at(2, 6_000)), (OffsetState::Preliminary, true));
        assert_eq!(system(&c, at(2, 6_000)), 6_000 * S);
        assert_eq!(c.finalize(at(3, 7_000)), (OffsetState::Final, false));
    }
}
