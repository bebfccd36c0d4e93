//! All BIFs: the tables of the files that hold them, in one place.
//!
//! Every file of this crate that implements BIFs has a table `BIFS` next to its code, made with the
//! `bifs!` macro. This list of tables is what the VM registers at start.

use crate::inventory;
use enigma_runtime::atom::Atom;
use enigma_runtime::bif::Bif;
use enigma_runtime::code::export;
use std::collections::HashSet;

/// Makes the table of a file: `bifs! { BIFS: "module" { "function"/arity kind => rust_function; ... } ... }`.
/// Kinds are those of `enigma_runtime::bif::BifKind`. A row may say what is known of the BIF's calls, by the names of
/// `enigma_runtime::bif::CallFacts` and of `enigma_runtime::term::types::TermTypes`: `=> rust_function, pure SMALL | NIL;`.
#[macro_export]
macro_rules! bifs {
    (@facts) => { enigma_runtime::bif::CallFacts::UNKNOWN };
    (@facts $facts:ident $($type:ident)+) => {
        enigma_runtime::bif::CallFacts::$facts(
            enigma_runtime::term::types::TermTypes::NONE
                $(.or(enigma_runtime::term::types::TermTypes::$type))+
        )
    };
    ($name:ident: $($module:literal {
        $($function:literal / $arity:literal $kind:ident => $run:path $(, $facts:ident $($type:ident)|+)?;)*
    })*) => {
        /// The BIFs of this file.
        pub static $name: &[enigma_runtime::bif::Bif] = &[
            $($(enigma_runtime::bif::Bif {
                module: $module,
                function: $function,
                arity: $arity,
                kind: enigma_runtime::bif::BifKind::$kind,
                facts: $crate::bifs!(@facts $($facts $($type)+)?),
                run: $run,
            },)*)*
        ];
    };
}

/// The tables.
pub static TABLES: &[&[Bif]] = &[
    crate::debug::dirty::BIFS,
    crate::debug::set_state::BIFS,
    crate::debug::state::BIFS,
    crate::debug::terms::BIFS,
    crate::dist::channel::BIFS,
    crate::dist::nodes::BIFS,
    crate::dist::spawn::BIFS,
    crate::erl_ddll::BIFS,
    crate::erlang::code::BIFS,
    crate::erlang::message::BIFS,
    crate::erlang::purge::BIFS,
    crate::erlang::system_task::BIFS,
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
    crate::nifs::prim_net::BIFS,
    crate::nifs::prim_socket::accept::BIFS,
    crate::nifs::prim_socket::close::BIFS,
    crate::nifs::prim_socket::connect::BIFS,
    crate::nifs::prim_socket::info::BIFS,
    crate::nifs::prim_socket::ioctl::BIFS,
    crate::nifs::prim_socket::multiple::BIFS,
    crate::nifs::prim_socket::open::BIFS,
    crate::nifs::prim_socket::options::BIFS,
    crate::nifs::prim_socket::receive::BIFS,
    crate::nifs::prim_socket::send::BIFS,
    crate::nifs::prim_socket::sendfile::BIFS,
    crate::nifs::prim_socket::supports::BIFS,
    crate::nifs::prim_tty::BIFS,
    crate::nifs::prim_tty::CAPABILITY,
    crate::nifs::prim_tty::CHARS,
    crate::nifs::prim_tty::INPUT,
    crate::nifs::prim_tty::OUTPUT,
    crate::nifs::zlib::BIFS,
    crate::nifs::zstd::BIFS,
    crate::os::BIFS,
    crate::packet::decode::BIFS,
    crate::ports::bifs::BIFS,
    crate::system::flags::BIFS,
    crate::system::halt::BIFS,
    crate::system::info::BIFS,
    crate::system::load::BIFS,
    crate::system::monitor::BIFS,
    crate::system::statistics::BIFS,
    crate::system::topology::BIFS,
    crate::trace::BIFS,
    crate::unicode::BIFS,
    crate::erlang::etf::BIFS,
    crate::erlang::digest::BIFS,
    crate::erlang::convert::BIFS,
    crate::erlang::display::BIFS,
    crate::erlang::guard::BIFS,
    crate::erlang::term::BIFS,
    crate::lists::BIFS,
    crate::maps::BIFS,
    crate::math::BIFS,
    crate::records::BIFS,
    crate::erlang::bitstring::BIFS,
    crate::erlang::iolist::BIFS,
    crate::erlang::list::BIFS,
    crate::ets::BIFS,
    crate::persistent_term::BIFS,
    crate::re::BIFS,
    crate::atomics::BIFS,
    crate::binary::BIFS,
    crate::binary::search::BIFS,
];

/// Puts the BIFs of an OTP release behind their export entries; to be called once, before any code is
/// loaded. Of releases that the inventory does not know the next newer one counts.
pub fn register(release: u32) {
    let release = inventory::RELEASES
        .into_iter()
        .find(|&r| r >= release)
        .unwrap_or(29);
    let absent: HashSet<(&str, &str, u32)> = inventory::not_in(release)
        .map(|b| (b.module, b.function, b.arity))
        .collect();
    for b in TABLES.iter().copied().flatten() {
        if absent.contains(&(b.module, b.function, u32::from(b.arity))) {
            continue;
        }
        export::get(
            Atom::new(b.module),
            Atom::new(b.function),
            u32::from(b.arity),
        )
        .set_bif(b);
    }
}

/// Is there a BIF with this name?
pub fn has(module: &str, function: &str, arity: u32) -> bool {
    let same =
        |b: &&Bif| b.module == module && b.function == function && u32::from(b.arity) == arity;
    TABLES.iter().copied().flatten().any(|b| same(&b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_bif_has_one_row() {
        let mut seen = HashSet::new();
        for b in TABLES.iter().copied().flatten() {
            let name = (b.module, b.function, b.arity);
            assert!(seen.insert(name), "{name:?} has two rows");
        }
    }
}
