//! Directories made for tests.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

/// A directory of its own for one test, removed at its end.
pub struct Scratch(pub PathBuf);

impl Scratch {
    /// A new, empty directory.
    pub fn new() -> Scratch {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let dir = std::env::temp_dir().join(format!("enigma-otp-{}-{number}", std::process::id()));
        let _ = fs::remove_dir_all(&dir);
        fs::create_dir_all(&dir).expect("a scratch directory");
        Scratch(fs::canonicalize(dir).expect("its real path"))
    }

    /// Writes a file.
    pub fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.join(name);
        fs::create_dir_all(path.parent().expect("a parent")).expect("directories");
        fs::write(&path, text).expect("a file");
        path
    }

    /// Writes an executable file.
    pub fn program(&self, name: &str, text: &str) -> PathBuf {
        let path = self.file(name, text);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("permissions");
        path
    }

    /// Writes the skeleton of an installation below `at`.
    pub fn otp(&self, at: &str, erts: &str, version: &str) -> PathBuf {
        let release = version.split('.').next().expect("a release");
        for file in [
            format!("erts-{erts}/bin/erlexec"),
            format!("lib/erts-{erts}/ebin/init.beam"),
            format!("lib/erts-{erts}/ebin/erlang.beam"),
            "lib/kernel-1.2/ebin/kernel.app".to_owned(),
            "lib/stdlib-9.8/ebin/stdlib.app".to_owned(),
            "lib/stdlib-10.1/ebin/stdlib.app".to_owned(),
        ] {
            self.file(&format!("{at}/{file}"), "");
        }
        self.file(
            &format!("{at}/releases/{release}/OTP_VERSION"),
            &format!("{version}\n"),
        );
        self.file(
            &format!("{at}/releases/start_erl.data"),
            &format!("{erts} {release}\n"),
        );
        self.0.join(at)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
