//! Tells the interpreter whether calls in tail position become jumps: LLVM makes them at these levels.

fn main() {
    println!("cargo:rustc-check-cfg=cfg(threaded)");
    println!("cargo:rerun-if-changed=build.rs");
    if matches!(std::env::var("OPT_LEVEL").as_deref(), Ok("2" | "3")) {
        println!("cargo:rustc-cfg=threaded");
    }
}
