//! The atoms of one message between nodes, which stand in the message's header; the terms name them by their place there.
//!
//! Both sides of a connection keep a cache of atoms (`dist::atom_cache`), so that an atom's text crosses it once. Two atoms
//! that share a slot of that cache cannot stand in the same header: the later one is written out.

use crate::atom::Atom;
use std::collections::HashMap;

/// Slots of the cache of a connection.
pub const CACHE_SLOTS: usize = 2048;
/// Most atoms in a header.
const MOST: usize = 255;
/// So many are searched one by one.
const FEW: usize = 12;

/// See the module's text.
#[derive(Default, Debug)]
pub struct MessageAtoms {
    atoms: Vec<Atom>,
    /// By slot, where there are many.
    places: HashMap<usize, u8>,
}

/// The slot that an atom has in a cache.
pub fn slot_of(a: Atom) -> usize {
    a.index() as usize % CACHE_SLOTS
}

impl MessageAtoms {
    /// The place of an atom in the header, if it has one or can get one.
    pub fn place_of(&mut self, a: Atom) -> Option<u8> {
        let slot = slot_of(a);
        let known = if self.atoms.len() <= FEW {
            self.atoms.iter().position(|&b| slot_of(b) == slot)
        } else {
            self.places.get(&slot).map(|&p| usize::from(p))
        };
        if let Some(place) = known {
            return (self.atoms[place] == a).then_some(place as u8);
        }
        let place = self.atoms.len();
        if place == MOST {
            return None;
        }
        self.atoms.push(a);
        if place == FEW {
            let all = self.atoms.iter().enumerate();
            self.places = all.map(|(i, &b)| (slot_of(b), i as u8)).collect();
        } else if place > FEW {
            self.places.insert(slot, place as u8);
        }
        Some(place as u8)
    }

    /// The atoms in their order.
    pub fn atoms(&self) -> &[Atom] {
        &self.atoms
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_stay_and_slots_are_used_once() {
        let mut all = MessageAtoms::default();
        let mut seen = std::collections::BTreeMap::new();
        for i in 0..5000 {
            let a = Atom::new(&format!("message atom {i}"));
            if let Some(place) = all.place_of(a) {
                assert_eq!(seen.insert(place, a), None);
            }
        }
        assert_eq!(all.atoms().len(), MOST);
        for (place, a) in seen {
            assert_eq!(all.place_of(a), Some(place));
            assert_eq!(all.atoms()[usize::from(place)], a);
        }
    }
}
