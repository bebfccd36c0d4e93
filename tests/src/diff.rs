//! Runs one suite on a machine and compares two machines' lines.

use crate::cache;
use crate::cli;
use crate::machine::{Machine, Mode};
use crate::oracle::{self, Otp};
use crate::proc;
use crate::suite::{Suite, SuiteKind};
use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

/// How often a suite is taken up again behind a case that brought the machine down.
const RESUMES: usize = 40;
/// After this many cases in a row that brought it down, the rest is given up.
const HOPELESS: usize = 6;

/// How one case ended on one machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CaseLine {
    /// The driver printed this result.
    Result(String),
    /// The machine ended, or had to be ended, during the case.
    Crash(String),
}

/// The cases of one suite in order, with how each ended.
pub type Lines = Vec<(String, CaseLine)>;

/// Which entry of the driver prints the lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DriverEntry {
    /// `diff_driver:main/1`, through io:format.
    Main,
    /// `diff_driver:mini/1`, through erlang:display.
    Mini,
}

impl DriverEntry {
    /// `ENIGMA_TEST_DRIVER=mini` asks for the one that needs no kernel.
    pub fn from_env() -> DriverEntry {
        match std::env::var("ENIGMA_TEST_DRIVER").as_deref() {
            Ok("mini") => DriverEntry::Mini,
            _ => DriverEntry::Main,
        }
    }

    fn function(self) -> &'static str {
        match self {
            DriverEntry::Main => "main",
            DriverEntry::Mini => "mini",
        }
    }
}

/// What became of one case.
#[derive(Clone, Debug)]
pub enum Verdict {
    /// Both machines printed the same.
    Same,
    /// The case is left out in this mode.
    Skipped,
    /// They differ; the text says how.
    Different(String),
}

/// BEAM's lines for a suite, from the cache when nothing changed.
pub fn oracle_lines(otp: &Otp, suite: &Suite, driver: DriverEntry) -> Result<Lines, String> {
    let text = fs::read(&suite.source).map_err(|e| e.to_string())?;
    let dir = oracle::source_dir();
    let helper = |name: &str| fs::read(dir.join(name)).unwrap_or_default();
    let extra = match suite.kind {
        SuiteKind::Module => std::env::var("DIFF_COMPILE")
            .unwrap_or_default()
            .into_bytes(),
        SuiteKind::CommandLines => cli::content(),
    };
    let key = cache::hash(&[
        &text,
        &extra,
        &oracle::headers(&dir),
        &helper("diff_driver.erl"),
        otp.erl.as_os_str().as_encoded_bytes(),
        driver.function().as_bytes(),
    ]);
    let folder = cache::root().join(format!("oracle-{}", otp.release));
    fs::create_dir_all(&folder).map_err(|e| e.to_string())?;
    let file = folder.join(format!("{}-{key}", suite.name));
    if let Ok(text) = fs::read_to_string(&file) {
        return Ok(parse(&text, driver).0);
    }
    let lines = run(&Machine::Beam, Mode::Plain, otp, suite, driver)?;
    if lines.iter().all(|(_, l)| matches!(l, CaseLine::Result(_))) {
        let mut text = String::new();
        for (name, line) in &lines {
            if let CaseLine::Result(result) = line {
                match driver {
                    DriverEntry::Main => text.push_str(&format!("== {name} => {result}\n")),
                    DriverEntry::Mini => text.push_str(&format!("{{diff_case,{name},{result}}}\n")),
                }
            }
        }
        cache::write_whole(&file, text.as_bytes())?;
    }
    Ok(lines)
}

/// Runs a suite; a case during which the machine ends is recorded as a crash and
/// the suite is taken up again behind it.
pub fn run(
    machine: &Machine,
    mode: Mode,
    otp: &Otp,
    suite: &Suite,
    driver: DriverEntry,
) -> Result<Lines, String> {
    if suite.kind == SuiteKind::CommandLines {
        return cli::run(machine, mode, otp, &suite.source);
    }
    let suite_dir = oracle::compile(otp, &suite.source)?;
    let driver_dir = oracle::compile(otp, &oracle::source_dir().join("diff_driver.erl"))?;
    let mut lines: Lines = Vec::new();
    for _ in 0..RESUMES {
        let scratch = RunFolder::new()?;
        let mut command = machine.command(otp, mode);
        command.current_dir(scratch.path());
        command
            .arg("-noinput")
            .arg("-pa")
            .arg(&suite_dir)
            .arg(&driver_dir);
        command
            .arg("-run")
            .arg("diff_driver")
            .arg(driver.function())
            .arg(&suite.name);
        command
            .arg(if mode.light() { "light" } else { "all" })
            .arg(lines.len().to_string());
        command.env("DIFF_BEAM_DIR", &suite_dir);
        command.env("DIFF_SOURCE_DIR", oracle::source_dir());
        let out = proc::run(command, suite.limit)?;
        let (got, done) = parse(&out.stdout, driver);
        lines.extend(got.into_iter().filter(|(name, _)| name != "done"));
        if done {
            return Ok(lines);
        }
        lines.push((String::new(), CaseLine::Crash(out.obituary())));
        let crashes = lines.iter().rev().take_while(|(name, _)| name.is_empty());
        if crashes.count() >= HOPELESS {
            break;
        }
    }
    Ok(lines)
}

/// The driver's lines of a text, and whether its closing line is there.
fn parse(text: &str, driver: DriverEntry) -> (Lines, bool) {
    let mut lines = Lines::new();
    let mut done = false;
    for line in text.lines() {
        let line = line.trim_end_matches('\r');
        match driver {
            DriverEntry::Main => {
                // A program under test may have printed half a line before.
                let Some(at) = line.find("== ") else { continue };
                let rest = &line[at + 3..];
                if rest == "done" {
                    done = true;
                } else if let Some((name, result)) = rest.split_once(" => ") {
                    lines.push((name.to_string(), CaseLine::Result(result.to_string())));
                }
            }
            DriverEntry::Mini => {
                if line.starts_with("{diff_done}") {
                    done = true;
                } else if let Some(rest) = line.strip_prefix("{diff_case,")
                    && let Some((name, result)) = rest.split_once(',')
                {
                    let result = result.strip_suffix('}').unwrap_or(result);
                    lines.push((name.to_string(), CaseLine::Result(result.to_string())));
                }
            }
        }
    }
    (lines, done)
}

/// Compares case by case, in the oracle's order. Crashes carry no name, so they
/// take the name at their position.
pub fn compare(oracle: &Lines, tested: &Lines) -> Vec<(String, Verdict)> {
    let by_name: HashMap<&str, &CaseLine> = tested
        .iter()
        .filter(|(n, _)| !n.is_empty())
        .map(|(n, l)| (n.as_str(), l))
        .collect();
    let last_crash = tested.iter().rev().find_map(|(_, l)| match l {
        CaseLine::Crash(text) => Some(text.as_str()),
        CaseLine::Result(_) => None,
    });
    let mut verdicts = Vec::new();
    for (at, (name, expected)) in oracle.iter().enumerate() {
        let positional = match tested.get(at) {
            Some((n, line)) if n.is_empty() => Some(line),
            _ => None,
        };
        let got = by_name.get(name.as_str()).copied().or(positional);
        let verdict = match (expected, got) {
            (CaseLine::Crash(text), _) => Verdict::Different(format!("BEAM itself ended: {text}")),
            (CaseLine::Result(want), Some(CaseLine::Result(got))) => {
                if got == "skipped" {
                    Verdict::Skipped
                } else if want == got {
                    Verdict::Same
                } else {
                    Verdict::Different(contrast(want, got))
                }
            }
            (_, Some(CaseLine::Crash(text))) => {
                Verdict::Different(format!("machine ended: {text}"))
            }
            (_, None) => Verdict::Different(format!(
                "no result{}{}",
                if last_crash.is_some() {
                    "; the machine had ended: "
                } else {
                    ""
                },
                last_crash.unwrap_or_default()
            )),
        };
        verdicts.push((name.clone(), verdict));
    }
    verdicts
}

/// Two long texts that differ, cut to the neighbourhood of the first difference.
fn contrast(want: &str, got: &str) -> String {
    const BEFORE: usize = 60;
    const AFTER: usize = 240;
    let same = want
        .chars()
        .zip(got.chars())
        .take_while(|(a, b)| a == b)
        .count();
    let cut = |text: &str| {
        let from = same.saturating_sub(BEFORE);
        let piece: String = text.chars().skip(from).take(BEFORE + AFTER).collect();
        let more = text.chars().count() > from + BEFORE + AFTER;
        format!(
            "{}{piece}{}",
            if from > 0 { "…" } else { "" },
            if more { "…" } else { "" }
        )
    };
    format!("\n      beam:   {}\n      enigma: {}", cut(want), cut(got))
}

/// A folder for one run's files, removed afterwards.
pub struct RunFolder(std::path::PathBuf);

impl RunFolder {
    /// Makes the folder.
    pub fn new() -> Result<RunFolder, String> {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let n = NEXT.fetch_add(1, Ordering::Relaxed);
        let dir = cache::root()
            .join("scratch")
            .join(format!("{}-{n}", std::process::id()));
        fs::create_dir_all(&dir).map_err(|e| format!("cannot create {}: {e}", dir.display()))?;
        Ok(RunFolder(dir))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for RunFolder {
    fn drop(&mut self) {
        // A leftover folder under target/ does no harm.
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn result(name: &str, text: &str) -> (String, CaseLine) {
        (name.to_string(), CaseLine::Result(text.to_string()))
    }

    #[test]
    fn lines_are_found_among_other_output() {
        let text = "noise\n== a => {ok,1}\nhalf== b => {ok,2}\n== done\n";
        let (lines, done) = parse(text, DriverEntry::Main);
        assert!(done);
        assert_eq!(lines, vec![result("a", "{ok,1}"), result("b", "{ok,2}")]);
    }

    #[test]
    fn a_crash_counts_against_the_case_at_its_place() {
        let oracle = vec![result("a", "1"), result("b", "2"), result("c", "3")];
        let crash = (String::new(), CaseLine::Crash("boom".to_string()));
        let tested = vec![result("a", "1"), crash, result("c", "4")];
        let verdicts = compare(&oracle, &tested);
        assert!(matches!(verdicts[0].1, Verdict::Same));
        assert!(matches!(&verdicts[1].1, Verdict::Different(t) if t.contains("boom")));
        assert!(matches!(verdicts[2].1, Verdict::Different(_)));
    }
}
