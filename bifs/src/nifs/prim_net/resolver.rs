//! The library's functions that look up names and interfaces.

use crate::ports::inet::sys::RawAddress;
use std::ffi::{CStr, CString};
use std::io;

/// `NI_IDN`: names of other scripts are translated.
pub const NI_IDN: i32 = 32;
/// Longest names that are asked for.
const LONGEST: usize = 1025;

/// Why nothing was found.
pub enum NoAnswer {
    /// The resolver says so.
    Resolver(&'static str),
    /// An error of the system.
    System(io::Error),
}

/// The name of an error of the resolver.
fn failure(code: i32) -> NoAnswer {
    // The numbers that `libc` has no names for are those of the platform's `netdb.h`.
    NoAnswer::Resolver(match code {
        libc::EAI_AGAIN => "eagain",
        libc::EAI_BADFLAGS => "ebadflags",
        libc::EAI_FAIL => "efail",
        libc::EAI_FAMILY => "efamily",
        libc::EAI_MEMORY => "emem",
        libc::EAI_NODATA => "enodata",
        libc::EAI_NONAME => "enoname",
        libc::EAI_SERVICE => "eservice",
        libc::EAI_SOCKTYPE => "esocktype",
        libc::EAI_SYSTEM => return NoAnswer::System(io::Error::last_os_error()),
        -9 => "eaddrfamily",
        -12 => "eoverflow",
        _ => "unknown",
    })
}

fn text(bytes: Vec<u8>) -> Result<CString, NoAnswer> {
    let bad = || NoAnswer::System(io::Error::from_raw_os_error(libc::EINVAL));
    CString::new(bytes).map_err(|_| bad())
}

/// An address that was found.
pub struct FoundAddress {
    /// The system's number of the family.
    pub family: i32,
    /// The system's number of the kind of sockets.
    pub kind: i32,
    /// The system's number of the protocol.
    pub protocol: i32,
    /// The address.
    pub address: RawAddress,
}

/// The addresses of a host and the port of a service.
pub fn addresses_of(
    host: Option<Vec<u8>>,
    service: Option<Vec<u8>>,
) -> Result<Vec<FoundAddress>, NoAnswer> {
    let host = host.map(text).transpose()?;
    let service = service.map(text).transpose()?;
    let pointer = |s: &Option<CString>| s.as_ref().map_or(std::ptr::null(), |s| s.as_ptr());
    let mut first = std::ptr::null_mut();
    let mut all = Vec::new();
    // SAFETY: both texts end in zero or are absent; the list belongs to us until it is freed, and its addresses are as long as their
    // families say.
    unsafe {
        let code = libc::getaddrinfo(
            pointer(&host),
            pointer(&service),
            std::ptr::null(),
            &raw mut first,
        );
        if code != 0 {
            return Err(failure(code));
        }
        let mut at: *const libc::addrinfo = first;
        while let Some(a) = at.as_ref() {
            if let Some(address) = RawAddress::from_ptr(a.ai_addr) {
                all.push(FoundAddress {
                    family: a.ai_family,
                    kind: a.ai_socktype,
                    protocol: a.ai_protocol,
                    address,
                });
            }
            at = a.ai_next;
        }
        libc::freeaddrinfo(first);
    }
    Ok(all)
}

/// The names of an address's host and of its port's service.
pub fn names_of(address: &RawAddress, flags: i32) -> Result<(Vec<u8>, Vec<u8>), NoAnswer> {
    let (mut host, mut service) = ([0u8; LONGEST], [0u8; LONGEST]);
    let (pointer, len) = address.raw_parts();
    // SAFETY: the address and both rooms are as long as they say.
    let code = unsafe {
        libc::getnameinfo(
            pointer,
            len,
            host.as_mut_ptr().cast(),
            LONGEST as libc::socklen_t,
            service.as_mut_ptr().cast(),
            LONGEST as libc::socklen_t,
            flags,
        )
    };
    if code != 0 {
        return Err(failure(code));
    }
    Ok((up_to_zero(&host), up_to_zero(&service)))
}

fn up_to_zero(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().copied().take_while(|&b| b != 0).collect()
}

/// The number of an interface.
pub fn interface_index(name: &[u8]) -> io::Result<u32> {
    let name = CString::new(name).map_err(|_| io::Error::from_raw_os_error(libc::EINVAL))?;
    // SAFETY: the name ends in zero.
    match unsafe { libc::if_nametoindex(name.as_ptr()) } {
        0 => Err(io::Error::last_os_error()),
        n => Ok(n),
    }
}

/// The name of an interface.
pub fn interface_name(index: u32) -> io::Result<Vec<u8>> {
    let mut room = [0u8; libc::IF_NAMESIZE];
    // SAFETY: the room is as long as names are at most.
    let found = unsafe { libc::if_indextoname(index, room.as_mut_ptr().cast()) };
    if found.is_null() {
        return Err(io::Error::last_os_error());
    }
    Ok(up_to_zero(&room))
}

/// Numbers and names of all interfaces.
pub fn interfaces() -> io::Result<Vec<(u32, Vec<u8>)>> {
    let mut all = Vec::new();
    // SAFETY: a list that the library makes and frees; it ends with an entry without a name.
    unsafe {
        let first = libc::if_nameindex();
        if first.is_null() {
            return Err(io::Error::last_os_error());
        }
        let mut at = first;
        while !(*at).if_name.is_null() {
            let name = CStr::from_ptr((*at).if_name).to_bytes().to_vec();
            all.push(((*at).if_index, name));
            at = at.add(1);
        }
        libc::if_freenameindex(first);
    }
    Ok(all)
}
