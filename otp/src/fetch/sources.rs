//! The machine's package sources: reading apt's files and choosing the main archive.
//!
//! Both forms are read: one-line files (`deb [options] URI SUITE COMPONENT...`) and deb822
//! files (`*.sources`). What comes out is always written as deb822, which can express
//! everything, embedded keys included.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// One archive of packages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackageSource {
    /// Base addresses, separated by white space.
    pub uris: String,
    /// The suite, for example `bookworm`.
    pub suite: String,
    /// Components, separated by white space.
    pub components: String,
    /// Further fields (keys, trust), as they are to be written.
    pub fields: Vec<(String, String)>,
}

impl PackageSource {
    /// The deb822 stanza of this source.
    pub fn stanza(&self) -> String {
        let mut text = format!(
            "Types: deb\nURIs: {}\nSuites: {}\nComponents: {}\n",
            self.uris, self.suite, self.components
        );
        for (name, value) in &self.fields {
            text.push_str(&format!("{name}: {value}\n"));
        }
        text
    }
}

/// The Debian suites that hold a given release of OTP. Any other release can be had only
/// where the machine's own distribution happens to have it.
const DEBIAN_SUITES: &[(u32, &str)] = &[(25, "bookworm"), (27, "trixie"), (29, "sid")];

/// What is known about the machine.
#[derive(Debug, Clone, Default)]
pub struct HostSystem {
    /// `ID` of os-release, for example `debian`.
    pub id: String,
    /// `VERSION_CODENAME` of os-release.
    pub codename: String,
    /// All binary package sources, in apt's order.
    pub sources: Vec<PackageSource>,
}

/// Reads os-release and apt's source files. `apt_config` is the program that tells where
/// they are; the usual places are used when it does not.
pub fn read_machine(apt_config: Option<&Path>) -> HostSystem {
    let os = fs::read_to_string("/etc/os-release")
        .or_else(|_| fs::read_to_string("/usr/lib/os-release"))
        .unwrap_or_default();
    let (list, parts) = apt_config.and_then(configured_places).unwrap_or_else(|| {
        (
            "/etc/apt/sources.list".into(),
            "/etc/apt/sources.list.d".into(),
        )
    });
    let mut files = vec![list];
    if let Ok(listing) = fs::read_dir(parts) {
        let mut more: Vec<PathBuf> = listing.flatten().map(|item| item.path()).collect();
        more.sort();
        files.extend(more);
    }
    let mut sources = Vec::new();
    for file in files {
        let Ok(text) = fs::read_to_string(&file) else {
            continue;
        };
        match file.extension().and_then(|extension| extension.to_str()) {
            Some("sources") => sources.extend(parse_deb822(&text)),
            Some("list") => sources.extend(parse_one_line(&text)),
            _ => {}
        }
    }
    HostSystem {
        id: os_field(&os, "ID"),
        codename: os_field(&os, "VERSION_CODENAME"),
        sources,
    }
}

fn configured_places(apt_config: &Path) -> Option<(PathBuf, PathBuf)> {
    let output = Command::new(apt_config)
        .args([
            "shell",
            "LIST",
            "Dir::Etc::sourcelist/f",
            "PARTS",
            "Dir::Etc::sourceparts/d",
        ])
        .output()
        .ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let value = |name: &str| {
        text.lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix('='))
            .map(|value| PathBuf::from(value.trim_matches('\'')))
    };
    Some((value("LIST")?, value("PARTS")?))
}

fn os_field(text: &str, name: &str) -> String {
    text.lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix('='))
        .map(|value| value.trim_matches('"').to_owned())
        .unwrap_or_default()
}

/// The source to fetch from: the machine's own archive, with the suite of the release that
/// is wanted. The error is a sentence.
pub fn choose(machine: &HostSystem, release: Option<u32>) -> Result<PackageSource, String> {
    let own = |source: &&PackageSource| {
        let rolling = ["sid", "unstable", "testing", "stable"].contains(&source.suite.as_str());
        let main = source
            .components
            .split_whitespace()
            .any(|component| component == "main");
        main && (source.suite == machine.codename || (machine.id == "debian" && rolling))
    };
    let source = machine.sources.iter().find(own).cloned().ok_or_else(|| {
        format!(
            "apt has no source for this machine's own distribution ({} {})",
            machine.id, machine.codename
        )
    })?;
    let Some(release) = release else {
        return Ok(source);
    };
    match DEBIAN_SUITES.iter().find(|(number, _)| *number == release) {
        Some((_, suite)) if machine.id == "debian" => Ok(PackageSource {
            suite: (*suite).to_owned(),
            components: "main".to_owned(),
            ..source
        }),
        // The release that the packages turn out to hold is checked afterwards.
        _ => Ok(source),
    }
}

/// Fields of a source that say how its files are trusted or filtered.
const KEPT_FIELDS: &[(&str, &str)] = &[
    ("signed-by", "Signed-By"),
    ("trusted", "Trusted"),
    ("architectures", "Architectures"),
    ("arch", "Architectures"),
    ("check-valid-until", "Check-Valid-Until"),
    ("snapshot", "Snapshot"),
];

fn kept_field(name: &str) -> Option<&'static str> {
    let name = name.to_ascii_lowercase();
    KEPT_FIELDS
        .iter()
        .find(|(key, _)| *key == name)
        .map(|(_, written)| *written)
}

fn parse_deb822(text: &str) -> Vec<PackageSource> {
    let mut sources = Vec::new();
    let mut stanza: Vec<(String, String)> = Vec::new();
    for line in text.lines().chain([""]) {
        if line.starts_with('#') {
            continue;
        }
        if line.trim().is_empty() {
            sources.extend(stanza_sources(&std::mem::take(&mut stanza)));
        } else if line.starts_with([' ', '\t']) {
            if let Some((_, value)) = stanza.last_mut() {
                value.push('\n');
                value.push_str(line);
            }
        } else if let Some((name, value)) = line.split_once(':') {
            stanza.push((name.trim().to_owned(), value.trim().to_owned()));
        }
    }
    sources
}

fn stanza_sources(stanza: &[(String, String)]) -> Vec<PackageSource> {
    let field = |name: &str| {
        stanza
            .iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    };
    let disabled = field("Enabled").is_some_and(|value| ["no", "false", "0"].contains(&value));
    let binary = field("Types")
        .unwrap_or("")
        .split_whitespace()
        .any(|kind| kind == "deb");
    if disabled || !binary {
        return Vec::new();
    }
    let fields: Vec<(String, String)> = stanza
        .iter()
        .filter_map(|(name, value)| Some((kept_field(name)?.to_owned(), value.clone())))
        .collect();
    field("Suites")
        .unwrap_or("")
        .split_whitespace()
        .map(|suite| PackageSource {
            uris: field("URIs")
                .unwrap_or("")
                .split_whitespace()
                .collect::<Vec<_>>()
                .join(" "),
            suite: suite.to_owned(),
            components: field("Components").unwrap_or("").to_owned(),
            fields: fields.clone(),
        })
        .collect()
}

fn parse_one_line(text: &str) -> Vec<PackageSource> {
    text.lines().filter_map(one_line).collect()
}

fn one_line(line: &str) -> Option<PackageSource> {
    let line = line.split('#').next()?.trim();
    let rest = line.strip_prefix("deb")?;
    let mut rest = rest.strip_prefix([' ', '\t'])?.trim_start();
    let mut fields = Vec::new();
    if let Some(options) = rest.strip_prefix('[') {
        let (options, after) = options.split_once(']')?;
        rest = after;
        for option in options.split_whitespace() {
            let (name, value) = option.split_once('=')?;
            if let Some(name) = kept_field(name) {
                fields.push((name.to_owned(), value.replace(',', " ")));
            }
        }
    }
    let mut words = rest.split_whitespace();
    let uris = words.next()?.to_owned();
    let suite = words.next()?.to_owned();
    let components = words.collect::<Vec<_>>().join(" ");
    Some(PackageSource {
        uris,
        suite,
        components,
        fields,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEB822: &str = "\
# comment
Types: deb deb-src
URIs: http://mirror.example/debian
Suites: bookworm bookworm-updates
Components: main contrib
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 xyz

Types: deb
URIs: http://mirror.example/off
Suites: bookworm
Components: main
Enabled: no

Types: deb-src
URIs: http://mirror.example/src
Suites: bookworm
Components: main
";

    #[test]
    fn reads_deb822() {
        let sources = parse_deb822(DEB822);
        assert_eq!(sources.len(), 2);
        assert_eq!(sources[0].suite, "bookworm");
        assert_eq!(sources[1].suite, "bookworm-updates");
        assert_eq!(sources[0].components, "main contrib");
        let stanza = sources[0].stanza();
        assert!(stanza.contains("Signed-By: \n -----BEGIN PGP"), "{stanza}");
        assert_eq!(parse_deb822(&stanza), vec![sources[0].clone()]);
    }

    #[test]
    fn reads_one_line_files() {
        let sources = parse_one_line(
            "deb-src http://x/ a main\n\
             # deb http://x/ b main\n\
             deb [signed-by=/k.gpg arch=amd64,arm64 lang=none] http://m/debian sid main # end\n\
             deb\thttp://plain/debian  trixie main non-free\n",
        );
        assert_eq!(sources.len(), 2);
        assert_eq!(
            sources[0],
            PackageSource {
                uris: "http://m/debian".into(),
                suite: "sid".into(),
                components: "main".into(),
                fields: vec![
                    ("Signed-By".into(), "/k.gpg".into()),
                    ("Architectures".into(), "amd64 arm64".into())
                ],
            }
        );
        assert_eq!(sources[1].components, "main non-free");
    }

    #[test]
    fn exchanges_the_suite_only_on_debian() {
        let source = |suite: &str| PackageSource {
            uris: "http://m/".into(),
            suite: suite.into(),
            components: "main universe".into(),
            fields: vec![],
        };
        let machine = |id: &str, codename: &str, suites: &[&str]| HostSystem {
            id: id.into(),
            codename: codename.into(),
            sources: suites.iter().map(|suite| source(suite)).collect(),
        };
        let debian = machine("debian", "bookworm", &["bookworm-security", "bookworm"]);
        assert_eq!(choose(&debian, None).expect("own").suite, "bookworm");
        assert_eq!(choose(&debian, Some(29)).expect("other").suite, "sid");
        assert_eq!(choose(&debian, Some(29)).expect("other").components, "main");
        assert_eq!(choose(&debian, Some(26)).expect("own").suite, "bookworm");
        let ubuntu = machine("ubuntu", "noble", &["noble", "stable"]);
        assert_eq!(choose(&ubuntu, Some(27)).expect("own").suite, "noble");
        assert_eq!(
            choose(&ubuntu, None).expect("own").components,
            "main universe"
        );
        let sid = machine("debian", "forky", &["sid"]);
        assert_eq!(choose(&sid, None).expect("rolling").suite, "sid");
        assert!(choose(&machine("fedora", "", &[]), None).is_err());
    }
}
