//! A port over a named file, which `open_port/2` makes of a bare name up to OTP 25.

use super::fd::{Streams, at_end, read_loop};
use super::options::PortOptions;
use super::{Port, fd::Writer};
use enigma_runtime::atom::Atom;
use std::ffi::OsStr;
use std::fs::OpenOptions;
use std::os::unix::ffi::OsStrExt;
use std::sync::Arc;

/// Opens the file, which is created where the port may write; a port that only writes empties it.
pub fn open(owner: u64, path: &[u8], options: &PortOptions) -> Result<Arc<Port>, Atom> {
    let mut how = OpenOptions::new();
    how.read(options.input)
        .write(options.output)
        .create(options.output)
        .truncate(options.output && !options.input);
    let file = how
        .open(OsStr::from_bytes(path))
        .map_err(|_| Atom::EINVAL)?;
    let name = String::from_utf8_lossy(path);
    Port::open(owner, &name, false, |port| {
        let writer = if options.output {
            let out = file.try_clone().map_err(|_| Atom::EINVAL)?;
            Some(Writer::start(port.clone(), out)?)
        } else {
            None
        };
        if options.input {
            let eof = options.eof;
            read_loop(port.clone(), file, options, move |p| at_end(p, eof))?;
        }
        Ok(Box::new(Streams::new(writer, options.framing)))
    })
}
