//! What Linux's `perf` is told about installed code.
//!
//! The *map*, `perf-PID.map`, has a line for each function: start, length, name. `perf report` reads it while the
//! addresses mean what they meant when it was written; a line does not say from when on it holds. The *dump*,
//! `jit-PID.dump`, has a record with a time and the code's bytes for each function, and source lines, from which
//! `perf inject --jit` makes object files that `perf report` and `perf annotate` read. Its format is described in Linux's
//! `tools/perf/Documentation/jitdump-specification.txt`.
//!
//! Both are off until they are asked for, and are written by one thread at a time. What cannot be written is not written:
//! a full disk does not stop the VM.

use memmap2::{Mmap, MmapOptions};
use parking_lot::Mutex;
use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

/// Which files are wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PerfFiles {
    /// The map.
    pub map: bool,
    /// The dump.
    pub dump: bool,
}

impl PerfFiles {
    /// Applies one value of the flag `+JPperf` to those before it. False if there is no such value. Frames are always
    /// linked by frame pointers, so the two values that are about them ask for nothing.
    pub fn apply(&mut self, value: &str) -> bool {
        match value {
            "true" => {
                *self = PerfFiles {
                    map: true,
                    dump: true,
                }
            }
            "false" => *self = PerfFiles::default(),
            "map" => self.map = true,
            "dump" => self.dump = true,
            "fp" | "no_fp" => {}
            _ => return false,
        }
        true
    }
}

/// The source line of the code from an offset on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceLine<'a> {
    /// Offset in the function's machine code.
    pub offset: u32,
    /// The file.
    pub file: &'a str,
    /// The line, counted from 1.
    pub line: u32,
}

static ON: AtomicBool = AtomicBool::new(false);
static FILES: Mutex<Files> = Mutex::new(Files {
    map: None,
    dump: None,
});

#[derive(Debug)]
struct Files {
    map: Option<File>,
    dump: Option<Dump>,
}

/// Begins to write the files that are wanted. `perf` looks for the map in `/tmp`.
pub fn enable(wanted: PerfFiles, folder: &Path) -> io::Result<()> {
    let process = std::process::id();
    let mut files = FILES.lock();
    if wanted.map && files.map.is_none() {
        files.map = Some(File::create(folder.join(format!("perf-{process}.map")))?);
    }
    if wanted.dump && files.dump.is_none() {
        files.dump = Some(Dump::new(
            File::options(),
            &folder.join(format!("jit-{process}.dump")),
        )?);
    }
    ON.store(
        files.map.is_some() || files.dump.is_some(),
        Ordering::Release,
    );
    Ok(())
}

/// Is anything written? Where not, who installs code need not find out its name.
#[inline]
pub fn enabled() -> bool {
    ON.load(Ordering::Acquire)
}

/// Tells of code that has been installed and is about to be executed.
pub fn installed(address: u64, code: &[u8], name: &str, lines: &[SourceLine<'_>]) {
    let mut files = FILES.lock();
    if let Some(map) = &mut files.map {
        // One call for one line. What is lost is lost.
        let _ = map.write_all(map_line(address, code.len(), name).as_bytes());
    }
    if let Some(dump) = &mut files.dump {
        dump.write(address, code, name, lines);
    }
}

/// A function in the map.
fn map_line(address: u64, length: usize, name: &str) -> String {
    let name = name.replace(['\n', '\r'], " ");
    format!("{address:x} {length:x} {name}\n")
}

/// "JiTD", as a number in the machine's byte order.
const MAGIC: u32 = 0x4a69_5444;
const VERSION: u32 = 1;
const HEADER: u32 = 40;
const CODE_LOAD: u32 = 0;
const CODE_DEBUG_INFO: u32 = 2;
/// Of the ELF format.
const MACHINE: u32 = if cfg!(target_arch = "aarch64") {
    183
} else {
    62
};

/// A dump that is being written.
#[derive(Debug)]
struct Dump {
    file: File,
    /// Number of the next function.
    index: u64,
    /// The file's first page, mapped to be executed: `perf record` writes down such mappings with their file's name, and
    /// `perf inject` finds the dump by it.
    _marker: Mmap,
}

impl Dump {
    fn new(mut options: std::fs::OpenOptions, path: &Path) -> io::Result<Dump> {
        let mut file = options
            .read(true)
            .write(true)
            .create(true)
            .truncate(true)
            .open(path)?;
        let mut header = Vec::with_capacity(HEADER as usize);
        for word in [MAGIC, VERSION, HEADER, MACHINE, 0, std::process::id()] {
            header.extend(word.to_ne_bytes());
        }
        header.extend(now().to_ne_bytes());
        header.extend(0u64.to_ne_bytes()); // flags: times are of the monotonic clock
        file.write_all(&header)?;
        // SAFETY: nobody reads or executes the mapping.
        let marker = unsafe { MmapOptions::new().len(HEADER as usize).map_exec(&file)? };
        Ok(Dump {
            file,
            index: 0,
            _marker: marker,
        })
    }

    /// Writes the records of one function; those of its lines come before the one of its code.
    fn write(&mut self, address: u64, code: &[u8], name: &str, lines: &[SourceLine<'_>]) {
        let time = now();
        let mut bytes = Vec::new();
        if !lines.is_empty() {
            let mut body = Vec::new();
            body.extend(address.to_ne_bytes());
            body.extend((lines.len() as u64).to_ne_bytes());
            for line in lines {
                body.extend((address + u64::from(line.offset)).to_ne_bytes());
                body.extend(line.line.to_ne_bytes());
                body.extend(0u32.to_ne_bytes()); // discriminator
                text(&mut body, line.file);
            }
            record(&mut bytes, CODE_DEBUG_INFO, time, &body);
        }
        let mut body = Vec::new();
        body.extend(std::process::id().to_ne_bytes());
        body.extend(thread().to_ne_bytes());
        for word in [address, address, code.len() as u64, self.index] {
            body.extend(word.to_ne_bytes());
        }
        text(&mut body, name);
        body.extend(code);
        record(&mut bytes, CODE_LOAD, time, &body);
        self.index += 1;
        let _ = self.file.write_all(&bytes);
    }
}

/// A record: kind, length of all of it, time, body.
fn record(bytes: &mut Vec<u8>, kind: u32, time: u64, body: &[u8]) {
    bytes.extend(kind.to_ne_bytes());
    bytes.extend((16 + body.len() as u32).to_ne_bytes());
    bytes.extend(time.to_ne_bytes());
    bytes.extend(body);
}

/// A text that ends in 0, and has no other.
fn text(bytes: &mut Vec<u8>, text: &str) {
    bytes.extend(text.bytes().filter(|b| *b != 0).chain([0]));
}

/// Nanoseconds of the clock that `perf record -k mono` uses.
fn now() -> u64 {
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: the place that is written is ours. The call cannot fail for this clock.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &mut time) };
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

/// The system's number of the thread.
fn thread() -> u32 {
    // SAFETY: a call without arguments.
    unsafe { libc::gettid() as u32 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_the_flag() {
        let mut wanted = PerfFiles::default();
        for value in ["map", "fp"] {
            assert!(wanted.apply(value));
        }
        assert_eq!(
            wanted,
            PerfFiles {
                map: true,
                dump: false
            }
        );
        assert!(wanted.apply("true"));
        assert_eq!(
            wanted,
            PerfFiles {
                map: true,
                dump: true
            }
        );
        assert!(wanted.apply("false"));
        assert_eq!(wanted, PerfFiles::default());
        assert!(!wanted.apply("maybe"));
    }

    #[test]
    fn a_line_of_the_map() {
        assert_eq!(
            map_line(0x1000, 33, "lists:'a\nb'/1"),
            "1000 21 lists:'a b'/1\n"
        );
    }

    #[test]
    fn the_dump_is_as_specified() {
        let path = std::env::temp_dir().join(format!("enigma-dump-{}", std::process::id()));
        let mut dump = Dump::new(File::options(), &path).expect("it can be made");
        let line = SourceLine {
            offset: 4,
            file: "m.erl",
            line: 12,
        };
        dump.write(0x1000, &[1, 2, 3], "m:f/1", &[line]);
        dump.write(0x2000, &[4], "m:g/0", &[]);
        let bytes = std::fs::read(&path).expect("it can be read");
        std::fs::remove_file(&path).expect("it can be removed");
        let word = |at: usize| u32::from_ne_bytes(bytes[at..at + 4].try_into().expect("4 bytes"));
        let long = |at: usize| u64::from_ne_bytes(bytes[at..at + 8].try_into().expect("8 bytes"));

        assert_eq!((word(0), word(4), word(8)), (MAGIC, 1, 40));
        assert_eq!((word(20), long(32)), (std::process::id(), 0));
        // lines
        let at = 40;
        assert_eq!(
            (word(at), word(at + 4)),
            (CODE_DEBUG_INFO, 16 + 16 + 16 + 6)
        );
        assert_eq!((long(at + 16), long(at + 24)), (0x1000, 1));
        assert_eq!(
            (long(at + 32), word(at + 40), word(at + 44)),
            (0x1004, 12, 0)
        );
        assert_eq!(&bytes[at + 48..at + 54], b"m.erl\0");
        // code
        let at = at + word(at + 4) as usize;
        assert_eq!((word(at), word(at + 4)), (CODE_LOAD, 16 + 40 + 6 + 3));
        assert_eq!(
            (word(at + 16), word(at + 20)),
            (std::process::id(), thread())
        );
        assert_eq!(
            (long(at + 24), long(at + 32), long(at + 40)),
            (0x1000, 0x1000, 3)
        );
        assert_eq!(
            (long(at + 48), &bytes[at + 56..at + 65]),
            (0, &b"m:f/1\0\x01\x02\x03"[..])
        );
        let at = at + word(at + 4) as usize;
        assert_eq!(
            (word(at), long(at + 24), long(at + 48)),
            (CODE_LOAD, 0x2000, 1)
        );
        assert_eq!(at + word(at + 4) as usize, bytes.len());
    }
}
