//! `enigma inspect`: what is in a `.beam` file, and which BIFs there are.

use crate::args::Options;
use enigma_loader::inspect::{self, InspectOptions};
use std::ffi::OsStr;
use std::io::Write;
use std::os::unix::ffi::OsStrExt;

const USAGE: &str = "usage: enigma inspect FILE.beam [--function NAME/ARITY | --no-listing] | enigma inspect bifs\n";

/// Runs the command; gives the exit status.
pub fn run(args: &[Vec<u8>], _options: &Options) -> u8 {
    match args {
        [what] if what == b"bifs" => bifs(),
        [file, rest @ ..] if !file.starts_with(b"-") => match file_options(rest) {
            Some(what) => beam(file, &what),
            None => crate::print(&[], USAGE.as_bytes(), 1),
        },
        _ => crate::print(&[], USAGE.as_bytes(), 1),
    }
}

fn file_options(args: &[Vec<u8>]) -> Option<InspectOptions> {
    let mut what = InspectOptions::default();
    match args {
        [] => {}
        [flag, name] if flag == b"--function" => {
            let name = String::from_utf8(name.clone()).ok()?;
            let (name, arity) = name.rsplit_once('/')?;
            what.function = Some((name.to_string(), arity.parse().ok()?));
        }
        [flag] if flag == b"--no-listing" => what.no_listing = true,
        _ => return None,
    }
    Some(what)
}

fn beam(file: &[u8], what: &InspectOptions) -> u8 {
    let bytes = match std::fs::read(OsStr::from_bytes(file)) {
        Ok(b) => b,
        Err(e) => return crate::fail(&format!("{}: {e}", String::from_utf8_lossy(file))),
    };
    let mut out = String::new();
    match inspect::inspect(&bytes, what, &mut out) {
        Ok(good) => crate::print(out.as_bytes(), &[], i32::from(!good)),
        Err(e) => crate::fail(&format!("{}: {e}", String::from_utf8_lossy(file))),
    }
}

/// The BIFs that there are, and those that OTP's modules name but nobody implements.
fn bifs() -> u8 {
    let mut out = std::io::stdout().lock();
    for release in enigma_bifs::inventory::RELEASES {
        let (mut present, mut missing) = (0, Vec::new());
        for b in enigma_bifs::inventory::of(release) {
            let there = enigma_bifs::table::has(b.module, b.function, b.arity);
            if there || b.built_into_code {
                present += 1;
            } else {
                missing.push(format!("  {}:{}/{}", b.module, b.function, b.arity));
            }
        }
        let lines = missing.join("\n");
        let _ = writeln!(
            out,
            "OTP {release}: {present} present, {} missing\n{lines}",
            missing.len()
        );
    }
    0
}
