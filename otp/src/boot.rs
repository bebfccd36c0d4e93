//! The files that decide how a system boots, as far as the emulator and its launcher care.
//!
//! Boot scripts are read and run by Erlang code (`init` and `erl_prim_loader`): what a
//! `-boot`, `-boot_var` or `-config` names is their business. The emulator only loads the
//! preloaded modules. This module can tell beforehand which file `init` is going to read,
//! so that an installation without it gets a clear message.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use crate::error::OtpError;
use crate::install::Install;

/// A preloaded module's name and the contents of its `.beam` file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preloaded {
    /// The module.
    pub name: &'static str,
    /// Where it was read.
    pub path: PathBuf,
    /// The file's contents.
    pub beam: Vec<u8>,
}

/// Reads the preloaded modules of an installation, in the order in which they are loaded.
pub fn preloaded(install: &Install) -> Result<Vec<Preloaded>, OtpError> {
    install
        .profile()
        .preloaded
        .iter()
        .map(|name| {
            let path = install.preloaded_file(name);
            let beam = fs::read(&path).map_err(|error| OtpError::io(&path, error))?;
            Ok(Preloaded { name, path, beam })
        })
        .collect()
}

/// The boot file that `init` reads for a `-boot` argument: as it is given when it names a
/// directory part, and in the root's `bin` otherwise; `start` when there is none.
pub fn boot_file(install: &Install, boot: Option<&[u8]>) -> PathBuf {
    let mut name = boot.unwrap_or(b"start").to_vec();
    name.extend_from_slice(b".boot");
    let given = PathBuf::from(OsStr::from_bytes(&name));
    if given.components().count() > 1 || given.is_file() {
        return given;
    }
    install.root.join("bin").join(given)
}

/// The `-boot` argument of a list of init arguments: `init` uses the last one, and only
/// looks at those before `-extra`.
pub fn boot_argument(init_args: &[Vec<u8>]) -> Option<&[u8]> {
    let end = init_args
        .iter()
        .position(|arg| arg == b"-extra")
        .unwrap_or(init_args.len());
    let args = &init_args[..end];
    let at = args.iter().rposition(|arg| arg == b"-boot")?;
    args.get(at + 1)
        .map(Vec::as_slice)
        .filter(|arg| !arg.starts_with(b"-"))
}

/// Whether an installation can boot at all with its default boot file.
pub fn has_default_boot(install: &Install) -> bool {
    Path::is_file(&boot_file(install, None))
}
