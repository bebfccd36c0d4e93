//! The system as a whole: `system_info`, `system_flag`, `system_monitor`, `statistics`, `halt`.

pub mod binding;
pub mod check_io;
pub mod facts;
pub mod flags;
pub mod halt;
pub mod info;
pub mod load;
pub mod monitor;
pub mod processor;
pub mod statistics;
pub mod topology;

use enigma_runtime::Term;
use facts::Facts;
use parking_lot::Mutex;

static FIRST: Mutex<Vec<(u64, bool)>> = Mutex::new(Vec::new());

/// Sets what is fixed; the first call wins.
pub fn configure(facts: Facts) {
    facts::set(facts);
    flags::configure();
    topology::configure();
}

/// Notes a process that the emulator started; the system cannot live without it.
pub fn note_first_process(id: u64, system: bool) {
    FIRST.lock().push((id, system));
}

/// What a process has changed for the time of its life ends with it.
pub fn process_exit(id: u64) {
    enigma_runtime::sched::block::release(id);
    load::release(id);
}

/// Ends the VM if a process that it cannot live without has ended.
pub fn check_vital(id: u64, reason: Term) {
    let vital = FIRST.lock().iter().any(|&(v, _)| v == id);
    if vital {
        let slogan = if id == 0 {
            format!("Kernel pid terminated (init) ({reason})")
        } else {
            format!("System process <0.{id}.0> terminated: {reason}")
        };
        crate::crash_dump::write_aloud(&slogan);
        std::process::exit(1);
    }
}
