//! The list of known differences, `expected.toml`.

use std::fs;
use std::path::Path;

/// One known difference.
#[derive(Clone, Debug)]
pub struct Known {
    /// `suite/case`.
    pub case: String,
    /// Releases it holds for; empty means all.
    pub releases: Vec<u32>,
    /// Modes it holds for, by name (`sim` for every seed); empty means all.
    pub modes: Vec<String>,
    /// Why it is so.
    pub reason: String,
}

/// Reads the list next to this crate's manifest.
pub fn load() -> Result<Vec<Known>, String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("expected.toml");
    let text =
        fs::read_to_string(&path).map_err(|e| format!("cannot read {}: {e}", path.display()))?;
    parse(&text).map_err(|e| format!("{}: {e}", path.display()))
}

/// Reads the list from its text.
pub fn parse(text: &str) -> Result<Vec<Known>, String> {
    let table: toml::Table = text.parse().map_err(|e| format!("{e}"))?;
    let Some(list) = table.get("known") else {
        return Ok(vec![]);
    };
    let list = list.as_array().ok_or("known must be an array of tables")?;
    list.iter().map(one).collect()
}

fn one(value: &toml::Value) -> Result<Known, String> {
    let text = |key: &str| match value.get(key).and_then(toml::Value::as_str) {
        Some(s) => Ok(s.to_string()),
        None => Err(format!("an entry has no {key}: {value:?}")),
    };
    let list = |key: &str| {
        value
            .get(key)
            .and_then(toml::Value::as_array)
            .map(Vec::as_slice)
            .unwrap_or_default()
    };
    Ok(Known {
        case: text("case")?,
        reason: text("reason")?,
        releases: list("releases")
            .iter()
            .filter_map(|v| v.as_integer()?.try_into().ok())
            .collect(),
        modes: list("modes")
            .iter()
            .filter_map(|v| Some(v.as_str()?.to_string()))
            .collect(),
    })
}

/// The entry that covers this case, if there is one.
pub fn find<'a>(known: &'a [Known], case: &str, release: u32, mode: &str) -> Option<&'a Known> {
    let mode = mode.split(':').next().unwrap_or(mode);
    known.iter().find(|k| {
        k.case == case
            && (k.releases.is_empty() || k.releases.contains(&release))
            && (k.modes.is_empty() || k.modes.iter().any(|m| m == mode))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_match_by_case_release_and_mode() {
        let known = parse(
            "[[known]]\ncase = \"t_a/x\"\nreason = \"r\"\nreleases = [25]\nmodes = [\"sim\"]\n",
        )
        .expect("a well-formed list");
        assert!(find(&known, "t_a/x", 25, "sim:4").is_some());
        assert!(find(&known, "t_a/x", 27, "sim:4").is_none());
        assert!(find(&known, "t_a/x", 25, "plain").is_none());
        assert!(find(&known, "t_a/y", 25, "sim:4").is_none());
    }

    #[test]
    fn an_entry_without_a_reason_is_refused() {
        assert!(parse("[[known]]\ncase = \"t_a/x\"\n").is_err());
    }
}
