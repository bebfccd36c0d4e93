//! What the runtime asks of this crate.

use enigma_runtime::atom::Atom;
use enigma_runtime::heap::copy;
use enigma_runtime::hooks::Hooks;
use enigma_runtime::process::signal::{self, Signal};
use enigma_runtime::process::{MaxHeap, Owned, PidKey, handle, registry};
use enigma_runtime::term::map;
use enigma_runtime::{Ctx, Exit, Heap, Term, exception, release, time};

/// See the module's text.
pub struct BifHooks;

impl Hooks for BifHooks {
    fn send(&self, cx: &mut Ctx<'_>, to: Term, message: Term) -> Result<(), Exit> {
        crate::erlang::message::send(cx, to, message)
    }

    fn process_exit(&self, cx: &mut Ctx<'_>, reason: Term) {
        crate::system::check_vital(cx.proc.id, reason);
        crate::ets::process_exit(cx);
    }

    fn port_exit_signal(&self, port: u64, from: Term, reason: Term, link: bool) {
        crate::ports::exit_signal(port, from, reason, link);
    }

    fn port_demonitor(&self, port: u64, reference: u64) {
        crate::ports::demonitor(port, reference);
    }

    fn remote_exit_signal(&self, _: PidKey, _: Term, _: Term, _: bool) {}

    fn remote_down(&self, _: PidKey, _: u64, _: Term) {}

    fn remote_demonitor(&self, _: PidKey, _: u64) {}

    fn max_heap_exceeded(&self, own: &Owned, words: usize, max: MaxHeap) {
        let collected = crate::info::gc_numbers(own);
        log(own.group_leader, Term::local_pid(own.id), |h| {
            let mut format = String::from(
                "     Process:            ~p ~n     Context:            maximum heap size reached~n     \
                 Max Heap Size:      ~p~n     Total Heap Size:    ~p~n     Kill:               ~p~n     \
                 Error Logger:       ~p~n     Message Queue Len:  ~p~n     GC Info:            ~p~n",
            );
            let mut args = vec![
                Term::local_pid(own.id),
                Term::small(max.size as i64),
                Term::small(words as i64),
                max.kill.into(),
                max.error_logger.into(),
                Term::small(own.mailbox.len() as i64),
                crate::info::gc_list(h, &collected),
            ];
            if release::heap_report_has_trace() {
                format.push_str("     Stacktrace:         ~p~n");
                args.push(exception::frames(h, own));
            }
            (h.char_list(&format), h.list(&args))
        });
    }

    fn uncaught(&self, cx: &mut Ctx<'_>, reason: Term) {
        let (leader, me) = (cx.own.group_leader, cx.self_pid());
        log(leader, me, |h| {
            let reason = copy::copy(reason, h);
            match enigma_runtime::node::this().0 {
                Atom::NONODE_AT_NOHOST => {
                    let format = h.char_list("Error in process ~p with exit value:~n~p~n");
                    (format, h.list(&[me, reason]))
                }
                node => {
                    let format =
                        h.char_list("Error in process ~p on node ~p with exit value:~n~p~n");
                    (format, h.list(&[me, node.into(), reason]))
                }
            }
        });
    }
}

/// Sends an error to the logger process, as the emulator logs: the message
/// `{log, error, Format, Args, #{gl, pid, time, error_logger}}`.
fn log(leader: Term, pid: Term, build: impl FnOnce(&mut Heap) -> (Term, Term)) {
    let Some(logger) = registry::whereis(Atom::LOGGER).and_then(Term::as_local_pid) else {
        return;
    };
    let message = handle::build(|h| {
        let (format, args) = build(h);
        let gl = copy::copy(leader, h);
        let now = h.int(time::system() / 1000);
        let tags = map::from_pairs(
            h,
            &[
                (Atom::TAG.into(), Atom::ERROR.into()),
                (Atom::EMULATOR.into(), true.into()),
            ],
        );
        let meta = map::from_pairs(
            h,
            &[
                (Term::atom(Atom::GL), gl),
                (Atom::PID.into(), pid),
                (Atom::TIME.into(), now),
                (Atom::ERROR_LOGGER.into(), tags),
            ],
        );
        h.tuple(&[Atom::LOG.into(), Atom::ERROR.into(), format, args, meta])
    });
    signal::send(logger, Signal::Message(message));
}
