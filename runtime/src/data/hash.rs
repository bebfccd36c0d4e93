//! Hashing of terms: the internal hash of map keys and tables. Terms that are `=:=` have equal hashes.
//!
//! The hash decides in which order the pairs of a large map come out, and programs are written, knowingly
//! or not, against the order that they see. So this is BEAM's own function of the release in force: from
//! OTP 26 on 64 bits after Austin Appleby's MurmurHash3, before that 32 bits after Bob Jenkins. Where the
//! hash depends on addresses or on the numbers of atoms, the order differs between runs on BEAM, too.

use crate::data::{bignum, compare, map, phash, record};
use crate::heap::bits;
use crate::release;
use crate::term::fun::fun_name;
use crate::term::{Kind, Term};

/// The internal hash.
#[inline]
pub fn internal(t: Term) -> u64 {
    if release::number() >= 26 {
        murmur::hash(t)
    } else {
        jenkins::hash(t)
    }
}

/// Integers of this many bits and sign are immediate on BEAM.
const BEAM_SMALL_BITS: u32 = 59;

/// BEAM's word for an immediate; nothing for what has memory there.
#[inline(always)]
fn immediate(t: Term) -> Option<u64> {
    if let Some(n) = t.as_small() {
        let small = (-(1 << BEAM_SMALL_BITS)..1 << BEAM_SMALL_BITS).contains(&n);
        return small.then_some((n << 4) as u64 | 0xf);
    }
    if let Some(a) = t.as_atom() {
        return Some(u64::from(a.index()) << 6 | 0xb);
    }
    if t.is_nil() {
        return Some(0x3b);
    }
    if let Some(p) = t.as_local_pid() {
        return Some(p << 4 | 0x3);
    }
    t.as_local_port().map(|p| p << 4 | 0x7)
}

/// The float's bits; the two zeros are alike where they are equal.
fn float_bits(f: f64) -> u64 {
    if f == 0.0 && !release::signed_zeros_differ() {
        0
    } else {
        f.to_bits()
    }
}

/// The value of a byte in a string.
#[inline(always)]
fn byte(t: Term) -> Option<u8> {
    t.as_small().and_then(|n| u8::try_from(n).ok())
}

/// The pairs of a collision, combined without regard to their order, in which equal maps may differ.
fn unordered(t: Term, hash: fn(Term) -> u64) -> u64 {
    map::children(t).iter().fold(0u64, |sum, p| {
        let (k, v) = (hash(p.head()), hash(p.tail()));
        sum.wrapping_add(k.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ v.rotate_left(32))
    })
}

/// Terms still to be hashed: a few without memory of their own, then more.
struct TermStack<const N: usize> {
    few: [Term; N],
    len: usize,
    more: Vec<Term>,
}

impl<const N: usize> TermStack<N> {
    #[inline(always)]
    fn new() -> TermStack<N> {
        TermStack {
            few: [Term::NIL; N],
            len: 0,
            more: Vec::new(),
        }
    }

    #[inline(always)]
    fn push(&mut self, t: Term) {
        if self.len < N {
            self.few[self.len] = t;
            self.len += 1;
        } else {
            self.more.push(t);
        }
    }

    #[inline(always)]
    fn pop(&mut self) -> Option<Term> {
        if let Some(t) = self.more.pop() {
            return Some(t);
        }
        self.len = self.len.checked_sub(1)?;
        Some(self.few[self.len])
    }
}

/// Stands before the tail of a list that is no list cell.
const TAIL_FOLLOWS: Term = Term::NONVALUE;

mod murmur {
    use super::*;

    const C1: u64 = 0x87c3_7b91_1142_53d5;
    const C2: u64 = 0x4cf5_ad43_2745_937f;

    /// What is mixed in before the parts of a term, so that terms of different types differ.
    mod mark {
        pub const IMMEDIATE: u64 = 1;
        pub const ELEMENT: u64 = 2;
        pub const HEAD: u64 = 3;
        pub const TAIL: u64 = 4;
        pub const STRING: u64 = 5;
        pub const TUPLE: u64 = 6;
    }

    /// Marks behind those of `mark`. From OTP 29 on native records come before them.
    #[derive(Clone, Copy)]
    enum Late {
        FlatMap = 7,
        /// A large map whose uppermost node is full.
        FullHashMap = 8,
        HashMap = 9,
        HashNode = 10,
        Binary = 11,
        Fun = 12,
        Export = 13,
        NegativeBig = 14,
        PositiveBig = 15,
        Reference = 16,
        ExternalReference = 17,
        ExternalPid = 18,
        ExternalPort = 19,
        Float = 20,
    }

    fn late(mark: Late) -> u64 {
        mark as u64 + u64::from(release::number() >= 29)
    }

    /// The mark of native records.
    const RECORD: u64 = 7;

    #[inline(always)]
    fn finish(h: u64) -> u64 {
        let h = (h ^ (h >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
        let h = (h ^ (h >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
        h ^ (h >> 33)
    }

    #[inline(always)]
    fn scramble_alpha(w: u64) -> u64 {
        w.wrapping_mul(C1).rotate_left(31).wrapping_mul(C2)
    }

    #[inline(always)]
    fn scramble_beta(w: u64) -> u64 {
        w.wrapping_mul(C2).rotate_left(33).wrapping_mul(C1)
    }

    struct State {
        alpha: u64,
        beta: u64,
        ticks: u64,
    }

    impl State {
        fn new() -> State {
            State {
                alpha: 0,
                beta: 0,
                ticks: 0,
            }
        }

        #[inline(always)]
        fn alpha(&mut self, w: u64) {
            let a = (self.alpha ^ scramble_alpha(w))
                .rotate_left(27)
                .wrapping_add(self.beta);
            self.alpha = a.wrapping_mul(5).wrapping_add(0x52dc_e729);
            self.ticks += 1;
        }

        #[inline(always)]
        fn beta(&mut self, w: u64) {
            let b = (self.beta ^ scramble_beta(w))
                .rotate_left(31)
                .wrapping_add(self.alpha);
            self.beta = b.wrapping_mul(5).wrapping_add(0x3849_5ab5);
            self.ticks += 1;
        }

        #[inline(always)]
        fn immediate(&mut self, word: u64) {
            self.alpha(mark::IMMEDIATE);
            self.beta(word);
        }

        /// Mixes an immediate in, or notes that there is something else and leaves it for later.
        #[inline(always)]
        fn element(&mut self, t: Term, pending: &mut TermStack<12>) {
            match immediate(t) {
                Some(w) => self.immediate(w),
                None => {
                    self.alpha(mark::ELEMENT);
                    pending.push(t);
                }
            }
        }

        fn result(self) -> u64 {
            let a = self.alpha ^ self.ticks;
            let b = self.beta ^ self.ticks;
            let a = a.wrapping_add(b);
            let b = b.wrapping_add(a);
            let (a, b) = (finish(a), finish(b));
            let a = a.wrapping_add(b);
            a ^ b.wrapping_add(a)
        }
    }

    #[inline]
    pub fn hash(t: Term) -> u64 {
        match immediate(t) {
            Some(w) => finish(w),
            None if t.is_kind(Kind::HeapBits) => {
                let mut s = State::new();
                bitstring(t, &mut s);
                s.result()
            }
            None => deep(t),
        }
    }

    fn deep(t: Term) -> u64 {
        let mut s = State::new();
        let mut pending = TermStack::<12>::new();
        let mut t = t;
        loop {
            if t.is_cons() {
                t = cell(t, &mut s, &mut pending);
                continue;
            }
            if let Some(w) = immediate(t) {
                s.immediate(w);
            } else if let Some(last) = compound(t, &mut s, &mut pending) {
                t = last;
                continue;
            }
            t = match pending.pop() {
                None => return s.result(),
                Some(TAIL_FOLLOWS) => {
                    s.beta(mark::TAIL);
                    pending.pop().unwrap_or(Term::NIL)
                }
                Some(next) => next,
            };
        }
    }

    /// Mixes in the bytes at the front of a list and what can be done of the next cell; gives what to go
    /// on with.
    #[inline(always)]
    fn cell(mut t: Term, s: &mut State, pending: &mut TermStack<12>) -> Term {
        let (mut word, mut n) = (0u64, 0u64);
        while t.is_cons()
            && let Some(b) = byte(t.head())
        {
            word = word << 8 | u64::from(b);
            n += 1;
            if n == 4 {
                s.alpha(mark::STRING | n << 8 | word << 32);
                (word, n) = (0, 0);
            }
            t = t.tail();
        }
        if n > 0 {
            s.alpha(mark::STRING | n << 8 | word << 32);
        }
        if !t.is_cons() {
            return t;
        }
        let (head, tail) = (t.head(), t.tail());
        if let Some(w) = immediate(head) {
            s.alpha(mark::IMMEDIATE | mark::HEAD << 32);
            s.beta(w);
            if !tail.is_cons() {
                s.alpha(mark::TAIL);
            }
            return tail;
        }
        pending.push(tail);
        if !tail.is_cons() {
            pending.push(TAIL_FOLLOWS);
        }
        s.alpha(mark::HEAD);
        head
    }

    /// Elements in their order; gives the last one to go on with.
    #[inline(always)]
    fn all_but_last(items: &[Term], s: &mut State, pending: &mut TermStack<12>) -> Option<Term> {
        let (&last, others) = items.split_last()?;
        for &e in others {
            s.element(e, pending);
        }
        Some(last)
    }

    /// The children of a node of a large map: pairs, and nodes for later.
    fn nodes(children: &[Term], s: &mut State, pending: &mut TermStack<12>) {
        for &c in children {
            if c.is_cons() {
                s.element(c.tail(), pending);
                s.element(c.head(), pending);
            } else {
                pending.push(c);
            }
        }
    }

    /// Mixes in what is no immediate and no list; gives a part to go on with, if there is one.
    fn compound(t: Term, s: &mut State, pending: &mut TermStack<12>) -> Option<Term> {
        if let Some(f) = t.as_float() {
            s.alpha(late(Late::Float));
            s.beta(float_bits(f));
            return None;
        }
        if t.is_integer() {
            integer(t, s);
            return None;
        }
        let h = t.header();
        match h.kind() {
            Kind::Tuple => {
                s.alpha(mark::TUPLE);
                s.beta(h.words() as u64);
                return all_but_last(t.terms_from(1, h.words()), s, pending);
            }
            Kind::FlatMap => {
                let (keys, values) = map::flat_parts(t);
                s.alpha(late(Late::FlatMap));
                s.beta(keys.len() as u64);
                let last = keys.len().checked_sub(1)?;
                for i in 0..last {
                    s.element(values[i], pending);
                    s.element(keys[i], pending);
                }
                s.element(values[last], pending);
                return Some(keys[last]);
            }
            Kind::HashMap => {
                let children = map::children(map::root(t));
                s.alpha(late(match children.len() {
                    16 => Late::FullHashMap,
                    _ => Late::HashMap,
                }));
                s.beta(map::size(t) as u64);
                nodes(children, s, pending);
            }
            Kind::HashNode => {
                s.alpha(late(Late::HashNode));
                nodes(map::children(t), s, pending);
            }
            Kind::HashCollision => s.alpha(unordered(t, hash)),
            Kind::HeapBits | Kind::BinRef | Kind::SubBits | Kind::MatchCtx => bitstring(t, s),
            Kind::Fun => {
                let e = fun_name(t);
                let env = t.fun_env().unwrap_or(&[]);
                s.alpha(late(Late::Fun) | (env.len() as u64) << 32);
                s.beta(u64::from(e.index) | u64::from(e.old_uniq) << 32);
                s.immediate(u64::from(e.module.index()) << 6 | 0xb);
                return all_but_last(env, s, pending);
            }
            Kind::Export => {
                s.alpha(late(Late::Export));
                s.beta(t.word(1));
            }
            Kind::Ref | Kind::MagicRef => {
                let (number, owner) = match h.kind() {
                    Kind::Ref => (t.word(1), t.word(2)),
                    _ => (t.word(2), 0),
                };
                s.alpha(late(Late::Reference) | (number & 0x3_ffff) << 32);
                s.beta(number >> 18);
                if owner != 0 {
                    s.alpha(owner.rotate_left(32));
                }
            }
            Kind::ExtRef => {
                let last = compare::last_ref_word(t);
                s.alpha(late(Late::ExternalReference) | (last as u64) << 32);
                (3..=last).for_each(|i| s.beta(t.word(i)));
                s.alpha(t.word(1));
            }
            Kind::ExtPid | Kind::ExtPort => {
                let pid = h.kind() == Kind::ExtPid;
                s.alpha(late(if pid {
                    Late::ExternalPid
                } else {
                    Late::ExternalPort
                }));
                s.beta(t.word(1));
                s.alpha(t.word(2));
            }
            Kind::Record => {
                s.alpha(RECORD);
                s.element(record::definition(t), pending);
                return all_but_last(record::values(t), s, pending);
            }
            k => crate::bug::vm_bug(&format!("a {k:?} in a term to be hashed")),
        }
        None
    }

    fn integer(t: Term, s: &mut State) {
        let mut buf = [0];
        let (negative, limbs) = bignum::limbs(t, &mut buf);
        let sign = late(if negative {
            Late::NegativeBig
        } else {
            Late::PositiveBig
        });
        s.alpha(sign | (limbs.len() as u64) << 32);
        let mut pairs = limbs.chunks_exact(2);
        for pair in pairs.by_ref() {
            s.alpha(pair[0]);
            s.beta(pair[1]);
        }
        if let [last] = *pairs.remainder() {
            s.beta(last);
        }
    }

    fn bitstring(t: Term, s: &mut State) {
        let v = bits::view(t);
        s.alpha(late(Late::Binary));
        s.beta(v.bits as u64);
        if v.bits == 0 {
            return;
        }
        let bytes = v.to_bytes();
        let (whole, extra) = (v.bits / 8, v.bits % 8);
        let word = |b: &[u8]| b.iter().rev().fold(0u64, |w, &b| w << 8 | u64::from(b));
        let (blocks, rest) = bytes[..whole].as_chunks::<16>();
        for b in blocks {
            let block = u128::from_le_bytes(*b);
            s.alpha(block as u64);
            s.beta((block >> 64) as u64);
        }
        if rest.len() > 8 {
            s.beta ^= scramble_beta(word(&rest[8..]));
        }
        if !rest.is_empty() {
            s.alpha ^= scramble_alpha(word(&rest[..rest.len().min(8)]));
        }
        if extra > 0 {
            s.alpha(u64::from(bytes[whole] >> (8 - extra)));
        }
    }
}

mod jenkins {
    use super::*;
    use crate::data::phash::{block, mix, mix2, seed};

    const START: u32 = 3_432_918_353;

    /// Mixes in a constant, cheaply.
    fn mark(hash: u32, constant: u32) -> u32 {
        (hash ^ constant).rotate_left(17)
    }

    fn word(hash: u32, w: u64) -> u32 {
        mix2(hash, w as u32, (w >> 32) as u32, seed(1))
    }

    #[inline]
    pub fn hash(t: Term) -> u64 {
        let h = match immediate(t) {
            Some(w) => word(START, w),
            None => deep(t),
        };
        // Deep levels of a trie go on with bits that are not simply the same again.
        let h = u64::from(h);
        h | (h.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32) << 32
    }

    fn deep(t: Term) -> u32 {
        let mut h = START;
        let mut pending = TermStack::<12>::new();
        let mut next = Some(t);
        while let Some(t) = next {
            if t == TAIL_FOLLOWS {
                h = mark(h, seed(18));
            } else if let Some(w) = immediate(t) {
                h = word(h, w);
            } else if t.is_cons() {
                h = list(h, t, &mut pending);
            } else {
                h = compound(h, t, &mut pending);
            }
            next = pending.pop();
        }
        h
    }

    fn list(mut h: u32, mut t: Term, pending: &mut TermStack<12>) -> u32 {
        let (mut word, mut n) = (0u32, 0u32);
        while t.is_cons()
            && let Some(b) = byte(t.head())
        {
            word = word << 8 | u32::from(b);
            n += 1;
            if n == 4 {
                h = mix(h, word, seed(4));
                (word, n) = (0, 0);
            }
            t = t.tail();
        }
        if n > 0 {
            h = mix2(h, word, n, seed(22));
        }
        let Some((head, tail)) = t.as_cons() else {
            pending.push(t);
            return h;
        };
        pending.push(tail);
        if !tail.is_cons() {
            pending.push(TAIL_FOLLOWS);
        }
        pending.push(head);
        mark(h, seed(17))
    }

    /// Leaves the pairs and nodes below a node of a large map for later.
    fn nodes(node: Term, pending: &mut TermStack<12>) {
        for &c in map::children(node) {
            if c.is_cons() {
                pending.push(c.tail());
                pending.push(c.head());
            } else {
                pending.push(c);
            }
        }
    }

    fn compound(h: u32, t: Term, pending: &mut TermStack<12>) -> u32 {
        let push_all = |items: &[Term], pending: &mut TermStack<12>| {
            items.iter().rev().for_each(|&e| pending.push(e));
        };
        if let Some(f) = t.as_float() {
            let b = float_bits(f);
            return mix2(h, b as u32, (b >> 32) as u32, seed(12));
        }
        if t.is_integer() {
            return phash::limbs_hash(h, t);
        }
        let head = t.header();
        match head.kind() {
            Kind::Tuple => {
                push_all(t.terms_from(1, head.words()), pending);
                mix(h, head.words() as u32, seed(9))
            }
            Kind::FlatMap => {
                let (keys, values) = map::flat_parts(t);
                for (&k, &v) in keys.iter().zip(values).rev() {
                    pending.push(v);
                    pending.push(k);
                }
                mix(h, keys.len() as u32, seed(16))
            }
            Kind::HashMap => {
                nodes(map::root(t), pending);
                mix(h, map::size(t) as u32, seed(16))
            }
            Kind::HashNode => {
                nodes(t, pending);
                h
            }
            Kind::HashCollision => {
                let sum = unordered(t, hash);
                mix2(h, sum as u32, (sum >> 32) as u32, seed(16))
            }
            Kind::HeapBits | Kind::BinRef | Kind::SubBits | Kind::MatchCtx => {
                let v = bits::view(t);
                let initial = h.wrapping_add(seed(13));
                if v.bits == 0 {
                    return initial;
                }
                let bytes = v.to_bytes();
                let (whole, extra) = (v.bits / 8, v.bits % 8);
                let h = block(&bytes[..whole], initial);
                if extra == 0 {
                    return h;
                }
                mix2(
                    h,
                    extra as u32,
                    u32::from(bytes[whole] >> (8 - extra)),
                    seed(15),
                )
            }
            Kind::Fun => {
                let e = fun_name(t);
                let env = t.fun_env().unwrap_or(&[]);
                push_all(env, pending);
                let h = mix2(h, env.len() as u32, e.module.index() << 6 | 0xb, seed(20));
                mix2(h, e.index, e.old_uniq, seed(21))
            }
            Kind::Ref | Kind::MagicRef | Kind::ExtRef => {
                let mut ids = compare::ref_ids(t);
                ids.reverse();
                let id = |i: usize| ids.get(i).copied().unwrap_or(0);
                let h = mix(h, id(0), seed(7));
                let h = mix2(h, id(1), id(2), seed(8));
                mix2(h, id(3), id(4), seed(8))
            }
            Kind::Record => {
                push_all(record::values(t), pending);
                pending.push(record::definition(t));
                h
            }
            // What is left consists of words that are no terms.
            _ => (0..=head.words()).fold(h, |h, i| word(h, t.word(i))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::heap::Heap;

    /// The keys in the order of an iterator on BEAM (OTP 27, and 25 where `release` says so).
    #[test]
    fn large_maps_have_the_order_of_beam() {
        let mut h = Heap::new();
        let pairs: Vec<(Term, Term)> = (1..=40).map(|n| (Term::small(n), Term::NIL)).collect();
        let m = map::from_pairs(&mut h, &pairs);
        let order: Vec<i64> = map::iter(m).map(|p| p.0.small_value()).collect();
        assert_eq!(
            order,
            [
                18, 4, 34, 12, 19, 29, 13, 2, 7, 38, 31, 8, 10, 23, 9, 15, 35, 36, 32, 1, 25, 28,
                20, 6, 11, 17, 24, 37, 40, 14, 33, 3, 16, 30, 21, 5, 27, 26, 22, 39
            ]
        );
        let mut old: Vec<i64> = (1..=40).collect();
        old.sort_by_key(|&n| {
            let h = jenkins::hash(Term::small(n));
            (0..16).map(|i| h >> (4 * i) & 15).collect::<Vec<u64>>()
        });
        assert_eq!(old[..12], [16, 18, 5, 19, 27, 35, 10, 24, 36, 4, 21, 22]);
    }

    #[test]
    fn equal_terms_have_equal_hashes() {
        let mut h = Heap::new();
        let bytes: Vec<u8> = (0..100).collect();
        let whole = h.binary(&bytes);
        let part = bits::share(&bits::view(whole).part(8 * 3 + 3, 8 * 70), &mut h);
        let copy = bits::copy_out(&bits::view(part), &mut h);
        assert!(compare::exact_eq(part, copy));
        assert_eq!(murmur::hash(part), murmur::hash(copy));
        assert_eq!(jenkins::hash(part), jenkins::hash(copy));
        let a = h.list(&[Term::small(1), Term::small(300), part]);
        let b = h.list(&[Term::small(1), Term::small(300), copy]);
        assert_eq!(murmur::hash(a), murmur::hash(b));
        assert_eq!(jenkins::hash(a), jenkins::hash(b));
    }
}
