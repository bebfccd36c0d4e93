//! Walking over maps.

use crate::env::Env;
use crate::sys::{self, RawMapIterator};
use crate::term::{BadTerm, Term};

/// The pairs of a map, in no particular order.
pub struct Pairs<'e> {
    env: Env<'e>,
    raw: RawMapIterator,
}

impl<'e> Pairs<'e> {
    pub(crate) fn of(map: Term<'e>) -> Result<Pairs<'e>, BadTerm> {
        let mut raw = RawMapIterator {
            map: 0,
            size: 0,
            index: 0,
            private: [std::ptr::null_mut(); 4],
        };
        // SAFETY: the term is one of this environment; there is a place for the iterator, which may be moved afterwards.
        let is = unsafe {
            sys::enif_map_iterator_create(map.env.raw(), map.raw, &mut raw, sys::MAP_FIRST) != 0
        };
        if is {
            Ok(Pairs { env: map.env, raw })
        } else {
            Err(BadTerm)
        }
    }
}

impl<'e> Iterator for Pairs<'e> {
    type Item = (Term<'e>, Term<'e>);

    fn next(&mut self) -> Option<Self::Item> {
        let (mut key, mut value) = (0, 0);
        // SAFETY: the iterator is one of this environment; there are places for key and value.
        unsafe {
            if sys::enif_map_iterator_get_pair(self.env.raw(), &mut self.raw, &mut key, &mut value)
                == 0
            {
                return None;
            }
            sys::enif_map_iterator_next(self.env.raw(), &mut self.raw);
        }
        Some((self.env.term(key), self.env.term(value)))
    }
}

impl Drop for Pairs<'_> {
    fn drop(&mut self) {
        // SAFETY: the iterator was made for this environment, and nobody uses it any more.
        unsafe { sys::enif_map_iterator_destroy(self.env.raw(), &mut self.raw) };
    }
}
