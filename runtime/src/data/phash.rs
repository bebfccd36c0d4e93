//! The portable hashes of `erlang:phash2/1,2` and `erlang:phash/2`. They are part of the language: the
//! same term has the same hash on every node, so every constant here is given.
//!
//! `phash2` mixes words with Bob Jenkins' function of 1996; `phash` multiplies byte by byte.

use crate::budget::Budget;
use crate::data::{bignum, compare, map, record};
use crate::heap::bits;
use crate::term::fun::{fun_name, function_name};
use crate::term::{Kind, Term, pid};
use smallvec::SmallVec;
use std::arch::asm;
use std::task::Poll;

/// The golden ratio, of which the seeds are multiples.
const GOLDEN: u32 = 0x9e37_79b9;

/// The hash of `[]` on its own.
const NIL_ALONE: u32 = 3_468_870_702;
/// What `[]` is mixed in as elsewhere.
const NIL_CODE: u32 = 2;

/// The seed with this number.
pub(super) const fn seed(n: u32) -> u32 {
    GOLDEN.wrapping_mul(n)
}

/// The value itself. Compilers turn `x - y - z` into `x - (y + z)`, which has more to do once `z` is there; not so
/// `kept(x - y) - z`.
#[inline(always)]
fn kept(x: u32) -> u32 {
    let mut x = u64::from(x);
    // SAFETY: there is no instruction.
    unsafe {
        asm!("/* {0} */", inout(reg) x, options(pure, nomem, nostack, preserves_flags));
    }
    x as u32
}

#[inline(always)]
fn jenkins(mut a: u32, mut b: u32, mut c: u32) -> (u32, u32, u32) {
    macro_rules! step {
        ($x:ident, $y:ident, $z:ident, $shifted:expr) => {
            $x = kept($x.wrapping_sub($y)).wrapping_sub($z) ^ $shifted;
        };
    }
    step!(a, b, c, c >> 13);
    step!(b, c, a, a << 8);
    step!(c, a, b, b >> 13);
    step!(a, b, c, c >> 12);
    step!(b, c, a, a << 16);
    step!(c, a, b, b >> 5);
    step!(a, b, c, c >> 3);
    step!(b, c, a, a << 10);
    step!(c, a, b, b >> 15);
    (a, b, c)
}

/// `hash` with two words mixed in.
#[inline]
pub(super) fn mix2(hash: u32, x: u32, y: u32, seed: u32) -> u32 {
    jenkins(seed.wrapping_add(x), seed.wrapping_add(y), hash).2
}

#[inline]
pub(super) fn mix(hash: u32, x: u32, seed: u32) -> u32 {
    mix2(hash, x, 0, seed)
}

/// A block of bytes under way.
#[derive(Clone, Copy)]
struct Block(u32, u32, u32);

/// Bytes that are mixed in together.
const GROUP: usize = 12;

fn word(s: &[u8]) -> u32 {
    match *s {
        [a, b, c, d, ..] => u32::from_le_bytes([a, b, c, d]),
        [a, b, c] => u32::from_le_bytes([a, b, c, 0]),
        [a, b] => u32::from_le_bytes([a, b, 0, 0]),
        [a] => u32::from(a),
        [] => 0,
    }
}

impl Block {
    fn new(initial: u32) -> Block {
        Block(GOLDEN, GOLDEN, initial)
    }

    /// Mixes whole groups in.
    fn groups(self, bytes: &[u8]) -> Block {
        let Block(mut a, mut b, mut c) = self;
        for k in bytes.as_chunks::<GROUP>().0 {
            a = a.wrapping_add(word(&k[..4]));
            b = b.wrapping_add(word(&k[4..]));
            c = c.wrapping_add(word(&k[8..]));
            (a, b, c) = jenkins(a, b, c);
        }
        Block(a, b, c)
    }

    /// Mixes in the rest, and the length of all.
    fn finish(self, rest: &[u8], len: usize) -> u32 {
        let Block(a, b, c) = self;
        let part = |from: usize| word(rest.get(from..).unwrap_or(&[]));
        // The last word leaves its lowest byte to the length.
        let c = c.wrapping_add(len as u32).wrapping_add(part(8) << 8);
        jenkins(a.wrapping_add(part(0)), b.wrapping_add(part(4)), c).2
    }
}

/// The hash of a block of bytes.
pub(super) fn block(bytes: &[u8], initial: u32) -> u32 {
    let (groups, rest) = bytes.split_at(bytes.len() - bytes.len() % GROUP);
    Block::new(initial).groups(groups).finish(rest, bytes.len())
}

/// An integer, already known not to be small in the sense of 28 bits.
pub(super) fn limbs_hash(hash: u32, t: Term) -> u32 {
    let mut buf = [0];
    let (negative, limbs) = bignum::limbs(t, &mut buf);
    let seed = seed(if negative { 10 } else { 11 });
    limbs
        .iter()
        .fold(hash, |h, &l| mix2(h, l as u32, (l >> 32) as u32, seed))
}

#[inline(always)]
fn small_hash(hash: u32, t: Term) -> u32 {
    let n = t.small_value();
    if (0..1 << 27).contains(&n) {
        mix(hash, n as u32, GOLDEN)
    } else if (-(1 << 27)..0).contains(&n) {
        mix(mix(hash, -n as u32, GOLDEN), n as u32, GOLDEN)
    } else {
        limbs_hash(hash, t)
    }
}

/// The elements of a tuple from a word up to another, or a whole term.
#[derive(Clone, Copy)]
struct Part {
    t: Term,
    words: Words,
}

/// From a word (in the lower half) up to another; zero for a whole term. In one number, so that it stays in a
/// register.
type Words = u64;

const WHOLE: Words = 0;

/// Parts still to be hashed, the next one last: as many as need no memory of their own.
struct Waiting {
    terms: [Term; Waiting::ROOM],
    words: [Words; Waiting::ROOM],
    len: usize,
}

impl Waiting {
    const ROOM: usize = 10;

    #[inline(always)]
    fn new() -> Waiting {
        Waiting {
            terms: [Term::NIL; Waiting::ROOM],
            words: [WHOLE; Waiting::ROOM],
            len: 0,
        }
    }

    #[inline(always)]
    fn is_full(&self) -> bool {
        self.len == Waiting::ROOM
    }

    /// There must be room.
    #[inline(always)]
    fn push(&mut self, t: Term, words: Words) {
        self.terms[self.len] = t;
        self.words[self.len] = words;
        self.len += 1;
    }

    #[inline(always)]
    fn pop(&mut self) -> Option<(Term, Words)> {
        self.len = self.len.checked_sub(1)?;
        Some((self.terms[self.len], self.words[self.len]))
    }

    fn parts(&self) -> impl Iterator<Item = Part> {
        let all = self.terms.iter().zip(&self.words).take(self.len);
        all.map(|(&t, &words)| Part { t, words })
    }
}

/// What is still to be hashed.
enum Todo {
    Part(Part),
    /// A large map's node.
    Node(Term),
    /// The bytes of a bitstring from this one on, after a multiple of a group.
    Bytes(Term, usize, Block),
    /// A pair of a map is done.
    Pair,
    /// A map is done: the hash before it, and the pairs' hash of the map around it.
    Map {
        before: u32,
        outer: u32,
    },
}

impl Todo {
    fn term(t: Term) -> Todo {
        Todo::Part(Part { t, words: WHOLE })
    }
}

/// The 32-bit hash behind `erlang:phash2`, in steps.
pub struct Hashing {
    todo: SmallVec<[Todo; 2]>,
    hash: u32,
    /// The hashes of the pairs of the map under way are combined without regard to their order.
    pairs: u32,
}

/// Units of work that a term costs, and bytes of a binary that cost one.
const TERM: usize = 1;
const BYTES_PER_UNIT: usize = 1 << 4;

/// Bytes of a bitstring that is hashed at once.
const SHORT: usize = 256;

impl Hashing {
    /// Begins with a term, and goes on as far as the budget and lists and tuples allow.
    pub fn begin(t: Term, budget: &mut Budget) -> Hashing {
        let mut hashing = Hashing {
            todo: SmallVec::new(),
            hash: 0,
            pairs: 0,
        };
        hashing.part(t, WHOLE, budget);
        hashing
    }

    /// The hash, if all is done.
    #[inline]
    pub fn hash(&self) -> Option<u32> {
        self.todo.is_empty().then_some(self.hash)
    }

    /// Goes on to the hash.
    pub fn go_on(&mut self, budget: &mut Budget) -> Poll<u32> {
        while let Some(next) = self.todo.pop() {
            if budget.is_spent() {
                self.todo.push(next);
                return Poll::Pending;
            }
            match next {
                Todo::Part(p) => {
                    self.part(p.t, p.words, budget);
                    continue;
                }
                Todo::Node(t) if t.is_cons() => {
                    let pair = [Todo::Pair, Todo::term(t.tail()), Todo::term(t.head())];
                    self.todo.extend(pair);
                }
                Todo::Node(t) => {
                    let nodes = map::children(t).iter().map(|&k| Todo::Node(k));
                    self.todo.extend(nodes);
                }
                Todo::Bytes(t, at, block) => self.bytes(t, at, block, budget),
                Todo::Pair => {
                    self.pairs ^= self.hash;
                    self.hash = 0;
                }
                Todo::Map { before, outer } => {
                    self.hash = mix(before, self.pairs, seed(19));
                    self.pairs = outer;
                }
            }
            budget.spend(TERM);
        }
        Poll::Ready(self.hash)
    }

    /// Goes through lists and tuples. What is left when the budget is spent, when there is no room, or when something comes
    /// that is neither and has parts, goes to `todo`.
    fn part(&mut self, t: Term, words: Words, budget: &mut Budget) {
        let mut waiting = Waiting::new();
        let (mut hash, mut left) = (self.hash, budget.left());
        let (mut t, mut words) = (t, words);
        loop {
            if left == 0 || waiting.is_full() {
                break self.put_away(hash, &waiting, Todo::Part(Part { t, words }));
            }
            left -= TERM;
            if words != WHOLE {
                let from = words as u32;
                let tuple = t;
                t = Term(tuple.word(from as usize));
                if from + 1 < (words >> 32) as u32 {
                    waiting.push(tuple, words + 1);
                }
                words = WHOLE;
            }
            if t.is_cons() {
                if waiting.is_full() {
                    continue;
                }
                (hash, t) = string_hash(hash, t, &mut left);
                if let Some((head, tail)) = t.as_cons() {
                    if byte(head).is_some() {
                        // The budget is spent.
                        continue;
                    }
                    if let Some(h) = immediate_hash(hash, head) {
                        hash = h;
                        t = tail;
                    } else {
                        waiting.push(tail, WHOLE);
                        t = head;
                    }
                }
                continue;
            }
            if let Some(h) = immediate_hash(hash, t) {
                hash = h;
            } else if t.is_tuple() {
                let n = t.header().words() as u64;
                hash = mix(hash, n as u32, seed(9));
                if n > 0 {
                    words = 1 | (1 + n) << 32;
                    continue;
                }
            } else if let Some(h) = short_bits_hash(hash, t) {
                hash = h;
            } else {
                self.hash = hash;
                self.todo.extend(waiting.parts().map(Todo::Part));
                self.other(t);
                break;
            }
            let Some(next) = waiting.pop() else {
                self.hash = hash;
                break;
            };
            (t, words) = next;
        }
        budget.spend(budget.left() - left);
    }

    #[cold]
    fn put_away(&mut self, hash: u32, waiting: &Waiting, next: Todo) {
        self.hash = hash;
        self.todo.extend(waiting.parts().map(Todo::Part));
        self.todo.push(next);
    }

    /// Mixes in what is rare or long; its parts go to `todo`.
    fn other(&mut self, t: Term) {
        let (hash, todo) = (self.hash, &mut self.todo);
        let h = t.header();
        self.hash = match h.kind() {
            Kind::BigPos | Kind::BigNeg => limbs_hash(hash, t),
            Kind::Float => float_hash(hash, f64::from_bits(t.word(1))),
            Kind::FlatMap | Kind::HashMap => {
                let n = map::size(t);
                let hash = mix(hash, n as u32, seed(16));
                if n > 0 {
                    todo.push(Todo::Map {
                        before: hash,
                        outer: self.pairs,
                    });
                    if h.kind() == Kind::HashMap {
                        todo.push(Todo::Node(map::root(t)));
                    } else {
                        for (k, v) in map::iter(t) {
                            todo.extend([Todo::Pair, Todo::term(v), Todo::term(k)]);
                        }
                    }
                    self.pairs = 0;
                    0
                } else {
                    hash
                }
            }
            Kind::HeapBits | Kind::BinRef | Kind::SubBits | Kind::MatchCtx => {
                let initial = hash.wrapping_add(seed(13));
                if bits::view(t).bits == 0 {
                    initial
                } else {
                    todo.push(Todo::Bytes(t, 0, Block::new(initial)));
                    hash
                }
            }
            Kind::Ref | Kind::MagicRef | Kind::ExtRef => mix(hash, first_ref_id(t), seed(7)),
            Kind::ExtPid => mix(hash, pid_number(t).unwrap_or(0), seed(5)),
            Kind::ExtPort => port_hash(hash, t.word(2)),
            Kind::Fun => {
                let e = fun_name(t);
                let env = t.fun_env().unwrap_or(&[]);
                todo.extend(env.iter().rev().map(|&e| Todo::term(e)));
                let hash = mix2(hash, env.len() as u32, e.module.text_hash(), GOLDEN);
                mix2(hash, e.index, e.old_uniq, GOLDEN)
            }
            Kind::Export => {
                let e = function_name(t);
                let hash = mix2(hash, e.arity, e.module.text_hash(), GOLDEN);
                mix(hash, e.function.text_hash(), seed(14))
            }
            Kind::Record => {
                // Values count in the order that their names have in a map.
                let names = record::field_names(t).iter();
                let mut fields: Vec<_> = names.zip(record::values(t)).collect();
                fields.sort_by(|a, b| map::key_order(*b.0, *a.0));
                todo.extend(fields.iter().map(|f| Todo::term(*f.1)));
                mix2(hash, fields.len() as u32, definition_hash(t), seed(23))
            }
            k => crate::bug::vm_bug(&format!("a {k:?} in a term to be hashed")),
        };
    }

    fn bytes(&mut self, t: Term, at: usize, block: Block, budget: &mut Budget) {
        let v = bits::view(t);
        let (whole, extra) = (v.bits / 8, v.bits % 8);
        let most = budget
            .left()
            .saturating_add(1)
            .saturating_mul(BYTES_PER_UNIT);
        if whole - at > most {
            let n = most - most % GROUP;
            budget.spend(n / BYTES_PER_UNIT);
            let block = block.groups(&v.part(8 * at, 8 * n).to_bytes());
            return self.todo.push(Todo::Bytes(t, at + n, block));
        }
        let bytes = v.part(8 * at, 8 * (whole - at)).to_bytes();
        budget.spend(bytes.len() / BYTES_PER_UNIT);
        let (groups, rest) = bytes.split_at(bytes.len() - bytes.len() % GROUP);
        self.hash = block.groups(groups).finish(rest, whole);
        if extra > 0 {
            let last = v.part(8 * whole, extra).to_bytes()[0] >> (8 - extra);
            self.hash = mix2(self.hash, extra as u32, u32::from(last), seed(15));
        }
    }

    /// Shows the terms that are held.
    pub fn visit_roots(&mut self, visit: &mut dyn FnMut(&mut [Term])) {
        for todo in &mut self.todo {
            match todo {
                Todo::Part(Part { t, .. }) | Todo::Node(t) | Todo::Bytes(t, ..) => {
                    visit(std::slice::from_mut(t));
                }
                Todo::Pair | Todo::Map { .. } => {}
            }
        }
    }
}

/// The 32-bit hash behind `erlang:phash2`.
pub fn phash2(t: Term) -> u32 {
    let mut h = Hashing::begin(t, &mut Budget::of(usize::MAX));
    loop {
        if let Poll::Ready(hash) = h.go_on(&mut Budget::of(usize::MAX)) {
            return hash;
        }
    }
}

/// Mixes in a term without memory of its own; nothing if it is not one.
#[inline(always)]
fn immediate_hash(hash: u32, t: Term) -> Option<u32> {
    if t.is_small() {
        return Some(small_hash(hash, t));
    }
    if !t.is_immediate() {
        return None;
    }
    Some(if let Some(a) = t.as_atom() {
        let h = a.text_hash();
        if hash == 0 { h } else { mix(hash, h, seed(3)) }
    } else if t.is_nil() {
        if hash == 0 {
            NIL_ALONE
        } else {
            mix(hash, NIL_CODE, seed(2))
        }
    } else if t.is_flonum() {
        float_hash(hash, t.flonum_value())
    } else if let Some(p) = t.as_local_port() {
        port_hash(hash, p)
    } else {
        mix(hash, pid_number(t).unwrap_or(0), seed(5))
    })
}

fn float_hash(hash: u32, f: f64) -> u32 {
    let b = positive_zero(f).to_bits();
    mix2(hash, (b >> 32) as u32, b as u32, seed(12))
}

fn port_hash(hash: u32, n: u64) -> u32 {
    mix2(hash, n as u32, (n >> 32) as u32, seed(6))
}

/// Mixes in a short bitstring of whole bytes that begins at a byte; nothing if `t`, which is boxed, is no such.
#[inline]
fn short_bits_hash(hash: u32, t: Term) -> Option<u32> {
    if !t.is_bitstring() {
        return None;
    }
    let v = bits::view(t);
    if v.bits & 7 != 0 || v.bits == 0 || v.bits > 8 * SHORT {
        return None;
    }
    Some(block(v.aligned()?, hash.wrapping_add(seed(13))))
}

/// The hash of a native record's definition: that of a tuple of its module, its name, whether it is
/// exported and the names of its fields.
fn definition_hash(t: Term) -> u32 {
    let fields = record::field_names(t);
    let head = [
        record::module(t),
        record::name(t),
        Term::bool(record::is_exported(t)),
    ];
    let start = mix(0, (head.len() + fields.len()) as u32, seed(9));
    let atoms = head.iter().chain(fields).filter_map(|a| a.as_atom());
    atoms.fold(start, |hash, a| mix(hash, a.text_hash(), seed(3)))
}

/// Bytes at the front of a list are taken four at a time, as far as `left` goes. Gives the rest of the list, too.
#[inline(always)]
fn string_hash(mut hash: u32, mut t: Term, left: &mut usize) -> (u32, Term) {
    let (mut word, mut n) = (0u32, 0);
    while let Some((head, tail)) = t.as_cons()
        && let Some(b) = byte(head)
    {
        word = word << 8 | u32::from(b);
        n += 1;
        t = tail;
        if n == 4 {
            hash = mix(hash, word, seed(4));
            (word, n) = (0, 0);
            *left = left.saturating_sub(4);
            if *left == 0 {
                return (hash, t);
            }
        }
    }
    if n > 0 {
        hash = mix(hash, word, seed(4));
    }
    (hash, t)
}

#[inline]
fn byte(t: Term) -> Option<u8> {
    t.as_small().and_then(|n| u8::try_from(n).ok())
}

fn positive_zero(f: f64) -> f64 {
    if f == 0.0 { 0.0 } else { f }
}

/// The part of a pid's number that counts.
fn pid_number(t: Term) -> Option<u32> {
    let (number, _) = match t.as_local_pid() {
        Some(id) => pid::parts(id),
        None if t.is_kind(Kind::ExtPid) => pid::external_parts(t.word(2)),
        None => return None,
    };
    Some(number as u32)
}

fn port_number(t: Term) -> Option<u64> {
    t.as_local_port()
        .or_else(|| t.is_kind(Kind::ExtPort).then(|| t.word(2)))
}

/// The id of a reference that counts: the first one in the external format.
fn first_ref_id(t: Term) -> u32 {
    compare::ref_ids(t).last().copied().unwrap_or(0)
}

// ---- phash ----

/// The primes of `phash`, just above 2^28, by what they are used for.
mod prime {
    pub const TEXT: u32 = 268_440_163;
    pub const INTEGER: u32 = 268_439_161;
    pub const POSITIVE: u32 = 268_435_459;
    pub const NEGATIVE: u32 = 268_436_141;
    pub const PID: u32 = 268_438_633;
    pub const PID_END: u32 = 268_437_017;
    pub const LIST_END: u32 = 268_437_511;
    pub const ID: u32 = 268_439_627;
    pub const ID_END: u32 = 268_440_479;
    pub const EXPORT: u32 = 268_440_577;
    pub const LAST_BITS: u32 = 268_440_581;
    pub const MAP: u32 = 268_440_593;
    pub const MAP_STEP: u32 = 268_440_611;
}

/// `hash` with bytes multiplied in.
fn times(hash: u32, bytes: &[u8], prime: u32) -> u32 {
    bytes.iter().fold(hash, |h, &b| {
        h.wrapping_mul(prime).wrapping_add(u32::from(b))
    })
}

fn step(hash: u32, prime: u32, plus: u32) -> u32 {
    hash.wrapping_mul(prime).wrapping_add(plus)
}

/// What `phash` still has to do.
enum Rest {
    Term(Term),
    /// The tail of a list, perhaps the rest of it.
    Tail(Term),
    /// Multiply by the list's prime.
    ListEnd,
    /// Multiply and add the tuple's size.
    TupleEnd(u32),
}

/// The 32-bit hash behind `erlang:phash`.
pub fn phash(t: Term) -> u32 {
    let mut todo = vec![Rest::Term(t)];
    let mut hash = 0u32;
    while let Some(next) = todo.pop() {
        match next {
            Rest::Term(t) if t.is_cons() => hash = hash1_list(hash, t, &mut todo),
            Rest::Tail(t) if t.is_cons() => hash = hash1_list(hash, t, &mut todo),
            Rest::Tail(t) => todo.extend([Rest::ListEnd, Rest::Term(t)]),
            Rest::Term(t) => hash = hash1_one(hash, t, &mut todo),
            Rest::ListEnd => hash = hash.wrapping_mul(prime::LIST_END),
            Rest::TupleEnd(n) => hash = step(hash, prime::ID, n),
        }
    }
    hash
}

fn hash1_list(mut hash: u32, mut t: Term, todo: &mut Vec<Rest>) -> u32 {
    while let Some((head, tail)) = t.as_cons() {
        match byte(head) {
            Some(b) => hash = step(hash, prime::INTEGER, u32::from(b)),
            None => {
                todo.extend([Rest::Tail(tail), Rest::Term(head)]);
                return hash;
            }
        }
        t = tail;
    }
    todo.push(Rest::Tail(t));
    hash
}

fn hash1_one(hash: u32, t: Term, todo: &mut Vec<Rest>) -> u32 {
    if t.is_nil() {
        return step(hash, prime::POSITIVE, 1);
    }
    if let Some(a) = t.as_atom() {
        return step(hash, prime::TEXT, a.text_hash());
    }
    if t.is_integer() {
        return hash1_integer(hash, t);
    }
    if let Some(f) = t.as_float() {
        let b = positive_zero(f).to_bits();
        return step(hash, prime::PID_END, (b >> 32) as u32 ^ b as u32);
    }
    if let Some(n) = pid_number(t) {
        return times(hash, &n.to_le_bytes(), prime::PID).wrapping_mul(prime::PID_END);
    }
    if let Some(n) = port_number(t) {
        let high = (n >> 32) as u32;
        let hash = if high == 0 {
            hash
        } else {
            times(hash, &high.to_le_bytes(), prime::EXPORT)
        };
        return times(hash, &(n as u32).to_le_bytes(), prime::ID).wrapping_mul(prime::ID_END);
    }
    let h = t.header();
    match h.kind() {
        Kind::Tuple => {
            let elements = t.terms_from(1, h.words());
            todo.push(Rest::TupleEnd(elements.len() as u32));
            todo.extend(elements.iter().rev().map(|&e| Rest::Term(e)));
            hash
        }
        Kind::FlatMap | Kind::HashMap => {
            step(hash, prime::MAP, prime::MAP_STEP).wrapping_add(phash2(t))
        }
        Kind::HeapBits | Kind::BinRef | Kind::SubBits | Kind::MatchCtx => {
            let v = bits::view(t);
            let bytes = v.to_bytes();
            let (whole, extra) = (v.bits / 8, v.bits % 8);
            let mut hash = times(hash, &bytes[..whole], prime::TEXT);
            if extra > 0 {
                hash = step(hash, prime::TEXT, u32::from(bytes[whole] >> (8 - extra)));
                hash = step(hash, prime::LAST_BITS, extra as u32);
            }
            step(hash, prime::NEGATIVE, whole as u32)
        }
        Kind::Ref | Kind::MagicRef | Kind::ExtRef => {
            times(hash, &first_ref_id(t).to_le_bytes(), prime::ID).wrapping_mul(prime::ID_END)
        }
        Kind::Fun => {
            let e = fun_name(t);
            let env = t.fun_env().unwrap_or(&[]);
            todo.extend(env.iter().rev().map(|&e| Rest::Term(e)));
            let hash = step(hash, prime::ID_END, env.len() as u32);
            let hash = step(hash, prime::TEXT, e.module.text_hash());
            let hash = step(hash, prime::INTEGER, e.index);
            step(hash, prime::INTEGER, e.old_uniq)
        }
        Kind::Export => {
            let e = function_name(t);
            let hash = step(hash, prime::EXPORT, e.arity);
            let hash = step(hash, prime::TEXT, e.module.text_hash());
            step(hash, prime::TEXT, e.function.text_hash())
        }
        _ => step(hash, prime::MAP, phash2(t)),
    }
}

/// The bytes of the magnitude, in whole 32-bit words, least significant first.
fn hash1_integer(hash: u32, t: Term) -> u32 {
    let mut buf = [0];
    let (negative, limbs) = bignum::limbs(t, &mut buf);
    let mut hash = hash;
    match limbs.split_last() {
        None => hash = times(hash, &[0; 4], prime::INTEGER),
        Some((last, others)) => {
            for l in others {
                hash = times(hash, &l.to_le_bytes(), prime::INTEGER);
            }
            let n = if last >> 32 == 0 { 4 } else { 8 };
            hash = times(hash, &last.to_le_bytes()[..n], prime::INTEGER);
        }
    }
    hash.wrapping_mul(if negative {
        prime::NEGATIVE
    } else {
        prime::POSITIVE
    })
}
