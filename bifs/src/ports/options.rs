//! Options of `open_port/2`.

use super::framing::PortFraming;
use crate::file_name;
use enigma_runtime::Term;
use enigma_runtime::atom::Atom;
use enigma_runtime::data::bignum;
use enigma_runtime::heap::bits;
use enigma_runtime::term::list;

/// How long a line may be that the option `line` alone allows.
const LINE: usize = 512;

/// A variable of the environment and its new value; nothing unsets it.
pub type Variable = (Vec<u8>, Option<Vec<u8>>);

/// When a port is busy.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BusyLimits {
    /// It no longer is with fewer bytes than this in its queue.
    pub low: usize,
    /// It is from so many bytes on.
    pub high: usize,
}

impl Default for BusyLimits {
    fn default() -> BusyLimits {
        BusyLimits {
            low: 4096,
            high: 8192,
        }
    }
}

/// What the list says.
#[derive(Clone, Debug)]
pub struct PortOptions {
    /// How data is cut.
    pub framing: PortFraming,
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
    /// The option `parallelism`, if it is there.
    pub parallelism: Option<bool>,
    /// Limits of the port's queue, which only some drivers take.
    pub busy_limits_port: Option<BusyLimits>,
    /// Directory of the program.
    pub cd: Option<Vec<u8>>,
    /// Changes of the environment.
    pub env: Vec<Variable>,
    /// Arguments of the program.
    pub args: Option<Vec<Vec<u8>>>,
    /// The program's name for itself.
    pub arg0: Option<Vec<u8>>,
}

/// A name as bytes: an atom, a list of characters, or a binary up to its first zero.
pub fn name_bytes(t: Term) -> Option<Vec<u8>> {
    match bits::binary_bytes(t) {
        Some(b) => Some(b.split(|&b| b == 0).next().unwrap_or_default().to_vec()),
        None => file_name::encode(t),
    }
}

/// Part of a variable of the environment: a list of characters.
fn env_bytes(t: Term) -> Option<Vec<u8>> {
    file_name::encode(t).filter(|_| t.is_list())
}

impl PortOptions {
    /// Reads the list; nothing if an option is bad or two contradict each other. What the option `cd` gives
    /// is the second part: it counts as part of the port's name.
    pub fn read(l: Term) -> Option<(PortOptions, Term)> {
        let mut o = PortOptions {
            framing: PortFraming::Stream,
            binary: false,
            input: true,
            output: true,
            nouse_stdio: false,
            stderr_to_stdout: false,
            exit_status: false,
            eof: false,
            parallelism: None,
            busy_limits_port: None,
            cd: None,
            env: Vec::new(),
            args: None,
            arg0: None,
        };
        let mut directory = Term::NIL;
        let (mut only_in, mut only_out) = (false, false);
        let (mut packet, mut line) = (None, None);
        for item in list::to_vec(l)? {
            if let Some(a) = item.as_atom() {
                match a.text() {
                    "stream" => packet = None,
                    "line" => line = Some(LINE),
                    "binary" => o.binary = true,
                    "in" => only_in = true,
                    "out" => only_out = true,
                    "use_stdio" => o.nouse_stdio = false,
                    "nouse_stdio" => o.nouse_stdio = true,
                    "stderr_to_stdout" => o.stderr_to_stdout = true,
                    "exit_status" => o.exit_status = true,
                    "eof" => o.eof = true,
                    "hide" | "overlapped_io" => {}
                    _ => return None,
                }
                continue;
            }
            let &[k, v] = item.as_tuple_n::<2>()?;
            match k.as_atom()?.text() {
                "packet" => packet = Some(v.as_usize().filter(|n| matches!(n, 1 | 2 | 4))?),
                "line" => line = Some(v.as_usize().filter(|&n| n > 0)?),
                "cd" => directory = v,
                "arg0" => o.arg0 = Some(name_bytes(v)?),
                "args" => {
                    o.args = Some(
                        list::to_vec(v)?
                            .into_iter()
                            .map(name_bytes)
                            .collect::<Option<_>>()?,
                    )
                }
                "env" => o.env = environment(v)?,
                "parallelism" => o.parallelism = Some(v.as_bool()?),
                "busy_limits_port" => o.busy_limits_port = Some(busy_limits(v)?),
                "busy_limits_msgq" => _ = busy_limits(v)?,
                _ => return None,
            }
        }
        if only_in || only_out {
            (o.input, o.output) = (only_in, only_out);
        }
        o.framing = match (packet, line) {
            (Some(_), Some(_)) => return None,
            (Some(n), None) => PortFraming::Packet(n),
            (None, Some(n)) => PortFraming::Line(n),
            (None, None) => PortFraming::Stream,
        };
        if o.stderr_to_stdout && o.nouse_stdio {
            return None;
        }
        Some((o, directory))
    }

    /// Are there arguments for a program, or a name for it?
    pub fn has_arguments(&self) -> bool {
        self.args.is_some() || self.arg0.is_some()
    }
}

/// The value of `env`: pairs of a name and a value, `false` or an empty one taking the variable away.
fn environment(pairs: Term) -> Option<Vec<Variable>> {
    list::to_vec(pairs)?
        .into_iter()
        .map(|pair| {
            let &[name, value] = pair.as_tuple_n::<2>()?;
            let name = env_bytes(name).filter(|n| !n.contains(&b'='))?;
            if value.is_nil() || value.as_bool() == Some(false) {
                return Some((name, None));
            }
            Some((name, Some(env_bytes(value)?)))
        })
        .collect()
}

/// The value of a `busy_limits` option. Commands are taken at once, so those of the queue of commands say nothing.
fn busy_limits(value: Term) -> Option<BusyLimits> {
    if value.as_atom() == Some(Atom::new("disabled")) {
        return Some(BusyLimits {
            low: usize::MAX,
            high: usize::MAX,
        });
    }
    let &[low, high] = value.as_tuple_n::<2>()?;
    let limit = |t: Term| bignum::to_u64(t).filter(|&n| n >= 1 && n != u64::MAX);
    let (low, high) = (limit(low)? as usize, limit(high)? as usize);
    Some(BusyLimits {
        low,
        high: high.max(low),
    })
}
