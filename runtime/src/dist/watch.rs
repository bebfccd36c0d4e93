//! News of nodes: who has asked for them (`net_kernel:monitor_nodes/1,2`), and what they are told.

use super::nodes;
use crate::atom::Atom;
use crate::data::map;
use crate::heap::Heap;
use crate::process::handle;
use crate::process::signal::{self, Signal};
use crate::term::Term;
use parking_lot::Mutex;
use std::collections::BTreeMap;

/// Bits of what messages about nodes a process has asked for.
pub mod asked {
    /// In the form of lists, not of maps.
    pub const LISTED: u8 = 1;
    /// With the number of the connection.
    pub const CONNECTION: u8 = 2;
    /// With the reason why a node is gone.
    pub const REASON: u8 = 4;
    /// About visible nodes.
    pub const VISIBLE: u8 = 8;
    /// About hidden nodes.
    pub const HIDDEN: u8 = 16;
}

/// What a process has asked for.
#[derive(Clone, Copy)]
struct Wish {
    what: u8,
    times: u32,
    /// What was asked for earlier has a smaller one.
    age: u64,
}

/// Who has asked for what.
struct Asked {
    next_age: u64,
    by_process: BTreeMap<u64, Vec<Wish>>,
}

impl Asked {
    /// What was asked for, in the order in which it was.
    fn in_order(&self) -> Vec<(u64, Wish)> {
        let all = self.by_process.iter();
        let mut all: Vec<(u64, Wish)> = all
            .flat_map(|(&id, wishes)| wishes.iter().map(move |&w| (id, w)))
            .collect();
        all.sort_by_key(|(_, wish)| wish.age);
        all
    }
}

static ASKED: Mutex<Asked> = Mutex::new(Asked {
    next_age: 0,
    by_process: BTreeMap::new(),
});

/// A process asks for news, or takes all its wishes of that kind back; how often it had asked before.
pub fn ask(process: u64, what: u8, on: bool) -> u32 {
    let mut all = ASKED.lock();
    let age = all.next_age;
    all.next_age += 1;
    let mine = all.by_process.entry(process).or_default();
    let before = mine.iter().position(|w| w.what == what);
    let count = before.map_or(0, |i| mine[i].times);
    match (before, on) {
        (Some(i), true) => mine[i].times += 1,
        (None, true) => mine.push(Wish {
            what,
            times: 1,
            age,
        }),
        (Some(i), false) => _ = mine.remove(i),
        (None, false) => {}
    }
    if mine.is_empty() {
        all.by_process.remove(&process);
    }
    count
}

/// A process has ended.
pub fn forget(process: u64) {
    ASKED.lock().by_process.remove(&process);
    for e in nodes::all() {
        e.unwatch(process, true);
    }
}

/// What there is to tell of a node.
#[derive(Clone, Copy)]
pub enum News {
    /// It is there.
    Up,
    /// It is gone, for this reason.
    Down(Term),
}

/// Whom there is news of.
#[derive(Clone, Copy)]
pub struct NodeInNews {
    /// The node.
    pub name: Atom,
    /// Is it one that others are told of?
    pub visible: bool,
    /// The number of the connection; this node itself has none.
    pub connection: Option<u32>,
}

/// Tells those who have asked, who has asked first at first.
pub fn tell(news: News, about: NodeInNews) {
    let all = ASKED.lock().in_order();
    for (id, Wish { what, times, .. }) in all {
        let kinds = what & (asked::VISIBLE | asked::HIDDEN);
        let wanted = match (kinds, about.visible) {
            (0, visible) => visible,
            (k, true) => k & asked::VISIBLE != 0,
            (k, false) => k & asked::HIDDEN != 0,
        };
        if !wanted {
            continue;
        }
        for _ in 0..times {
            let note = handle::build(|h| note(h, news, about, what));
            signal::send(id, Signal::Message(note));
        }
    }
}

/// Who has asked for news, and what: a row for each time, the latest first.
pub fn wishes() -> Vec<(u64, u8)> {
    let all = ASKED.lock().in_order();
    let rows = all.into_iter().rev();
    rows.flat_map(|(id, w)| std::iter::repeat_n((id, w.what), w.times as usize))
        .collect()
}

fn note(h: &mut Heap, news: News, subject: NodeInNews, what: u8) -> Term {
    let tag = match news {
        News::Up => "nodeup",
        News::Down(_) => "nodedown",
    };
    let (tag, name) = (Atom::new(tag).into(), subject.name.into());
    if what == asked::LISTED {
        return h.tuple(&[tag, name]);
    }
    let mut about: Vec<(Term, Term)> = Vec::new();
    if what & asked::CONNECTION != 0 {
        let id = subject.connection;
        let id = id.map_or(Atom::UNDEFINED.into(), |id| Term::small(i64::from(id)));
        about.push((Atom::new("connection_id").into(), id));
    }
    if let (News::Down(reason), true) = (news, what & asked::REASON != 0) {
        let reason = crate::heap::copy::copy(reason, h);
        about.push((Atom::new("nodedown_reason").into(), reason));
    }
    if what & (asked::VISIBLE | asked::HIDDEN) != 0 {
        let kind = if subject.visible {
            Atom::VISIBLE
        } else {
            Atom::HIDDEN
        };
        about.push((Atom::new("node_type").into(), kind.into()));
    }
    let about = if what & asked::LISTED != 0 {
        let pairs: Vec<Term> = about.iter().map(|&(k, v)| h.tuple(&[k, v])).collect();
        h.list(&pairs)
    } else {
        map::from_pairs(h, &about)
    };
    h.tuple(&[tag, name, about])
}
