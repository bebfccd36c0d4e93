//! The drivers of sockets, `tcp_inet`, `udp_inet` and the beginning of `sctp_inet`, as `prim_inet` of the releases uses them.

pub mod address;
pub mod codes;
pub mod control;
pub mod descriptor;
pub mod interfaces;
pub mod messages;
pub mod options;
pub mod sctp;
pub mod services;
pub mod sys;
pub mod tag;
pub mod tcp;
pub mod udp;
