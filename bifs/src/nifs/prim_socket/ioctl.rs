//! Requests to the system about interfaces and about what is in buffers (`ioctl`).

use super::sock::with_open;
use super::terms::{atom, closed, failed, int, map_of};
use super::{address, supports, sys};
use crate::bifs;
use crate::ports::inet::sys::{RawAddress, Socket, interface};
use enigma_runtime::atom::Atom;
use enigma_runtime::data::{bignum, map};
use enigma_runtime::term::list;
use enigma_runtime::{BifResult, Ctx, Heap, Term, badarg};
use std::io;

bifs! { BIFS:
    "prim_socket" {
        "nif_ioctl"/2 Nif => ioctl;
        "nif_ioctl"/3 Nif => ioctl_about;
        "nif_ioctl"/4 Nif => ioctl_set;
    }
}

fn request(t: Term) -> Option<u64> {
    bignum::to_u64(t)
}

/// The system has no such request, or not with these arguments.
fn invalid_request() -> io::Error {
    io::Error::from_raw_os_error(libc::EINVAL)
}

/// Runs `f` on the descriptor, and gives `{ok, Value}`, `ok` or the error.
fn ask(
    cx: &mut Ctx<'_>,
    t: Term,
    f: impl FnOnce(&mut Heap, &Socket) -> io::Result<Option<Term>>,
) -> BifResult {
    with_open(cx, t, |cx, _, s| {
        let Some(fd) = s.open_socket() else {
            return Ok(closed(cx));
        };
        Ok(match f(cx.heap(), fd) {
            Ok(Some(value)) => cx.ok(value),
            Ok(None) => Atom::OK.into(),
            Err(e) => failed(cx, &e),
        })
    })
}

fn ioctl(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let request = request(a[1]).ok_or_else(badarg)?;
    ask(cx, a[0], |h, fd| match request {
        r if r == libc::SIOCGIFCONF => {
            let mut all = Vec::new();
            for (name, addr) in sys::interface_list(fd)? {
                let name = h.byte_list(&name);
                let addr = address::encode(h, &addr);
                all.push(map_of(h, &[("name", name), ("addr", addr)]));
            }
            Ok(Some(h.list(&all)))
        }
        sys::SIOCATMARK => Ok(Some((sys::number_request(fd, request, 0)? != 0).into())),
        r if r == libc::FIONREAD => {
            let n = sys::number_request(fd, request, 0)?;
            Ok(Some(Term::small(i64::from(n))))
        }
        _ => Err(invalid_request()),
    })
}

fn address_in(r: &libc::ifreq) -> RawAddress {
    // SAFETY: the request has filled this field of the union; all its fields are plain memory.
    let a = unsafe { r.ifr_ifru.ifru_addr };
    RawAddress::of(a, size_of::<libc::sockaddr>())
}

/// A number that a request about an interface has told.
fn number_in(r: &libc::ifreq) -> i32 {
    // SAFETY: as in `address_in`.
    unsafe { r.ifr_ifru.ifru_mtu }
}

fn flags_in(r: &libc::ifreq) -> i64 {
    // SAFETY: as in `address_in`.
    i64::from(unsafe { r.ifr_ifru.ifru_flags } as u16)
}

/// `nif_ioctl(Socket, Request, Name)`.
fn ioctl_about(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let request = request(a[1]).ok_or_else(badarg)?;
    if request == libc::SIOCGIFNAME {
        let index = int(a[2]).ok_or_else(badarg)?;
        return ask(cx, a[0], |h, fd| {
            let name = sys::interface_name(fd, index)?;
            Ok(Some(h.byte_list(&name)))
        });
    }
    let name = list::to_bytes(a[2]).ok_or_else(badarg)?;
    ask(cx, a[0], |h, fd| about(h, fd, request, &name).map(Some))
}

fn about(h: &mut Heap, fd: &Socket, request: u64, name: &[u8]) -> io::Result<Term> {
    let get = || interface(fd, request as _, name, |_| ());
    Ok(match request as libc::c_ulong {
        libc::SIOCGIFADDR | libc::SIOCGIFDSTADDR | libc::SIOCGIFBRDADDR | libc::SIOCGIFNETMASK => {
            address::encode(h, &address_in(&get()?))
        }
        libc::SIOCGIFINDEX | libc::SIOCGIFMTU | libc::SIOCGIFTXQLEN => {
            Term::small(i64::from(number_in(&get()?)))
        }
        libc::SIOCGIFFLAGS => supports::interface_flag_list(h, flags_in(&get()?)),
        libc::SIOCGIFHWADDR => {
            // SAFETY: as in `address_in`.
            let a = unsafe { get()?.ifr_ifru.ifru_hwaddr };
            let bytes: Vec<u8> = a.sa_data.iter().map(|&c| c as u8).collect();
            let addr = h.binary(&bytes);
            let family = address::hardware_term(a.sa_family);
            map_of(h, &[("family", family), ("addr", addr)])
        }
        libc::SIOCGIFMAP => {
            let m = sys::interface_map(&get()?);
            let pairs = [
                ("mem_start", m.memory_start),
                ("mem_end", m.memory_end),
                ("base_addr", m.base),
                ("irq", m.interrupt),
                ("dma", m.dma),
                ("port", m.port),
            ];
            let pairs = pairs.map(|(k, v)| (k, h.uint(v)));
            map_of(h, &pairs)
        }
        _ => return Err(invalid_request()),
    })
}

/// `nif_ioctl(Socket, Request, Name, Value)`.
fn ioctl_set(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let request = request(a[1]).ok_or_else(badarg)?;
    let name = list::to_bytes(a[2]).ok_or_else(badarg)?;
    match request as libc::c_ulong {
        libc::SIOCSIFFLAGS => {
            // Flags that have no number come as an error that `prim_socket` has made.
            if !a[3].is_map() {
                return Err(badarg());
            }
            let changes = flag_changes(a[3]).ok_or_else(badarg)?;
            ask(cx, a[0], |_, fd| {
                let now = interface(fd, libc::SIOCGIFFLAGS, &name, |_| ())?;
                let mut flags = flags_in(&now);
                for (flag, on) in changes {
                    match on {
                        true => flags |= flag,
                        false => flags &= !flag,
                    }
                }
                interface(fd, request as _, &name, |r| {
                    r.ifr_ifru.ifru_flags = flags as libc::c_short;
                })?;
                Ok(None)
            })
        }
        libc::SIOCSIFADDR | libc::SIOCSIFDSTADDR | libc::SIOCSIFBRDADDR | libc::SIOCSIFNETMASK => {
            let addr = address::decode(a[3]).ok_or_else(badarg)?;
            // SAFETY: plain memory.
            let addr: libc::sockaddr = unsafe { addr.cast() };
            ask(cx, a[0], |_, fd| {
                interface(fd, request as _, &name, |r| r.ifr_ifru.ifru_addr = addr)?;
                Ok(None)
            })
        }
        libc::SIOCSIFMTU | libc::SIOCSIFTXQLEN => {
            let n = int(a[3]).ok_or_else(badarg)?;
            ask(cx, a[0], |_, fd| {
                interface(fd, request as _, &name, |r| r.ifr_ifru.ifru_mtu = n)?;
                Ok(None)
            })
        }
        _ => {
            let what = cx.tuple2(atom("ioctl_request"), a[1]);
            let why = cx.tuple2(atom("invalid"), what);
            Ok(cx.error(why))
        }
    }
}

/// Numbers of flags, and whether they are to be set.
fn flag_changes(m: Term) -> Option<Vec<(i64, bool)>> {
    let all = map::sorted_pairs(m);
    let all = all
        .into_iter()
        .map(|(flag, on)| Some((flag.as_small()?, on.as_bool()?)));
    all.collect()
}
