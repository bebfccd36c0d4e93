//! The functions of the interface, as `erl_driver.h` declares them and OTP's documentation of `erl_driver` describes them.

pub mod calls;
pub mod drivers;
pub mod memory;
pub mod output;
pub mod ports;
pub mod queues;
pub mod shared;
