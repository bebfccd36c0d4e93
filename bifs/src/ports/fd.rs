//! Ports over descriptors that are open already, and the threads that read and write for any port.

use super::framing::{Cutter, PortFraming};
use super::options::PortOptions;
use super::{Driver, Port};
use crate::terminal::input;
use enigma_runtime::atom::Atom;
use parking_lot::{Condvar, Mutex};
use std::fs::File;
use std::io::{Read, Write};
use std::mem::ManuallyDrop;
use std::os::fd::{AsRawFd, FromRawFd};
use std::sync::Arc;
use std::time::Duration;

/// A file over a descriptor that somebody else closes.
fn borrowed(fd: i32) -> ManuallyDrop<File> {
    // SAFETY: `ManuallyDrop` never closes the descriptor; reads and writes on a bad one fail cleanly.
    ManuallyDrop::new(unsafe { File::from_raw_fd(fd) })
}

struct Queue {
    data: Vec<Vec<u8>>,
    writing: bool,
    closed: bool,
}

/// Writes in the order of the calls, in a thread of its own.
pub struct Writer {
    queue: Mutex<Queue>,
    changed: Condvar,
}

impl Writer {
    /// Starts the thread; `out` gets the data, errors close the port.
    pub fn start(
        port: Arc<Port>,
        mut out: impl Write + Send + 'static,
    ) -> Result<Arc<Writer>, Atom> {
        let w = Arc::new(Writer {
            queue: Mutex::new(Queue {
                data: Vec::new(),
                writing: false,
                closed: false,
            }),
            changed: Condvar::new(),
        });
        let writer = w.clone();
        let run = move || {
            while let Some(data) = writer.next() {
                let mut result = Ok(());
                for d in data {
                    if result.is_ok() {
                        result = out.write_all(&d);
                    }
                }
                let result = result.and_then(|()| out.flush());
                let mut q = writer.queue.lock();
                q.writing = false;
                if result.is_err() {
                    q.closed = true;
                    q.data.clear();
                }
                writer.changed.notify_all();
                drop(q);
                if let Err(e) = result {
                    port.close(crate::errno::of(&e).into());
                    return;
                }
            }
        };
        let _loosened = enigma_runtime::sched::bind::loosened();
        match std::thread::Builder::new()
            .name("port_writer".into())
            .spawn(run)
        {
            Ok(_) => Ok(w),
            Err(_) => Err(Atom::SYSTEM_LIMIT),
        }
    }

    fn next(&self) -> Option<Vec<Vec<u8>>> {
        let mut q = self.queue.lock();
        loop {
            if !q.data.is_empty() {
                q.writing = true;
                return Some(std::mem::take(&mut q.data));
            }
            if q.closed {
                return None;
            }
            self.changed.wait(&mut q);
        }
    }

    /// Adds data.
    pub fn push(&self, data: Vec<u8>) {
        if !data.is_empty() {
            self.push_or_flush(data);
        }
    }

    /// Adds data; where there is none, what is written to is flushed all the same.
    pub fn push_or_flush(&self, data: Vec<u8>) {
        let mut q = self.queue.lock();
        if !q.closed {
            q.data.push(data);
            self.changed.notify_all();
        }
    }

    /// Is everything written?
    pub fn is_idle(&self) -> bool {
        let q = self.queue.lock();
        q.data.is_empty() && !q.writing
    }

    /// The thread ends when everything is written.
    pub fn close(&self) {
        self.queue.lock().closed = true;
        self.changed.notify_all();
    }

    /// Waits until everything is written, at most a few seconds.
    pub fn flush(&self) {
        let mut q = self.queue.lock();
        while !q.data.is_empty() || q.writing {
            if self
                .changed
                .wait_for(&mut q, Duration::from_secs(5))
                .timed_out()
            {
                return;
            }
        }
    }
}

/// Reads until the end in a thread of its own; then `end` runs.
pub fn read_loop(
    port: Arc<Port>,
    mut from: impl Read + Send + 'static,
    options: &PortOptions,
    end: impl FnOnce(&Arc<Port>) + Send + 'static,
) -> Result<(), Atom> {
    let mut cutter = Cutter::new(options.framing, options.binary);
    let run = move || {
        let mut buffer = vec![0u8; 1 << 16];
        loop {
            match from.read(&mut buffer) {
                Ok(0) => break,
                Ok(n) => {
                    if port.is_closed() {
                        return;
                    }
                    cutter.feed(&port, &buffer[..n]);
                }
                Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
                Err(_) => break,
            }
        }
        cutter.end(&port);
        end(&port);
    };
    let _loosened = enigma_runtime::sched::bind::loosened();
    match std::thread::Builder::new()
        .name("port_reader".into())
        .spawn(run)
    {
        Ok(_) => Ok(()),
        Err(_) => Err(Atom::SYSTEM_LIMIT),
    }
}

/// What a port does at the end of its data.
pub fn at_end(port: &Arc<Port>, eof: bool) {
    if eof {
        port.tell(|_| Atom::EOF.into());
    } else {
        port.close(Atom::NORMAL.into());
    }
}

/// What stands behind a port over descriptors: where data goes out and how it is framed.
pub struct Streams {
    writer: Option<Arc<Writer>>,
    framing: PortFraming,
}

impl Streams {
    /// Without a writer there is nowhere to write to (`ebadf`).
    pub fn new(writer: Option<Arc<Writer>>, framing: PortFraming) -> Streams {
        Streams { writer, framing }
    }
}

struct Borrowed(ManuallyDrop<File>);

impl Read for Borrowed {
    fn read(&mut self, buf: &mut [u8]) -> std::io::Result<usize> {
        let fd = self.0.as_raw_fd();
        if fd == libc::STDIN_FILENO {
            input::wait(fd);
        }
        self.0.read(buf)
    }
}

impl Write for Borrowed {
    fn write(&mut self, buf: &[u8]) -> std::io::Result<usize> {
        self.0.write(buf)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Opens a port over two descriptors, `{fd, In, Out}`; one that is not used may be any number.
pub fn open(owner: u64, input: i64, output: i64, options: &PortOptions) -> Result<Arc<Port>, Atom> {
    let (name, limit) = (format!("{input}/{output}"), open_files());
    let descriptor = |n: i64, used: bool| match i32::try_from(n) {
        Ok(fd) if (0..limit).contains(&fd) => Ok(fd),
        _ if !used => Ok(-1),
        _ => Err(Atom::EINVAL),
    };
    let input = descriptor(input, options.input)?;
    let output = descriptor(output, options.output)?;
    Port::open(owner, &name, false, |port| {
        let writer = match options.output {
            true => Some(Writer::start(port.clone(), Borrowed(borrowed(output)))?),
            false => None,
        };
        if options.input {
            let eof = options.eof;
            read_loop(port.clone(), Borrowed(borrowed(input)), options, move |p| {
                at_end(p, eof)
            })?;
        }
        Ok(Box::new(Streams::new(writer, options.framing)))
    })
}

/// How many descriptors the process may have.
fn open_files() -> i32 {
    // SAFETY: `sysconf` only reads a number.
    let n = unsafe { libc::sysconf(libc::_SC_OPEN_MAX) };
    i32::try_from(n).unwrap_or(i32::MAX)
}

impl Driver for Streams {
    fn output(&self, _: &Arc<Port>, data: Vec<u8>) -> Result<(), Atom> {
        let data = self.framing.frame(data)?;
        let writer = self.writer.as_ref().ok_or(Atom::new("ebadf"))?;
        writer.push(data);
        Ok(())
    }

    fn close(&self) {
        if let Some(w) = &self.writer {
            w.close();
        }
    }

    fn flush(&self) {
        if let Some(w) = &self.writer {
            w.flush();
        }
    }
}
