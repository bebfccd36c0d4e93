//! Matching that does not keep a scheduler for long.
//!
//! The library cannot be stopped and gone on with. But it can be asked for a match in the first part of the subject, and
//! for one that takes few steps: if there is one, it is the one that would be found without these limits, as long as
//! nothing behind that part was looked at, which *partial matching* promises. So the parts and the steps grow while
//! there is time; when there is none left, the call goes to a pool of threads, where all is done at once.

use super::code::{Code, MatchLimits};
use enigma_runtime::work::LoopLimit;
use pcre2_sys as sys;
use std::time::{Duration, Instant};

/// Of the steps of a match.
pub static LOOP_LIMIT: LoopLimit = LoopLimit::none(0);

/// What is told where there is no limit.
pub fn shown_limit() -> usize {
    if super::errors::first_generation() {
        40_000
    } else {
        64_000
    }
}

/// Bytes of the first part.
const PART: usize = 1024;
/// Steps from one place that are tried first.
const STEPS: u32 = 2000;
/// How much larger the next part is, and the next number of steps.
const GROWTH: u32 = 8;
/// There is another part if the parts before have taken less than this.
const TIME: Duration = Duration::from_micros(300);

/// An attempt to find a match.
pub struct Attempt<'a> {
    /// The pattern.
    pub code: &'a Code,
    /// The text.
    pub subject: &'a [u8],
    /// Where to begin.
    pub offset: usize,
    /// Options of the library.
    pub options: u32,
    /// How much work it may be.
    pub limits: MatchLimits,
    /// Is the subject known to be UTF-8, and the offset one of a character?
    pub is_text: bool,
}

/// The groups of a match, as offsets.
pub type Groups = Vec<Option<(usize, usize)>>;

impl Attempt<'_> {
    /// Looks for it without limits of our own; gives the library's error number where there is none.
    pub fn whole(&self, found: &mut Groups) -> Result<(), i32> {
        self.run(self.subject.len(), self.limits.matches, found)
    }

    /// Looks for it as long as that takes little time; nothing if it takes more.
    pub fn short(&self, found: &mut Groups) -> Option<Result<(), i32>> {
        let began = Instant::now();
        let steps_to_try = LOOP_LIMIT.units();
        let mut part = PART;
        let mut steps = steps_to_try.map_or(STEPS, |n| n.min(STEPS as usize) as u32);
        loop {
            let end = self.end_of_part(part);
            let is_all = end == self.subject.len();
            let limit = steps.min(self.limits.matches);
            match self.run(end, limit, found) {
                Ok(()) => return Some(Ok(())),
                Err(sys::PCRE2_ERROR_MATCHLIMIT) if limit < self.limits.matches => {
                    steps = steps.saturating_mul(GROWTH);
                }
                Err(e) if is_all => return Some(Err(e)),
                Err(_) => part = part.saturating_mul(GROWTH as usize),
            }
            if steps_to_try.is_some() || began.elapsed() > TIME {
                return None;
            }
        }
    }

    /// Where a part of so many bytes ends, with whole characters.
    fn end_of_part(&self, part: usize) -> usize {
        let mut end = self.offset.saturating_add(part);
        while end < self.subject.len() && self.code.utf && is_inside_character(self.subject[end]) {
            end += 1;
        }
        end.min(self.subject.len())
    }

    fn run(&self, end: usize, steps: u32, found: &mut Groups) -> Result<(), i32> {
        let mut options = self.options;
        if end < self.subject.len() {
            options |= sys::PCRE2_PARTIAL_HARD;
        }
        if self.is_text {
            options |= sys::PCRE2_NO_UTF_CHECK;
        }
        let limits = MatchLimits {
            matches: steps,
            ..self.limits
        };
        let subject = &self.subject[..end];
        let groups = self.code.run(subject, self.offset, options, limits, found);
        groups.map(drop)
    }
}

/// Is this a byte of UTF-8 that no character begins with?
pub fn is_inside_character(byte: u8) -> bool {
    byte & 0xc0 == 0x80
}
