//! Parameters of contexts by their names in Erlang, and their values as terms.

use enigma_runtime::Term;
use enigma_runtime::atom::Atom;
use std::ffi::c_int;
use zstd_sys::{ZSTD_cParameter as C, ZSTD_dParameter as D};

/// What a parameter's value is in Erlang.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ParameterForm {
    /// An integer.
    Number,
    /// `true` or `false`.
    Flag,
    /// The name of a strategy.
    Strategy,
}

/// The strategies, in the order of their numbers.
const STRATEGIES: &[&str] = &[
    "default", "fast", "dfast", "greedy", "lazy", "lazy2", "btlazy2", "btopt", "btultra",
    "btultra2",
];

/// The parameter of compression with this name.
pub fn compression(key: Term) -> Option<(C, ParameterForm)> {
    use ParameterForm::{Flag, Number, Strategy};
    Some(match key.as_atom()?.text() {
        "compressionLevel" => (C::ZSTD_c_compressionLevel, Number),
        "windowLog" => (C::ZSTD_c_windowLog, Number),
        "hashLog" => (C::ZSTD_c_hashLog, Number),
        "chainLog" => (C::ZSTD_c_chainLog, Number),
        "searchLog" => (C::ZSTD_c_searchLog, Number),
        "minMatch" => (C::ZSTD_c_minMatch, Number),
        "targetLength" => (C::ZSTD_c_targetLength, Number),
        "strategy" => (C::ZSTD_c_strategy, Strategy),
        "targetCBlockSize" => (C::ZSTD_c_targetCBlockSize, Number),
        "enableLongDistanceMatching" => (C::ZSTD_c_enableLongDistanceMatching, Flag),
        "ldmHashLog" => (C::ZSTD_c_ldmHashLog, Number),
        "ldmMinMatch" => (C::ZSTD_c_ldmMinMatch, Number),
        "ldmBucketSizeLog" => (C::ZSTD_c_ldmBucketSizeLog, Number),
        "ldmHashRateLog" => (C::ZSTD_c_ldmHashRateLog, Number),
        "contentSizeFlag" => (C::ZSTD_c_contentSizeFlag, Flag),
        "checksumFlag" => (C::ZSTD_c_checksumFlag, Flag),
        "dictIDFlag" => (C::ZSTD_c_dictIDFlag, Flag),
        _ => return None,
    })
}

/// The parameter of decompression with this name.
pub fn decompression(key: Term) -> Option<D> {
    (key.as_atom()?.text() == "windowLogMax").then_some(D::ZSTD_d_windowLogMax)
}

/// A value for the library.
pub fn number(value: Term, form: ParameterForm) -> Option<c_int> {
    match form {
        ParameterForm::Number => value.as_small()?.try_into().ok(),
        ParameterForm::Flag => match value.as_atom()? {
            Atom::TRUE => Some(1),
            Atom::FALSE => Some(0),
            _ => None,
        },
        ParameterForm::Strategy => {
            let name = value.as_atom()?.text();
            let n = STRATEGIES.iter().position(|&s| s == name)?;
            n.try_into().ok()
        }
    }
}

/// A value of the library as a term. A flag is `false` whatever it is set to: BEAM says so too.
pub fn term(value: c_int, form: ParameterForm) -> Option<Term> {
    match form {
        ParameterForm::Number => Some(Term::small(value.into())),
        ParameterForm::Flag => Some(Atom::FALSE.into()),
        ParameterForm::Strategy => {
            let name = STRATEGIES.get(usize::try_from(value).ok()?)?;
            Some(Atom::new(name).into())
        }
    }
}
