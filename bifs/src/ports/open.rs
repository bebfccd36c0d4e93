//! `open_port/2`: which driver a name asks for, and what is wrong with a name or an option.

use super::options::{PortOptions, name_bytes};
use super::{Port, fd, file, inet, loaded, ram_file, spawn, tty_sl};
use enigma_runtime::atom::Atom;
use enigma_runtime::term::list;
use enigma_runtime::{Term, release};
use std::sync::Arc;

/// A driver that is asked for by its name.
struct Named {
    name: &'static str,
    open: fn(owner: u64, line: &str, options: &PortOptions) -> Result<Arc<Port>, Atom>,
}

const NAMED: &[Named] = &[
    Named {
        name: "ram_file_drv",
        open: ram_file::open,
    },
    Named {
        name: "tty_sl",
        open: |owner, line, _| tty_sl::open(owner, line),
    },
    Named {
        name: "tcp_inet",
        open: |owner, line, o| inet::tcp::open(owner, line, o.binary),
    },
    Named {
        name: "udp_inet",
        open: |owner, line, o| inet::udp::open(owner, line, o.binary),
    },
    Named {
        name: "sctp_inet",
        open: |owner, line, _| inet::sctp::open(owner, line),
    },
];

/// Opens a port; otherwise the name of the error: `badopt` for options that are no good whatever the name,
/// `badarg` for a bad name or an option that does not fit it, or what the operating system says.
pub fn open(owner: u64, name: Term, options: Term) -> Result<Arc<Port>, Atom> {
    let (mut options, directory) = PortOptions::read(options).ok_or_else(|| Atom::new("badopt"))?;
    let what = What::read(name).ok_or(Atom::BADARG)?;
    let program = matches!(
        what,
        What::Command(_) | What::Executable(_) | What::Driver(_)
    );
    if options.has_arguments() && !matches!(what, What::Executable(_))
        || options.exit_status && !program
    {
        return Err(Atom::BADARG);
    }
    if !directory.is_nil() {
        options.cd = Some(name_bytes(directory).ok_or(Atom::BADARG)?);
    }
    let shown = |b: &[u8]| String::from_utf8_lossy(b).into_owned();
    let port = match what {
        What::File(path) => file::open(owner, &path, &options),
        What::Descriptors(input, output) => fd::open(owner, input, output, &options),
        What::Executable(path) => spawn::open(
            owner,
            &shown(&path),
            &spawn::What::Executable(&path),
            &options,
        ),
        What::Command(line) => match open_driver(owner, &line, &options) {
            Some(opened) => opened,
            None => spawn::open(owner, &shown(&line), &spawn::What::Shell(&line), &options),
        },
        What::Driver(line) => open_driver(owner, &line, &options).ok_or(Atom::BADARG)?,
    }?;
    if let Some(on) = options.parallelism {
        port.set_parallelism(on);
    }
    Ok(port)
}

/// The names of the drivers that the VM brings.
pub fn built_in() -> impl Iterator<Item = &'static str> {
    NAMED.iter().map(|d| d.name)
}

/// Does the VM bring a driver of this name?
pub fn is_built_in(name: &[u8]) -> bool {
    built_in().any(|n| n.as_bytes() == name)
}

/// Opens a port to the driver that the first word of a line names; nothing if there is no such driver.
fn open_driver(owner: u64, line: &[u8], o: &PortOptions) -> Option<Result<Arc<Port>, Atom>> {
    let word = line.split(|&b| b == b' ').next()?;
    let of_ours = NAMED.iter().find(|d| d.name.as_bytes() == word);
    if o.exit_status || o.busy_limits_port.is_some() {
        let is_known = of_ours.is_some() || loaded::is_there(word);
        return is_known.then_some(Err(Atom::BADARG));
    }
    match of_ours {
        Some(d) => Some((d.open)(owner, &String::from_utf8_lossy(line), o)),
        None => loaded::open(owner, line, o),
    }
}

/// What a port's name asks for.
enum What {
    /// A file, by its name.
    File(Vec<u8>),
    /// Descriptors that are open: input and output.
    Descriptors(i64, i64),
    /// A named driver, or else a command for the shell.
    Command(Vec<u8>),
    /// A named driver.
    Driver(Vec<u8>),
    /// A program's file.
    Executable(Vec<u8>),
}

impl What {
    fn read(name: Term) -> Option<What> {
        let kind = match name.as_tuple() {
            Some(elements) => elements.first()?.as_atom()?,
            None => return file_name(name).map(What::File),
        };
        match (kind.text(), name.as_tuple()?) {
            ("spawn", &[_, line]) => command(line).map(What::Command),
            ("spawn_driver", &[_, line]) => command(line).map(What::Driver),
            ("spawn_executable", &[_, file]) => command(file).map(What::Executable),
            ("fd", &[_, input, output]) => {
                Some(What::Descriptors(input.as_small()?, output.as_small()?))
            }
            _ => None,
        }
    }
}

/// A command or a program's name: an empty list is none.
fn command(t: Term) -> Option<Vec<u8>> {
    name_bytes(t).filter(|_| !t.is_nil())
}

/// A file's name where a name alone makes a port: an atom or a flat list of bytes.
fn file_name(t: Term) -> Option<Vec<u8>> {
    if !release::file_names_open_ports() {
        return None;
    }
    let byte = |n: u32| u8::try_from(n).ok();
    let mut path: Vec<u8> = match t.as_atom() {
        Some(a) => a.text().as_bytes().to_vec(),
        None if t.is_cons() => list::to_vec(t)?
            .into_iter()
            .map(|c| c.as_small().and_then(|n| u32::try_from(n).ok()))
            .map(|c| c.and_then(byte))
            .collect::<Option<_>>()?,
        None => return None,
    };
    if let Some(end) = path.iter().position(|&b| b == 0) {
        path.truncate(end);
    }
    Some(path)
}
