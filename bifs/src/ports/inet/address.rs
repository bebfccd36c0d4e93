//! Addresses as `prim_inet` writes and reads them: a family, then what it has.

use super::codes;
use super::sys::RawAddress;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::os::raw::c_int;

/// What is wrong with the bytes of an address.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BadAddress {
    /// Its family cannot be used here.
    Family,
    /// It is too short or too long.
    Length,
}

impl BadAddress {
    /// The error's name.
    pub fn name(self) -> &'static str {
        match self {
            BadAddress::Family => "eafnosupport",
            BadAddress::Length => "einval",
        }
    }
}

/// Bytes in front of a local address's path.
const PATH_AT: usize = std::mem::offset_of!(libc::sockaddr_un, sun_path);

/// An IPv4 address.
pub fn v4(ip: Ipv4Addr, port: u16) -> RawAddress {
    let a = libc::sockaddr_in {
        sin_family: libc::AF_INET as libc::sa_family_t,
        sin_port: port.to_be(),
        sin_addr: libc::in_addr {
            s_addr: u32::from_ne_bytes(ip.octets()),
        },
        sin_zero: [0; 8],
    };
    RawAddress::of(a, size_of::<libc::sockaddr_in>())
}

/// An IPv6 address.
pub fn v6(ip: Ipv6Addr, port: u16, flow: u32, scope: u32) -> RawAddress {
    let a = libc::sockaddr_in6 {
        sin6_family: libc::AF_INET6 as libc::sa_family_t,
        sin6_port: port.to_be(),
        sin6_flowinfo: flow,
        sin6_addr: libc::in6_addr {
            s6_addr: ip.octets(),
        },
        sin6_scope_id: scope,
    };
    RawAddress::of(a, size_of::<libc::sockaddr_in6>())
}

/// The address of a path; one that begins with a zero byte is Linux's kind without a file.
pub fn local(path: &[u8]) -> Result<RawAddress, BadAddress> {
    let mut a = libc::sockaddr_un {
        sun_family: libc::AF_UNIX as libc::sa_family_t,
        sun_path: [0; 108],
    };
    if path.len() >= a.sun_path.len() {
        return Err(BadAddress::Length);
    }
    for (to, &from) in a.sun_path.iter_mut().zip(path) {
        *to = from as libc::c_char;
    }
    let ends_in_zero = path.first().is_some_and(|&b| b != 0);
    let len = PATH_AT + path.len() + usize::from(ends_in_zero);
    Ok(RawAddress::of(a, len))
}

/// Takes an address from the front of `data`; `family` is the socket's, which the general addresses take.
pub fn take(data: &mut &[u8], family: c_int) -> Result<RawAddress, BadAddress> {
    let kind = *take_array::<1>(data)?;
    match kind[0] {
        codes::AF_INET => {
            let port = u16::from_be_bytes(*take_array(data)?);
            let ip = *take_array::<4>(data)?;
            Ok(v4(ip.into(), port))
        }
        codes::AF_INET6 => {
            let port = u16::from_be_bytes(*take_array(data)?);
            let ip = *take_array::<16>(data)?;
            let flow = u32::from_be_bytes(*take_array(data)?);
            let scope = u32::from_be_bytes(*take_array(data)?);
            Ok(v6(ip.into(), port, flow, scope))
        }
        kind @ (codes::AF_ANY | codes::AF_LOOPBACK) => {
            let port = u16::from_be_bytes(*take_array(data)?);
            let any = kind == codes::AF_ANY;
            match family {
                libc::AF_INET if any => Ok(v4(Ipv4Addr::UNSPECIFIED, port)),
                libc::AF_INET => Ok(v4(Ipv4Addr::LOCALHOST, port)),
                libc::AF_INET6 if any => Ok(v6(Ipv6Addr::UNSPECIFIED, port, 0, 0)),
                libc::AF_INET6 => Ok(v6(Ipv6Addr::LOCALHOST, port, 0, 0)),
                _ => Err(BadAddress::Family),
            }
        }
        codes::AF_LOCAL => {
            let n = usize::from(take_array::<1>(data)?[0]);
            local(take_bytes(data, n)?)
        }
        _ => Err(BadAddress::Family),
    }
}

/// Takes so many bytes from the front.
pub fn take_bytes<'a>(data: &mut &'a [u8], n: usize) -> Result<&'a [u8], BadAddress> {
    let (front, rest) = data.split_at_checked(n).ok_or(BadAddress::Length)?;
    *data = rest;
    Ok(front)
}

/// Takes an array from the front.
pub fn take_array<'a, const N: usize>(data: &mut &'a [u8]) -> Result<&'a [u8; N], BadAddress> {
    let (front, rest) = data.split_first_chunk().ok_or(BadAddress::Length)?;
    *data = rest;
    Ok(front)
}

/// What an address holds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Parts {
    /// IPv4.
    V4(Ipv4Addr, u16),
    /// IPv6.
    V6(Ipv6Addr, u16),
    /// A path.
    Local(Vec<u8>),
    /// None.
    Unspecified,
    /// Of a family that `prim_inet` has no number for.
    Other,
}

/// What an address holds.
pub fn parts(a: &RawAddress) -> Parts {
    match a.family() {
        _ if a.size() == 0 => Parts::Unspecified,
        libc::AF_INET => {
            // SAFETY: plain numbers.
            let a: libc::sockaddr_in = unsafe { a.cast() };
            let ip = Ipv4Addr::from(a.sin_addr.s_addr.to_ne_bytes());
            Parts::V4(ip, u16::from_be(a.sin_port))
        }
        libc::AF_INET6 => {
            // SAFETY: plain numbers.
            let a: libc::sockaddr_in6 = unsafe { a.cast() };
            let ip = Ipv6Addr::from(a.sin6_addr.s6_addr);
            Parts::V6(ip, u16::from_be(a.sin6_port))
        }
        libc::AF_UNIX => {
            // SAFETY: plain numbers.
            let un: libc::sockaddr_un = unsafe { a.cast() };
            let n = a.size().saturating_sub(PATH_AT).min(un.sun_path.len());
            let mut path: Vec<u8> = un.sun_path[..n].iter().map(|&c| c as u8).collect();
            if path.first().is_some_and(|&b| b != 0)
                && let Some(end) = path.iter().position(|&b| b == 0)
            {
                path.truncate(end);
            }
            Parts::Local(path)
        }
        libc::AF_UNSPEC => Parts::Unspecified,
        _ => Parts::Other,
    }
}

/// The bytes by which `prim_inet` knows an address.
pub fn encode(a: &RawAddress) -> Vec<u8> {
    match parts(a) {
        Parts::V4(ip, port) => {
            let [p1, p0] = port.to_be_bytes();
            [&[codes::AF_INET, p1, p0][..], &ip.octets()].concat()
        }
        Parts::V6(ip, port) => {
            let [p1, p0] = port.to_be_bytes();
            [&[codes::AF_INET6, p1, p0][..], &ip.octets()].concat()
        }
        Parts::Local(path) => [&[codes::AF_LOCAL, path.len() as u8][..], &path].concat(),
        Parts::Unspecified => vec![0],
        Parts::Other => vec![codes::AF_UNDEFINED],
    }
}

/// The port of an address; 0 where there is none.
pub fn port(a: &RawAddress) -> u16 {
    match parts(a) {
        Parts::V4(_, port) | Parts::V6(_, port) => port,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_come_back_as_they_were() {
        for bytes in [
            &[1, 0x1f, 0x90, 127, 0, 0, 1][..],
            &[5, 4, b'/', b'a', b'/', b'b'],
            &[5, 3, 0, b'x', b'y'],
            &[5, 0],
        ] {
            let mut rest = bytes;
            let a = take(&mut rest, libc::AF_INET).unwrap();
            assert!(rest.is_empty());
            assert_eq!(encode(&a), bytes);
        }
        let mut v6 = vec![2, 0, 80];
        v6.extend([0x20; 16]);
        let mut data = &[&v6[..], &[0; 8]].concat()[..];
        assert_eq!(encode(&take(&mut data, libc::AF_INET6).unwrap()), v6);
    }

    #[test]
    fn what_is_no_address_is_refused() {
        let bad = |mut b: &[u8], family| take(&mut b, family).err().map(BadAddress::name);
        assert_eq!(bad(&[], libc::AF_INET), Some("einval"));
        assert_eq!(bad(&[1, 0, 80, 1], libc::AF_INET), Some("einval"));
        assert_eq!(bad(&[9, 0, 80], libc::AF_INET), Some("eafnosupport"));
        assert_eq!(bad(&[3, 0, 80], libc::AF_UNIX), Some("eafnosupport"));
        assert_eq!(bad(&[5, 200, 0], libc::AF_UNIX), Some("einval"));
    }
}
