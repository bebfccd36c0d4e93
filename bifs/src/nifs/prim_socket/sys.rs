//! System calls that only these sockets make.

use crate::ports::inet::sys::{RawAddress, Socket};
use std::io;

/// The request that asks whether the next byte is urgent.
pub const SIOCATMARK: u64 = 0x8905;

/// The result of a call that gives a size or a negative number.
fn check_size(n: isize) -> io::Result<usize> {
    usize::try_from(n).map_err(|_| io::Error::last_os_error())
}

/// The result of a call that gives a size, made again where a signal has come in between.
fn again(mut call: impl FnMut() -> isize) -> io::Result<usize> {
    loop {
        match check_size(call()) {
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            other => return other,
        }
    }
}

/// A copy of a descriptor.
///
/// # Errors
/// The descriptor is not open, or there is no room for another.
pub fn duplicate(fd: i32) -> io::Result<Socket> {
    // SAFETY: duplicating a number that may not be open is harmless: the call says so.
    let copy = unsafe { libc::fcntl(fd, libc::F_DUPFD_CLOEXEC, 0) };
    if copy < 0 {
        return Err(io::Error::last_os_error());
    }
    Socket::adopt(copy)
}

/// Reads at most `room.len()` bytes; gives how many.
///
/// # Errors
/// The system's.
pub fn receive(socket: &Socket, room: &mut [u8], flags: i32) -> io::Result<usize> {
    let (fd, len) = (socket.fd(), room.len());
    // SAFETY: writable memory of that length.
    again(|| unsafe { libc::recv(fd, room.as_mut_ptr().cast(), len, flags) })
}

/// Reads at most `room.len()` bytes and the sender's address.
///
/// # Errors
/// The system's.
pub fn receive_from(
    socket: &Socket,
    room: &mut [u8],
    flags: i32,
) -> io::Result<(usize, Option<RawAddress>)> {
    let got = receive_message(socket, room, &mut [], flags)?;
    Ok((got.bytes, got.from))
}

/// What has come.
pub struct Received {
    /// Bytes.
    pub bytes: usize,
    /// Bytes of control messages.
    pub control: usize,
    /// The sender's address.
    pub from: Option<RawAddress>,
    /// Flags of the system.
    pub flags: i32,
}

/// Reads bytes, the sender's address and control messages.
///
/// # Errors
/// The system's.
pub fn receive_message(
    socket: &Socket,
    room: &mut [u8],
    control: &mut [u64],
    flags: i32,
) -> io::Result<Received> {
    let mut part = libc::iovec {
        iov_base: room.as_mut_ptr().cast(),
        iov_len: room.len(),
    };
    // SAFETY: all bytes zero is a value of these structures of numbers and null pointers.
    let (mut from, mut m): (libc::sockaddr_storage, libc::msghdr) = unsafe { std::mem::zeroed() };
    m.msg_name = std::ptr::from_mut(&mut from).cast();
    m.msg_namelen = size_of::<libc::sockaddr_storage>() as libc::socklen_t;
    m.msg_iov = &raw mut part;
    m.msg_iovlen = 1;
    m.msg_control = match control.is_empty() {
        true => std::ptr::null_mut(),
        false => control.as_mut_ptr().cast(),
    };
    m.msg_controllen = size_of_val(control) as _;
    // SAFETY: all pointers lead to memory of the lengths beside them.
    let bytes = again(|| unsafe { libc::recvmsg(socket.fd(), &raw mut m, flags) })?;
    Ok(Received {
        bytes,
        control: m.msg_controllen,
        from: (m.msg_namelen > 0).then(|| RawAddress::of(from, m.msg_namelen as usize)),
        flags: m.msg_flags,
    })
}

/// Sends parts one behind the other with an address and control messages; gives how many bytes were taken.
///
/// # Errors
/// The system's.
pub fn send(
    socket: &Socket,
    parts: &[&[u8]],
    to: Option<&RawAddress>,
    control: &[u64],
    flags: i32,
) -> io::Result<usize> {
    let mut vector: smallvec::SmallVec<[libc::iovec; 16]> = parts
        .iter()
        .map(|p| libc::iovec {
            iov_base: p.as_ptr().cast_mut().cast(),
            iov_len: p.len(),
        })
        .collect();
    // SAFETY: all bytes zero is a value of this structure of numbers and null pointers.
    let mut m: libc::msghdr = unsafe { std::mem::zeroed() };
    if let Some(to) = to {
        let (address, len) = to.raw_parts();
        m.msg_name = address.cast_mut().cast();
        m.msg_namelen = len;
    }
    m.msg_iov = vector.as_mut_ptr();
    m.msg_iovlen = vector.len() as _;
    if !control.is_empty() {
        m.msg_control = control.as_ptr().cast_mut().cast();
        m.msg_controllen = size_of_val(control) as _;
    }
    // SAFETY: all pointers lead to memory of the lengths beside them, which the call only reads.
    again(|| unsafe { libc::sendmsg(socket.fd(), &raw const m, flags | libc::MSG_NOSIGNAL) })
}

/// Length of a header in front of a control message's data, and the alignment of both.
const HEADER: usize = size_of::<libc::cmsghdr>();

/// Control messages, one behind the other, as the system lays them out: level, type and data of each.
#[derive(Default)]
pub struct ControlMessages {
    words: Vec<u64>,
    bytes: usize,
}

impl ControlMessages {
    /// Adds one.
    pub fn add(&mut self, level: i32, kind: i32, data: &[u8]) {
        let header = libc::cmsghdr {
            cmsg_len: (HEADER + data.len()) as _,
            cmsg_level: level,
            cmsg_type: kind,
        };
        let at = self.words.len();
        let size = (HEADER + data.len()).div_ceil(8);
        self.words.resize(at + size, 0);
        // SAFETY: the words were made just now and are at least as long as header and data, which are plain memory.
        unsafe {
            let to = self.words[at..].as_mut_ptr().cast::<u8>();
            to.cast::<libc::cmsghdr>().write_unaligned(header);
            std::ptr::copy_nonoverlapping(data.as_ptr(), to.add(HEADER), data.len());
        }
        self.bytes += size * 8;
    }

    /// All of them.
    pub fn words(&self) -> &[u64] {
        &self.words
    }

    /// Bytes that they take.
    pub fn len(&self) -> usize {
        self.bytes
    }

    /// Is there none?
    pub fn is_empty(&self) -> bool {
        self.bytes == 0
    }
}

/// Calls `visit` with level, type and data of each control message in the first `len` bytes.
pub fn each_control(words: &[u64], len: usize, mut visit: impl FnMut(i32, i32, &[u8])) {
    let len = len.min(size_of_val(words));
    // SAFETY: words as plain bytes.
    let mut bytes = unsafe { std::slice::from_raw_parts(words.as_ptr().cast::<u8>(), len) };
    while bytes.len() >= HEADER {
        // SAFETY: so many bytes are there, and the header is plain numbers.
        let header = unsafe { bytes.as_ptr().cast::<libc::cmsghdr>().read_unaligned() };
        let size = header.cmsg_len as usize;
        if size < HEADER {
            return;
        }
        let end = size.min(bytes.len());
        visit(header.cmsg_level, header.cmsg_type, &bytes[HEADER..end]);
        let next = size.next_multiple_of(8).min(bytes.len());
        bytes = &bytes[next..];
    }
}

/// Sends bytes of a file from `offset` on; gives how many were taken.
///
/// # Errors
/// The system's.
pub fn send_file(socket: &Socket, file: i32, offset: i64, count: usize) -> io::Result<usize> {
    let mut at = offset;
    // SAFETY: numbers, and a place for the offset.
    check_size(unsafe { libc::sendfile(socket.fd(), file, &raw mut at, count) })
}

/// A request that gives or takes a number (`ioctl`).
///
/// # Errors
/// The system's.
pub fn number_request(socket: &Socket, request: u64, value: i32) -> io::Result<i32> {
    let mut value = value;
    // SAFETY: the caller's request is one of those that read or write one number.
    match unsafe { libc::ioctl(socket.fd(), request as _, &raw mut value) } {
        n if n < 0 => Err(io::Error::last_os_error()),
        _ => Ok(value),
    }
}

/// Names and addresses of interfaces (`SIOCGIFCONF`).
///
/// # Errors
/// The system's.
pub fn interface_list(socket: &Socket) -> io::Result<Vec<(Vec<u8>, RawAddress)>> {
    // SAFETY: all bytes zero is a value of this structure of plain memory.
    let mut room: Vec<libc::ifreq> = vec![unsafe { std::mem::zeroed() }; 64];
    loop {
        let bytes = size_of_val(&room[..]);
        let mut all = libc::ifconf {
            ifc_len: bytes as i32,
            ifc_ifcu: libc::__c_anonymous_ifc_ifcu {
                ifcu_req: room.as_mut_ptr(),
            },
        };
        // SAFETY: the structure says where the room is and how long.
        if unsafe { libc::ioctl(socket.fd(), libc::SIOCGIFCONF as _, &raw mut all) } < 0 {
            return Err(io::Error::last_os_error());
        }
        let got = all.ifc_len as usize;
        if got == bytes {
            // There may be more.
            let twice = room.len() * 2;
            // SAFETY: as above.
            room.resize(twice, unsafe { std::mem::zeroed() });
            continue;
        }
        let count = got / size_of::<libc::ifreq>();
        return Ok(room[..count].iter().map(named_address).collect());
    }
}

fn named_address(r: &libc::ifreq) -> (Vec<u8>, RawAddress) {
    let name = r.ifr_name.iter().map(|&c| c as u8).take_while(|&c| c != 0);
    // SAFETY: the request has filled this field of the union; all its fields are plain memory.
    let a = unsafe { r.ifr_ifru.ifru_addr };
    (
        name.collect(),
        RawAddress::of(a, size_of::<libc::sockaddr>()),
    )
}

/// A request about an interface by its number (`SIOCGIFNAME`): its name.
///
/// # Errors
/// The system's.
pub fn interface_name(socket: &Socket, index: i32) -> io::Result<Vec<u8>> {
    // SAFETY: all bytes zero is a value of this structure of plain memory.
    let mut r: libc::ifreq = unsafe { std::mem::zeroed() };
    r.ifr_ifru.ifru_ifindex = index;
    // SAFETY: the request reads and writes one `ifreq`.
    match unsafe { libc::ioctl(socket.fd(), libc::SIOCGIFNAME as _, &raw mut r) } {
        n if n < 0 => Err(io::Error::last_os_error()),
        _ => Ok(named_address(&r).0),
    }
}

/// Where an interface's hardware is.
pub struct InterfaceMap {
    /// Begin of its memory.
    pub memory_start: u64,
    /// End of its memory.
    pub memory_end: u64,
    /// Base address.
    pub base: u64,
    /// Interrupt.
    pub interrupt: u64,
    /// Channel for direct access to memory.
    pub dma: u64,
    /// Port.
    pub port: u64,
}

/// Where an interface's hardware is (`SIOCGIFMAP`).
pub fn interface_map(r: &libc::ifreq) -> InterfaceMap {
    // SAFETY: the request has filled this field of the union; all its fields are plain memory.
    let m = unsafe { r.ifr_ifru.ifru_map };
    InterfaceMap {
        memory_start: m.mem_start,
        memory_end: m.mem_end,
        base: u64::from(m.base_addr),
        interrupt: u64::from(m.irq),
        dma: u64::from(m.dma),
        port: u64::from(m.port),
    }
}
