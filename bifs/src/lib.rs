//! BIFs registered as data next to their code, built-in NIF modules and port drivers.

pub mod erlang;
pub mod lists;
pub mod maps;
pub mod math;
pub mod table;
