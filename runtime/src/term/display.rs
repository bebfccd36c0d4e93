//! Printing terms for people: crash dumps, `erlang:display/1`, debugging. `io_lib` does its own printing.

use super::{Kind, Term, bits, compare, list, map};
use std::fmt;

impl fmt::Debug for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Printer { budget: usize::MAX }.term(*self, f, 0)
    }
}

/// Nesting beyond this is shown as `...`, so that printing never runs out of native stack.
const MAX_DEPTH: usize = 10_000;

struct Printer {
    budget: usize,
}

impl Printer {
    fn term(&mut self, t: Term, f: &mut fmt::Formatter<'_>, depth: usize) -> fmt::Result {
        if depth > MAX_DEPTH || self.budget == 0 {
            return f.write_str("...");
        }
        self.budget -= 1;
        if let Some(n) = t.as_small() {
            return write!(f, "{n}");
        }
        if let Some(a) = t.as_atom() {
            return write_atom(a.text(), f);
        }
        if let Some(x) = t.as_float() {
            return f.write_str(&crate::float_text::shortest(x));
        }
        if t.is_nil() {
            return f.write_str("[]");
        }
        if let Some(p) = t.as_local_pid() {
            let (n, s) = crate::process::table::pid_parts(p);
            return write!(f, "<0.{n}.{s}>");
        }
        if let Some(p) = t.as_local_port() {
            return write!(f, "#Port<0.{p}>");
        }
        if t.is_cons() {
            return self.list(t, f, depth);
        }
        if !t.is_boxed() {
            return write!(f, "#Internal<{:x}>", t.raw());
        }
        let h = t.header();
        match h.kind() {
            Kind::Tuple => self.seq("{", t.terms_from(1, h.words()), "}", f, depth),
            Kind::BigPos | Kind::BigNeg => match super::bignum::to_bigint(t) {
                Some(b) => write!(f, "{b}"),
                None => Ok(()),
            },
            Kind::HeapBits | Kind::BinRef | Kind::SubBits => write_bits(t, f),
            Kind::FlatMap | Kind::HashMap => {
                f.write_str("#{")?;
                for (i, (k, v)) in map::sorted_pairs(t).into_iter().enumerate() {
                    if i > 0 {
                        f.write_str(",")?;
                    }
                    self.term(k, f, depth + 1)?;
                    f.write_str("=>")?;
                    self.term(v, f, depth + 1)?;
                }
                f.write_str("}")
            }
            Kind::Ref | Kind::MagicRef => {
                let ids = compare::ref_ids(t);
                f.write_str("#Ref<0")?;
                ids.iter().try_for_each(|i| write!(f, ".{i}"))?;
                f.write_str(">")
            }
            Kind::ExtRef => {
                write!(f, "#Ref<{}", compare::node_of(t).name.index())?;
                compare::ref_ids(t).iter().try_for_each(|i| write!(f, ".{i}"))?;
                f.write_str(">")
            }
            Kind::ExtPid => {
                let (n, s) = crate::process::table::pid_parts(t.word(2));
                write!(f, "<{}.{n}.{s}>", compare::node_of(t).name.index())
            }
            Kind::ExtPort => write!(f, "#Port<{}.{}>", compare::node_of(t).name.index(), t.word(2)),
            Kind::Fun => {
                let e = compare::fun_entry(t);
                f.write_str("#Fun<")?;
                write_atom(e.module.text(), f)?;
                write!(f, ".{}.{}>", e.index, e.old_uniq)
            }
            Kind::Export => {
                let e = compare::export_of(t);
                f.write_str("fun ")?;
                write_atom(e.module.text(), f)?;
                f.write_str(":")?;
                write_atom(e.function.text(), f)?;
                write!(f, "/{}", e.arity)
            }
            Kind::Record => self.seq("#Record{", t.terms_from(1, h.words()), "}", f, depth),
            Kind::Float | Kind::MatchCtx | Kind::HashNode | Kind::HashCollision => {
                write!(f, "#Internal<{:?}>", h.kind())
            }
        }
    }

    fn seq(&mut self, a: &str, items: &[Term], b: &str, f: &mut fmt::Formatter<'_>, d: usize) -> fmt::Result {
        f.write_str(a)?;
        for (i, &e) in items.iter().enumerate() {
            if i > 0 {
                f.write_str(",")?;
            }
            self.term(e, f, d + 1)?;
        }
        f.write_str(b)
    }

    fn list(&mut self, t: Term, f: &mut fmt::Formatter<'_>, depth: usize) -> fmt::Result {
        if let Some(s) = printable(t) {
            return write!(f, "\"{s}\"");
        }
        f.write_str("[")?;
        let mut it = list::iter(t);
        let mut first = true;
        for e in it.by_ref() {
            if !first {
                f.write_str(",")?;
            }
            first = false;
            self.term(e, f, depth + 1)?;
        }
        if !it.tail().is_nil() {
            f.write_str("|")?;
            self.term(it.tail(), f, depth + 1)?;
        }
        f.write_str("]")
    }
}

/// The escaped text of a list of printable Latin-1 characters.
fn printable(t: Term) -> Option<String> {
    let bytes = list::to_bytes(t)?;
    let mut s = String::new();
    for b in bytes {
        match b {
            b'\n' => s.push_str("\\n"),
            b'\t' => s.push_str("\\t"),
            b'\r' => s.push_str("\\r"),
            b'"' => s.push_str("\\\""),
            b'\\' => s.push_str("\\\\"),
            32..=126 => s.push(b as char),
            _ => return None,
        }
    }
    Some(s)
}

fn write_bits(t: Term, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let v = bits::view(t);
    let bytes = v.to_bytes();
    if v.bits & 7 == 0 && !bytes.is_empty() && bytes.iter().all(|b| (32..127).contains(b) && *b != b'"') {
        f.write_str("<<\"")?;
        bytes.iter().try_for_each(|&b| write!(f, "{}", b as char))?;
        return f.write_str("\">>");
    }
    f.write_str("<<")?;
    let whole = v.bits / 8;
    for (i, b) in bytes.iter().enumerate() {
        if i > 0 {
            f.write_str(",")?;
        }
        if i < whole {
            write!(f, "{b}")?;
        } else {
            let n = v.bits & 7;
            write!(f, "{}:{n}", b >> (8 - n))?;
        }
    }
    f.write_str(">>")
}

/// Writes an atom, quoted where its text needs that.
fn write_atom(text: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let plain = text.chars().next().is_some_and(|c| c.is_lowercase() && c.is_alphabetic())
        && text.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '@');
    if plain {
        return f.write_str(text);
    }
    f.write_str("'")?;
    for c in text.chars() {
        match c {
            '\'' => f.write_str("\\'")?,
            '\\' => f.write_str("\\\\")?,
            '\n' => f.write_str("\\n")?,
            _ => write!(f, "{c}")?,
        }
    }
    f.write_str("'")
}
