//! Names of services and of the host.

use parking_lot::Mutex;
use std::ffi::{CStr, CString};

/// The library's functions keep what they find in one place.
static LIBRARY: Mutex<()> = Mutex::new(());

/// The name of a protocol for the library; an empty one stands for any.
fn pointer(protocol: &CStr) -> *const std::ffi::c_char {
    match protocol.is_empty() {
        true => std::ptr::null(),
        false => protocol.as_ptr(),
    }
}

/// The port of a service; an empty protocol stands for any.
pub fn port(name: &[u8], protocol: &[u8]) -> Option<u16> {
    let name = CString::new(name).ok()?;
    let protocol = CString::new(protocol).ok()?;
    let _alone = LIBRARY.lock();
    // SAFETY: both strings end in zero; what is found is looked at before anybody else asks.
    unsafe {
        let found = libc::getservbyname(name.as_ptr(), pointer(&protocol)).as_ref()?;
        Some(u16::from_be(found.s_port as u16))
    }
}

/// The service of a port.
pub fn name(port: u16, protocol: &[u8]) -> Option<Vec<u8>> {
    let protocol = CString::new(protocol).ok()?;
    let _alone = LIBRARY.lock();
    // SAFETY: as in `port`.
    unsafe {
        let port = i32::from(port.to_be());
        let found = libc::getservbyport(port, pointer(&protocol)).as_ref()?;
        Some(CStr::from_ptr(found.s_name).to_bytes().to_vec())
    }
}

/// The host's name.
pub fn host() -> std::io::Result<Vec<u8>> {
    let mut name = [0u8; 256];
    // SAFETY: the memory is as long as it says, less one byte so that a zero is behind the name.
    let done = unsafe { libc::gethostname(name.as_mut_ptr().cast(), name.len() - 1) };
    if done != 0 {
        return Err(std::io::Error::last_os_error());
    }
    let end = name.iter().position(|&b| b == 0).unwrap_or(name.len());
    Ok(name[..end].to_vec())
}
