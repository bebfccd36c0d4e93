//! Fuzzing: files that are nearly right, and what must hold for them.
//!
//! The seeds are written here by hand so that they cover most instructions and every chunk that
//! the loader reads. Mutation is deterministic: a number names a case for ever. [`check`] is the
//! oracle: no panic, and whatever passes verification can be decoded and listed completely, and
//! keeps the promises of the verifier on random paths through it (`walk`).

mod seeds;
mod walk;

use std::time::{Duration, Instant};

use crate::builder::container;
use crate::code::FunctionCode;
use crate::container::Container;
use crate::file::BeamFile;

pub use seeds::{bits, control, legacy, records, seeds, terms};

/// A small generator of pseudo-random numbers.
#[derive(Clone, Debug)]
pub struct Xorshift(u64);

impl Xorshift {
    /// A generator for this seed.
    pub fn new(seed: u64) -> Xorshift {
        Xorshift(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// The next number.
    pub fn next_u64(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// A number below `limit`, 0 when the limit is 0.
    pub fn below(&mut self, limit: usize) -> usize {
        if limit == 0 {
            0
        } else {
            (self.next_u64() >> 16) as usize % limit
        }
    }
}

/// Loads a file in all ways. Returns whether it passed verification.
pub fn check(bytes: &[u8]) -> bool {
    let Ok(mut file) = BeamFile::parse_unverified(bytes) else {
        return false;
    };
    let errors = file.verify();
    for error in errors.iter().take(4) {
        assert!(!error.to_string().is_empty());
    }
    if !errors.is_empty() {
        return false;
    }
    let mut listing = Count(0);
    let mut code = FunctionCode::new();
    let mut rng = Xorshift::new(bytes.len() as u64);
    for index in 0..file.functions.len() {
        let decoded = file.decode_function(index, &mut code);
        assert!(decoded.is_ok(), "a verified function must decode");
        for _ in 0..4 {
            if let Err(broken) = walk::walk(&file, index, &code, &mut rng) {
                panic!("{}: {broken}", file.function_name(index));
            }
        }
        let listed = file.disassemble_function(index, &mut listing);
        assert!(listed.is_ok(), "a verified function must be listed");
    }
    true
}

/// Counts the text instead of keeping it.
struct Count(usize);

impl std::fmt::Write for Count {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        self.0 += text.len();
        Ok(())
    }
}

/// Makes case number `case` from the seeds.
pub fn mutate(seeds: &[Vec<u8>], case: u64) -> Vec<u8> {
    let mut rng = Xorshift::new(case.wrapping_add(1));
    let seed = &seeds[rng.below(seeds.len())];
    let mut file = match rng.below(8) {
        0 => {
            let mut file = seed.clone();
            scramble(&mut rng, &mut file);
            file
        }
        1 => seed[..rng.below(seed.len())].to_vec(),
        _ => mutate_chunks(&mut rng, seeds, seed).unwrap_or_else(|| seed.clone()),
    };
    // Sizes of the container itself, now and then.
    if rng.below(16) == 0 && file.len() >= 24 {
        let at = [4, 16][rng.below(2)];
        let value = interesting(&mut rng);
        file[at..at + 4].copy_from_slice(&value.to_be_bytes());
    }
    file
}

fn mutate_chunks(rng: &mut Xorshift, seeds: &[Vec<u8>], seed: &[u8]) -> Option<Vec<u8>> {
    let owned = |bytes: &[u8]| {
        let container = Container::open(bytes).ok()?;
        let chunks = container.chunks().iter();
        Some(
            chunks
                .map(|entry| (entry.id.0, container.bytes(entry).to_vec()))
                .collect::<Vec<_>>(),
        )
    };
    let mut chunks = owned(seed)?;
    for _ in 0..=rng.below(3) {
        if chunks.is_empty() {
            break;
        }
        // Most of the interest is in the code.
        let code = chunks.iter().position(|(id, _)| id == b"Code");
        let at = match code {
            Some(code) if rng.below(2) == 0 => code,
            _ => rng.below(chunks.len()),
        };
        match rng.below(16) {
            0 => {
                chunks.remove(at);
            }
            1 => {
                let copy = chunks[at].clone();
                chunks.push(copy);
            }
            2 | 3 => {
                let donor = owned(&seeds[rng.below(seeds.len())])?;
                let id = chunks[at].0;
                if let Some((_, data)) = donor.into_iter().find(|(other, _)| *other == id) {
                    chunks[at].1 = data;
                }
            }
            4 => {
                let data = &mut chunks[at].1;
                let len = rng.below(data.len());
                data.truncate(len);
            }
            5 | 6 => {
                let data = &mut chunks[at].1;
                let words = (data.len() / 4).min(8);
                if words > 0 {
                    let word = 4 * rng.below(words);
                    let value = interesting(rng);
                    data[word..word + 4].copy_from_slice(&value.to_be_bytes());
                }
            }
            _ => scramble(rng, &mut chunks[at].1),
        }
    }
    Some(container(&chunks))
}

/// A number that is likely to be a limit of something.
fn interesting(rng: &mut Xorshift) -> u32 {
    let values = [
        0,
        1,
        2,
        7,
        0x7f,
        0xff,
        0x100,
        1023,
        1024,
        0xffff,
        0x1_0000,
        0x7fff_ffff,
        0x8000_0000,
        0xffff_fffe,
        0xffff_ffff,
    ];
    match rng.below(4) {
        0 => rng.next_u64() as u32,
        1 => rng.below(64) as u32,
        _ => values[rng.below(values.len())],
    }
}

/// Changes a few bytes.
pub fn scramble(rng: &mut Xorshift, data: &mut Vec<u8>) {
    for _ in 0..=rng.below(3) {
        if data.is_empty() {
            return;
        }
        let at = rng.below(data.len());
        match rng.below(8) {
            0 | 1 => data[at] ^= 1 << rng.below(8),
            2 => data[at] = rng.next_u64() as u8,
            3 => data.insert(at, rng.next_u64() as u8),
            4 => {
                data.remove(at);
            }
            5 => data[at] = data[at].wrapping_add(0x10),
            6 => {
                let from = rng.below(data.len());
                let len = rng.below(24).min(data.len() - from.max(at));
                let copy = data[from..from + len].to_vec();
                data[at..at + len].copy_from_slice(&copy);
            }
            _ => {
                let tags = [
                    0xf8, 0xf9, 0x17, 0x27, 0x37, 0x47, 0x57, 0x07, 0x05, 0x02, 0x0b,
                ];
                data[at] = tags[rng.below(tags.len())];
            }
        }
    }
}

/// Runs cases from `first` on until the time is over. Returns the number of cases and how many of
/// them passed verification.
pub fn run(seeds: &[Vec<u8>], first: u64, time: Duration) -> (u64, u64) {
    let start = Instant::now();
    let (mut case, mut passed) = (first, 0);
    while start.elapsed() < time {
        for _ in 0..64 {
            passed += u64::from(check(&mutate(seeds, case)));
            case += 1;
        }
    }
    (case - first, passed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeds_are_valid() {
        for (index, seed) in seeds().iter().enumerate() {
            if let Err(error) = BeamFile::parse(seed) {
                panic!("seed {index}: {error}");
            }
        }
    }

    #[test]
    fn smoke() {
        let seeds = seeds();
        let (cases, _) = run(&seeds, 0, Duration::from_millis(1500));
        assert!(cases > 0);
    }
}
