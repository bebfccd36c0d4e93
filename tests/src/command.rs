//! What the programs of this crate have in common.

use std::process::ExitCode;
use std::str::FromStr;

/// How a program ends: well if its work has given `true`. Errors are told on standard error.
pub fn exit_code(done: Result<bool, String>) -> ExitCode {
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(e) => {
            eprintln!("error: {e}");
            ExitCode::FAILURE
        }
    }
}

/// The number that is the value of an option.
pub fn number<N: FromStr>(text: &str) -> Result<N, String> {
    text.parse().map_err(|_| format!("{text} is not a number"))
}
