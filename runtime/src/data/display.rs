//! Printing terms as `erlang:display/1` and crash dumps do. `io_lib` does its own printing.
//!
//! Atoms are written in UTF-8, strings in the bytes that they consist of, so the text is bytes.

use crate::atom::Atom;
use crate::data::{compare, map, record};
use crate::heap::bits;
use crate::node;
use crate::term::fun::{fun_name, function_name};
use crate::term::{Kind, Term, pid};
use std::fmt;
use std::io::Write;

impl fmt::Debug for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&String::from_utf8_lossy(&text(*self, usize::MAX)))
    }
}

/// The text of a term. `limit` bounds its size, counted in terms and characters; a text that was cut off
/// ends in dots.
pub fn text(t: Term, limit: usize) -> Vec<u8> {
    let mut p = Printer {
        out: Vec::new(),
        left: limit,
        todo: vec![Todo::Term(t)],
    };
    while let Some(next) = p.todo.pop() {
        let go_on = match next {
            Todo::Text(s) => {
                p.out.extend_from_slice(s.as_bytes());
                true
            }
            Todo::Cell(t) => {
                p.cell(t);
                true
            }
            Todo::Term(t) => p.spend(1) && p.term(t),
        };
        if !go_on {
            p.left = 0;
            break;
        }
    }
    if p.left == 0 {
        p.out.extend_from_slice(b"... ");
    }
    p.out
}

/// What is still to be printed.
enum Todo {
    Term(Term),
    /// A list cell and what follows it.
    Cell(Term),
    Text(&'static str),
}

struct Printer {
    out: Vec<u8>,
    left: usize,
    todo: Vec<Todo>,
}

impl Printer {
    /// Takes `n` off what is left; false where nothing was left.
    fn spend(&mut self, n: usize) -> bool {
        let some = self.left > 0;
        self.left = self.left.saturating_sub(n);
        some
    }

    fn put(&mut self, args: fmt::Arguments<'_>) {
        // Writing to a vector does not fail.
        let _ = self.out.write_fmt(args);
    }

    /// Prints what can be printed at once and pushes the rest; false where the limit was hit.
    fn term(&mut self, t: Term) -> bool {
        if let Some(n) = t.as_small() {
            self.put(format_args!("{n}"));
        } else if let Some(a) = t.as_atom() {
            self.left = self.left.saturating_sub(a.text().len());
            write_atom(a.text(), &mut self.out);
            return self.left > 0;
        } else if let Some(x) = t.as_float() {
            self.out
                .extend_from_slice(crate::data::float_text::scientific(x, 6).as_bytes());
        } else if t.is_nil() {
            self.out.extend_from_slice(b"[]");
        } else if let Some(p) = t.as_local_pid() {
            let (n, s) = pid::parts(p);
            self.put(format_args!("<0.{n}.{s}>"));
        } else if let Some(p) = t.as_local_port() {
            self.put(format_args!("#Port<0.{p}>"));
        } else if t.is_cons() {
            if is_string(t) {
                return self.string(t);
            }
            self.out.push(b'[');
            self.todo.push(Todo::Text("]"));
            self.cell(t);
        } else if t.is_boxed() {
            return self.boxed(t);
        } else {
            self.put(format_args!("#Internal<{:x}>", t.raw()));
        }
        true
    }

    /// Pushes the head of a cell and what follows.
    fn cell(&mut self, t: Term) {
        let (head, tail) = (t.head(), t.tail());
        if tail.is_cons() {
            self.todo.extend([Todo::Cell(tail), Todo::Text(",")]);
        } else if !tail.is_nil() {
            self.todo.extend([Todo::Term(tail), Todo::Text("|")]);
        }
        self.todo.push(Todo::Term(head));
    }

    /// Pushes terms with commas between them, and what comes at the end.
    fn sequence(&mut self, items: &[Term], end: &'static str) {
        self.todo.push(Todo::Text(end));
        for (i, &e) in items.iter().enumerate().rev() {
            self.todo.push(Todo::Term(e));
            if i > 0 {
                self.todo.push(Todo::Text(","));
            }
        }
    }

    fn string(&mut self, t: Term) -> bool {
        self.out.push(b'"');
        for c in crate::term::list::iter(t) {
            if !self.spend(1) {
                return false;
            }
            match c.small_value() as u8 {
                b'\n' => self.out.extend_from_slice(b"\\n"),
                b'"' => self.out.extend_from_slice(b"\\\""),
                b => self.out.push(b),
            }
        }
        self.out.push(b'"');
        true
    }

    fn boxed(&mut self, t: Term) -> bool {
        let h = t.header();
        match h.kind() {
            Kind::Tuple => {
                self.out.push(b'{');
                self.sequence(t.terms_from(1, h.words()), "}");
            }
            Kind::BigPos | Kind::BigNeg => {
                if let Some(b) = crate::data::bignum::to_bigint(t) {
                    self.put(format_args!("{b}"));
                }
            }
            Kind::HeapBits | Kind::BinRef | Kind::SubBits | Kind::MatchCtx => return self.bits(t),
            Kind::FlatMap | Kind::HashMap => {
                self.out.extend_from_slice(b"#{");
                let first = self.todo.len();
                for (i, (k, v)) in map::iter(t).enumerate() {
                    if i > 0 {
                        self.todo.push(Todo::Text(","));
                    }
                    self.todo
                        .extend([Todo::Term(k), Todo::Text("=>"), Todo::Term(v)]);
                }
                self.todo.push(Todo::Text("}"));
                self.todo[first..].reverse();
            }
            Kind::Ref | Kind::MagicRef => self.reference(0, t),
            Kind::ExtRef => {
                let node = compare::node_of(t);
                let own = node::is_this(node.name, node.creation);
                self.reference(if own { 0 } else { node.name.index() }, t)
            }
            Kind::ExtPid => {
                let (n, s) = pid::external_parts(t.word(2));
                self.put(format_args!(
                    "<{}.{n}.{s}>",
                    compare::node_of(t).name.index()
                ));
            }
            Kind::ExtPort => {
                self.put(format_args!(
                    "#Port<{}.{}>",
                    compare::node_of(t).name.index(),
                    t.word(2)
                ));
            }
            Kind::Fun => {
                let e = fun_name(t);
                self.put(format_args!(
                    "#Fun<{}.{}.{}>",
                    e.module.text(),
                    e.index,
                    e.old_uniq
                ));
            }
            Kind::Export => {
                let e = function_name(t);
                self.left = self
                    .left
                    .saturating_sub(e.module.text().len() + e.function.text().len());
                self.out.extend_from_slice(b"fun ");
                write_atom(e.module.text(), &mut self.out);
                self.out.push(b':');
                write_atom(e.function.text(), &mut self.out);
                self.put(format_args!("/{}", e.arity));
            }
            Kind::Record => {
                for (before, part) in [(b'#', record::module(t)), (b':', record::name(t))] {
                    self.out.push(before);
                    write_atom(part.as_atom().map_or("", Atom::text), &mut self.out);
                }
                self.out.push(b'{');
                let fields = record::field_names(t).iter().zip(record::values(t));
                self.todo.push(Todo::Text("}"));
                for (i, (&f, &v)) in fields.enumerate().rev() {
                    self.todo
                        .extend([Todo::Term(v), Todo::Text("="), Todo::Term(f)]);
                    if i > 0 {
                        self.todo.push(Todo::Text(","));
                    }
                }
            }
            Kind::Float | Kind::HashNode | Kind::HashCollision => {
                self.put(format_args!("#Internal<{:?}>", h.kind()));
            }
        }
        true
    }

    fn reference(&mut self, node: u32, t: Term) {
        self.put(format_args!("#Ref<{node}"));
        for id in compare::ref_ids(t) {
            self.put(format_args!(".{id}"));
        }
        self.out.push(b'>');
    }

    fn bits(&mut self, t: Term) -> bool {
        let v = bits::view(t);
        let bytes = v.to_bytes();
        let (whole, extra) = (v.bits / 8, v.bits % 8);
        let printable = extra == 0 && whole > 0 && bytes.iter().all(|b| (32..127).contains(b));
        self.out
            .extend_from_slice(if printable { b"<<\"" } else { b"<<" });
        for (i, &b) in bytes[..whole].iter().enumerate() {
            if printable {
                if b == b'"' {
                    self.out.push(b'\\');
                }
                self.out.push(b);
            } else if i > 0 {
                self.put(format_args!(",{b}"));
            } else {
                self.put(format_args!("{b}"));
            }
            if !self.spend(1) {
                return false;
            }
        }
        if extra > 0 {
            let comma = if whole > 0 { "," } else { "" };
            self.put(format_args!(
                "{comma}{}:{extra}",
                bytes[whole] >> (8 - extra)
            ));
        }
        self.out
            .extend_from_slice(if printable { b"\">>" } else { b">>" });
        true
    }
}

/// Is this a list of printable Latin-1 characters and white space?
fn is_string(t: Term) -> bool {
    let mut it = crate::term::list::iter(t);
    let printable = |e: Term| matches!(e.as_small(), Some(9 | 10 | 13 | 32..=126 | 160..=255));
    it.by_ref().all(printable) && it.tail().is_nil()
}

fn is_lower(c: char) -> bool {
    matches!(c, 'a'..='z' | '\u{df}'..='\u{f6}' | '\u{f8}'..='\u{ff}')
}

fn is_upper(c: char) -> bool {
    matches!(c, 'A'..='Z' | '\u{c0}'..='\u{d6}' | '\u{d8}'..='\u{de}')
}

/// Writes an atom, quoted where its text needs that.
fn write_atom(text: &str, out: &mut Vec<u8>) {
    let mut chars = text.chars();
    let plain = chars.next().is_some_and(is_lower)
        && chars.all(|c| is_lower(c) || is_upper(c) || c.is_ascii_digit() || c == '_');
    if plain {
        out.extend_from_slice(text.as_bytes());
        return;
    }
    out.push(b'\'');
    for c in text.chars() {
        let escaped = match c {
            '\'' => "\\'",
            '\\' => "\\\\",
            '\n' => "\\n",
            '\u{c}' => "\\f",
            '\t' => "\\t",
            '\r' => "\\r",
            '\u{8}' => "\\b",
            '\u{b}' => "\\v",
            '\0'..='\u{1f}' | '\u{80}'..='\u{9f}' => {
                out.extend_from_slice(format!("\\{:03o}", u32::from(c)).as_bytes());
                continue;
            }
            _ => {
                out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
                continue;
            }
        };
        out.extend_from_slice(escaped.as_bytes());
    }
    out.push(b'\'');
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::heap::Heap;

    fn shown(t: Term) -> String {
        text(t, usize::MAX).iter().map(|&b| char::from(b)).collect()
    }

    #[test]
    fn atoms_are_quoted_as_beam_does() {
        for (atom, s) in [
            ("a", "a"),
            ("A", "'A'"),
            ("a b", "'a b'"),
            ("", "''"),
            ("a@b", "'a@b'"),
            ("a_B1", "a_B1"),
            ("a\tb\\", "'a\\tb\\\\'"),
            ("\u{80}", "'\\200'"),
            ("\u{1}", "'\\001'"),
        ] {
            assert_eq!(shown(Atom::new(atom).into()), s);
        }
    }

    #[test]
    fn terms_look_as_on_beam() {
        let mut h = Heap::new();
        let one = Term::small(1);
        let string = h.char_list("a\"b\nc\t\\");
        assert_eq!(shown(string), "\"a\\\"b\\nc\t\\\"");
        let zero = h.list(&[Term::small(0)]);
        assert_eq!(shown(zero), "[0]");
        let improper = h.list_with_tail(&[one, one], Atom::OK.into());
        assert_eq!(shown(improper), "[1,1|ok]");
        let float = h.float(0.1);
        assert_eq!(shown(float), "1.000000e-01");
        let nested = h.tuple(&[string, improper, Term::NIL]);
        let nested = h.list(&[nested, one]);
        assert_eq!(shown(nested), "[{\"a\\\"b\\nc\t\\\",[1,1|ok],[]},1]");
        let bits = h.bits(&[1, 0b0100_0000], 11);
        assert_eq!(shown(bits), "<<1,2:3>>");
        let binary = h.binary(b"a\"b");
        assert_eq!(shown(binary), "<<\"a\\\"b\">>");
        let nothing = h.binary(b"");
        assert_eq!(shown(nothing), "<<>>");
        let one_pair = map::from_pairs(&mut h, &[(one, string)]);
        assert_eq!(shown(one_pair), "#{1=>\"a\\\"b\\nc\t\\\"}");
    }

    #[test]
    fn long_texts_are_cut_off() {
        let mut h = Heap::new();
        let list = h.list(&[1, 2, 3].map(Term::small));
        let string = h.char_list("hello");
        let binary = h.binary(b"abcdef");
        let pair = (Atom::new("a").into(), Atom::new("b").into());
        let m = map::from_pairs(&mut h, &[pair]);
        let fun = crate::code::export::get(Atom::new("lists"), Atom::new("map"), 2);
        let fun = h.export_fun(fun);
        let float = h.float(1.0);
        let t = h.tuple(&[Atom::new("abc").into(), list, string, binary, m, fun, float]);
        for (limit, s) in [
            (2, "{abc... "),
            (5, "{abc... "),
            (6, "{abc,[... "),
            (9, "{abc,[1,2,3],... "),
            (10, "{abc,[1,2,3],\"... "),
            (15, "{abc,[1,2,3],\"hello\",... "),
            (17, "{abc,[1,2,3],\"hello\",<<\"ab... "),
            (25, "{abc,[1,2,3],\"hello\",<<\"abcdef\">>,#{a... "),
            (26, "{abc,[1,2,3],\"hello\",<<\"abcdef\">>,#{a=>b... "),
            (
                30,
                "{abc,[1,2,3],\"hello\",<<\"abcdef\">>,#{a=>b},fun lists:map/2,... ",
            ),
            (
                40,
                "{abc,[1,2,3],\"hello\",<<\"abcdef\">>,#{a=>b},fun lists:map/2,1.000000e+00}",
            ),
        ] {
            let shown: String = text(t, limit).iter().map(|&b| char::from(b)).collect();
            assert_eq!(shown, s, "{limit}");
        }
    }
}
