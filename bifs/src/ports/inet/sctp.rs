//! The driver `sctp_inet`, as far as it goes: a port of it asks the system for a socket, and tells why there is none. Where the
//! system has SCTP the answer is `enotsup`, because associations are not there yet.

use super::codes;
use super::control::{self, ControlAnswer};
use super::descriptor::{Descriptor, failed, ok, refused};
use super::options::{self, BadOption, Changes};
use crate::ports::{Driver, Port};
use enigma_runtime::atom::Atom;
use parking_lot::Mutex;
use std::sync::Arc;

struct SctpDriver(Mutex<Descriptor>);

/// Opens a port of the driver.
pub fn open(owner: u64, name: &str) -> Result<Arc<Port>, Atom> {
    Port::open(owner, name, false, |_| {
        Ok(Box::new(SctpDriver(Mutex::new(Descriptor::new(false)))))
    })
}

/// Asks the system: family and type, and from OTP 29 on the protocol.
fn try_socket(d: &Descriptor, data: &[u8]) -> Vec<u8> {
    let (family, kind) = match *data {
        [family, kind] | [family, kind, codes::PROTO_DEFAULT | codes::PROTO_SCTP] => (family, kind),
        _ => return refused("einval"),
    };
    let family = match family {
        codes::AF_INET => libc::AF_INET,
        codes::AF_INET6 => libc::AF_INET6,
        _ => return refused("einval"),
    };
    let kind = match kind {
        codes::TYPE_STREAM => libc::SOCK_STREAM,
        codes::TYPE_SEQPACKET => libc::SOCK_SEQPACKET,
        _ => return refused("einval"),
    };
    match options::open(d, family, kind, libc::IPPROTO_SCTP) {
        Ok(_) => refused("enotsup"),
        Err(e) => failed(&e),
    }
}

impl Driver for SctpDriver {
    fn output(&self, _: &Arc<Port>, _: Vec<u8>) -> Result<(), Atom> {
        Err(Atom::EINVAL)
    }

    fn control(&self, _: &Arc<Port>, caller: u64, operation: u32, data: &[u8]) -> Option<Vec<u8>> {
        let Some(request) = operation.checked_sub(codes::MAGIC) else {
            return Some(refused("exbadport"));
        };
        match request {
            codes::OPEN => return Some(try_socket(&self.0.lock(), data)),
            codes::FDOPEN => return Some(refused("enotsup")),
            _ => {}
        }
        let d = &mut *self.0.lock();
        if request == codes::SETOPTS {
            return Some(match options::set(d, data, &mut Changes::default()) {
                Ok(()) => ok(&[]),
                Err(BadOption) => refused("einval"),
            });
        }
        let flags = d.flags();
        match control::answer(d, request, data, caller, 0, flags) {
            ControlAnswer::Bytes(bytes) => Some(bytes),
            ControlAnswer::BadArgument => None,
            ControlAnswer::Unknown => Some(refused("exbadport")),
        }
    }

    fn close(&self) {}
}
