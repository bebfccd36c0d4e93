//! Command lines: the same arguments and input for `erl`, `erlc` and `escript`,
//! on BEAM and on Enigma; what is printed and the exit code are compared.
//!
//! The cases are in `cli/cases.toml`, and in `cli/terminal.toml` those that type on a
//! terminal; the other files of that folder lie in the working directory of every case.

use crate::diff::{CaseLine, Lines, RunFolder};
use crate::machine::{Machine, Mode};
use crate::oracle::Otp;
use crate::proc;
use crate::pty::{self, TerminalStep};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(60);

/// One command line.
#[derive(Clone, Debug)]
pub struct Case {
    name: String,
    program: String,
    args: Vec<String>,
    env: Vec<(String, String)>,
    stdin: String,
    prepare: Vec<Vec<String>>,
    files: Vec<String>,
    code_only: bool,
    address_space: Option<u64>,
    releases: Vec<u32>,
    terminal: Option<Terminal>,
}

/// The terminal of a case, and what the user does on it.
#[derive(Clone, Debug)]
struct Terminal {
    size: (u16, u16),
    steps: Vec<TerminalStep>,
}

/// The folder of cases and their files.
pub fn dir() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("cli")
}

/// All that the outcome depends on, for the key of the cache.
pub fn content() -> Vec<u8> {
    let mut names: Vec<PathBuf> = fs::read_dir(dir())
        .into_iter()
        .flatten()
        .flatten()
        .map(|e| e.path())
        .collect();
    names.sort();
    names
        .iter()
        .flat_map(|name| fs::read(name).unwrap_or_default())
        .collect()
}

/// The files of cases.
pub const FILES: [(&str, &str); 2] = [("cli", "cases.toml"), ("terminal", "terminal.toml")];

/// Reads a file of cases.
pub fn cases(path: &Path) -> Result<Vec<Case>, String> {
    let text =
        fs::read_to_string(path).map_err(|e| format!("cannot read {}: {e}", path.display()))?;
    let table: toml::Table = text
        .parse()
        .map_err(|e| format!("{}: {e}", path.display()))?;
    let list = table
        .get("case")
        .and_then(toml::Value::as_array)
        .ok_or("no cases")?;
    list.iter().map(one).collect()
}

fn one(value: &toml::Value) -> Result<Case, String> {
    let text = |key: &str| {
        value
            .get(key)
            .and_then(toml::Value::as_str)
            .map(str::to_string)
    };
    let strings = |key: &str| words(value.get(key));
    let env = match value.get("env").and_then(toml::Value::as_table) {
        None => vec![],
        Some(t) => t
            .iter()
            .map(|(k, v)| (k.clone(), v.as_str().unwrap_or_default().to_string()))
            .collect(),
    };
    let prepare = value.get("prepare").and_then(toml::Value::as_array);
    let releases = value.get("releases").and_then(toml::Value::as_array);
    Ok(Case {
        name: text("name").ok_or_else(|| format!("a case without a name: {value:?}"))?,
        program: text("program").unwrap_or_else(|| "erl".to_string()),
        args: strings("args"),
        env,
        stdin: text("stdin").unwrap_or_default(),
        prepare: prepare
            .map(|l| l.iter().map(|v| words(Some(v))).collect())
            .unwrap_or_default(),
        files: strings("files"),
        code_only: value
            .get("code_only")
            .and_then(toml::Value::as_bool)
            .unwrap_or(false),
        address_space: value
            .get("address_space")
            .and_then(toml::Value::as_integer)
            .and_then(|n| n.try_into().ok()),
        releases: releases
            .map(|l| {
                l.iter()
                    .filter_map(|v| v.as_integer()?.try_into().ok())
                    .collect()
            })
            .unwrap_or_default(),
        terminal: value
            .get("keys")
            .and_then(toml::Value::as_array)
            .map(|keys| {
                Ok::<_, String>(Terminal {
                    size: value.get("size").map_or(Ok((80, 24)), size)?,
                    steps: keys.iter().map(step).collect::<Result<_, _>>()?,
                })
            })
            .transpose()?,
    })
}

/// `[columns, rows]`.
fn size(value: &toml::Value) -> Result<(u16, u16), String> {
    let number = |i: usize| value.get(i)?.as_integer()?.try_into().ok();
    number(0)
        .zip(number(1))
        .ok_or_else(|| format!("no size: {value:?}"))
}

/// What is typed: a text, `[text, what to wait for]`, or `{ resize = [columns, rows] }`.
fn step(value: &toml::Value) -> Result<TerminalStep, String> {
    if let Some(s) = value.get("resize") {
        return size(s).map(|(columns, rows)| TerminalStep::Resize(columns, rows));
    }
    let (text, wait) = match value.as_array() {
        Some(pair) => (pair.first(), pair.get(1)),
        None => (Some(value), None),
    };
    let string = |v: &toml::Value| v.as_str().map(str::to_string);
    match text.and_then(string) {
        Some(text) => Ok(TerminalStep::Type(text, wait.and_then(string))),
        None => Err(format!("nothing to type: {value:?}")),
    }
}

fn words(value: Option<&toml::Value>) -> Vec<String> {
    let list = value.and_then(toml::Value::as_array);
    list.into_iter()
        .flatten()
        .filter_map(|v| Some(v.as_str()?.to_string()))
        .collect()
}

/// Runs every case of a file on a machine.
pub fn run(machine: &Machine, mode: Mode, otp: &Otp, file: &Path) -> Result<Lines, String> {
    run_those(machine, mode, otp, file, |_| true)
}

/// Runs one case that is on a terminal; nothing if the case of that name is not.
pub fn run_on_terminal(
    machine: &Machine,
    mode: Mode,
    otp: &Otp,
    file: &Path,
    name: &str,
) -> Result<Lines, String> {
    run_those(machine, mode, otp, file, |c| {
        c.name == name && c.terminal.is_some()
    })
}

fn run_those(
    machine: &Machine,
    mode: Mode,
    otp: &Otp,
    file: &Path,
    wanted: impl Fn(&Case) -> bool,
) -> Result<Lines, String> {
    let mut lines = Lines::new();
    for case in cases(file)?.into_iter().filter(wanted) {
        if case.releases.is_empty() || case.releases.contains(&otp.release) {
            lines.push((
                case.name.clone(),
                CaseLine::Result(outcome(machine, mode, otp, &case)?),
            ));
        }
    }
    Ok(lines)
}

/// Output, exit code and the files that a case asks for, as one line of text.
fn outcome(machine: &Machine, mode: Mode, otp: &Otp, case: &Case) -> Result<String, String> {
    let scratch = RunFolder::new()?;
    for entry in fs::read_dir(dir()).map_err(|e| e.to_string())?.flatten() {
        // A file that cannot be copied shows up as a difference in the case that wants it.
        let _ = fs::copy(entry.path(), scratch.path().join(entry.file_name()));
    }
    for step in &case.prepare {
        // Preparations run on BEAM on both sides: they are not what is tested.
        let Some((program, args)) = step.split_first() else {
            continue;
        };
        let path = otp.erl.with_file_name(program);
        let mut command = Command::new(path);
        command.args(args).current_dir(scratch.path());
        let out = proc::run(command, LIMIT)?;
        if !out.success() {
            return Err(format!("{}: cannot prepare: {}", case.name, out.obituary()));
        }
    }
    let mut command = program(machine, mode, otp, &case.program);
    if let Some(megabytes) = case.address_space {
        command = limited(&command, megabytes);
    }
    command
        .args(&case.args)
        .current_dir(scratch.path())
        .env("HOME", scratch.path());
    command.envs(case.env.iter().map(|(k, v)| (k, v)));
    if let Some(terminal) = &case.terminal {
        return shown(command, case, terminal);
    }
    let out = proc::run_with_input(command, case.stdin.as_bytes(), LIMIT)?;
    let code = match out.status {
        None => "timeout".to_string(),
        Some(status) => status.to_string(),
    };
    if case.code_only {
        return Ok(code);
    }
    let mut text = format!(
        "{code} out={:?} err={:?}",
        clean(&out.stdout),
        clean(&out.stderr)
    );
    for name in &case.files {
        let content = match fs::read(scratch.path().join(name)) {
            Ok(bytes) => crate::cache::hash(&[&bytes]),
            Err(_) => "absent".to_string(),
        };
        text.push_str(&format!(" {name}={content}"));
    }
    Ok(text)
}

/// What a case shows on its terminal, how it ended and what it left of the terminal's modes.
fn shown(mut command: Command, case: &Case, terminal: &Terminal) -> Result<String, String> {
    if !case.env.iter().any(|(name, _)| name == "TERM") {
        command.env("TERM", "xterm");
    }
    command.env_remove("COLUMNS").env_remove("LINES");
    let out = pty::run(&command, terminal.size, &terminal.steps)
        .map_err(|e| format!("{}: {e}", case.name))?;
    let code = match out.status {
        None => "timeout".to_string(),
        Some(status) => status.to_string(),
    };
    let modes = if out.restored { "restored" } else { "changed" };
    if case.code_only {
        return Ok(format!("{code} modes={modes}"));
    }
    let text = String::from_utf8_lossy(&out.bytes).into_owned();
    Ok(format!(
        "{code} modes={modes} shown={:?}",
        clean(&text.replace(" [jit:ns]", "").replace(" [jit]", ""))
    ))
}

/// `erl` is the machine itself; `erlc` is OTP's own program, which starts the machine.
/// `escript` is what OTP's program of that name makes of its command line: started by way
/// of another suite's dynamic loader, as fetched trees do, that program does not know
/// its own name and takes it for a script's.
fn program(machine: &Machine, mode: Mode, otp: &Otp, name: &str) -> Command {
    let mut erl = machine.command(otp, mode);
    match name {
        "erl" => return erl,
        "escript" => {
            erl.args(["+B", "-boot", "no_dot_erlang", "-noshell"]);
            erl.args(["-run", "escript", "start", "-extra"]);
            return erl;
        }
        _ => {}
    }
    let mut tool = Command::new(otp.erl.with_file_name(name));
    proc::same_variables(&mut tool, &erl);
    if let Machine::Enigma(path) = machine {
        tool.env("ERLC_EMULATOR", path);
    }
    tool
}

/// The same command where it may use no more than that many megabytes of addresses.
fn limited(command: &Command, megabytes: u64) -> Command {
    let mut shell = Command::new("sh");
    shell.args(["-c", "ulimit -v $0; exec \"$@\""]);
    shell.arg((megabytes * 1024).to_string());
    shell.arg(command.get_program()).args(command.get_args());
    proc::same_variables(&mut shell, command);
    shell
}

/// Replaces what differs from run to run: process and reference numbers, dates and
/// times of day.
fn clean(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if let Some(after) = strip_identity(rest) {
            out.push_str("<id>");
            rest = after;
        } else if let Some(after) = strip_time(rest) {
            out.push_str("<time>");
            rest = after;
        } else if let Some((name, after)) = strip_count(rest) {
            out.push_str(name);
            out.push('N');
            rest = after;
        } else if let Some(after) = strip_duration(rest) {
            rest = after;
        } else if let Some(after) = rest.strip_prefix("__escript__") {
            // The rest of the name that escript makes up for a script's module.
            out.push_str("__escript");
            rest = after.trim_start_matches(|c: char| c.is_ascii_digit() || c == '_');
        } else {
            out.push(c);
            rest = &rest[c.len_utf8()..];
        }
    }
    out
}

/// `<0.12.0>`, `#Ref<0.1.2.3>`'s and `#Port<0.4>`'s tails: digits and dots in angles.
fn strip_identity(text: &str) -> Option<&str> {
    let inner = text.strip_prefix('<')?;
    let end = inner.find('>')?;
    let body = &inner[..end];
    let identity = body.contains('.')
        && body.chars().all(|c| c.is_ascii_digit() || c == '.')
        && body.starts_with(|c: char| c.is_ascii_digit());
    identity.then(|| &inner[end + 1..])
}

/// A date (`2024-01-31`, `31-Jan-2024`) or a time of day (`12:34:56.123456`).
fn strip_time(text: &str) -> Option<&str> {
    for pattern in ["dddd-dd-dd", "dd-aaa-dddd", "d-aaa-dddd", "dd:dd:dd"] {
        let mut chars = text.char_indices();
        let matched = pattern.chars().all(|p| match (p, chars.next()) {
            ('d', Some((_, c))) => c.is_ascii_digit(),
            ('a', Some((_, c))) => c.is_ascii_alphabetic(),
            (p, Some((_, c))) => p == c,
            (_, None) => false,
        });
        if matched {
            let rest = &text[pattern.len()..];
            return Some(rest.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.'));
        }
    }
    None
}

/// What a crash report says about sizes and work done.
fn strip_count(text: &str) -> Option<(&str, &str)> {
    ["heap_size: ", "stack_size: ", "reductions: "]
        .into_iter()
        .find_map(|name| {
            let rest = text.strip_prefix(name)?;
            Some((name, rest.trim_start_matches(|c: char| c.is_ascii_digit())))
        })
}

/// EUnit's `[0.001 s] `, which it leaves out when a test took no time.
fn strip_duration(text: &str) -> Option<&str> {
    let inner = text.strip_prefix('[')?;
    let rest = inner.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
    if rest.len() == inner.len() {
        None
    } else {
        rest.strip_prefix(" s] ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identities_and_times_are_replaced() {
        let text = "<0.9.0> #Ref<0.1.2.3> <a> =ERROR== 22-Nov-2026::11:16:36.958885 ===";
        assert_eq!(clean(text), "<id> #Ref<id> <a> =ERROR== <time>::<time> ===");
    }

    #[test]
    fn the_cases_are_well_formed() {
        for (_, file) in FILES {
            let cases = cases(&dir().join(file)).expect(file);
            let mut names: Vec<&String> = cases.iter().map(|c| &c.name).collect();
            names.sort();
            names.dedup();
            assert_eq!(names.len(), cases.len(), "two cases have the same name");
        }
    }
}
