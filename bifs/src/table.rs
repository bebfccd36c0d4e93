//! All BIFs: the tables of the files that hold them, in one place.
//!
//! Every file of this crate that implements BIFs has a table `BIFS` next to its code, made with the
//! `bifs!` macro. This list of tables is what the VM registers at start.

use enigma_runtime::atom::Atom;
use enigma_runtime::bif::Bif;
use enigma_runtime::code::export;

/// Makes the table of a file: `bifs! { BIFS: "module" { "function"/arity kind => rust_function; ... } ... }`.
/// Kinds are those of `enigma_runtime::bif::Kind`.
#[macro_export]
macro_rules! bifs {
    ($name:ident: $($module:literal { $($function:literal / $arity:literal $kind:ident => $run:path;)* })*) => {
        /// The BIFs of this file.
        pub static $name: &[enigma_runtime::bif::Bif] = &[
            $($(enigma_runtime::bif::Bif {
                module: $module,
                function: $function,
                arity: $arity,
                kind: enigma_runtime::bif::Kind::$kind,
                run: $run,
            },)*)*
        ];
    };
}

/// The tables.
pub static TABLES: &[&[Bif]] = &[
    crate::dist::BIFS,
    crate::erlang::code::BIFS,
    crate::erlang::message::BIFS,
    crate::erlang::process::BIFS,
    crate::erlang::raise::BIFS,
    crate::erlang::relations::BIFS,
    crate::erlang::spawn::BIFS,
    crate::erlang::time::BIFS,
    crate::info::BIFS,
    crate::erlang::calendar::BIFS,
    crate::misc::BIFS,
    crate::nifs::prim_buffer::BIFS,
    crate::nifs::prim_file::BIFS,
    crate::nifs::prim_tty::BIFS,
    crate::os::BIFS,
    crate::ports::bifs::BIFS,
    crate::system::BIFS,
    crate::trace::BIFS,
    crate::unicode::BIFS,
    crate::erlang::etf::BIFS,
    crate::erlang::convert::BIFS,
    crate::erlang::display::BIFS,
    crate::erlang::guard::BIFS,
    crate::erlang::term::BIFS,
    crate::lists::BIFS,
    crate::maps::BIFS,
    crate::math::BIFS,
    crate::erlang::BIFS,
    crate::erlang::iolist::BIFS,
    crate::ets::BIFS,
    crate::persistent_term::BIFS,
    crate::re::BIFS,
    crate::atomics::BIFS,
];

/// Puts all BIFs behind their export entries; to be called once, before any code is loaded.
pub fn register() {
    for b in TABLES.iter().copied().flatten() {
        export::get(Atom::new(b.module), Atom::new(b.function), u32::from(b.arity)).set_bif(b);
    }
}
