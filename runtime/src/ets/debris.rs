//! What was in a table that was emptied or deleted: freed a part at a time by who did it, or by a thread of its own if
//! that process ends meanwhile.

use super::linear::free_chain;
use super::tree::Tree;
use crate::heap::object::Obj;
use std::sync::LazyLock;
use std::sync::mpsc::{Sender, channel};

/// This many objects and buckets are freed at once where there is no other time for it.
const FEW: usize = 2000;

enum Rest {
    Segments(Vec<Box<[Obj]>>),
    Tree(Tree),
    /// Objects that were not put in.
    Objects(Vec<Obj>),
}

/// See the module's text.
pub struct Debris {
    rest: Option<Rest>,
    /// Where in the last segment the next chain is.
    at: usize,
}

// SAFETY: the objects are owned, and their memory is plain.
unsafe impl Send for Debris {}

impl Debris {
    pub(super) fn of_segments(segments: Vec<Box<[Obj]>>) -> Debris {
        Debris {
            rest: Some(Rest::Segments(segments)),
            at: 0,
        }
    }

    pub(super) fn of_tree(tree: Tree) -> Debris {
        Debris {
            rest: Some(Rest::Tree(tree)),
            at: 0,
        }
    }

    pub(super) fn of_objects(objects: Vec<Obj>) -> Debris {
        Debris {
            rest: Some(Rest::Objects(objects)),
            at: 0,
        }
    }

    /// Frees about so many objects; gives how many were left to do, 0 when it is not finished.
    pub fn free(&mut self, amount: usize) -> usize {
        let mut left = amount;
        while left > 0 {
            let done = match &mut self.rest {
                None => return left,
                Some(Rest::Tree(t)) => t.free_leaf(),
                Some(Rest::Objects(all)) => all.pop().map(|o| {
                    o.set_next(Obj::NONE);
                    free_chain(o)
                }),
                Some(Rest::Segments(all)) => match all.last() {
                    None => None,
                    Some(s) if self.at == s.len() => {
                        all.pop();
                        self.at = 0;
                        Some(0)
                    }
                    Some(s) => {
                        self.at += 1;
                        // An empty bucket costs little.
                        Some(free_chain(s[self.at - 1]) + usize::from(self.at.is_multiple_of(8)))
                    }
                },
            };
            match done {
                Some(n) => left = left.saturating_sub(n),
                None => self.rest = None,
            }
        }
        0
    }

    /// Is everything freed?
    pub fn is_gone(&self) -> bool {
        self.rest.is_none()
    }
}

static REAPER: LazyLock<Option<Sender<Debris>>> = LazyLock::new(|| {
    let (to, from) = channel::<Debris>();
    let reap = move || {
        for mut d in from {
            while !d.is_gone() {
                d.free(usize::MAX);
            }
        }
    };
    let _loosened = crate::sched::bind::loosened();
    let thread = std::thread::Builder::new().name("table reaper".into());
    thread.spawn(reap).ok().map(|_| to)
});

impl Drop for Debris {
    fn drop(&mut self) {
        self.free(FEW);
        if self.is_gone() {
            return;
        }
        let rest = Debris {
            rest: self.rest.take(),
            at: self.at,
        };
        let left = match &*REAPER {
            Some(to) => to.send(rest).err().map(|e| e.0),
            None => Some(rest),
        };
        if let Some(mut left) = left {
            while !left.is_gone() {
                left.free(usize::MAX);
            }
        }
    }
}
