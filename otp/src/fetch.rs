//! Obtaining an OTP from the distribution's packages, without root.
//!
//! apt is given a private state directory, an empty list of installed packages and one
//! source: the machine's own main archive (its mirror, keys and proxy settings), with the
//! suite exchanged where another release is asked for. What it downloads is unpacked with
//! `dpkg-deb -x` into the cache. Nothing is installed and nothing outside of the cache
//! directory is written.
//!
//! For tests a *runnable BEAM* can be asked for as well. The packages of another suite are
//! linked against that suite's C library, so every program is started through the suite's
//! own dynamic loader, by a small script in the program's place (see [`oracle`]).

mod apt;
mod oracle;
mod sources;

use std::ffi::OsString;
use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::cache::{Cache, CacheEntry};
use crate::error::OtpError;
use crate::profile;

use apt::{Apt, Tools};
use sources::HostSystem;

/// What to fetch besides the libraries and helper programs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FetchOptions {
    /// A BEAM that runs on this machine whatever its C library.
    pub with_beam: bool,
    /// The source files of OTP's modules (`lib/*/src`).
    pub with_src: bool,
}

/// A fetched tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetched {
    /// The tree: its installation is `root/usr/lib/erlang` below it.
    pub dir: PathBuf,
    /// The programs of the real BEAM, when they were asked for.
    pub oracle: Option<Oracle>,
}

/// Programs of a real BEAM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Oracle {
    /// `erl`
    pub erl: PathBuf,
    /// `erlc`
    pub erlc: PathBuf,
    /// `escript`
    pub escript: PathBuf,
}

impl Oracle {
    fn below(dir: &Path) -> Option<Oracle> {
        let program = |name: &str| Some(dir.join("bin").join(name)).filter(|path| path.is_file());
        Some(Oracle {
            erl: program("erl")?,
            erlc: program("erlc")?,
            escript: program("escript")?,
        })
    }
}

/// What packages are fetched with: the machine's programs and its package sources.
#[derive(Debug, Clone)]
struct Distribution {
    tools: Tools,
    machine: HostSystem,
}

impl Distribution {
    fn of_this_machine() -> Result<Distribution, OtpError> {
        let tools = Tools::find(&std::env::var_os("PATH").unwrap_or_default())?;
        let machine = sources::read_machine(tools.apt_config());
        Ok(Distribution { tools, machine })
    }
}

/// Fetches `release`, or, without one, whatever release this machine's distribution has.
/// What is in the cache already is not fetched again.
pub fn fetch(
    cache: &Cache,
    release: Option<u32>,
    options: FetchOptions,
) -> Result<Fetched, OtpError> {
    if let Some(found) = cached(cache, release, options) {
        return Ok(found);
    }
    fetch_from(&Distribution::of_this_machine()?, cache, release, options)
}

fn cached(cache: &Cache, release: Option<u32>, options: FetchOptions) -> Option<Fetched> {
    let wanted = CacheEntry {
        release: release?,
        beam: options.with_beam,
        source: options.with_src,
    };
    cache.lookup(wanted).map(|dir| finished(dir, options))
}

fn fetch_from(
    distribution: &Distribution,
    cache: &Cache,
    release: Option<u32>,
    options: FetchOptions,
) -> Result<Fetched, OtpError> {
    fs::create_dir_all(cache.dir()).map_err(|error| OtpError::io(cache.dir(), error))?;
    let _lock = lock(cache)?;
    // Another process may have fetched it meanwhile.
    if let Some(found) = cached(cache, release, options) {
        return Ok(found);
    }
    clear_unfinished(cache);
    let work = cache.dir().join(format!(".work-{}", std::process::id()));
    let result = fetch_into(distribution, cache, &work, release, options);
    let _ = fs::remove_dir_all(&work);
    result
}

/// The tree of `release` for tests: the one that `ENIGMA_TEST_OTP_<release>` names, else
/// one from the cache, fetched on first use.
pub fn for_tests(
    release: u32,
    options: FetchOptions,
    var: impl Fn(&str) -> Option<OsString>,
) -> Result<Fetched, OtpError> {
    if let Some(dir) = var(&format!("ENIGMA_TEST_OTP_{release}")).filter(|dir| !dir.is_empty()) {
        let dir = PathBuf::from(dir);
        let oracle = Oracle::below(&dir);
        if options.with_beam && oracle.is_none() {
            return Err(OtpError::broken(
                &dir,
                "bin/erl, bin/erlc or bin/escript is missing",
            ));
        }
        return Ok(Fetched { dir, oracle });
    }
    let cache = Cache::from_env(var)
        .ok_or_else(|| OtpError::fetch(format!("OTP {release}"), "HOME is not set"))?;
    fetch(&cache, Some(release), options)
}

fn finished(dir: PathBuf, options: FetchOptions) -> Fetched {
    let oracle = if options.with_beam {
        Oracle::below(&dir)
    } else {
        None
    };
    Fetched { dir, oracle }
}

/// Serialises fetches of all processes of this user. The lock is the open file's, so a
/// killed process leaves none behind.
fn lock(cache: &Cache) -> Result<File, OtpError> {
    let path = cache.dir().join("lock");
    let file = File::create(&path).map_err(|error| OtpError::io(&path, error))?;
    match file.try_lock() {
        Ok(()) => return Ok(file),
        Err(TryLockError::WouldBlock) => {
            eprintln!("enigma: another process is fetching an OTP, waiting for it");
        }
        Err(TryLockError::Error(error)) => return Err(OtpError::io(&path, error)),
    }
    file.lock().map_err(|error| OtpError::io(&path, error))?;
    Ok(file)
}

/// Removes what killed fetches left. Only called with the lock held, so none of it is in use.
fn clear_unfinished(cache: &Cache) {
    let Ok(listing) = fs::read_dir(cache.dir()) else {
        return;
    };
    for item in listing.flatten() {
        if item.file_name().to_string_lossy().starts_with(".work-") {
            let _ = fs::remove_dir_all(item.path());
        }
    }
}

fn fetch_into(
    distribution: &Distribution,
    cache: &Cache,
    work: &Path,
    release: Option<u32>,
    options: FetchOptions,
) -> Result<Fetched, OtpError> {
    let what = || match release {
        Some(release) => format!("OTP {release}"),
        None => "an OTP".to_owned(),
    };
    let source = sources::choose(&distribution.machine, release)
        .map_err(|reason| OtpError::fetch(what(), reason))?;
    if release.is_none() {
        eprintln!(
            "enigma: no OTP found; looking into the packages of {}",
            source.suite
        );
    }
    let apt = Apt::new(&distribution.tools, work, &source)?;
    apt.update()?;
    let offered = apt.erlang_release()?;
    let release = match release {
        Some(wanted) if wanted != offered => {
            return Err(OtpError::fetch(
                what(),
                format!("the packages of {} hold OTP {offered}", source.suite),
            ));
        }
        Some(wanted) => wanted,
        None => {
            if profile::get(offered).is_none() {
                return Err(OtpError::fetch(
                    "a supported OTP",
                    format!(
                        "the packages of {} hold OTP {offered}, not one of {} to {}",
                        source.suite,
                        profile::OLDEST,
                        profile::NEWEST
                    ),
                ));
            }
            offered
        }
    };
    let entry = CacheEntry {
        release,
        beam: options.with_beam,
        source: options.with_src,
    };
    if let Some(dir) = cache.lookup(entry) {
        return Ok(finished(dir, options));
    }
    let target = cache.path(entry);
    eprintln!(
        "enigma: fetching OTP {release} from the packages of {} into {}",
        source.suite,
        target.display()
    );
    let archives = apt.download(&packages(options), options.with_beam)?;
    eprintln!("enigma: unpacking {} packages", archives.len());
    let tree = work.join("tree");
    let root = tree.join("root");
    fs::create_dir_all(&root).map_err(|error| OtpError::io(&root, error))?;
    for archive in &archives {
        apt.unpack(archive, &root)?;
    }
    merge_usr(&root)?;
    for unneeded in ["usr/share/doc", "usr/share/man", "usr/share/locale"] {
        let _ = fs::remove_dir_all(root.join(unneeded));
    }
    // Everything written into the tree names the tree's final place.
    if options.with_beam {
        oracle::wrap(&tree, &target)?;
    } else {
        oracle::relocate_scripts(&root, &target.join("root"))?;
    }
    crate::Install::open(&tree, crate::Origin::Fetched)?;
    fs::rename(&tree, &target).map_err(|error| OtpError::io(&target, error))?;
    if options.with_beam
        && let Err(error) = oracle::check(&target, release)
    {
        let _ = fs::remove_dir_all(&target);
        return Err(error);
    }
    eprintln!("enigma: OTP {release} is ready");
    Ok(finished(target, options))
}

/// The packages of OTP that are wanted. Which of them a release has differs (some have
/// been merged into others); the absent ones are left out by `Apt::download`.
fn packages(options: FetchOptions) -> Vec<&'static str> {
    let mut packages = vec![
        "erlang-base",
        "erlang-asn1",
        "erlang-common-test",
        "erlang-crypto",
        "erlang-debugger",
        "erlang-dev",
        "erlang-dialyzer",
        "erlang-diameter",
        "erlang-edoc",
        "erlang-eldap",
        "erlang-et",
        "erlang-eunit",
        "erlang-ftp",
        "erlang-inets",
        "erlang-megaco",
        "erlang-mnesia",
        "erlang-observer",
        "erlang-os-mon",
        "erlang-parsetools",
        "erlang-public-key",
        "erlang-reltool",
        "erlang-runtime-tools",
        "erlang-snmp",
        "erlang-ssh",
        "erlang-ssl",
        "erlang-syntax-tools",
        "erlang-tftp",
        "erlang-tools",
        "erlang-xmerl",
    ];
    if options.with_src {
        packages.push("erlang-src");
    }
    packages
}

/// Packages made before the merge of `/lib` into `/usr/lib` unpack beside it; what they
/// hold is moved to where the others have it.
fn merge_usr(root: &Path) -> Result<(), OtpError> {
    for name in ["lib", "lib64"] {
        let old = root.join(name);
        if !old.is_dir() || old.is_symlink() {
            continue;
        }
        let new = root.join("usr").join(name);
        fs::create_dir_all(&new).map_err(|error| OtpError::io(&new, error))?;
        let copied = Command::new("cp")
            .arg("-a")
            .arg(old.join("."))
            .arg(&new)
            .status()
            .map_err(|error| OtpError::io(&old, error))?;
        if !copied.success() {
            return Err(OtpError::broken(&old, "its files could not be copied"));
        }
        fs::remove_dir_all(&old).map_err(|error| OtpError::io(&old, error))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
