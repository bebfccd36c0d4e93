//! Differential tests: Erlang programs run on Enigma and on BEAM, compared
//! line by line.
//!
//! A *suite* is one module under `erl/`; `diff_driver.erl` runs its cases and
//! prints one line for each. The same compiled file runs on both machines, so
//! whatever differs is the machine's doing. BEAM's lines are cached by
//! content, because they do not change between runs.
#![forbid(unsafe_code)]

pub mod bench;
pub mod cache;
pub mod cli;
pub mod cold;
pub mod command;
pub mod diff;
pub mod expected;
pub mod generate;
pub mod imports;
pub mod machine;
pub mod oracle;
pub mod plain;
pub mod proc;
pub mod pty;
pub mod report;
pub mod suite;
