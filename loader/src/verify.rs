//! Verification of whole functions.

use crate::code::FunctionCode;
use crate::error::LoadError;
use crate::file::BeamFile;

impl BeamFile {
    /// Checks the module and returns all errors.
    pub fn verify(&mut self) -> Vec<LoadError> {
        let mut errors = Vec::new();
        let mut code = FunctionCode::new();
        for index in 0..self.functions.len() {
            let mut found = Vec::new();
            self.decode_collecting(index, &mut code, &mut |error| found.push(error));
            errors.extend(
                found
                    .into_iter()
                    .map(|error| self.in_function(index, error)),
            );
        }
        errors
    }
}
