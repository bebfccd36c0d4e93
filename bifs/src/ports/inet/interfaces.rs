//! Requests about interfaces of the network.

use super::address::{Parts, parts, take_array, take_bytes};
use super::codes;
use super::sys::{self, InterfaceAddress, RawAddress, Socket, interface};
use std::io;
use std::net::Ipv4Addr;

fn invalid() -> io::Error {
    io::Error::from_raw_os_error(libc::EINVAL)
}

/// The names of the interfaces that have an address of IPv4, each with a zero behind it.
pub fn list() -> io::Result<Vec<u8>> {
    let mut names: Vec<Vec<u8>> = Vec::new();
    for a in sys::interface_addresses()? {
        let has = a.address.is_some_and(|a| a.family() == libc::AF_INET);
        if has && !names.contains(&a.name) {
            names.push(a.name);
        }
    }
    Ok(names
        .into_iter()
        .flat_map(|n| [n, vec![0]].concat())
        .collect())
}

/// The driver's flags and the system's.
const FLAGS: &[(u32, i32)] = &[
    (1, libc::IFF_UP),
    (2, libc::IFF_BROADCAST),
    (4, libc::IFF_LOOPBACK),
    (8, libc::IFF_POINTOPOINT),
    (16, libc::IFF_RUNNING),
    (32, libc::IFF_MULTICAST),
];

/// The driver's flags that take one of the system's away.
const FLAGS_OFF: &[(u32, i32)] = &[
    (256, libc::IFF_UP),
    (512, libc::IFF_BROADCAST),
    (2048, libc::IFF_POINTOPOINT),
];

fn flags(of_system: i32) -> u32 {
    let set = FLAGS.iter().filter(|f| of_system & f.1 != 0);
    set.fold(0, |all, f| all | f.0)
}

fn put_address(out: &mut Vec<u8>, code: u8, a: &RawAddress) -> bool {
    let ip = match parts(a) {
        Parts::V4(ip, _) => [&[codes::AF_INET][..], &ip.octets()].concat(),
        Parts::V6(ip, _) => [&[codes::AF_INET6][..], &ip.octets()].concat(),
        _ => return false,
    };
    out.push(code);
    out.extend(ip);
    true
}

fn put_hardware(out: &mut Vec<u8>, bytes: &[u8]) {
    out.push(codes::IF_HWADDR);
    out.extend((bytes.len() as u16).to_be_bytes());
    out.extend(bytes);
}

/// All addresses of all interfaces: each time name, flags, address and what belongs to it.
pub fn addresses() -> io::Result<Vec<u8>> {
    let mut out = Vec::new();
    for a in sys::interface_addresses()? {
        out.extend(&a.name);
        out.push(0);
        out.push(codes::IF_FLAGS);
        out.extend(flags(a.flags as i32).to_be_bytes());
        put_all(&mut out, &a);
        out.push(0);
    }
    Ok(out)
}

fn put_all(out: &mut Vec<u8>, a: &InterfaceAddress) {
    let Some(address) = &a.address else { return };
    if address.family() == libc::AF_PACKET {
        // SAFETY: plain numbers.
        let ll: libc::sockaddr_ll = unsafe { address.cast() };
        let n = usize::from(ll.sll_halen).min(ll.sll_addr.len());
        if n > 0 {
            put_hardware(out, &ll.sll_addr[..n]);
        }
        return;
    }
    if !put_address(out, codes::IF_ADDR, address) {
        return;
    }
    if let Some(mask) = &a.mask {
        put_address(out, codes::IF_NETMASK, mask);
    }
    let code = match a.flags as i32 {
        f if f & libc::IFF_POINTOPOINT != 0 => codes::IF_DSTADDR,
        f if f & libc::IFF_BROADCAST != 0 => codes::IF_BROADADDR,
        _ => return,
    };
    if let Some(other) = &a.other {
        put_address(out, code, other);
    }
}

/// The name of an interface from the front of `data`.
fn take_name<'a>(data: &mut &'a [u8]) -> io::Result<&'a [u8]> {
    let n = take_array::<1>(data).map_err(|_| invalid())?[0];
    take_bytes(data, usize::from(n)).map_err(|_| invalid())
}

fn address_in(r: &libc::ifreq) -> RawAddress {
    // SAFETY: the request has filled this field of the union; all its fields are plain memory.
    let a = unsafe { r.ifr_ifru.ifru_addr };
    RawAddress::of(a, size_of::<libc::sockaddr>())
}

/// SocketSettings of an interface; what the system does not tell is left out.
pub fn get(socket: &Socket, mut data: &[u8]) -> io::Result<Vec<u8>> {
    let name = take_name(&mut data)?;
    let mut out = Vec::new();
    let ask = |request| interface(socket, request, name, |_| ());
    for &code in data {
        match code {
            codes::IF_ADDR | codes::IF_BROADADDR | codes::IF_DSTADDR | codes::IF_NETMASK => {
                let request = match code {
                    codes::IF_ADDR => libc::SIOCGIFADDR,
                    codes::IF_BROADADDR => libc::SIOCGIFBRDADDR,
                    codes::IF_DSTADDR => libc::SIOCGIFDSTADDR,
                    _ => libc::SIOCGIFNETMASK,
                };
                if let Ok(r) = ask(request) {
                    put_address(&mut out, code, &address_in(&r));
                }
            }
            codes::IF_MTU => {
                if let Ok(r) = ask(libc::SIOCGIFMTU) {
                    out.push(code);
                    // SAFETY: as in `address_in`.
                    out.extend(unsafe { r.ifr_ifru.ifru_mtu }.to_be_bytes());
                }
            }
            codes::IF_FLAGS => {
                let known = ask(libc::SIOCGIFFLAGS);
                // SAFETY: as in `address_in`.
                let known = known.map_or(0, |r| unsafe { r.ifr_ifru.ifru_flags });
                out.push(code);
                out.extend(flags(i32::from(known)).to_be_bytes());
            }
            codes::IF_HWADDR => {
                if let Ok(r) = ask(libc::SIOCGIFHWADDR) {
                    // SAFETY: as in `address_in`.
                    let a = unsafe { r.ifr_ifru.ifru_hwaddr };
                    let bytes: Vec<u8> = a.sa_data[..6].iter().map(|&c| c as u8).collect();
                    put_hardware(&mut out, &bytes);
                }
            }
            _ => return Err(invalid()),
        }
    }
    Ok(out)
}

/// Changes settings of an interface; what the system refuses is passed over.
pub fn set(socket: &Socket, mut data: &[u8]) -> io::Result<()> {
    let name = take_name(&mut data)?;
    let bad = |_| invalid();
    while let Some((&code, rest)) = data.split_first() {
        data = rest;
        match code {
            codes::IF_ADDR | codes::IF_BROADADDR | codes::IF_DSTADDR | codes::IF_NETMASK => {
                let request = match code {
                    codes::IF_ADDR => libc::SIOCSIFADDR,
                    codes::IF_BROADADDR => libc::SIOCSIFBRDADDR,
                    codes::IF_DSTADDR => libc::SIOCSIFDSTADDR,
                    _ => libc::SIOCSIFNETMASK,
                };
                let ip = take_ip(&mut data)?;
                let a = super::address::v4(ip, 0);
                // SAFETY: plain memory.
                let a: libc::sockaddr = unsafe { a.cast() };
                let _ = interface(socket, request, name, |r| r.ifr_ifru.ifru_addr = a);
            }
            codes::IF_MTU => {
                let n = i32::from_be_bytes(*take_array(&mut data).map_err(bad)?);
                let _ = interface(socket, libc::SIOCSIFMTU, name, |r| r.ifr_ifru.ifru_mtu = n);
            }
            codes::IF_FLAGS => {
                let wanted = u32::from_be_bytes(*take_array(&mut data).map_err(bad)?);
                let Ok(r) = interface(socket, libc::SIOCGIFFLAGS, name, |_| ()) else {
                    continue;
                };
                // SAFETY: as in `address_in`.
                let mut now = i32::from(unsafe { r.ifr_ifru.ifru_flags });
                for f in FLAGS.iter().filter(|f| wanted & f.0 != 0) {
                    now |= f.1;
                }
                for f in FLAGS_OFF.iter().filter(|f| wanted & f.0 != 0) {
                    now &= !f.1;
                }
                let _ = interface(socket, libc::SIOCSIFFLAGS, name, |r| {
                    r.ifr_ifru.ifru_flags = now as libc::c_short;
                });
            }
            codes::IF_HWADDR => {
                let n = u16::from_be_bytes(*take_array(&mut data).map_err(bad)?);
                let bytes = take_bytes(&mut data, usize::from(n)).map_err(bad)?;
                let _ = interface(socket, libc::SIOCSIFHWADDR, name, |r| {
                    let mut a = libc::sockaddr {
                        sa_family: libc::ARPHRD_ETHER,
                        sa_data: [0; 14],
                    };
                    for (to, &from) in a.sa_data.iter_mut().zip(bytes) {
                        *to = from as libc::c_char;
                    }
                    r.ifr_ifru.ifru_hwaddr = a;
                });
            }
            _ => return Err(invalid()),
        }
    }
    Ok(())
}

/// An address without a port, as interfaces have them; only IPv4 can be set.
fn take_ip(data: &mut &[u8]) -> io::Result<Ipv4Addr> {
    let family = take_array::<1>(data).map_err(|_| invalid())?[0];
    match family {
        codes::AF_INET => {
            let ip = *take_array::<4>(data).map_err(|_| invalid())?;
            Ok(ip.into())
        }
        codes::AF_ANY => Ok(Ipv4Addr::UNSPECIFIED),
        codes::AF_LOOPBACK => Ok(Ipv4Addr::LOCALHOST),
        _ => Err(invalid()),
    }
}
