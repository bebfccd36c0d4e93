//! The real BEAM of each release: where it is, and its compiler.

use crate::cache;
use crate::proc;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

/// The OTP releases that the tests cover.
pub const RELEASES: [u32; 3] = [25, 27, 29];

/// One OTP installation that can run and compile.
#[derive(Clone, Debug)]
pub struct Otp {
    /// Major release number.
    pub release: u32,
    /// The `erl` program.
    pub erl: PathBuf,
    /// The `erlc` program.
    pub erlc: PathBuf,
    /// The folder that `code:root_dir()` names.
    pub root: PathBuf,
}

/// Finds the OTP of a release: the folder that `ENIGMA_TEST_OTP_<release>` names, or
/// one from the cache of fetched installations, fetched on first use.
pub fn locate(release: u32) -> Result<Otp, String> {
    let options = enigma_otp::fetch::FetchOptions {
        with_beam: true,
        with_src: true,
    };
    let fetched = enigma_otp::fetch::for_tests(release, options, |name| std::env::var_os(name))
        .map_err(|e| format!("no OTP {release}: {e}"))?;
    let programs = fetched
        .oracle
        .ok_or_else(|| format!("OTP {release} was obtained without its emulator"))?;
    let nested = fetched.dir.join("root/usr/lib/erlang");
    let root = if nested.exists() { nested } else { fetched.dir };
    Ok(Otp {
        release,
        erl: programs.erl,
        erlc: programs.erlc,
        root,
    })
}

/// The folder of `.erl` files that the tests run.
pub fn source_dir() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("erl")
}

/// Compiles `source` with this release's compiler into a folder named by the
/// content of the file and of the headers beside it; returns that folder.
pub fn compile(otp: &Otp, source: &Path) -> Result<PathBuf, String> {
    let text = read(source)?;
    let parent = source.parent().unwrap_or(Path::new("."));
    let header = headers(parent);
    let stem = source
        .file_stem()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    let key = cache::hash(&[&text, &header, otp.erlc.as_os_str().as_encoded_bytes()]);
    let dir = cache::root()
        .join(format!("beam-{}", otp.release))
        .join(format!("{stem}-{key}"));
    // Two jobs that want the same module must not compile it into each other's feet.
    static ONE_AT_A_TIME: OnceLock<Mutex<()>> = OnceLock::new();
    let lock = ONE_AT_A_TIME.get_or_init(Mutex::default);
    let _held = lock.lock().unwrap_or_else(PoisonError::into_inner);
    if dir.join(format!("{stem}.beam")).exists() {
        return Ok(dir);
    }
    fs::create_dir_all(&dir).map_err(|e| format!("cannot create {}: {e}", dir.display()))?;
    let mut erlc = Command::new(&otp.erlc);
    // A relative file name, so that the name in stack traces is the same everywhere.
    let name = source.file_name().unwrap_or_default();
    erlc.current_dir(parent)
        .arg("-W0")
        .arg("+debug_info")
        .arg("-o")
        .arg(&dir)
        .arg(name);
    let out = proc::run(erlc, Duration::from_secs(120))?;
    if !out.success() {
        let (stdout, stderr) = (out.stdout.trim(), out.stderr.trim());
        return Err(format!(
            "OTP {} does not compile {stem}: {stdout}{stderr}",
            otp.release
        ));
    }
    Ok(dir)
}

/// The Erlang headers of a folder, one after the other: what includes them changes with them.
pub fn headers(dir: &Path) -> Vec<u8> {
    let files = fs::read_dir(dir).into_iter().flatten().flatten();
    let mut paths: Vec<PathBuf> = files.map(|f| f.path()).collect();
    paths.retain(|p| p.extension().is_some_and(|e| e == "hrl"));
    paths.sort();
    let texts = paths.iter().filter_map(|p| fs::read(p).ok());
    texts.flatten().collect()
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    fs::read(path).map_err(|e| format!("cannot read {}: {e}", path.display()))
}
