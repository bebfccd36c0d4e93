//! Finds or fetches an OTP installation and holds, as data, what differs between releases.
#![forbid(unsafe_code)]
