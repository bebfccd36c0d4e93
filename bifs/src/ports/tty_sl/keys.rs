//! What is typed: a thread reads it and sends it to the port's owner, in UTF-8.

use super::super::Port;
use crate::terminal;
use enigma_runtime::Term;
use enigma_runtime::atom::Atom;
use std::fs::File;
use std::io::{self, PipeWriter, Read};
use std::mem::ManuallyDrop;
use std::os::fd::{AsRawFd, FromRawFd, RawFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;

/// At most so many bytes are read at a time.
const MOST: usize = 1024;

/// The reading thread; it stops when the pipe is closed.
pub struct Keys(Mutex<Option<PipeWriter>>);

impl Keys {
    /// Starts reading.
    pub fn start(port: Arc<Port>, fd: RawFd, utf8: Arc<AtomicBool>) -> Result<Keys, Atom> {
        let (stopped, stop) = io::pipe().map_err(|e| crate::errno::of(&e))?;
        let _loosened = enigma_runtime::sched::bind::loosened();
        let thread = std::thread::Builder::new().name("tty_reader".into());
        let run = move || {
            // SAFETY: `ManuallyDrop` never closes the descriptor, which is the driver's.
            let mut from = ManuallyDrop::new(unsafe { File::from_raw_fd(fd) });
            let mut decoder = Decoder::default();
            let mut buffer = [0; MOST];
            while terminal::input::wait_unless(fd, stopped.as_raw_fd()) {
                match from.read(&mut buffer) {
                    Ok(n) if n > 0 => {
                        let text = decoder.decode(&buffer[..n], &utf8);
                        port.tell_data(&text, false);
                    }
                    Err(e) if is_passing(&e) => {}
                    _ => {
                        port.close(Term::small(-1));
                        return;
                    }
                }
            }
        };
        match thread.spawn(run) {
            Ok(_) => Ok(Keys(Mutex::new(Some(stop)))),
            Err(_) => Err(Atom::SYSTEM_LIMIT),
        }
    }

    /// Stops reading.
    pub fn stop(&self) {
        self.0.lock().take();
    }
}

fn is_passing(e: &io::Error) -> bool {
    matches!(
        e.kind(),
        io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted
    )
}

/// Makes UTF-8 of what is typed. Input that is no UTF-8 shows that the terminal does not speak it, and is taken
/// for Latin-1 from then on.
#[derive(Default)]
struct Decoder {
    /// The start of a character that is not complete.
    begun: Vec<u8>,
}

impl Decoder {
    fn decode(&mut self, bytes: &[u8], utf8: &AtomicBool) -> Vec<u8> {
        let mut bytes = [&std::mem::take(&mut self.begun)[..], bytes].concat();
        let mut good = 0;
        if utf8.load(Ordering::Relaxed) {
            match str::from_utf8(&bytes) {
                Ok(_) => return bytes,
                Err(e) => {
                    good = e.valid_up_to();
                    if e.error_len().is_none() {
                        self.begun = bytes.split_off(good);
                        return bytes;
                    }
                    utf8.store(false, Ordering::Relaxed);
                }
            }
        }
        let latin1 = bytes.split_off(good);
        let text: String = latin1.iter().map(|&b| char::from(b)).collect();
        bytes.extend_from_slice(text.as_bytes());
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_in_parts_and_latin1() {
        let utf8 = AtomicBool::new(true);
        let mut d = Decoder::default();
        assert_eq!(d.decode(b"a\xc3", &utf8), b"a");
        assert_eq!(d.decode(b"\xa9b", &utf8), b"\xc3\xa9b");
        assert_eq!(d.decode(b"a\xe9b", &utf8), b"a\xc3\xa9b");
        assert!(!utf8.load(Ordering::Relaxed));
        assert_eq!(d.decode(b"\xe9", &utf8), b"\xc3\xa9");
    }
}
