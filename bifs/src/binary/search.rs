//! Searching for patterns in binaries: `binary:match`, `matches` and `split`.
//!
//! Short subjects are searched at once. Long ones are searched window by window: a step finds the matches that
//! begin in its part of the subject, so its window ends as far behind that part as a match may be long.

use super::{LOOP_LIMIT, Options, options, subject};
use crate::bifs;
use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};
use enigma_runtime::atom::Atom;
use enigma_runtime::bif::{Ctx, system_limit};
use enigma_runtime::heap::bits::{self, View};
use enigma_runtime::heap::magic::Magic;
use enigma_runtime::term::list;
use enigma_runtime::work::{self, Budget, Pile, Step, Work};
use enigma_runtime::{BifResult, Exit, Heap, Term, badarg, reference};
use memchr::memmem;
use smallvec::{SmallVec, smallvec};
use std::borrow::Cow;
use std::sync::Arc;
use std::task::Poll;

bifs! { BIFS:
    "binary" {
        "compile_pattern"/1 Call => compile_pattern;
        "match"/2 Steps => match_first, pure TUPLE | OTHER_ATOM;
        "match"/3 Steps => match_first, pure TUPLE | OTHER_ATOM;
        "matches"/2 Steps => matches, pure LIST;
        "matches"/3 Steps => matches, pure LIST;
        "split"/2 Steps => split, pure LIST;
        "split"/3 Steps => split, pure LIST;
    }
}

/// A compiled pattern.
enum Pattern {
    Byte(u8),
    One(Box<memmem::Finder<'static>>),
    /// A few short ones.
    Few(Few<'static>),
    /// Several, and the length of the longest.
    Many(AhoCorasick, usize),
}

/// A few short patterns, the longer ones first, with up to three bytes with which they begin: these are searched for, and there the
/// patterns are tried.
struct Few<'a> {
    needles: SmallVec<[Cow<'a, [u8]>; 4]>,
    firsts: [u8; 3],
}

impl<'a> Few<'a> {
    /// Most patterns, and most bytes of one.
    const COUNT: usize = 4;
    const BYTES: usize = 16;

    /// Nothing where there are more patterns, longer ones, or too many bytes to begin with.
    fn new(needles: &[Cow<'a, [u8]>]) -> Option<Few<'a>> {
        if needles.len() > Few::COUNT || needles.iter().any(|n| n.len() > Few::BYTES) {
            return None;
        }
        let first = *needles.first()?.first()?;
        let (mut firsts, mut n) = ([first; 3], 1);
        for needle in &needles[1..] {
            let first = *needle.first()?;
            if !firsts.contains(&first) {
                *firsts.get_mut(n)? = first;
                n += 1;
            }
        }
        let mut needles: SmallVec<[Cow<'a, [u8]>; 4]> = needles.iter().cloned().collect();
        needles.sort_by_key(|n| std::cmp::Reverse(n.len()));
        Some(Few { needles, firsts })
    }

    fn into_owned(self) -> Few<'static> {
        let owned = |n: Cow<'a, [u8]>| Cow::Owned(n.into_owned());
        Few {
            needles: self.needles.into_iter().map(owned).collect(),
            firsts: self.firsts,
        }
    }

    /// As `Pattern::each`.
    fn each(&self, hay: &[u8], mut found: impl FnMut(usize, usize) -> bool) {
        let [a, b, c] = self.firsts;
        let mut at = 0;
        while let Some(next) = memchr::memchr3(a, b, c, &hay[at..]) {
            at += next;
            let rest = &hay[at..];
            match self.needles.iter().find(|n| rest.starts_with(n)) {
                Some(n) => {
                    if !found(at, at + n.len()) {
                        return;
                    }
                    at += n.len();
                }
                None => at += 1,
            }
        }
    }
}

impl Pattern {
    fn new(needles: &[Cow<'_, [u8]>]) -> Result<Pattern, Exit> {
        if needles.len() > 1
            && let Some(few) = Few::new(needles)
        {
            return Ok(Pattern::Few(few.into_owned()));
        }
        Ok(match needles {
            [one] => match **one {
                [byte] => Pattern::Byte(byte),
                _ => Pattern::One(Box::new(memmem::Finder::new(&**one).into_owned())),
            },
            _ => {
                let longest = needles.iter().map(|n| n.len()).max().unwrap_or(0);
                Pattern::Many(automaton(needles, None)?, longest)
            }
        })
    }

    /// The name that a compiled pattern has as a term.
    fn tag(&self) -> &'static str {
        match self {
            Pattern::Byte(_) | Pattern::One(_) => "bm",
            Pattern::Few(_) | Pattern::Many(..) => "ac",
        }
    }

    /// The length of the longest match.
    fn longest(&self) -> usize {
        match self {
            Pattern::Byte(_) => 1,
            Pattern::One(f) => f.needle().len(),
            Pattern::Few(f) => f.needles[0].len(),
            Pattern::Many(_, n) => *n,
        }
    }

    /// Bytes that are searched for one unit of work.
    fn bytes_per_unit(&self) -> usize {
        match self {
            Pattern::Byte(_) | Pattern::One(_) => work::BYTES,
            Pattern::Few(_) | Pattern::Many(..) => 4,
        }
    }

    /// Calls `found` with starts and ends of the matches that do not overlap, until it gives `false`.
    fn each(&self, hay: &[u8], mut found: impl FnMut(usize, usize) -> bool) {
        match self {
            Pattern::Byte(b) => {
                memchr::memchr_iter(*b, hay).all(|i| found(i, i + 1));
            }
            Pattern::One(f) => {
                let n = f.needle().len();
                f.find_iter(hay).all(|i| found(i, i + n));
            }
            Pattern::Few(f) => f.each(hay, found),
            Pattern::Many(a, _) => {
                a.find_iter(hay).all(|m| found(m.start(), m.end()));
            }
        }
    }
}

/// An automaton of some kind, or of the one that searches fastest; to make that takes longer.
fn automaton(
    needles: &[Cow<'_, [u8]>],
    kind: Option<AhoCorasickKind>,
) -> Result<AhoCorasick, Exit> {
    AhoCorasick::builder()
        .kind(kind)
        .match_kind(MatchKind::LeftmostLongest)
        .build(needles)
        .map_err(|_| system_limit())
}

/// The binaries of a pattern: one, or a list of some.
fn needles<'a>(t: Term) -> Result<SmallVec<[Cow<'a, [u8]>; 2]>, Exit> {
    if t.is_bitstring() {
        let one = bits::binary_bytes(t).filter(|b| !b.is_empty());
        return Ok(smallvec![one.ok_or_else(badarg)?]);
    }
    let terms = list::to_vec(t).ok_or_else(badarg)?;
    let all: Option<SmallVec<[Cow<'a, [u8]>; 2]>> = terms
        .into_iter()
        .map(|t| bits::binary_bytes(t).filter(|b| !b.is_empty()))
        .collect();
    all.filter(|a| !a.is_empty()).ok_or_else(badarg)
}

fn compile_pattern(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let needles = needles(a[0])?;
    cx.bump(needles.iter().map(|n| n.len()).sum::<usize>() / 10);
    let pattern = Pattern::new(&needles)?;
    let tag = pattern.tag();
    let r = cx.heap().magic_ref(reference::fresh(), Arc::new(pattern));
    Ok(cx.tuple2(Atom::new(tag), r))
}

/// The compiled pattern that a term is, if it is a tuple.
fn compiled<'a>(t: Term) -> Option<Result<(&'a Magic, &'a Pattern), Exit>> {
    let &[tag, r] = t.as_tuple_n::<2>()?;
    let made = r
        .as_resource::<Pattern>()
        .filter(|p| tag.as_atom().is_some_and(|a| a.text() == p.1.tag()));
    Some(made.ok_or_else(badarg))
}

/// Calls `found` with the matches of a pattern in a short subject, until it gives `false`.
fn each_match(
    t: Term,
    hay: &[u8],
    mut found: impl FnMut(usize, usize) -> bool,
) -> Result<(), Exit> {
    if let Some(pattern) = compiled(t) {
        pattern?.1.each(hay, found);
        return Ok(());
    }
    // A pattern that is used once is not worth much preparation.
    match &needles(t)?[..] {
        [one] if one.len() == 1 => {
            memchr::memchr_iter(one[0], hay).all(|i| found(i, i + 1));
        }
        [one] => {
            memmem::find_iter(hay, &**one).all(|i| found(i, i + one.len()));
        }
        several => match Few::new(several) {
            Some(few) => few.each(hay, found),
            None => {
                let all = automaton(several, Some(AhoCorasickKind::NoncontiguousNFA))?;
                all.find_iter(hay).all(|m| found(m.start(), m.end()));
            }
        },
    }
    Ok(())
}

/// A search under way.
struct Search {
    pattern: Arc<Pattern>,
    /// Where the next window begins, and where the part ends that is searched.
    at: usize,
    to: usize,
    /// All matches, or the first one only?
    all: bool,
    /// Starts and ends of the matches so far.
    found: Pile<(usize, usize)>,
}

/// Units that a match costs.
const MATCH: usize = 2;

impl Search {
    fn new(pattern: Term, (from, to): (usize, usize), all: bool) -> Result<Search, Exit> {
        let pattern = match compiled(pattern) {
            Some(p) => {
                let magic = p?.0.clone();
                magic.downcast().map_err(|_| badarg())?
            }
            None => Arc::new(Pattern::new(&needles(pattern)?)?),
        };
        Ok(Search {
            pattern,
            at: from,
            to,
            all,
            found: Pile::default(),
        })
    }

    /// Searches on in the subject.
    fn go_on(&mut self, v: &View, budget: &mut Budget) -> Poll<()> {
        let per_unit = self.pattern.bytes_per_unit();
        while self.at < self.to {
            if budget.is_spent() {
                return Poll::Pending;
            }
            // So much at a time that the matches in it do not cost much more than the budget.
            let part = (self.to - self.at)
                .min(budget.left().saturating_mul(per_unit))
                .min(WINDOW);
            let end = self.at + part;
            let window_end = (end + self.pattern.longest() - 1).min(self.to);
            let hay = v.part(8 * self.at, 8 * (window_end - self.at)).to_bytes();
            let (from, mut next) = (self.at, end);
            let (found, all) = (&mut self.found, self.all);
            let before = found.len();
            self.pattern.each(&hay, |s, e| {
                if from + s >= end {
                    return false;
                }
                found.push((from + s, from + e));
                next = next.max(from + e);
                all
            });
            budget.spend(part.div_ceil(per_unit) + MATCH * (found.len() - before));
            self.at = next;
            if !all && !found.is_empty() {
                break;
            }
        }
        Poll::Ready(())
    }
}

/// Bytes that are searched before the budget is looked at again.
const WINDOW: usize = 1 << 14;

/// Subjects of so many bytes are searched at once.
const SHORT: usize = 4096;

fn is_short(from: usize, to: usize) -> bool {
    to - from <= SHORT && work::at_once(SHORT / work::BYTES) && LOOP_LIMIT.units().is_none()
}

fn span(heap: &mut Heap, (start, end): (usize, usize)) -> Term {
    heap.tuple(&[Term::small(start as i64), Term::small((end - start) as i64)])
}

/// What the matches become.
#[derive(Clone, Copy)]
enum Wanted {
    First,
    Matches,
    Parts { trim: bool, trim_all: bool },
}

/// The result under construction, from its end on.
struct Built {
    wanted: Wanted,
    list: Term,
    /// Where the part begins that follows what comes next.
    upto: usize,
}

impl Built {
    fn new(wanted: Wanted, len: usize) -> Built {
        Built {
            wanted,
            list: Term::NIL,
            upto: len,
        }
    }

    /// Puts matches, or the parts behind them, before what is there.
    fn put(&mut self, heap: &mut Heap, v: &View, found: &[(usize, usize)]) {
        for &(start, end) in found.iter().rev() {
            match self.wanted {
                Wanted::Parts { .. } => {
                    self.put_part(heap, v, end);
                    self.upto = start;
                }
                _ => {
                    let t = span(heap, (start, end));
                    self.list = heap.cons(t, self.list);
                }
            }
        }
    }

    /// Puts the part from `start` on before what is there, unless it is to be left out.
    fn put_part(&mut self, heap: &mut Heap, v: &View, start: usize) {
        let Wanted::Parts { trim, trim_all } = self.wanted else {
            return;
        };
        if start == self.upto && (trim_all || trim && self.list.is_nil()) {
            return;
        }
        let part = bits::share(&v.part(8 * start, 8 * (self.upto - start)), heap);
        self.list = heap.cons(part, self.list);
    }

    /// The whole list.
    fn finish(&mut self, heap: &mut Heap, v: &View) -> Term {
        self.put_part(heap, v, 0);
        self.list
    }
}

struct Searching {
    search: Search,
    wanted: Wanted,
    /// What is done of the result, once all was searched.
    out: Option<Built>,
}

impl Work for Searching {
    fn step(&mut self, cx: &mut Ctx<'_>, a: &[Term], budget: &mut Budget) -> Step {
        let v = bits::view(a[0]);
        let Some(out) = &mut self.out else {
            if self.search.go_on(&v, budget).is_pending() {
                return Ok(Poll::Pending);
            }
            if matches!(self.wanted, Wanted::First) {
                let found = self.search.found.pop();
                return Ok(Poll::Ready(first_or_none(cx, found)));
            }
            self.out = Some(Built::new(self.wanted, v.bits / 8));
            return if budget.is_spent() {
                Ok(Poll::Pending)
            } else {
                self.step(cx, a, budget)
            };
        };
        let found = &mut self.search.found;
        while !found.is_empty() {
            let some = found.top(budget.left());
            let n = some.len();
            if n == 0 {
                return Ok(Poll::Pending);
            }
            out.put(cx.heap(), &v, some);
            found.drop_top(n);
            budget.spend(n * MATCH * 2);
        }
        Ok(Poll::Ready(out.finish(cx.heap(), &v)))
    }

    fn visit_roots(&mut self, visit: &mut dyn FnMut(&mut [Term])) {
        if let Some(out) = &mut self.out {
            visit(std::slice::from_mut(&mut out.list));
        }
    }
}

fn first_or_none(cx: &mut Ctx<'_>, found: Option<(usize, usize)>) -> Term {
    match found {
        Some(f) => span(cx.heap(), f),
        None => Atom::NOMATCH.into(),
    }
}

fn run(cx: &mut Ctx<'_>, a: &[Term], o: &Options, all: bool, wanted: Wanted) -> BifResult {
    let v = subject(a[0])?;
    let (from, to) = o.range(v.bits / 8)?;
    if !is_short(from, to) {
        let search = Search::new(a[1], (from, to), all)?;
        let work = Searching {
            search,
            wanted,
            out: None,
        };
        return work::start_within(cx, a, work, &LOOP_LIMIT);
    }
    let mut found: SmallVec<[(usize, usize); 8]> = SmallVec::new();
    let hay = v.part(8 * from, 8 * (to - from)).to_bytes();
    each_match(a[1], &hay, |s, e| {
        found.push((from + s, from + e));
        all
    })?;
    cx.bump((to - from) / 512 + found.len() / 4);
    if matches!(wanted, Wanted::First) {
        return Ok(first_or_none(cx, found.pop()));
    }
    let mut out = Built::new(wanted, v.bits / 8);
    out.put(cx.heap(), &v, &found);
    Ok(out.finish(cx.heap(), &v))
}

fn match_first(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    subject(a[0])?;
    let o = options(a.get(2), false)?;
    run(cx, a, &o, false, Wanted::First)
}

fn matches(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    subject(a[0])?;
    let o = options(a.get(2), false)?;
    run(cx, a, &o, true, Wanted::Matches)
}

fn split(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    subject(a[0])?;
    let o = options(a.get(2), true)?;
    let wanted = Wanted::Parts {
        trim: o.trim,
        trim_all: o.trim_all,
    };
    run(cx, a, &o, o.global, wanted)
}
