//! `select_val` and `select_tuple_arity`: a table of distances for dense small integers, sorted words
//! otherwise, a chain of comparisons where a value is no immediate.

use super::Translator;
use super::arith::is_plain_immediate;
use crate::code::fields::Distances;
use crate::code::forms;
use crate::code::operand::{MAX_FIELD, Place};
use crate::code::ops;
use crate::term::Term;
use enigma_loader::Operand;

/// Translates `select_val`.
pub fn values(t: &mut Translator<'_>, value: Place, otherwise: u32, list: &[Operand]) {
    let mut pairs: Vec<(u64, u32)> = list
        .chunks_exact(2)
        .filter_map(|p| Some((t.constant(&p[0])?.raw(), p[1].label()?)))
        .collect();
    if pairs.iter().any(|p| !is_plain_immediate(p.0)) {
        for (word, label) in pairs {
            t.asm
                .compare(ops::IS_NE_EXACT, value, Place::K(word), label);
        }
        t.asm.jump_to(ops::JUMP, otherwise);
        return;
    }
    pairs.sort_unstable();
    pairs.dedup_by_key(|p| p.0);
    // SAFETY: the words are terms' own.
    let small = |w: u64| unsafe { Term::from_raw(w) }.as_small();
    let least = pairs.iter().filter_map(|p| small(p.0)).min();
    let greatest = pairs.iter().filter_map(|p| small(p.0)).max();
    if let (Some(lo), Some(hi)) = (least, greatest)
        && pairs.iter().all(|p| small(p.0).is_some())
        && pairs.len() >= 4
        && hi.wrapping_sub(lo) < (pairs.len() as i64 * 3).min(MAX_FIELD as i64)
    {
        range(t, value, otherwise, lo, hi, &pairs);
    } else {
        sorted(t, ops::SELECT, value, otherwise, &pairs);
    }
}

fn range(
    t: &mut Translator<'_>,
    value: Place,
    otherwise: u32,
    lo: i64,
    hi: i64,
    pairs: &[(u64, u32)],
) {
    let count = (hi - lo + 1) as usize;
    let at = t.asm.begin(ops::SELECT_RANGE);
    t.asm.place(at, forms::select_range::VALUE, value);
    t.asm.set(at, forms::select_range::COUNT, count);
    t.asm.jump(at, forms::select_range::OTHERWISE, otherwise);
    t.asm.set(at, forms::select_range::LEAST, lo as usize);
    let labels = (0..count).map(|i| {
        let word = Term::small(lo + i as i64).raw();
        pairs
            .binary_search_by_key(&word, |p| p.0)
            .map_or(otherwise, |i| pairs[i].1)
    });
    let labels: Vec<u32> = labels.collect();
    distances(t, at, &labels);
}

/// Most pairs of one instruction; more are several that are tried one after the other.
const MAX_PAIRS: usize = 0x8000;

fn sorted(t: &mut Translator<'_>, op: u16, value: Place, otherwise: u32, pairs: &[(u64, u32)]) {
    if pairs.len() > MAX_PAIRS {
        let (first, rest) = pairs.split_at(MAX_PAIRS);
        let next = t.asm.fresh_label();
        sorted(t, op, value, next, first);
        t.asm.label(next);
        return sorted(t, op, value, otherwise, rest);
    }
    let at = t.asm.begin(op);
    t.asm.place(at, forms::select::VALUE, value);
    t.asm.set(at, forms::select::COUNT, pairs.len());
    t.asm.jump(at, forms::select::OTHERWISE, otherwise);
    for p in pairs {
        t.asm.word(p.0);
    }
    let labels: Vec<u32> = pairs.iter().map(|p| p.1).collect();
    distances(t, at, &labels);
}

fn distances(t: &mut Translator<'_>, at: usize, labels: &[u32]) {
    for two in labels.chunks(2) {
        let w = t.asm.word(0);
        for (i, &l) in two.iter().enumerate() {
            t.asm.distance(at, w, Distances { from: 0 }.at(i), l);
        }
    }
}

/// Translates `select_tuple_arity`.
pub fn arities(t: &mut Translator<'_>, tuple: Place, otherwise: u32, list: &[Operand]) {
    let mut pairs: Vec<(u64, u32)> = list
        .chunks_exact(2)
        .filter_map(|p| Some((p[0].unsigned()?, p[1].label()?)))
        .collect();
    pairs.sort_unstable();
    pairs.dedup_by_key(|p| p.0);
    sorted(t, ops::SELECT_ARITY, tuple, otherwise, &pairs);
}
