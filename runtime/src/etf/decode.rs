//! From bytes to terms. Format: "External Term Format" in OTP's documentation of erts.

use crate::atom::Atom;
use crate::budget::{self, Budget};
use crate::code::{export, fun};
use crate::data::{compare, float_text, map, record};
use crate::heap::Heap;
use crate::heap::binary::BinaryRef;
use crate::pile::Pile;
use crate::term::fun::FunName;
use crate::term::{Kind, Term, pid};
use crate::{node, release};
use std::sync::Arc;
use std::task::Poll;

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
pub struct DecodeOptions {
    /// Do not make atoms or external funs that do not exist.
    pub safe: bool,
}

/// Decodes a literal of a module: a whole term with its version byte.
pub fn decode_trusted(bytes: &[u8], heap: &mut Heap) -> Result<Term, DecodeError> {
    decode(bytes, heap, DecodeOptions::default()).map(|(t, _)| t)
}

/// Decodes a term with its version byte; gives the number of bytes used. Compressed terms included.
pub fn decode(
    bytes: &[u8],
    heap: &mut Heap,
    options: DecodeOptions,
) -> Result<(Term, usize), DecodeError> {
    Decoding::new(bytes, options)?.finish(bytes, heap)
}

/// Decodes a term with its version byte in steps. Compressed terms included.
pub struct Decoding {
    unpacking: Option<Unpacking>,
    state: State,
    options: DecodeOptions,
    /// Of a message between nodes: the atoms in its header.
    atoms: Option<Arc<[Atom]>>,
}

/// The bytes of a compressed term.
struct Unpacking {
    inflate: flate2::Decompress,
    raw: Vec<u8>,
    done: bool,
}

/// Bytes in front of the compressed data.
const PACKED_HEAD: usize = 6;
/// Bytes that are unpacked at once, at most, and those that cost one unit.
const UNPACKED: usize = 1 << 14;
const UNPACKED_PER_UNIT: usize = 2;

impl Decoding {
    /// Begins with the bytes.
    pub fn new(bytes: &[u8], options: DecodeOptions) -> Result<Decoding, DecodeError> {
        let mut d = Decoding {
            unpacking: None,
            state: State::default(),
            options,
            atoms: None,
        };
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
                d.unpacking = Some(Unpacking {
                    inflate: flate2::Decompress::new(true),
                    raw: vec![0; size],
                    done: false,
                });
            }
            [131, ..] => d.state.at = 1,
            _ => return Err(DecodeError::Malformed),
        }
        Ok(d)
    }

    /// A term of a message between nodes, without version byte.
    pub fn of_message(atoms: Arc<[Atom]>) -> Decoding {
        Decoding {
            unpacking: None,
            state: State::default(),
            options: DecodeOptions::default(),
            atoms: Some(atoms),
        }
    }

    /// Goes on to the end with the same bytes.
    pub fn finish(&mut self, bytes: &[u8], heap: &mut Heap) -> Result<(Term, usize), DecodeError> {
        loop {
            if let Poll::Ready(done) = self.go_on(bytes, heap, &mut Budget::of(usize::MAX))? {
                return Ok(done);
            }
        }
    }

    /// Goes on with the same bytes: the term and the number of bytes used.
    pub fn go_on(
        &mut self,
        bytes: &[u8],
        heap: &mut Heap,
        budget: &mut Budget,
    ) -> Result<Poll<(Term, usize)>, DecodeError> {
        if let Some(u) = &mut self.unpacking
            && !u.done
        {
            if u.go_on(&bytes[PACKED_HEAD..], budget)?.is_pending() {
                return Ok(Poll::Pending);
            }
            u.done = true;
        }
        let data = match &self.unpacking {
            None => bytes,
            Some(u) => &u.raw,
        };
        let mut d = Decoder {
            data,
            at: self.state.at,
            options: self.options,
            atoms: self.atoms.as_deref().unwrap_or_default(),
        };
        let decoded = d.term(heap, &mut self.state, budget);
        self.state.at = d.at;
        let Poll::Ready(t) = decoded? else {
            return Ok(Poll::Pending);
        };
        match &self.unpacking {
            None => Ok(Poll::Ready((t, d.at))),
            Some(u) => Ok(Poll::Ready((
                t,
                PACKED_HEAD + u.inflate.total_in() as usize,
            ))),
        }
    }

    /// Shows the terms that are held.
    pub fn visit_roots(&mut self, visit: &mut dyn FnMut(&mut [Term])) {
        self.state.done.segments().for_each(&mut *visit);
        for (frame, _) in &mut self.state.frames {
            if let Frame::BuildingMap(_, m) = frame {
                m.visit_roots(visit);
            }
        }
    }
}

impl Unpacking {
    fn go_on(&mut self, packed: &[u8], budget: &mut Budget) -> Result<Poll<()>, DecodeError> {
        let z = &mut self.inflate;
        loop {
            let (from, to) = (z.total_in() as usize, z.total_out() as usize);
            if budget.is_spent() {
                return Ok(Poll::Pending);
            }
            let end = (to + UNPACKED).min(self.raw.len());
            let status = z
                .decompress(
                    &packed[from..],
                    &mut self.raw[to..end],
                    flate2::FlushDecompress::None,
                )
                .map_err(|_| DecodeError::Malformed)?;
            let got = z.total_out() as usize - to;
            budget.spend(1 + got / UNPACKED_PER_UNIT);
            match status {
                flate2::Status::StreamEnd if z.total_out() as usize == self.raw.len() => {
                    return Ok(Poll::Ready(()));
                }
                flate2::Status::StreamEnd => return Err(DecodeError::Malformed),
                _ if got == 0 && z.total_in() as usize == from => {
                    return Err(DecodeError::Malformed);
                }
                _ => {}
            }
        }
    }
}

/// Where decoding stands between two steps.
#[derive(Default)]
struct State {
    /// Bytes that are read.
    at: usize,
    /// Is the outermost term under way?
    begun: bool,
    /// What is under way, and how many parts of it are still to be read.
    frames: Vec<(Frame, usize)>,
    /// Finished terms that are parts of these.
    done: Pile<Term>,
}

struct Decoder<'a> {
    data: &'a [u8],
    at: usize,
    options: DecodeOptions,
    atoms: &'a [Atom],
}

/// What is to be done with the terms that are finished. Working with a list instead of recursion, so
/// that deep terms need memory only.
enum Frame {
    Tuple(usize),
    /// Elements, then the tail.
    List(usize),
    Map(usize),
    /// A map of so many pairs, of which some are in it.
    BuildingMap(usize, Box<map::MapBuilder>),
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

/// The first number of a reference in old formats is below this.
const SHORT_REFERENCE: u32 = 1 << 18;

/// Units of work that an object costs.
const OBJECT: usize = 3;

fn atom_at(index: u32) -> Result<Term, DecodeError> {
    Atom::at(index)
        .map(Term::from)
        .ok_or(DecodeError::Malformed)
}

/// The `n` uppermost terms, in order.
fn split(done: &mut Pile<Term>, n: usize) -> Vec<Term> {
    let mut parts = Vec::with_capacity(n);
    while parts.len() < n
        && let Some(t) = done.pop()
    {
        parts.push(t);
    }
    parts.reverse();
    parts
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

    /// A creation of old formats: a byte of which two bits count.
    fn short_creation(&mut self) -> Result<u32, DecodeError> {
        match self.u8()? {
            n @ 0..4 => Ok(u32::from(n)),
            _ => Err(DecodeError::Malformed),
        }
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

    /// An atom by its place in the header of the message.
    fn atom_in_header(&mut self) -> Result<Atom, DecodeError> {
        let place = usize::from(self.u8()?);
        self.atoms.get(place).copied().ok_or(DecodeError::Malformed)
    }

    fn atom(&mut self) -> Result<Atom, DecodeError> {
        match self.u8()? {
            t @ (100 | 115 | 118 | 119) => self.atom_of(t),
            82 => self.atom_in_header(),
            _ => Err(DecodeError::Malformed),
        }
    }

    /// Goes on to the end of the outermost term.
    fn term(
        &mut self,
        heap: &mut Heap,
        state: &mut State,
        budget: &mut Budget,
    ) -> Result<Poll<Term>, DecodeError> {
        let State {
            frames,
            done,
            begun,
            ..
        } = state;
        loop {
            if budget.is_spent() {
                return Ok(Poll::Pending);
            }
            if *begun {
                let Some((frame, left)) = frames.last_mut() else {
                    let t = done.pop().ok_or(DecodeError::Malformed)?;
                    return Ok(Poll::Ready(t));
                };
                if *left > 0 {
                    *left -= 1;
                } else {
                    if let Some(t) = self.close(heap, frame, done, budget)? {
                        frames.pop();
                        done.push(t);
                    }
                    continue;
                }
            }
            *begun = true;
            let before = self.at;
            if let Some(construct) = self.start(heap, done)? {
                frames.push(construct);
            }
            budget.spend(OBJECT + (self.at - before) / budget::BYTES);
        }
    }

    /// Reads one tag. A simple term goes to `done`; of a construct the frame and number of parts are given.
    fn start(
        &mut self,
        heap: &mut Heap,
        done: &mut Pile<Term>,
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
                let text = s.split(|&b| b == 0).next().unwrap_or_default();
                let f = float_text::parse(text).ok_or(DecodeError::Malformed)?;
                heap.float(f)
            }
            100 | 115 | 118 | 119 => self.atom_of(tag)?.into(),
            82 => self.atom_in_header()?.into(),
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
                let empty_is_wrong = release::number() >= 26;
                if last == 0 && n > 0 || last > 8 || n == 0 && (last > 0 || empty_is_wrong) {
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
                let (number, serial) = (self.u32()?, self.u32()?);
                let creation = if tag == 103 {
                    self.short_creation()?
                } else {
                    self.u32()?
                };
                let external = pid::external(number, serial);
                if !node::is_this(name, creation) {
                    heap.external_id(Kind::ExtPid, node::met(name, creation), external)
                } else if let Some(id) = pid::as_read(number, serial) {
                    Term::local_pid(id)
                } else if release::number() >= 26 && pid::may_be_named(number) {
                    heap.external_id(Kind::ExtPid, this_node(), external)
                } else {
                    return Err(DecodeError::Malformed);
                }
            }
            102 | 89 | 120 => {
                let name = self.atom()?;
                let id = if tag == 120 {
                    u64::from(self.u32()?) << 32 | u64::from(self.u32()?)
                } else {
                    u64::from(self.u32()?)
                };
                let creation = if tag == 102 {
                    self.short_creation()?
                } else {
                    self.u32()?
                };
                if !node::is_this(name, creation) {
                    heap.external_id(Kind::ExtPort, node::met(name, creation), id)
                } else if id >> 56 == 0 {
                    Term::local_port(id)
                } else if id >> NAMED_PORT_BITS == 0 {
                    heap.external_id(Kind::ExtPort, this_node(), id)
                } else {
                    return Err(DecodeError::Malformed);
                }
            }
            114 | 90 => {
                let n = self.u16()?;
                let name = self.atom()?;
                let creation = if tag == 114 {
                    self.short_creation()?
                } else {
                    self.u32()?
                };
                if n == 0 || n > 5 {
                    return Err(DecodeError::Malformed);
                }
                let ids = (0..n)
                    .map(|_| self.u32())
                    .collect::<Result<Vec<u32>, _>>()?;
                if tag == 114 && ids[0] >= SHORT_REFERENCE {
                    return Err(DecodeError::Malformed);
                }
                self.reference(heap, name, creation, &ids)?
            }
            101 => {
                let name = self.atom()?;
                let id = self.u32()?;
                let creation = self.short_creation()?;
                if id >= SHORT_REFERENCE {
                    return Err(DecodeError::Malformed);
                }
                self.reference(heap, name, creation, &[id])?
            }
            // Atoms of this emulator by their indexes.
            73 => atom_at(self.u16()? as u32)?,
            75 => {
                let s = self.take(3)?;
                atom_at(u32::from_be_bytes([0, s[0], s[1], s[2]]))?
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

    /// Makes the term of a construct whose parts are all there; nothing if that goes on in the next step.
    fn close(
        &mut self,
        heap: &mut Heap,
        frame: &mut Frame,
        done: &mut Pile<Term>,
        budget: &mut Budget,
    ) -> Result<Option<Term>, DecodeError> {
        Ok(Some(match *frame {
            Frame::Tuple(n) => {
                budget.spend(n);
                if n <= done.top(n).len() {
                    let t = heap.tuple(done.top(n));
                    done.drop_top(n);
                    t
                } else {
                    heap.tuple(&split(done, n))
                }
            }
            Frame::List(ref mut left) => {
                let mut t = done.pop().ok_or(DecodeError::Malformed)?;
                while *left > 0 {
                    let some = done.top((*left).min(budget.left()));
                    let n = budget.grant(some.len());
                    if n == 0 {
                        done.push(t);
                        return Ok(None);
                    }
                    t = heap.list_with_tail(some, t);
                    done.drop_top(n);
                    *left -= n;
                }
                t
            }
            Frame::Map(n) if n > map::MAX_FLAT => {
                *frame = Frame::BuildingMap(n, Box::default());
                return Ok(None);
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
            Frame::BuildingMap(n, ref mut m) => {
                while m.len() < n {
                    if budget.is_spent() {
                        return Ok(None);
                    }
                    budget.spend(OBJECT);
                    // Keys must differ, so their order is of no importance.
                    let (Some(v), Some(k)) = (done.pop(), done.pop()) else {
                        return Err(DecodeError::Malformed);
                    };
                    m.add(k, v);
                }
                let Poll::Ready(m) = m.finish(heap, budget) else {
                    return Ok(None);
                };
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
                if !parts[1].is_small() || !parts[2].is_small() {
                    return Err(DecodeError::Malformed);
                }
                let old_uniq = parts[2].small_value() as u32;
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
                let there = || {
                    export::lookup(m, f, a as u32)
                        .is_some_and(|e| e.is_loaded() || e.bif().is_some())
                };
                if self.options.safe && !there() {
                    return Err(DecodeError::Unsafe);
                }
                heap.export_fun(export::get(m, f, a as u32))
            }
        }))
    }

    fn reference(
        &self,
        heap: &mut Heap,
        name: Atom,
        creation: u32,
        ids: &[u32],
    ) -> Result<Term, DecodeError> {
        if !node::is_this(name, creation) {
            return Ok(heap.external_ref(node::met(name, creation), ids));
        }
        // Those of this node have three numbers at least.
        let mut all = [0; 5];
        all[..ids.len()].copy_from_slice(ids);
        let [low, mid, high, owner_low, owner_high] = all;
        let ids = [owner_high, owner_low, high, mid, low];
        let of_three = owner_low == 0 && owner_high == 0;
        if let Some((number, owner)) =
            compare::ref_from_ids(if of_three { &ids[2..] } else { &ids })
        {
            return Ok(heap.read_reference(number, owner));
        }
        if low >= SHORT_REFERENCE {
            return Err(DecodeError::Malformed);
        }
        // This node has never made it, but it may be named as if it had.
        let all = if of_three { &all[..3] } else { &all[..] };
        Ok(heap.external_ref(this_node(), all))
    }
}
/// Bits of a number that a port of this node may be named by. It has never made one with that many.
const NAMED_PORT_BITS: u32 = 60;

/// This node, for identifiers that it has never made but that may be named as if it had.
fn this_node() -> node::Node {
    let (name, creation) = node::this();
    node::Node { name, creation }
}
