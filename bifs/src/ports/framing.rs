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
    /// So many bytes of `rest` hold no end of a line.
    looked_at: usize,
}

impl Cutter {
    /// A fresh one.
    pub fn new(framing: PortFraming, binary: bool) -> Cutter {
        Cutter {
            framing,
            binary,
            rest: Vec::new(),
            looked_at: 0,
        }
    }

    /// Sends what is complete to the port's owner.
    pub fn feed(&mut self, port: &Port, data: &[u8]) {
        match self.framing {
            PortFraming::Stream => port.tell_data(data, self.binary),
            PortFraming::Packet(n) => {
                self.rest.extend_from_slice(data);
                let done = packets(&self.rest, n, |p| port.tell_data(p, self.binary));
                self.rest.drain(..done);
            }
            PortFraming::Line(max) => {
                self.rest.extend_from_slice(data);
                let mut from = 0;
                loop {
                    let rest = &self.rest[from..];
                    let new = &rest[self.looked_at..];
                    let end = new.iter().position(|&b| b == b'\n');
                    let line = end.map(|i| &rest[..self.looked_at + i]);
                    match line.map(|l| (l.len() + 1, l.strip_suffix(b"\r").unwrap_or(l))) {
                        Some((whole, line)) if line.len() <= max => {
                            self.line(port, line, Atom::EOL);
                            from += whole;
                        }
                        _ if rest.len() > max && rest[max..] != *b"\r" => {
                            self.line(port, &rest[..max], Atom::NOEOL);
                            from += max;
                        }
                        _ => {
                            self.looked_at = rest.len();
                            break;
                        }
                    }
                    self.looked_at = 0;
                }
                self.rest.drain(..from);
            }
        }
    }

    /// Nothing more comes: the beginning of a line is told.
    pub fn end(&mut self, port: &Port) {
        let rest = std::mem::take(&mut self.rest);
        if let PortFraming::Line(max) = self.framing {
            for piece in rest.chunks(max) {
                self.line(port, piece, Atom::NOEOL);
            }
        }
    }

    fn line(&self, port: &Port, data: &[u8], kind: Atom) {
        port.count_input(data.len());
        port.tell(|h| {
            let d = if self.binary {
                h.binary(data)
            } else {
                h.byte_list(data)
            };
            let line = h.tuple(&[kind.into(), d]);
            h.tuple(&[Atom::DATA.into(), line])
        });
    }
}

/// Gives the complete packets at the front of `data`, each behind a length of `n` bytes: how many bytes that was.
fn packets(data: &[u8], n: usize, mut give: impl FnMut(&[u8])) -> usize {
    let mut rest = data;
    while let Some((length, behind)) = rest.split_at_checked(n) {
        let length = length.iter().fold(0usize, |l, &b| l << 8 | usize::from(b));
        let Some((packet, behind)) = behind.split_at_checked(length) else {
            break;
        };
        give(packet);
        rest = behind;
    }
    data.len() - rest.len()
}
