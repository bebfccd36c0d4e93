//! What waits to be sent.

use crate::erlang::iolist::IolistPart;
use crate::ports::inet::sys::{MAX_PARTS, Socket};
use enigma_runtime::heap::binary::BinaryRef;
use enigma_runtime::heap::bits;
use smallvec::SmallVec;
use std::collections::VecDeque;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};

/// A part of a file that is being sent.
pub struct FilePart {
    /// The file.
    pub file: OwnedFd,
    /// The next byte.
    pub offset: u64,
    /// Bytes left, at most.
    pub left: u64,
    /// Bytes sent.
    pub sent: u64,
    /// Who hears of the end.
    pub caller: u64,
}

/// Most bytes of a file that one call sends.
const FILE_STEP: u64 = 1 << 20;

/// Is it no error of the file?
fn is_of_connection(e: &io::Error) -> bool {
    matches!(
        e.raw_os_error(),
        Some(
            libc::EAGAIN
                | libc::EINTR
                | libc::EPIPE
                | libc::ECONNRESET
                | libc::ECONNABORTED
                | libc::ENOTCONN
                | libc::ESHUTDOWN
                | libc::ETIMEDOUT
                | libc::EHOSTUNREACH
                | libc::ENETUNREACH
                | libc::ENETDOWN
                | libc::ENOBUFS
        )
    )
}

enum Part {
    Bytes(Vec<u8>, usize),
    Shared(BinaryRef, usize, usize),
    File(FilePart),
}

impl Part {
    fn bytes(&self) -> Option<&[u8]> {
        match self {
            Part::Bytes(b, from) => Some(&b[*from..]),
            Part::Shared(b, from, to) => Some(&b.bytes()[*from..*to]),
            Part::File(_) => None,
        }
    }
}

/// Parts of files that have come to their end: each with the error that ended it, if any.
pub type FilesDone = SmallVec<[(FilePart, Option<io::Error>); 1]>;

/// See the module's text.
#[derive(Default)]
pub struct OutputQueue {
    parts: VecDeque<Part>,
    size: usize,
}

impl OutputQueue {
    /// Bytes that wait, those of files not counted.
    pub fn size(&self) -> usize {
        self.size
    }

    /// Does nothing wait?
    pub fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    /// Adds bytes.
    pub fn push(&mut self, bytes: Vec<u8>) {
        self.size += bytes.len();
        if !bytes.is_empty() {
            self.parts.push_back(Part::Bytes(bytes, 0));
        }
    }

    /// Adds parts of an I/O list without the first `skip` bytes. Large binaries are shared.
    pub fn extend(&mut self, parts: &[IolistPart<'_>], mut skip: usize) {
        for p in parts {
            let bytes = match p {
                IolistPart::Gathered(b) => b,
                IolistPart::Whole(_, b) => *b,
            };
            if skip >= bytes.len() {
                skip -= bytes.len();
                continue;
            }
            match p {
                IolistPart::Whole(view, _) if let Some(b) = bits::shared(view.base) => {
                    let from = view.offset / 8;
                    self.size += bytes.len() - skip;
                    let part = Part::Shared(b, from + skip, from + bytes.len());
                    self.parts.push_back(part);
                }
                _ => self.push(bytes[skip..].to_vec()),
            }
            skip = 0;
        }
    }

    /// Adds a part of a file.
    pub fn push_file(&mut self, file: FilePart) {
        self.parts.push_back(Part::File(file));
    }

    /// Forgets all; gives the parts of files.
    pub fn clear(&mut self) -> Vec<FilePart> {
        self.size = 0;
        let parts = std::mem::take(&mut self.parts);
        parts
            .into_iter()
            .filter_map(|p| match p {
                Part::File(f) => Some(f),
                _ => None,
            })
            .collect()
    }

    /// Sends one step of what is in front; parts of files that have ended are added to `done`.
    ///
    /// # Errors
    /// Those of the system; nothing of what was not sent is lost.
    pub fn step(&mut self, socket: &Socket, done: &mut FilesDone) -> io::Result<()> {
        if let Some(Part::File(f)) = self.parts.front_mut() {
            let count = f.left.min(FILE_STEP) as usize;
            let ended = match socket.send_file(f.file.as_raw_fd(), f.offset, count) {
                Ok(n) => {
                    let n = n as u64;
                    (f.offset, f.left, f.sent) = (f.offset + n, f.left - n, f.sent + n);
                    (n == 0 || f.left == 0).then_some(None)
                }
                Err(e) if is_of_connection(&e) => return Err(e),
                Err(e) => Some(Some(e)),
            };
            if let Some(error) = ended
                && let Some(Part::File(f)) = self.parts.pop_front()
            {
                done.push((f, error));
            }
            return Ok(());
        }
        let parts: SmallVec<[&[u8]; 16]> = self
            .parts
            .iter()
            .map_while(Part::bytes)
            .take(MAX_PARTS)
            .collect();
        let sent = socket.send(&parts);
        drop(parts);
        self.take(sent?);
        Ok(())
    }

    fn take(&mut self, mut n: usize) {
        self.size -= n;
        while let Some(front) = self.parts.front_mut() {
            let len = front.bytes().map_or(usize::MAX, <[u8]>::len);
            if n < len {
                match front {
                    Part::Bytes(_, from) | Part::Shared(_, from, _) => *from += n,
                    Part::File(_) => {}
                }
                return;
            }
            n -= len;
            self.parts.pop_front();
        }
    }
}
