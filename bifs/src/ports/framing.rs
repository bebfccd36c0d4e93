//! How bytes from outside are cut into messages, and what is put before bytes for the outside.

use super::Port;
use enigma_runtime::atom::Atom;

/// A port's framing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PortFraming {
    /// As it comes.
    Stream,
    /// A big-endian length of so many bytes before each packet.
    Packet(usize),
    /// Lines, longer ones in pieces of this many bytes.
    Line(usize),
}

impl PortFraming {
    /// Data for the outside; an error where it is too long for its length field.
    pub fn frame(self, data: Vec<u8>) -> Result<Vec<u8>, Atom> {
        let PortFraming::Packet(n) = self else {
            return Ok(data);
        };
        if n < 8 && data.len() >> (8 * n) != 0 {
            return Err(Atom::EINVAL);
        }
        let mut out = (data.len() as u64).to_be_bytes()[8 - n..].to_vec();
        out.extend_from_slice(&data);
        Ok(out)
    }
}

/// Cuts what comes from outside.
pub struct Cutter {
    framing: PortFraming,
    binary: bool,
    rest: Vec<u8>,
}

impl Cutter {
    /// A fresh one.
    pub fn new(framing: PortFraming, binary: bool) -> Cutter {
        Cutter {
            framing,
            binary,
            rest: Vec::new(),
        }
    }

    /// Sends what is complete to the port's owner.
    pub fn feed(&mut self, port: &Port, data: &[u8]) {
        match self.framing {
            PortFraming::Stream => port.tell_data(data, self.binary),
            PortFraming::Packet(n) => {
                self.rest.extend_from_slice(data);
                while self.rest.len() >= n {
                    let len = self.rest[..n]
                        .iter()
                        .fold(0usize, |l, &b| l << 8 | usize::from(b));
                    if self.rest.len() < n + len {
                        break;
                    }
                    port.tell_data(&self.rest[n..n + len], self.binary);
                    self.rest.drain(..n + len);
                }
            }
            PortFraming::Line(max) => {
                self.rest.extend_from_slice(data);
                loop {
                    let end = self.rest.iter().position(|&b| b == b'\n');
                    match end {
                        Some(i) if i <= max => {
                            self.line(port, i, Atom::EOL);
                            self.rest.drain(..=i);
                        }
                        _ if self.rest.len() > max => {
                            self.line(port, max, Atom::NOEOL);
                            self.rest.drain(..max);
                        }
                        _ => break,
                    }
                }
            }
        }
    }

    fn line(&self, port: &Port, n: usize, kind: Atom) {
        let (data, binary) = (&self.rest[..n], self.binary);
        port.count_input(n);
        port.tell(|h| {
            let d = if binary {
                h.binary(data)
            } else {
                h.byte_list(data)
            };
            let line = h.tuple(&[kind.into(), d]);
            h.tuple(&[Atom::DATA.into(), line])
        });
    }
}
