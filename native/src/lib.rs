//! Native libraries of Erlang modules in Rust, with safe types over the interface in C (`erl_nif.h`).
//!
//! A library is a crate of type `cdylib`, which Enigma and BEAM (OTP 25 and on) load with `erlang:load_nif/2` as any other one. It
//! declares its functions with `library!`; a function takes the environment of the call and its arguments:
//!
//! ```ignore
//! use enigma_native::{Answer, Call, Term};
//!
//! fn add<'e>(call: Call<'e>, [a, b]: [Term<'e>; 2]) -> Answer<'e> {
//!     let sum = a.to::<i64>()?.checked_add(b.to()?);
//!     Ok(call.make(sum.unwrap_or(0)))
//! }
//! ```
//!
//! - `Term`, `Env`: terms and where they are. A term cannot leave its environment, nor be built into a term of another one: their
//!   lifetimes differ. `OwnedTerm` has an environment of its own, to be kept, or sent from any thread.
//! - `Decode`, `Encode`: integers, floats, booleans, texts, lists, tuples as values of Rust.
//! - `Binary` shows the bytes of a binary where they are, `OwnedBinary` and `Shared::binary` make binaries of bytes that are not copied.
//! - `Resource`, `ResourceType`, `Shared`: values of Rust that Erlang holds, with destructors, monitors, descriptors to be waited for.
//! - `Leave`: errors, and functions that are called in another one's place; `On`: which scheduler runs a function.
//!
//! A panic is the error `{panic, Message}` of the call. `examples/words.rs` uses all of it.
//!
//! Where a linker insists that all symbols be found (macOS), the library is linked with `-undefined dynamic_lookup`.

mod atom;
mod binary;
#[doc(hidden)]
pub mod call;
mod convert;
mod env;
#[doc(hidden)]
pub mod library;
mod map;
mod process;
mod resource;
mod select;
#[doc(hidden)]
pub mod sys;
mod term;

pub use atom::Atom;
pub use binary::{Binary, OwnedBinary};
pub use call::{Answer, Leave, NativeFunction, On, Scheduled};
pub use convert::{Decode, Encode};
pub use env::{Call, Env, Host};
pub use library::{Function, Library, LoadError};
pub use map::Pairs;
pub use process::{OwnedTerm, Pid, SendError};
pub use resource::{Monitor, Openable, Resource, ResourceType, Shared};
pub use select::{Interest, SelectError};
pub use term::{BadTerm, Kind, List, Term};
