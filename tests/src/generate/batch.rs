//! Modules run on BEAM and in each way on Enigma, and their lines compared.

use super::module::RandomModule;
use crate::machine::{Machine, Mode};
use crate::oracle::{self, Otp};
use crate::proc;
use std::collections::HashMap;
use std::fmt;
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

/// A way of running Enigma.
#[derive(Debug)]
pub struct Way {
    /// What it is called.
    pub name: &'static str,
    /// The options it is.
    pub options: &'static [&'static str],
    /// How often each function is run, if that does not take long.
    pub repeat: u32,
    /// Functions that BEAM takes longer for are left out.
    pub slowest: Duration,
    /// Are functions with many rounds run?
    pub heavy: bool,
}

/// All ways.
pub static WAYS: [Way; 5] = [
    Way {
        name: "off",
        options: &["--jit=off"],
        repeat: 1,
        slowest: Duration::from_millis(400),
        heavy: true,
    },
    Way {
        name: "always",
        options: &["--jit=always"],
        repeat: 1,
        slowest: Duration::from_millis(400),
        heavy: true,
    },
    Way {
        name: "stress",
        options: &["--jit=always", "--gc-stress", "--verify-heap"],
        repeat: 1,
        slowest: Duration::from_millis(4),
        heavy: false,
    },
    Way {
        name: "chaos",
        options: &["--jit=always", "--chaos", "1"],
        repeat: 30,
        slowest: Duration::from_millis(10),
        heavy: false,
    },
    Way {
        name: "warm",
        options: &["--jit=on", "--jit-threshold=3"],
        repeat: 300,
        slowest: Duration::from_millis(200),
        heavy: true,
    },
];

/// A function of BEAM may take this long, or it is left out.
const LIMIT: Duration = Duration::from_millis(500);
/// The patience that is enough on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(60);
/// How often a machine that ends early is started again to go on behind the function it ended in.
const RESTARTS: usize = 8;

/// A module to run.
#[derive(Clone, Debug)]
pub struct Trial {
    /// The module's name.
    pub name: String,
    /// Its source.
    pub text: String,
    /// The functions to run.
    pub entries: Vec<String>,
}

impl Trial {
    /// A module under the name that its seed gives.
    pub fn of(module: &RandomModule) -> Trial {
        let name = format!("g{}", module.seed);
        Trial {
            text: module.text(&name),
            name,
            entries: module.entries().map(str::to_string).collect(),
        }
    }
}

/// How Enigma was not like BEAM.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It gave another answer.
    Answer,
    /// It ended.
    Crash,
    /// It did not get on.
    Hang,
    /// The module did not compile, which is the generator's fault.
    Refused,
}

/// A function that was not the same on Enigma.
#[derive(Clone, Debug)]
pub struct Difference {
    /// The module.
    pub module: String,
    /// The function.
    pub entry: String,
    /// The way of running.
    pub way: &'static str,
    /// What kind of difference it is.
    pub kind: Kind,
    /// BEAM's answer.
    pub beam: String,
    /// Enigma's answer, or its last words.
    pub enigma: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{}:{}() {} {:?}",
            self.module, self.entry, self.way, self.kind
        )?;
        writeln!(f, "  BEAM   {}", self.beam)?;
        write!(f, "  Enigma {}", self.enigma)
    }
}

/// Where modules are compiled and run.
pub struct Lab {
    /// The release.
    pub otp: Otp,
    /// The machine under test.
    pub machine: Machine,
    /// A folder of its own for files.
    pub dir: PathBuf,
    /// How long a start of Enigma may take beyond thirty times what BEAM took for its functions.
    pub patience: Duration,
}

/// The functions of each module that are still to be run.
type Work = Vec<(String, Vec<String>)>;
/// What the lines of a run say.
struct Lines {
    answers: Vec<(String, String, Duration, String)>,
    refused: Vec<(String, String)>,
    ended: bool,
    last_words: Option<(Kind, String)>,
}

impl Lab {
    /// Runs these modules in these ways; gives what is different and how many functions were compared.
    pub fn compare(
        &self,
        samples: &[Trial],
        ways: &[&'static Way],
    ) -> Result<(Vec<Difference>, usize), String> {
        fs::create_dir_all(&self.dir)
            .map_err(|e| format!("cannot create {}: {e}", self.dir.display()))?;
        let mut work = String::new();
        for s in samples {
            self.write(&format!("{}.erl", s.name), &s.text)?;
            let _ = fs::remove_file(self.dir.join(format!("{}.beam", s.name)));
            work.push_str(&format!(
                "{{compile, {0}}}.\n{{{0}, [{1}]}}.\n",
                s.name,
                s.entries.join(", ")
            ));
        }
        let limit = Duration::from_secs(60) + LIMIT * 40;
        let beam = self.run(&Machine::Beam, &[], &work, 1, LIMIT, limit)?;
        if !beam.ended {
            let (kind, words) = beam.last_words.unwrap_or((Kind::Crash, String::new()));
            return Err(format!("BEAM does not run the modules: {kind:?} {words}"));
        }
        let mut differences: Vec<Difference> = beam
            .refused
            .into_iter()
            .filter(|(_, why)| why.starts_with("refused"))
            .map(|(module, why)| Difference {
                module,
                entry: String::new(),
                way: "erlc",
                kind: Kind::Refused,
                beam: why,
                enigma: String::new(),
            })
            .collect();
        let answers: HashMap<(String, String), (Duration, String)> = beam
            .answers
            .into_iter()
            .filter(|(.., text)| text != "too much")
            .map(|(module, entry, time, text)| ((module, entry), (time, text)))
            .collect();
        let mut compared = 0;
        for way in ways {
            let fits = |module: &str, entry: &str| {
                let known = answers.get(&(module.to_string(), entry.to_string()));
                known.is_some_and(|(time, _)| *time <= way.slowest)
                    && (way.heavy || entry.starts_with('e'))
            };
            let work: Work = samples
                .iter()
                .map(|s| {
                    let entries = s
                        .entries
                        .iter()
                        .filter(|e| fits(&s.name, e))
                        .cloned()
                        .collect();
                    (s.name.clone(), entries)
                })
                .collect();
            compared += self.compare_way(way, work, &answers, &mut differences)?;
        }
        Ok((differences, compared))
    }

    fn compare_way(
        &self,
        way: &'static Way,
        mut work: Work,
        beam: &HashMap<(String, String), (Duration, String)>,
        differences: &mut Vec<Difference>,
    ) -> Result<usize, String> {
        let mut compared = 0;
        for _ in 0..RESTARTS {
            work.retain(|(_, entries)| !entries.is_empty());
            if work.is_empty() {
                break;
            }
            let text: String = work
                .iter()
                .map(|(module, entries)| format!("{{{module}, [{}]}}.\n", entries.join(", ")))
                .collect();
            let expected: Duration = work
                .iter()
                .flat_map(|(m, es)| es.iter().map(|e| beam[&(m.clone(), e.clone())].0))
                .sum();
            let limit = self.patience + expected * 30 * way.repeat.min(2);
            let lines = self.run(
                &self.machine,
                way.options,
                &text,
                way.repeat,
                Duration::ZERO,
                limit,
            )?;
            let differs = |module: &str, entry: &str, kind, enigma: String| Difference {
                module: module.to_string(),
                entry: entry.to_string(),
                way: way.name,
                kind,
                beam: beam[&(module.to_string(), entry.to_string())].1.clone(),
                enigma,
            };
            for (module, entry, _, answer) in &lines.answers {
                compared += 1;
                if beam[&(module.clone(), entry.clone())].1 != *answer {
                    differences.push(differs(module, entry, Kind::Answer, answer.clone()));
                }
                for (m, entries) in &mut work {
                    if m == module {
                        entries.retain(|e| e != entry);
                    }
                }
            }
            for (module, why) in &lines.refused {
                differences.push(differs(
                    module,
                    &work_of(&work, module),
                    Kind::Answer,
                    why.clone(),
                ));
                work.retain(|(m, _)| m != module);
            }
            if lines.ended {
                break;
            }
            // It ended in the first function that has no line.
            let Some((module, entries)) = work.iter_mut().find(|(_, entries)| !entries.is_empty())
            else {
                break;
            };
            let entry = entries.remove(0);
            let (kind, words) = lines.last_words.unwrap_or((Kind::Crash, String::new()));
            differences.push(differs(module, &entry, kind, words));
        }
        Ok(compared)
    }

    fn run(
        &self,
        machine: &Machine,
        options: &[&str],
        work: &str,
        repeat: u32,
        slowest: Duration,
        limit: Duration,
    ) -> Result<Lines, String> {
        self.write("work", work)?;
        let out = self.dir.join("out");
        let _ = fs::remove_file(&out);
        let driver = oracle::compile(&self.otp, &oracle::source_dir().join("generate_driver.erl"))?;
        let mut command = machine.command(&self.otp, Mode::Plain);
        if let Machine::Enigma(_) = machine {
            command.args(options);
        }
        command
            .current_dir(&self.dir)
            .arg("-noshell")
            .arg("-pa")
            .arg(driver);
        command.args(["-run", "generate_driver", "main", "work", "out"]);
        command.args([repeat.to_string(), slowest.as_millis().to_string()]);
        let ended = proc::run(command, limit)?;
        let text = fs::read(&out).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let mut lines = Lines {
            answers: Vec::new(),
            refused: Vec::new(),
            ended: false,
            last_words: None,
        };
        for line in text.lines() {
            let parts: Vec<&str> = line.splitn(4, ' ').collect();
            match parts[..] {
                ["end"] => lines.ended = true,
                [module, entry, time, answer] if time.parse::<u64>().is_ok() => {
                    let time = Duration::from_micros(time.parse().unwrap_or(0));
                    lines
                        .answers
                        .push((module.into(), entry.into(), time, answer.into()));
                }
                [module, ..] => {
                    let why = line[module.len()..].trim().to_string();
                    lines.refused.push((module.into(), why));
                }
                _ => {}
            }
        }
        if !lines.ended || !ended.success() {
            let kind = if ended.status.is_none() {
                Kind::Hang
            } else {
                Kind::Crash
            };
            lines.last_words = Some((kind, ended.obituary().replace('\n', " | ")));
            lines.ended = lines.ended && ended.success();
        }
        Ok(lines)
    }

    fn write(&self, name: &str, text: &str) -> Result<(), String> {
        let path = self.dir.join(name);
        fs::write(&path, text).map_err(|e| format!("cannot write {}: {e}", path.display()))
    }
}

/// A function of the module that is still to be run.
fn work_of(work: &Work, module: &str) -> String {
    let of = work.iter().find(|(m, _)| m == module);
    of.and_then(|(_, entries)| entries.first())
        .cloned()
        .unwrap_or_default()
}
