//! Which functions are meant: `MODULE[:FUNCTION[/ARITY]]`, several with commas between, `!` in front for all others.

use enigma_runtime::code::module::FnInfo;
use std::str::FromStr;

/// A choice of functions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FunctionChoice {
    others: bool,
    named: Vec<Named>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Named {
    module: String,
    function: Option<String>,
    arity: Option<u32>,
}

impl FunctionChoice {
    /// Is this function meant?
    pub fn has(&self, f: &FnInfo) -> bool {
        let (module, function) = (f.module().name.text(), f.name.text());
        self.means(module, function, f.arity)
    }

    fn means(&self, module: &str, function: &str, arity: u32) -> bool {
        let one = |n: &Named| {
            n.module == module
                && n.function.as_ref().is_none_or(|f| f == function)
                && n.arity.is_none_or(|a| a == arity)
        };
        self.named.iter().any(one) != self.others
    }
}

impl FromStr for FunctionChoice {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<FunctionChoice, &'static str> {
        let (others, list) = match text.strip_prefix('!') {
            Some(list) => (true, list),
            None => (false, text),
        };
        let named = list.split(',').map(Named::read).collect::<Option<_>>();
        let named = named.ok_or("it is written as module:name/2, module:name or module")?;
        Ok(FunctionChoice { others, named })
    }
}

impl Named {
    fn read(text: &str) -> Option<Named> {
        let (module, rest) = match text.split_once(':') {
            Some((module, rest)) => (module, Some(rest)),
            None => (text, None),
        };
        let (function, arity) = match rest.map(|r| (r, r.rsplit_once('/'))) {
            None => (None, None),
            Some((name, None)) => (Some(name), None),
            Some((_, Some((name, arity)))) => (Some(name), Some(arity.parse().ok()?)),
        };
        if module.is_empty() || function == Some("") {
            return None;
        }
        Some(Named {
            module: module.to_string(),
            function: function.map(str::to_string),
            arity,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_that_are_meant() {
        let means = |choice: &str, module, function, arity| {
            let choice: FunctionChoice = choice.parse().expect("a choice");
            choice.means(module, function, arity)
        };
        assert!(means("lists", "lists", "map", 2));
        assert!(means("lists:map", "lists", "map", 2));
        assert!(means("m,lists:map/2", "lists", "map", 2));
        assert!(means("m:-f/1-fun-0-/2", "m", "-f/1-fun-0-", 2));
        assert!(!means("lists:map/1", "lists", "map", 2));
        assert!(!means("list", "lists", "map", 2));
        assert!(!means("!lists:map", "lists", "map", 2));
        assert!(means("!lists:map,m", "lists", "foldl", 3));
        for wrong in ["", "m:", "m:f/", "m:f/x", ":f", "m,,n"] {
            assert!(wrong.parse::<FunctionChoice>().is_err(), "{wrong}");
        }
    }
}
