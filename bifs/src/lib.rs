//! BIFs registered as data next to their code, built-in NIF modules and port drivers.

pub mod atomics;
pub mod erlang;
pub mod persistent_term;
pub mod table;
