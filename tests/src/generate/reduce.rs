//! A failing module made small: pieces are cut out of its tree as long as the difference stays.

use super::batch::{Difference, Kind, Lab, Trial, Way};
use super::module::RandomModule;
use super::tree::Phrase;
use std::time::{Duration, Instant};

/// So many candidates are compiled and run together.
const TOGETHER: usize = 12;
/// What hangs is waited for so long, because it is waited for often.
const PATIENCE: Duration = Duration::from_secs(12);
/// So many expressions below one are tried in its place.
const HOISTED: usize = 8;

/// A change that makes a module smaller.
#[derive(Clone, Debug)]
enum Edit {
    /// The function with this index goes.
    Function(usize),
    /// It is no longer exported.
    Local(usize),
    /// In a function, a piece is replaced.
    Replace(usize, usize, Phrase),
    /// In a function, items of a sequence go: so many from one on.
    Cut(usize, usize, usize, usize),
}

/// The smallest module found until `deadline` that still differs in this way.
pub fn reduce(
    lab: &Lab,
    module: &RandomModule,
    found: &Difference,
    way: &'static Way,
    deadline: Instant,
) -> Result<(RandomModule, Difference), String> {
    let lab = &Lab {
        otp: lab.otp.clone(),
        machine: lab.machine.clone(),
        dir: lab.dir.clone(),
        patience: PATIENCE,
    };
    let mut best = module.clone();
    let mut known = found.clone();
    best.functions.retain(|f| {
        f.arity != 0 || !f.exported || !f.name.starts_with(['e', 'h']) || f.name == found.entry
    });
    let mut search = Search {
        lab,
        entry: &found.entry,
        kind: found.kind,
        way,
    };
    match search.first(&[best.clone()])? {
        Some((_, difference)) => known = difference,
        None => return Ok((module.clone(), known)),
    }
    loop {
        let before = best.functions.iter().map(|f| f.tree.size()).sum::<usize>();
        search.pass(&mut best, &mut known, deadline)?;
        let after = best.functions.iter().map(|f| f.tree.size()).sum::<usize>();
        if after == before || Instant::now() >= deadline {
            return Ok((best, known));
        }
    }
}

struct Search<'a> {
    lab: &'a Lab,
    entry: &'a str,
    kind: Kind,
    way: &'static Way,
}

impl Search<'_> {
    /// Goes once over all pieces, from the large ones to the small ones.
    fn pass(
        &mut self,
        best: &mut RandomModule,
        known: &mut Difference,
        deadline: Instant,
    ) -> Result<(), String> {
        let mut at = 0;
        while Instant::now() < deadline {
            let edits = edits(best, self.entry);
            if at >= edits.len() {
                return Ok(());
            }
            let group: Vec<RandomModule> = edits[at..]
                .iter()
                .take(TOGETHER)
                .map(|edit| apply(best, edit))
                .collect();
            match self.first(&group)? {
                Some((i, difference)) => {
                    *best = group[i].clone();
                    *known = difference;
                    // The edits that were in vain before it are most often in vain still.
                    at += i;
                }
                None => at += group.len(),
            }
        }
        Ok(())
    }

    /// The first of these that still differs.
    fn first(&mut self, group: &[RandomModule]) -> Result<Option<(usize, Difference)>, String> {
        let samples: Vec<Trial> = group
            .iter()
            .enumerate()
            .map(|(i, m)| {
                let name = format!("c{i}");
                Trial {
                    text: m.text(&name),
                    name,
                    entries: vec![self.entry.to_string()],
                }
            })
            .collect();
        let (differences, _) = self.lab.compare(&samples, &[self.way])?;
        for (i, sample) in samples.iter().enumerate() {
            let same = |d: &&Difference| d.module == sample.name && d.kind == self.kind;
            if let Some(d) = differences.iter().find(same) {
                return Ok(Some((i, d.clone())));
            }
        }
        Ok(None)
    }
}

/// All changes, the large ones first.
fn edits(module: &RandomModule, entry: &str) -> Vec<Edit> {
    let mut edits = Vec::new();
    for (i, f) in module.functions.iter().enumerate() {
        if f.name != entry {
            edits.push(Edit::Function(i));
            if f.exported {
                edits.push(Edit::Local(i));
            }
        }
    }
    for (i, f) in module.functions.iter().enumerate() {
        for number in 0..f.tree.size() {
            if let Some(piece) = f.tree.at(number) {
                edits.extend(edits_of(piece, i, number));
            }
        }
    }
    edits
}

fn edits_of(piece: &Phrase, function: usize, number: usize) -> Vec<Edit> {
    let mut edits = Vec::new();
    match piece {
        Phrase::Many { least, items, .. } => {
            let mut n = items.len();
            while n > 0 {
                if items.len() - n >= *least {
                    for from in (0..items.len()).step_by(n) {
                        if from + n <= items.len() {
                            edits.push(Edit::Cut(function, number, from, n));
                        }
                    }
                }
                n /= 2;
            }
        }
        Phrase::Form { sort, text, parts } => {
            for simple in sort.simplest() {
                if parts.is_empty() && text == simple {
                    break;
                }
                edits.push(Edit::Replace(
                    function,
                    number,
                    Phrase::leaf(*sort, *simple),
                ));
            }
            if sort.is_value() {
                let mut below = Vec::new();
                hoistable(piece, &mut below);
                below.sort_by_key(|t| match t {
                    Phrase::Form { sort: s, .. } => !s.serves(*sort),
                    Phrase::Many { .. } => true,
                });
                for tree in below.into_iter().take(HOISTED) {
                    edits.push(Edit::Replace(function, number, tree.clone()));
                }
            }
        }
    }
    edits
}

/// The nearest expressions below a piece.
fn hoistable<'a>(piece: &'a Phrase, found: &mut Vec<&'a Phrase>) {
    for child in piece.children() {
        match child {
            Phrase::Form { sort, .. } if sort.is_value() => found.push(child),
            _ => hoistable(child, found),
        }
    }
}

fn apply(module: &RandomModule, edit: &Edit) -> RandomModule {
    let mut module = module.clone();
    match edit {
        Edit::Function(i) => {
            module.functions.remove(*i);
        }
        Edit::Local(i) => module.functions[*i].exported = false,
        Edit::Replace(i, number, tree) => {
            if let Some(piece) = module.functions[*i].tree.at_mut(*number) {
                *piece = tree.clone();
            }
        }
        Edit::Cut(i, number, from, n) => {
            if let Some(Phrase::Many { items, .. }) = module.functions[*i].tree.at_mut(*number) {
                items.drain(*from..from + n);
            }
        }
    }
    module
}
