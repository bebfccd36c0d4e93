//! Terms as drivers describe them: words by which a stack is worked.

use super::binary::{BinaryPtr, DriverBinary};
use crate::c::{Ptr, Word};
use enigma_runtime::data::map;
use enigma_runtime::etf::decode;
use enigma_runtime::{Heap, Term};

/// Words that are left.
struct Words<'a>(&'a [u64]);

impl Words<'_> {
    fn next(&mut self) -> Option<u64> {
        let (&first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(first)
    }

    fn size(&mut self) -> Option<usize> {
        usize::try_from(self.next()?).ok()
    }

    /// A number of elements: C takes it for an `int`.
    fn count(&mut self) -> Option<usize> {
        usize::try_from(self.next()? as i32).ok()
    }

    /// A term that the driver has from a function of the interface.
    fn term(&mut self, is: fn(Term) -> bool) -> Option<Term> {
        Word::of_raw(self.next()?).get().filter(|&t| is(t))
    }

    /// What a word leads to.
    fn value<T: Copy>(&mut self) -> Option<T> {
        Ptr::to(std::ptr::with_exposed_provenance_mut::<T>(self.size()?))
            .get()
            .copied()
    }

    /// Bytes, which may be none where there are to be none.
    fn bytes<'a>(&mut self) -> Option<&'a [u8]> {
        let at = std::ptr::with_exposed_provenance_mut::<u8>(self.size()?);
        let len = self.size()?;
        if at.is_null() && len > 0 || i32::try_from(len).is_err() {
            return None;
        }
        Some(Ptr::to(at).slice(len))
    }
}

/// The term that the words describe; nothing if they describe none.
pub fn build(words: &[u64], h: &mut Heap) -> Option<Term> {
    let mut w = Words(words);
    let mut stack: Vec<Term> = Vec::new();
    while let Some(what) = w.next() {
        let made = match what {
            1 => Term::NIL,
            2 => w.term(Term::is_atom)?,
            3 => h.int(w.next()? as i64),
            4 => w.term(Term::is_local_port)?,
            5 => {
                let p: BinaryPtr = Ptr::to(std::ptr::with_exposed_provenance_mut(w.size()?));
                let (len, at) = (w.size()?, w.size()?);
                DriverBinary::share(p)?.to_term(at, len, h)?
            }
            6 => h.byte_list(w.bytes()?),
            7 => {
                let elements = take(&mut stack, w.count()?)?;
                h.tuple(&elements)
            }
            8 => {
                let mut elements = take(&mut stack, w.count()?)?;
                let tail = elements.pop()?;
                h.list_with_tail(&elements, tail)
            }
            9 => {
                let bytes = w.bytes()?;
                let tail = stack.pop()?;
                h.byte_list_with_tail(bytes, tail)
            }
            10 => w.term(Term::is_local_pid)?,
            11 => {
                let f: f64 = w.value()?;
                f.is_finite().then(|| h.float(f))?
            }
            12 => {
                let bytes = w.bytes()?;
                decode::decode_trusted(bytes, h).ok()?
            }
            13 => h.uint(w.next()?),
            14 => h.binary(w.bytes()?),
            15 => {
                let n: i64 = w.value()?;
                h.int(n)
            }
            16 => {
                let n: u64 = w.value()?;
                h.uint(n)
            }
            17 => {
                let count = w.count()?;
                let elements = take(&mut stack, count.checked_mul(2)?)?;
                let pairs: Vec<(Term, Term)> =
                    elements.chunks_exact(2).map(|p| (p[0], p[1])).collect();
                let made = map::from_pairs(h, &pairs);
                (map::size(made) == count).then_some(made)?
            }
            _ => return None,
        };
        stack.push(made);
    }
    match stack[..] {
        [t] => Some(t),
        _ => None,
    }
}

fn take(stack: &mut Vec<Term>, count: usize) -> Option<Vec<Term>> {
    let from = stack.len().checked_sub(count)?;
    Some(stack.split_off(from))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_that_describe_no_term_are_refused() {
        let mut h = Heap::new();
        for bad in [
            &[][..],
            &[1, 1],
            &[7],
            &[7, 1],
            &[8, 0],
            &[9, 0, 0],
            &[3],
            &[99],
            &[6, 0, 1],
        ] {
            assert!(build(bad, &mut h).is_none(), "{bad:?}");
        }
        let pair = build(&[3, 1, 3, 2, 7, 2], &mut h).unwrap();
        assert_eq!(pair.as_tuple_n::<2>().unwrap()[1].as_small(), Some(2));
        let list = build(&[3, 1, 1, 8, 2], &mut h).unwrap();
        assert_eq!(enigma_runtime::term::list::length(list), Some(1));
    }
}
