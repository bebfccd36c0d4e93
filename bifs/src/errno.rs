//! Names of operating system errors, as OTP's libraries know them.

use enigma_runtime::atom::Atom;

macro_rules! errors {
    ($($code:ident $name:literal)*) => {
        /// The name of an error number.
        pub fn name(code: i32) -> &'static str {
            match code {
                $(libc::$code => $name,)*
                _ => "unknown",
            }
        }
    };
}

errors! {
    EPERM "eperm"
    ENOENT "enoent"
    ESRCH "esrch"
    EINTR "eintr"
    EIO "eio"
    ENXIO "enxio"
    E2BIG "e2big"
    ENOEXEC "enoexec"
    EBADF "ebadf"
    ECHILD "echild"
    EAGAIN "eagain"
    ENOMEM "enomem"
    EACCES "eacces"
    EFAULT "efault"
    ENOTBLK "enotblk"
    EBUSY "ebusy"
    EEXIST "eexist"
    EXDEV "exdev"
    ENODEV "enodev"
    ENOTDIR "enotdir"
    EISDIR "eisdir"
    EINVAL "einval"
    ENFILE "enfile"
    EMFILE "emfile"
    ENOTTY "enotty"
    ETXTBSY "etxtbsy"
    EFBIG "efbig"
    ENOSPC "enospc"
    ESPIPE "espipe"
    EROFS "erofs"
    EMLINK "emlink"
    EPIPE "epipe"
    EDOM "edom"
    ERANGE "erange"
    EDEADLK "edeadlk"
    ENAMETOOLONG "enametoolong"
    ENOLCK "enolck"
    ENOSYS "enosys"
    ENOTEMPTY "enotempty"
    ELOOP "eloop"
    ENOMSG "enomsg"
    EIDRM "eidrm"
    EPROTO "eproto"
    EBADMSG "ebadmsg"
    EOVERFLOW "eoverflow"
    EILSEQ "eilseq"
    EUSERS "eusers"
    ENOTSOCK "enotsock"
    EDESTADDRREQ "edestaddrreq"
    EMSGSIZE "emsgsize"
    EPROTOTYPE "eprototype"
    ENOPROTOOPT "enoprotoopt"
    EPROTONOSUPPORT "eprotonosupport"
    ESOCKTNOSUPPORT "esocktnosupport"
    EOPNOTSUPP "enotsup"
    EPFNOSUPPORT "epfnosupport"
    EAFNOSUPPORT "eafnosupport"
    EADDRINUSE "eaddrinuse"
    EADDRNOTAVAIL "eaddrnotavail"
    ENETDOWN "enetdown"
    ENETUNREACH "enetunreach"
    ENETRESET "enetreset"
    ECONNABORTED "econnaborted"
    ECONNRESET "econnreset"
    ENOBUFS "enobufs"
    EISCONN "eisconn"
    ENOTCONN "enotconn"
    ESHUTDOWN "eshutdown"
    ETOOMANYREFS "etoomanyrefs"
    ETIMEDOUT "etimedout"
    ECONNREFUSED "econnrefused"
    EHOSTDOWN "ehostdown"
    EHOSTUNREACH "ehostunreach"
    EALREADY "ealready"
    EINPROGRESS "einprogress"
    ESTALE "estale"
    EDQUOT "edquot"
    ECANCELED "ecanceled"
}

/// The atom of an error number.
pub fn atom(code: i32) -> Atom {
    Atom::new(name(code))
}

/// The atom of the last error of this thread.
pub fn last() -> Atom {
    of(&std::io::Error::last_os_error())
}

/// The atom of an I/O error.
pub fn of(e: &std::io::Error) -> Atom {
    atom(e.raw_os_error().unwrap_or(libc::EIO))
}
