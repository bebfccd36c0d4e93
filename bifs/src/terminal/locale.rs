//! What the C library says of characters in the user's locale.
//!
//! The widths are the C library's and no table of our own: BEAM asks it too, and line editing must agree with what
//! other programs on the same machine assume of the same terminal.

use std::ffi::CStr;

unsafe extern "C" {
    fn wcwidth(c: libc::wchar_t) -> libc::c_int;
    fn wcswidth(s: *const libc::wchar_t, n: libc::size_t) -> libc::c_int;
}

/// Takes the kinds of characters over from the environment's locale. Does it say UTF-8?
pub fn set_from_environment() -> bool {
    // SAFETY: the strings end in a zero. Nothing of the VM depends on the locale of characters but the functions
    // of this module, and the C library's own lock guards the change.
    unsafe {
        if libc::setlocale(libc::LC_CTYPE, c"".as_ptr()).is_null() {
            return false;
        }
        let codeset = libc::nl_langinfo(libc::CODESET);
        !codeset.is_null() && CStr::from_ptr(codeset) == c"UTF-8"
    }
}

/// Columns that a character takes; nothing if it cannot be printed.
pub fn width(c: libc::wchar_t) -> Option<u32> {
    // SAFETY: any number may be asked for.
    u32::try_from(unsafe { wcwidth(c) }).ok()
}

/// Columns that a string takes, up to its end or a zero; nothing if any of it cannot be printed.
pub fn string_width(chars: &[libc::wchar_t]) -> Option<u32> {
    // SAFETY: the function reads no more than that many characters.
    u32::try_from(unsafe { wcswidth(chars.as_ptr(), chars.len()) }).ok()
}

/// Can a byte be printed by itself?
pub fn is_printable(byte: u8) -> bool {
    // SAFETY: every value of a byte is in the table that the function looks into.
    unsafe { libc::isprint(libc::c_int::from(byte)) != 0 }
}
