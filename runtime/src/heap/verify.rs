//! The heap verifier: every word well formed, every pointer in its own heap, a live literal area or a
//! fragment that is allowed. Runs after each collection in debug builds and with `--verify-heap`.

use super::gc::{ProcHeap, Roots};
use super::literal;
use crate::term::{Header, Term, boxed};

/// Checks a heap and its roots; a fault is a broken invariant.
pub fn verify(heap: &ProcHeap, roots: &mut dyn Roots) {
    let allowed = |t: Term| {
        t.is_immediate()
            || heap.holds(t.ptr())
            || literal::is_literal(t.ptr()) && literal::is_live(t.ptr())
    };
    roots.visit(&mut |slots| {
        for &t in slots.iter() {
            if !allowed(t) {
                fault("a root points outside the heap", t.raw());
            }
            if t.is_boxed() && !Header::is_header(t.word(0)) {
                fault("a root points to a word that is no header", t.word(0));
            }
        }
    });
    for (start, len) in heap.blocks() {
        let mut i = 0;
        while i < len {
            // SAFETY: inside the used part of the block.
            let w = unsafe { *start.add(i) };
            if !Header::is_header(w) {
                if !allowed(Term(w)) {
                    fault("a list cell points outside the heap", w);
                }
                i += 1;
                continue;
            }
            let h = Header(w);
            if i + 1 + h.words() > len {
                fault("an object reaches beyond its block", w);
            }
            for k in boxed::term_words(h) {
                // SAFETY: inside the object.
                let t = Term(unsafe { *start.add(i + k) });
                if !allowed(t) {
                    fault("an object points outside the heap", t.raw());
                }
            }
            i += 1 + h.words();
        }
    }
}

#[cold]
fn fault(what: &str, word: u64) -> ! {
    crate::bug::vm_bug(&format!("heap verifier: {what} ({word:#x})"))
}
