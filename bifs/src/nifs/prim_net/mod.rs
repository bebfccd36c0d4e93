//! The native functions of `prim_net`, on which OTP's `net` is built: names, addresses, interfaces.

mod resolver;

use super::prim_socket::terms::{atom, boolean_field, field, int, map_of, text};
use super::prim_socket::{address, supports};
use crate::bifs;
use crate::ports::inet::services;
use crate::ports::inet::sys::{self, InterfaceAddress, in_namespace};
use enigma_runtime::atom::Atom;
use enigma_runtime::heap::bits;
use enigma_runtime::term::list;
use enigma_runtime::{BifResult, Ctx, Exit, Heap, Term, badarg, release};
use resolver::{FoundAddress, NoAnswer};
use std::sync::atomic::{AtomicBool, Ordering};

bifs! { BIFS:
    "prim_net" {
        "nif_info"/0 Nif => info;
        "nif_command"/1 Nif => command;
        "nif_gethostname"/0 Nif => gethostname;
        "nif_getnameinfo"/2 NifDirtyIo => getnameinfo;
        "nif_getaddrinfo"/3 NifDirtyIo => getaddrinfo;
        "nif_getifaddrs"/1 NifDirtyIo => getifaddrs;
        "nif_getservbyname"/2 NifDirtyIo => getservbyname;
        "nif_getservbyport"/2 NifDirtyIo => getservbyport;
        "nif_if_name2index"/1 Nif => if_name2index;
        "nif_if_index2name"/1 Nif => if_index2name;
        "nif_if_names"/0 Nif => if_names;
        "nif_get_adapters_addresses"/1 Nif => of_another_system;
        "nif_get_if_entry"/1 Nif => of_another_system;
        "nif_get_interface_info"/1 Nif => of_another_system;
        "nif_get_ip_address_table"/1 Nif => of_another_system;
    }
}

static DEBUG: AtomicBool = AtomicBool::new(false);

fn info(cx: &mut Ctx<'_>, _: &[Term]) -> BifResult {
    let debug = DEBUG.load(Ordering::Relaxed).into();
    let mut pairs = vec![("debug", debug)];
    if release::number() >= 29 {
        pairs.push(("netns", false.into()));
    }
    Ok(map_of(cx.heap(), &pairs))
}

fn command(_: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    if field(a[0], "command").and_then(text) != Some("debug") {
        return Err(badarg());
    }
    DEBUG.store(
        boolean_field(a[0], "data").ok_or_else(badarg)?,
        Ordering::Relaxed,
    );
    Ok(Atom::OK.into())
}

/// What there is on Windows only.
fn of_another_system(_: &mut Ctx<'_>, _: &[Term]) -> BifResult {
    Err(Exit::error(Atom::new("notsup")))
}

fn gethostname(cx: &mut Ctx<'_>, _: &[Term]) -> BifResult {
    match services::host() {
        Ok(name) => {
            let name = cx.heap().byte_list(&name);
            Ok(cx.ok(name))
        }
        Err(e) => Ok(super::prim_socket::terms::failed(cx, &e)),
    }
}

fn refused(cx: &mut Ctx<'_>, why: NoAnswer) -> Term {
    let why = match why {
        NoAnswer::Resolver(name) => Atom::new(name),
        NoAnswer::System(e) => crate::errno::of(&e),
    };
    cx.error(why)
}

/// `nif_getnameinfo(Address, Flags)`.
fn getnameinfo(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let address = address::decode(a[0]).ok_or_else(badarg)?;
    let flags = match text(a[1]) {
        Some("undefined") => Vec::new(),
        _ => list::to_vec(a[1]).ok_or_else(badarg)?,
    };
    let mut bits = 0;
    for f in flags {
        bits |= match text(f) {
            Some("namereqd") => libc::NI_NAMEREQD,
            Some("dgram") => libc::NI_DGRAM,
            Some("nofqdn") => libc::NI_NOFQDN,
            Some("numerichost") => libc::NI_NUMERICHOST,
            Some("numericserv") => libc::NI_NUMERICSERV,
            Some("idn") => resolver::NI_IDN,
            _ => return Err(badarg()),
        };
    }
    match resolver::names_of(&address, bits) {
        Ok((host, service)) => {
            let host = cx.heap().byte_list(&host);
            let service = cx.heap().byte_list(&service);
            let m = map_of(cx.heap(), &[("host", host), ("service", service)]);
            Ok(cx.ok(m))
        }
        Err(why) => Ok(refused(cx, why)),
    }
}

fn name(t: Term) -> Result<Option<Vec<u8>>, Exit> {
    match text(t) {
        Some("undefined") => Ok(None),
        Some(_) => Err(badarg()),
        None => list::to_bytes(t).map(Some).ok_or_else(badarg),
    }
}

/// `nif_getaddrinfo(Host, Service, Hints)`.
fn getaddrinfo(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let (host, service) = (name(a[0])?, name(a[1])?);
    match resolver::addresses_of(host, service) {
        Ok(all) => {
            let all: Vec<Term> = all.iter().map(|f| found(cx.heap(), f)).collect();
            let all = cx.heap().list(&all);
            Ok(cx.ok(all))
        }
        Err(why) => Ok(refused(cx, why)),
    }
}

fn found(h: &mut Heap, f: &FoundAddress) -> Term {
    let addr = address::encode(h, &f.address);
    let family = address::domain_term(h, f.family);
    let kind = address::kind_term(h, f.kind);
    let kind_name = match release::number() {
        ..=25 => "type",
        _ => "socktype",
    };
    map_of(
        h,
        &[
            ("family", family),
            (kind_name, kind),
            ("protocol", Term::small(i64::from(f.protocol))),
            ("addr", addr),
        ],
    )
}

/// `nif_getifaddrs(#{netns => Path})`.
fn getifaddrs(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    if !a[0].is_map() {
        return Err(badarg());
    }
    let namespace = match field(a[0], "netns") {
        None => None,
        Some(t) => Some(
            list::to_bytes(t)
                .or_else(|| bits::binary_bytes(t).map(Into::into))
                .ok_or_else(badarg)?,
        ),
    };
    let all = match &namespace {
        None => sys::interface_addresses(),
        Some(path) => in_namespace(path, sys::interface_addresses),
    };
    match all {
        Ok(all) => {
            let known = all.iter().filter(|a| is_shown(a));
            let all: Vec<Term> = known.map(|a| interface(cx.heap(), a)).collect();
            let all = cx.heap().list(&all);
            Ok(cx.ok(all))
        }
        Err(e) => Ok(super::prim_socket::terms::failed(cx, &e)),
    }
}

/// Addresses of hardware are there from 26 on.
fn is_shown(a: &InterfaceAddress) -> bool {
    match a.address.as_ref().map(sys::RawAddress::family) {
        None => false,
        Some(libc::AF_PACKET) => release::number() >= 26,
        Some(_) => true,
    }
}

fn interface(h: &mut Heap, a: &InterfaceAddress) -> Term {
    let name = h.byte_list(&a.name);
    // Flags that a request about an interface does not tell are not told here either.
    let flags = supports::interface_flag_list(h, i64::from(a.flags & 0xffff));
    let mut pairs = vec![("name", name), ("flags", flags)];
    let other = match a.flags as i32 {
        f if f & libc::IFF_POINTOPOINT != 0 => "dstaddr",
        f if f & libc::IFF_BROADCAST != 0 => "broadaddr",
        _ => "",
    };
    let addresses = [
        ("addr", &a.address),
        ("netmask", &a.mask),
        (other, &a.other),
    ];
    for (key, address) in addresses {
        if let Some(address) = address
            && !key.is_empty()
        {
            let address = address::encode(h, address);
            pairs.push((key, address));
        }
    }
    map_of(h, &pairs)
}

/// A name and the name of a protocol.
fn getservbyname(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let name = list::to_bytes(a[0]).ok_or_else(badarg)?;
    let protocol = list::to_bytes(a[1]).ok_or_else(badarg)?;
    let any: &[u8] = b"any";
    let protocol: &[u8] = if protocol == any { b"" } else { &protocol };
    match services::port(&name, protocol) {
        Some(port) => Ok(cx.ok(Term::small(i64::from(port)))),
        None => Ok(cx.error(atom("einval"))),
    }
}

fn getservbyport(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let port = int(a[0]).and_then(|n| u16::try_from(n).ok());
    let protocol = list::to_bytes(a[1]).ok_or_else(badarg)?;
    let any: &[u8] = b"any";
    let protocol: &[u8] = if protocol == any { b"" } else { &protocol };
    match port.and_then(|p| services::name(p, protocol)) {
        Some(name) => {
            let name = cx.heap().byte_list(&name);
            Ok(cx.ok(name))
        }
        None => Ok(cx.error(atom("einval"))),
    }
}

fn if_name2index(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let name = list::to_bytes(a[0]).ok_or_else(badarg)?;
    match resolver::interface_index(&name) {
        Ok(n) => Ok(cx.ok(Term::small(i64::from(n)))),
        Err(e) => Ok(super::prim_socket::terms::failed(cx, &e)),
    }
}

fn if_index2name(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let index = a[0].as_small().and_then(|n| u32::try_from(n).ok());
    match resolver::interface_name(index.ok_or_else(badarg)?) {
        Ok(name) => {
            let name = cx.heap().byte_list(&name);
            Ok(cx.ok(name))
        }
        Err(e) => Ok(super::prim_socket::terms::failed(cx, &e)),
    }
}

fn if_names(cx: &mut Ctx<'_>, _: &[Term]) -> BifResult {
    match resolver::interfaces() {
        Ok(all) => {
            let mut items = Vec::new();
            for (index, name) in all {
                let name = cx.heap().byte_list(&name);
                items.push(cx.tuple2(Term::small(i64::from(index)), name));
            }
            let all = cx.heap().list(&items);
            Ok(cx.ok(all))
        }
        Err(e) => Ok(super::prim_socket::terms::failed(cx, &e)),
    }
}
