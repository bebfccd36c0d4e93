//! The native tier: verified BEAM instructions become SSA form, pass by pass better code, and machine code by Cranelift.

pub mod build;
pub mod census;
pub mod ir;
pub mod lower;
pub mod memory;
pub mod observe;
pub mod passes;
pub mod pattern;
pub mod stages;
pub mod tier;
