//! What the emulator itself tells the logger.

use enigma_runtime::atom::Atom;
use enigma_runtime::data::map;
use enigma_runtime::heap::copy;
use enigma_runtime::process::handle;
use enigma_runtime::process::signal::{self, Signal};
use enigma_runtime::{Ctx, Heap, Term, time};

/// Logs a text as a warning, or as what `+W` says.
pub fn warning(text: &str) {
    warn(None, text);
}

/// Logs a text as an error about the running process.
pub fn process_error(cx: &Ctx<'_>, text: &str) {
    error(cx.own.group_leader, cx.self_pid(), |h| {
        let format = h.char_list("~s~n");
        let text = h.char_list(text);
        (format, h.list(&[text]))
    });
}

/// Logs a text as an error about no process.
pub fn port_error(text: &str) {
    vm_error(|h| {
        let format = h.char_list("~s~n");
        let text = h.char_list(text);
        (format, h.list(&[text]))
    });
}

/// Logs a text as a warning about the running process.
pub fn process_warning(cx: &Ctx<'_>, text: &str) {
    warn(Some((cx.own.group_leader, cx.self_pid())), text);
}

fn warn(about: Option<(Term, Term)>, text: &str) {
    let level = Atom::new(crate::system::facts::facts().warnings_as);
    log_as(level, about, 0, |h| {
        let format = h.char_list("~ts~n");
        let text = h.char_list(text);
        (format, h.list(&[text]))
    });
}

/// Logs what `build` makes, format and arguments, as an error about a process.
pub fn error(leader: Term, pid: Term, build: impl FnOnce(&mut Heap) -> (Term, Term)) {
    log_as(Atom::ERROR, Some((leader, pid)), 0, build);
}

/// Words of format, level and time.
const AROUND: usize = 256;

/// Logs what `build` makes around a copy of a term, format and arguments, as an error about a process.
pub fn error_with(
    leader: Term,
    pid: Term,
    t: Term,
    build: impl FnOnce(&mut Heap, Term) -> (Term, Term),
) {
    log_as(
        Atom::ERROR,
        Some((leader, pid)),
        copy::size(t) + AROUND,
        |h| {
            let t = copy::copy(t, h);
            build(h, t)
        },
    );
}

/// The same about no process.
pub fn vm_error(build: impl FnOnce(&mut Heap) -> (Term, Term)) {
    log_as(Atom::ERROR, None, 0, build);
}

/// Sends something to the logger process, as the emulator logs: the message
/// `{log, Level, Format, Args, #{gl, pid, time, error_logger}}`. What is about no process has neither
/// that nor a group leader. Format and arguments have about so many `words`.
fn log_as(
    level: Atom,
    about: Option<(Term, Term)>,
    words: usize,
    build: impl FnOnce(&mut Heap) -> (Term, Term),
) {
    let Some(logger) = crate::trace::logger_process() else {
        return;
    };
    let message = handle::build_around(words, |h| {
        let (format, args) = build(h);
        let now = h.int(time::system() / 1000);
        let tags = map::from_pairs(
            h,
            &[
                (Atom::TAG.into(), level.into()),
                (Atom::EMULATOR.into(), true.into()),
            ],
        );
        let mut meta: Vec<(Term, Term)> =
            vec![(Atom::TIME.into(), now), (Atom::ERROR_LOGGER.into(), tags)];
        if let Some((leader, pid)) = about {
            let gl = copy::copy(leader, h);
            meta.extend([(Term::atom(Atom::GL), gl), (Atom::PID.into(), pid)]);
        }
        let meta = map::from_pairs(h, &meta);
        h.tuple(&[Atom::LOG.into(), level.into(), format, args, meta])
    });
    signal::send(logger, Signal::Message(message));
}
