//! What has come from the other side and was not given to anybody yet.

use crate::ports::inet::sys::Socket;
use std::cell::Cell;
use std::io;

/// Longest memory that a thread keeps for reading.
const KEPT: usize = 256 * 1024;
/// For packets longer than this, memory grows with what has come.
const TRUSTED: usize = 4 << 20;

thread_local! {
    /// Memory that connections of which nothing is kept read into.
    static SPARE: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// See the module's text.
#[derive(Default)]
pub struct TcpInput {
    bytes: Vec<u8>,
    start: usize,
}

impl TcpInput {
    /// The bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes[self.start..]
    }

    /// How many there are.
    pub fn size(&self) -> usize {
        self.bytes.len() - self.start
    }

    /// Forgets the first `n` bytes.
    pub fn skip(&mut self, n: usize) {
        self.start += n;
        if self.start == self.bytes.len() {
            self.bytes.clear();
            self.start = 0;
        }
    }

    /// Takes the memory with all bytes, if they begin at its start and it is not much longer than they are.
    pub fn take_all(&mut self) -> Option<Vec<u8>> {
        let room = self.bytes.capacity() - self.bytes.len();
        if self.start > 0 || room > self.bytes.len() / 8 {
            return None;
        }
        Some(std::mem::take(&mut self.bytes))
    }

    /// Puts bytes in front.
    pub fn put_back(&mut self, bytes: &[u8]) {
        let rest = self.bytes().to_vec();
        self.bytes = [bytes, &rest].concat();
        self.start = 0;
    }

    /// Forgets all.
    pub fn clear(&mut self) {
        *self = TcpInput::default();
    }

    /// Takes memory of this thread if there is none yet.
    pub fn begin(&mut self) {
        if self.bytes.capacity() == 0 {
            self.bytes = SPARE.take();
        }
    }

    /// Gives memory that is not needed back to this thread.
    pub fn end(&mut self) {
        if self.size() == 0 {
            let mut spare = std::mem::take(&mut self.bytes);
            self.start = 0;
            if spare.capacity() <= KEPT {
                spare.clear();
                SPARE.set(spare);
            }
        }
    }

    /// Reads: enough for `need` bytes in all if that is known, at least `buffer` bytes unless `exactly` what is needed;
    /// gives how many were asked for and how many came.
    pub fn read(
        &mut self,
        socket: &Socket,
        need: usize,
        buffer: usize,
        exactly: bool,
    ) -> io::Result<(usize, usize)> {
        if self.start > 0 {
            self.bytes.drain(..self.start);
            self.start = 0;
        }
        let missing = need.saturating_sub(self.bytes.len());
        let most = match missing {
            0 => buffer,
            n if exactly => n,
            n => n.max(buffer),
        };
        let most = if missing > TRUSTED {
            most.min(self.bytes.len().max(TRUSTED))
        } else {
            most
        };
        let n = socket.receive(&mut self.bytes, most)?;
        Ok((most, n))
    }
}
