//! Distribution as Erlang code sees it: connections (`channel`), nodes and news of them (`nodes`), processes spawned from
//! elsewhere (`spawn`), what names nodes (`census`). What is told over a connection is in `enigma_runtime::dist`.

pub mod census;
pub mod channel;
pub mod nodes;
pub mod spawn;
pub mod transport;

use crate::log;
use enigma_runtime::Term;
use enigma_runtime::dist::connection::Connection;
use enigma_runtime::dist::incoming::{self, Above};
use enigma_runtime::dist::watch;

/// Tells the runtime what this crate does for it.
pub fn install() {
    incoming::set_above(Above {
        spawn: spawn::on_request,
        report,
    });
}

/// A process has ended that may have had to do with connections.
pub fn process_exit(process: u64, reason: Term) {
    watch::forget(process);
    channel::process_exit(process, reason);
}

/// A connection is closed because of what has come by it.
fn report(c: &Connection) {
    let (name, controller) = (c.entry.name, c.controller);
    log::vm_error(|h| {
        let format =
            h.char_list("Got invalid data on distribution channel ~p from node ~p; it is closed~n");
        (format, h.list(&[controller, name.into()]))
    });
}
