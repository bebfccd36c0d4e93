//! What the runtime asks of this crate.

use crate::log;
use enigma_runtime::atom::Atom;
use enigma_runtime::dist::operations;
use enigma_runtime::hooks::{self, Hooks};
use enigma_runtime::interp::exception;
use enigma_runtime::process::signal::Unlink;
use enigma_runtime::process::{MaxHeap, Owned, PidKey, gc_numbers};
use enigma_runtime::{Ctx, Term, bif, release};

struct BifHooks;

/// Tells the runtime what this crate does for it.
pub fn install() {
    hooks::set(Box::new(BifHooks));
    bif::set_send(crate::erlang::message::send);
    hooks::add_resource_down(crate::nifs::prim_socket::monitor::down);
    crate::dist::install();
}

impl Hooks for BifHooks {
    fn process_exit(&self, cx: &mut Ctx<'_>, reason: Term) {
        crate::system::check_vital(cx.proc.id, reason);
        crate::ets::process_exit(cx);
        crate::system::process_exit(cx.proc.id);
        crate::nifs::prim_tty::process_exit(cx.proc.id);
        crate::dist::process_exit(cx.proc.id, reason);
        crate::ports::loaded::process_exit(cx.proc.id);
    }

    fn port_exit_signal(&self, port: u64, from: Term, reason: Term, link: bool) {
        crate::ports::exit_signal(port, from, reason, link);
    }

    fn port_demonitor(&self, port: u64, reference: u64) {
        crate::ports::demonitor(port, reference);
    }

    fn remote_exit_signal(&self, to: PidKey, from: Term, reason: Term, link: bool) {
        operations::exit_signal(to, from, reason, link);
    }

    fn remote_down(&self, to: PidKey, reference: u64, reason: Term) {
        operations::down(to, reference, reason);
    }

    fn remote_demonitor(&self, target: PidKey, reference: u64) {
        operations::demonitor(target, reference);
    }

    fn remote_demonitor_name(&self, name: Atom, node: Atom, reference: u64) {
        operations::demonitor_name(name, node, reference);
    }

    fn remote_unlinked(&self, local: u64, to: PidKey) {
        operations::unlinked(local, to);
    }

    fn remote_unlink_acknowledged(&self, unlink: Unlink) {
        operations::acknowledge_unlink(unlink);
    }

    fn max_heap_exceeded(&self, own: &Owned, words: usize, max: MaxHeap) {
        let collected = gc_numbers::of(own);
        log::error(own.group_leader, Term::local_pid(own.id), |h| {
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
                gc_numbers::to_list(h, &collected),
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
        log::error_with(
            leader,
            me,
            reason,
            |h, reason| match enigma_runtime::node::this().0 {
                Atom::NONODE_AT_NOHOST => {
                    let format = h.char_list("Error in process ~p with exit value:~n~p~n");
                    (format, h.list(&[me, reason]))
                }
                node => {
                    let format =
                        h.char_list("Error in process ~p on node ~p with exit value:~n~p~n");
                    (format, h.list(&[me, node.into(), reason]))
                }
            },
        );
    }
}
