//! How often native code leaves something to the interpreter, by instruction. Code counts only if it was compiled when
//! the census was on.

use enigma_runtime::code::module::FnInfo;
use enigma_runtime::code::ops;
use enigma_runtime::interp::native;
use parking_lot::Mutex;
use rustc_hash::FxHashMap;
use std::fmt::Write;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// How something is left to the interpreter.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
pub enum Handing {
    /// It executes one instruction; native code goes on behind it.
    Step,
    /// It goes on at an instruction.
    Exit,
    /// It goes on in a function that is called and has no native code.
    Call,
}

impl Handing {
    const ALL: [Handing; 3] = [Handing::Step, Handing::Exit, Handing::Call];

    fn title(self) -> &'static str {
        match self {
            Handing::Step => "instructions that the interpreter executed for native code",
            Handing::Exit => "instructions at which native code was left",
            Handing::Call => "calls of functions without native code",
        }
    }
}

struct Counter {
    function: String,
    opcode: u16,
    handing: Handing,
    times: AtomicU64,
}

static ON: AtomicBool = AtomicBool::new(false);
static COUNTERS: Mutex<Vec<&'static Counter>> = Mutex::new(Vec::new());

/// Code that is compiled from now on counts.
pub fn switch_on() {
    ON.store(true, Ordering::Release);
}

/// Does code that is compiled now count?
pub fn is_on() -> bool {
    ON.load(Ordering::Acquire)
}

/// The counter of an instruction, for as long as the process runs; none if nothing is counted.
pub fn counter(f: &FnInfo, pc: u32, handing: Handing) -> Option<&'static AtomicU64> {
    if !is_on() {
        return None;
    }
    let body = f.body()?;
    let counter: &'static Counter = Box::leak(Box::new(Counter {
        function: format!("{f:?}"),
        opcode: native::opcode_at(&body.code, pc),
        handing,
        times: AtomicU64::new(0),
    }));
    COUNTERS.lock().push(counter);
    Some(&counter.times)
}

/// What was counted, with so many lines at most for each list.
pub fn report(lines: usize) -> String {
    let counters = COUNTERS.lock();
    let mut text = String::new();
    for handing in Handing::ALL {
        let (mut by_op, mut by_function) = (FxHashMap::default(), FxHashMap::default());
        let mut all = 0;
        for c in counters.iter().filter(|c| c.handing == handing) {
            let n = c.times.load(Ordering::Relaxed);
            let op = ops::NAMES[usize::from(c.opcode)];
            *by_op.entry(op.to_string()).or_insert(0) += n;
            *by_function
                .entry(format!("{} {op}", c.function))
                .or_insert(0) += n;
            all += n;
        }
        let _ = writeln!(text, "{}: {all}", handing.title());
        list(&mut text, "by instruction", by_op, lines);
        list(&mut text, "by function and instruction", by_function, lines);
    }
    text
}

fn list(text: &mut String, title: &str, counts: FxHashMap<String, u64>, lines: usize) {
    let mut counts: Vec<(String, u64)> = counts.into_iter().filter(|c| c.1 > 0).collect();
    counts.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    if counts.is_empty() {
        return;
    }
    let _ = writeln!(text, "  {title}:");
    let left_out = counts.len().saturating_sub(lines);
    for (what, n) in counts.into_iter().take(lines) {
        let _ = writeln!(text, "  {n:>14}  {what}");
    }
    if left_out > 0 {
        let _ = writeln!(text, "  and {left_out} more");
    }
}
