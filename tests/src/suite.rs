//! The suites: which modules there are and what their header lines ask for.

use crate::cli;
use crate::oracle;
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

/// One module of cases.
#[derive(Clone, Debug)]
pub struct Suite {
    /// Module name, which begins with `t_`.
    pub name: String,
    /// Its source file.
    pub source: PathBuf,
    /// The releases it is written for (`%% releases: 27 29`); all by default.
    pub releases: Vec<u32>,
    /// Whether it is about processes (`%% processes`), and so worth running with
    /// many scheduler seeds.
    pub processes: bool,
    /// The modes it is worth running in (`%% modes: plain`); all when empty.
    pub modes: Vec<String>,
    /// Wall-clock limit of one run (`%% limit: SECONDS`).
    pub limit: Duration,
    /// What its cases are.
    pub kind: SuiteKind,
}

/// What the cases of a suite are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SuiteKind {
    /// Functions of an Erlang module.
    Module,
    /// Command lines of a file in the folder `cli`.
    CommandLines,
}

/// The limit of a suite that does not name one.
const LIMIT: Duration = Duration::from_secs(300);

/// All suites, sorted by name.
pub fn all() -> Result<Vec<Suite>, String> {
    let dir = oracle::source_dir();
    let entries = fs::read_dir(&dir).map_err(|e| format!("cannot list {}: {e}", dir.display()))?;
    let patience = match std::env::var("ENIGMA_TEST_PATIENCE") {
        Ok(text) => text
            .parse()
            .map_err(|_| format!("ENIGMA_TEST_PATIENCE={text} is not a number"))?,
        Err(_) => 1,
    };
    let mut suites = Vec::new();
    for entry in entries {
        let source = entry.map_err(|e| e.to_string())?.path();
        let name = source
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        if !name.starts_with("t_") || source.extension().is_none_or(|e| e != "erl") {
            continue;
        }
        let text = fs::read_to_string(&source)
            .map_err(|e| format!("cannot read {}: {e}", source.display()))?;
        let header: Vec<&str> = text
            .lines()
            .take_while(|l| l.starts_with("%%"))
            .map(|l| l[2..].trim())
            .collect();
        let releases = header
            .iter()
            .find_map(|l| l.strip_prefix("releases:"))
            .map(|l| {
                l.split_whitespace()
                    .filter_map(|w| w.parse().ok())
                    .collect()
            })
            .unwrap_or_else(|| oracle::RELEASES.to_vec());
        let processes = header.contains(&"processes");
        let modes = header
            .iter()
            .find_map(|l| l.strip_prefix("modes:"))
            .map(|l| l.split_whitespace().map(str::to_string).collect())
            .unwrap_or_default();
        let limit = header
            .iter()
            .find_map(|l| l.strip_prefix("limit:")?.trim().parse().ok())
            .map_or(LIMIT, Duration::from_secs);
        suites.push(Suite {
            name,
            source,
            releases,
            processes,
            modes,
            limit: limit * patience,
            kind: SuiteKind::Module,
        });
    }
    for (name, file) in cli::FILES {
        suites.push(Suite {
            name: name.to_string(),
            source: cli::dir().join(file),
            releases: oracle::RELEASES.to_vec(),
            processes: false,
            modes: vec!["plain".to_string()],
            limit: LIMIT * patience,
            kind: SuiteKind::CommandLines,
        });
    }
    // Those of command lines take longest by far: nobody waits for them alone at the end.
    suites.sort_by_key(|s| (s.kind == SuiteKind::Module, s.name.clone()));
    Ok(suites)
}
