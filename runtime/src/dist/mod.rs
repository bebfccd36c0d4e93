//! Distribution: what this node and others tell each other.
//!
//! ```text
//! a BIF, an exit, a dying process
//!   | operations     signals to processes of other nodes
//!   | nodes          the node's entry: idle, pending (signals wait), connected
//!   | connection     what waits to go out; who waits because there is too much
//!   | outgoing       the order of what goes out
//!   | packet         control message and payload in bytes, header of atoms, pieces
//!   v transport      a port, or a process that asks for data
//!
//!   ^ incoming       signals for processes of this node
//! ```
//!
//! Connections are made by Erlang code (`net_kernel`, `dist_util`): it does the handshake over a socket and hands the
//! socket over (`nodes::connect`). What a process of this node has to do with one of another node (links, monitors,
//! requests to spawn) is kept by the process as always, and in the connection's tables too (`relations`), so that all of
//! it ends with the connection.

pub mod atom_cache;
pub mod connection;
pub mod control;
pub mod flags;
pub mod incoming;
pub mod nodes;
pub mod operations;
pub mod packet;
pub mod relations;
pub mod send_queue;
pub mod watch;
