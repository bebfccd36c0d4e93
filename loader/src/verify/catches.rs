//! Which catches may be active at a place.
//!
//! The catches of one path form a chain from the innermost outwards. Where paths with different
//! chains meet, as they do in shared code that only raises an exception, the state holds the set
//! of them. Chains and sets are interned, so that a state needs only a number.

use std::collections::HashMap;

use super::state::{Bits, set_bit};

/// More chains or sets than this in one function are no real code.
const MAX_INTERNED: usize = 1 << 14;

/// More chains than this in one set are no real code.
const MAX_SET: usize = 32;

/// The set that holds only the empty chain.
pub(super) const NO_CATCH: u32 = 0;

/// The empty chain.
pub(super) const END: u32 = 0;

/// An active catch, linked to the one around it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Catch {
    /// The chain around it.
    pub(super) outer: u32,
    pub(super) slot: u16,
    pub(super) is_try: bool,
    /// Slots of the frame; it cannot change while the catch is active.
    pub(super) frame: u16,
    /// Label of the handler.
    pub(super) handler: u32,
}

/// Interned chains and sets of chains.
#[derive(Default)]
pub(super) struct Catches {
    chains: Vec<Catch>,
    chain_index: HashMap<Catch, u32>,
    sets: Vec<Box<[u32]>>,
    set_index: HashMap<Box<[u32]>, u32>,
    /// Some limit has been passed; the analysis must stop.
    pub(super) overflow: bool,
}

impl Catches {
    pub(super) fn clear(&mut self) {
        if self.chains.len() == 1 && self.sets.len() == 1 {
            return;
        }
        self.chains.clear();
        self.chain_index.clear();
        self.sets.clear();
        self.set_index.clear();
        self.overflow = false;
        self.chains.push(Catch {
            outer: END,
            slot: 0,
            is_try: false,
            frame: 0,
            handler: 0,
        });
        self.intern_set(vec![END]);
    }

    /// The chains of a set.
    pub(super) fn chains(&self, set: u32) -> &[u32] {
        &self.sets[set as usize]
    }

    /// The innermost catch of a chain.
    pub(super) fn top(&self, chain: u32) -> Option<Catch> {
        (chain != END).then(|| self.chains[chain as usize])
    }

    /// The set of just this chain.
    pub(super) fn single(&mut self, chain: u32) -> u32 {
        self.intern_set(vec![chain])
    }

    /// Slots that hold the tags of a chain.
    pub(super) fn slots(&self, chain: u32) -> Bits {
        let mut bits = Bits::default();
        let mut at = chain;
        while let Some(catch) = self.top(at) {
            set_bit(&mut bits, catch.slot);
            at = catch.outer;
        }
        bits
    }

    /// The set of all chains of two sets.
    pub(super) fn union(&mut self, a: u32, b: u32) -> u32 {
        if a == b {
            return a;
        }
        let mut all = [self.chains(a), self.chains(b)].concat();
        all.sort_unstable();
        all.dedup();
        self.intern_set(all)
    }

    /// Starts a catch on all paths, whatever its `outer` says; `None` when it is not inside of those
    /// that are active.
    pub(super) fn push(&mut self, set: u32, catch: Catch) -> Option<u32> {
        let chains = self.chains(set).to_vec();
        if chains
            .iter()
            .any(|&chain| self.top(chain).is_some_and(|top| catch.slot >= top.slot))
        {
            return None;
        }
        let mut pushed: Vec<u32> = chains
            .into_iter()
            .map(|outer| self.intern_chain(Catch { outer, ..catch }))
            .collect();
        pushed.sort_unstable();
        Some(self.intern_set(pushed))
    }

    /// Ends a catch on all paths; `None` when it is not the innermost one on each of them.
    pub(super) fn pop(&mut self, set: u32, slot: u16, is_try: bool) -> Option<u32> {
        let outer = self.chains(set).iter().map(|&chain| {
            let top = self.top(chain)?;
            (top.slot == slot && top.is_try == is_try).then_some(top.outer)
        });
        let mut outer = outer.collect::<Option<Vec<u32>>>()?;
        outer.sort_unstable();
        outer.dedup();
        Some(self.intern_set(outer))
    }

    fn intern_chain(&mut self, catch: Catch) -> u32 {
        if let Some(&known) = self.chain_index.get(&catch) {
            return known;
        }
        if self.chains.len() == MAX_INTERNED {
            self.overflow = true;
            return END;
        }
        let index = self.chains.len() as u32;
        self.chains.push(catch);
        self.chain_index.insert(catch, index);
        index
    }

    fn intern_set(&mut self, set: Vec<u32>) -> u32 {
        if let Some(&known) = self.set_index.get(set.as_slice()) {
            return known;
        }
        if self.sets.len() == MAX_INTERNED || set.len() > MAX_SET {
            self.overflow = true;
            return NO_CATCH;
        }
        let index = self.sets.len() as u32;
        self.sets.push(set.clone().into());
        self.set_index.insert(set.into(), index);
        index
    }
}
