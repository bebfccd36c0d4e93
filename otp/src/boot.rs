//! The files that decide how a system boots, as far as the emulator and its launcher care.
//!
//! Boot scripts are read and run by Erlang code (`init` and `erl_prim_loader`): what a
//! `-boot`, `-boot_var` or `-config` names is their business. The emulator only loads the
//! preloaded modules. This module can tell beforehand which file `init` is going to read,
//! so that an installation without it gets a clear message.

use std::fs;
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::install::Origin;
    use crate::testing::Scratch;

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
