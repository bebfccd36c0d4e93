//! Compiles the functions that only C can define, because they take any number of arguments.

fn main() {
    println!("cargo:rerun-if-changed=src/variadic.c");
    cc::Build::new()
        .file("src/variadic.c")
        .warnings(true)
        .compile("enigma_nif_variadic");
}
