//! The files that decide how a system boots, as far as the emulator and its launcher care.
//!
//! Boot scripts are read and run by Erlang code (`init` and `erl_prim_loader`): what a
//! `-boot`, `-boot_var` or `-config` names is their business. The emulator only loads the
//! preloaded modules. This module can tell beforehand which file `init` is going to read,
//! so that an installation without it gets a clear message.

use std::ffi::OsString;
use std::fs;
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;

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

/// The boot file that `init` reads for a `-boot` argument: the file of that name in the
/// current directory (or wherever the name leads) when there is one, else the one in the
/// root's `bin`. `start` is the default.
pub fn boot_file(install: &Install, boot: Option<&[u8]>) -> PathBuf {
    let bin = install.root.join("bin");
    let Some(name) = boot else {
        return bin.join("start.boot");
    };
    let file = OsString::from_vec([name, b".boot"].concat());
    let given = PathBuf::from(&file);
    if given.is_file() {
        return given;
    }
    // An absolute name goes below `bin` as well, as text is put together there.
    let mut below = bin.into_os_string();
    below.push("/");
    below.push(file);
    PathBuf::from(below)
}

/// The argument of the first `-boot` of a list of arguments for `init`, before `-extra`.
pub fn boot_argument(init_args: &[Vec<u8>]) -> Option<&[u8]> {
    let end = init_args
        .iter()
        .position(|arg| arg == b"-extra")
        .unwrap_or(init_args.len());
    let args = &init_args[..end];
    let at = args.iter().position(|arg| arg == b"-boot")?;
    args.get(at + 1)
        .map(Vec::as_slice)
        .filter(|arg| !arg.starts_with(b"-"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::install::Origin;
    use crate::testing::Scratch;

    #[test]
    fn finds_what_init_finds() {
        let scratch = Scratch::new();
        let root = scratch.otp("otp", "13.1", "25.1");
        let install = Install::open(&root, Origin::Given).expect("an installation");
        let file = |boot: Option<&str>| boot_file(&install, boot.map(str::as_bytes));
        assert_eq!(file(None), root.join("bin/start.boot"));
        assert_eq!(file(Some("start_clean")), root.join("bin/start_clean.boot"));
        let given = scratch.file("rel/x.boot", "");
        let name = scratch.0.join("rel/x").display().to_string();
        assert_eq!(file(Some(&name)), given);
        assert_eq!(
            file(Some("/absent/x")).as_os_str(),
            format!("{}/bin//absent/x.boot", root.display()).as_str()
        );
    }

    #[test]
    fn reads_the_boot_argument() {
        let boot = |line: &str| {
            let args: Vec<Vec<u8>> = line.split(' ').map(|arg| arg.as_bytes().to_vec()).collect();
            boot_argument(&args).map(|arg| String::from_utf8_lossy(arg).into_owned())
        };
        assert_eq!(boot("-root /r -- -boot a -boot b").as_deref(), Some("a"));
        assert_eq!(boot("-x -extra -boot a"), None);
        assert_eq!(boot("-boot -x"), None);
        assert_eq!(boot("-boot"), None);
    }

    #[test]
    fn reads_the_preloaded_modules_in_order() {
        let scratch = Scratch::new();
        let root = scratch.otp("otp", "13.1", "25.1");
        let install = Install::open(&root, Origin::Given).expect("an installation");
        let missing = preloaded(&install)
            .expect_err("most are missing")
            .to_string();
        assert!(
            missing.contains("lib/erts-13.1/ebin/erts_code_purger.beam"),
            "{missing}"
        );
        for module in install.profile().preloaded {
            scratch.file(&format!("otp/lib/erts-13.1/ebin/{module}.beam"), module);
        }
        let modules = preloaded(&install).expect("all of them");
        let names: Vec<&str> = modules.iter().map(|module| module.name).collect();
        assert_eq!(names, install.profile().preloaded);
        assert!(
            modules
                .iter()
                .all(|module| module.beam == module.name.as_bytes())
        );
    }
}
