//! A process gives up its pointers into literal areas that are being released: it copies what it holds
//! of them (see `heap::release`).

use super::{Owned, ProcRoots, verify_heaps};
use crate::heap::gc::Roots;
use crate::heap::release::{self, Ranges};
use crate::heap::{Heap, copy, walk};
use crate::term::{Kind, Term, boxed};
use std::collections::HashMap;

/// Copies literals into a heap, each once however often it is met.
struct Copier<'a> {
    ranges: &'a Ranges,
    to: &'a mut Heap,
    /// Copies by the address of the original.
    copies: HashMap<usize, Term>,
    /// Words of copies that are still to be looked at.
    todo: Vec<*mut Term>,
}

impl Copier<'_> {
    /// Replaces the term in the slot if it points into the ranges.
    ///
    /// # Safety
    /// The slot holds a term.
    #[inline]
    unsafe fn visit(&mut self, slot: *mut Term) {
        // SAFETY: as the caller promises.
        unsafe {
            if self.ranges.hold_term(*slot) {
                *slot = self.copied(*slot);
            }
        }
    }

    fn copied(&mut self, t: Term) -> Term {
        let key = t.ptr() as usize;
        if let Some(&c) = self.copies.get(&key) {
            return c;
        }
        let c = if t.is_cons() {
            let c = self.to.cons(t.head(), t.tail());
            self.todo
                .extend([c.ptr().cast(), c.ptr().wrapping_add(1).cast()]);
            c
        } else {
            let c = if t.is_kind(Kind::SubBits) {
                self.to
                    .sub_bits(Term(t.word(1)), t.word(2) as usize, t.word(3) as usize)
            } else {
                copy::copy_boxed(t, self.to)
            };
            let words = boxed::term_words(c.header());
            self.todo
                .extend(words.map(|k| c.ptr().wrapping_add(k).cast::<Term>()));
            c
        };
        self.copies.insert(key, c);
        c
    }

    /// Copies what the copies refer to.
    fn finish(&mut self) -> bool {
        while let Some(slot) = self.todo.pop() {
            // SAFETY: a word of a copy that holds a term.
            unsafe { self.visit(slot) };
        }
        !self.copies.is_empty()
    }
}

/// Copies all that the process holds of the areas that are being released. Its X registers are at rest in
/// `own.saved`. Gives how many words were looked at.
pub fn copy_releasing(own: &mut Owned) -> usize {
    let Some(ranges) = release::current() else {
        return 0;
    };
    own.mailbox.pin_peeked(&mut own.heap.young);
    own.mailbox.copy_releasing(ranges);
    let blocks: Vec<(*mut u64, usize)> = own.heap.blocks().collect();
    let looked_at = blocks.iter().map(|b| b.1).sum();
    let mut roots = ProcRoots {
        live: &mut [],
        saved: &mut own.saved,
        stack: own.stack.slots(),
        dict: &mut own.dict,
        mailbox: &mut own.mailbox,
        group_leader: &mut own.group_leader,
        rare: own.rare.as_deref_mut(),
    };
    if verify_heaps() {
        crate::heap::verify::verify(&own.heap, &mut roots);
    }
    let mut copier = Copier {
        ranges,
        to: &mut own.heap.young,
        copies: HashMap::new(),
        todo: Vec::new(),
    };
    roots.visit(&mut |slots| {
        for slot in slots {
            // SAFETY: roots hold terms, or words that are no pointers.
            unsafe { copier.visit(slot) };
        }
    });
    for (start, len) in blocks {
        // SAFETY: the blocks of a heap are filled with whole objects and cells; the copies go to words
        // behind them.
        unsafe { walk::each_term(start, len, |slot| copier.visit(slot)) };
    }
    if copier.finish() {
        // Old objects may point to young copies now, which only a major collection understands.
        own.heap.request_collection(true);
        if !own.heap.is_long_to_collect() {
            own.collect(&mut [], 0, true);
        }
    }
    looked_at
}
