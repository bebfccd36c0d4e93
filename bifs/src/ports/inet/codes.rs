//! The numbers of the protocol between `prim_inet` and the drivers of sockets: requests, options, families, flags.

/// What is added to the number of every request.
pub const MAGIC: u32 = 0x03f1_a300;

macro_rules! numbers {
    ($kind:ty: $($name:ident = $value:literal, $what:literal;)*) => {
        $(#[doc = $what] pub const $name: $kind = $value;)*
    };
}

numbers! { u32:
    OPEN = 1, "Make a socket.";
    CLOSE = 2, "Stop sending messages about data.";
    CONNECT = 3, "Connect.";
    PEER = 4, "The other side's address.";
    NAME = 5, "The own address.";
    BIND = 6, "Bind.";
    SETOPTS = 7, "Set options.";
    GETOPTS = 8, "Read options.";
    GETSTAT = 11, "Read counters.";
    GETHOSTNAME = 12, "The host's name.";
    FDOPEN = 13, "Take over a descriptor.";
    GETFD = 14, "The descriptor.";
    GETTYPE = 15, "Family and type.";
    GETSTATUS = 16, "Flags of the state.";
    GETSERVBYNAME = 17, "A service's port.";
    GETSERVBYPORT = 18, "A port's service.";
    SETNAME = 19, "Say what the own address is to be told as.";
    SETPEER = 20, "Say what the other side's address is to be told as.";
    GETIFLIST = 21, "Names of interfaces.";
    IFGET = 22, "Read an interface's settings.";
    IFSET = 23, "Change an interface's settings.";
    SUBSCRIBE = 24, "Tell when the queue is empty.";
    GETIFADDRS = 25, "Addresses of interfaces.";
    ACCEPT = 26, "Accept a connection.";
    LISTEN = 27, "Listen.";
    IGNOREFD = 28, "Leave the descriptor to somebody else for a while.";
    GETLADDRS = 29, "Own addresses of an SCTP association.";
    GETPADDRS = 30, "Addresses of the other side of an SCTP association.";
    TCP_RECV = 42, "Receive from a stream.";
    TCP_UNRECV = 43, "Put data back.";
    TCP_SHUTDOWN = 44, "Close one direction.";
    TCP_SENDFILE = 45, "Send a part of a file.";
    PACKET_RECV = 60, "Receive a datagram.";
}

numbers! { u8:
    ERROR = 0, "ControlAnswer: an error's name follows.";
    OK = 1, "ControlAnswer: data follows.";

    AF_INET = 1, "IPv4.";
    AF_INET6 = 2, "IPv6.";
    AF_ANY = 3, "The address of all interfaces, of the socket's family.";
    AF_LOOPBACK = 4, "The loopback address of the socket's family.";
    AF_LOCAL = 5, "A path.";
    AF_UNDEFINED = 6, "A family that has no other number; its own follows.";

    TYPE_STREAM = 1, "Streams.";
    TYPE_DGRAM = 2, "Datagrams.";
    TYPE_SEQPACKET = 3, "Datagrams in order.";

    PROTO_DEFAULT = 0, "The protocol that the type stands for.";
    PROTO_SCTP = 3, "SCTP.";
    PROTO_MPTCP = 4, "Multipath TCP.";

    REUSEADDR = 0, "Option.";
    KEEPALIVE = 1, "Option.";
    DONTROUTE = 2, "Option.";
    LINGER = 3, "Option.";
    BROADCAST = 4, "Option.";
    OOBINLINE = 5, "Option.";
    SNDBUF = 6, "Option.";
    RCVBUF = 7, "Option.";
    PRIORITY = 8, "Option.";
    TOS = 9, "Option.";
    NODELAY = 10, "Option.";
    MULTICAST_IF = 11, "Option.";
    MULTICAST_TTL = 12, "Option.";
    MULTICAST_LOOP = 13, "Option.";
    ADD_MEMBERSHIP = 14, "Option.";
    DROP_MEMBERSHIP = 15, "Option.";
    IPV6_V6ONLY = 16, "Option.";
    REUSEPORT = 17, "Option.";
    REUSEPORT_LB = 18, "Option.";
    EXCLUSIVEADDRUSE = 19, "Option.";
    BUFFER = 20, "Option.";
    HEADER = 21, "Option.";
    ACTIVE = 22, "Option.";
    PACKET = 23, "Option.";
    MODE = 24, "Option.";
    DELIVER = 25, "Option.";
    EXITONCLOSE = 26, "Option.";
    HIWTRMRK = 27, "Option.";
    LOWTRMRK = 28, "Option.";
    SEND_TIMEOUT = 30, "Option.";
    DELAY_SEND = 31, "Option.";
    PACKET_SIZE = 32, "Option.";
    READ_PACKETS = 33, "Option.";
    RAW = 34, "Option.";
    SEND_TIMEOUT_CLOSE = 35, "Option.";
    MSGQ_HIWTRMRK = 36, "Option.";
    MSGQ_LOWTRMRK = 37, "Option.";
    NETNS = 38, "Option.";
    SHOW_ECONNRESET = 39, "Option.";
    LINE_DELIM = 40, "Option.";
    TCLASS = 41, "Option.";
    BIND_TO_DEVICE = 42, "Option.";
    RECVTOS = 43, "Option.";
    RECVTCLASS = 44, "Option.";
    PKTOPTIONS = 45, "Option.";
    TTL = 46, "Option.";
    RECVTTL = 47, "Option.";
    NOPUSH = 48, "Option.";
    READ_AHEAD = 49, "Option.";
    NON_BLOCK_SEND = 50, "Option.";
    KEEPCNT = 51, "Option, from OTP 28 on.";
    KEEPIDLE = 52, "Option, from OTP 28 on.";
    KEEPINTVL = 53, "Option, from OTP 28 on.";
    USER_TIMEOUT = 54, "Option, from OTP 28 on.";
    DEBUG = 99, "Option.";

    RECV_CNT = 1, "Counter: packets received.";
    RECV_MAX = 2, "Counter: the longest of them.";
    RECV_AVG = 3, "Counter: their average.";
    RECV_DVI = 4, "Counter: average deviation from it.";
    SEND_CNT = 5, "Counter: packets sent.";
    SEND_MAX = 6, "Counter: the longest of them.";
    SEND_AVG = 7, "Counter: their average.";
    SEND_PEND = 8, "Bytes that wait to be sent.";
    RECV_OCT = 9, "Counter: bytes received.";
    SEND_OCT = 10, "Counter: bytes sent.";

    SUBS_EMPTY_OUT_Q = 1, "What can be subscribed.";

    IF_ADDR = 1, "Of an interface: address.";
    IF_BROADADDR = 2, "Of an interface: address for broadcasts.";
    IF_DSTADDR = 3, "Of an interface: the other end's address.";
    IF_MTU = 4, "Of an interface: largest packet.";
    IF_NETMASK = 5, "Of an interface: mask of the net.";
    IF_FLAGS = 6, "Of an interface: flags.";
    IF_HWADDR = 7, "Of an interface: hardware address.";
}

numbers! { u32:
    F_OPEN = 1, "Flag of the state.";
    F_ACTIVE = 4, "Flag of the state: connected.";
    F_LISTEN = 8, "Flag of the state.";
    F_CON = 16, "Flag of the state: connecting.";
    F_ACC = 32, "Flag of the state: accepting.";
    F_BUSY = 128, "Flag of the state.";
    F_MULTI = 256, "Flag of the state: several are accepting.";
}
