//! Checksums and digests: `crc32`, `adler32`, `md5`.

use super::iolist::{NotIolist, Piece, Walker};
use crate::bifs;
use enigma_runtime::bif::Ctx;
use enigma_runtime::data::bignum;
use enigma_runtime::heap::bits;
use enigma_runtime::release::{self, Md5Context};
use enigma_runtime::work::{self, Budget, Step, Work};
use enigma_runtime::{BifResult, Exit, Term, badarg};
use std::task::Poll;

bifs! { BIFS:
    "erlang" {
        "crc32"/1 Steps => crc32, pure INTEGER;
        "crc32"/2 Steps => crc32_from, pure INTEGER;
        "crc32_combine"/3 Call => crc32_combine, pure INTEGER;
        "adler32"/1 Steps => adler32, pure INTEGER;
        "adler32"/2 Steps => adler32_from, pure INTEGER;
        "adler32_combine"/3 Call => adler32_combine, pure INTEGER;
        "md5"/1 Steps => md5, pure BINARY;
        "md5_init"/0 Call => md5_init;
        "md5_update"/2 Steps => md5_update;
        "md5_final"/1 Call => md5_final;
    }
}

/// A checksum or digest under way.
trait Sum: Send + 'static {
    /// Bytes that cost a unit of work.
    const BYTES_PER_UNIT: usize;
    /// Takes more bytes in.
    fn update(&mut self, bytes: &[u8]);
    /// What the BIF gives.
    fn finish(&mut self, cx: &mut Ctx<'_>) -> Term;
}

/// Goes over an I/O list.
struct Over<S> {
    data: Term,
    walker: Walker,
    /// Was it found to be right? Wrong data must be noticed before anything has been counted.
    checked: bool,
    /// Bytes from lists, which are taken in together.
    run: Vec<u8>,
    sum: S,
}

/// Bytes from lists that are kept before they are taken in.
const RUN: usize = 4096;

impl<S: Sum> Work for Over<S> {
    fn step(&mut self, cx: &mut Ctx<'_>, _: &[Term], budget: &mut Budget) -> Step {
        if !self.checked {
            let walked = self.walker.go_on(budget, 0, |p| match p {
                Piece::Bits(v) if v.bits & 7 != 0 => Err(NotIolist),
                _ => Ok(()),
            })?;
            if walked.is_pending() {
                return Ok(Poll::Pending);
            }
            self.checked = true;
            self.walker = Walker::new(self.data);
            if budget.is_spent() {
                return Ok(Poll::Pending);
            }
        }
        let (run, sum) = (&mut self.run, &mut self.sum);
        let walked = self.walker.go_on(budget, S::BYTES_PER_UNIT, |p| {
            match p {
                Piece::Byte(b) if run.len() < RUN => run.push(b),
                Piece::Byte(b) => {
                    sum.update(run);
                    run.clear();
                    run.push(b);
                }
                Piece::Bits(v) => {
                    if !run.is_empty() {
                        sum.update(run);
                        run.clear();
                    }
                    sum.update(&v.to_bytes());
                }
            }
            Ok(())
        })?;
        if walked.is_pending() {
            return Ok(Poll::Pending);
        }
        if !run.is_empty() {
            sum.update(run);
        }
        Ok(Poll::Ready(self.sum.finish(cx)))
    }

    fn visit_roots(&mut self, visit: &mut dyn FnMut(&mut [Term])) {
        visit(std::slice::from_mut(&mut self.data));
        self.walker.visit_roots(visit);
    }
}

fn over<S: Sum>(cx: &mut Ctx<'_>, a: &[Term], data: Term, sum: S) -> BifResult {
    let work = Over {
        data,
        walker: Walker::new(data),
        checked: false,
        run: Vec::new(),
        sum,
    };
    work::start(cx, a, work)
}

fn sum_arg(t: Term) -> Result<u32, Exit> {
    bignum::to_u64(t)
        .and_then(|n| u32::try_from(n).ok())
        .ok_or_else(badarg)
}

/// A number of bytes: as wide as a sum.
fn length_arg(t: Term) -> Result<u64, Exit> {
    sum_arg(t).map(u64::from)
}

fn sum_term(n: u32) -> Term {
    Term::small(i64::from(n))
}

impl Sum for crc32fast::Hasher {
    const BYTES_PER_UNIT: usize = 64;

    fn update(&mut self, bytes: &[u8]) {
        crc32fast::Hasher::update(self, bytes);
    }

    fn finish(&mut self, _: &mut Ctx<'_>) -> Term {
        sum_term(self.clone().finalize())
    }
}

fn crc32(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    over(cx, a, a[0], crc32fast::Hasher::new())
}

fn crc32_from(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let sum = crc32fast::Hasher::new_with_initial(sum_arg(a[0])?);
    over(cx, a, a[1], sum)
}

fn crc32_combine(_: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let (x, y, n) = (sum_arg(a[0])?, sum_arg(a[1])?, length_arg(a[2])?);
    if n == 0 {
        // zlib adds the sums whatever the second is of.
        return Ok(sum_term(x ^ y));
    }
    let mut first = crc32fast::Hasher::new_with_initial(x);
    let second = crc32fast::Hasher::new_with_initial_len(y, n);
    first.combine(&second);
    Ok(sum_term(first.finalize()))
}

/// The largest prime below 2^16.
const ADLER_BASE: u32 = 65521;
/// Most bytes whose sums fit 32 bits without a division.
const ADLER_RUN: usize = 5552;

fn adler32_add(start: u32, bytes: &[u8]) -> u32 {
    let (mut a, mut b) = (start & 0xffff, start >> 16);
    for run in bytes.chunks(ADLER_RUN) {
        for &x in run {
            a += u32::from(x);
            b += a;
        }
        a %= ADLER_BASE;
        b %= ADLER_BASE;
    }
    b << 16 | a
}

/// An Adler-32 sum.
struct Adler32(u32);

impl Sum for Adler32 {
    const BYTES_PER_UNIT: usize = 32;

    fn update(&mut self, bytes: &[u8]) {
        self.0 = adler32_add(self.0, bytes);
    }

    fn finish(&mut self, _: &mut Ctx<'_>) -> Term {
        sum_term(self.0)
    }
}

fn adler32(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    over(cx, a, a[0], Adler32(1))
}

fn adler32_from(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let sum = Adler32(sum_arg(a[0])?);
    over(cx, a, a[1], sum)
}

/// The sum of two texts after each other: the second one's sums began at 1 and 0, the first one's low sum
/// counts once more for each byte of the second in the high sum.
fn adler32_combine(_: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let (x, y, n) = (sum_arg(a[0])?, sum_arg(a[1])?, length_arg(a[2])?);
    if n == 0 {
        return Ok(sum_term(x));
    }
    let base = u64::from(ADLER_BASE);
    let n = n % base;
    let (xl, xh) = (u64::from(x & 0xffff), u64::from(x >> 16));
    let (yl, yh) = (u64::from(y & 0xffff), u64::from(y >> 16));
    let low = (xl + yl + base - 1) % base;
    let high = (xh + yh + n * (xl % base) + base - n) % base;
    Ok(sum_term((high << 16 | low) as u32))
}

/// A digest under way, which `md5_init` and `md5_update` give as a binary: state (four words), counts and
/// buffer in the release's order, all little-endian.
#[derive(Clone)]
struct Md5 {
    state: [u32; 4],
    bits: u64,
    buffer: [u8; 64],
    left: usize,
}

const MD5_START: [u32; 4] = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476];
const MD5_SHIFTS: [[u32; 4]; 4] = [
    [7, 12, 17, 22],
    [5, 9, 14, 20],
    [4, 11, 16, 23],
    [6, 10, 15, 21],
];

/// The digest's constants: the whole part of 2^32 times the sine of 1, 2, 3 and so on.
fn md5_constants() -> &'static [u32; 64] {
    static TABLE: std::sync::LazyLock<[u32; 64]> = std::sync::LazyLock::new(|| {
        std::array::from_fn(|i| (((i + 1) as f64).sin().abs() * 4_294_967_296.0) as u32)
    });
    &TABLE
}

/// Round `n` of a block, which takes the words from the first one on at such distances.
#[inline(always)]
fn md5_round(
    [mut a, mut b, mut c, mut d]: [u32; 4],
    words: &[u32; 16],
    constants: &[u32; 64],
    n: usize,
    first: usize,
    distance: usize,
    mix: impl Fn(u32, u32, u32) -> u32,
) -> [u32; 4] {
    for i in 0..16 {
        let sum = a
            .wrapping_add(mix(b, c, d))
            .wrapping_add(constants[16 * n + i])
            .wrapping_add(words[(first + distance * i) % 16]);
        (a, d, c) = (d, c, b);
        b = b.wrapping_add(sum.rotate_left(MD5_SHIFTS[n][i % 4]));
    }
    [a, b, c, d]
}

impl Md5 {
    fn new() -> Md5 {
        Md5 {
            state: MD5_START,
            bits: 0,
            buffer: [0; 64],
            left: 0,
        }
    }

    fn block(state: &mut [u32; 4], block: &[u8], constants: &[u32; 64]) {
        let mut words = [0u32; 16];
        for (w, b) in words.iter_mut().zip(block.chunks_exact(4)) {
            *w = u32::from_le_bytes([b[0], b[1], b[2], b[3]]);
        }
        let s = md5_round(*state, &words, constants, 0, 0, 1, |b, c, d| {
            (b & c) | (!b & d)
        });
        let s = md5_round(s, &words, constants, 1, 1, 5, |b, c, d| (d & b) | (!d & c));
        let s = md5_round(s, &words, constants, 2, 5, 3, |b, c, d| b ^ c ^ d);
        let s = md5_round(s, &words, constants, 3, 0, 7, |b, c, d| c ^ (b | !d));
        for (old, new) in state.iter_mut().zip(s) {
            *old = old.wrapping_add(new);
        }
    }

    fn update(&mut self, mut bytes: &[u8]) {
        let constants = md5_constants();
        self.bits = self.bits.wrapping_add(bytes.len() as u64 * 8);
        if self.left > 0 {
            let n = bytes.len().min(64 - self.left);
            self.buffer[self.left..self.left + n].copy_from_slice(&bytes[..n]);
            self.left += n;
            bytes = &bytes[n..];
            if self.left < 64 {
                return;
            }
            Md5::block(&mut self.state, &self.buffer, constants);
            self.left = 0;
            if release::md5_context() == Md5Context::BitsAndRest {
                self.buffer = [0; 64];
            }
        }
        let mut blocks = bytes.chunks_exact(64);
        for b in blocks.by_ref() {
            Md5::block(&mut self.state, b, constants);
        }
        let rest = blocks.remainder();
        self.buffer[..rest.len()].copy_from_slice(rest);
        self.left = rest.len();
    }

    fn finish(mut self) -> [u8; 16] {
        let bits = self.bits.to_le_bytes();
        // A one, zeros up to eight bytes before the end of a block, and the number of bits.
        let zeros = (64 + 55 - self.left) % 64;
        let mut pad = [0; 1 + 63 + 8];
        pad[0] = 0x80;
        pad[1 + zeros..][..8].copy_from_slice(&bits);
        self.update(&pad[..1 + zeros + 8]);
        let mut out = [0; 16];
        for (o, s) in out.chunks_exact_mut(4).zip(self.state) {
            o.copy_from_slice(&s.to_le_bytes());
        }
        out
    }

    fn to_bytes(&self) -> Vec<u8> {
        let mut out: Vec<u8> = self.state.iter().flat_map(|w| w.to_le_bytes()).collect();
        match release::md5_context() {
            Md5Context::Bits => {
                out.extend(self.bits.to_le_bytes());
                out.extend(self.buffer);
            }
            Md5Context::BitsAndRest => {
                out.extend(self.bits.to_le_bytes());
                out.extend(self.buffer);
                out.extend((self.left as u32).to_le_bytes());
            }
            Md5Context::Bytes => {
                let left = self.left as u64;
                out.extend((self.bits / 8).wrapping_sub(left).to_le_bytes());
                out.extend(left.to_le_bytes());
                out.extend(self.buffer);
            }
        }
        out
    }

    fn from_term(t: Term) -> Result<Md5, Exit> {
        let bytes = bits::binary_bytes(t).ok_or_else(badarg)?;
        Md5::from_bytes(&bytes).ok_or_else(badarg)
    }

    fn from_bytes(bytes: &[u8]) -> Option<Md5> {
        let (state, rest) = bytes.split_first_chunk::<16>()?;
        let mut words = state.chunks_exact(4);
        let state = std::array::from_fn(|_| {
            words
                .next()
                .map_or(0, |w| u32::from_le_bytes([w[0], w[1], w[2], w[3]]))
        });
        let (count, rest) = rest.split_first_chunk::<8>()?;
        let count = u64::from_le_bytes(*count);
        let (bits, buffer, left) = match release::md5_context() {
            Md5Context::Bits => (count, rest, count / 8 % 64),
            Md5Context::BitsAndRest => {
                let (buffer, left) = rest.split_last_chunk::<4>()?;
                (count, buffer, u64::from(u32::from_le_bytes(*left)))
            }
            Md5Context::Bytes => {
                let (left, buffer) = rest.split_first_chunk::<8>()?;
                let left = u64::from_le_bytes(*left);
                (count.wrapping_add(left).wrapping_mul(8), buffer, left)
            }
        };
        Some(Md5 {
            state,
            bits,
            buffer: buffer.try_into().ok()?,
            left: usize::try_from(left).ok().filter(|&n| n < 64)?,
        })
    }
}

/// A whole digest.
struct Digest(Md5);

impl Sum for Digest {
    const BYTES_PER_UNIT: usize = 4;

    fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn finish(&mut self, cx: &mut Ctx<'_>) -> Term {
        cx.heap().binary(&self.0.clone().finish())
    }
}

/// A digest that is given as it is under way.
struct Context(Md5);

impl Sum for Context {
    const BYTES_PER_UNIT: usize = Digest::BYTES_PER_UNIT;

    fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn finish(&mut self, cx: &mut Ctx<'_>) -> Term {
        cx.heap().binary(&self.0.to_bytes())
    }
}

fn md5(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    over(cx, a, a[0], Digest(Md5::new()))
}

fn md5_init(cx: &mut Ctx<'_>, _: &[Term]) -> BifResult {
    Ok(cx.heap().binary(&Md5::new().to_bytes()))
}

fn md5_update(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let context = Context(Md5::from_term(a[0])?);
    over(cx, a, a[1], context)
}

fn md5_final(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let m = Md5::from_term(a[0])?;
    Ok(cx.heap().binary(&m.finish()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_digests() {
        let hex = |b: &[u8]| b.iter().map(|b| format!("{b:02x}")).collect::<String>();
        let of = |b: &[u8]| {
            let mut m = Md5::new();
            m.update(b);
            hex(&m.finish())
        };
        assert_eq!(of(b""), "d41d8cd98f00b204e9800998ecf8427e");
        assert_eq!(of(b"message digest"), "f96b697d7cb7938d525a2f31aaf161d0");
        let long = [b'7'; 1000];
        let mut m = Md5::new();
        for c in long.chunks(37) {
            m.update(c);
        }
        assert_eq!(hex(&m.finish()), of(&long));
    }

    #[test]
    fn adler_sums() {
        assert_eq!(adler32_add(1, b"Wikipedia"), 0x11e6_0398);
    }
}
