//! A library that counts words: for `words.erl`, and for the suite `t_native`, which builds and loads it in the VM and in BEAM.

use enigma_native::{
    Answer, Atom, Binary, Call, Env, Host, Interest, Kind, Leave, LoadError, Monitor, On,
    OwnedBinary, OwnedTerm, Pid, Resource, ResourceType, Shared, Term, native_function,
};
use std::collections::BTreeMap;
use std::io::{PipeReader, PipeWriter, Read, Write};
use std::os::fd::{AsRawFd, RawFd};
use std::sync::Mutex;
use std::thread;

enigma_native::library! {
    module: "words";
    load: load;
    types: [COUNTER, TEXT, PIPE];
    functions:
        "split" / 1 Normal => split;
        "new" / 0 Normal => new;
        "add" / 2 Normal => add;
        "counts" / 1 Normal => counts;
        "watch" / 2 Normal => watch;
        "unwatch" / 1 Normal => unwatch;
        "tell_when_gone" / 2 Normal => tell_when_gone;
        "count_file" / 1 DirtyIo => count_file;
        "count_later" / 2 Normal => count_later;
        "length_sum" / 1 Normal => length_sum;
        "scheduler" / 1 Normal => scheduler;
        "keep" / 1 Normal => keep;
        "part_of_kept" / 3 Normal => part_of_kept;
        "repeat" / 2 Normal => repeat;
        "describe" / 1 Normal => describe;
        "change" / 3 Normal => change;
        "numbers" / 1 Normal => numbers;
        "fail" / 1 Normal => fail;
        "twice" / 1 Normal => twice;
        "external" / 1 Normal => external;
        "order" / 2 Normal => order;
        "about" / 1 Normal => about;
        "pipe" / 0 Normal => pipe;
        "pipe_write" / 2 Normal => pipe_write;
        "pipe_read" / 1 Normal => pipe_read;
        "pipe_select" / 2 Normal => pipe_select;
        "pipe_close" / 1 Normal => pipe_close;
}

fn load(env: Host<'_>, argument: Term<'_>) -> Result<(), LoadError> {
    if argument == env.atom("refuse") {
        return Err(LoadError(17));
    }
    Ok(())
}

fn ok<'e>(env: Env<'e>) -> Answer<'e> {
    Ok(env.atom("ok"))
}

/// Where the words of a text are.
fn words(text: &[u8]) -> impl Iterator<Item = std::ops::Range<usize>> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let from = at + text[at..].iter().position(|b| !b.is_ascii_whitespace())?;
        let len = text[from..].iter().position(u8::is_ascii_whitespace);
        at = len.map_or(text.len(), |n| from + n);
        Some(from..at)
    })
}

/// The words of an I/O list, as parts of it.
fn split<'e>(call: Call<'e>, [text]: [Term<'e>; 1]) -> Answer<'e> {
    let text = text.iolist()?;
    let found: Vec<Term<'_>> = words(&text).map(|range| text.part(range)).collect();
    Ok(call.list(&found))
}

/// Counts words, for whoever holds it.
#[derive(Default)]
struct Counter {
    counts: Mutex<BTreeMap<Vec<u8>, u64>>,
    monitor: Mutex<Option<Monitor>>,
    /// Who is told what.
    tell: Mutex<Option<(Pid, OwnedTerm)>>,
}

static COUNTER: ResourceType<Counter> = ResourceType::new("counter");

impl Counter {
    fn add(&self, text: &[u8]) -> usize {
        let mut counts = self.counts.lock().unwrap();
        let mut n = 0;
        for range in words(text) {
            *counts.entry(text[range].to_vec()).or_default() += 1;
            n += 1;
        }
        n
    }
}

impl Resource for Counter {
    fn destroyed(self, env: Host<'_>) {
        let n = self.counts.into_inner().unwrap().len();
        if let Some((pid, told)) = self.tell.into_inner().unwrap() {
            let message = OwnedTerm::new(|e| e.make((told.copy_to(e), n)));
            // The process may be gone.
            let _ = message.send(env, pid);
        }
    }

    fn down(&self, env: Host<'_>, pid: Pid, monitor: Monitor) {
        let known = self.monitor.lock().unwrap().take() == Some(monitor);
        if let Some((to, told)) = &*self.tell.lock().unwrap() {
            let down = env.atom("down");
            env.send(*to, env.make((told.copy_to(*env), down, pid, known)));
        }
    }
}

fn new<'e>(call: Call<'e>, []: [Term<'e>; 0]) -> Answer<'e> {
    Ok(COUNTER.make(Counter::default()).term(**call))
}

fn add<'e>(call: Call<'e>, [counter, text]: [Term<'e>; 2]) -> Answer<'e> {
    let counter = COUNTER.get(counter)?;
    Ok(call.make(counter.add(&text.iolist()?)))
}

fn counts<'e>(call: Call<'e>, [counter]: [Term<'e>; 1]) -> Answer<'e> {
    let counter = COUNTER.get(counter)?;
    let counts = counter.counts.lock().unwrap();
    let pairs: Vec<(Term<'_>, Term<'_>)> = counts
        .iter()
        .map(|(word, &n)| (call.binary(word), call.make(n)))
        .collect();
    Ok(call.map(&pairs))
}

fn watch<'e>(call: Call<'e>, [counter, pid]: [Term<'e>; 2]) -> Answer<'e> {
    let counter = COUNTER.get(counter)?;
    let monitor = counter.monitor(*call, pid.to()?);
    let watched = monitor.is_some();
    *counter.monitor.lock().unwrap() = monitor;
    Ok(call.make(watched))
}

fn unwatch<'e>(call: Call<'e>, [counter]: [Term<'e>; 1]) -> Answer<'e> {
    let counter = COUNTER.get(counter)?;
    let monitor = counter
        .monitor
        .lock()
        .unwrap()
        .take()
        .ok_or(Leave::Badarg)?;
    Ok(call.make(counter.demonitor(*call, monitor)))
}

fn tell_when_gone<'e>(call: Call<'e>, [counter, told]: [Term<'e>; 2]) -> Answer<'e> {
    let counter = COUNTER.get(counter)?;
    *counter.tell.lock().unwrap() = Some((call.pid(), OwnedTerm::copy(told)));
    ok(**call)
}

fn count_file<'e>(call: Call<'e>, [path]: [Term<'e>; 1]) -> Answer<'e> {
    match std::fs::read(path.to::<&str>()?) {
        Ok(text) => Ok(call.make((call.atom("ok"), words(&text).count()))),
        Err(e) => {
            let why = e.kind().to_string();
            Ok(call.make((call.atom("error"), why.as_str())))
        }
    }
}

/// Counts in a thread of the library's own, which sends the result.
fn count_later<'e>(call: Call<'e>, [text, told]: [Term<'e>; 2]) -> Answer<'e> {
    let (pid, text) = (call.pid(), text.iolist()?.to_vec());
    let told = OwnedTerm::copy(told);
    // The VM's own threads send with the environment of their call.
    let early = OwnedTerm::copy(call.atom("early")).send_from_thread(pid);
    thread::spawn(move || {
        let n = words(&text).count();
        let message = OwnedTerm::new(|e| e.make((told.copy_to(e), n)));
        // The process may be gone.
        let _ = message.send_from_thread(pid);
    });
    Ok(call.make(early.is_err()))
}

/// The sum of the lengths of a list's binaries, a time slice after another.
fn length_sum<'e>(call: Call<'e>, [list]: [Term<'e>; 1]) -> Answer<'e> {
    length_sum_on(call, [list, call.make(0), call.make(0)])
}

fn length_sum_on<'e>(call: Call<'e>, [list, sum, slices]: [Term<'e>; 3]) -> Answer<'e> {
    let (mut sum, slices) = (sum.to::<u64>()?, slices.to::<u64>()?);
    let mut list = list.list()?;
    for (i, element) in list.by_ref().enumerate() {
        sum += element?.to::<Binary<'_>>()?.len() as u64;
        if i % 100 == 99 && call.consume_timeslice(10) {
            let arguments = [list.rest(), call.make(sum), call.make(slices + 1)];
            let next = native_function!(length_sum_on, 3);
            return Err(Leave::schedule(
                "length_sum_on",
                On::Normal,
                next,
                arguments,
            ));
        }
    }
    Ok(call.make((sum, slices > 0)))
}

/// Which scheduler runs what is scheduled.
fn scheduler<'e>(_: Call<'e>, [on]: [Term<'e>; 1]) -> Answer<'e> {
    let here = match on.to::<Atom>()?.name(on.env()).as_str() {
        "normal" => On::Normal,
        "cpu" => On::DirtyCpu,
        "io" => On::DirtyIo,
        _ => return Err(Leave::Badarg),
    };
    let next = native_function!(scheduler_of, 1);
    Err(Leave::schedule("scheduler_of", here, next, [on]))
}

fn scheduler_of<'e>(call: Call<'e>, [on]: [Term<'e>; 1]) -> Answer<'e> {
    let name = thread::current().name().is_none();
    Ok(call.make((on, call.is_caller_alive(), name)))
}

/// A text that binaries are parts of.
struct Text(Vec<u8>);

static TEXT: ResourceType<Text> = ResourceType::new("text");

impl Resource for Text {}

fn keep<'e>(call: Call<'e>, [text]: [Term<'e>; 1]) -> Answer<'e> {
    Ok(TEXT.make(Text(text.iolist()?.to_vec())).term(**call))
}

fn part_of_kept<'e>(call: Call<'e>, [text, from, to]: [Term<'e>; 3]) -> Answer<'e> {
    let (text, range): (Shared<Text>, _) = (TEXT.get(text)?, from.to::<usize>()?..to.to()?);
    if text.0.get(range.clone()).is_none() {
        return Err(Leave::Badarg);
    }
    Ok(text.binary(**call, |t| &t.0[range]))
}

/// A binary of so many times these bytes, made in its place.
fn repeat<'e>(call: Call<'e>, [bytes, times]: [Term<'e>; 2]) -> Answer<'e> {
    let (bytes, times) = (bytes.to::<Binary<'_>>()?, times.to::<u16>()?);
    let size = bytes.len() * usize::from(times);
    let mut all = OwnedBinary::zeroed(size).ok_or(Leave::Badarg)?;
    if !bytes.is_empty() {
        for part in all.chunks_mut(bytes.len()) {
            part.copy_from_slice(&bytes);
        }
    }
    Ok(all.into_term(**call))
}

/// What a term is, with what it consists of.
fn describe<'e>(call: Call<'e>, [term]: [Term<'e>; 1]) -> Answer<'e> {
    let (kind, value) = match term.kind() {
        Kind::Atom => ("atom", call.make(term.to::<Atom>()?.name(**call).as_str())),
        Kind::Integer => match (term.to::<i64>(), term.to::<u64>()) {
            (Ok(n), _) => ("integer", call.make(n)),
            (_, Ok(n)) => ("large", call.make(n)),
            _ => ("huge", term),
        },
        Kind::Float => ("float", call.float(term.to()?)?),
        Kind::Bitstring => match term.to::<&str>() {
            Ok(text) => ("text", call.make(text)),
            Err(_) => match term.to::<Binary<'_>>() {
                Ok(bytes) => ("bytes", call.make(bytes.bytes())),
                Err(_) => ("bits", term),
            },
        },
        Kind::List => match term.to::<Vec<Term<'_>>>() {
            Ok(all) => ("list", call.make(all)),
            Err(_) => ("improper", term),
        },
        Kind::Tuple => ("tuple", call.list(&term.tuple()?)),
        Kind::Map => {
            let mut pairs: Vec<_> = term.pairs()?.collect();
            pairs.sort_by(|a, b| a.0.order(b.0));
            assert_eq!(pairs.len(), term.map_size()?);
            let pairs: Vec<_> = pairs.into_iter().map(|p| call.make(p)).collect();
            ("map", call.make(pairs))
        }
        Kind::Pid => ("pid", call.make(term.to::<Pid>()?)),
        Kind::Port => ("port", term),
        Kind::Reference => ("reference", term),
        Kind::Fun => ("fun", term),
        _ => ("other", term),
    };
    Ok(call.make((call.atom(kind), value)))
}

/// A map with a key changed, without it, and what it has.
fn change<'e>(call: Call<'e>, [map, key, value]: [Term<'e>; 3]) -> Answer<'e> {
    let was = map.get(key)?.unwrap_or(call.atom("none"));
    Ok(call.make((map.with(key, value)?, map.without(key)?, was)))
}

/// A term as values of several types: each that fits.
fn numbers<'e>(call: Call<'e>, [term]: [Term<'e>; 1]) -> Answer<'e> {
    let fits = [
        term.to::<i8>().map(|n| call.make(n)),
        term.to::<u8>().map(|n| call.make(n)),
        term.to::<i16>().map(|n| call.make(n)),
        term.to::<u32>().map(|n| call.make(n)),
        term.to::<i64>().map(|n| call.make(n)),
        term.to::<u64>().map(|n| call.make(n)),
        term.to::<f64>().and_then(|f| call.float(f * 2.0)),
        term.to::<bool>().map(|b| call.make(!b)),
        term.to::<(i32, &str)>().map(|(n, t)| call.make((t, n))),
    ];
    Ok(call.make(fits.into_iter().flatten().collect::<Vec<_>>()))
}

fn fail<'e>(call: Call<'e>, [how]: [Term<'e>; 1]) -> Answer<'e> {
    match how.to::<Atom>()?.name(**call).as_str() {
        "panic" => panic!("as it was told"),

        "infinite" => Ok(call.float(f64::INFINITY)?),
        "long" => Ok(call.atom(&"x".repeat(256))),
        _ => Err(Leave::Error(call.make((call.atom("failed"), how)))),
    }
}

/// A term and its copy that has been in another environment.
fn twice<'e>(call: Call<'e>, [term]: [Term<'e>; 1]) -> Answer<'e> {
    let copy = OwnedTerm::copy(term);
    let same = copy.with(|c| c == term && c.hash() == term.hash());
    call.send(call.pid(), term);
    let back = copy.copy_to(**call);
    let sent = copy.send(*call, call.pid()).is_ok();
    Ok(call.make((term, back, same, sent)))
}

fn external<'e>(call: Call<'e>, [term]: [Term<'e>; 1]) -> Answer<'e> {
    let bytes = term.to_external()?;
    let back = call.from_external(&bytes, true)?;
    let wrong = call.from_external(&bytes[1..], true).is_err();
    Ok(call.make((bytes.into_term(**call), back, wrong)))
}

fn order<'e>(call: Call<'e>, [a, b]: [Term<'e>; 2]) -> Answer<'e> {
    Ok(call.make((a.order(b) as i8, a == b)))
}

fn about<'e>(call: Call<'e>, [name]: [Term<'e>; 1]) -> Answer<'e> {
    let name = name.to::<Atom>()?.name(**call);
    let is_reference = call.reference().kind() == Kind::Reference;
    let (pid, alive) = match call.whereis(&name) {
        Some(pid) => (call.make(pid), call.is_alive(pid)),
        None => (call.atom("undefined"), false),
    };
    Ok(call.make((call.pid(), pid, alive, is_reference)))
}

/// A pipe that the VM's poller waits for.
struct Pipe {
    reader: Mutex<Option<PipeReader>>,
    writer: Mutex<Option<PipeWriter>>,
    closed: Mutex<Option<(Pid, OwnedTerm)>>,
}

static PIPE: ResourceType<Pipe> = ResourceType::new("pipe");

impl Pipe {
    fn descriptor(&self) -> Option<RawFd> {
        self.reader.lock().unwrap().as_ref().map(AsRawFd::as_raw_fd)
    }
}

impl Resource for Pipe {
    fn stop(&self, env: Host<'_>, descriptor: RawFd) {
        let is_mine = self.descriptor() == Some(descriptor);
        self.reader.lock().unwrap().take();
        if let Some((pid, told)) = self.closed.lock().unwrap().take() {
            env.send(pid, env.make((told.copy_to(*env), is_mine)));
        }
    }
}

fn pipe<'e>(call: Call<'e>, []: [Term<'e>; 0]) -> Answer<'e> {
    let (reader, writer) = std::io::pipe().map_err(|_| Leave::Badarg)?;
    let pipe = Pipe {
        reader: Mutex::new(Some(reader)),
        writer: Mutex::new(Some(writer)),
        closed: Mutex::new(None),
    };
    Ok(PIPE.make(pipe).term(**call))
}

fn pipe_write<'e>(call: Call<'e>, [pipe, bytes]: [Term<'e>; 2]) -> Answer<'e> {
    let pipe = PIPE.get(pipe)?;
    let mut writer = pipe.writer.lock().unwrap();
    let writer = writer.as_mut().ok_or(Leave::Badarg)?;
    let n = writer.write(&bytes.iolist()?).map_err(|_| Leave::Badarg)?;
    Ok(call.make(n))
}

fn pipe_read<'e>(call: Call<'e>, [pipe]: [Term<'e>; 1]) -> Answer<'e> {
    let pipe = PIPE.get(pipe)?;
    let mut bytes = [0; 100];
    let mut reader = pipe.reader.lock().unwrap();
    let reader = reader.as_mut().ok_or(Leave::Badarg)?;
    let n = reader.read(&mut bytes).map_err(|_| Leave::Badarg)?;
    Ok(call.binary(&bytes[..n]))
}

/// Waits with a reference (`undefined`), takes that back, or waits with a message of its own.
fn pipe_select<'e>(call: Call<'e>, [pipe, how]: [Term<'e>; 2]) -> Answer<'e> {
    let pipe = PIPE.get(pipe)?;
    let descriptor = pipe.descriptor().ok_or(Leave::Badarg)?;
    let (read, me) = (Interest::READ, call.pid());
    let done = if how == call.atom("cancel") {
        return match pipe.select_cancel(*call, descriptor, read) {
            Ok(was) => Ok(call.make(was)),
            Err(_) => Err(Leave::Badarg),
        };
    } else if how == call.atom("undefined") || how.kind() == Kind::Reference {
        pipe.select(*call, descriptor, read, me, how)
    } else if how == call.atom("invalid") {
        pipe.select(*call, 99_999, read, me, call.atom("undefined"))
    } else {
        pipe.select_with(*call, descriptor, read, me, OwnedTerm::copy(how))
    };
    match done {
        Ok(()) => ok(**call),
        Err(e) => Ok(call.make((call.atom("error"), e.to_string().as_str()))),
    }
}

fn pipe_close<'e>(call: Call<'e>, [pipe]: [Term<'e>; 1]) -> Answer<'e> {
    let pipe = PIPE.get(pipe)?;
    let told = OwnedTerm::copy(call.atom("closed"));
    *pipe.closed.lock().unwrap() = Some((call.pid(), told));
    let descriptor = pipe.descriptor().ok_or(Leave::Badarg)?;
    pipe.select_stop(*call, descriptor)
        .map_err(|_| Leave::Badarg)?;
    ok(**call)
}
