//! Lets native libraries find the functions of their interface in the program, and nothing else of it: the program's own copies of
//! other libraries must not take the place of those that a native library comes with.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rustc-link-arg-bins=-Wl,--export-dynamic-symbol=enif_*");
}
