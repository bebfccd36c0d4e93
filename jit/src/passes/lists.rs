//! Functions that call themselves for the tail of a list that they return, as loops.
//!
//! Of `f([H | T]) -> [g(H) | f(T)]` nothing is left to do behind the inner call but to put what is known already before the
//! value. So instead of a frame for each such call the elements are put at the end of one list (`Op::Build`), and
//! the function begins anew; what returns from it puts that list before the value.
//!
//! One place in a function only is treated so: a stack trace tells many calls in a row from one place as one, but
//! calls from two places in turn one by one.

use crate::ir::edit::Beginning;
use crate::ir::{Block, Callee, Inst, Op, Repr, SsaFunction, Value};

/// Does it.
pub fn run(f: &mut SsaFunction) {
    if let Some((site, beginning)) = place(f) {
        change(f, &site, &beginning);
    }
}

/// Is there anything to do?
pub fn applies(f: &SsaFunction) -> bool {
    place(f).is_some()
}

fn place(f: &SsaFunction) -> Option<(Site, Beginning)> {
    if f.at.is_some() {
        return None;
    }
    let beginning = f.beginning()?;
    let mut sites = f.blocks().filter_map(|(block, _)| site(f, block));
    let only = sites.next().filter(|_| sites.next().is_none());
    only.map(|site| (site, beginning))
}

/// A call whose value becomes the tail of the list that is returned.
struct Site {
    block: Block,
    /// Place of the call in the block.
    at: usize,
    call: Inst,
    /// Where the interpreter goes on after the call.
    next: u32,
    /// Slots of the frame.
    slots: u32,
    /// What stands before the value, the first element first.
    heads: Vec<Head>,
}

/// An element that is known before the call.
#[derive(Clone, Copy)]
enum Head {
    /// In this slot of the frame, counted at the call.
    Slot(u32),
    Constant(u64),
}

fn site(f: &SsaFunction, block: Block) -> Option<Site> {
    let insts = &f.blocks[block.index()].insts;
    let is_call = |i: &Inst| matches!(f.insts[i.index()].op, Op::Call(Callee::This, _));
    let at = insts.iter().rposition(is_call)?;
    let call = insts[at];
    let Op::Call(_, next) = f.insts[call.index()].op else {
        return None;
    };
    let mut list = f.insts[call.index()].results[0];
    let mut known: Vec<(Value, Head)> = Vec::new();
    let mut heads = Vec::new();
    let mut slots = 0;
    for i in &insts[at + 1..] {
        let inst = &f.insts[i.index()];
        match (&inst.op, &inst.args[..]) {
            (Op::LoadY(n), _) => known.push((inst.results[0], Head::Slot(slots + u32::from(*n)))),
            (Op::Const(word), _) => known.push((inst.results[0], Head::Constant(*word))),
            (Op::Drop(n), _) => slots += n,
            (Op::Reserve(..), _) => {}
            (Op::Cons, &[head, tail]) if tail == list => {
                heads.push(known.iter().find(|k| k.0 == head)?.1);
                list = inst.results[0];
            }
            (Op::Return, &[value]) if value == list && !heads.is_empty() => {
                heads.reverse();
                return Some(Site {
                    block,
                    at,
                    call,
                    next,
                    slots,
                    heads,
                });
            }
            _ => return None,
        }
    }
    None
}

fn change(f: &mut SsaFunction, site: &Site, beginning: &Beginning) {
    let given = f.insts[site.call.index()].args.clone();
    f.place = f.insts[site.call.index()].place;
    f.blocks[site.block.index()].insts.truncate(site.at);
    let mut heads = Vec::new();
    for head in &site.heads {
        let op = match *head {
            Head::Slot(n) => Op::LoadY(n as u16),
            Head::Constant(word) => Op::Const(word),
        };
        heads.push(f.one(site.block, op, Vec::new(), Repr::Term));
    }
    f.push(site.block, Op::Drop(site.slots), Vec::new(), &[]);
    f.push(site.block, Op::Build(site.next), heads, &[]);
    beginning.again(f, site.block, given);
}
