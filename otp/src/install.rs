//! Finding an OTP installation and reading what it is.
//!
//! The order is fixed: `--otp DIR`, the environment variable `ENIGMA_OTP`, `ERL_ROOTDIR`
//! (which the `erl` script of OTP itself obeys), an `erl` on `PATH`, the newest in the
//! cache, and at last fetching one. A directory that was named explicitly must be usable:
//! it is an error if it is not. An `erl` on `PATH` that leads nowhere is passed over.
//!
//! Directories have one of these shapes, all accepted where a directory is named:
//!
//! ```text
//!  ROOT/{erts-VSN,lib,releases,bin}      an installation's own root (code:root_dir())
//!  PREFIX/lib/erlang/...                 an install prefix
//!  TREE/usr/lib/erlang/...               an unpacked package
//!  TREE/root/usr/lib/erlang/...          a fetched tree (see `cache`)
//! ```

use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::cache::Cache;
use crate::error::OtpError;
use crate::fetch;
use crate::profile::{self, Profile};

/// How an installation was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// `--otp DIR`.
    Option,
    /// The named environment variable.
    Variable(&'static str),
    /// The `erl` program at this path, found on `PATH`.
    Path(PathBuf),
    /// It had been fetched before.
    Cache,
    /// It was fetched now.
    Fetched,
    /// The caller named the directory.
    Given,
}

/// A usable installation of a supported release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Install {
    /// ROOTDIR, what `code:root_dir/0` returns.
    pub root: PathBuf,
    /// The OTP release: 25 to 29.
    pub release: u32,
    /// The exact version of OTP as far as the installation tells it, for example `25.2.3`.
    pub otp_version: String,
    /// The version of the runtime system, for example `13.1.5`.
    pub erts_vsn: String,
    /// BINDIR: the helper programs (`inet_gethost`, `erl_child_setup`, `epmd`, ...).
    pub bindir: PathBuf,
    /// The directory of the preloaded modules' `.beam` files.
    pub preloaded: PathBuf,
    /// How it was found.
    pub origin: Origin,
}

impl Install {
    /// Reads the installation at `dir`, which may have any of the shapes above.
    pub fn open(dir: &Path, origin: Origin) -> Result<Install, OtpError> {
        Install::open_with(dir, origin, &[])
    }

    /// As [`Install::open`]. A release that was assembled from parts of an installation
    /// may lack the preloaded modules, which BEAM has inside of itself; they are then
    /// taken from the first of `donors` (roots of installations) of the same version.
    pub fn open_with(dir: &Path, origin: Origin, donors: &[PathBuf]) -> Result<Install, OtpError> {
        let shapes = ["", "lib/erlang", "usr/lib/erlang", "root/usr/lib/erlang"];
        if !dir.is_dir() {
            return Err(OtpError::broken(dir, "there is no such directory"));
        }
        let root = shapes
            .iter()
            .map(|shape| {
                if shape.is_empty() {
                    dir.to_path_buf()
                } else {
                    dir.join(shape)
                }
            })
            .find(|root| !erts_dirs(root).is_empty())
            .ok_or_else(|| OtpError::broken(dir, "it has no erts-* directory"))?;
        let root = fs::canonicalize(&root).map_err(|error| OtpError::io(&root, error))?;
        Install::read(root, origin, donors)
    }

    fn read(root: PathBuf, origin: Origin, donors: &[PathBuf]) -> Result<Install, OtpError> {
        let erts_vsn = pick_erts(&root)
            .ok_or_else(|| OtpError::broken(&root, "it has no erts-* directory"))?;
        let bindir = root.join(format!("erts-{erts_vsn}")).join("bin");
        let release = release_of_erts(&erts_vsn).ok_or_else(|| {
            OtpError::broken(
                &root,
                format!("erts-{erts_vsn} is not a version of the runtime"),
            )
        })?;
        if profile::get(release).is_none() {
            return Err(OtpError::Unsupported {
                dir: root,
                release: release.to_string(),
            });
        }
        for app in ["kernel", "stdlib"] {
            if app_dir(&root, app).is_none() {
                return Err(OtpError::broken(&root, format!("lib/{app}-* is missing")));
            }
        }
        let otp_version = exact_version(&root, release);
        let preloaded = preloaded_dir(&root, &erts_vsn)
            .or_else(|| {
                donors
                    .iter()
                    .find_map(|donor| preloaded_dir(donor, &erts_vsn))
            })
            .ok_or_else(|| {
                OtpError::broken(
                    &root,
                    format!(
                        "the preloaded modules (lib/erts-{erts_vsn}/ebin/init.beam) are \
                         missing, and no other installation of that version is at hand \
                         that could lend them"
                    ),
                )
            })?;
        Ok(Install {
            root,
            release,
            otp_version,
            erts_vsn,
            bindir,
            preloaded,
            origin,
        })
    }

    /// The facts about this installation's release.
    pub fn profile(&self) -> &'static Profile {
        profile::get(self.release).expect("Install::read accepts only releases with a profile")
    }

    /// The directory of the newest version of an application, for example `lib/kernel-8.5.3`.
    pub fn app_dir(&self, app: &str) -> Option<PathBuf> {
        app_dir(&self.root, app)
    }

    /// The file of a preloaded module.
    pub fn preloaded_file(&self, module: &str) -> PathBuf {
        self.preloaded.join(format!("{module}.beam"))
    }

    /// The unpacked package tree that this installation belongs to, when it is not
    /// installed on the machine: shared libraries that its NIF libraries need lie in
    /// `usr/lib` below it.
    pub fn tree(&self) -> Option<PathBuf> {
        let tree = self.root.ancestors().nth(3)?;
        (tree != Path::new("/") && self.root.ends_with("usr/lib/erlang"))
            .then(|| tree.to_path_buf())
    }
}

/// What to look through, in the order of the module's description.
#[derive(Debug, Clone, Default)]
pub struct Search {
    /// The argument of `--otp`.
    pub option: Option<PathBuf>,
    /// The value of `ENIGMA_OTP`.
    pub enigma_otp: Option<PathBuf>,
    /// The value of `ERL_ROOTDIR`.
    pub erl_rootdir: Option<PathBuf>,
    /// The value of `PATH`.
    pub path: Option<OsString>,
    /// The cache of fetched installations.
    pub cache: Option<Cache>,
    /// The running program: an `erl` on `PATH` that is this file is not an OTP.
    pub own_exe: Option<PathBuf>,
    /// Whether to fetch an installation when none is found.
    pub fetch: bool,
}

impl Search {
    /// The search of the command line: everything from this process's environment.
    pub fn from_env(option: Option<PathBuf>, var: impl Fn(&str) -> Option<OsString>) -> Search {
        let dir = |name: &str| {
            var(name)
                .filter(|value| !value.is_empty())
                .map(PathBuf::from)
        };
        Search {
            option,
            enigma_otp: dir("ENIGMA_OTP"),
            erl_rootdir: dir("ERL_ROOTDIR"),
            path: var("PATH"),
            cache: Cache::from_env(&var),
            own_exe: std::env::current_exe().ok(),
            fetch: true,
        }
    }

    /// Runs the search. Fetching tells about its progress on standard error.
    pub fn run(&self) -> Result<Install, OtpError> {
        if let Some(dir) = &self.option {
            return Install::open_with(dir, Origin::Option, &self.donors());
        }
        if let Some(dir) = &self.enigma_otp {
            return Install::open_with(dir, Origin::Variable("ENIGMA_OTP"), &self.donors());
        }
        if let Some(dir) = &self.erl_rootdir {
            return Install::open_with(dir, Origin::Variable("ERL_ROOTDIR"), &self.donors());
        }
        if let Some(install) = self.on_path() {
            return Ok(install);
        }
        if let Some(install) = self.cached() {
            return Ok(install);
        }
        if !self.fetch {
            return Err(OtpError::NotFound);
        }
        let cache = self.cache.as_ref().ok_or_else(|| {
            OtpError::fetch(
                "an OTP",
                "neither HOME nor XDG_CACHE_HOME says where to put it",
            )
        })?;
        let fetched = fetch::fetch(cache, None, fetch::FetchOptions::default())?;
        Install::open(&fetched.dir, Origin::Fetched)
    }

    /// Installations that can lend their preloaded modules.
    fn donors(&self) -> Vec<PathBuf> {
        let cached = self.cache.as_ref().map(Cache::entries).unwrap_or_default();
        let cached = cached
            .into_iter()
            .map(|(_, dir)| dir.join("root/usr/lib/erlang"));
        self.on_path()
            .map(|install| install.root)
            .into_iter()
            .chain(cached)
            .collect()
    }

    fn cached(&self) -> Option<Install> {
        let entries = self.cache.as_ref()?.entries();
        entries
            .into_iter()
            .find_map(|(_, dir)| Install::open(&dir, Origin::Cache).ok())
    }

    fn on_path(&self) -> Option<Install> {
        let own = self
            .own_exe
            .as_deref()
            .and_then(|exe| fs::canonicalize(exe).ok());
        for dir in std::env::split_paths(self.path.as_ref()?) {
            let erl = dir.join("erl");
            let Ok(real) = fs::canonicalize(&erl) else {
                continue;
            };
            if !is_program(&real) || Some(&real) == own.as_ref() || is_enigma(&real) {
                continue;
            }
            if let Some(root) = root_from_program(&real)
                && let Ok(install) = Install::open(&root, Origin::Path(erl))
            {
                return Some(install);
            }
        }
        None
    }
}

/// A copy of Enigma under the name `erl` (not a link to the running file) is a native
/// program, which `erl` of OTP never is on Unix: it is a shell script.
fn is_enigma(program: &Path) -> bool {
    let mut magic = [0u8; 4];
    match fs::File::open(program) {
        Ok(mut file) => {
            use std::io::Read;
            file.read_exact(&mut magic).is_ok() && magic == *b"\x7fELF"
        }
        Err(_) => true,
    }
}

fn is_program(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    fs::metadata(path).is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}

/// The root that an `erl` script (its real path, links followed) belongs to: by its place
/// in an installation, else by the ROOTDIR it sets, else by asking it. Asking is for
/// version managers, whose `erl` is a script that chooses an installation when it runs.
fn root_from_program(erl: &Path) -> Option<PathBuf> {
    // ROOT/bin/erl and ROOT/erts-VSN/bin/erl; on Debian PREFIX/bin/erl is a link to the first.
    for up in [2, 3] {
        if let Some(root) = erl
            .ancestors()
            .nth(up)
            .filter(|root| !erts_dirs(root).is_empty())
        {
            return Some(root.to_path_buf());
        }
    }
    let text = fs::read(erl).ok()?;
    root_from_script(&text)
        .filter(|root| !erts_dirs(root).is_empty())
        .or_else(|| root_by_asking(erl))
}

/// The value of the first assignment to ROOTDIR that names an absolute path.
fn root_from_script(script: &[u8]) -> Option<PathBuf> {
    use std::os::unix::ffi::OsStrExt;
    if !script.starts_with(b"#!") {
        return None;
    }
    script.split(|byte| *byte == b'\n').find_map(|line| {
        let line = line.trim_ascii();
        let line = line.strip_prefix(b"export ").unwrap_or(line);
        let value = line.strip_prefix(b"ROOTDIR=")?;
        let value = match value.first()? {
            quote @ (b'"' | b'\'') => value[1..].split(|byte| byte == quote).next()?,
            _ => value
                .split(|byte| byte.is_ascii_whitespace() || *byte == b';')
                .next()?,
        };
        let plain = value.starts_with(b"/") && !value.contains(&b'$') && !value.contains(&b'`');
        plain.then(|| PathBuf::from(OsStr::from_bytes(value)))
    })
}

/// Set for a program that is being asked for its root. Should it turn out to be Enigma,
/// it must answer with an error instead of asking again.
pub const PROBE_VARIABLE: &str = "ENIGMA_PROBE";

fn root_by_asking(erl: &Path) -> Option<PathBuf> {
    use std::os::unix::ffi::OsStringExt;
    let mut child = Command::new(erl)
        .args(["-noinput", "-boot", "start_clean", "-eval"])
        .arg("io:put_chars([$\\n,\"root:\",code:root_dir(),$\\n]), halt().")
        .env(PROBE_VARIABLE, "1")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    let started = Instant::now();
    loop {
        match child.try_wait() {
            Ok(Some(_)) => break,
            Ok(None) if started.elapsed() < Duration::from_secs(20) => {
                std::thread::sleep(Duration::from_millis(10));
            }
            _ => {
                let _ = child.kill();
                let _ = child.wait();
                return None;
            }
        }
    }
    let output = child.wait_with_output().ok()?.stdout;
    let line = output
        .split(|byte| *byte == b'\n')
        .find_map(|line| line.strip_prefix(b"root:"))?;
    Some(PathBuf::from(OsString::from_vec(line.to_vec())))
}

/// The versions of the `erts-*` directories with helper programs in `root`.
fn erts_dirs(root: &Path) -> Vec<String> {
    let Ok(listing) = fs::read_dir(root) else {
        return Vec::new();
    };
    listing
        .filter_map(|entry| {
            let entry = entry.ok()?;
            let name = entry.file_name().into_string().ok()?;
            let version = name.strip_prefix("erts-")?;
            entry
                .path()
                .join("bin")
                .is_dir()
                .then(|| version.to_owned())
        })
        .collect()
}

/// The runtime version in use: what `releases/start_erl.data` names when it is there,
/// else the highest.
fn pick_erts(root: &Path) -> Option<String> {
    let versions = erts_dirs(root);
    let started = fs::read_to_string(root.join("releases/start_erl.data")).ok();
    started
        .as_deref()
        .and_then(|text| text.split_whitespace().next())
        .filter(|named| versions.iter().any(|version| version == named))
        .map(str::to_owned)
        .or_else(|| {
            versions
                .into_iter()
                .max_by_key(|version| version_key(version))
        })
}

/// Orders version strings by their numbers.
fn version_key(version: &str) -> Vec<u64> {
    version
        .split(|c: char| !c.is_ascii_digit())
        .map(|part| part.parse().unwrap_or(0))
        .collect()
}

/// The OTP release of a runtime version: the two have moved in step since OTP 17 (erts 5.x
/// and 6.x apart): 13 is OTP 25, 14 is OTP 26 and so on.
fn release_of_erts(version: &str) -> Option<u32> {
    let major: u32 = version.split('.').next()?.parse().ok()?;
    major.checked_add(12)
}

/// The exact OTP version, or the bare release number where the installation has no file
/// that tells more (a release made by a user may have none).
fn exact_version(root: &Path, release: u32) -> String {
    fs::read_to_string(root.join(format!("releases/{release}/OTP_VERSION")))
        .ok()
        .map(|text| text.trim().trim_end_matches("**").to_owned())
        .filter(|version| version.split('.').next() == Some(release.to_string().as_str()))
        .unwrap_or_else(|| release.to_string())
}

fn preloaded_dir(root: &Path, erts_vsn: &str) -> Option<PathBuf> {
    [
        format!("lib/erts-{erts_vsn}/ebin"),
        format!("erts-{erts_vsn}/ebin"),
    ]
    .iter()
    .map(|dir| root.join(dir))
    .find(|dir| dir.join("init.beam").is_file() && dir.join("erlang.beam").is_file())
}

fn app_dir(root: &Path, app: &str) -> Option<PathBuf> {
    let prefix = format!("{app}-");
    fs::read_dir(root.join("lib"))
        .ok()?
        .filter_map(|entry| {
            let entry = entry.ok()?;
            let name = entry.file_name().into_string().ok()?;
            let version = if name == app {
                ""
            } else {
                name.strip_prefix(&prefix)?
            };
            let numeric = version.is_empty() || version.starts_with(|c: char| c.is_ascii_digit());
            (numeric && entry.path().join("ebin").is_dir())
                .then(|| (version_key(version), entry.path()))
        })
        .max()
        .map(|(_, path)| path)
}

#[cfg(test)]
mod tests;
