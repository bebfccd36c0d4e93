//! Loads whole directories of `.beam` files and reports the time, then fuzzes the loader.
//!
//! ```text
//! cargo run --release -p enigma-loader --example fuzz_loader -- SECONDS [DIRECTORY...]
//! ```
//!
//! The files found serve as seeds next to the built-in ones. Exits with an error when a file of the
//! directories is refused, when a case needs more memory than the limit, and (as a panic) when a
//! case breaks the loader; the number of the case is printed then and can be given as the
//! environment variable `FUZZ_FIRST`.

use std::alloc::{GlobalAlloc, Layout, System};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use enigma_loader::{BeamFile, fuzz};

/// No case may hold more than this at once. Cases are smaller than 2 MB, so nothing but a size
/// field that was believed can need as much.
const MEMORY_LIMIT: usize = 192 << 20;

/// Files above this size are not used as seeds.
const MAX_SEED: u64 = 256 << 10;

/// The system allocator with a count of the bytes in use.
struct Counting;

static USED: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

// SAFETY: every call is passed on unchanged to the system allocator, which keeps the contract; the
// counters do not influence what is returned.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let used = USED.fetch_add(layout.size(), Ordering::Relaxed) + layout.size();
        PEAK.fetch_max(used, Ordering::Relaxed);
        // SAFETY: the caller guarantees what the system allocator asks for.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        USED.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: the pointer came from `alloc` above with this layout.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn main() -> ExitCode {
    let mut args = std::env::args().skip(1);
    let seconds = args.next().and_then(|text| text.parse().ok()).unwrap_or(10);
    let files = collect(args.map(PathBuf::from));
    let refused = load_all(&files);
    let mut seeds = fuzz::seeds();
    seeds.extend(
        files
            .into_iter()
            .map(|(_, data)| data)
            .filter(|data| data.len() as u64 <= MAX_SEED),
    );
    let first = std::env::var("FUZZ_FIRST")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(0);
    if !fuzz_for(&seeds, first, Duration::from_secs(seconds)) || refused > 0 {
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

fn collect(dirs: impl Iterator<Item = PathBuf>) -> Vec<(PathBuf, Vec<u8>)> {
    let mut paths: Vec<PathBuf> = dirs
        .filter_map(|dir| std::fs::read_dir(dir).ok())
        .flat_map(|entries| entries.flatten().map(|entry| entry.path()))
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "beam")
        })
        .collect();
    paths.sort();
    paths
        .into_iter()
        .filter_map(|path| Some((path.clone(), std::fs::read(&path).ok()?)))
        .collect()
}

/// Loads and verifies each file once. Returns how many were refused.
fn load_all(files: &[(PathBuf, Vec<u8>)]) -> usize {
    let start = Instant::now();
    let (mut refused, mut instructions, mut bytes) = (0, 0, 0);
    for (path, data) in files {
        bytes += data.len();
        match BeamFile::parse_unverified(data) {
            Ok(mut file) => {
                instructions += file.instruction_count;
                let errors = file.verify();
                refused += usize::from(!errors.is_empty());
                for error in errors.iter().take(5) {
                    complain(path, error);
                }
            }
            Err(error) => {
                refused += 1;
                complain(path, &error);
            }
        }
    }
    let time = start.elapsed();
    println!(
        "{} files, {bytes} bytes, {instructions} instructions, {refused} refused, {:.1} ms, {:.0} ns an instruction",
        files.len(),
        time.as_secs_f64() * 1e3,
        time.as_nanos() as f64 / f64::from(instructions.max(1)),
    );
    refused
}

fn complain(path: &Path, error: &enigma_loader::LoadError) {
    println!("{}: {error}", path.display());
}

/// Runs cases until the time is over. Returns whether memory stayed within the limit.
fn fuzz_for(seeds: &[Vec<u8>], first: u64, time: Duration) -> bool {
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        eprintln!("case {} breaks the loader", CASE.load(Ordering::Relaxed));
        hook(info);
    }));
    let start = Instant::now();
    let (mut case, mut passed, mut worst, mut slowest) = (first, 0u64, 0, Duration::ZERO);
    while start.elapsed() < time {
        CASE.store(case as usize, Ordering::Relaxed);
        let bytes = fuzz::mutate(seeds, case);
        let base = USED.load(Ordering::Relaxed);
        PEAK.store(base, Ordering::Relaxed);
        let began = Instant::now();
        passed += u64::from(fuzz::check(&bytes));
        slowest = slowest.max(began.elapsed());
        let peak = PEAK.load(Ordering::Relaxed).saturating_sub(base);
        if peak > worst {
            worst = peak;
            if peak > MEMORY_LIMIT {
                println!("case {case} of {} bytes needs {peak} bytes", bytes.len());
                return false;
            }
        }
        case += 1;
    }
    println!(
        "{} cases, {passed} passed verification, at most {} kB of memory and {:.1} ms for one",
        case - first,
        worst >> 10,
        slowest.as_secs_f64() * 1e3,
    );
    true
}

static CASE: AtomicUsize = AtomicUsize::new(0);
