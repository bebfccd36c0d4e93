//! BIFs registered as data next to their code, built-in NIF modules and port drivers.

pub mod args;
pub mod ask;
pub mod dist;
pub mod erlang;
pub mod errno;
pub mod file_name;
pub mod hooks;
pub mod nifs;
pub mod ports;
pub mod table;
