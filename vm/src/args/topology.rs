//! The argument of `+sct`: a processor topology given by the user.
//!
//! Entries are separated by colons. An entry is a row of letters, each with numbers
//! (`0-3` or `0,2,4`), from the logical processors outwards: `L` logical, `t` thread,
//! `c` core, `n` node inside of a processor, `p` processor, `n` node. Everything but `L`
//! has either one number or as many as there are logical processors.

use super::number::scan_int;
pub use enigma_bifs::system::processor::LogicalProcessor;
use enigma_bifs::system::processor::check;

/// The levels, from the inside out.
const LOGICAL: usize = 5;
const THREAD: usize = 4;
const CORE: usize = 3;
const PROCESSOR_NODE: usize = 2;
const PROCESSOR: usize = 1;
const NODE: usize = 0;

/// The largest number of a processor, core and so on.
const MAX_ID: i32 = 0xffff;

/// Reads a topology; the error is BEAM's word for what is wrong.
pub fn parse(text: &[u8]) -> Result<Vec<LogicalProcessor>, &'static str> {
    if text.is_empty() {
        return Err("missing cpu topology");
    }
    let mut all = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        rest = entry(rest, &mut all)?;
    }
    check(&all)?;
    Ok(all)
}

fn entry<'a>(text: &'a [u8], all: &mut Vec<LogicalProcessor>) -> Result<&'a [u8], &'static str> {
    let mut ids: [Vec<i32>; 6] = [vec![-1], vec![0], vec![-1], vec![0], vec![0], vec![]];
    let mut depth = LOGICAL + 1;
    let mut rest = text;
    while let Some((letter, after)) = rest.split_first().filter(|(byte, _)| **byte != b':') {
        let level = match letter {
            b'L' => LOGICAL,
            b't' | b'T' => THREAD,
            b'c' | b'C' => CORE,
            b'p' | b'P' => PROCESSOR,
            b'n' | b'N' => {
                let entry = after.split(|byte| *byte == b':').next().unwrap_or(after);
                let inside = depth > PROCESSOR && entry.iter().any(|b| matches!(b, b'p' | b'P'));
                if inside { PROCESSOR_NODE } else { NODE }
            }
            _ => return Err("invalid identifier type"),
        };
        if depth <= level {
            return Err("invalid hierarchy");
        }
        depth = level;
        (ids[level], rest) = numbers(after)?;
    }
    let count = ids[LOGICAL].len();
    if count == 0 {
        return Err("missing logical identifier");
    }
    if ids.iter().any(|ids| ids.len() != 1 && ids.len() != count) {
        return Err("invalid identifier range");
    }
    let at = |level: usize, index: usize| {
        if ids[level].len() == 1 {
            ids[level][0]
        } else {
            ids[level][index]
        }
    };
    all.extend((0..count).map(|index| LogicalProcessor {
        logical: at(LOGICAL, index),
        thread: at(THREAD, index),
        core: at(CORE, index),
        processor_node: at(PROCESSOR_NODE, index),
        processor: at(PROCESSOR, index),
        node: at(NODE, index),
    }));
    Ok(rest.strip_prefix(b":").unwrap_or(rest))
}

/// `A`, `A-B` and lists of them.
fn numbers(mut text: &[u8]) -> Result<(Vec<i32>, &[u8]), &'static str> {
    let mut ids = Vec::new();
    loop {
        let (first, rest) = number(text)?;
        text = rest;
        match text.strip_prefix(b"-") {
            Some(rest) => {
                let (last, rest) = number(rest)?;
                text = rest;
                if first <= last {
                    ids.extend(first..=last);
                } else {
                    ids.extend((last..=first).rev());
                }
            }
            None => ids.push(first),
        }
        match text.strip_prefix(b",") {
            Some(rest) => text = rest,
            None => return Ok((ids, text)),
        }
    }
}

fn number(text: &[u8]) -> Result<(i32, &[u8]), &'static str> {
    let digit = text.first().is_some_and(u8::is_ascii_digit);
    scan_int(text)
        .filter(|(id, _)| digit && (0..=MAX_ID).contains(id))
        .ok_or("invalid identifier")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_ranges_and_defaults() {
        let cpus = parse(b"L0-3c0-3:L7,9t0-1c5").expect("a topology");
        let logical: Vec<i32> = cpus.iter().map(|cpu| cpu.logical).collect();
        assert_eq!(logical, [0, 1, 2, 3, 7, 9]);
        assert_eq!((cpus[2].core, cpus[2].thread, cpus[2].node), (2, 0, -1));
        assert_eq!((cpus[5].core, cpus[5].thread), (5, 1));
        let backwards = parse(b"L3-1c1-3n0p0").expect("a topology");
        assert_eq!(backwards[0].logical, 3);
        assert_eq!((backwards[0].processor_node, backwards[0].node), (0, -1));
    }

    #[test]
    fn says_what_is_wrong() {
        for (text, error) in [
            ("", "missing cpu topology"),
            ("x", "invalid identifier type"),
            ("L", "invalid identifier"),
            ("L0-1c0-2", "invalid identifier range"),
            ("c0", "missing logical identifier"),
            ("c0L0", "invalid hierarchy"),
            ("L0:L0", "not unique logical identifiers"),
            ("L0:L1", "not unique entities"),
            ("L0c0:L1c1n0", "invalid nodes declaration"),
            ("L0-1c0-1p0n0-1", "invalid nodes declaration"),
        ] {
            assert_eq!(parse(text.as_bytes()), Err(error), "{text}");
        }
    }
}
