//! The operating system's environment variables and the machine's size, as read once at start.
//!
//! [`Env`] is a copy: `os:putenv/2` and `-env` change the copy, and children of the VM get
//! the copy. The process's own environment is never written, which no thread-safe program
//! may do. [`Host`] is what the numbers of schedulers and ports are worked out from.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;

/// Environment variables: names and values are arbitrary bytes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Env {
    variables: BTreeMap<Vec<u8>, Vec<u8>>,
}

impl Env {
    /// The environment of this process.
    pub fn from_os() -> Env {
        std::env::vars_os()
            .map(|(name, value)| (name.into_vec(), value.into_vec()))
            .collect()
    }

    /// The value of a variable.
    pub fn get(&self, name: &str) -> Option<&[u8]> {
        self.variables.get(name.as_bytes()).map(Vec::as_slice)
    }

    /// The value of a variable, as the standard library wants it.
    pub fn os(&self, name: &str) -> Option<OsString> {
        self.get(name)
            .map(|value| OsStr::from_bytes(value).to_owned())
    }

    /// Sets a variable.
    pub fn set(&mut self, name: impl Into<Vec<u8>>, value: impl Into<Vec<u8>>) {
        self.variables.insert(name.into(), value.into());
    }

    /// Removes a variable.
    pub fn remove(&mut self, name: &[u8]) {
        self.variables.remove(name);
    }

    /// All variables, ordered by name.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.variables
            .iter()
            .map(|(name, value)| (name.as_slice(), value.as_slice()))
    }
}

impl<N: Into<Vec<u8>>, V: Into<Vec<u8>>> FromIterator<(N, V)> for Env {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(pairs: I) -> Env {
        let mut env = Env::default();
        for (name, value) in pairs {
            env.set(name, value);
        }
        env
    }
}

/// The `PATH` of the emulator and its children: the directory of helper programs comes
/// first and nowhere else. Where the installation's root is not named in it at all, the
/// root's `bin` follows. `front` is put before everything.
///
/// Up to OTP 25 the launcher removed the helper directory by searching for its text
/// followed by a colon, which leaves a last element alone and cuts pieces out of longer
/// names; from 26 on whole elements are compared.
pub fn emulator_path(
    current: Option<&[u8]>,
    bindir: &[u8],
    rootdir: &[u8],
    front: Option<&[u8]>,
    whole_elements: bool,
) -> Vec<u8> {
    let mut path = Vec::new();
    if let Some(front) = front {
        path.extend_from_slice(front);
        path.push(b':');
    }
    path.extend_from_slice(bindir);
    match current {
        None => {
            path.push(b':');
            path.extend_from_slice(rootdir);
            path.extend_from_slice(b"/bin");
            if !whole_elements {
                path.push(b':');
            }
        }
        Some(current) if !contains(current, rootdir) => {
            path.push(b':');
            path.extend_from_slice(rootdir);
            path.extend_from_slice(b"/bin:");
            path.extend_from_slice(current);
        }
        Some(current) if whole_elements => {
            for element in current.split(|byte| *byte == b':') {
                if element != bindir && Some(element) != front {
                    path.push(b':');
                    path.extend_from_slice(element);
                }
            }
        }
        Some(current) => {
            path.push(b':');
            let slug = [bindir, b":"].concat();
            let mut rest = current;
            while let Some(at) = find(rest, &slug) {
                path.extend_from_slice(&rest[..at]);
                rest = &rest[at + slug.len()..];
            }
            path.extend_from_slice(rest);
        }
    }
    path
}

fn find(text: &[u8], piece: &[u8]) -> Option<usize> {
    if piece.is_empty() {
        return Some(0);
    }
    text.windows(piece.len()).position(|window| window == piece)
}

fn contains(text: &[u8], piece: &[u8]) -> bool {
    find(text, piece).is_some()
}

/// The size of the machine as far as defaults depend on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Host {
    /// Logical processors configured: the default of scheduler threads.
    pub processors: u32,
    /// Logical processors that this process may use, by its affinity and the CPU quota of
    /// its control group: the default of schedulers online.
    pub available: u32,
    /// The limit of open files; a port table is made at least as large.
    pub max_files: u32,
}

impl Host {
    /// The machine that this process runs on.
    pub fn detect() -> Host {
        let available = std::thread::available_parallelism().map_or(1, |count| count.get() as u32);
        let processors = configured_processors().unwrap_or(available).max(available);
        Host {
            processors,
            available,
            max_files: open_file_limit(),
        }
    }
}

fn configured_processors() -> Option<u32> {
    // SAFETY: sysconf takes no pointers and has no preconditions.
    let count = unsafe { libc::sysconf(libc::_SC_NPROCESSORS_CONF) };
    u32::try_from(count).ok().filter(|count| *count > 0)
}

fn open_file_limit() -> u32 {
    let mut limit = libc::rlimit {
        rlim_cur: 0,
        rlim_max: 0,
    };
    // SAFETY: the pointer is to a live, writable rlimit structure for the call's duration.
    let result = unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &mut limit) };
    if result != 0 {
        return 1024;
    }
    u32::try_from(limit.rlim_cur).unwrap_or(u32::MAX)
}

/// The directory part of a program's name as it was called, when it has one.
pub fn program_dir(argv0: &[u8]) -> Option<&[u8]> {
    let dir = Path::new(OsStr::from_bytes(argv0))
        .parent()?
        .as_os_str()
        .as_bytes();
    (!dir.is_empty()).then_some(dir)
}

/// The last component of a program's name.
pub fn program_name(argv0: &[u8]) -> &[u8] {
    argv0.rsplit(|byte| *byte == b'/').next().unwrap_or(argv0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(current: Option<&str>, front: Option<&str>, whole: bool) -> String {
        let path = emulator_path(
            current.map(str::as_bytes),
            b"/o/erts-1/bin",
            b"/o",
            front.map(str::as_bytes),
            whole,
        );
        String::from_utf8(path).expect("text")
    }

    #[test]
    fn path_gets_the_helper_directory_first() {
        assert_eq!(path(None, None, true), "/o/erts-1/bin:/o/bin");
        assert_eq!(path(None, None, false), "/o/erts-1/bin:/o/bin:");
        for whole in [true, false] {
            assert_eq!(
                path(Some("/a:/b"), None, whole),
                "/o/erts-1/bin:/o/bin:/a:/b"
            );
            assert_eq!(
                path(Some("/a:/o/erts-1/bin:/o/bin:/b"), None, whole),
                "/o/erts-1/bin:/a:/o/bin:/b"
            );
        }
        // Where the two generations of launchers differ.
        assert_eq!(
            path(Some("/o/bin:/o/erts-1/bin"), None, true),
            "/o/erts-1/bin:/o/bin"
        );
        assert_eq!(
            path(Some("/o/bin:/o/erts-1/bin"), None, false),
            "/o/erts-1/bin:/o/bin:/o/erts-1/bin"
        );
    }

    #[test]
    fn the_own_directory_goes_before_it() {
        assert_eq!(
            path(Some("/own:/o/bin"), Some("/own"), true),
            "/own:/o/erts-1/bin:/o/bin"
        );
    }

    #[test]
    fn takes_program_names_apart() {
        assert_eq!(program_name(b"/usr/bin/erl"), b"erl");
        assert_eq!(program_name(b"erl"), b"erl");
        assert_eq!(program_dir(b"/usr/bin/erl"), Some(&b"/usr/bin"[..]));
        assert_eq!(program_dir(b"erl"), None);
    }
}
