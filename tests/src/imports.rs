//! Which file of a crate names which, read from the text of the source.

use std::collections::{BTreeMap, BTreeSet};

/// A module's path below its crate: one name a folder or file.
pub type ModulePath = Vec<String>;

/// The files of a crate, and which of them each one names.
#[derive(Debug, Default)]
pub struct Imports(BTreeMap<ModulePath, BTreeSet<ModulePath>>);

/// The module that a file below `src` is.
pub fn module_path(file: &str) -> ModulePath {
    let mut path: ModulePath = file
        .trim_end_matches(".rs")
        .split('/')
        .map(str::to_owned)
        .collect();
    if matches!(
        path.last().map(String::as_str),
        Some("mod" | "lib" | "main")
    ) {
        path.pop();
    }
    path
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The paths that a `use` tree stands for.
fn expand(tree: &str, prefix: &[String], found: &mut Vec<Vec<String>>) {
    let (head, group) = match tree.split_once('{') {
        Some((head, rest)) => (head, rest.rsplit_once('}').map(|(group, _)| group)),
        None => (tree, None),
    };
    let words = head.split(" as ").next().unwrap_or("").split("::");
    let mut path = prefix.to_vec();
    path.extend(
        words
            .map(str::trim)
            .filter(|w| !w.is_empty())
            .map(str::to_owned),
    );
    let Some(group) = group else {
        found.push(path);
        return;
    };
    let (mut depth, mut start) = (0, 0);
    for (at, c) in group.char_indices().chain([(group.len(), ',')]) {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                if !group[start..at].trim().is_empty() {
                    expand(&group[start..at], &path, found);
                }
                start = at + 1;
            }
            _ => {}
        }
    }
}

/// All paths in a text: those of its `use` declarations, and those in its code.
fn paths(code: &str) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    for (at, _) in code.match_indices("use ") {
        if code[..at].ends_with(is_word) {
            continue;
        }
        let end = code[at..].find(';').map_or(code.len(), |n| at + n);
        expand(&code[at + 4..end], &[], &mut found);
    }
    let mut rest = code;
    while let Some(at) = rest.find("::") {
        let start = rest[..at].rfind(|c| !is_word(c)).map_or(0, |n| n + 1);
        let end = rest[start..]
            .find(|c| !is_word(c) && c != ':')
            .map_or(rest.len(), |n| start + n);
        // What a group follows is the beginning of a `use` declaration.
        if !rest[start..end].ends_with(':') {
            let words = rest[start..end].split("::");
            found.push(words.map(str::to_owned).collect());
        }
        rest = &rest[end.max(at + 2)..];
    }
    found
}

impl Imports {
    /// Of files, each given by its path below `src` and its code without comments.
    pub fn of<'a>(files: impl Iterator<Item = (&'a str, &'a str)> + Clone) -> Imports {
        let all: BTreeSet<ModulePath> = files.clone().map(|f| module_path(f.0)).collect();
        let mut imports = Imports::default();
        for (file, code) in files {
            let me = module_path(file);
            let named = paths(code)
                .iter()
                .filter_map(|path| resolve(path, &me, &all))
                .filter(|to| *to != me && !to.is_empty())
                .collect();
            imports.0.insert(me, named);
        }
        imports
    }

    /// Groups of files that name each other, directly or by way of others.
    pub fn cycles(&self) -> Vec<Vec<String>> {
        let reached: BTreeMap<&ModulePath, BTreeSet<&ModulePath>> =
            self.0.keys().map(|m| (m, self.reached_from(m))).collect();
        let mut groups = BTreeSet::new();
        for (m, from) in &reached {
            if from.contains(*m) {
                let group = from.iter().filter(|other| reached[*other].contains(*m));
                groups.insert(group.map(|m| m.join("::")).collect::<Vec<_>>());
            }
        }
        groups.into_iter().collect()
    }

    fn reached_from<'a>(&'a self, m: &ModulePath) -> BTreeSet<&'a ModulePath> {
        let mut found = BTreeSet::new();
        let mut todo: Vec<&ModulePath> = self.0[m].iter().collect();
        while let Some(next) = todo.pop() {
            if found.insert(next) {
                todo.extend(&self.0[next]);
            }
        }
        found
    }
}

/// The file of this crate that a path in `me` leads to: the longest part of it that is one.
fn resolve(path: &[String], me: &ModulePath, all: &BTreeSet<ModulePath>) -> Option<ModulePath> {
    let mut words = path.iter().peekable();
    let mut at = match words.peek()?.as_str() {
        "crate" => Vec::new(),
        "self" | "super" => me.clone(),
        child => {
            let below = [me.as_slice(), &[child.to_owned()]].concat();
            if !all.contains(&below) {
                return None;
            }
            me.clone()
        }
    };
    while let Some(word) = words.next_if(|w| matches!(w.as_str(), "crate" | "self" | "super")) {
        if word == "super" {
            at.pop();
        }
    }
    for word in words {
        at.push(word.clone());
        if !all.contains(&at) {
            at.pop();
            break;
        }
    }
    Some(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_names_whom() {
        let files = [
            (
                "lib.rs",
                "pub mod a; pub mod b; pub mod c; pub use a::Thing;",
            ),
            ("a/mod.rs", "mod part; use part::{One, Two};"),
            ("a/part.rs", "use crate::{b::{self, Other}, c};"),
            ("b.rs", "fn f() { super::c::run(1) }"),
            ("c.rs", "fn run() { crate::a::part::stop() }"),
        ];
        let cycles = Imports::of(files.into_iter()).cycles();
        assert_eq!(cycles, [["a::part", "b", "c"].map(str::to_owned)]);
    }
}
