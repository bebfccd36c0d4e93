//! What the break menu shows of the system.

use crate::{info, memory, ports};
use enigma_runtime::atom::{self, Atom};
use enigma_runtime::code::{export, fun, module};
use enigma_runtime::ets::registry;
use enigma_runtime::process::signal::{self, Signal};
use enigma_runtime::process::table;
use enigma_runtime::{Ctx, Term, node};
use std::fmt::Write as _;
use std::sync::mpsc;
use std::time::Duration;

/// A process that runs without a pause describes itself within this time, or is only named.
const PATIENCE: Duration = Duration::from_millis(300);

/// What shows a text.
type Show = fn(&str);

/// All processes.
pub fn processes(show: Show) {
    for id in table::all().into_iter().filter_map(Term::as_local_pid) {
        if let Some(text) = process(id) {
            show(&text);
        }
    }
}

/// A process; nothing if it is gone.
pub fn process(id: u64) -> Option<String> {
    let (tell, told) = mpsc::channel();
    let describe = move |cx: Option<&mut Ctx<'_>>| {
        // Nobody listens any more when it came too late.
        let _ = tell.send(cx.map(describe));
    };
    signal::request(id, Box::new(describe), Signal::Task);
    match told.recv_timeout(PATIENCE) {
        Ok(text) => text,
        Err(_) => Some(format!("=proc:{}\nState: Running\n", Term::local_pid(id))),
    }
}

/// What a process says of itself.
fn describe(cx: &mut Ctx<'_>) -> String {
    let mut out = format!("=proc:{}\nState: Waiting\n", cx.self_pid());
    if let Some(name) = cx.own.name() {
        let _ = writeln!(out, "Name: {}", Term::from(name));
    }
    let mut line = |title: &str, item: &str, show: fn(Term) -> Option<String>| {
        if let Some(text) = info::of_other(cx, Atom::new(item)).and_then(show) {
            let _ = writeln!(out, "{title}: {text}");
        }
    };
    line("Spawned as", "initial_call", function);
    line("Current call", "current_function", function);
    line("Spawned by", "parent", |t| match t.as_atom() {
        Some(_) => Some("[]".to_string()),
        None => plain(t),
    });
    line("Message queue length", "message_queue_len", plain);
    line("Link list", "links", unless_empty);
    line("Dictionary", "dictionary", unless_empty);
    line("Reductions", "reductions", plain);
    line("Stack+heap", "total_heap_size", plain);
    line("Memory", "memory", plain);
    out
}

fn plain(t: Term) -> Option<String> {
    Some(t.to_string())
}

fn unless_empty(t: Term) -> Option<String> {
    t.is_cons().then(|| t.to_string())
}

/// `{Module, Function, Arity}` as it is written.
fn function(t: Term) -> Option<String> {
    let &[m, f, a] = t.as_tuple_n::<3>()?;
    Some(format!("{m}:{f}/{a}"))
}

/// All ports.
pub fn ports(show: Show) {
    for p in ports::all() {
        let mut out = format!("=port:{}\nState: CONNECTED\nSlot: {}\n", p.term(), p.id);
        let _ = writeln!(out, "Connected: {}", Term::local_pid(p.connected()));
        let links = p.links();
        if !links.is_empty() {
            let links: Vec<String> = links
                .into_iter()
                .map(|id| Term::local_pid(id).to_string())
                .collect();
            let _ = writeln!(out, "Links: {}", links.join(" "));
        }
        let _ = writeln!(out, "Port: {}", p.name);
        if let Some(pid) = p.driver().and_then(ports::Driver::os_pid) {
            let _ = writeln!(out, "Process: {pid}");
        }
        let (input, output) = p.counts();
        let _ = writeln!(out, "Input: {input}\nOutput: {output}");
        show(&out);
    }
}

/// Memory and the sizes of the system's tables.
pub fn system(show: Show) {
    let mut out = String::from("=memory\n");
    for (name, bytes) in memory::now().by_kind() {
        let _ = writeln!(out, "{name}: {bytes}");
    }
    let _ = writeln!(out, "=atoms\nentries: {}", atom::count());
    let _ = writeln!(out, "=modules\nentries: {}", module::loaded().len());
    let _ = writeln!(out, "=exports\nsize: {}", export::memory());
    let _ = writeln!(out, "=funs\nsize: {}", fun::memory());
    let _ = writeln!(
        out,
        "=processes\nentries: {}\nlimit: {}",
        table::count(),
        table::limit()
    );
    let _ = writeln!(out, "=ports\nentries: {}", ports::count());
    let _ = writeln!(out, "=ets\nentries: {}", registry::all().len());
    show(&out);
}

/// The modules and how large they are.
pub fn modules(show: Show) {
    let mut names = module::loaded();
    names.sort_by_key(|n| n.text());
    let (mut current, mut old) = (0, 0);
    let mut lines = String::new();
    for name in names {
        let (now, before) = module::with(name, |v| {
            let size = |m: Option<&'static module::Module>| m.map(module::Module::bytes);
            (size(v.current), size(v.old))
        });
        current += now.unwrap_or(0);
        old += before.unwrap_or(0);
        let _ = write!(lines, "{} {}", Term::from(name), now.unwrap_or(0));
        if let Some(n) = before {
            let _ = write!(lines, " ({n} old)");
        }
        lines.push('\n');
    }
    show(&format!(
        "Current code: {current}\nOld code: {old}\n{lines}"
    ));
}

/// This node's name.
pub fn distribution(show: Show) {
    let (name, _) = node::this();
    show(&format!("=node:{}\n", Term::from(name)));
    if name.text() == "nonode@nohost" {
        show("=no_distribution\n");
    }
}

/// The tables and what is in them.
pub fn tables(show: Show) {
    for t in registry::all() {
        let mut out = format!("=ets:{}\n", Term::local_pid(t.owner()));
        let _ = writeln!(out, "Slot: {}", t.number);
        let _ = writeln!(out, "Table: {}", Term::from(t.name()));
        let _ = writeln!(out, "Name: {}", Term::from(t.name()));
        let _ = writeln!(out, "Fixed: {}", t.is_fixed());
        let _ = writeln!(out, "Objects: {}", t.len());
        let _ = writeln!(out, "Words: {}", t.memory_words());
        show(&out);
    }
}
