//! From bytes to terms. Format: "External Term Format" in OTP's documentation of erts.

use crate::atom::Atom;
use crate::code::{export, fun};
use crate::data::{map, record};
use crate::heap::Heap;
use crate::heap::binary::BinaryRef;
use crate::term::fun::FunName;
use crate::term::{Kind, Term};
use crate::{node, release};

/// Why bytes are not a term.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DecodeError {
    /// Malformed or truncated.
    Malformed,
    /// Something that safe decoding must not create.
    Unsafe,
    /// A limit of the VM (atoms, size) stands in the way.
    Limit,
}

/// How decoding is to treat its input.
#[derive(Clone, Copy, Default, Debug)]
pub struct Options {
    /// Do not make atoms or external funs that do not exist.
    pub safe: bool,
}

/// Decodes a literal of a module: a whole term with its version byte.
pub fn decode_trusted(bytes: &[u8], heap: &mut Heap) -> Result<Term, DecodeError> {
    decode(bytes, heap, Options::default()).map(|(t, _)| t)
}

/// Decodes a term with its version byte; gives the number of bytes used. Compressed terms included.
pub fn decode(
    bytes: &[u8],
    heap: &mut Heap,
    options: Options,
) -> Result<(Term, usize), DecodeError> {
    match bytes {
        [131, 80, rest @ ..] => {
            let (size, data) = rest
                .split_first_chunk::<4>()
                .ok_or(DecodeError::Malformed)?;
            let size = u32::from_be_bytes(*size) as usize;
            // Deflate gains at most a factor of about 1032.
            if size > data.len().saturating_mul(1100).saturating_add(64) {
                return Err(DecodeError::Malformed);
            }
            let mut raw = vec![0; size];
            let mut z = flate2::Decompress::new(true);
            let done = z.decompress(data, &mut raw, flate2::FlushDecompress::Finish);
            if !matches!(done, Ok(flate2::Status::StreamEnd)) || z.total_out() as usize != size {
                return Err(DecodeError::Malformed);
            }
            let used = 6 + z.total_in() as usize;
            let mut d = Decoder {
                data: &raw,
                at: 0,
                options,
            };
            let t = d.term(heap)?;
            if d.at == raw.len() {
                Ok((t, used))
            } else {
                Err(DecodeError::Malformed)
            }
        }
        [131, ..] => {
            let mut d = Decoder {
                data: bytes,
                at: 1,
                options,
            };
            let t = d.term(heap)?;
            Ok((t, d.at))
        }
        _ => Err(DecodeError::Malformed),
    }
}

struct Decoder<'a> {
    data: &'a [u8],
    at: usize,
    options: Options,
}

/// What is to be done with the terms that are finished. Working with a list instead of recursion, so
/// that deep terms need memory only.
enum Frame {
    Tuple(usize),
    /// Elements, then the tail.
    List(usize),
    Map(usize),
    Fun {
        arity: u32,
        uniq: [u8; 16],
        index: u32,
        free: usize,
    },
    Export,
    /// Module, name, names of the fields, values.
    Record {
        fields: usize,
        exported: bool,
    },
}

impl<'a> Decoder<'a> {
    fn take(&mut self, n: usize) -> Result<&'a [u8], DecodeError> {
        let s = self
            .data
            .get(self.at..)
            .and_then(|d| d.get(..n))
            .ok_or(DecodeError::Malformed)?;
        self.at += n;
        Ok(s)
    }

    fn u8(&mut self) -> Result<u8, DecodeError> {
        Ok(self.take(1)?[0])
    }

    fn u16(&mut self) -> Result<usize, DecodeError> {
        let s = self.take(2)?;
        Ok(usize::from(s[0]) << 8 | usize::from(s[1]))
    }

    fn u32(&mut self) -> Result<u32, DecodeError> {
        let s = self.take(4)?;
        Ok(u32::from_be_bytes([s[0], s[1], s[2], s[3]]))
    }

    fn left(&self) -> usize {
        self.data.len() - self.at
    }

    fn atom_text(&self, text: &str) -> Result<Atom, DecodeError> {
        if self.options.safe {
            return Atom::existing(text).ok_or(DecodeError::Unsafe);
        }
        Atom::try_new(text).map_err(|e| match e {
            crate::atom::AtomError::TooLong => DecodeError::Malformed,
            crate::atom::AtomError::TableFull => DecodeError::Limit,
        })
    }

    fn atom_of(&mut self, tag: u8) -> Result<Atom, DecodeError> {
        let latin1 = matches!(tag, 100 | 115);
        let n = if matches!(tag, 100 | 118) {
            self.u16()?
        } else {
            usize::from(self.u8()?)
        };
        let s = self.take(n)?;
        if latin1 {
            let text: String = s.iter().map(|&b| b as char).collect();
            self.atom_text(&text)
        } else {
            let text = std::str::from_utf8(s).map_err(|_| DecodeError::Malformed)?;
            self.atom_text(text)
        }
    }

    fn atom(&mut self) -> Result<Atom, DecodeError> {
        match self.u8()? {
            t @ (100 | 115 | 118 | 119) => self.atom_of(t),
            _ => Err(DecodeError::Malformed),
        }
    }

    fn term(&mut self, heap: &mut Heap) -> Result<Term, DecodeError> {
        // Finished terms wait in `done`; `frames` says how many of them each construct takes.
        let mut frames: Vec<(Frame, usize)> = Vec::new();
        let mut done: Vec<Term> = Vec::new();
        loop {
            if let Some((frame, count)) = self.start(heap, &mut done)? {
                frames.push((frame, count));
            }
            loop {
                let Some((frame, left)) = frames.last_mut() else {
                    return done.pop().ok_or(DecodeError::Malformed);
                };
                if *left > 0 {
                    *left -= 1;
                    break;
                }
                let t = self.close(heap, frame, &mut done)?;
                frames.pop();
                done.push(t);
            }
        }
    }

    /// Reads one tag. A simple term goes to `done`; of a construct the frame and number of parts are given.
    fn start(
        &mut self,
        heap: &mut Heap,
        done: &mut Vec<Term>,
    ) -> Result<Option<(Frame, usize)>, DecodeError> {
        let tag = self.u8()?;
        let parts = |d: &Self, n: usize| {
            if n > d.left() {
                Err(DecodeError::Malformed)
            } else {
                Ok(n)
            }
        };
        let t = match tag {
            97 => Term::small(i64::from(self.u8()?)),
            98 => Term::small(i64::from(self.u32()? as i32)),
            70 => {
                let s = self.take(8)?;
                let bits = s.iter().fold(0u64, |n, &b| n << 8 | u64::from(b));
                let f = f64::from_bits(bits);
                if !f.is_finite() {
                    return Err(DecodeError::Malformed);
                }
                heap.float(f)
            }
            99 => {
                let s = self.take(31)?;
                let text = s
                    .split(|&b| b == 0)
                    .next()
                    .and_then(|s| std::str::from_utf8(s).ok());
                let f: f64 = text
                    .and_then(|t| t.trim().parse().ok())
                    .filter(|f: &f64| f.is_finite())
                    .ok_or(DecodeError::Malformed)?;
                heap.float(f)
            }
            100 | 115 | 118 | 119 => self.atom_of(tag)?.into(),
            104 | 105 => {
                let n = if tag == 104 {
                    usize::from(self.u8()?)
                } else {
                    self.u32()? as usize
                };
                return Ok(Some((Frame::Tuple(n), parts(self, n)?)));
            }
            106 => Term::NIL,
            107 => {
                let n = self.u16()?;
                let s = self.take(n)?;
                heap.byte_list(s)
            }
            108 => {
                let n = self.u32()? as usize;
                return Ok(Some((Frame::List(n), parts(self, n)? + 1)));
            }
            109 => {
                let n = self.u32()? as usize;
                let s = self.take(n)?;
                heap.binary(s)
            }
            77 => {
                let n = self.u32()? as usize;
                let last = usize::from(self.u8()?);
                if last == 0 && n > 0 || last > 8 || n == 0 && last > 0 {
                    return Err(DecodeError::Malformed);
                }
                let s = self.take(n)?;
                let bits = if n == 0 { 0 } else { (n - 1) * 8 + last };
                let mut copy = s.to_vec();
                if let Some(b) = copy.last_mut() {
                    *b &= !(0xffu16 >> last) as u8;
                }
                if n > crate::heap::MAX_HEAP_BINARY {
                    heap.shared_bits(BinaryRef::from_bytes(&copy), bits)
                } else {
                    heap.bits(&copy, bits)
                }
            }
            110 | 111 => {
                let n = if tag == 110 {
                    usize::from(self.u8()?)
                } else {
                    self.u32()? as usize
                };
                let negative = self.u8()? != 0;
                let s = self.take(n)?;
                if n as u64 * 8 > crate::data::arith::max_bits() + 64 {
                    return Err(DecodeError::Malformed);
                }
                let limbs: Vec<u64> = s
                    .chunks(8)
                    .map(|c| c.iter().rev().fold(0u64, |v, &b| v << 8 | u64::from(b)))
                    .collect();
                heap.big(negative, &limbs)
            }
            116 => {
                let n = self.u32()? as usize;
                return Ok(Some((Frame::Map(n), 2 * parts(self, n)?)));
            }
            67 if release::number() >= 29 => {
                let n = self.u32()? as usize;
                let exported = self.u8()? != 0;
                return Ok(Some((
                    Frame::Record {
                        fields: n,
                        exported,
                    },
                    2 + 2 * parts(self, n)?,
                )));
            }
            103 | 88 => {
                let name = self.atom()?;
                let (number, serial) = (u64::from(self.u32()?), u64::from(self.u32()?));
                let creation = if tag == 103 {
                    u32::from(self.u8()?)
                } else {
                    self.u32()?
                };
                let id = (serial << 28) | (number & 0xfff_ffff);
                self.identifier(heap, Kind::ExtPid, name, creation, id)
            }
            102 | 89 | 120 => {
                let name = self.atom()?;
                let id = if tag == 120 {
                    u64::from(self.u32()?) << 32 | u64::from(self.u32()?)
                } else {
                    u64::from(self.u32()?)
                };
                let creation = if tag == 102 {
                    u32::from(self.u8()?)
                } else {
                    self.u32()?
                };
                self.identifier(heap, Kind::ExtPort, name, creation, id)
            }
            114 | 90 => {
                let n = self.u16()?;
                let name = self.atom()?;
                let creation = if tag == 114 {
                    u32::from(self.u8()?)
                } else {
                    self.u32()?
                };
                if n == 0 || n > 5 {
                    return Err(DecodeError::Malformed);
                }
                let ids = (0..n)
                    .map(|_| self.u32())
                    .collect::<Result<Vec<u32>, _>>()?;
                self.reference(heap, name, creation, &ids)
            }
            112 => {
                let _size = self.u32()?;
                let arity = u32::from(self.u8()?);
                let uniq: [u8; 16] = self
                    .take(16)?
                    .try_into()
                    .map_err(|_| DecodeError::Malformed)?;
                let index = self.u32()?;
                let free = self.u32()? as usize;
                // Module, old index, old uniq, pid, then the environment.
                return Ok(Some((
                    Frame::Fun {
                        arity,
                        uniq,
                        index,
                        free,
                    },
                    4 + parts(self, free)?,
                )));
            }
            113 => return Ok(Some((Frame::Export, 3))),
            _ => return Err(DecodeError::Malformed),
        };
        done.push(t);
        Ok(None)
    }

    fn close(
        &mut self,
        heap: &mut Heap,
        frame: &Frame,
        done: &mut Vec<Term>,
    ) -> Result<Term, DecodeError> {
        let split = |done: &mut Vec<Term>, n: usize| {
            let at = done.len() - n;
            done.split_off(at)
        };
        Ok(match *frame {
            Frame::Tuple(n) => {
                let parts = split(done, n);
                heap.tuple(&parts)
            }
            Frame::List(n) => {
                let parts = split(done, n + 1);
                heap.list_with_tail(&parts[..n], parts[n])
            }
            Frame::Map(n) => {
                let parts = split(done, 2 * n);
                let pairs: Vec<(Term, Term)> =
                    parts.chunks_exact(2).map(|p| (p[0], p[1])).collect();
                let m = map::from_pairs(heap, &pairs);
                if map::size(m) != n {
                    return Err(DecodeError::Malformed);
                }
                m
            }
            Frame::Fun {
                arity,
                uniq,
                index,
                free,
            } => {
                let parts = split(done, 4 + free);
                let module = parts[0].as_atom().ok_or(DecodeError::Malformed)?;
                let old_uniq =
                    crate::data::bignum::to_i64(parts[2]).ok_or(DecodeError::Malformed)? as u32;
                if !parts[3].is_pid() || free > 255 {
                    return Err(DecodeError::Malformed);
                }
                let name = FunName {
                    module,
                    index,
                    old_uniq,
                    uniq,
                    arity,
                    num_free: free as u32,
                };
                fun::read(heap, name, parts[3], &parts[4..])
            }
            Frame::Record { fields, exported } => {
                let parts = split(done, 2 + 2 * fields);
                let names: Option<Vec<Atom>> =
                    parts[..2 + fields].iter().map(|t| t.as_atom()).collect();
                let names = names.ok_or(DecodeError::Malformed)?;
                let (id, names) = names.split_at(2);
                let definition = record::intern(id[0], id[1], exported, names);
                record::make(heap, definition, &parts[2 + fields..])
            }
            Frame::Export => {
                let parts = split(done, 3);
                let (Some(m), Some(f), Some(a)) =
                    (parts[0].as_atom(), parts[1].as_atom(), parts[2].as_usize())
                else {
                    return Err(DecodeError::Malformed);
                };
                if a > 255 {
                    return Err(DecodeError::Malformed);
                }
                if self.options.safe && export::lookup(m, f, a as u32).is_none() {
                    return Err(DecodeError::Unsafe);
                }
                heap.export_fun(export::get(m, f, a as u32))
            }
        })
    }

    fn identifier(&self, heap: &mut Heap, kind: Kind, name: Atom, creation: u32, id: u64) -> Term {
        if node::is_this(name, creation) {
            return if kind == Kind::ExtPid {
                Term::local_pid(id)
            } else {
                Term::local_port(id)
            };
        }
        heap.external_id(kind, node::intern(name, creation), id)
    }

    fn reference(&self, heap: &mut Heap, name: Atom, creation: u32, ids: &[u32]) -> Term {
        if node::is_this(name, creation)
            && let [low, mid, high, owner @ ..] = ids
        {
            let number = u64::from(*high) << 50 | u64::from(*mid) << 18 | u64::from(*low);
            let owner = owner
                .iter()
                .rev()
                .fold(0u64, |o, &w| o << 32 | u64::from(w));
            return heap.read_reference(number, owner);
        }
        heap.external_ref(node::intern(name, creation), ids)
    }
}
