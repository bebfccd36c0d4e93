//! Options of `open_port/2`.

use super::framing::Framing;
use crate::file_name;
use enigma_runtime::atom::Atom;
use enigma_runtime::term::{bits, list};
use enigma_runtime::{Exit, Term, badarg};

/// What the list says.
#[derive(Clone, Debug)]
pub struct Options {
    /// How data is cut.
    pub framing: Framing,
    /// Data as binaries.
    pub binary: bool,
    /// Data comes in.
    pub input: bool,
    /// Data goes out.
    pub output: bool,
    /// The program talks through descriptors 3 and 4 instead of 0 and 1.
    pub nouse_stdio: bool,
    /// Standard error goes where standard output goes.
    pub stderr_to_stdout: bool,
    /// The end of the program is told with its status.
    pub exit_status: bool,
    /// The end of data is told and does not close the port.
    pub eof: bool,
    /// Directory of the program.
    pub cd: Option<Vec<u8>>,
    /// Changes of the environment; nothing unsets.
    pub env: Vec<(Vec<u8>, Option<Vec<u8>>)>,
    /// Arguments of the program.
    pub args: Vec<Vec<u8>>,
    /// The program's name for itself.
    pub arg0: Option<Vec<u8>>,
}

/// A string or binary as bytes.
fn bytes(t: Term) -> Option<Vec<u8>> {
    match bits::binary_bytes(t) {
        Some(b) => Some(b.into_owned()),
        None if t.is_list() => file_name::encode(t),
        None => None,
    }
}

impl Options {
    /// Reads the list.
    pub fn read(l: Term) -> Result<Options, Exit> {
        let mut o = Options {
            framing: Framing::Stream,
            binary: false,
            input: true,
            output: true,
            nouse_stdio: false,
            stderr_to_stdout: false,
            exit_status: false,
            eof: false,
            cd: None,
            env: Vec::new(),
            args: Vec::new(),
            arg0: None,
        };
        let (mut only_in, mut only_out) = (false, false);
        for item in list::to_vec(l).ok_or_else(badarg)? {
            if let Some(a) = item.as_atom() {
                match a.text() {
                    "stream" => o.framing = Framing::Stream,
                    "binary" => o.binary = true,
                    "in" => only_in = true,
                    "out" => only_out = true,
                    "use_stdio" => o.nouse_stdio = false,
                    "nouse_stdio" => o.nouse_stdio = true,
                    "stderr_to_stdout" => o.stderr_to_stdout = true,
                    "exit_status" => o.exit_status = true,
                    "eof" => o.eof = true,
                    "hide" | "overlapped_io" => {}
                    _ => return Err(badarg()),
                }
                continue;
            }
            let Some(&[k, v]) = item.as_tuple_n::<2>() else {
                return Err(badarg());
            };
            match k.as_atom().map(Atom::text).ok_or_else(badarg)? {
                "packet" => {
                    let n = v
                        .as_usize()
                        .filter(|n| matches!(n, 1 | 2 | 4))
                        .ok_or_else(badarg)?;
                    o.framing = Framing::Packet(n);
                }
                "line" => {
                    o.framing = Framing::Line(v.as_usize().filter(|&n| n > 0).ok_or_else(badarg)?)
                }
                "cd" => o.cd = Some(bytes(v).ok_or_else(badarg)?),
                "arg0" => o.arg0 = Some(bytes(v).ok_or_else(badarg)?),
                "args" => {
                    for a in list::to_vec(v).ok_or_else(badarg)? {
                        o.args.push(bytes(a).ok_or_else(badarg)?);
                    }
                }
                "env" => {
                    for e in list::to_vec(v).ok_or_else(badarg)? {
                        let Some(&[n, v]) = e.as_tuple_n::<2>() else {
                            return Err(badarg());
                        };
                        let n = bytes(n)
                            .filter(|n| !n.is_empty() && !n.contains(&b'='))
                            .ok_or_else(badarg)?;
                        let v = if v.as_bool() == Some(false) {
                            None
                        } else {
                            Some(bytes(v).ok_or_else(badarg)?)
                        };
                        o.env.push((n, v));
                    }
                }
                "parallelism" | "busy_limits_port" | "busy_limits_msgq" => {}
                _ => return Err(badarg()),
            }
        }
        if only_in || only_out {
            (o.input, o.output) = (only_in, only_out);
        }
        Ok(o)
    }
}
