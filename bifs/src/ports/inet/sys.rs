//! System calls on sockets.

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};

/// Most parts that one call of `sendmsg` takes.
pub const MAX_PARTS: usize = 1024;

fn check(n: libc::c_int) -> io::Result<libc::c_int> {
    if n < 0 {
        Err(io::Error::last_os_error())
    } else {
        Ok(n)
    }
}

fn check_size(n: isize) -> io::Result<usize> {
    usize::try_from(n).map_err(|_| io::Error::last_os_error())
}

/// An address of any family, as the system writes it.
#[derive(Clone, Copy)]
pub struct RawAddress {
    storage: libc::sockaddr_storage,
    len: libc::socklen_t,
}

impl RawAddress {
    fn empty() -> RawAddress {
        RawAddress {
            // SAFETY: all bytes zero is a value of this structure of plain numbers.
            storage: unsafe { std::mem::zeroed() },
            len: 0,
        }
    }

    /// From a structure of the system, such as `sockaddr_in`.
    pub fn of<T: Copy>(address: T, len: usize) -> RawAddress {
        let mut raw = RawAddress::empty();
        let size = size_of::<T>().min(size_of::<libc::sockaddr_storage>());
        // SAFETY: both are plain memory, and at most the smaller size is copied.
        unsafe {
            std::ptr::copy_nonoverlapping(
                std::ptr::from_ref(&address).cast::<u8>(),
                std::ptr::from_mut(&mut raw.storage).cast::<u8>(),
                size,
            );
        }
        raw.len = len as libc::socklen_t;
        raw
    }

    /// Copies the address that somebody else has.
    ///
    /// # Safety
    /// `address` is null or leads to an address as long as its family says.
    pub unsafe fn from_ptr(address: *const libc::sockaddr) -> Option<RawAddress> {
        if address.is_null() {
            return None;
        }
        // SAFETY: as the caller promises.
        unsafe {
            Some(match i32::from((*address).sa_family) {
                libc::AF_INET => {
                    let a = *address.cast::<libc::sockaddr_in>();
                    RawAddress::of(a, size_of::<libc::sockaddr_in>())
                }
                libc::AF_INET6 => {
                    let a = *address.cast::<libc::sockaddr_in6>();
                    RawAddress::of(a, size_of::<libc::sockaddr_in6>())
                }
                libc::AF_PACKET => {
                    let a = *address.cast::<libc::sockaddr_ll>();
                    RawAddress::of(a, size_of::<libc::sockaddr_ll>())
                }
                _ => return None,
            })
        }
    }

    /// The family.
    pub fn family(&self) -> i32 {
        i32::from(self.storage.ss_family)
    }

    /// Bytes in use.
    pub fn size(&self) -> usize {
        self.len as usize
    }

    /// The address and its length, for calls of the system.
    pub fn raw_parts(&self) -> (*const libc::sockaddr, libc::socklen_t) {
        (std::ptr::from_ref(&self.storage).cast(), self.len)
    }

    /// As another structure of the system; what it does not have is zero.
    ///
    /// # Safety
    /// All bit patterns are values of `T`.
    pub unsafe fn cast<T: Copy>(&self) -> T {
        const { assert!(size_of::<T>() <= size_of::<libc::sockaddr_storage>()) };
        // SAFETY: the storage is at least as large, and aligned for every address.
        unsafe { *std::ptr::from_ref(&self.storage).cast::<T>() }
    }
}

/// A socket that is closed when it is dropped. It does not block.
pub struct Socket(OwnedFd);

impl Socket {
    /// Makes one.
    pub fn new(family: i32, kind: i32, protocol: i32) -> io::Result<Socket> {
        let kind = kind | libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK;
        // SAFETY: `socket` takes numbers; the descriptor is new and ours.
        let fd = unsafe { check(libc::socket(family, kind, protocol))? };
        // SAFETY: as above.
        Ok(Socket(unsafe { OwnedFd::from_raw_fd(fd) }))
    }

    /// Takes over a descriptor, which may still be one that blocks.
    ///
    /// # Errors
    /// The descriptor is not open.
    pub fn adopt(fd: RawFd) -> io::Result<Socket> {
        // SAFETY: `fcntl` with this command looks at the descriptor only and fails on a bad one.
        unsafe {
            check(libc::fcntl(fd, libc::F_GETFL))?;
            Ok(Socket(OwnedFd::from_raw_fd(fd)))
        }
    }

    /// Makes it one that does not block.
    pub fn never_block(&self) -> io::Result<()> {
        // SAFETY: these commands read and change the flags of our descriptor.
        unsafe {
            let flags = check(libc::fcntl(self.fd(), libc::F_GETFL))?;
            check(libc::fcntl(
                self.fd(),
                libc::F_SETFL,
                flags | libc::O_NONBLOCK,
            ))?;
        }
        Ok(())
    }

    /// Closes it without waiting for what is to be sent still, whatever the option `linger` says. One that is to be reset is.
    pub fn close_at_once(self) {
        let mut linger = [0; 8];
        let known = self.get(libc::SOL_SOCKET, libc::SO_LINGER, &mut linger);
        let waits = known.is_ok() && linger[..4] != [0; 4] && linger[4..] != [0; 4];
        if waits {
            // A socket that cannot be told so waits.
            let _ = self.set(libc::SOL_SOCKET, libc::SO_LINGER, &[0; 8]);
        }
    }

    /// Closes it, and tells how that went.
    pub fn close(self) -> io::Result<()> {
        // SAFETY: the descriptor is ours and nobody uses it any more.
        check(unsafe { libc::close(self.release()) })?;
        Ok(())
    }

    /// The descriptor.
    pub fn fd(&self) -> RawFd {
        self.0.as_raw_fd()
    }

    /// Gives the descriptor up without closing it.
    pub fn release(self) -> RawFd {
        std::os::fd::IntoRawFd::into_raw_fd(self.0)
    }

    /// Binds it.
    pub fn bind(&self, a: &RawAddress) -> io::Result<()> {
        // SAFETY: the address is as long as it says.
        check(unsafe { libc::bind(self.fd(), std::ptr::from_ref(&a.storage).cast(), a.len) })?;
        Ok(())
    }

    /// Connects it, or begins to.
    pub fn connect(&self, a: &RawAddress) -> io::Result<()> {
        // SAFETY: the address is as long as it says.
        check(unsafe { libc::connect(self.fd(), std::ptr::from_ref(&a.storage).cast(), a.len) })?;
        Ok(())
    }

    /// Takes back what a socket for datagrams was connected to.
    pub fn disconnect(&self) -> io::Result<()> {
        let mut a = RawAddress::empty();
        a.storage.ss_family = libc::AF_UNSPEC as libc::sa_family_t;
        a.len = size_of::<libc::sockaddr>() as libc::socklen_t;
        self.connect(&a)
    }

    /// Makes it listen.
    pub fn listen(&self, backlog: i32) -> io::Result<()> {
        // SAFETY: numbers only.
        check(unsafe { libc::listen(self.fd(), backlog) })?;
        Ok(())
    }

    /// Accepts a connection.
    pub fn accept(&self) -> io::Result<Socket> {
        // SAFETY: no address is asked for; the descriptor is new and ours.
        unsafe {
            let flags = libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK;
            let null = std::ptr::null_mut();
            let fd = check(libc::accept4(self.fd(), null, null.cast(), flags))?;
            Ok(Socket(OwnedFd::from_raw_fd(fd)))
        }
    }

    /// Closes directions: `SHUT_RD`, `SHUT_WR` or `SHUT_RDWR`.
    pub fn shutdown(&self, how: i32) -> io::Result<()> {
        // SAFETY: numbers only.
        check(unsafe { libc::shutdown(self.fd(), how) })?;
        Ok(())
    }

    fn name(
        &self,
        ask: unsafe extern "C" fn(i32, *mut libc::sockaddr, *mut libc::socklen_t) -> i32,
    ) -> io::Result<RawAddress> {
        let mut a = RawAddress::empty();
        a.len = size_of::<libc::sockaddr_storage>() as libc::socklen_t;
        // SAFETY: the storage is as long as the length says.
        check(unsafe {
            ask(
                self.fd(),
                std::ptr::from_mut(&mut a.storage).cast(),
                &raw mut a.len,
            )
        })?;
        Ok(a)
    }

    /// The own address.
    pub fn local(&self) -> io::Result<RawAddress> {
        self.name(libc::getsockname)
    }

    /// The other side's address.
    pub fn peer(&self) -> io::Result<RawAddress> {
        self.name(libc::getpeername)
    }

    /// Reads at most `most` bytes behind what `to` has. No byte means the end.
    pub fn receive(&self, to: &mut Vec<u8>, most: usize) -> io::Result<usize> {
        to.reserve_exact(most);
        let room = &mut to.spare_capacity_mut()[..most];
        // SAFETY: `room` is writable memory of that length.
        let n = check_size(unsafe { libc::recv(self.fd(), room.as_mut_ptr().cast(), most, 0) })?;
        // SAFETY: so many bytes were written.
        unsafe { to.set_len(to.len() + n) };
        Ok(n)
    }

    /// Receives a datagram: its length, the sender's address, and the control messages that came with it.
    pub fn receive_from(
        &self,
        to: &mut Vec<u8>,
        most: usize,
        control: &mut Control,
    ) -> io::Result<(usize, RawAddress)> {
        to.reserve_exact(most);
        let room = &mut to.spare_capacity_mut()[..most];
        let mut part = libc::iovec {
            iov_base: room.as_mut_ptr().cast(),
            iov_len: most,
        };
        let mut from = RawAddress::empty();
        // SAFETY: all bytes zero is a value of this structure of numbers and null pointers.
        let mut m: libc::msghdr = unsafe { std::mem::zeroed() };
        m.msg_name = std::ptr::from_mut(&mut from.storage).cast();
        m.msg_namelen = size_of::<libc::sockaddr_storage>() as libc::socklen_t;
        m.msg_iov = &raw mut part;
        m.msg_iovlen = 1;
        m.msg_control = control.bytes.as_mut_ptr().cast();
        m.msg_controllen = size_of_val(&control.bytes);
        // SAFETY: all pointers lead to memory of the lengths beside them.
        let n = check_size(unsafe { libc::recvmsg(self.fd(), &raw mut m, 0) })?;
        from.len = m.msg_namelen;
        control.len = m.msg_controllen;
        // SAFETY: so many bytes were written.
        unsafe { to.set_len(to.len() + n) };
        Ok((n, from))
    }

    /// Sends parts one behind the other, at most `MAX_PARTS` of them; gives how many bytes were taken.
    pub fn send(&self, parts: &[&[u8]]) -> io::Result<usize> {
        self.send_to(parts, None, &[])
    }

    /// The same with an address and control messages, each a level, a type and a value.
    pub fn send_to(
        &self,
        parts: &[&[u8]],
        to: Option<&RawAddress>,
        control: &[(i32, i32, i32)],
    ) -> io::Result<usize> {
        let parts = &parts[..parts.len().min(MAX_PARTS)];
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
            m.msg_name = std::ptr::from_ref(&to.storage).cast_mut().cast();
            m.msg_namelen = to.len;
        }
        m.msg_iov = vector.as_mut_ptr();
        m.msg_iovlen = vector.len() as _;
        let mut room = Control::default();
        if !control.is_empty() {
            m.msg_control = room.bytes.as_mut_ptr().cast();
            m.msg_controllen = room.write(control)?;
        }
        // SAFETY: all pointers lead to memory of the lengths beside them, which the call only reads.
        check_size(unsafe { libc::sendmsg(self.fd(), &raw const m, libc::MSG_NOSIGNAL) })
    }

    /// Sends `count` bytes of a file from `offset` on; gives how many were taken.
    pub fn send_file(&self, file: RawFd, offset: u64, count: usize) -> io::Result<usize> {
        let mut at =
            i64::try_from(offset).map_err(|_| io::Error::from_raw_os_error(libc::EINVAL))?;
        // SAFETY: numbers, and a place for the offset.
        check_size(unsafe { libc::sendfile(self.fd(), file, &raw mut at, count) })
    }

    /// Sets an option to these bytes.
    pub fn set(&self, level: i32, name: i32, value: &[u8]) -> io::Result<()> {
        let len = value.len() as libc::socklen_t;
        // SAFETY: the value is as long as it says.
        check(unsafe { libc::setsockopt(self.fd(), level, name, value.as_ptr().cast(), len) })?;
        Ok(())
    }

    /// Sets an option to a number.
    pub fn set_int(&self, level: i32, name: i32, value: i32) -> io::Result<()> {
        self.set(level, name, &value.to_ne_bytes())
    }

    /// Reads an option into `value`; gives how many bytes it has.
    pub fn get(&self, level: i32, name: i32, value: &mut [u8]) -> io::Result<usize> {
        let mut len = value.len() as libc::socklen_t;
        // SAFETY: the memory is as long as it says.
        check(unsafe {
            libc::getsockopt(
                self.fd(),
                level,
                name,
                value.as_mut_ptr().cast(),
                &raw mut len,
            )
        })?;
        Ok(len as usize)
    }

    /// Reads an option that is a number.
    pub fn get_int(&self, level: i32, name: i32) -> io::Result<i32> {
        let mut value = [0; 4];
        match self.get(level, name, &mut value)? {
            1 => Ok(i32::from(value[0])),
            _ => Ok(i32::from_ne_bytes(value)),
        }
    }

    /// Reads an option whose value is control messages.
    pub fn get_control(&self, level: i32, name: i32, control: &mut Control) -> io::Result<()> {
        let room = size_of_val(&control.bytes);
        // SAFETY: the words are plain memory of that many bytes.
        let bytes = unsafe {
            std::slice::from_raw_parts_mut(control.bytes.as_mut_ptr().cast::<u8>(), room)
        };
        control.len = self.get(level, name, bytes)?;
        Ok(())
    }

    /// The error that has happened since it was asked last.
    pub fn pending_error(&self) -> Option<i32> {
        match self.get_int(libc::SOL_SOCKET, libc::SO_ERROR) {
            Ok(0) => None,
            Ok(n) => Some(n),
            Err(e) => e.raw_os_error(),
        }
    }

    /// Waits until there is room to write, at most so many milliseconds.
    pub fn wait_writable(&self, ms: i32) {
        let mut p = libc::pollfd {
            fd: self.fd(),
            events: libc::POLLOUT,
            revents: 0,
        };
        // SAFETY: one entry, as the count says.
        unsafe { libc::poll(&raw mut p, 1, ms) };
    }
}

/// Control messages of a datagram.
#[derive(Default)]
pub struct Control {
    bytes: [u64; 32],
    len: usize,
}

impl Control {
    /// Writes messages that each carry a number; gives their length.
    fn write(&mut self, messages: &[(i32, i32, i32)]) -> io::Result<usize> {
        // SAFETY: `CMSG_SPACE` and `CMSG_LEN` are sums. The messages are laid out one behind the other in our own memory,
        // which is aligned for their headers and checked to be long enough.
        unsafe {
            let each = libc::CMSG_SPACE(4) as usize;
            if each * messages.len() > size_of_val(&self.bytes) {
                return Err(io::Error::from_raw_os_error(libc::EINVAL));
            }
            for (i, &(level, kind, value)) in messages.iter().enumerate() {
                let at = self.bytes.as_mut_ptr().cast::<u8>().add(i * each);
                let header = at.cast::<libc::cmsghdr>();
                (*header).cmsg_len = libc::CMSG_LEN(4) as _;
                (*header).cmsg_level = level;
                (*header).cmsg_type = kind;
                libc::CMSG_DATA(header).cast::<i32>().write_unaligned(value);
            }
            Ok(each * messages.len())
        }
    }

    /// Calls `visit` with level, type and value of each message.
    pub fn read(&self, mut visit: impl FnMut(i32, i32, &[u8])) {
        // SAFETY: the structure describes our own memory, of which the kernel has filled `len` bytes; the macros stay
        // inside, and a message's data is as long as its header says.
        unsafe {
            let mut m: libc::msghdr = std::mem::zeroed();
            m.msg_control = self.bytes.as_ptr().cast_mut().cast();
            m.msg_controllen = self.len.min(size_of_val(&self.bytes));
            let mut at = libc::CMSG_FIRSTHDR(&raw const m);
            while !at.is_null() {
                let head = libc::CMSG_LEN(0) as usize;
                let len = ((*at).cmsg_len as usize).saturating_sub(head);
                let data = std::slice::from_raw_parts(libc::CMSG_DATA(at), len);
                visit((*at).cmsg_level, (*at).cmsg_type, data);
                at = libc::CMSG_NXTHDR(&raw const m, at);
            }
        }
    }
}

/// Runs `f` in another network namespace, given by the path of its file. Only this thread is there meanwhile.
pub fn in_namespace<R>(path: &[u8], f: impl FnOnce() -> io::Result<R>) -> io::Result<R> {
    use std::os::unix::ffi::OsStrExt;
    let here = std::fs::File::open("/proc/thread-self/ns/net")?;
    let there = std::fs::File::open(std::ffi::OsStr::from_bytes(path))?;
    // SAFETY: `setns` takes descriptors and changes this thread only.
    check(unsafe { libc::setns(there.as_raw_fd(), libc::CLONE_NEWNET) })?;
    let result = f();
    // SAFETY: as above; a thread that cannot come back must not go on.
    if check(unsafe { libc::setns(here.as_raw_fd(), libc::CLONE_NEWNET) }).is_err() {
        enigma_runtime::bug::vm_bug("a thread cannot leave a network namespace");
    }
    result
}

/// A request about an interface by its name (`ioctl`); `request` is one of the `SIOCGIF` and `SIOCSIF` family.
pub fn interface(
    socket: &Socket,
    request: libc::c_ulong,
    name: &[u8],
    fill: impl FnOnce(&mut libc::ifreq),
) -> io::Result<libc::ifreq> {
    // SAFETY: all bytes zero is a value of this structure of plain memory.
    let mut r: libc::ifreq = unsafe { std::mem::zeroed() };
    if name.len() >= r.ifr_name.len() {
        return Err(io::Error::from_raw_os_error(libc::EINVAL));
    }
    for (to, &from) in r.ifr_name.iter_mut().zip(name) {
        *to = from as libc::c_char;
    }
    fill(&mut r);
    // SAFETY: these requests read and write one `ifreq`.
    check(unsafe { libc::ioctl(socket.fd(), request as _, &raw mut r) })?;
    Ok(r)
}

/// An interface's address, as `getifaddrs` tells it.
pub struct InterfaceAddress {
    /// Name.
    pub name: Vec<u8>,
    /// The flags `IFF_...`.
    pub flags: u32,
    /// Address.
    pub address: Option<RawAddress>,
    /// Mask of the net.
    pub mask: Option<RawAddress>,
    /// Address for broadcasts, or of the other end.
    pub other: Option<RawAddress>,
}

/// All addresses of all interfaces.
pub fn interface_addresses() -> io::Result<Vec<InterfaceAddress>> {
    let mut first = MaybeUninit::<*mut libc::ifaddrs>::uninit();
    let mut all = Vec::new();
    // SAFETY: a list that the library makes and frees; its strings end in zero, and its addresses are as long as their
    // families say.
    unsafe {
        check(libc::getifaddrs(first.as_mut_ptr()))?;
        let first = first.assume_init();
        let mut at = first;
        while !at.is_null() {
            let a = &*at;
            all.push(InterfaceAddress {
                name: std::ffi::CStr::from_ptr(a.ifa_name).to_bytes().to_vec(),
                flags: a.ifa_flags,
                address: RawAddress::from_ptr(a.ifa_addr),
                mask: RawAddress::from_ptr(a.ifa_netmask),
                other: RawAddress::from_ptr(a.ifa_ifu),
            });
            at = a.ifa_next;
        }
        libc::freeifaddrs(first);
    }
    Ok(all)
}
