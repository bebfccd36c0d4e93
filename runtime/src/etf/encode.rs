//! From terms to bytes. Format: "External Term Format" in OTP's documentation of erts.

use super::message_atoms::MessageAtoms;
use crate::atom::Atom;
use crate::budget::Budget;
use crate::data::{bignum, compare, map, record};
use crate::heap::bits::View;
use crate::heap::{Gathered, bits, magic};
use crate::term::fun::{fun_name, function_name};
use crate::term::{self, Kind, Term};
use crate::{node, release};
use std::cell::Cell;
use std::task::Poll;

/// How terms are written.
#[derive(Clone, Copy, Debug)]
pub struct EncodeOptions {
    /// Minor version: 0 writes floats as text and Latin-1 atoms as such, 1 floats in binary, 2 all atoms as
    /// UTF-8.
    pub minor: u8,
    /// Keys of maps in the order of terms.
    pub deterministic: bool,
}

impl EncodeOptions {
    /// As nodes write terms for each other.
    pub const BETWEEN_NODES: EncodeOptions = EncodeOptions {
        minor: 2,
        deterministic: false,
    };
}

impl Default for EncodeOptions {
    fn default() -> EncodeOptions {
        EncodeOptions {
            minor: if release::number() >= 26 { 2 } else { 1 },
            deterministic: false,
        }
    }
}

/// What is still to be written.
#[derive(Clone, Copy)]
enum Todo {
    Term(Term),
    /// The elements of a tuple (or what else has its terms side by side) from a word up to another.
    Words(Term, usize, usize),
    /// A list of which so many cells were counted, all bytes so far or not, up to a cell.
    Count(Term, usize, bool, Term),
    /// The rest of a list whose length was written.
    Rest(Term, usize),
    /// A large map's node.
    Node(Term),
    /// The bytes of a bitstring from this one on.
    Bytes(Term, usize),
    /// The end of a fun: the place of its size, which counts itself.
    FunEnd(usize),
}

thread_local! {
    /// Memory that short terms are written into.
    static SHORT: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// Parts, and levels, of terms that are written at once.
const SHORT_PARTS: usize = 250;
const SHORT_LEVELS: usize = 16;

/// Writes a term with its version byte, and lends that to `f`, with how many parts it has. Nothing if the term is long or deep, or has rare
/// parts.
pub fn with_short<R>(
    t: Term,
    options: EncodeOptions,
    f: impl FnOnce(&[u8], usize) -> R,
) -> Option<R> {
    let mut out = SHORT.take();
    out.clear();
    out.push(131);
    let mut left = SHORT_PARTS;
    let r =
        short(t, options, &mut out, &mut left, SHORT_LEVELS).then(|| f(&out, SHORT_PARTS - left));
    SHORT.set(out);
    r
}

/// Writes a term if it has few parts, and is not deep. What it has written otherwise is of no use.
fn short(t: Term, o: EncodeOptions, out: &mut Vec<u8>, left: &mut usize, levels: usize) -> bool {
    if *left == 0 || levels == 0 {
        return false;
    }
    *left -= 1;
    if let Some(n) = t.as_small() {
        integer(n, out);
    } else if let Some(a) = t.as_atom() {
        atom(a, o, out);
    } else if let Some(f) = t.as_float() {
        float(f, o, out);
    } else if t.is_nil() {
        out.push(106);
    } else if t.is_cons() {
        return short_list(t, o, out, left, levels);
    } else if let Some(elements) = t.as_tuple() {
        tuple_head(elements.len(), out);
        return elements.iter().all(|&e| short(e, o, out, left, levels - 1));
    } else if t.is_bitstring() {
        let v = bits::view(t);
        if v.bits > 8 * FEW_BYTES {
            return false;
        }
        bits_head(&v, out);
        out.extend_from_slice(&v.to_bytes());
    } else if t.is_big() {
        big(t, out);
    } else if t.is_kind(Kind::FlatMap) && !o.deterministic {
        let Some((keys, values)) = map::small_parts(t) else {
            return false;
        };
        out.push(116);
        put32(out, keys.len());
        let mut pairs = keys.iter().zip(values);
        return pairs.all(|(&k, &v)| {
            short(k, o, out, left, levels - 1) && short(v, o, out, left, levels - 1)
        });
    } else {
        return false;
    }
    true
}

/// The same for a list.
fn short_list(
    t: Term,
    o: EncodeOptions,
    out: &mut Vec<u8>,
    left: &mut usize,
    levels: usize,
) -> bool {
    let (mut n, mut bytes, mut rest) = (0, true, t);
    while rest.is_cons() {
        if n == *left {
            return false;
        }
        bytes = bytes && is_byte(rest.head());
        n += 1;
        rest = rest.tail();
    }
    if bytes && rest.is_nil() {
        *left -= n;
        string(t, n, out);
        return true;
    }
    out.push(108);
    put32(out, n);
    let mut all = term::list::iter(t);
    all.by_ref().all(|e| short(e, o, out, left, levels - 1))
        && short(all.tail(), o, out, left, levels)
}

/// Writes a term, in steps and without recursion.
pub struct Encoder {
    options: EncodeOptions,
    todo: Vec<Todo>,
    /// What was written since it was taken away.
    out: Vec<u8>,
    /// Sizes that are not written yet: as long as there are any, `out` stays.
    open: usize,
    /// Is only the number of bytes of interest? Then bytes of bitstrings are not written.
    sizing: bool,
    /// Bytes of bitstrings that were not written.
    left_out: usize,
    /// The atoms that stand in a header in front of the term, for a message between nodes.
    atoms: Option<Box<MessageAtoms>>,
}

/// Units of work that an object costs.
const OBJECT: usize = 3;
/// Room that an encoder begins with: most terms that are written are small.
const SOME_BYTES: usize = 240;
const SOME_TODO: usize = 8;
/// List cells that are counted at once.
const FEW_CELLS: usize = 32;

impl Encoder {
    /// Writes `t` with its version byte.
    pub fn new(t: Term, options: EncodeOptions) -> Encoder {
        let mut e = Encoder::without_version(t, options);
        e.out.push(131);
        e
    }

    fn without_version(t: Term, options: EncodeOptions) -> Encoder {
        let mut todo = Vec::with_capacity(SOME_TODO);
        todo.push(Todo::Term(t));
        Encoder {
            options,
            todo,
            out: Vec::with_capacity(SOME_BYTES),
            open: 0,
            sizing: false,
            left_out: 0,
            atoms: None,
        }
    }

    /// Writes `t` as a part of a message between nodes, whose atoms go into a header as far as there is room.
    pub fn for_message(t: Term, atoms: Box<MessageAtoms>) -> Encoder {
        Encoder {
            atoms: Some(atoms),
            ..Encoder::without_version(t, EncodeOptions::BETWEEN_NODES)
        }
    }

    /// Writes `t`, with its version byte, for nodes that want no such header.
    pub fn for_plain_message(t: Term) -> Encoder {
        Encoder::new(t, EncodeOptions::BETWEEN_NODES)
    }

    /// Gives back the atoms of the message, if it has a header for them.
    pub fn take_atoms(&mut self) -> Option<Box<MessageAtoms>> {
        self.atoms.take()
    }

    /// An atom: its place in the header, or the atom itself.
    fn atom(&mut self, a: Atom) {
        match self.atoms.as_mut().and_then(|all| all.place_of(a)) {
            Some(place) => self.out.extend_from_slice(&[82, place]),
            None => atom(a, self.options, &mut self.out),
        }
    }

    /// Finds out only how many bytes there are.
    pub fn sizing(t: Term, options: EncodeOptions) -> Encoder {
        Encoder {
            sizing: true,
            ..Encoder::new(t, options)
        }
    }

    /// Goes on until all is written, the budget is spent, or there are about `enough` bytes to be taken away.
    pub fn go_on(&mut self, budget: &mut Budget, enough: usize) -> Poll<()> {
        while let Some(todo) = self.todo.pop() {
            if self.is_to_stop(budget, enough) {
                self.todo.push(todo);
                return Poll::Pending;
            }
            match todo {
                Todo::Term(t) => {
                    budget.spend(OBJECT);
                    one(t, self);
                }
                Todo::Words(t, from, to) => {
                    for at in from..to {
                        if self.is_to_stop(budget, enough) {
                            self.todo.push(Todo::Words(t, at, to));
                            return Poll::Pending;
                        }
                        budget.spend(1);
                        if self.goes_into(Term(t.word(at)), Todo::Words(t, at + 1, to)) {
                            break;
                        }
                    }
                }
                Todo::Count(t, mut n, mut bytes, mut rest) => {
                    let most = budget.left().saturating_mul(2);
                    let before = n;
                    while rest.is_cons() && n - before < most {
                        bytes = bytes && is_byte(rest.head());
                        n += 1;
                        rest = rest.tail();
                    }
                    budget.spend((n - before) / 2 + 1);
                    if rest.is_cons() {
                        self.todo.push(Todo::Count(t, n, bytes, rest));
                    } else {
                        self.list(t, n, bytes && rest.is_nil());
                    }
                }
                Todo::Rest(mut t, mut n) => loop {
                    if n == 0 {
                        self.todo.push(Todo::Term(t));
                        break;
                    }
                    if self.is_to_stop(budget, enough) {
                        self.todo.push(Todo::Rest(t, n));
                        return Poll::Pending;
                    }
                    budget.spend(1);
                    let head = t.head();
                    (t, n) = (t.tail(), n - 1);
                    if self.goes_into(head, Todo::Rest(t, n)) {
                        break;
                    }
                },
                Todo::Node(t) if t.is_cons() => {
                    self.todo.push(Todo::Term(t.tail()));
                    self.todo.push(Todo::Term(t.head()));
                }
                // A large map is written from its last pair on, as BEAM does.
                Todo::Node(t) => self
                    .todo
                    .extend(map::children(t).iter().map(|&k| Todo::Node(k))),
                Todo::Bytes(t, from) => {
                    let v = bits::view(t);
                    let len = v.bits.div_ceil(8);
                    if self.sizing {
                        self.left_out += len - from;
                        continue;
                    }
                    let n = budget.grant_bytes(len - from).min(enough);
                    let count = (8 * n).min(v.bits - 8 * from);
                    self.out
                        .extend_from_slice(&v.part(8 * from, count).to_bytes());
                    if from + n < len {
                        self.todo.push(Todo::Bytes(t, from + n));
                    }
                }
                Todo::FunEnd(at) => {
                    self.open -= 1;
                    if !self.sizing {
                        let size = (self.out.len() - at) as u32;
                        self.out[at..at + 4].copy_from_slice(&size.to_be_bytes());
                    }
                }
            }
        }
        Poll::Ready(())
    }

    #[inline(always)]
    fn is_to_stop(&self, budget: &Budget, enough: usize) -> bool {
        budget.is_spent() || self.out.len() >= enough && self.open == 0
    }

    /// Writes a term. If there is more of it to be done, `then` follows that, and the answer is `true`.
    #[inline(always)]
    fn goes_into(&mut self, t: Term, then: Todo) -> bool {
        let depth = self.todo.len();
        one(t, self);
        let deeper = self.todo.len() > depth;
        if deeper {
            self.todo.insert(depth, then);
        }
        deeper
    }

    /// Takes away what was written, and adds it to what was taken away before.
    pub fn move_to(&mut self, gathered: &mut Gathered) {
        gathered.extend(&self.out);
        self.out.clear();
    }

    /// Takes away what was written.
    pub fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.out)
    }

    /// Number of bytes of what was written, and of what was left out.
    pub fn written(&self) -> usize {
        self.out.len() + self.left_out
    }

    /// Are there sizes that are not written yet, so that nothing may be taken away?
    pub fn has_gaps(&self) -> bool {
        self.open > 0
    }

    /// Forgets what was written but for its size.
    pub fn forget(&mut self) {
        self.left_out += self.out.len();
        self.out.clear();
    }

    /// Shows the terms that are held.
    pub fn visit_roots(&mut self, visit: &mut dyn FnMut(&mut [Term])) {
        for todo in &mut self.todo {
            match todo {
                Todo::Term(t)
                | Todo::Words(t, ..)
                | Todo::Rest(t, _)
                | Todo::Node(t)
                | Todo::Bytes(t, _) => visit(std::slice::from_mut(t)),
                Todo::Count(t, _, _, rest) => {
                    visit(std::slice::from_mut(t));
                    visit(std::slice::from_mut(rest));
                }
                Todo::FunEnd(_) => {}
            }
        }
    }

    /// A list of `n` cells: as a string where all elements are bytes and there are not too many of them.
    fn list(&mut self, t: Term, n: usize, bytes: bool) {
        let out = &mut self.out;
        if bytes && n < 65536 {
            return string(t, n, out);
        }
        out.push(108);
        put32(out, n);
        self.todo.push(Todo::Rest(t, n));
    }
}

/// A list of `n` bytes.
fn string(t: Term, n: usize, out: &mut Vec<u8>) {
    out.push(107);
    out.extend_from_slice(&(n as u16).to_be_bytes());
    out.extend(term::list::iter(t).map(|b| b.small_value() as u8));
}

/// What stands before a tuple's elements.
fn tuple_head(n: usize, out: &mut Vec<u8>) {
    if n < 256 {
        out.extend_from_slice(&[104, n as u8]);
    } else {
        out.push(105);
        put32(out, n);
    }
}

/// What stands before a bitstring's bytes.
fn bits_head(v: &View, out: &mut Vec<u8>) {
    let len = v.bits.div_ceil(8);
    if v.bits & 7 == 0 {
        let [a, b, c, d] = (len as u32).to_be_bytes();
        out.extend_from_slice(&[109, a, b, c, d]);
    } else {
        out.push(77);
        put32(out, len);
        out.push((v.bits & 7) as u8);
    }
}

fn is_byte(t: Term) -> bool {
    t.as_small().is_some_and(|b| (0..256).contains(&b))
}

/// The term with its version byte.
pub fn encode(t: Term, options: EncodeOptions) -> Vec<u8> {
    let mut e = Encoder::new(t, options);
    while e
        .go_on(&mut Budget::of(usize::MAX), usize::MAX)
        .is_pending()
    {}
    e.take()
}

/// Writes a term without version byte.
pub fn write(t: Term, options: EncodeOptions, out: &mut Vec<u8>) {
    let mut e = Encoder::without_version(t, options);
    while e
        .go_on(&mut Budget::of(usize::MAX), usize::MAX)
        .is_pending()
    {}
    out.append(&mut e.out);
}

fn put32(out: &mut Vec<u8>, n: usize) {
    out.extend_from_slice(&(n as u32).to_be_bytes());
}

fn one(t: Term, e: &mut Encoder) {
    let (o, out) = (e.options, &mut e.out);
    if let Some(n) = t.as_small() {
        return integer(n, out);
    }
    if let Some(a) = t.as_atom() {
        return e.atom(a);
    }
    if let Some(f) = t.as_float() {
        return float(f, o, out);
    }
    if t.is_nil() {
        return out.push(106);
    }
    if t.is_cons() {
        let (mut n, mut bytes, mut rest) = (0, true, t);
        while rest.is_cons() && n < FEW_CELLS {
            bytes = bytes && is_byte(rest.head());
            n += 1;
            rest = rest.tail();
        }
        if rest.is_cons() {
            return e.todo.push(Todo::Count(t, n, bytes, rest));
        }
        return e.list(t, n, bytes && rest.is_nil());
    }
    if let Some(id) = t.as_local_pid() {
        let (name, creation) = node::this();
        return pid(name, creation, term::pid::parts(id), e);
    }
    if let Some(id) = t.as_local_port() {
        let (name, creation) = node::this();
        return port(name, creation, id, e);
    }
    if !t.is_boxed() {
        return out.push(106);
    }
    boxed(t, e);
}

fn boxed(t: Term, e: &mut Encoder) {
    let h = t.header();
    let (o, out) = (e.options, &mut e.out);
    match h.kind() {
        Kind::Tuple => {
            let n = h.words();
            tuple_head(n, out);
            e.todo.push(Todo::Words(t, 1, 1 + n));
        }
        Kind::BigPos | Kind::BigNeg => big(t, out),
        Kind::HeapBits | Kind::BinRef | Kind::SubBits | Kind::MatchCtx => bitstring(t, e),
        Kind::FlatMap | Kind::HashMap => {
            out.push(116);
            put32(out, map::size(t));
            if !o.deterministic && h.kind() == Kind::HashMap {
                return e.todo.push(Todo::Node(map::root(t)));
            }
            let todo = &mut e.todo;
            let mut put = |k, v| todo.extend([Todo::Term(v), Todo::Term(k)]);
            match map::small_parts(t) {
                Some((keys, values)) if !o.deterministic => {
                    let pairs = keys.iter().zip(values).rev();
                    pairs.for_each(|(&k, &v)| put(k, v));
                }
                _ => map::sorted_pairs(t)
                    .into_iter()
                    .rev()
                    .for_each(|(k, v)| put(k, v)),
            }
        }
        Kind::Ref | Kind::MagicRef => {
            if let Some(m) = t.as_magic() {
                magic::note_written(t.ref_number(), m);
            }
            let (name, creation) = node::this();
            reference(name, creation, &compare::ref_ids(t), e);
        }
        Kind::ExtRef => {
            let n = compare::node_of(t);
            reference(n.name, n.creation, &compare::ref_ids(t), e);
        }
        Kind::ExtPid => {
            let n = compare::node_of(t);
            let id = term::pid::external_parts(t.word(2));
            pid(n.name, n.creation, id, e);
        }
        Kind::ExtPort => {
            let n = compare::node_of(t);
            port(n.name, n.creation, t.word(2), e);
        }
        Kind::Export => {
            let f = function_name(t);
            out.push(113);
            e.atom(f.module);
            e.atom(f.function);
            integer(i64::from(f.arity), &mut e.out);
        }
        Kind::Fun => fun(t, e),
        Kind::Record => {
            out.push(67);
            put32(out, record::values(t).len());
            out.push(u8::from(record::is_exported(t)));
            let todo = &mut e.todo;
            todo.extend(record::values(t).iter().rev().map(|&v| Todo::Term(v)));
            todo.extend(record::field_names(t).iter().rev().map(|&f| Todo::Term(f)));
            todo.extend([record::name(t), record::module(t)].map(Todo::Term));
        }
        _ => out.push(106),
    }
}

fn integer(n: i64, out: &mut Vec<u8>) {
    if let Ok(b) = u8::try_from(n) {
        out.extend_from_slice(&[97, b]);
    } else if let Ok(i) = i32::try_from(n) {
        let [a, b, c, d] = i.to_be_bytes();
        out.extend_from_slice(&[98, a, b, c, d]);
    } else {
        small_big(n < 0, &[n.unsigned_abs()], out);
    }
}

fn small_big(negative: bool, limbs: &[u64], out: &mut Vec<u8>) {
    let used = limbs.iter().rposition(|&l| l != 0).map_or(0, |i| i + 1);
    let limbs = &limbs[..used];
    let unused = limbs.last().map_or(0, |l| l.leading_zeros() as usize / 8);
    let n = 8 * used - unused;
    if n < 256 {
        out.extend_from_slice(&[110, n as u8]);
    } else {
        out.push(111);
        put32(out, n);
    }
    out.push(u8::from(negative));
    let start = out.len();
    limbs
        .iter()
        .for_each(|l| out.extend_from_slice(&l.to_le_bytes()));
    out.truncate(start + n);
}

fn big(t: Term, out: &mut Vec<u8>) {
    let mut buf = [0];
    let (negative, limbs) = bignum::limbs(t, &mut buf);
    small_big(negative, limbs, out);
}

/// An atom as it stands in a term.
pub fn atom(a: Atom, o: EncodeOptions, out: &mut Vec<u8>) {
    let text = a.text();
    if o.minor < 2 && text.chars().all(|c| u32::from(c) < 256) {
        let bytes: Vec<u8> = text.chars().map(|c| u32::from(c) as u8).collect();
        out.push(100);
        out.extend_from_slice(&(bytes.len() as u16).to_be_bytes());
        out.extend_from_slice(&bytes);
        return;
    }
    if text.len() < 256 {
        out.extend_from_slice(&[119, text.len() as u8]);
    } else {
        out.push(118);
        out.extend_from_slice(&(text.len() as u16).to_be_bytes());
    }
    out.extend_from_slice(text.as_bytes());
}

fn float(f: f64, o: EncodeOptions, out: &mut Vec<u8>) {
    if o.minor >= 1 {
        let mut bytes = [70; 9];
        bytes[1..].copy_from_slice(&f.to_bits().to_be_bytes());
        return out.extend_from_slice(&bytes);
    }
    out.push(99);
    let mut text = c_exponent(f).into_bytes();
    text.resize(31, 0);
    out.extend_from_slice(&text);
}

/// As C's `%.20e` writes it.
fn c_exponent(f: f64) -> String {
    let s = format!("{f:.20e}");
    let (m, e) = s.split_once('e').unwrap_or((&s, "0"));
    let e: i32 = e.parse().unwrap_or(0);
    format!("{m}e{}{:02}", if e < 0 { '-' } else { '+' }, e.abs())
}

fn bitstring(t: Term, e: &mut Encoder) {
    let v = bits::view(t);
    let out = &mut e.out;
    let len = v.bits.div_ceil(8);
    bits_head(&v, out);
    if len <= FEW_BYTES && !e.sizing {
        out.extend_from_slice(&v.to_bytes());
    } else {
        e.todo.push(Todo::Bytes(t, 0));
    }
}

/// So many bytes are written at once.
const FEW_BYTES: usize = 256;

fn pid(name: Atom, creation: u32, (number, serial): (u64, u64), e: &mut Encoder) {
    e.out.push(88);
    e.atom(name);
    let out = &mut e.out;
    put32(out, number as usize);
    put32(out, serial as usize);
    put32(out, creation as usize);
}

fn port(name: Atom, creation: u32, id: u64, e: &mut Encoder) {
    let short = id >> 28 == 0 && !release::wide_ports();
    e.out.push(if short { 89 } else { 120 });
    e.atom(name);
    if short {
        put32(&mut e.out, id as usize);
    } else {
        e.out.extend_from_slice(&id.to_be_bytes());
    }
    put32(&mut e.out, creation as usize);
}

fn reference(name: Atom, creation: u32, ids: &[u32], e: &mut Encoder) {
    e.out.push(90);
    e.out.extend_from_slice(&(ids.len() as u16).to_be_bytes());
    e.atom(name);
    put32(&mut e.out, creation as usize);
    for id in ids.iter().rev() {
        e.out.extend_from_slice(&id.to_be_bytes());
    }
}

/// A fun: its size stands in front, and is put there when its environment has been written.
fn fun(t: Term, e: &mut Encoder) {
    let f = fun_name(t);
    let env = t.fun_env().unwrap_or(&[]);
    let out = &mut e.out;
    out.push(112);
    let size = Todo::FunEnd(out.len());
    put32(out, 0);
    out.push(f.arity as u8);
    out.extend_from_slice(&f.uniq);
    put32(out, f.index as usize);
    put32(out, env.len());
    e.atom(f.module);
    let out = &mut e.out;
    integer(i64::from(f.index), out);
    integer(i64::from(f.old_uniq), out);
    e.open += 1;
    e.todo.push(size);
    e.todo.extend(env.iter().rev().map(|&v| Todo::Term(v)));
    e.todo.push(Todo::Term(Term(t.word(2))));
}
