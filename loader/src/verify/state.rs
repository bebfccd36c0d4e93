//! States of the data flow, one for each label of a function, and how they merge.
//!
//! ```text
//!  one state:  | frame (32) catches (32) | X set | Y that may hold catch tags |
//! ```
//!
//! States only ever lose certainty: register sets lose members, frames become undecided, more
//! catches become possible.

use super::catches::{Catches, NO_CATCH};
use super::loops::Jumps;

/// Greatest size of the states of one function, in words.
const MAX_STATE_WORDS: usize = 8 << 20;

/// Words of a register set.
pub(super) const WORDS: usize = 17;

/// The way control came to a place: plainly, or as an exception.
pub(super) const PLAIN: u8 = 1;
pub(super) const EXCEPTION: u8 = 2;

/// What is known about the stack frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Frame {
    None,
    Known(u16),
    /// Some frame, or none, of at least so many slots.
    Undecided(u16),
}

impl Frame {
    pub(super) fn pack(self) -> u32 {
        match self {
            Frame::None => 0,
            Frame::Known(slots) => 1 << 16 | u32::from(slots),
            Frame::Undecided(min) => 2 << 16 | u32::from(min),
        }
    }

    pub(super) fn unpack(word: u32) -> Frame {
        let slots = word as u16;
        match word >> 16 {
            0 => Frame::None,
            1 => Frame::Known(slots),
            _ => Frame::Undecided(slots),
        }
    }

    /// Slots that can be addressed.
    pub(super) fn slots(self) -> u16 {
        match self {
            Frame::None => 0,
            Frame::Known(slots) | Frame::Undecided(slots) => slots,
        }
    }
}

/// Sets of registers as bits; only the first words are in use.
pub(super) type Bits = [u64; WORDS];

pub(super) fn bit(bits: &Bits, index: u16) -> bool {
    bits[usize::from(index >> 6)] >> (index & 63) & 1 != 0
}

pub(super) fn set_bit(bits: &mut Bits, index: u16) {
    bits[usize::from(index >> 6)] |= 1 << (index & 63);
}

pub(super) fn clear(bits: &mut Bits, index: u16) {
    bits[usize::from(index >> 6)] &= !(1 << (index & 63));
}

/// Bits of word `word` that are below `count`.
pub(super) fn mask(word: usize, count: u16) -> u64 {
    let below = usize::from(count).saturating_sub(word * 64);
    if below >= 64 {
        u64::MAX
    } else {
        (1 << below) - 1
    }
}

/// The first `count` X registers.
pub(super) fn first(count: u16) -> Bits {
    std::array::from_fn(|word| mask(word, count))
}

/// The state at the current instruction.
#[derive(Clone, Debug)]
pub(super) struct State {
    pub(super) frame: Frame,
    pub(super) catches: u32,
    pub(super) x: Bits,
    pub(super) tags: Bits,
}

impl Default for State {
    fn default() -> State {
        State {
            frame: Frame::None,
            catches: NO_CATCH,
            x: [0; WORDS],
            tags: [0; WORDS],
        }
    }
}

/// Buffers of the analysis, reused from function to function.
#[derive(Default)]
pub(super) struct Flow {
    states: Vec<u64>,
    /// How each label has been reached so far.
    pub(super) reached: Vec<u8>,
    /// Labels to visit, a bit each.
    pending: Vec<u64>,
    pub(super) catches: Catches,
    pub(super) jumps: Jumps,
    /// Offsets of instructions that code does not follow; see
    /// [`Function::no_return`](crate::Function::no_return).
    pub(super) no_return: Vec<u32>,
    /// X registers that are read where some path has not set them.
    pub(super) undefined: Bits,
    /// Words of an X set, of a set of slots, and of a state.
    pub(super) xw: usize,
    pub(super) yw: usize,
    stride: usize,
    /// No pending label lies in a word below this.
    cursor: usize,
}

/// Which X registers survive a change of control.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Keep {
    All,
    None,
    Only(u16),
}

impl Flow {
    /// Prepares for a function with so many labels and registers; false when it is too large.
    pub(super) fn prepare(&mut self, labels: usize, x: u16, y: u16) -> bool {
        self.xw = usize::from(x).div_ceil(64).max(1);
        self.yw = usize::from(y).div_ceil(64);
        self.stride = 1 + self.xw + self.yw;
        self.cursor = 0;
        let words = labels.saturating_mul(self.stride);
        if words > MAX_STATE_WORDS {
            return false;
        }
        self.states.clear();
        self.states.resize(words, 0);
        self.reached.clear();
        self.reached.resize(labels, 0);
        self.pending.clear();
        self.pending.resize(labels.div_ceil(64), 0);
        self.catches.clear();
        self.jumps.clear();
        true
    }

    /// Forgets what was found in another function.
    pub(super) fn start(&mut self) {
        self.no_return.clear();
        self.undefined = [0; WORDS];
    }

    /// The lowest label that is still to be visited.
    pub(super) fn next_block(&mut self) -> Option<usize> {
        while self.cursor < self.pending.len() {
            let word = self.pending[self.cursor];
            if word != 0 {
                self.pending[self.cursor] = word & (word - 1);
                return Some(self.cursor * 64 + word.trailing_zeros() as usize);
            }
            self.cursor += 1;
        }
        None
    }

    /// Merges a state into that of a label.
    #[inline]
    pub(super) fn meet(&mut self, label: usize, mode: u8, state: &State, keep: Keep) {
        let base = label * self.stride;
        let (xw, yw) = (self.xw, self.yw);
        let x = |word: usize| match keep {
            Keep::All => state.x[word],
            Keep::None => 0,
            Keep::Only(x) if usize::from(x / 64) == word => 1 << (x % 64),
            Keep::Only(_) => 0,
        };
        let head = u64::from(state.frame.pack()) << 32 | u64::from(state.catches);
        let reached = self.reached[label];
        self.reached[label] = reached | mode;
        let slots = &mut self.states[base..base + self.stride];
        let mut changed = reached & mode == 0;
        if reached == 0 {
            slots[0] = head;
            for word in 0..xw {
                slots[1 + word] = x(word);
            }
            for word in 0..yw {
                slots[1 + xw + word] = state.tags[word];
            }
        } else if slots[0] == head {
            for word in 0..xw {
                let merged = slots[1 + word] & x(word);
                changed |= merged != slots[1 + word];
                slots[1 + word] = merged;
            }
            for word in 0..yw {
                let at = 1 + xw + word;
                let merged = slots[at] | state.tags[word];
                changed |= merged != slots[at];
                slots[at] = merged;
            }
        } else {
            changed |= self.meet_unequal(label, state, x);
        }
        if changed {
            self.pending[label / 64] |= 1 << (label % 64);
            self.cursor = self.cursor.min(label / 64);
        }
    }

    /// The rare case: the paths have different frames or catches.
    #[cold]
    fn meet_unequal(&mut self, label: usize, state: &State, x: impl Fn(usize) -> u64) -> bool {
        let mut old = State::default();
        self.load(label, &mut old);
        let before = old.clone();
        old.frame = meet_frames(old.frame, state.frame);
        let slots = old.frame.slots();
        old.catches = self.catches.union(old.catches, state.catches);
        for word in 0..WORDS {
            if word < self.xw {
                old.x[word] &= x(word);
            }
            old.tags[word] = (old.tags[word] | state.tags[word]) & mask(word, slots);
        }
        let changed = before.frame != old.frame
            || before.catches != old.catches
            || before.x != old.x
            || before.tags != old.tags;
        if changed {
            self.store(label, &old);
        }
        changed
    }

    pub(super) fn load(&self, label: usize, state: &mut State) {
        let slots = &self.states[label * self.stride..(label + 1) * self.stride];
        let (xw, yw) = (self.xw, self.yw);
        state.frame = Frame::unpack((slots[0] >> 32) as u32);
        state.catches = slots[0] as u32;
        state.x[..xw].copy_from_slice(&slots[1..1 + xw]);
        state.tags[..yw].copy_from_slice(&slots[1 + xw..]);
    }

    fn store(&mut self, label: usize, state: &State) {
        let (xw, yw) = (self.xw, self.yw);
        let slots = &mut self.states[label * self.stride..(label + 1) * self.stride];
        slots[0] = u64::from(state.frame.pack()) << 32 | u64::from(state.catches);
        slots[1..1 + xw].copy_from_slice(&state.x[..xw]);
        slots[1 + xw..].copy_from_slice(&state.tags[..yw]);
    }
}

/// The frame that two paths agree on.
fn meet_frames(a: Frame, b: Frame) -> Frame {
    if a == b {
        a
    } else {
        Frame::Undecided(a.slots().min(b.slots()))
    }
}
