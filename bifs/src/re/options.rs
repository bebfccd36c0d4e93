//! Option lists of `re`.

use super::code::{DEFAULT_LIMIT, MatchLimits, Settings};
use super::errors::first_generation;
use enigma_runtime::Term;
use enigma_runtime::term::list;
use pcre2_sys as sys;

/// What a list of options says.
pub struct PatternOptions {
    /// For compiling.
    pub compile: Settings,
    /// For running.
    pub run: u32,
    /// Is one of the options for compiling only?
    pub compile_only: bool,
    /// Is one of the options for running only?
    pub run_only: bool,
    /// `unicode`
    pub unicode: bool,
    /// `global`
    pub global: bool,
    /// `report_errors`
    pub report_errors: bool,
    /// `export`
    pub export: bool,
    /// `{newline, _}` or `bsr_...` was given.
    pub line_ends: bool,
    /// `{offset, N}`
    pub offset: usize,
    /// `{capture, Values, Type}`
    pub capture: Option<(Term, Option<Term>)>,
    /// `{match_limit, N}` and `{match_limit_recursion, N}`
    pub limits: MatchLimits,
}

fn number(t: Term) -> Option<u32> {
    t.as_usize()
        .and_then(|n| u32::try_from(n).ok())
        .filter(|&n| n <= i32::MAX as u32)
}

/// Are these settings that options can ask for?
pub fn can_be(s: Settings) -> bool {
    const ALL: u32 = sys::PCRE2_NO_START_OPTIMIZE
        | sys::PCRE2_CASELESS
        | sys::PCRE2_DOLLAR_ENDONLY
        | sys::PCRE2_DOTALL
        | sys::PCRE2_EXTENDED
        | sys::PCRE2_FIRSTLINE
        | sys::PCRE2_MULTILINE
        | sys::PCRE2_NO_AUTO_CAPTURE
        | sys::PCRE2_DUPNAMES
        | sys::PCRE2_UNGREEDY
        | sys::PCRE2_UCP
        | sys::PCRE2_NEVER_UTF
        | sys::PCRE2_UTF
        | sys::PCRE2_ANCHORED;
    s.options & !ALL == 0
        && matches!(
            s.newline,
            0 | sys::PCRE2_NEWLINE_CR
                | sys::PCRE2_NEWLINE_CRLF
                | sys::PCRE2_NEWLINE_LF
                | sys::PCRE2_NEWLINE_ANYCRLF
                | sys::PCRE2_NEWLINE_ANY
        )
        && matches!(s.bsr, 0 | sys::PCRE2_BSR_ANYCRLF | sys::PCRE2_BSR_UNICODE)
}

/// Reads a list of options; nothing if one of them is wrong.
pub fn parse(t: Term) -> Option<PatternOptions> {
    let mut o = PatternOptions {
        compile: Settings::default(),
        run: 0,
        compile_only: false,
        run_only: false,
        unicode: false,
        global: false,
        report_errors: false,
        export: false,
        line_ends: false,
        offset: 0,
        capture: None,
        limits: MatchLimits {
            matches: DEFAULT_LIMIT,
            depth: DEFAULT_LIMIT,
        },
    };
    let mut it = list::iter(t);
    for item in it.by_ref() {
        match item.as_atom() {
            Some(a) => plain(&mut o, a.text())?,
            None => pair(&mut o, item.as_tuple()?)?,
        }
    }
    it.tail().is_nil().then_some(o)
}

fn pair(o: &mut PatternOptions, parts: &[Term]) -> Option<()> {
    match *parts {
        [key, values, kind] if key.as_atom()?.text() == "capture" => {
            o.capture = Some((values, Some(kind)));
            o.run_only = true;
        }
        [key, value] => match key.as_atom()?.text() {
            "capture" => {
                o.capture = Some((value, None));
                o.run_only = true;
            }
            "offset" => {
                o.offset = number(value)? as usize;
                o.run_only = true;
            }
            "match_limit" => {
                o.limits.matches = number(value)?;
                o.run_only = true;
            }
            "match_limit_recursion" => {
                o.limits.depth = number(value)?;
                o.run_only = true;
            }
            "newline" => {
                o.compile.newline = match value.as_atom()?.text() {
                    "cr" => sys::PCRE2_NEWLINE_CR,
                    "crlf" => sys::PCRE2_NEWLINE_CRLF,
                    "lf" => sys::PCRE2_NEWLINE_LF,
                    "nul" if !first_generation() => sys::PCRE2_NEWLINE_NUL,
                    "anycrlf" => sys::PCRE2_NEWLINE_ANYCRLF,
                    "any" => sys::PCRE2_NEWLINE_ANY,
                    _ => return None,
                };
                o.line_ends = true;
            }
            _ => return None,
        },
        _ => return None,
    }
    Some(())
}

fn plain(o: &mut PatternOptions, name: &str) -> Option<()> {
    let compile = match name {
        "no_start_optimize" => sys::PCRE2_NO_START_OPTIMIZE,
        "caseless" => sys::PCRE2_CASELESS,
        "dollar_endonly" => sys::PCRE2_DOLLAR_ENDONLY,
        "dotall" => sys::PCRE2_DOTALL,
        "extended" => sys::PCRE2_EXTENDED,
        "firstline" => sys::PCRE2_FIRSTLINE,
        "multiline" => sys::PCRE2_MULTILINE,
        "no_auto_capture" => sys::PCRE2_NO_AUTO_CAPTURE,
        "dupnames" => sys::PCRE2_DUPNAMES,
        "ungreedy" => sys::PCRE2_UNGREEDY,
        "ucp" => sys::PCRE2_UCP,
        "never_utf" => sys::PCRE2_NEVER_UTF,
        "unicode" => {
            o.unicode = true;
            sys::PCRE2_UTF
        }
        "export" if !first_generation() => {
            o.export = true;
            o.compile_only = true;
            return Some(());
        }
        _ => 0,
    };
    if compile != 0 {
        o.compile.options |= compile;
        o.compile_only = true;
        return Some(());
    }
    let run = match name {
        "notempty" => sys::PCRE2_NOTEMPTY,
        "notempty_atstart" => sys::PCRE2_NOTEMPTY_ATSTART,
        "notbol" => sys::PCRE2_NOTBOL,
        "noteol" => sys::PCRE2_NOTEOL,
        _ => 0,
    };
    if run != 0 {
        o.run |= run;
        o.run_only = true;
        return Some(());
    }
    match name {
        "anchored" => {
            o.compile.options |= sys::PCRE2_ANCHORED;
            o.run |= sys::PCRE2_ANCHORED;
        }
        "bsr_anycrlf" => {
            o.compile.bsr = sys::PCRE2_BSR_ANYCRLF;
            o.line_ends = true;
        }
        "bsr_unicode" => {
            o.compile.bsr = sys::PCRE2_BSR_UNICODE;
            o.line_ends = true;
        }
        "report_errors" => {
            o.report_errors = true;
            o.run_only = true;
        }
        "global" => {
            o.global = true;
            o.run_only = true;
        }
        _ => return None,
    }
    Some(())
}
