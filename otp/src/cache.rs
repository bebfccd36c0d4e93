//! Where fetched OTP installations are kept.
//!
//! ```text
//!  $XDG_CACHE_HOME/enigma/otp/            (or $HOME/.cache/enigma/otp)
//!    lock            held while something is fetched
//!    27/             OTP 27, enough to run it on Enigma
//!    27-beam/        the same with a real BEAM that runs here (for tests)
//!    27-beam-src/    and with the modules' source files
//!    .work-PID/      an unfinished fetch; never read, removed by the next fetch
//! ```
//!
//! A finished directory appears by one rename, so whatever has a final name is complete.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// The directory of all fetched installations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cache {
    dir: PathBuf,
}

/// What a cache entry is: a release and what it holds beyond the libraries and helper
/// programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CacheEntry {
    /// The OTP release.
    pub release: u32,
    /// A real BEAM runs from it on this machine.
    pub beam: bool,
    /// It holds the source files of OTP's modules.
    pub source: bool,
}

impl CacheEntry {
    fn name(self) -> String {
        let beam = if self.beam { "-beam" } else { "" };
        let source = if self.source { "-src" } else { "" };
        format!("{}{beam}{source}", self.release)
    }

    fn parse(name: &str) -> Option<CacheEntry> {
        let (name, source) = strip(name, "-src");
        let (name, beam) = strip(name, "-beam");
        Some(CacheEntry {
            release: name.parse().ok()?,
            beam,
            source,
        })
    }

    /// Whether this entry holds at least what `wanted` asks for.
    pub fn satisfies(self, wanted: CacheEntry) -> bool {
        self.release == wanted.release
            && (self.beam || !wanted.beam)
            && (self.source || !wanted.source)
    }
}

fn strip<'a>(name: &'a str, suffix: &str) -> (&'a str, bool) {
    match name.strip_suffix(suffix) {
        Some(rest) => (rest, true),
        None => (name, false),
    }
}

impl Cache {
    /// A cache in a directory of the caller's choice.
    pub fn at(dir: impl Into<PathBuf>) -> Cache {
        Cache { dir: dir.into() }
    }

    /// The user's cache, from `XDG_CACHE_HOME` and `HOME` as `var` gives them. `None`
    /// when neither is set to an absolute path.
    pub fn from_env(var: impl Fn(&str) -> Option<OsString>) -> Option<Cache> {
        let absolute = |name: &str| {
            var(name)
                .map(PathBuf::from)
                .filter(|path: &PathBuf| path.is_absolute())
        };
        let base = absolute("XDG_CACHE_HOME").or_else(|| Some(absolute("HOME")?.join(".cache")))?;
        Some(Cache::at(base.join("enigma").join("otp")))
    }

    /// The directory of the cache itself.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Where an entry is, or will be.
    pub fn path(&self, entry: CacheEntry) -> PathBuf {
        self.dir.join(entry.name())
    }

    /// The complete entries, newest release first and the plainest first within it.
    pub fn entries(&self) -> Vec<(CacheEntry, PathBuf)> {
        let Ok(listing) = std::fs::read_dir(&self.dir) else {
            return Vec::new();
        };
        let mut found: Vec<(CacheEntry, PathBuf)> = listing
            .filter_map(|item| {
                let item = item.ok()?;
                Some((CacheEntry::parse(item.file_name().to_str()?)?, item.path()))
            })
            .collect();
        found
            .sort_by_key(|(entry, _)| (std::cmp::Reverse(entry.release), entry.beam, entry.source));
        found
    }

    /// The plainest entry that holds what is wanted.
    pub fn lookup(&self, wanted: CacheEntry) -> Option<PathBuf> {
        self.entries()
            .into_iter()
            .find(|(entry, _)| entry.satisfies(wanted))
            .map(|(_, path)| path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn follows_the_xdg_rules() {
        let env = |pairs: &'static [(&str, &str)]| {
            move |name: &str| {
                pairs
                    .iter()
                    .find(|(key, _)| *key == name)
                    .map(|(_, value)| OsString::from(value))
            }
        };
        let dir = |pairs| Cache::from_env(env(pairs)).map(|cache| cache.dir().to_path_buf());
        assert_eq!(
            dir(&[("XDG_CACHE_HOME", "/c"), ("HOME", "/h")]),
            Some("/c/enigma/otp".into())
        );
        assert_eq!(dir(&[("HOME", "/h")]), Some("/h/.cache/enigma/otp".into()));
        assert_eq!(
            dir(&[("XDG_CACHE_HOME", "relative"), ("HOME", "/h")]),
            Some("/h/.cache/enigma/otp".into())
        );
        assert_eq!(dir(&[]), None);
    }

    #[test]
    fn entry_names_round_trip() {
        for beam in [false, true] {
            for source in [false, true] {
                let entry = CacheEntry {
                    release: 27,
                    beam,
                    source,
                };
                assert_eq!(CacheEntry::parse(&entry.name()), Some(entry));
            }
        }
        for name in ["lock", ".work-17", "27-else", ""] {
            assert_eq!(CacheEntry::parse(name), None, "{name}");
        }
    }
}
