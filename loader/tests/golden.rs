//! Listings and inspection reports of the hand-made modules against stored text.
//!
//! `ENIGMA_BLESS=1 cargo test -p enigma-loader --test golden` rewrites the stored text.

use std::fmt::Write;
use std::path::PathBuf;

use enigma_loader::builder::{Builder, Format};
use enigma_loader::inspect::{InspectOptions, inspect};
use enigma_loader::{BeamFile, fuzz};

fn compare(name: &str, actual: &str) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/golden")
        .join(format!("{name}.txt"));
    if std::env::var_os("ENIGMA_BLESS").is_some() {
        std::fs::write(&path, actual).expect("the golden file can be written");
        return;
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    for (index, (left, right)) in expected.lines().zip(actual.lines()).enumerate() {
        assert_eq!(left, right, "{name}, line {}", index + 1);
    }
    assert_eq!(
        expected.lines().count(),
        actual.lines().count(),
        "{name}: number of lines"
    );
}

fn listing(name: &str, builder: &Builder) {
    let file = BeamFile::parse(&builder.finish()).expect("the module is valid");
    let mut text = String::new();
    file.disassemble(&mut text)
        .expect("the module can be listed");
    for function in &file.functions {
        let name = file.atom(function.name);
        let (x, y, float) = (function.x_count, function.y_count, function.float_count);
        writeln!(
            text,
            "; {name}/{}: x {x}, y {y}, float {float}",
            function.arity
        )
        .expect("text");
    }
    compare(name, &text);
}

#[test]
fn control() {
    listing("control", &fuzz::control());
}

#[test]
fn terms() {
    listing("terms", &fuzz::terms());
}

#[test]
fn bits() {
    listing("bits", &fuzz::bits());
}

#[test]
fn legacy() {
    listing("legacy", &fuzz::legacy());
}

#[test]
fn records() {
    listing("records", &fuzz::records());
}

#[test]
fn report() {
    let mut builder = fuzz::terms();
    builder.format = Format {
        long_atoms: true,
        plain_literals: true,
        ..Format::default()
    };
    let options = InspectOptions {
        no_listing: true,
        ..InspectOptions::default()
    };
    let mut text = String::new();
    assert!(inspect(&builder.finish(), &options, &mut text).expect("the module can be read"));
    compare("report", &text);
}

#[test]
fn one_function() {
    let options = InspectOptions {
        function: Some(("fun_body".to_owned(), 2)),
        ..InspectOptions::default()
    };
    let mut text = String::new();
    inspect(&fuzz::terms().finish(), &options, &mut text).expect("the function can be listed");
    compare("one_function", &text);
    let options = InspectOptions {
        function: Some(("none".to_owned(), 2)),
        ..InspectOptions::default()
    };
    let error = inspect(&fuzz::terms().finish(), &options, &mut text)
        .expect_err("there is no such function");
    assert_eq!(error.to_string(), "there is no function none/2");
}
