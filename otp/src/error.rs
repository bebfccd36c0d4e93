//! Errors about OTP installations: each says what is wrong and what to do about it.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use crate::profile::{NEWEST, OLDEST};

/// Why no usable OTP installation could be had.
#[derive(Debug)]
pub enum OtpError {
    /// A directory that was asked for is not an OTP installation, or a damaged one.
    Broken {
        /// The directory that was looked at.
        dir: PathBuf,
        /// What is missing or wrong.
        reason: String,
    },
    /// A complete installation of a release that Enigma does not support.
    Unsupported {
        /// The installation's root.
        dir: PathBuf,
        /// The release found there.
        release: String,
    },
    /// Nothing was found and fetching was not asked for.
    NotFound,
    /// Fetching is not possible on this machine, or it failed.
    Fetch {
        /// What was tried.
        what: String,
        /// Why it failed, with the tool's own last words where there are any.
        reason: String,
    },
    /// An operation on a file failed.
    Io {
        /// The file or directory.
        path: PathBuf,
        /// The system's error.
        error: io::Error,
    },
}

impl OtpError {
    pub(crate) fn broken(dir: &Path, reason: impl Into<String>) -> OtpError {
        OtpError::Broken {
            dir: dir.to_path_buf(),
            reason: reason.into(),
        }
    }

    pub(crate) fn io(path: &Path, error: io::Error) -> OtpError {
        OtpError::Io {
            path: path.to_path_buf(),
            error,
        }
    }

    pub(crate) fn fetch(what: impl Into<String>, reason: impl Into<String>) -> OtpError {
        OtpError::Fetch {
            what: what.into(),
            reason: reason.into(),
        }
    }
}

/// The advice at the end of every message about a missing OTP.
const ADVICE: &str = "install Erlang/OTP (on Debian and Ubuntu: the package `erlang`), \
     or name an installation with --otp DIR or the environment variable ENIGMA_OTP";

impl fmt::Display for OtpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            OtpError::Broken { dir, reason } => {
                write!(
                    f,
                    "{} is not a usable OTP installation: {reason}",
                    dir.display()
                )
            }
            OtpError::Unsupported { dir, release } => write!(
                f,
                "{} holds OTP {release}, but only the releases {OLDEST} to {NEWEST} are supported",
                dir.display()
            ),
            OtpError::NotFound => write!(f, "no OTP installation was found; {ADVICE}"),
            OtpError::Fetch { what, reason } => {
                // A tool's own words come on lines of their own.
                let joint = if reason.contains('\n') { "\n" } else { "; " };
                write!(f, "cannot obtain {what}: {reason}{joint}{ADVICE}")
            }
            OtpError::Io { path, error } => write!(f, "{}: {error}", path.display()),
        }
    }
}

impl std::error::Error for OtpError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            OtpError::Io { error, .. } => Some(error),
            _ => None,
        }
    }
}
