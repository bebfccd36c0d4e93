//! Terms as they lie in memory: identity, size, the shape of large maps, bitstrings between bytes.

use crate::bifs;
use enigma_runtime::atom::Atom;
use enigma_runtime::budget::Budget;
use enigma_runtime::data::compare;
use enigma_runtime::data::map::{self, MapPart};
use enigma_runtime::heap::{MAX_HEAP_BINARY, bits, copy, sharing};
use enigma_runtime::term::Kind;
use enigma_runtime::work::{self, Step, Work};
use enigma_runtime::{BifResult, Ctx, Exit, Term, badarg, release};

bifs! { BIFS:
    "erts_debug" {
        "same"/2 Call => same;
        "flat_size"/1 Steps => flat_size;
        "size_shared"/1 Call => size_shared;
        "copy_shared"/2 Call => copy_shared;
        "map_info"/1 Call => map_info;
        "unaligned_bitstring"/2 Call => unaligned_bitstring;
    }
}

fn same(_: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    Ok((a[0] == a[1] || a[0].is_immediate() && compare::exact_eq(a[0], a[1])).into())
}

struct FlatSize(copy::Sizing);

impl Work for FlatSize {
    fn step(&mut self, cx: &mut Ctx<'_>, _: &[Term], budget: &mut Budget) -> Step {
        let words = self.0.go_on(budget, words_on_beam);
        Ok(words.map(|n| cx.heap().uint(n as u64)))
    }

    fn visit_roots(&mut self, visit: &mut dyn FnMut(&mut [Term])) {
        self.0.visit_roots(visit);
    }
}

/// Words that an immediate, or an object of so many words, takes on the release's BEAM. Large maps are other trees there.
fn words_on_beam(t: Term, words: usize) -> usize {
    if t.is_immediate() {
        let boxed = t.is_flonum() || t.as_small().is_some_and(|n| !is_small_on_beam(n));
        return if boxed { 2 } else { 0 };
    }
    let release = release::number();
    match t.kind() {
        Some(Kind::Tuple) if words == 1 => 0,
        Some(Kind::FlatMap) => words + 1,
        // The uppermost node is part of the map there, and a node's header says which children it has.
        Some(Kind::HashMap) => 1,
        Some(Kind::HashNode) => words - 1,
        Some(Kind::MagicRef) => 3,
        Some(Kind::ExtPid | Kind::ExtPort) => 4,
        // The record of where to go on is shared from OTP 27 on, and is a literal from OTP 29 on.
        Some(Kind::Fun) => match release {
            ..27 => words + 2,
            27..29 => words + 3,
            _ => words - 1,
        },
        Some(Kind::Export) if release < 27 => 5,
        Some(Kind::HeapBits | Kind::BinRef | Kind::SubBits) => {
            let size = bits::bit_size(t);
            let shared = size.div_ceil(8) > MAX_HEAP_BINARY;
            match (shared, release < 27) {
                (true, false) => 8,
                (true, true) => 6 + if size.is_multiple_of(8) { 0 } else { 5 },
                (false, false) => words,
                (false, true) => words + if size.is_multiple_of(8) { 0 } else { 5 },
            }
        }
        _ => words,
    }
}

/// Is an integer immediate on BEAM? There it has a bit less.
pub fn is_small_on_beam(n: i64) -> bool {
    (-(1 << 59)..1 << 59).contains(&n)
}

/// Words of a term whose shared parts are counted wherever they occur, literals as well.
fn flat_size(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    work::start(cx, a, FlatSize(copy::Sizing::new(a[0])))
}

/// Words of a term whose shared parts are counted once and literals not at all.
fn size_shared(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let (words, objects) = sharing::size(a[0]);
    cx.bump(objects / 16);
    Ok(Term::small(words as i64))
}

/// A copy that shares parts as the term does. There are no options.
fn copy_shared(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let mut t = [a[0]];
    sharing::copy_whole(&mut t, cx.heap());
    Ok(t[0])
}

/// How many levels of a large map are told apart; deeper ones count with the last.
const LEVELS: usize = 16;

/// The nodes of a large map: `[{depth, D}, {arrays, N, []}, {bitmaps, N, BySize}, {leafs, N, ByLevel}]`, from
/// OTP 26 on with `{collisions, N, BySize}`. Here every node has a bitmap, full ones too, so there are no arrays.
fn map_info(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    if !a[0].is_map() {
        let reason = cx.tuple2(Atom::BADMAP, a[0]);
        return Err(Exit::error(reason));
    }
    let (mut depth, mut leaves) = (0, [0; LEVELS]);
    let (mut nodes, mut collisions) = ([0; 16], [0; 16]);
    let large = map::walk(a[0], |level, part| {
        depth = depth.max(level);
        match part {
            MapPart::Node(children) => nodes[children.clamp(1, 16) - 1] += 1,
            MapPart::Collision(pairs) => collisions[pairs.clamp(1, 16) - 1] += 1,
            MapPart::Leaf => leaves[level.min(LEVELS - 1)] += 1,
        }
    });
    if !large {
        return Err(badarg());
    }
    let h = cx.heap();
    let mut rows = vec![
        h.tuple(&[Atom::new("depth").into(), Term::small(depth as i64)]),
        h.tuple(&[Atom::new("arrays").into(), Term::small(0), Term::NIL]),
    ];
    let mut counts = |name: &str, counts: &[i64]| {
        let each: Vec<Term> = counts.iter().map(|&n| Term::small(n)).collect();
        let (all, each) = (Term::small(counts.iter().sum()), h.tuple(&each));
        h.tuple(&[Atom::new(name).into(), all, each])
    };
    if release::number() >= 26 {
        rows.push(counts("collisions", &collisions));
    }
    rows.push(counts("bitmaps", &nodes));
    rows.push(counts("leafs", &leaves));
    Ok(h.list(&rows))
}

/// The same bits, `offset` bits into the bytes that hold them.
fn unaligned_bitstring(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let offset = a[1]
        .as_usize()
        .filter(|&n| n < 1 << 32)
        .ok_or_else(badarg)?;
    if !a[0].is_bitstring() {
        return Err(badarg());
    }
    let from = bits::view(a[0]);
    let bytes = (offset + from.bits).div_ceil(8);
    let whole = cx
        .heap()
        .build_binary(bytes, |out| from.write_to(out, offset));
    let part = bits::view(whole).part(offset, from.bits);
    Ok(bits::share(&part, cx.heap()))
}
