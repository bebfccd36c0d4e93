//! Built-in native libraries, in the modules of OTP whose bodies call for them.

pub mod prim_buffer;
pub mod prim_file;
pub mod prim_net;
pub mod prim_socket;
pub mod prim_tty;
pub mod zlib;
pub mod zstd;
