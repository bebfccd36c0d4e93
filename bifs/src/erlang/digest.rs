//! Checksums and digests: CRC-32, Adler-32, MD5.

use super::iolist;
use crate::bifs;
use enigma_runtime::term::{bignum, bits};
use enigma_runtime::{BifResult, Ctx, Exit, Term, badarg};
use md5::{Digest, Md5};

bifs! { BIFS:
    "erlang" {
        "crc32"/1 Call => crc32;
        "crc32"/2 Call => crc32_with;
        "crc32_combine"/3 Call => crc32_combine;
        "adler32"/1 Call => adler32;
        "adler32"/2 Call => adler32_with;
        "adler32_combine"/3 Call => adler32_combine;
        "md5"/1 Call => md5_of;
        "md5_init"/0 Call => md5_init;
        "md5_update"/2 Call => md5_update;
        "md5_final"/1 Call => md5_final;
    }
}

fn data(cx: &mut Ctx<'_>, t: Term) -> Result<Vec<u8>, Exit> {
    let bytes = iolist::collect(t)?;
    cx.bump(bytes.len() / 256);
    Ok(bytes)
}

fn number32(t: Term) -> Result<u32, Exit> {
    bignum::to_u64(t).and_then(|n| u32::try_from(n).ok()).ok_or_else(badarg)
}

fn give(cx: &mut Ctx<'_>, n: u32) -> BifResult {
    Ok(cx.heap().uint(u64::from(n)))
}

fn crc32(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let bytes = data(cx, a[0])?;
    give(cx, crc32fast::hash(&bytes))
}

fn crc32_with(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let before = number32(a[0])?;
    let bytes = data(cx, a[1])?;
    let mut h = crc32fast::Hasher::new_with_initial(before);
    h.update(&bytes);
    give(cx, h.finalize())
}

fn crc32_combine(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let (first, second) = (number32(a[0])?, number32(a[1])?);
    let len = bignum::to_u64(a[2]).ok_or_else(badarg)?;
    let mut h = crc32fast::Hasher::new_with_initial_len(first, 0);
    h.combine(&crc32fast::Hasher::new_with_initial_len(second, len));
    give(cx, h.finalize())
}

const ADLER: u32 = 65_521;

fn adler(before: u32, bytes: &[u8]) -> u32 {
    let (mut low, mut high) = (before & 0xffff, before >> 16);
    // So many bytes that the sums cannot overflow before they are reduced.
    for part in bytes.chunks(5552) {
        for &b in part {
            low += u32::from(b);
            high += low;
        }
        low %= ADLER;
        high %= ADLER;
    }
    high << 16 | low
}

fn adler32(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let bytes = data(cx, a[0])?;
    give(cx, adler(1, &bytes))
}

fn adler32_with(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let before = number32(a[0])?;
    let bytes = data(cx, a[1])?;
    give(cx, adler(before, &bytes))
}

/// The checksum of two pieces from those of each and the length of the second.
fn adler32_combine(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let (x, y) = (u64::from(number32(a[0])?), u64::from(number32(a[1])?));
    let base = u64::from(ADLER);
    let len = bignum::to_u64(a[2]).ok_or_else(badarg)? % base;
    let (xl, xh, yl, yh) = (x & 0xffff, x >> 16, y & 0xffff, y >> 16);
    let low = (xl + yl + base - 1) % base;
    let high = (len * xl + xh + yh + base - len) % base;
    give(cx, (high << 16 | low) as u32)
}

fn md5_of(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let bytes = data(cx, a[0])?;
    Ok(cx.heap().binary(&Md5::digest(&bytes)))
}

// A running digest is a binary that holds everything so far, marked by a first byte: its format is
// nobody's business, and updates are few in practice.
const MARK: u8 = 0x4d;

fn md5_init(cx: &mut Ctx<'_>, _: &[Term]) -> BifResult {
    Ok(cx.heap().binary(&[MARK]))
}

fn running(t: Term) -> Result<Vec<u8>, Exit> {
    let b = bits::binary_bytes(t).ok_or_else(badarg)?;
    if b.first() == Some(&MARK) { Ok(b.into_owned()) } else { Err(badarg()) }
}

fn md5_update(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let mut all = running(a[0])?;
    all.extend(data(cx, a[1])?);
    Ok(cx.heap().binary(&all))
}

fn md5_final(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let all = running(a[0])?;
    Ok(cx.heap().binary(&Md5::digest(&all[1..])))
}
