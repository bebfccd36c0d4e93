//! Lets native libraries find the functions of their interface in the program, and nothing else of it: the program's own copies of
//! other libraries must not take the place of those that a native library comes with.

/// Names of the interfaces' functions.
const INTERFACE: &[&str] = &[
    "enif_*",
    "driver_*",
    "erl_drv_*",
    "erl_errno_id",
    "null_func",
    "add_driver_entry",
    "remove_driver_entry",
    "get_port_flags",
    "set_busy_port",
    "set_port_control_flags",
];

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    for symbols in INTERFACE {
        println!("cargo:rustc-link-arg-bins=-Wl,--export-dynamic-symbol={symbols}");
    }
}
