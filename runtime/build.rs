//! Tells the code what it is compiled for:
//!
//! - `threaded`: calls in tail position become jumps. LLVM makes them at these levels, but not behind what the
//!   thread sanitizer puts at the end of each function.
//! - `model`, from the command line: the tests in `models` are run by a model checker.
//! - `sanitized`: a sanitizer watches memory, so it has to come from the system's allocator.

fn main() {
    println!("cargo:rustc-check-cfg=cfg(threaded)");
    println!("cargo:rustc-check-cfg=cfg(sanitized)");
    println!("cargo:rustc-check-cfg=cfg(model)");
    println!("cargo:rerun-if-changed=build.rs");
    let sanitizer = std::env::var("CARGO_CFG_SANITIZE").unwrap_or_default();
    if !sanitizer.is_empty() {
        println!("cargo:rustc-cfg=sanitized");
    }
    let optimized = matches!(std::env::var("OPT_LEVEL").as_deref(), Ok("2" | "3"));
    if optimized && sanitizer != "thread" {
        println!("cargo:rustc-cfg=threaded");
    }
}
