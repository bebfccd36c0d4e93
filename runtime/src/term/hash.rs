//! Hashing of terms: the internal hash of map keys and tables. Terms that are `=:=` have equal hashes.

use super::{Kind, Term, bits, compare, map};
use crate::release;

const K: u64 = 0x9e37_79b9_7f4a_7c15;

#[inline(always)]
fn mix(h: u64, w: u64) -> u64 {
    let m = u128::from(h ^ w).wrapping_mul(u128::from(K | 1) << 1 | 1);
    (m as u64) ^ ((m >> 64) as u64) ^ w.rotate_left(32)
}

#[inline(always)]
fn finish(h: u64) -> u64 {
    let h = (h ^ (h >> 32)).wrapping_mul(0xd6e8_feb8_6659_fd93);
    let h = (h ^ (h >> 32)).wrapping_mul(0xd6e8_feb8_6659_fd93);
    h ^ (h >> 32)
}

/// The internal hash. Differs from run to run where atoms are involved.
#[inline]
pub fn internal(t: Term) -> u64 {
    if t.is_immediate() { finish(immediate(t)) } else { finish(deep(t)) }
}

#[inline(always)]
fn immediate(t: Term) -> u64 {
    // Minus zero's word is 12; where the zeros are equal they must hash alike.
    if t.raw() == 12 && !release::signed_zeros_differ() { 4 } else { t.raw() }
}

fn deep(t: Term) -> u64 {
    let mut h = K;
    let mut stack = vec![t];
    while let Some(mut t) = stack.pop() {
        while t.is_cons() {
            let head = t.head();
            if head.is_immediate() {
                h = mix(h, immediate(head));
            } else {
                h = mix(h, 1);
                stack.push(t.tail());
                t = head;
                continue;
            }
            t = t.tail();
        }
        if t.is_immediate() {
            h = mix(h, immediate(t));
        } else {
            h = object(h, t, &mut stack);
        }
    }
    h
}

fn object(h: u64, t: Term, stack: &mut Vec<Term>) -> u64 {
    let head = t.header();
    match head.kind() {
        Kind::Tuple | Kind::Record | Kind::FlatMap => {
            let mut h = mix(h, head.0);
            for &e in t.terms_from(1, head.words()).iter().rev() {
                if e.is_immediate() {
                    h = mix(h, immediate(e));
                } else {
                    stack.push(e);
                }
            }
            h
        }
        Kind::HashMap => {
            // Pairs commute: equal maps may have different tries only in the order of collisions.
            let sum = map::iter(t)
                .fold(0u64, |s, (k, v)| s.wrapping_add(mix(internal(k), internal(v))));
            mix(mix(h, t.word(1)), sum)
        }
        Kind::HeapBits | Kind::BinRef | Kind::SubBits => {
            let v = bits::view(t);
            let mut h = mix(h, v.bits as u64);
            let mut at = 0;
            while at < v.bits {
                let n = (v.bits - at).min(64);
                h = mix(h, bits::read_bits(v.data, v.offset + at, n));
                at += n;
            }
            h
        }
        Kind::Fun => {
            let e = compare::fun_entry(t);
            let n = head.words() - 2;
            stack.extend(t.terms_from(3, n));
            mix(mix(h, u64::from(e.module.index())), u64::from(e.old_uniq) << 32 | u64::from(e.index))
        }
        Kind::MagicRef => mix(h, t.word(2)),
        _ => (0..=head.words()).fold(h, |h, i| mix(h, t.word(i))),
    }
}
