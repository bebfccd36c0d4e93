//! BIFs registered as data next to their code, built-in NIF modules and port drivers.

pub mod args;
pub mod ask;
pub mod crash_dump;
pub mod dist;
pub mod erlang;
pub mod errno;
pub mod file_name;
pub mod hooks;
pub mod info;
pub mod inventory;
pub mod misc;
pub mod nifs;
pub mod os;
pub mod os_signal;
pub mod ports;
pub mod re;
pub mod system;
pub mod lists;
pub mod maps;
pub mod math;
pub mod atomics;
pub mod ets;
pub mod persistent_term;
pub mod table;
pub mod trace;
pub mod unicode;
