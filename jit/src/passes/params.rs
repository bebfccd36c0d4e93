//! Replaces parameters of blocks that always get the same value by that value.
//!
//! A parameter gets the same value if all jumps to its block give this value or the parameter itself. Where loops are
//! nested or meet, parameters give their value to each other in circles: so the question is asked of strongly
//! connected components of the graph in which a parameter leads to what it is given. A component whose members are given one value
//! from outside is that value. If there are more, the members that are given values from outside stay, and the question
//! is asked again of the others. This finds all (Braun and others, "Simple and Efficient Construction of Static Single
//! Assignment Form", algorithm 5).
//!
//! The one value is defined on every way to the block: each of them comes over a jump that gives it.

use crate::ir::flow::ControlFlowGraph;
use crate::ir::{Block, Op, SsaFunction, Value};
use rustc_hash::{FxHashMap, FxHashSet};

/// What a parameter is given by a jump that is not to be looked at: never what it was before.
const UNKNOWN: Value = Value(u32::MAX);

/// What each parameter is given.
type Given = FxHashMap<Value, Vec<Value>>;

/// Does it. What jumps that begin the function anew give counts as unknown.
pub fn run(f: &mut SsaFunction) {
    replace(f, false);
}

/// Does it, over jumps that begin the function anew as well if `over_again`.
pub(super) fn replace(f: &mut SsaFunction, over_again: bool) {
    let mut given = given(f, over_again);
    let mut found: FxHashMap<Value, Value> = FxHashMap::default();
    let mut params: Vec<Value> = given.keys().copied().collect();
    params.sort_unstable();
    // A component comes behind those that it leads to, so what these have become is known then.
    let mut open = components(&params, &given);
    open.reverse();
    while let Some(component) = open.pop() {
        for p in &component {
            for value in given.get_mut(p).into_iter().flatten() {
                *value = *found.get(value).unwrap_or(value);
            }
        }
        let members: FxHashSet<Value> = component.iter().copied().collect();
        let outside = |p: &Value| given[p].iter().filter(|v| !members.contains(v));
        let mut values = component.iter().flat_map(outside);
        let Some(first) = values.next() else { continue };
        if values.all(|v| v == first) {
            found.extend(component.iter().map(|p| (*p, *first)));
        } else {
            let inner = component.iter().copied();
            let inner: Vec<Value> = inner.filter(|p| outside(p).next().is_none()).collect();
            open.extend(components(&inner, &given).into_iter().rev());
        }
    }
    if !found.is_empty() {
        f.map_uses(|v| *found.get(&v).unwrap_or(&v));
        f.retain_params(|p| !found.contains_key(&p));
    }
}

/// What the parameters of blocks that can be reached are given by such blocks. Those of the first block are arguments.
fn given(f: &SsaFunction, over_again: bool) -> Given {
    let mut given = Given::default();
    let graph = ControlFlowGraph::new(f);
    for &block in graph.order() {
        let last = &f.insts[f.last(block).index()].op;
        for target in last.targets() {
            if target.block != Block(0) {
                let params = &f.blocks[target.block.index()].params;
                for (param, value) in params.iter().zip(&target.args) {
                    let unknown = matches!(last, Op::Again(_)) && !over_again;
                    let value = if unknown { UNKNOWN } else { *value };
                    given.entry(*param).or_default().push(value);
                }
            }
        }
    }
    given
}

/// The strongly connected components of these parameters, each behind those that it leads to (Tarjan's algorithm).
fn components(params: &[Value], given: &Given) -> Vec<Vec<Value>> {
    const NEW: usize = usize::MAX;
    let places: FxHashMap<Value, usize> = params.iter().copied().zip(0..).collect();
    let mut found = Vec::new();
    let mut number = vec![NEW; params.len()];
    let mut lowest = vec![NEW; params.len()];
    let mut waiting = Vec::new();
    let mut waits = vec![false; params.len()];
    let mut count = 0;
    for root in 0..params.len() {
        let mut open = Vec::new();
        if number[root] == NEW {
            open.push((root, 0));
        }
        while let Some((at, edge)) = open.last_mut() {
            let at = *at;
            if number[at] == NEW {
                (number[at], lowest[at]) = (count, count);
                count += 1;
                waiting.push(at);
                waits[at] = true;
            }
            if let Some(value) = given[&params[at]].get(*edge) {
                *edge += 1;
                match places.get(value) {
                    Some(&next) if number[next] == NEW => open.push((next, 0)),
                    Some(&next) if waits[next] => lowest[at] = lowest[at].min(number[next]),
                    _ => {}
                }
                continue;
            }
            open.pop();
            if let Some(&(before, _)) = open.last() {
                lowest[before] = lowest[before].min(lowest[at]);
            }
            if lowest[at] == number[at] {
                let from = waiting.iter().rposition(|w| *w == at).unwrap_or(0);
                let members = waiting.drain(from..);
                found.push(
                    members
                        .inspect(|m| waits[*m] = false)
                        .map(|m| params[m])
                        .collect(),
                );
            }
        }
    }
    found
}
