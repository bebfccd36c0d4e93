//! Finds or fetches an OTP installation and holds, as data, what differs between releases.
//!
//! * [`install`] finds an installation and reads what it is;
//! * [`cache`] says where fetched installations are kept;
//! * [`fetch`] unpacks one from the distribution's packages, without root;
//! * [`profile`] is the table of facts about each supported release;
//! * [`boot`] resolves the files that the emulator itself reads at boot.
//!
//! The crate knows nothing about terms, processes or the command line.
#![forbid(unsafe_code)]

pub mod boot;
pub mod cache;
pub mod error;
pub mod fetch;
pub mod install;
pub mod profile;
#[cfg(test)]
mod testing;

pub use error::OtpError;
pub use install::{Install, Origin, Search};
pub use profile::Profile;
