//! Equality and the order of all terms:
//! number < atom < reference < fun < port < pid < tuple < record < map < nil < list < bitstring.
//!
//! A few levels of lists and tuples are compared by recursion. What lies deeper, and what is rare, has a list of
//! pending pairs instead, so depth costs memory, not stack.

use crate::data::{bignum, map};
use crate::heap::bits;
use crate::node::Node;
use crate::release;
use crate::term::fun::{fun_name, function_name};
use crate::term::{Kind, Term, pid};
use smallvec::SmallVec;
use std::cmp::Ordering;

/// `a =:= b`.
#[inline(always)]
pub fn exact_eq(a: Term, b: Term) -> bool {
    if a == b {
        return true;
    }
    if a.is_immediate() || b.is_immediate() {
        return both_zero(a, b);
    }
    exact_eq_slow(a, b)
}

/// Are these the two float zeros, in a release that does not tell them apart?
#[inline(always)]
fn both_zero(a: Term, b: Term) -> bool {
    a.raw() ^ b.raw() == 8 && a.raw() | b.raw() == 12 && !release::signed_zeros_differ()
}

/// Levels of lists and tuples that are compared by recursion.
const LEVELS: u32 = 16;

#[inline(never)]
fn exact_eq_slow(a: Term, b: Term) -> bool {
    if a.is_bitstring() && b.is_bitstring() {
        return bits_eq(a, b);
    }
    equal_within(a, b, LEVELS)
}

fn equal_within(mut a: Term, mut b: Term, levels: u32) -> bool {
    let part = |x: Term, y: Term| {
        if x == y {
            true
        } else if x.is_immediate() || y.is_immediate() {
            both_zero(x, y)
        } else if levels == 0 {
            equal_pending(x, y)
        } else {
            equal_within(x, y, levels - 1)
        }
    };
    loop {
        if a == b {
            return true;
        }
        if a.is_cons() {
            if !b.is_cons() || !part(a.head(), b.head()) {
                return false;
            }
            (a, b) = (a.tail(), b.tail());
        } else if a.is_immediate() || b.is_immediate() {
            return both_zero(a, b);
        } else if b.is_cons() {
            return false;
        } else {
            let h = a.header();
            match h.kind() {
                Kind::Tuple | Kind::FlatMap | Kind::Record => {
                    let n = h.words();
                    if h != b.header() {
                        return false;
                    }
                    let pairs = a.terms_from(1, n).iter().zip(b.terms_from(1, n));
                    let mut pairs = pairs.map(|(&x, &y)| (x, y));
                    let Some(last) = pairs.next_back() else {
                        return true;
                    };
                    if !pairs.all(|(x, y)| part(x, y)) {
                        return false;
                    }
                    (a, b) = last;
                }
                Kind::Fun | Kind::HashMap => return equal_pending(a, b),
                _ => return whole_eq(a, b),
            }
        }
    }
}

/// Pairs whose terms are still to be looked into.
type EqualPairs = SmallVec<[(Term, Term); 16]>;

#[inline(never)]
fn equal_pending(a: Term, b: Term) -> bool {
    let mut stack = EqualPairs::new();
    let (mut a, mut b) = (a, b);
    loop {
        if a != b {
            if a.is_immediate() || b.is_immediate() {
                if !both_zero(a, b) {
                    return false;
                }
            } else if a.is_cons() {
                if !b.is_cons() {
                    return false;
                }
                let (x, y) = (a.head(), b.head());
                if x != y {
                    if x.is_immediate() || y.is_immediate() {
                        if !both_zero(x, y) {
                            return false;
                        }
                    } else {
                        stack.push((a.tail(), b.tail()));
                        (a, b) = (x, y);
                        continue;
                    }
                }
                (a, b) = (a.tail(), b.tail());
                continue;
            } else if b.is_cons() || !boxed_eq(a, b, &mut stack) {
                return false;
            }
        }
        match stack.pop() {
            Some(pair) => (a, b) = pair,
            None => return true,
        }
    }
}

/// Compares what is not terms in two objects and pushes what is, as far as it differs.
fn boxed_eq(a: Term, b: Term, stack: &mut EqualPairs) -> bool {
    let (ha, hb) = (a.header(), b.header());
    match (ha.kind(), hb.kind()) {
        (Kind::Tuple, Kind::Tuple)
        | (Kind::FlatMap, Kind::FlatMap)
        | (Kind::Record, Kind::Record) => {
            ha == hb
                && push_pairs(
                    a.terms_from(1, ha.words()),
                    b.terms_from(1, hb.words()),
                    stack,
                )
        }
        (Kind::Fun, Kind::Fun) => {
            std::ptr::eq(fun_name(a), fun_name(b))
                && push_pairs(
                    a.fun_env().unwrap_or(&[]),
                    b.fun_env().unwrap_or(&[]),
                    stack,
                )
        }
        (Kind::HashMap, Kind::HashMap) => {
            if a.word(1) != b.word(1) {
                return false;
            }
            for (k, v) in map::iter(a) {
                match map::get(b, k) {
                    Some(w) => stack.push((v, w)),
                    None => return false,
                }
            }
            true
        }
        _ => whole_eq(a, b),
    }
}

/// Equality of two objects that have no parts to be looked into.
fn whole_eq(a: Term, b: Term) -> bool {
    let (ha, hb) = (a.header(), b.header());
    match (ha.kind(), hb.kind()) {
        (
            Kind::BigPos
            | Kind::BigNeg
            | Kind::Float
            | Kind::Ref
            | Kind::ExtPid
            | Kind::ExtPort
            | Kind::Export,
            _,
        ) => ha == hb && (1..=ha.words()).all(|i| a.word(i) == b.word(i)),
        (Kind::ExtRef, Kind::ExtRef) => {
            let last = last_ref_word(a);
            a.word(1) == b.word(1)
                && last == last_ref_word(b)
                && (3..=last).all(|i| a.word(i) == b.word(i))
        }
        (Kind::MagicRef, Kind::MagicRef) => a.word(2) == b.word(2),
        (Kind::HeapBits, Kind::HeapBits)
            if ha == hb && (1..=ha.words()).all(|i| a.word(i) == b.word(i)) =>
        {
            true
        }
        (
            Kind::HeapBits | Kind::BinRef | Kind::SubBits | Kind::MatchCtx,
            Kind::HeapBits | Kind::BinRef | Kind::SubBits | Kind::MatchCtx,
        ) => bits_eq(a, b),
        _ => false,
    }
}

/// Equality of two bitstrings.
fn bits_eq(a: Term, b: Term) -> bool {
    let (x, y) = (bits::view(a), bits::view(b));
    if x.bits != y.bits {
        return false;
    }
    match (x.aligned(), y.aligned()) {
        (Some(x_bytes), Some(y_bytes)) if x.bits & 7 == 0 => x_bytes == y_bytes,
        _ => bits::compare(&x, &y) == Ordering::Equal,
    }
}

/// Pushes the pairs that have to be looked into. `false`: two immediate terms differ.
fn push_pairs(a: &[Term], b: &[Term], stack: &mut EqualPairs) -> bool {
    for (&x, &y) in a.iter().zip(b).rev() {
        if x == y {
            continue;
        }
        if !x.is_immediate() && !y.is_immediate() {
            stack.push((x, y));
        } else if !both_zero(x, y) {
            return false;
        }
    }
    true
}

/// `a == b`.
#[inline(always)]
pub fn eq(a: Term, b: Term) -> bool {
    if a == b {
        return true;
    }
    if a.is_immediate() && b.is_immediate() && !(a.is_flonum() || b.is_flonum()) {
        return false;
    }
    compare(a, b) == Ordering::Equal
}

/// The order of `<`, in which an integer and a float of equal value are equal.
#[inline(always)]
pub fn compare(a: Term, b: Term) -> Ordering {
    match small_order(a, b) {
        Some(o) => o,
        None => compare_slow(a, b, false),
    }
}

/// The order of map keys: as `compare`, but integers come before floats.
pub fn compare_exact(a: Term, b: Term) -> Ordering {
    if a == b {
        Ordering::Equal
    } else {
        compare_slow(a, b, true)
    }
}

/// Rank of a term's type in the order.
fn rank(t: Term) -> u8 {
    if t.is_small() || t.is_flonum() {
        0
    } else if t.is_cons() {
        10
    } else if t.is_boxed() {
        match t.header().kind() {
            Kind::BigPos | Kind::BigNeg | Kind::Float => 0,
            Kind::Ref | Kind::MagicRef | Kind::ExtRef => 2,
            Kind::Fun | Kind::Export => 3,
            Kind::ExtPort => 4,
            Kind::ExtPid => 5,
            Kind::Tuple => 6,
            Kind::Record => 7,
            Kind::FlatMap | Kind::HashMap => 8,
            _ => 11,
        }
    } else if t.is_atom() {
        1
    } else if t.is_local_port() {
        4
    } else if t.is_local_pid() {
        5
    } else {
        9
    }
}

/// A pair still to be compared; `exact` inside map keys.
type Pair = (Term, Term, bool);

/// Such pairs, the next one last.
type Pairs = SmallVec<[Pair; 16]>;

#[inline(never)]
fn compare_slow(a: Term, b: Term, exact: bool) -> Ordering {
    compare_within(a, b, exact, LEVELS)
}

fn compare_within(mut a: Term, mut b: Term, exact: bool, levels: u32) -> Ordering {
    let part = |x: Term, y: Term| {
        if x == y {
            Ordering::Equal
        } else if let Some(o) = small_order(x, y) {
            o
        } else if levels == 0 {
            compare_pending(x, y, exact)
        } else {
            compare_within(x, y, exact, levels - 1)
        }
    };
    loop {
        if a == b {
            return Ordering::Equal;
        }
        if a.is_cons() && b.is_cons() {
            let o = part(a.head(), b.head());
            if o != Ordering::Equal {
                return o;
            }
            (a, b) = (a.tail(), b.tail());
        } else if a.is_tuple() && b.is_tuple() {
            let (n, m) = (a.header().words(), b.header().words());
            if n != m {
                return n.cmp(&m);
            }
            let pairs = a.terms_from(1, n).iter().zip(b.terms_from(1, n));
            let mut pairs = pairs.map(|(&x, &y)| (x, y));
            let Some(last) = pairs.next_back() else {
                return Ordering::Equal;
            };
            for (x, y) in pairs {
                let o = part(x, y);
                if o != Ordering::Equal {
                    return o;
                }
            }
            (a, b) = last;
        } else {
            return small_order(a, b).unwrap_or_else(|| compare_leaves(a, b, exact));
        }
    }
}

/// Compares terms that are no lists or tuples both: those of one usual type without a list of what is pending.
#[inline(never)]
fn compare_leaves(a: Term, b: Term, exact: bool) -> Ordering {
    if let (Some(x), Some(y)) = (a.as_atom(), b.as_atom()) {
        return x.order(y);
    }
    if a.is_bitstring() && b.is_bitstring() {
        return bits::compare(&bits::view(a), &bits::view(b));
    }
    compare_pending(a, b, exact)
}

#[inline(never)]
fn compare_pending(a: Term, b: Term, exact: bool) -> Ordering {
    let mut stack = Pairs::new();
    let (mut a, mut b, mut exact) = (a, b, exact);
    loop {
        if a != b {
            if a.is_cons() && b.is_cons() {
                let (x, y) = (a.head(), b.head());
                if x != y {
                    if let Some(o) = small_order(x, y) {
                        return o;
                    }
                    stack.push((a.tail(), b.tail(), exact));
                    (a, b) = (x, y);
                } else {
                    (a, b) = (a.tail(), b.tail());
                }
                continue;
            }
            let o = match rank(a).cmp(&rank(b)) {
                Ordering::Equal => same_rank(a, b, exact, &mut stack),
                o => o,
            };
            if o != Ordering::Equal {
                return o;
            }
        }
        match stack.pop() {
            Some(p) => (a, b, exact) = p,
            None => return Ordering::Equal,
        }
    }
}

/// The order of two small integers.
#[inline(always)]
fn small_order(a: Term, b: Term) -> Option<Ordering> {
    let both = a.is_small() && b.is_small();
    both.then(|| (a.raw() as i64).cmp(&(b.raw() as i64)))
}

fn same_rank(a: Term, b: Term, exact: bool, stack: &mut Pairs) -> Ordering {
    match rank(a) {
        0 => numbers(a, b, exact),
        1 => match (a.as_atom(), b.as_atom()) {
            (Some(x), Some(y)) => x.order(y),
            _ => Ordering::Equal,
        },
        2 => refs(a, b),
        3 => funs(a, b, exact, stack),
        4 => ports(a, b),
        5 => pids(a, b),
        6 => {
            let (x, y) = (a.header().words(), b.header().words());
            if x != y {
                return x.cmp(&y);
            }
            let (x, y) = (a.terms_from(1, x), b.terms_from(1, y));
            let Some(first) = x.iter().zip(y).position(|(v, w)| v != w) else {
                return Ordering::Equal;
            };
            if let Some(o) = small_order(x[first], y[first]) {
                return o;
            }
            push_ordered(&x[first..], &y[first..], exact, stack);
            Ordering::Equal
        }
        7 => {
            // Values of one definition have as many fields; those of different ones differ in that.
            let n = a.header().words().min(b.header().words());
            push_ordered(a.terms_from(1, n), b.terms_from(1, n), exact, stack);
            Ordering::Equal
        }
        8 => maps(a, b, exact, stack),
        11 => bits::compare(&bits::view(a), &bits::view(b)),
        _ => Ordering::Equal,
    }
}

fn push_ordered(a: &[Term], b: &[Term], exact: bool, stack: &mut Pairs) {
    for (&x, &y) in a.iter().zip(b).rev() {
        stack.push((x, y, exact));
    }
}

fn maps(a: Term, b: Term, exact: bool, stack: &mut Pairs) -> Ordering {
    let (n, m) = (map::size(a), map::size(b));
    if n != m {
        return n.cmp(&m);
    }
    let (x, y) = (map::sorted_pairs(a), map::sorted_pairs(b));
    for (&(_, v), &(_, w)) in x.iter().zip(&y).rev() {
        stack.push((v, w, exact));
    }
    for (&(k, _), &(l, _)) in x.iter().zip(&y).rev() {
        stack.push((k, l, true));
    }
    Ordering::Equal
}

fn funs(a: Term, b: Term, exact: bool, stack: &mut Pairs) -> Ordering {
    match (a.kind(), b.kind()) {
        (Some(Kind::Fun), Some(Kind::Fun)) => {
            let (x, y) = (fun_name(a), fun_name(b));
            let o =
                (x.module.text(), x.index, x.old_uniq).cmp(&(y.module.text(), y.index, y.old_uniq));
            let (v, w) = (a.fun_env().unwrap_or(&[]), b.fun_env().unwrap_or(&[]));
            if o == Ordering::Equal && v.len() == w.len() {
                push_ordered(v, w, exact, stack);
            }
            o.then(v.len().cmp(&w.len()))
        }
        (Some(Kind::Export), Some(Kind::Export)) => {
            let (x, y) = (function_name(a), function_name(b));
            (x.module.text(), x.function.text(), x.arity).cmp(&(
                y.module.text(),
                y.function.text(),
                y.arity,
            ))
        }
        (Some(Kind::Fun), _) => Ordering::Less,
        _ => Ordering::Greater,
    }
}

/// The node of an external pid, port or reference; `t` must be one.
#[inline(always)]
pub fn node_of(t: Term) -> Node {
    let external = matches!(t.kind(), Some(Kind::ExtPid | Kind::ExtPort | Kind::ExtRef));
    match external.then(|| Node::from_word(t.word(1))).flatten() {
        Some(node) => node,
        None => crate::bug::wrong_kind("identifier of another node"),
    }
}

/// Name and creation of the node that an identifier belongs to.
fn home(t: Term) -> (&'static str, u32) {
    match t.kind() {
        Some(Kind::ExtPid | Kind::ExtPort | Kind::ExtRef) => {
            let n = node_of(t);
            (n.name.text(), n.creation)
        }
        _ => {
            let (name, creation) = crate::node::this();
            (name.text(), creation)
        }
    }
}

/// Pids: by number, then by node.
fn pids(a: Term, b: Term) -> Ordering {
    let place = |t: Term| {
        let (number, serial) = match t.as_local_pid() {
            Some(id) => pid::parts(id),
            None => pid::external_parts(t.word(2)),
        };
        (serial, number)
    };
    place(a).cmp(&place(b)).then_with(|| home(a).cmp(&home(b)))
}

/// Ports: by node, then by number.
fn ports(a: Term, b: Term) -> Ordering {
    if let (Some(x), Some(y)) = (a.as_local_port(), b.as_local_port()) {
        return x.cmp(&y);
    }
    let number = |t: Term| t.as_local_port().unwrap_or_else(|| t.word(2));
    home(a)
        .cmp(&home(b))
        .then_with(|| number(a).cmp(&number(b)))
}

/// The last word of another node's reference that has an id other than zero: ids that are left out count as zero.
pub fn last_ref_word(t: Term) -> usize {
    let words = t.header().words();
    (3..=words).rev().find(|&i| t.word(i) != 0).unwrap_or(2)
}

/// References: by node, then by ids, of which missing ones count as zero.
fn refs(a: Term, b: Term) -> Ordering {
    if let (Some(x), Some(y)) = (local_ref(a), local_ref(b)) {
        return x.cmp(&y);
    }
    let padded = |t: Term| {
        let ids = ref_ids(t);
        std::iter::repeat_n(0, MAX_REF_IDS.saturating_sub(ids.len()))
            .chain(ids)
            .collect::<Vec<u32>>()
    };
    home(a)
        .cmp(&home(b))
        .then_with(|| padded(a).cmp(&padded(b)))
}

/// Most ids that a reference has.
const MAX_REF_IDS: usize = 5;

/// Owner and number of a reference of this node: the order of these is that of its ids.
fn local_ref(t: Term) -> Option<(u64, u64)> {
    match t.header().kind() {
        Kind::Ref => Some((t.word(2), t.word(1))),
        Kind::MagicRef => Some((0, t.word(2))),
        _ => None,
    }
}

/// The ids of any reference, most significant first.
pub fn ref_ids(t: Term) -> Vec<u32> {
    match t.kind() {
        Some(Kind::ExtRef) => {
            let n = t.word(2) as usize;
            (0..n)
                .rev()
                .map(|i| (t.word(3 + i / 2) >> (32 * (i & 1))) as u32)
                .collect()
        }
        Some(Kind::MagicRef) => local_ref_ids(t.word(2), 0),
        _ => local_ref_ids(t.word(1), t.word(2)),
    }
}

/// The 32-bit ids of a local reference, most significant first; the first one sent has 18 bits.
fn local_ref_ids(number: u64, owner: u64) -> Vec<u32> {
    let three = [
        (number >> 50) as u32,
        (number >> 18) as u32,
        (number & 0x3_ffff) as u32,
    ];
    if owner == 0 {
        three.to_vec()
    } else {
        [&[(owner >> 32) as u32, owner as u32][..], &three].concat()
    }
}

/// The number and owner of a reference of this node with these ids, most significant first; nothing if
/// no such reference can have been made.
pub fn ref_from_ids(ids: &[u32]) -> Option<(u64, u64)> {
    let (owner, three) = match *ids {
        [a, b, c] => (0, [a, b, c]),
        [high, low, a, b, c] => (u64::from(high) << 32 | u64::from(low), [a, b, c]),
        _ => return None,
    };
    let [a, b, c] = three.map(u64::from);
    if a >= 1 << 14 || c >= 1 << 18 || (ids.len() == 5 && owner == 0) {
        return None;
    }
    Some((a << 50 | b << 18 | c, owner))
}

fn numbers(a: Term, b: Term, exact: bool) -> Ordering {
    match (a.as_float(), b.as_float()) {
        (Some(x), Some(y)) => match x.partial_cmp(&y) {
            Some(Ordering::Equal) | None if exact && release::signed_zeros_differ() => {
                x.total_cmp(&y)
            }
            o => o.unwrap_or(Ordering::Equal),
        },
        (None, None) => bignum::compare(a, b),
        (Some(x), None) => {
            if exact {
                Ordering::Greater
            } else {
                bignum::compare_float(b, x).reverse()
            }
        }
        (None, Some(y)) => {
            if exact {
                Ordering::Less
            } else {
                bignum::compare_float(a, y)
            }
        }
    }
}
