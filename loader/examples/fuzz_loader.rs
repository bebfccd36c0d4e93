//! Loads files.
use std::time::Instant;
fn main() {
    let mut total = 0u64;
    let mut n = 0;
    let mut instrs = 0u64;
    let mut bad = 0;
    let mut files = Vec::new();
    for dir in std::env::args().skip(1) {
        for e in std::fs::read_dir(dir).unwrap() {
            let p = e.unwrap().path();
            if p.extension().is_some_and(|x| x == "beam") {
                files.push((p.clone(), std::fs::read(&p).unwrap()));
            }
        }
    }
    let start = Instant::now();
    for (p, data) in &files {
        total += data.len() as u64;
        n += 1;
        match enigma_loader::BeamFile::parse_unverified(data) {
            Ok(mut f) => {
                instrs += u64::from(f.instruction_count);
                let errs = f.verify();
                if !errs.is_empty() {
                    bad += 1;
                    for e in errs.iter().take(3) {
                        println!("{}: {e}", p.display());
                    }
                }
            }
            Err(e) => {
                bad += 1;
                println!("{}: {e}", p.display());
            }
        }
    }
    println!(
        "{n} files {total} bytes {instrs} instrs {bad} bad {:?}",
        start.elapsed()
    );
}
