//! Writes `.beam` files by hand, for tests and as seeds of the fuzzer.
//!
//! The inverse of the reader at the level of bytes: nothing is checked, so that wrong files can be
//! made on purpose.

use std::io::Write as _;

use crate::ops::Op;

/// An operand to be encoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Arg {
    /// Untagged number.
    U(u64),
    /// Integer.
    I(i64),
    /// Integer as big-endian two's complement bytes (nine or more).
    Big(Vec<u8>),
    /// Atom index.
    A(u32),
    /// Empty list.
    Nil,
    /// X register.
    X(u64),
    /// Y register.
    Y(u64),
    /// X register with a type index.
    TX(u64, u64),
    /// Label.
    F(u32),
    /// Character.
    Char(u64),
    /// Float register.
    Fr(u64),
    /// List.
    List(Vec<Arg>),
    /// Allocation list of kinds and amounts.
    Alloc(Vec<(u64, u64)>),
    /// Literal index.
    Lit(u64),
}

/// How to write the parts that have changed over time.
#[derive(Clone, Copy, Debug, Default)]
pub struct Format {
    /// Atoms with compact lengths (28 and later).
    pub long_atoms: bool,
    /// Atoms in the `Atom` chunk in Latin-1.
    pub latin1_atoms: bool,
    /// Literals without compression (28 and later).
    pub plain_literals: bool,
    /// The whole file gzip-compressed.
    pub gzip: bool,
}

/// A module under construction.
#[derive(Clone, Debug, Default)]
pub struct Builder {
    atoms: Vec<String>,
    imports: Vec<[u32; 3]>,
    exports: Vec<[u32; 3]>,
    locals: Vec<[u32; 3]>,
    lambdas: Vec<[u32; 6]>,
    literals: Vec<Vec<u8>>,
    strings: Vec<u8>,
    lines: Vec<u32>,
    code: Vec<u8>,
    labels: u32,
    functions: u32,
    extra: Vec<([u8; 4], Vec<u8>)>,
    /// Variants of the format.
    pub format: Format,
}

impl Builder {
    /// A module with this name.
    pub fn new(module: &str) -> Builder {
        Builder {
            atoms: vec![module.to_owned()],
            labels: 1,
            ..Builder::default()
        }
    }

    /// Index of an atom, which is added when it is new.
    pub fn atom(&mut self, text: &str) -> u32 {
        let at = self
            .atoms
            .iter()
            .position(|known| known == text)
            .unwrap_or_else(|| {
                self.atoms.push(text.to_owned());
                self.atoms.len() - 1
            });
        at as u32 + 1
    }

    /// An atom operand.
    pub fn a(&mut self, text: &str) -> Arg {
        Arg::A(self.atom(text))
    }

    /// An import operand.
    pub fn import(&mut self, module: &str, function: &str, arity: u32) -> Arg {
        let entry = [self.atom(module), self.atom(function), arity];
        let at = self
            .imports
            .iter()
            .position(|known| *known == entry)
            .unwrap_or_else(|| {
                self.imports.push(entry);
                self.imports.len() - 1
            });
        Arg::U(at as u64)
    }

    /// A literal operand from an external term with its version byte.
    pub fn literal(&mut self, term: &[u8]) -> Arg {
        self.literals.push(term.to_vec());
        Arg::Lit(self.literals.len() as u64 - 1)
    }

    /// Offset of bytes added to the strings.
    pub fn string(&mut self, bytes: &[u8]) -> Arg {
        let at = self.strings.len();
        self.strings.extend_from_slice(bytes);
        Arg::U(at as u64)
    }

    /// A fun operand for the function with this entry label.
    pub fn lambda(&mut self, function: &str, arity: u32, label: u32, free: u32) -> Arg {
        let index = self.lambdas.len() as u32;
        let name = self.atom(function);
        self.lambdas.push([name, arity, label, index, free, 0]);
        Arg::U(u64::from(index))
    }

    /// A source position operand in the module's own file.
    pub fn line(&mut self, line: u32) -> Arg {
        self.lines.push(line);
        Arg::U(self.lines.len() as u64)
    }

    /// A label that has not been used.
    pub fn new_label(&mut self) -> u32 {
        self.labels += 1;
        self.labels - 1
    }

    /// Places a label here.
    pub fn place(&mut self, label: u32) {
        self.op(Op::Label, &[Arg::U(u64::from(label))]);
    }

    /// Starts a function and gives its entry label. Its `func_info` label is one less.
    pub fn function(&mut self, name: &str, arity: u32, exported: bool) -> u32 {
        let (info, entry) = (self.new_label(), self.new_label());
        self.function_at(name, arity, exported, info, entry);
        entry
    }

    /// Starts a function with given labels.
    pub fn function_at(&mut self, name: &str, arity: u32, exported: bool, info: u32, entry: u32) {
        self.functions += 1;
        let name = self.atom(name);
        let table = if exported {
            &mut self.exports
        } else {
            &mut self.locals
        };
        table.push([name, arity, entry]);
        self.place(info);
        self.op(
            Op::FuncInfo,
            &[Arg::A(1), Arg::A(name), Arg::U(u64::from(arity))],
        );
        self.place(entry);
    }

    /// Adds an instruction.
    pub fn op(&mut self, op: Op, args: &[Arg]) {
        self.code.push(op as u8);
        for arg in args {
            encode_arg(&mut self.code, arg);
        }
    }

    /// Adds raw bytes to the code.
    pub fn raw(&mut self, bytes: &[u8]) {
        self.code.extend_from_slice(bytes);
    }

    /// Adds a chunk as it is.
    pub fn chunk(&mut self, id: &[u8; 4], data: &[u8]) {
        self.extra.push((*id, data.to_vec()));
    }

    /// The finished file.
    pub fn finish(&self) -> Vec<u8> {
        let mut chunks: Vec<([u8; 4], Vec<u8>)> = Vec::new();
        chunks.push(self.atom_chunk());
        let mut code = Vec::new();
        for field in [
            16,
            0,
            u32::from(crate::ops::MAX_OPCODE),
            self.labels,
            self.functions,
        ] {
            code.extend_from_slice(&u32::to_be_bytes(field));
        }
        code.extend_from_slice(&self.code);
        code.push(Op::IntCodeEnd as u8);
        chunks.push((*b"Code", code));
        chunks.push((*b"StrT", self.strings.clone()));
        chunks.push((*b"ImpT", table(&self.imports)));
        chunks.push((*b"ExpT", table(&self.exports)));
        chunks.push((*b"LocT", table(&self.locals)));
        if !self.lambdas.is_empty() {
            chunks.push((*b"FunT", table(&self.lambdas)));
        }
        if !self.literals.is_empty() {
            chunks.push((*b"LitT", self.literal_chunk()));
        }
        if !self.lines.is_empty() {
            let mut data = Vec::new();
            for field in [0, 0, self.lines.len() as u32, self.lines.len() as u32, 0] {
                data.extend_from_slice(&u32::to_be_bytes(field));
            }
            for &line in &self.lines {
                encode_arg(&mut data, &Arg::I(i64::from(line)));
            }
            chunks.push((*b"Line", data));
        }
        chunks.extend(self.extra.iter().cloned());
        let file = container(&chunks);
        if !self.format.gzip {
            return file;
        }
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        // Writing to memory cannot fail; an empty file would be noticed by every test.
        let _ = encoder.write_all(&file);
        encoder.finish().unwrap_or_default()
    }

    fn atom_chunk(&self) -> ([u8; 4], Vec<u8>) {
        let count = self.atoms.len() as u32;
        let mut data = Vec::new();
        if self.format.long_atoms {
            data.extend_from_slice(&count.wrapping_neg().to_be_bytes());
        } else {
            data.extend_from_slice(&count.to_be_bytes());
        }
        for atom in &self.atoms {
            let bytes: Vec<u8> = if self.format.latin1_atoms {
                atom.chars().map(|char| char as u8).collect()
            } else {
                atom.as_bytes().to_vec()
            };
            if self.format.long_atoms {
                encode_arg(&mut data, &Arg::U(bytes.len() as u64));
            } else {
                data.push(bytes.len() as u8);
            }
            data.extend_from_slice(&bytes);
        }
        (
            if self.format.latin1_atoms {
                *b"Atom"
            } else {
                *b"AtU8"
            },
            data,
        )
    }

    fn literal_chunk(&self) -> Vec<u8> {
        let mut plain = (self.literals.len() as u32).to_be_bytes().to_vec();
        for literal in &self.literals {
            plain.extend_from_slice(&(literal.len() as u32).to_be_bytes());
            plain.extend_from_slice(literal);
        }
        if self.format.plain_literals {
            let mut data = vec![0; 4];
            data.extend_from_slice(&plain);
            return data;
        }
        let mut encoder = flate2::write::ZlibEncoder::new(
            (plain.len() as u32).to_be_bytes().to_vec(),
            flate2::Compression::fast(),
        );
        let _ = encoder.write_all(&plain);
        encoder.finish().unwrap_or_default()
    }
}

/// A file from chunks.
pub fn container(chunks: &[([u8; 4], Vec<u8>)]) -> Vec<u8> {
    let mut body = b"BEAM".to_vec();
    for (id, data) in chunks {
        body.extend_from_slice(id);
        body.extend_from_slice(&(data.len() as u32).to_be_bytes());
        body.extend_from_slice(data);
        body.resize(body.len().next_multiple_of(4), 0);
    }
    let mut file = b"FOR1".to_vec();
    file.extend_from_slice(&(body.len() as u32).to_be_bytes());
    file.extend_from_slice(&body);
    file
}

fn table<const N: usize>(rows: &[[u32; N]]) -> Vec<u8> {
    let mut data = (rows.len() as u32).to_be_bytes().to_vec();
    for field in rows.iter().flatten() {
        data.extend_from_slice(&field.to_be_bytes());
    }
    data
}

/// Appends the compact encoding of an operand.
pub fn encode_arg(out: &mut Vec<u8>, arg: &Arg) {
    use crate::operand::{ext, tag};
    match arg {
        Arg::U(value) => encode(out, tag::U, *value),
        Arg::I(value) => encode_int(out, *value),
        Arg::Big(bytes) => {
            out.push(0xf8 | tag::I);
            encode(out, tag::U, bytes.len() as u64 - 9);
            out.extend_from_slice(bytes);
        }
        Arg::A(atom) => encode(out, tag::A, u64::from(*atom)),
        Arg::Nil => encode(out, tag::A, 0),
        Arg::X(x) => encode(out, tag::X, *x),
        Arg::Y(y) => encode(out, tag::Y, *y),
        Arg::F(label) => encode(out, tag::F, u64::from(*label)),
        Arg::Char(char) => encode(out, tag::H, *char),
        Arg::TX(x, ty) => {
            encode(out, tag::Z, ext::TYPED_REG);
            encode(out, tag::X, *x);
            encode(out, tag::U, *ty);
        }
        Arg::Fr(float) => {
            encode(out, tag::Z, ext::FLOAT_REG);
            encode(out, tag::U, *float);
        }
        Arg::List(list) => {
            encode(out, tag::Z, ext::LIST);
            encode(out, tag::U, list.len() as u64);
            for arg in list {
                encode_arg(out, arg);
            }
        }
        Arg::Alloc(list) => {
            encode(out, tag::Z, ext::ALLOC);
            encode(out, tag::U, list.len() as u64);
            for (kind, amount) in list {
                encode(out, tag::U, *kind);
                encode(out, tag::U, *amount);
            }
        }
        Arg::Lit(index) => {
            encode(out, tag::Z, ext::LITERAL);
            encode(out, tag::U, *index);
        }
    }
}

fn encode(out: &mut Vec<u8>, tag: u8, value: u64) {
    if value < 16 {
        out.push((value as u8) << 4 | tag);
    } else if value < 2048 {
        out.push(((value >> 8) as u8) << 5 | 0x08 | tag);
        out.push(value as u8);
    } else {
        let bytes = value.to_be_bytes();
        // A leading zero keeps the value from reading as negative.
        let skip = (value.leading_zeros() as usize - 1) / 8;
        encode_bytes(out, tag, &bytes[skip.min(6)..]);
    }
}

fn encode_int(out: &mut Vec<u8>, value: i64) {
    if (0..2048).contains(&value) {
        return encode(out, crate::operand::tag::I, value as u64);
    }
    let bytes = value.to_be_bytes();
    let sign = if value < 0 { 0xff } else { 0 };
    let mut skip = 0;
    while skip < 6 && bytes[skip] == sign && (bytes[skip + 1] ^ sign) & 0x80 == 0 {
        skip += 1;
    }
    encode_bytes(out, crate::operand::tag::I, &bytes[skip..]);
}

fn encode_bytes(out: &mut Vec<u8>, tag: u8, bytes: &[u8]) {
    out.push(((bytes.len() as u8 - 2) << 5) | 0x18 | tag);
    out.extend_from_slice(bytes);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operand::{Cursor, Raw, tag};

    #[test]
    fn numbers_read_back() {
        for value in [
            0,
            1,
            15,
            16,
            2047,
            2048,
            0x7fff,
            0x8000,
            0xffff,
            1 << 31,
            1 << 62,
            i64::MAX as u64,
        ] {
            let mut out = Vec::new();
            encode(&mut out, tag::U, value);
            let mut cursor = Cursor::new(&out, 0);
            assert_eq!(cursor.tagged(), Ok((tag::U, Raw::Word(value))), "{value}");
            assert_eq!(cursor.remaining(), 0);
        }
        for value in [
            0,
            2047,
            2048,
            -1,
            -128,
            -129,
            -32768,
            -32769,
            i64::MIN,
            i64::MAX,
            1 << 40,
        ] {
            let mut out = Vec::new();
            encode_int(&mut out, value);
            let mut cursor = Cursor::new(&out, 0);
            assert_eq!(
                cursor.tagged(),
                Ok((tag::I, Raw::Word(value as u64))),
                "{value}"
            );
            assert_eq!(cursor.remaining(), 0);
        }
    }
}
