//! The `enigma` executable.

fn main() {}
