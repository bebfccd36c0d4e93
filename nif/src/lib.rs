//! The interfaces for native libraries in C (`erl_nif.h`, versions 2.0 to 2.18, and `erl_driver.h`): libraries that were compiled for BEAM
//! load unchanged.
//!
//! The program exports the functions of the interface; `api` has them, `c` what they take, `env` where a library's terms are,
//! `library` what is loaded, `load` how; `driver` has all that is for drivers. A term is the VM's own word: a process is not collected while a library's function runs, so
//! what C holds stays valid as long as its environment, without handles.

pub mod api;
pub mod c;
pub mod driver;
pub mod env;
pub mod exports;
pub mod halting;
pub mod library;
pub mod load;
pub mod monitor;
pub mod poller;
pub mod resource;
pub mod resource_type;
pub mod select;

/// Lets the VM load libraries.
pub fn install() {
    enigma_bifs::erlang::code::set_library_loader(load::load);
    enigma_bifs::system::halt::set_halting(halting::halt);
    enigma_runtime::hooks::add_resource_down(monitor::down);
    driver::install();
    std::hint::black_box(exports::FUNCTIONS);
}
