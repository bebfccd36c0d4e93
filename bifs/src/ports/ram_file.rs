//! The driver `ram_file_drv`: a file that lives in memory, behind the module `ram_file`.
//!
//! A command is one byte that says what to do and its arguments, numbers being big-endian and 32 bits wide.
//! Every command gets one message, before the command returns: a byte that says what kind of answer it is,
//! and the answer.

use super::options::PortOptions;
use super::{Driver, Port};
use enigma_runtime::Term;
use enigma_runtime::atom::Atom;
use enigma_runtime::sys::memory;
use parking_lot::Mutex;
use std::sync::Arc;

const OPEN: u8 = 1;
const READ: u8 = 2;
const LSEEK: u8 = 3;
const WRITE: u8 = 4;
const FSYNC: u8 = 9;
const TRUNCATE: u8 = 14;
const PREAD: u8 = 17;
const PWRITE: u8 = 18;
const FDATASYNC: u8 = 19;
const GET: u8 = 30;
const SIZE: u8 = 37;
const ADVISE: u8 = 38;
const ALLOCATE: u8 = 39;

const MODE_READ: i32 = 1;
const MODE_WRITE: i32 = 2;

const SEEK_SET: i32 = 0;
const SEEK_CUR: i32 = 1;
const SEEK_END: i32 = 2;

const RESP_OK: u8 = 0;
const RESP_ERROR: u8 = 1;
const RESP_DATA: u8 = 2;
const RESP_NUMBER: u8 = 3;

/// What a command is answered with.
#[derive(Debug, PartialEq, Eq)]
enum Answer {
    Done,
    Number(usize),
    Data(Vec<u8>),
}

/// What is wrong with a command, by the name of an operating system's error.
type Error = &'static str;

/// A file: where it is read and written, how it was opened, and its content.
#[derive(Default)]
struct RamFile {
    mode: i32,
    position: usize,
    data: Vec<u8>,
}

struct RamFileDriver {
    file: Mutex<RamFile>,
    /// Does file content go out as binaries?
    binary: bool,
}

/// Opens a port of the driver.
pub fn open(owner: u64, name: &str, options: &PortOptions) -> Result<Arc<Port>, Atom> {
    let binary = options.binary;
    Port::open(owner, name, false, |_| {
        Ok(Box::new(RamFileDriver {
            file: Mutex::default(),
            binary,
        }))
    })
}

impl Driver for RamFileDriver {
    /// A command that the driver does not know gets no answer.
    fn output(&self, port: &Arc<Port>, command: Vec<u8>) -> Result<(), Atom> {
        let answer = self.file.lock().run(&command);
        if let Some(answer) = answer {
            self.answer(port, answer);
        }
        Ok(())
    }

    fn close(&self) {
        *self.file.lock() = RamFile::default();
    }
}

impl RamFileDriver {
    fn answer(&self, port: &Port, answer: Result<Answer, Error>) {
        let (head, content) = match answer {
            Ok(Answer::Done) => (vec![RESP_OK], None),
            Ok(Answer::Number(n)) => (numbered(RESP_NUMBER, n), None),
            Ok(Answer::Data(data)) => (numbered(RESP_DATA, data.len()), Some(data)),
            Err(name) => ([&[RESP_ERROR], name.as_bytes()].concat(), None),
        };
        port.count_input(head.len() + content.as_ref().map_or(0, Vec::len));
        port.tell(|h| {
            let tail = match content {
                Some(data) if self.binary => h.binary(&data),
                Some(data) => h.byte_list(&data),
                None => Term::NIL,
            };
            let data = h.byte_list_with_tail(&head, tail);
            h.tuple(&[Atom::DATA.into(), data])
        });
    }
}

/// A kind of answer and a number, of which 32 bits are told.
fn numbered(kind: u8, n: usize) -> Vec<u8> {
    let [.., a, b, c, d] = n.to_be_bytes();
    vec![kind, a, b, c, d]
}

/// The number at the start of a command's arguments, and the rest.
fn number(arguments: &[u8]) -> Result<(i32, &[u8]), Error> {
    let (n, rest) = arguments.split_first_chunk::<4>().ok_or("einval")?;
    Ok((i32::from_be_bytes(*n), rest))
}

/// A number that must not be negative.
fn count(n: i32) -> Result<usize, Error> {
    usize::try_from(n).map_err(|_| "einval")
}

impl RamFile {
    /// Runs one command; nothing if there is no such command.
    fn run(&mut self, command: &[u8]) -> Option<Result<Answer, Error>> {
        let (&code, arguments) = command.split_first()?;
        Some(match code {
            OPEN => self.open(arguments),
            READ => self.read(arguments),
            PREAD => self.pread(arguments),
            WRITE => self.write(arguments),
            PWRITE => self.pwrite(arguments),
            LSEEK => self.seek(arguments),
            TRUNCATE => self.truncate(),
            GET => copy(&self.data).map(Answer::Data),
            SIZE => Ok(Answer::Number(self.data.len())),
            FSYNC | FDATASYNC | ADVISE | ALLOCATE => self.opened().map(|()| Answer::Done),
            _ => return None,
        })
    }

    fn opened(&self) -> Result<(), Error> {
        if self.mode == 0 { Err("ebadf") } else { Ok(()) }
    }

    fn allows(&self, mode: i32, otherwise: Error) -> Result<(), Error> {
        if self.mode & mode == 0 {
            Err(otherwise)
        } else {
            Ok(())
        }
    }

    /// The rest of the command is the file's content.
    fn open(&mut self, arguments: &[u8]) -> Result<Answer, Error> {
        let (mode, content) = number(arguments)?;
        let data = copy(content)?;
        *self = RamFile {
            mode,
            position: 0,
            data,
        };
        Ok(Answer::Number(0))
    }

    fn read(&mut self, arguments: &[u8]) -> Result<Answer, Error> {
        let (len, _) = number(arguments)?;
        let data = self.content(self.position, len)?;
        self.position += data.len();
        Ok(Answer::Data(data))
    }

    fn pread(&mut self, arguments: &[u8]) -> Result<Answer, Error> {
        let (at, rest) = number(arguments)?;
        let (len, _) = number(rest)?;
        self.content(count(at)?, len).map(Answer::Data)
    }

    /// Up to `len` bytes from a place on.
    fn content(&self, at: usize, len: i32) -> Result<Vec<u8>, Error> {
        self.allows(MODE_READ, "ebadf")?;
        let len = count(len)?;
        let rest = self.data.get(at..).unwrap_or_default();
        copy(&rest[..len.min(rest.len())])
    }

    fn write(&mut self, data: &[u8]) -> Result<Answer, Error> {
        self.put(self.position, data)?;
        self.position += data.len();
        Ok(Answer::Number(data.len()))
    }

    fn pwrite(&mut self, arguments: &[u8]) -> Result<Answer, Error> {
        let (at, data) = number(arguments)?;
        self.put(count(at)?, data)?;
        Ok(Answer::Number(data.len()))
    }

    /// Writes at a place; what lies between the end and that place becomes zeros.
    fn put(&mut self, at: usize, data: &[u8]) -> Result<(), Error> {
        self.allows(MODE_WRITE, "ebadf")?;
        let end = at.checked_add(data.len()).ok_or("einval")?;
        if end > self.data.len() {
            self.resize(end)?;
        }
        self.data[at..end].copy_from_slice(data);
        Ok(())
    }

    fn seek(&mut self, arguments: &[u8]) -> Result<Answer, Error> {
        let (offset, rest) = number(arguments)?;
        let (origin, _) = number(rest)?;
        self.opened()?;
        let from = match origin {
            SEEK_SET => 0,
            SEEK_CUR => self.position,
            SEEK_END => self.data.len(),
            _ => return Err("einval"),
        };
        self.position = from.checked_add_signed(offset as isize).ok_or("einval")?;
        Ok(Answer::Number(self.position))
    }

    /// The file ends where it would be read next.
    fn truncate(&mut self) -> Result<Answer, Error> {
        self.allows(MODE_WRITE, "eacces")?;
        self.resize(self.position)?;
        Ok(Answer::Done)
    }

    fn resize(&mut self, len: usize) -> Result<(), Error> {
        let more = len.saturating_sub(self.data.len());
        memory::fallible(|| self.data.try_reserve(more)).map_err(|_| "enomem")?;
        self.data.resize(len, 0);
        Ok(())
    }
}

fn copy(data: &[u8]) -> Result<Vec<u8>, Error> {
    let mut v = Vec::new();
    memory::fallible(|| v.try_reserve_exact(data.len())).map_err(|_| "enomem")?;
    v.extend_from_slice(data);
    Ok(v)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opened(mode: u8, content: &[u8]) -> RamFile {
        let mut f = RamFile::default();
        let command = [&[OPEN, 0, 0, 0, mode], content].concat();
        assert_eq!(f.run(&command), Some(Ok(Answer::Number(0))));
        f
    }

    #[test]
    fn a_write_past_the_end_leaves_zeros() {
        let mut f = opened(3, b"ab");
        let end = f.run(&[PWRITE, 0, 0, 0, 4, b'x']);
        assert_eq!(end, Some(Ok(Answer::Number(1))));
        let all = f.run(&[GET]);
        assert_eq!(all, Some(Ok(Answer::Data(b"ab\0\0x".to_vec()))));
    }

    #[test]
    fn what_the_mode_does_not_allow_fails() {
        let mut f = opened(1, b"ab");
        assert_eq!(f.run(&[WRITE, b'x']), Some(Err("ebadf")));
        assert_eq!(f.run(&[TRUNCATE]), Some(Err("eacces")));
        assert_eq!(
            f.run(&[READ, 0, 0, 0, 9]),
            Some(Ok(Answer::Data(b"ab".to_vec())))
        );
    }

    #[test]
    fn short_commands_and_unknown_ones_do_no_harm() {
        let mut f = RamFile::default();
        assert_eq!(f.run(&[]), None);
        assert_eq!(f.run(&[77]), None);
        assert_eq!(f.run(&[FSYNC]), Some(Err("ebadf")));
        for code in [OPEN, READ, LSEEK, PREAD, PWRITE] {
            assert_eq!(f.run(&[code, 0]), Some(Err("einval")));
        }
    }
}
