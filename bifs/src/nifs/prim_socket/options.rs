//! Options of sockets: those of the system by their level and number, and OTP's own.

use super::sock::{CONTROL_BUFFER, READ_BUFFER, Sock, SockState, sock, with_open};
use super::terms::{atom, closed, done, failed, int, invalid, plain_data, raise_invalid, text};
use super::values::{self, ValueKind};
use super::{address, message, settings};
use crate::bifs;
use enigma_runtime::atom::Atom;
use enigma_runtime::heap::bits;
use enigma_runtime::heap::copy;
use enigma_runtime::heap::literal::OwnedTerm;
use enigma_runtime::{BifResult, Ctx, Exit, Term, badarg, release};

bifs! { BIFS:
    "prim_socket" {
        "nif_setopt"/5 Nif => setopt;
        "nif_getopt"/3 Nif => getopt;
        "nif_getopt"/4 Nif => getopt_native;
        "nif_getopt"/5 Nif => getopt_value;
    }
}

/// An option of the system.
pub struct KnownOption {
    /// The number of its level.
    pub level: i32,
    /// Its name.
    pub name: &'static str,
    number: Option<i32>,
    value: ValueKind,
    /// The first release that has it, the first that can use it, and the last that has it.
    releases: [u32; 3],
}

impl KnownOption {
    /// Does this release have it?
    pub fn is_known(&self) -> bool {
        let [first, _, last] = self.releases;
        (first..=last).contains(&release::number())
    }

    /// Its number, if it can be used.
    pub fn number(&self) -> Option<i32> {
        self.number
            .filter(|_| release::number() >= self.releases[1])
    }
}

const fn option(
    level: i32,
    name: &'static str,
    number: Option<i32>,
    value: ValueKind,
    releases: [u32; 3],
) -> KnownOption {
    KnownOption {
        level,
        name,
        number,
        value,
        releases,
    }
}

/// Levels: name, number, and the first release that has it.
pub const LEVELS: &[(&str, i32, u32)] = &[
    ("socket", libc::SOL_SOCKET, 0),
    ("ip", libc::IPPROTO_IP, 0),
    ("ipv6", libc::IPPROTO_IPV6, 0),
    ("tcp", libc::IPPROTO_TCP, 0),
    ("udp", libc::IPPROTO_UDP, 0),
    ("sctp", libc::IPPROTO_SCTP, 0),
];

/// The options.
#[rustfmt::skip]
pub const KNOWN: &[KnownOption] = &[
    // ---- socket ----
    option(libc::SOL_SOCKET, "acceptconn", Some(libc::SO_ACCEPTCONN), ValueKind::Bool, [0, 0, 99]),
    option(libc::SOL_SOCKET, "acceptfilter", None, ValueKind::Bool, [0, 0, 99]),
    option(libc::SOL_SOCKET, "bindtodevice", Some(libc::SO_BINDTODEVICE), ValueKind::Device, [0, 0, 99]),
    option(libc::SOL_SOCKET, "broadcast", Some(libc::SO_BROADCAST), ValueKind::Bool, [0, 0, 99]),
    option(libc::SOL_SOCKET, "bsp_state", None, ValueKind::Bool, [26, 0, 99]),
    option(libc::SOL_SOCKET, "busy_poll", None, ValueKind::Int, [0, 0, 99]),
    option(libc::SOL_SOCKET, "debug", Some(libc::SO_DEBUG), ValueKind::Int, [0, 0, 99]),
    option(libc::SOL_SOCKET, "domain", Some(libc::SO_DOMAIN), ValueKind::Domain, [0, 0, 99]),
    option(libc::SOL_SOCKET, "dontroute", Some(libc::SO_DONTROUTE), ValueKind::Bool, [0, 0, 99]),
    option(libc::SOL_SOCKET, "error", None, ValueKind::Int, [0, 0, 99]),
    option(libc::SOL_SOCKET, "exclusiveaddruse", None, ValueKind::Bool, [26, 0, 99]),
    option(libc::SOL_SOCKET, "keepalive", Some(libc::SO_KEEPALIVE), ValueKind::Bool, [0, 0, 99]),
    option(libc::SOL_SOCKET, "linger", Some(libc::SO_LINGER), ValueKind::Linger, [0, 0, 99]),
    option(libc::SOL_SOCKET, "mark", None, ValueKind::Int, [0, 0, 99]),
    option(libc::SOL_SOCKET, "max_msg_size", None, ValueKind::Int, [26, 0, 99]),
    option(libc::SOL_SOCKET, "maxdg", None, ValueKind::Int, [26, 0, 99]),
    option(libc::SOL_SOCKET, "oobinline", Some(libc::SO_OOBINLINE), ValueKind::Bool, [0, 0, 99]),
    option(libc::SOL_SOCKET, "passcred", Some(libc::SO_PASSCRED), ValueKind::Bool, [0, 0, 99]),
    option(libc::SOL_SOCKET, "peek_off", Some(libc::SO_PEEK_OFF), ValueKind::Int, [0, 0, 99]),
    option(libc::SOL_SOCKET, "peercred", None, ValueKind::Int, [0, 0, 99]),
    option(libc::SOL_SOCKET, "priority", Some(libc::SO_PRIORITY), ValueKind::Int, [0, 0, 99]),
    option(libc::SOL_SOCKET, "protocol", Some(libc::SO_PROTOCOL), ValueKind::Protocol, [0, 0, 99]),
    option(libc::SOL_SOCKET, "rcvbuf", Some(libc::SO_RCVBUF), ValueKind::Int, [0, 0, 99]),
    option(libc::SOL_SOCKET, "rcvbufforce", None, ValueKind::Int, [0, 0, 99]),
    option(libc::SOL_SOCKET, "rcvlowat", Some(libc::SO_RCVLOWAT), ValueKind::Int, [0, 0, 99]),
    option(libc::SOL_SOCKET, "rcvtimeo", None, ValueKind::Int, [0, 0, 99]),
    option(libc::SOL_SOCKET, "reuseaddr", Some(libc::SO_REUSEADDR), ValueKind::Bool, [0, 0, 99]),
    option(libc::SOL_SOCKET, "reuseport", Some(libc::SO_REUSEPORT), ValueKind::Bool, [0, 0, 99]),
    option(libc::SOL_SOCKET, "rxq_ovfl", None, ValueKind::Bool, [0, 0, 99]),
    option(libc::SOL_SOCKET, "setfib", None, ValueKind::Int, [0, 0, 99]),
    option(libc::SOL_SOCKET, "sndbuf", Some(libc::SO_SNDBUF), ValueKind::Int, [0, 0, 99]),
    option(libc::SOL_SOCKET, "sndbufforce", None, ValueKind::Int, [0, 0, 99]),
    option(libc::SOL_SOCKET, "sndlowat", Some(libc::SO_SNDLOWAT), ValueKind::Int, [0, 0, 99]),
    option(libc::SOL_SOCKET, "sndtimeo", None, ValueKind::Int, [0, 0, 99]),
    option(libc::SOL_SOCKET, "timestamp", Some(libc::SO_TIMESTAMP), ValueKind::Bool, [0, 0, 99]),
    option(libc::SOL_SOCKET, "timestampns", Some(libc::SO_TIMESTAMPNS), ValueKind::Bool, [29, 0, 99]),
    option(libc::SOL_SOCKET, "type", Some(libc::SO_TYPE), ValueKind::Kind, [0, 0, 99]),
    // ---- ip ----
    option(libc::IPPROTO_IP, "add_membership", Some(libc::IP_ADD_MEMBERSHIP), ValueKind::Membership4, [0, 0, 99]),
    option(libc::IPPROTO_IP, "add_source_membership", Some(libc::IP_ADD_SOURCE_MEMBERSHIP), ValueKind::SourceMembership, [0, 0, 99]),
    option(libc::IPPROTO_IP, "block_source", Some(libc::IP_BLOCK_SOURCE), ValueKind::SourceMembership, [0, 0, 99]),
    option(libc::IPPROTO_IP, "dontfrag", None, ValueKind::Bool, [0, 0, 99]),
    option(libc::IPPROTO_IP, "drop_membership", Some(libc::IP_DROP_MEMBERSHIP), ValueKind::Membership4, [0, 0, 99]),
    option(libc::IPPROTO_IP, "drop_source_membership", Some(libc::IP_DROP_SOURCE_MEMBERSHIP), ValueKind::SourceMembership, [0, 0, 99]),
    option(libc::IPPROTO_IP, "freebind", Some(libc::IP_FREEBIND), ValueKind::Bool, [0, 0, 99]),
    option(libc::IPPROTO_IP, "hdrincl", Some(libc::IP_HDRINCL), ValueKind::Bool, [0, 0, 99]),
    option(libc::IPPROTO_IP, "minttl", Some(21), ValueKind::Int, [0, 0, 99]),
    option(libc::IPPROTO_IP, "msfilter", Some(41), ValueKind::SourceFilter, [0, 0, 99]),
    option(libc::IPPROTO_IP, "mtu", Some(14), ValueKind::ReadInt, [0, 0, 99]),
    option(libc::IPPROTO_IP, "mtu_discover", Some(libc::IP_MTU_DISCOVER), ValueKind::Discover, [0, 0, 99]),
    option(libc::IPPROTO_IP, "multicast_all", Some(49), ValueKind::Bool, [0, 0, 99]),
    option(libc::IPPROTO_IP, "multicast_if", Some(libc::IP_MULTICAST_IF), ValueKind::Interface4, [0, 0, 99]),
    option(libc::IPPROTO_IP, "multicast_loop", Some(libc::IP_MULTICAST_LOOP), ValueKind::Bool, [0, 0, 99]),
    option(libc::IPPROTO_IP, "multicast_ttl", Some(libc::IP_MULTICAST_TTL), ValueKind::Int, [0, 0, 99]),
    option(libc::IPPROTO_IP, "nodefrag", Some(22), ValueKind::Bool, [0, 0, 99]),
    option(libc::IPPROTO_IP, "options", None, ValueKind::Bool, [0, 0, 99]),
    option(libc::IPPROTO_IP, "pktinfo", Some(libc::IP_PKTINFO), ValueKind::Bool, [0, 0, 99]),
    option(libc::IPPROTO_IP, "pktoptions", Some(9), ValueKind::PacketOptions, [0, 0, 99]),
    option(libc::IPPROTO_IP, "recvdstaddr", None, ValueKind::Bool, [0, 0, 99]),
    option(libc::IPPROTO_IP, "recverr", Some(libc::IP_RECVERR), ValueKind::Bool, [0, 0, 99]),
    option(libc::IPPROTO_IP, "recvif", None, ValueKind::Bool, [0, 0, 99]),
    option(libc::IPPROTO_IP, "recvopts", Some(6), ValueKind::Bool, [0, 0, 99]),
    option(libc::IPPROTO_IP, "recvorigdstaddr", Some(20), ValueKind::Bool, [0, 0, 99]),
    option(libc::IPPROTO_IP, "recvtos", Some(libc::IP_RECVTOS), ValueKind::Bool, [0, 0, 99]),
    option(libc::IPPROTO_IP, "recvttl", Some(libc::IP_RECVTTL), ValueKind::Bool, [0, 0, 99]),
    option(libc::IPPROTO_IP, "retopts", Some(7), ValueKind::Bool, [0, 0, 99]),
    option(libc::IPPROTO_IP, "router_alert", Some(5), ValueKind::Int, [0, 0, 99]),
    option(libc::IPPROTO_IP, "sendsrcaddr", None, ValueKind::Bool, [0, 0, 99]),
    option(libc::IPPROTO_IP, "tos", Some(libc::IP_TOS), ValueKind::TypeOfService, [0, 0, 99]),
    option(libc::IPPROTO_IP, "transparent", Some(libc::IP_TRANSPARENT), ValueKind::Bool, [0, 0, 99]),
    option(libc::IPPROTO_IP, "ttl", Some(libc::IP_TTL), ValueKind::Int, [0, 0, 99]),
    option(libc::IPPROTO_IP, "unblock_source", Some(libc::IP_UNBLOCK_SOURCE), ValueKind::SourceMembership, [0, 0, 99]),
    // ---- ipv6 ----
    option(libc::IPPROTO_IPV6, "add_membership", Some(libc::IPV6_ADD_MEMBERSHIP), ValueKind::Membership6, [0, 0, 99]),
    option(libc::IPPROTO_IPV6, "addrform", Some(1), ValueKind::WriteDomain, [0, 0, 99]),
    option(libc::IPPROTO_IPV6, "auth_level", None, ValueKind::Int, [0, 0, 99]),
    option(libc::IPPROTO_IPV6, "authhdr", Some(10), ValueKind::Bool, [0, 0, 99]),
    option(libc::IPPROTO_IPV6, "checksum", None, ValueKind::Int, [0, 0, 99]),
    option(libc::IPPROTO_IPV6, "drop_membership", Some(libc::IPV6_DROP_MEMBERSHIP), ValueKind::Membership6, [0, 0, 99]),
    option(libc::IPPROTO_IPV6, "dstopts", Some(libc::IPV6_DSTOPTS), ValueKind::Bool, [0, 0, 99]),
    option(libc::IPPROTO_IPV6, "esp_network_level", None, ValueKind::Int, [0, 0, 99]),
    option(libc::IPPROTO_IPV6, "esp_trans_level", None, ValueKind::Int, [0, 0, 99]),
    option(libc::IPPROTO_IPV6, "faith", None, ValueKind::Bool, [0, 0, 99]),
    option(libc::IPPROTO_IPV6, "flowinfo", Some(11), ValueKind::Bool, [0, 0, 99]),
    option(libc::IPPROTO_IPV6, "hoplimit", Some(52), ValueKind::Bool, [0, 0, 99]),
    option(libc::IPPROTO_IPV6, "hopopts", Some(libc::IPV6_HOPOPTS), ValueKind::Bool, [0, 0, 99]),
    option(libc::IPPROTO_IPV6, "ipcomp_level", None, ValueKind::Int, [0, 0, 99]),
    option(libc::IPPROTO_IPV6, "join_group", None, ValueKind::Membership6, [0, 0, 99]),
    option(libc::IPPROTO_IPV6, "leave_group", None, ValueKind::Membership6, [0, 0, 99]),
    option(libc::IPPROTO_IPV6, "mtu", Some(libc::IPV6_MTU), ValueKind::Int, [0, 0, 99]),
    option(libc::IPPROTO_IPV6, "mtu_discover", Some(libc::IPV6_MTU_DISCOVER), ValueKind::Discover, [0, 0, 99]),
    option(libc::IPPROTO_IPV6, "multicast_hops", Some(libc::IPV6_MULTICAST_HOPS), ValueKind::Hops, [0, 0, 99]),
    option(libc::IPPROTO_IPV6, "multicast_if", Some(libc::IPV6_MULTICAST_IF), ValueKind::Int, [0, 0, 99]),
    option(libc::IPPROTO_IPV6, "multicast_loop", Some(libc::IPV6_MULTICAST_LOOP), ValueKind::Bool, [0, 0, 99]),
    option(libc::IPPROTO_IPV6, "pktoptions", None, ValueKind::Bool, [0, 0, 99]),
    option(libc::IPPROTO_IPV6, "portrange", None, ValueKind::Int, [0, 0, 99]),
    option(libc::IPPROTO_IPV6, "recverr", Some(25), ValueKind::Bool, [0, 0, 99]),
    option(libc::IPPROTO_IPV6, "recvhoplimit", Some(libc::IPV6_RECVHOPLIMIT), ValueKind::Bool, [0, 0, 99]),
    option(libc::IPPROTO_IPV6, "recvpktinfo", Some(libc::IPV6_RECVPKTINFO), ValueKind::Bool, [0, 0, 99]),
    option(libc::IPPROTO_IPV6, "recvtclass", Some(libc::IPV6_RECVTCLASS), ValueKind::Bool, [0, 0, 99]),
    option(libc::IPPROTO_IPV6, "router_alert", Some(22), ValueKind::Int, [0, 0, 99]),
    option(libc::IPPROTO_IPV6, "rthdr", Some(libc::IPV6_RTHDR), ValueKind::Bool, [0, 0, 99]),
    option(libc::IPPROTO_IPV6, "tclass", Some(libc::IPV6_TCLASS), ValueKind::Int, [0, 0, 99]),
    option(libc::IPPROTO_IPV6, "unicast_hops", Some(libc::IPV6_UNICAST_HOPS), ValueKind::Hops, [0, 0, 99]),
    option(libc::IPPROTO_IPV6, "use_min_mtu", None, ValueKind::Bool, [0, 0, 99]),
    option(libc::IPPROTO_IPV6, "v6only", Some(libc::IPV6_V6ONLY), ValueKind::Bool, [0, 0, 99]),
    // ---- tcp ----
    option(libc::IPPROTO_TCP, "congestion", Some(libc::TCP_CONGESTION), ValueKind::Congestion, [0, 0, 99]),
    option(libc::IPPROTO_TCP, "cork", Some(libc::TCP_CORK), ValueKind::Bool, [0, 0, 99]),
    option(libc::IPPROTO_TCP, "info", None, ValueKind::Int, [0, 0, 99]),
    option(libc::IPPROTO_TCP, "keepcnt", Some(libc::TCP_KEEPCNT), ValueKind::Int, [0, 26, 99]),
    option(libc::IPPROTO_TCP, "keepidle", Some(libc::TCP_KEEPIDLE), ValueKind::Int, [0, 26, 99]),
    option(libc::IPPROTO_TCP, "keepintvl", Some(libc::TCP_KEEPINTVL), ValueKind::Int, [0, 26, 99]),
    option(libc::IPPROTO_TCP, "maxseg", Some(libc::TCP_MAXSEG), ValueKind::Int, [0, 0, 99]),
    option(libc::IPPROTO_TCP, "md5sig", None, ValueKind::Int, [0, 0, 99]),
    option(libc::IPPROTO_TCP, "nodelay", Some(libc::TCP_NODELAY), ValueKind::Bool, [0, 0, 99]),
    option(libc::IPPROTO_TCP, "noopt", None, ValueKind::Bool, [0, 0, 99]),
    option(libc::IPPROTO_TCP, "nopush", None, ValueKind::Bool, [0, 0, 99]),
    option(libc::IPPROTO_TCP, "syncnt", None, ValueKind::Int, [0, 0, 99]),
    option(libc::IPPROTO_TCP, "user_timeout", Some(libc::TCP_USER_TIMEOUT), ValueKind::Int, [0, 28, 99]),
    // ---- udp ----
    option(libc::IPPROTO_UDP, "cork", Some(1), ValueKind::Bool, [0, 0, 99]),
    // ---- sctp ----
    option(libc::IPPROTO_SCTP, "adaption_layer", None, ValueKind::Sctp, [0, 0, 27]),
    option(libc::IPPROTO_SCTP, "adaptation_layer", Some(7), ValueKind::Sctp, [28, 0, 99]),
    option(libc::IPPROTO_SCTP, "associnfo", Some(1), ValueKind::Sctp, [0, 0, 99]),
    option(libc::IPPROTO_SCTP, "auth_active_key", None, ValueKind::Sctp, [0, 0, 99]),
    option(libc::IPPROTO_SCTP, "auth_chunk", None, ValueKind::Sctp, [0, 0, 99]),
    option(libc::IPPROTO_SCTP, "auth_delete_key", None, ValueKind::Sctp, [0, 0, 99]),
    option(libc::IPPROTO_SCTP, "auth_key", None, ValueKind::Sctp, [0, 0, 99]),
    option(libc::IPPROTO_SCTP, "autoclose", Some(4), ValueKind::Int, [0, 0, 99]),
    option(libc::IPPROTO_SCTP, "context", None, ValueKind::Sctp, [0, 0, 99]),
    option(libc::IPPROTO_SCTP, "default_send_params", None, ValueKind::Sctp, [0, 0, 27]),
    option(libc::IPPROTO_SCTP, "default_send_param", Some(10), ValueKind::Sctp, [28, 0, 99]),
    option(libc::IPPROTO_SCTP, "delayed_ack_time", None, ValueKind::Sctp, [0, 0, 99]),
    option(libc::IPPROTO_SCTP, "disable_fragments", Some(8), ValueKind::Bool, [0, 0, 99]),
    option(libc::IPPROTO_SCTP, "events", Some(11), ValueKind::Sctp, [0, 0, 99]),
    option(libc::IPPROTO_SCTP, "explicit_eor", None, ValueKind::Bool, [0, 0, 99]),
    option(libc::IPPROTO_SCTP, "fragment_interleave", None, ValueKind::Bool, [0, 0, 99]),
    option(libc::IPPROTO_SCTP, "get_assoc_stats", Some(112), ValueKind::Sctp, [28, 0, 99]),
    option(libc::IPPROTO_SCTP, "get_peer_addr_info", Some(15), ValueKind::Sctp, [0, 28, 99]),
    option(libc::IPPROTO_SCTP, "hmac_ident", None, ValueKind::Sctp, [0, 0, 99]),
    option(libc::IPPROTO_SCTP, "i_want_mapped_v4_addr", Some(12), ValueKind::Bool, [0, 28, 99]),
    option(libc::IPPROTO_SCTP, "initmsg", Some(2), ValueKind::Sctp, [0, 0, 99]),
    option(libc::IPPROTO_SCTP, "local_auth_chunks", None, ValueKind::Sctp, [0, 0, 99]),
    option(libc::IPPROTO_SCTP, "maxburst", None, ValueKind::Int, [0, 0, 99]),
    option(libc::IPPROTO_SCTP, "maxseg", Some(13), ValueKind::Int, [0, 0, 99]),
    option(libc::IPPROTO_SCTP, "nodelay", Some(3), ValueKind::Bool, [0, 0, 99]),
    option(libc::IPPROTO_SCTP, "partial_delivery_point", None, ValueKind::Sctp, [0, 0, 27]),
    option(libc::IPPROTO_SCTP, "partial_delivery", None, ValueKind::Sctp, [28, 0, 99]),
    option(libc::IPPROTO_SCTP, "peer_addr_params", None, ValueKind::Sctp, [0, 0, 99]),
    option(libc::IPPROTO_SCTP, "peer_auth_chunks", None, ValueKind::Sctp, [0, 0, 99]),
    option(libc::IPPROTO_SCTP, "primary_addr", Some(6), ValueKind::Sctp, [0, 28, 99]),
    option(libc::IPPROTO_SCTP, "reset_streams", None, ValueKind::Sctp, [0, 0, 99]),
    option(libc::IPPROTO_SCTP, "rtoinfo", Some(0), ValueKind::Sctp, [0, 0, 99]),
    option(libc::IPPROTO_SCTP, "set_peer_primary_addr", Some(5), ValueKind::Sctp, [0, 28, 99]),
    option(libc::IPPROTO_SCTP, "status", Some(14), ValueKind::Sctp, [0, 28, 99]),
    option(libc::IPPROTO_SCTP, "use_ext_recvinfo", None, ValueKind::Sctp, [0, 0, 99]),
];

/// Numbers of OTP's own options.
mod otp {
    pub const DEBUG: i32 = 1001;
    pub const COUNTER_WRAPS: i32 = 1002;
    pub const CONTROLLING_PROCESS: i32 = 1003;
    pub const READ_BUFFER: i32 = 1004;
    pub const READ_CONTROL: i32 = 1006;
    pub const WRITE_CONTROL: i32 = 1007;
    pub const DESCRIPTOR: i32 = 1008;
    pub const META: i32 = 1009;
    pub const USE_REGISTRY: i32 = 1010;
    pub const SELECT_READ: i32 = 1011;
    pub const DOMAIN: i32 = 1999;
}

/// The level of an option.
enum Level {
    Otp,
    System(i32),
}

fn level(t: Term) -> Result<Level, Exit> {
    match text(t) {
        Some("otp") => Ok(Level::Otp),
        Some("socket") => Ok(Level::System(libc::SOL_SOCKET)),
        Some(_) => Err(badarg()),
        None => int(t).map(Level::System).ok_or_else(badarg),
    }
}

fn known(level: i32, number: i32) -> Option<&'static KnownOption> {
    let is = |o: &&KnownOption| o.level == level && o.number() == Some(number) && o.is_known();
    KNOWN.iter().find(is)
}

/// Options with structures of SCTP are not there.
fn not_there(cx: &mut Ctx<'_>, o: &KnownOption) -> Exit {
    let name = cx.tuple2(atom("sctp"), atom(o.name));
    let what = cx.tuple2(atom("socket_option"), name);
    let why = cx.tuple2(atom("notsup"), what);
    Exit::error(why)
}

/// `nif_setopt(Socket, Level, Option, Value, IsNative)`.
fn setopt(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let number = int(a[2]).ok_or_else(badarg)?;
    let is_native = int(a[4]).ok_or_else(badarg)? != 0;
    let level = match level(a[1])? {
        Level::Otp => return set_otp(cx, a[0], number, a[3]),
        Level::System(n) => n,
    };
    let bytes = if is_native {
        match plain_data(a[3]) {
            Some(bytes) => bytes,
            None => {
                sock(a[0])?;
                let why = invalid(cx, "value");
                return Ok(cx.error(why));
            }
        }
    } else {
        let Some(o) = known(level, number).filter(|o| o.value.can_be_set()) else {
            sock(a[0])?;
            return Ok(invalid(cx, "socket_option"));
        };
        if o.value == ValueKind::Sctp {
            return Err(not_there(cx, o));
        }
        match o.value.decode(a[3]) {
            Some(bytes) => bytes,
            None => {
                sock(a[0])?;
                return Ok(invalid(cx, "value"));
            }
        }
    };
    with_open(cx, a[0], |cx, _, s| {
        let result = s.open_socket().map(|fd| fd.set(level, number, &bytes));
        Ok(match result {
            Some(r) => done(cx, r),
            None => closed(cx),
        })
    })
}

/// `nif_getopt(Socket, Level, Option)`.
fn getopt(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let number = int(a[2]).ok_or_else(badarg)?;
    let level = match level(a[1])? {
        Level::Otp => return get_otp(cx, a[0], number),
        Level::System(n) => n,
    };
    let Some(o) = known(level, number).filter(|o| o.value.can_be_read()) else {
        sock(a[0])?;
        return Ok(invalid(cx, "socket_option"));
    };
    if o.value == ValueKind::Sctp {
        return Err(not_there(cx, o));
    }
    with_open(cx, a[0], |cx, _, s| {
        let mut room = vec![0; o.value.room()];
        let got = s.open_socket().map(|fd| fd.get(level, number, &mut room));
        Ok(match got {
            None => closed(cx),
            Some(Err(e)) => failed(cx, &e),
            Some(Ok(n)) => {
                let value = o.value.encode(cx.heap(), &room[..n.min(room.len())]);
                cx.ok(value)
            }
        })
    })
}

/// `nif_getopt(Socket, Level, Option, Kind, Value)`, from 28 on: `native` with what `getopt_native` takes, or `value`.
fn getopt_value(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    match text(a[3]) {
        Some("native") => getopt_native(cx, &[a[0], a[1], a[2], a[4]]),
        Some("value") => {
            let number = int(a[2]).ok_or_else(badarg)?;
            let Level::System(level) = level(a[1])? else {
                return Err(badarg());
            };
            match known(level, number) {
                Some(o) if o.value == ValueKind::Sctp => Err(not_there(cx, o)),
                _ => {
                    sock(a[0])?;
                    Ok(invalid(cx, "socket_option"))
                }
            }
        }
        _ => Err(badarg()),
    }
}

/// `nif_getopt(Socket, Level, Option, What)`: `integer`, `boolean`, or a number of bytes, which may also be given by a binary that
/// has what the system is to find.
fn getopt_native(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let number = int(a[2]).ok_or_else(badarg)?;
    let Level::System(level) = level(a[1])? else {
        return Err(badarg());
    };
    let what = text(a[3]);
    let room = match (what, bits::binary_bytes(a[3])) {
        (Some("integer" | "boolean"), _) => Some(vec![0; 4]),
        (Some(_), _) => None,
        (None, Some(bytes)) => Some(bytes.into_owned()),
        (None, None) => a[3]
            .as_usize()
            .filter(|&n| n <= 1 << 20)
            .map(|n| vec![0; n]),
    };
    let Some(mut room) = room else {
        sock(a[0])?;
        return Ok(invalid(cx, "value"));
    };
    with_open(cx, a[0], |cx, _, s| {
        let got = s.open_socket().map(|fd| fd.get(level, number, &mut room));
        Ok(match got {
            None => closed(cx),
            Some(Err(e)) => failed(cx, &e),
            Some(Ok(n)) => {
                let bytes = &room[..n.min(room.len())];
                let value = match what {
                    Some("integer") => cx.heap().int(i64::from(values::number_of(bytes))),
                    Some("boolean") => (values::number_of(bytes) != 0).into(),
                    _ => cx.heap().binary(bytes),
                };
                cx.ok(value)
            }
        })
    })
}

/// The error of an option of OTP's that there is not.
fn no_otp_option(cx: &mut Ctx<'_>, number: i32) -> Exit {
    let what = cx.tuple2(atom("otp_socket_option"), Term::small(i64::from(number)));
    raise_invalid(cx, what)
}

fn set_otp(cx: &mut Ctx<'_>, t: Term, number: i32, value: Term) -> BifResult {
    let mut unknown = false;
    let result = with_open(cx, t, |cx, socket, s| {
        let ok: Term = Atom::OK.into();
        let bad = |cx: &mut Ctx<'_>| Ok(invalid(cx, "value"));
        match number {
            otp::DEBUG => match value.as_bool() {
                Some(on) => s.otp.debug = on,
                None => return bad(cx),
            },
            otp::COUNTER_WRAPS => match value.as_bool() {
                Some(on) => s.otp.counter_wraps = on,
                None => return bad(cx),
            },
            otp::SELECT_READ if release::number() >= 28 => match value.as_bool() {
                Some(on) => s.otp.select_read = on,
                None => return bad(cx),
            },
            otp::CONTROLLING_PROCESS => return set_owner(cx, socket, s, value),
            otp::META => {
                if s.owner != Some(cx.proc.id) {
                    let why = invalid(cx, "not_owner");
                    return Ok(cx.error(why));
                }
                s.otp.meta = Some(OwnedTerm::new(value));
            }
            otp::READ_BUFFER => match buffers(value) {
                Some((count, size)) => (s.otp.read_count, s.otp.read_buffer) = (count, size),
                None => return bad(cx),
            },
            otp::READ_CONTROL => match buffer(value, CONTROL_BUFFER) {
                Some(n) => s.otp.read_control = n,
                None => return bad(cx),
            },
            otp::WRITE_CONTROL => match buffer(value, CONTROL_BUFFER) {
                Some(n) => s.otp.write_control = n,
                None => return bad(cx),
            },
            otp::USE_REGISTRY => match value.as_bool() {
                Some(true) => {
                    if !s.otp.in_registry {
                        s.otp.in_registry = true;
                        if let Some(registry) = settings::registry() {
                            message::registry(socket, registry, "add");
                        }
                    }
                }
                _ => return bad(cx),
            },
            _ => unknown = true,
        }
        Ok(ok)
    })?;
    match unknown {
        true => Err(no_otp_option(cx, number)),
        false => Ok(result),
    }
}

fn set_owner(cx: &mut Ctx<'_>, socket: &Sock, s: &mut SockState, value: Term) -> BifResult {
    if s.owner != Some(cx.proc.id) {
        let why = invalid(cx, "not_owner");
        return Ok(cx.error(why));
    }
    let Some(pid) = value.as_local_pid() else {
        return Ok(invalid(cx, "value"));
    };
    if !s.set_owner(socket, pid) {
        return Ok(invalid(cx, "value"));
    }
    Ok(Atom::OK.into())
}

/// A size of buffers, or `default`.
fn buffer(t: Term, default: usize) -> Option<usize> {
    match text(t) {
        Some("default") => Some(default),
        _ => t.as_usize().filter(|&n| n > 0 && n < 1 << 31),
    }
}

/// A size of buffers for data, or `{Count, Size}`.
fn buffers(t: Term) -> Option<(usize, usize)> {
    match t.as_tuple_n::<2>() {
        Some(&[count, size]) => {
            let count = count.as_usize().filter(|&n| n > 0 && n < 1 << 31)?;
            Some((count, buffer(size, READ_BUFFER)?))
        }
        None => Some((0, buffer(t, READ_BUFFER)?)),
    }
}

fn get_otp(cx: &mut Ctx<'_>, t: Term, number: i32) -> BifResult {
    let mut unknown = false;
    let result = with_open(cx, t, |cx, _, s| {
        let size = |n: usize| Term::small(n as i64);
        let value = match number {
            otp::DEBUG => s.otp.debug.into(),
            otp::COUNTER_WRAPS => s.otp.counter_wraps.into(),
            otp::SELECT_READ if release::number() >= 28 => s.otp.select_read.into(),
            otp::CONTROLLING_PROCESS => s.owner.map_or(Atom::UNDEFINED.into(), Term::local_pid),
            otp::READ_BUFFER => match s.otp.read_count {
                0 => size(s.otp.read_buffer),
                n => cx.tuple2(size(n), size(s.otp.read_buffer)),
            },
            otp::READ_CONTROL => size(s.otp.read_control),
            otp::WRITE_CONTROL => size(s.otp.write_control),
            otp::DESCRIPTOR => Term::small(s.open_socket().map_or(-1, |fd| i64::from(fd.fd()))),
            otp::META => match &s.otp.meta {
                Some(m) => copy::copy_whole(m.term(), cx.heap()),
                None => Atom::UNDEFINED.into(),
            },
            otp::USE_REGISTRY => s.otp.in_registry.into(),
            otp::DOMAIN => address::domain_term(cx.heap(), s.domain),
            _ => {
                unknown = true;
                Atom::UNDEFINED.into()
            }
        };
        Ok(cx.ok(value))
    })?;
    match unknown {
        true => Err(no_otp_option(cx, number)),
        false => Ok(result),
    }
}
