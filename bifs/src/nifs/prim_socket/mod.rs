//! The native functions of `prim_socket`, on which OTP's `socket` and `{inet_backend, socket}` are built.
//!
//! A socket is a reference that holds a `Sock`: the descriptor, and who waits for it. A function tries the system call at once. Where
//! that would block the process is noted as the current reader, acceptor or writer, and gets a message when the poller says that the
//! descriptor is ready; it then calls again. Others who want the same meanwhile stand in a queue.

pub mod accept;
pub mod address;
pub mod close;
pub mod connect;
pub mod control;
pub mod info;
pub mod ioctl;
pub mod message;
pub mod monitor;
pub mod multiple;
pub mod open;
pub mod options;
pub mod receive;
pub mod send;
pub mod sendfile;
pub mod service;
pub mod settings;
pub mod sock;
pub mod supports;
pub mod sys;
pub mod terms;
pub mod values;
pub mod waiting;
