//! The formats that releases differ in, and the checks on each chunk.

use enigma_loader::builder::{Arg, Builder, Format, container};
use enigma_loader::{
    BeamFile, Container, ErrorKind, LoadError, Op, RecordDef, TypeEntry, TypeSet, fuzz,
};

/// A module with one function that returns its argument.
fn small() -> Builder {
    let mut b = Builder::new("small");
    b.function("id", 1, true);
    b.op(Op::Return, &[]);
    b
}

fn chunks(bytes: &[u8]) -> Vec<([u8; 4], Vec<u8>)> {
    let container = Container::open(bytes).expect("a container");
    container
        .chunks()
        .iter()
        .map(|entry| (entry.id.0, container.bytes(entry).to_vec()))
        .collect()
}

/// The small module with one chunk replaced.
fn with_chunk(id: &[u8; 4], data: &[u8]) -> Result<BeamFile, LoadError> {
    let mut all = chunks(&small().finish());
    all.retain(|(other, _)| other != id);
    all.push((*id, data.to_vec()));
    BeamFile::parse(&container(&all))
}

fn kind(result: Result<BeamFile, LoadError>) -> ErrorKind {
    match result {
        Ok(_) => panic!("the file must be refused"),
        Err(error) => {
            assert!(!error.to_string().is_empty());
            error.kind
        }
    }
}

#[test]
fn all_formats_mean_the_same() {
    let formats = [
        Format::default(),
        Format {
            long_atoms: true,
            plain_literals: true,
            ..Format::default()
        },
        Format {
            latin1_atoms: true,
            ..Format::default()
        },
        Format {
            gzip: true,
            ..Format::default()
        },
    ];
    for format in formats {
        let mut b = fuzz::terms();
        let long = "a".repeat(if format.long_atoms { 255 } else { 200 });
        b.atom(&long);
        b.format = format;
        let file = BeamFile::parse(&b.finish()).expect("valid");
        assert_eq!(file.module_name(), "terms");
        assert_eq!(file.atoms.last().map(|atom| &**atom), Some(&*long));
        assert_eq!(file.literals.len(), 2);
        assert_eq!(
            file.literals.get(0),
            Some(&[131, 104, 2, 97, 1, 119, 1, b'a'][..])
        );
        assert_eq!(file.literals.get(2), None);
        assert_eq!(file.functions.len(), 2);
        assert_eq!(file.function_by_name("fun_body", 2), Some(1));
        assert_eq!(file.function_by_entry(file.lambdas[0].label), Some(1));
    }
}

#[test]
fn not_a_module() {
    assert_eq!(kind(BeamFile::parse(b"")), ErrorKind::NotABeamFile);
    assert_eq!(
        kind(BeamFile::parse(b"FOR1\0\0\0\x04BEAN")),
        ErrorKind::NotABeamFile
    );
    assert_eq!(
        kind(BeamFile::parse(&[0x1f, 0x8b, 8, 0, 1])),
        ErrorKind::BadCompression
    );
    let file = small().finish();
    for len in 0..file.len() {
        assert!(BeamFile::parse(&file[..len]).is_err(), "cut at {len}");
    }
}

#[test]
fn missing_chunks() {
    for id in [b"AtU8", b"Code", b"ImpT", b"ExpT"] {
        let mut all = chunks(&small().finish());
        all.retain(|(other, _)| other != id);
        let error = BeamFile::parse(&container(&all)).expect_err("refused");
        assert_eq!(error.kind, ErrorKind::MissingChunk);
        assert_eq!(
            error.to_string(),
            format!(
                "chunk {}: the chunk is missing",
                String::from_utf8_lossy(id)
            )
        );
    }
}

#[test]
fn counts_are_checked_before_anything_is_reserved() {
    let huge = [0x7f, 0xff, 0xff, 0xff, 0, 0, 0, 0];
    for id in [b"AtU8", b"ImpT", b"ExpT", b"LocT", b"FunT"] {
        assert!(
            matches!(kind(with_chunk(id, &huge)), ErrorKind::BadCount { .. }),
            "{id:?}"
        );
    }
    let mut literals = vec![0, 0, 0, 0];
    literals.extend_from_slice(&huge);
    assert!(matches!(
        kind(with_chunk(b"LitT", &literals)),
        ErrorKind::BadCount { .. }
    ));
    assert!(matches!(
        kind(with_chunk(b"LitT", &huge)),
        ErrorKind::TooLarge { .. }
    ));
    let mut lines = vec![0; 12];
    lines.extend_from_slice(&huge);
    lines.extend_from_slice(&huge);
    assert!(matches!(
        kind(with_chunk(b"Line", &lines)),
        ErrorKind::BadCount { .. }
    ));
    let types = [[0, 0, 0, 4], [0x7f, 0xff, 0xff, 0xff]].concat();
    assert!(matches!(
        kind(with_chunk(b"Type", &types)),
        ErrorKind::BadCount { .. }
    ));
}

#[test]
fn code_header() {
    let code = |version: u32, opcode: u32, labels: u32, functions: u32| {
        let mut all = chunks(&small().finish());
        for (_, data) in all.iter_mut().filter(|(id, _)| id == b"Code") {
            for (at, value) in [(4, version), (8, opcode), (12, labels), (16, functions)] {
                data[at..at + 4].copy_from_slice(&value.to_be_bytes());
            }
        }
        BeamFile::parse(&container(&all))
    };
    assert!(code(0, 191, 3, 1).is_ok());
    assert_eq!(
        kind(code(1, 191, 3, 1)),
        ErrorKind::BadFormat { version: 1 }
    );
    assert_eq!(
        kind(code(0, 192, 3, 1)),
        ErrorKind::NewerRelease { opcode: 192 }
    );
    assert!(matches!(
        kind(code(0, 191, 1 << 30, 1)),
        ErrorKind::BadCount { .. }
    ));
    assert_eq!(
        kind(code(0, 191, 3, 2)),
        ErrorKind::FunctionCount {
            announced: 2,
            found: 1
        }
    );
    assert!(matches!(
        kind(code(0, 191, 1, 1)),
        ErrorKind::LabelRange { .. }
    ));
}

#[test]
fn types_of_all_versions() {
    let entry = |data: &[u8]| {
        let file = with_chunk(b"Type", data).expect("valid");
        *file.types.entries.last().expect("an entry")
    };
    let integer = TypeSet(TypeSet::INTEGER);
    let known = TypeEntry {
        union: integer,
        lower: Some(0),
        upper: Some(1),
        unit: 1,
    };
    let (zero, one) = ([0; 8], [0, 0, 0, 0, 0, 0, 0, 1]);
    let head = |version: u8| [0, 0, 0, version, 0, 0, 0, 1];
    // Version 1: fixed size, range always there.
    assert_eq!(
        entry(&[&head(1)[..], &[0, 1 << 6], &zero, &one].concat()),
        known
    );
    let unknown = TypeEntry {
        lower: None,
        upper: None,
        ..known
    };
    assert_eq!(
        entry(&[&head(1)[..], &[0, 1 << 6], &one, &zero].concat()),
        unknown
    );
    // Version 2: flags from bit 13 on; version 3: from bit 12 on; version 4: from bit 13 on again.
    assert_eq!(
        entry(&[&head(2)[..], &[0x60, 1 << 6], &zero, &one].concat()),
        known
    );
    assert_eq!(
        entry(&[&head(3)[..], &[0x30, 1 << 5], &zero, &one].concat()),
        known
    );
    assert_eq!(
        entry(&[&head(4)[..], &[0x60, 1 << 5], &zero, &one].concat()),
        known
    );
    let bits = TypeSet(TypeSet::BITSTRING | TypeSet::MATCH_CONTEXT);
    let unit = TypeEntry {
        union: bits,
        lower: None,
        upper: None,
        unit: 8,
    };
    assert_eq!(entry(&[&head(4)[..], &[0x80, 1 << 1, 7]].concat()), unit);
    assert_eq!(
        entry(&[&head(4)[..], &[0x1f, 0xff]].concat()),
        TypeEntry::ANY
    );
    assert_eq!(
        entry(&[&head(3)[..], &[0x0f, 0xff]].concat()),
        TypeEntry::ANY
    );
    assert_eq!(
        entry(&[&head(1)[..], &[0x1f, 0xff], &one, &zero].concat()),
        TypeEntry::ANY
    );
    // An unknown version is ignored.
    assert!(
        with_chunk(b"Type", &[0, 0, 0, 9, 1])
            .expect("valid")
            .types
            .is_fallback()
    );
    assert_eq!(
        kind(with_chunk(b"Type", &[&head(4)[..], &[0, 0]].concat())),
        ErrorKind::BadType { index: 0 }
    );
    assert_eq!(
        kind(with_chunk(b"Type", &[&head(4)[..], &[0x20, 1]].concat())),
        ErrorKind::BadType { index: 0 }
    );
}

#[test]
fn lines() {
    let mut data = Vec::new();
    for field in [0u32, 1, 2, 3, 1] {
        data.extend_from_slice(&field.to_be_bytes());
    }
    data.extend_from_slice(&[0x51, 0x12, 0x09, 0x50, 0x18 | 1, 0x12, 0x34, 0, 5]);
    data.extend_from_slice(b"x.hrl");
    let file = with_chunk(b"Line", &data).expect("valid");
    assert_eq!(file.lines.position(0), None);
    assert_eq!(file.lines.position(1), Some((None, 5)));
    assert_eq!(file.lines.position(2), Some((Some("x.hrl"), 0x50)));
    assert_eq!(file.lines.position(3), Some((Some("x.hrl"), 0x1234)));
    assert_eq!(file.lines.position(4), None);
    data[20] = 0x53;
    assert_eq!(kind(with_chunk(b"Line", &data)), ErrorKind::BadLine);
}

#[test]
fn native_records() {
    let file = BeamFile::parse(&fuzz::records().finish()).expect("valid");
    let [
        RecordDef {
            name,
            exported: true,
            fields,
        },
    ] = &file.records[..]
    else {
        panic!("one exported record expected");
    };
    assert_eq!(file.atom(*name), "point");
    assert_eq!(fields.len(), 2);
    assert!(fields[0].default.is_some());
    assert!(fields[1].default.is_none());
}

#[test]
fn checksum_ignores_what_does_not_matter() {
    let plain = BeamFile::parse(&small().finish()).expect("valid");
    let mut other = small();
    other.chunk(b"Attr", &[131, 106]);
    other.chunk(b"CInf", &[131, 106]);
    assert_eq!(
        BeamFile::parse(&other.finish()).expect("valid").md5,
        plain.md5
    );
    other.chunk(b"Meta", &[131, 106]);
    assert_ne!(
        BeamFile::parse(&other.finish()).expect("valid").md5,
        plain.md5
    );
}

#[test]
fn obsolete_instructions_are_named() {
    let mut b = Builder::new("old");
    b.function("f", 0, true);
    b.op(Op::PutTuple, &[Arg::U(0), Arg::X(0)]);
    b.op(Op::Return, &[]);
    let error = BeamFile::parse(&b.finish()).expect_err("refused");
    assert_eq!(
        error.to_string(),
        "chunk Code: function f/0: offset 0x8: instruction put_tuple is obsolete; \
         recompile the module with a newer compiler"
    );
}

/// Loads every file of the directories in `ENIGMA_TEST_BEAMS` (separated by colons).
#[test]
fn real_files() {
    let Some(dirs) = std::env::var_os("ENIGMA_TEST_BEAMS") else {
        eprintln!("ENIGMA_TEST_BEAMS is not set: no real files are loaded");
        return;
    };
    let mut count = 0;
    for dir in std::env::split_paths(&dirs) {
        for entry in std::fs::read_dir(&dir).expect("a directory").flatten() {
            let path = entry.path();
            if path
                .extension()
                .is_some_and(|extension| extension == "beam")
            {
                let bytes = std::fs::read(&path).expect("a file");
                if let Err(error) = BeamFile::parse(&bytes) {
                    panic!("{}: {error}", path.display());
                }
                count += 1;
            }
        }
    }
    assert!(count > 0, "no files found");
}
