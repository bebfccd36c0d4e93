//! What passes do, by example: every file `golden/<pass>/<case>.ssa` holds a function and, behind a line `; ---`, what the pass
//! makes of it. `ENIGMA_BLESS=1` writes what it makes of it now.

use enigma_jit::ir::{parse, verify};
use enigma_jit::passes;
use std::fs;
use std::path::{Path, PathBuf};

const LINE: &str = "; ---\n";

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    let mut files: Vec<PathBuf> = entries.flatten().map(|e| e.path()).collect();
    files.sort();
    files
}

/// What a pass makes of a file, all of it as it should stand in the file.
fn result(pass: &passes::SsaPass, text: &str) -> Result<String, String> {
    let input = text.split(LINE).next().unwrap_or("");
    let mut function = parse(input).map_err(|e| e.to_string())?;
    verify(&function).map_err(|e| format!("before the pass:\n{e}"))?;
    (pass.run)(&mut function);
    let output = function.to_string();
    verify(&function).map_err(|e| format!("behind the pass:\n{e}{output}"))?;
    Ok(format!("{input}{LINE}{output}"))
}

#[test]
fn passes_do_what_the_files_say() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let bless = std::env::var_os("ENIGMA_BLESS").is_some();
    let mut wrong = Vec::new();
    for pass in passes::ALL {
        let files = files(&folder.join(pass.name));
        assert!(!files.is_empty(), "nothing says what {} does", pass.name);
        for file in files {
            let text = fs::read_to_string(&file).expect("it can be read");
            let name = file.strip_prefix(&folder).expect("it lies there").display();
            match result(pass, &text) {
                Ok(now) if now == text => {}
                Ok(now) if bless => fs::write(&file, now).expect("it can be written"),
                Ok(now) => wrong.push(format!("{name} is now\n{now}")),
                Err(error) => wrong.push(format!("{name}: {error}")),
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
