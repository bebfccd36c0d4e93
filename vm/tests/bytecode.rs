//! The bytecode of the loader's hand-made modules against stored text: the form of each instruction, and what the
//! translator makes of it.
//!
//! `ENIGMA_BLESS=1 cargo test -p enigma-vm --test bytecode` rewrites the stored text.

use enigma_loader::builder::Builder;
use enigma_loader::fuzz;
use enigma_vm::inspect::{WantedForms, translation_of};
use std::path::PathBuf;

/// The release whose BIFs the modules are translated for.
const RELEASE: u32 = 29;

fn compare(name: &str, module: &Builder) {
    let wanted = WantedForms {
        bytecode: true,
        ..WantedForms::default()
    };
    let actual =
        translation_of(&module.finish(), RELEASE, None, &wanted).expect("the module is valid");
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let path = folder.join(format!("{name}.txt"));
    if std::env::var_os("ENIGMA_BLESS").is_some() {
        std::fs::write(&path, &actual).expect("the golden file can be written");
    }
    let expected = std::fs::read_to_string(&path).expect("the golden file can be read");
    for (i, (left, right)) in expected.lines().zip(actual.lines()).enumerate() {
        assert_eq!(left, right, "{name}, line {}", i + 1);
    }
    assert_eq!(expected.len(), actual.len(), "{name}: length");
}

/// One test, because the tables of a VM are global.
#[test]
fn hand_made_modules() {
    compare("control", &fuzz::control());
    compare("terms", &fuzz::terms());
    compare("bits", &fuzz::bits());
    compare("legacy", &fuzz::legacy());
    compare("records", &fuzz::records());
}
