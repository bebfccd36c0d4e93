//! Driving apt with a private state, and `dpkg-deb`.

use std::env;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use super::sources::PackageSource;
use crate::error::OtpError;

/// The programs that fetching needs.
#[derive(Debug, Clone)]
pub struct Tools {
    apt_get: PathBuf,
    apt_cache: PathBuf,
    apt_config: Option<PathBuf>,
    dpkg_deb: PathBuf,
}

impl Tools {
    /// Looks for them in the directories of `path`.
    pub fn find(path: &OsStr) -> Result<Tools, OtpError> {
        let on_path = |name: &str| {
            env::split_paths(path)
                .map(|dir| dir.join(name))
                .find(|file| file.is_file())
        };
        let needed = |name: &str| {
            on_path(name).ok_or_else(|| {
                OtpError::fetch(
                    "an OTP",
                    format!(
                        "the program {name} is not on PATH (packages can be fetched on \
                         Debian and its relatives only)"
                    ),
                )
            })
        };
        Ok(Tools {
            apt_get: needed("apt-get")?,
            apt_cache: needed("apt-cache")?,
            apt_config: on_path("apt-config"),
            dpkg_deb: needed("dpkg-deb")?,
        })
    }

    /// `apt-config`, when it is there.
    pub fn apt_config(&self) -> Option<&Path> {
        self.apt_config.as_deref()
    }
}

/// apt with a state directory of its own.
#[derive(Debug)]
pub struct Apt<'a> {
    tools: &'a Tools,
    dir: PathBuf,
    suite: String,
    options: Vec<OsString>,
}

impl<'a> Apt<'a> {
    /// Lays out the private state below `work`, with `source` as the only source.
    pub fn new(tools: &'a Tools, work: &Path, source: &PackageSource) -> Result<Apt<'a>, OtpError> {
        let dir = work.join("apt");
        for sub in [
            "lists/partial",
            "cache/archives/partial",
            "sources",
            "preferences",
        ] {
            let sub = dir.join(sub);
            fs::create_dir_all(&sub).map_err(|error| OtpError::io(&sub, error))?;
        }
        let write = |name: &str, text: &str| {
            let path = dir.join(name);
            fs::write(&path, text).map_err(|error| OtpError::io(&path, error))
        };
        write("status", "")?;
        write("sources/otp.sources", &source.stanza())?;
        let place = |key: &str, sub: &str| {
            let mut option = OsString::from(format!("{key}="));
            option.push(dir.join(sub));
            option
        };
        let settings = vec![
            "Dir::Etc::sourcelist=/dev/null".into(),
            place("Dir::Etc::sourceparts", "sources"),
            "Dir::Etc::preferences=/dev/null".into(),
            place("Dir::Etc::preferencesparts", "preferences"),
            place("Dir::State::lists", "lists"),
            place("Dir::State::status", "status"),
            place("Dir::State::extended_states", "extended_states"),
            place("Dir::Cache", "cache"),
            place("Dir::Cache::archives", "cache/archives"),
            // Only the package index is of use.
            "Acquire::Languages=none".into(),
            "Acquire::IndexTargets::deb::Contents-deb::DefaultEnabled=false".into(),
            "Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false".into(),
            "Acquire::IndexTargets::deb::DEP-11-icons-small::DefaultEnabled=false".into(),
            "Acquire::IndexTargets::deb::DEP-11-icons::DefaultEnabled=false".into(),
            "Acquire::IndexTargets::deb::DEP-11-icons-hidpi::DefaultEnabled=false".into(),
            "Acquire::Retries=3".into(),
            // Otherwise an index that cannot be downloaded is only worth a warning.
            "APT::Update::Error-Mode=any".into(),
            "Acquire::http::Timeout=60".into(),
            // Root would make apt download as another user, who cannot write here.
            "APT::Sandbox::User=root".into(),
            "Debug::NoLocking=1".into(),
        ];
        let mut options: Vec<OsString> = vec!["-q".into()];
        for setting in settings {
            options.push("-o".into());
            options.push(setting);
        }
        Ok(Apt {
            tools,
            dir,
            suite: source.suite.clone(),
            options,
        })
    }

    fn run(&self, program: &Path, args: &[&str]) -> Result<Output, OtpError> {
        Command::new(program)
            .args(&self.options)
            .args(args)
            .current_dir(self.archives())
            .env("LC_ALL", "C")
            .env("DEBIAN_FRONTEND", "noninteractive")
            .stdin(Stdio::null())
            .output()
            .map_err(|error| OtpError::io(program, error))
    }

    fn get(&self, doing: &str, args: &[&str]) -> Result<String, OtpError> {
        let output = self.run(&self.tools.apt_get, args)?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
        }
        Err(OtpError::fetch(
            format!("OTP from the packages of {}", self.suite),
            format!("{doing} failed:\n{}", last_lines(&output)),
        ))
    }

    fn archives(&self) -> PathBuf {
        self.dir.join("cache/archives")
    }

    /// Downloads the index of packages.
    pub fn update(&self) -> Result<(), OtpError> {
        self.get("apt-get update", &["update"]).map(drop)
    }

    /// The OTP release that `erlang-base` of this source holds.
    pub fn erlang_release(&self) -> Result<u32, OtpError> {
        let output = self.run(
            &self.tools.apt_cache,
            &["show", "--no-all-versions", "erlang-base"],
        )?;
        let text = String::from_utf8_lossy(&output.stdout);
        text.lines()
            .find_map(|line| line.strip_prefix("Version:"))
            .and_then(release_of_package)
            .ok_or_else(|| {
                OtpError::fetch(
                    format!("OTP from the packages of {}", self.suite),
                    format!(
                        "there is no package erlang-base, or the package index could not be \
                         downloaded:\n{}",
                        last_lines(&output)
                    ),
                )
            })
    }

    /// Downloads packages and returns the archives. With `closure`, whatever they depend
    /// on comes as well, down to the C library: that is what running their programs
    /// anywhere takes. Without it, only libraries that NIF libraries of OTP are linked to.
    pub fn download(&self, packages: &[&str], closure: bool) -> Result<Vec<PathBuf>, OtpError> {
        let known = self.run(&self.tools.apt_cache, &["pkgnames"])?;
        let known = String::from_utf8_lossy(&known.stdout);
        let known: std::collections::HashSet<&str> = known.lines().collect();
        let packages: Vec<&str> = packages
            .iter()
            .copied()
            .filter(|package| known.contains(package))
            .collect();
        let libraries = self.libraries_of("erlang-crypto")?;
        let mut alone: Vec<&str> = packages.clone();
        alone.extend(libraries.iter().map(String::as_str));
        if closure {
            let (light, heavy) = self.split_off_desktop(&packages)?;
            let mut install = vec![
                "-y",
                "--no-install-recommends",
                "--download-only",
                "install",
            ];
            install.extend(&light);
            self.get("downloading the packages", &install)?;
            alone = heavy;
        }
        if !alone.is_empty() {
            let mut download = vec!["download"];
            download.extend(&alone);
            self.get("downloading the packages", &download)?;
        }
        let listing =
            fs::read_dir(self.archives()).map_err(|error| OtpError::io(&self.archives(), error))?;
        let mut archives: Vec<PathBuf> = listing
            .flatten()
            .map(|item| item.path())
            .filter(|path| path.extension().is_some_and(|extension| extension == "deb"))
            .filter(|path| {
                let name = path
                    .file_name()
                    .unwrap_or_default()
                    .to_string_lossy()
                    .into_owned();
                // Of what a whole Debian system is made of, only OTP and libraries count.
                ["erlang-", "lib", "zlib1g"]
                    .iter()
                    .any(|prefix| name.starts_with(prefix))
            })
            .collect();
        archives.sort();
        Ok(archives)
    }

    /// Some packages of OTP would bring a whole desktop along, through the graphics
    /// library that a part of them uses; they are wanted for their other modules only, so
    /// their dependencies are not followed. Returns (with dependencies, without).
    fn split_off_desktop<'p>(
        &self,
        packages: &[&'p str],
    ) -> Result<(Vec<&'p str>, Vec<&'p str>), OtpError> {
        let brings_desktop = |packages: &[&str]| -> Result<bool, OtpError> {
            let mut simulate = vec!["--no-install-recommends", "-s", "install"];
            simulate.extend(packages);
            let plan = self.get("working out the dependencies", &simulate)?;
            Ok(plan.lines().any(|line| line.starts_with("Inst erlang-wx ")))
        };
        if !brings_desktop(packages)? {
            return Ok((packages.to_vec(), Vec::new()));
        }
        let mut light = Vec::new();
        let mut heavy = Vec::new();
        for package in packages {
            if brings_desktop(&[package])? {
                heavy.push(*package)
            } else {
                light.push(*package)
            }
        }
        Ok((light, heavy))
    }

    /// The packages of shared libraries, apart from the C library, that `package` needs.
    fn libraries_of(&self, package: &str) -> Result<Vec<String>, OtpError> {
        let output = self.run(&self.tools.apt_cache, &["depends", "--important", package])?;
        let text = String::from_utf8_lossy(&output.stdout);
        Ok(text
            .lines()
            .filter_map(|line| line.trim().strip_prefix("Depends: "))
            .filter(|name| name.starts_with("lib") && !name.starts_with("libc6"))
            .map(str::to_owned)
            .collect())
    }

    /// Unpacks an archive below `root`.
    pub fn unpack(&self, archive: &Path, root: &Path) -> Result<(), OtpError> {
        let output = Command::new(&self.tools.dpkg_deb)
            .arg("-x")
            .args([archive, root])
            .stdin(Stdio::null())
            .output()
            .map_err(|error| OtpError::io(&self.tools.dpkg_deb, error))?;
        if output.status.success() {
            return Ok(());
        }
        Err(OtpError::fetch(
            archive.display().to_string(),
            format!("dpkg-deb failed:\n{}", last_lines(&output)),
        ))
    }
}

/// `1:25.2.3+dfsg-1` is release 25.
fn release_of_package(version: &str) -> Option<u32> {
    let version = version.trim();
    let version = version.split_once(':').map_or(version, |(_, rest)| rest);
    version
        .split(|c: char| !c.is_ascii_digit())
        .next()?
        .parse()
        .ok()
}

/// What a failed program said last, errors first.
fn last_lines(output: &Output) -> String {
    let mut text = String::from_utf8_lossy(&output.stderr).into_owned();
    if text.trim().is_empty() {
        text = String::from_utf8_lossy(&output.stdout).into_owned();
    }
    let lines: Vec<&str> = text
        .lines()
        .filter(|line| !line.trim().is_empty())
        .collect();
    lines[lines.len().saturating_sub(6)..].join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_releases_out_of_package_versions() {
        assert_eq!(release_of_package(" 1:25.2.3+dfsg-1+deb12u3"), Some(25));
        assert_eq!(release_of_package("1:27.3.4.1+dfsg-1"), Some(27));
        assert_eq!(release_of_package("29.0~rc1"), Some(29));
        assert_eq!(release_of_package("none"), None);
    }
}
