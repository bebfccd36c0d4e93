//! From terms to bytes. Format: "External Term Format" in OTP's documentation of erts.

use crate::atom::Atom;
use crate::data::{bignum, compare, map, record};
use crate::heap::{bits, magic};
use crate::term::fun::{fun_name, function_name};
use crate::term::{Kind, Term};
use crate::{node, release};

/// How terms are written.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Minor version: 0 writes floats as text and Latin-1 atoms as such, 1 floats in binary, 2 all atoms as
    /// UTF-8.
    pub minor: u8,
    /// Keys of maps in the order of terms.
    pub deterministic: bool,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            minor: if release::number() >= 26 { 2 } else { 1 },
            deterministic: false,
        }
    }
}

/// The term with its version byte.
pub fn encode(t: Term, options: Options) -> Vec<u8> {
    let mut out = vec![131];
    write(t, options, &mut out);
    out
}

/// What is still to be written.
enum Todo {
    Term(Term),
    /// The rest of a list whose length was written.
    Rest(Term, usize),
    /// The end of a fun: the place of its size, which counts itself.
    FunEnd(usize),
}

/// Writes a term without version byte. Works with a list instead of recursion.
pub fn write(t: Term, o: Options, out: &mut Vec<u8>) {
    let mut stack = vec![Todo::Term(t)];
    while let Some(todo) = stack.pop() {
        match todo {
            Todo::Rest(t, 0) => stack.push(Todo::Term(t)),
            Todo::Rest(t, n) => {
                stack.push(Todo::Rest(t.tail(), n - 1));
                stack.push(Todo::Term(t.head()));
            }
            Todo::FunEnd(at) => {
                let size = (out.len() - at) as u32;
                out[at..at + 4].copy_from_slice(&size.to_be_bytes());
            }
            Todo::Term(t) => one(t, o, out, &mut stack),
        }
    }
}

fn put32(out: &mut Vec<u8>, n: usize) {
    out.extend_from_slice(&(n as u32).to_be_bytes());
}

fn one(t: Term, o: Options, out: &mut Vec<u8>, stack: &mut Vec<Todo>) {
    if let Some(n) = t.as_small() {
        return integer(n, out);
    }
    if let Some(a) = t.as_atom() {
        return atom(a, o, out);
    }
    if let Some(f) = t.as_float() {
        return float(f, o, out);
    }
    if t.is_nil() {
        return out.push(106);
    }
    if t.is_cons() {
        return list(t, out, stack);
    }
    if let Some(id) = t.as_local_pid() {
        let (name, creation) = node::this();
        return pid(name, creation, id, o, out);
    }
    if let Some(id) = t.as_local_port() {
        let (name, creation) = node::this();
        return port(name, creation, id, o, out);
    }
    if !t.is_boxed() {
        return out.push(106);
    }
    boxed(t, o, out, stack);
}

fn boxed(t: Term, o: Options, out: &mut Vec<u8>, stack: &mut Vec<Todo>) {
    let h = t.header();
    match h.kind() {
        Kind::Tuple => {
            let n = h.words();
            if n < 256 {
                out.extend_from_slice(&[104, n as u8]);
            } else {
                out.push(105);
                put32(out, n);
            }
            stack.extend(t.terms_from(1, n).iter().rev().map(|&e| Todo::Term(e)));
        }
        Kind::BigPos | Kind::BigNeg => big(t, out),
        Kind::HeapBits | Kind::BinRef | Kind::SubBits | Kind::MatchCtx => bitstring(t, out),
        Kind::FlatMap | Kind::HashMap => {
            out.push(116);
            put32(out, map::size(t));
            let mut pairs: Vec<(Term, Term)> = if o.deterministic {
                map::sorted_pairs(t)
            } else {
                map::iter(t).collect()
            };
            // A large map is written from its last pair on, as BEAM does.
            if o.deterministic || h.kind() == Kind::FlatMap {
                pairs.reverse();
            }
            for (k, v) in pairs {
                stack.push(Todo::Term(v));
                stack.push(Todo::Term(k));
            }
        }
        Kind::Ref | Kind::MagicRef => {
            if let Some(m) = t.as_magic() {
                magic::note_written(t.ref_number(), m);
            }
            let (name, creation) = node::this();
            reference(name, creation, &compare::ref_ids(t), o, out);
        }
        Kind::ExtRef => {
            let n = compare::node_of(t);
            reference(n.name, n.creation, &compare::ref_ids(t), o, out);
        }
        Kind::ExtPid => {
            let n = compare::node_of(t);
            pid(n.name, n.creation, t.word(2), o, out);
        }
        Kind::ExtPort => {
            let n = compare::node_of(t);
            port(n.name, n.creation, t.word(2), o, out);
        }
        Kind::Export => {
            let e = function_name(t);
            out.push(113);
            atom(e.module, o, out);
            atom(e.function, o, out);
            integer(i64::from(e.arity), out);
        }
        Kind::Fun => fun(t, o, out, stack),
        Kind::Record => {
            out.push(67);
            put32(out, record::values(t).len());
            out.push(u8::from(record::is_exported(t)));
            stack.extend(record::values(t).iter().rev().map(|&v| Todo::Term(v)));
            stack.extend(record::field_names(t).iter().rev().map(|&f| Todo::Term(f)));
            stack.extend([record::name(t), record::module(t)].map(Todo::Term));
        }
        _ => out.push(106),
    }
}

fn integer(n: i64, out: &mut Vec<u8>) {
    if let Ok(b) = u8::try_from(n) {
        out.extend_from_slice(&[97, b]);
    } else if let Ok(i) = i32::try_from(n) {
        out.push(98);
        out.extend_from_slice(&i.to_be_bytes());
    } else {
        small_big(n < 0, &[n.unsigned_abs()], out);
    }
}

fn small_big(negative: bool, limbs: &[u64], out: &mut Vec<u8>) {
    let bytes: Vec<u8> = limbs.iter().flat_map(|l| l.to_le_bytes()).collect();
    let n = bytes.iter().rposition(|&b| b != 0).map_or(0, |i| i + 1);
    if n < 256 {
        out.extend_from_slice(&[110, n as u8]);
    } else {
        out.push(111);
        put32(out, n);
    }
    out.push(u8::from(negative));
    out.extend_from_slice(&bytes[..n]);
}

fn big(t: Term, out: &mut Vec<u8>) {
    let mut buf = [0];
    let (negative, limbs) = bignum::limbs(t, &mut buf);
    small_big(negative, limbs, out);
}

/// An atom as it stands in a term.
pub fn atom(a: Atom, o: Options, out: &mut Vec<u8>) {
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

fn float(f: f64, o: Options, out: &mut Vec<u8>) {
    if o.minor >= 1 {
        out.push(70);
        out.extend_from_slice(&f.to_bits().to_be_bytes());
        return;
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

/// A list: as a string where all elements are bytes and there are not too many of them.
fn list(t: Term, out: &mut Vec<u8>, stack: &mut Vec<Todo>) {
    let (mut n, mut bytes, mut rest) = (0usize, true, t);
    while rest.is_cons() {
        bytes = bytes
            && rest
                .head()
                .as_small()
                .is_some_and(|b| (0..256).contains(&b));
        n += 1;
        rest = rest.tail();
    }
    if bytes && rest.is_nil() && n < 65536 {
        out.push(107);
        out.extend_from_slice(&(n as u16).to_be_bytes());
        out.extend(crate::term::list::iter(t).map(|b| b.small_value() as u8));
        return;
    }
    out.push(108);
    put32(out, n);
    stack.push(Todo::Rest(t, n));
}

fn bitstring(t: Term, out: &mut Vec<u8>) {
    let v = bits::view(t);
    let bytes = v.to_bytes();
    if v.bits & 7 == 0 {
        out.push(109);
        put32(out, bytes.len());
    } else {
        out.push(77);
        put32(out, bytes.len());
        out.push((v.bits & 7) as u8);
    }
    out.extend_from_slice(&bytes);
}

fn pid(name: Atom, creation: u32, id: u64, o: Options, out: &mut Vec<u8>) {
    let (number, serial) = crate::term::pid::parts(id);
    out.push(88);
    atom(name, o, out);
    put32(out, number as usize);
    put32(out, serial as usize);
    put32(out, creation as usize);
}

fn port(name: Atom, creation: u32, id: u64, o: Options, out: &mut Vec<u8>) {
    if id >> 28 == 0 && !release::wide_ports() {
        out.push(89);
        atom(name, o, out);
        put32(out, id as usize);
    } else {
        out.push(120);
        atom(name, o, out);
        out.extend_from_slice(&id.to_be_bytes());
    }
    put32(out, creation as usize);
}

fn reference(name: Atom, creation: u32, ids: &[u32], o: Options, out: &mut Vec<u8>) {
    out.push(90);
    out.extend_from_slice(&(ids.len() as u16).to_be_bytes());
    atom(name, o, out);
    put32(out, creation as usize);
    for id in ids.iter().rev() {
        out.extend_from_slice(&id.to_be_bytes());
    }
}

/// A fun: its size stands in front, and is put there when its environment has been written.
fn fun(t: Term, o: Options, out: &mut Vec<u8>, stack: &mut Vec<Todo>) {
    let e = fun_name(t);
    let env = t.fun_env().unwrap_or(&[]);
    out.push(112);
    stack.push(Todo::FunEnd(out.len()));
    put32(out, 0);
    out.push(e.arity as u8);
    out.extend_from_slice(&e.uniq);
    put32(out, e.index as usize);
    put32(out, env.len());
    atom(e.module, o, out);
    integer(i64::from(e.index), out);
    integer(i64::from(e.old_uniq), out);
    stack.extend(env.iter().rev().map(|&v| Todo::Term(v)));
    stack.push(Todo::Term(Term(t.word(2))));
}
