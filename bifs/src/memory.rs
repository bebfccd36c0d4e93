//! What `erlang:memory/0,1` is made of. In OTP these are Erlang functions that ask every scheduler for
//! the blocks of its allocators and add the areas that no allocator knows.

use enigma_runtime::atom::{self, Atom};
use enigma_runtime::ets::object;
use enigma_runtime::heap::{Heap, binary, chunk, literal};
use enigma_runtime::process::{Process, handle, table};
use enigma_runtime::term::{Kind, list};
use enigma_runtime::{BifResult, Ctx, Term, badarg, sched};

/// The kinds of blocks that are counted, named as the allocators of BEAM that hold the like.
fn blocks() -> [(Atom, usize); 3] {
    [
        (Atom::new("eheap_alloc"), chunk::words_in_use() * 8),
        (Atom::new("binary_alloc"), binary::bytes_in_use()),
        (Atom::new("ets_alloc"), object::words_in_use() * 8),
    ]
}

/// What no allocator holds: atoms, process records, code.
fn outside() -> [usize; 3] {
    [
        atom::count() as usize * 40,
        table::count() * size_of::<Process>(),
        literal::bytes_in_use(),
    ]
}

/// All bytes, and those of processes.
pub fn totals() -> (usize, usize) {
    let (blocks, outside) = (blocks().map(|(_, n)| n), outside());
    let total = blocks.iter().sum::<usize>() + outside.iter().sum::<usize>();
    (total, blocks[0] + outside[1])
}

fn bytes(n: usize) -> Term {
    Term::small(n as i64)
}

/// `system_info(alloc_util_allocators)`.
pub fn allocators(h: &mut Heap) -> Term {
    let names = blocks().map(|(name, _)| name.into());
    h.list(&names)
}

/// `system_info(allocated_areas)`.
pub fn areas(h: &mut Heap) -> Term {
    let [atoms, processes, code] = outside();
    let space = h.tuple(&[Atom::new("atom_space").into(), bytes(atoms), bytes(atoms)]);
    let others = [
        ("process_table", processes),
        ("loaded_code", code),
        ("external_alloc", atoms + processes + code),
    ]
    .map(|(name, n)| h.tuple(&[Atom::new(name).into(), bytes(n)]));
    let rest = h.list(&others);
    h.cons(space, rest)
}

/// `system_info({memory_internal, Reference, Allocators})`: one message for each scheduler. The blocks
/// belong to no scheduler here, so the first one tells of all.
pub fn report(cx: &mut Ctx<'_>, reference: Term, wanted: Term) -> BifResult {
    let wanted = list::to_vec(wanted).ok_or_else(badarg)?;
    let names = !wanted.is_empty() && wanted.iter().all(|a| a.is_atom());
    if reference.kind() != Some(Kind::Ref) || !names {
        return Err(badarg());
    }
    for n in 1..=sched::count() {
        let message = handle::build(|h| {
            let rows: Vec<Term> = blocks()
                .into_iter()
                .filter(|&(name, _)| n == 1 && wanted.contains(&name.into()))
                .map(|(name, size)| allocator(h, name, size))
                .collect();
            let rows = h.list(&rows);
            let reference = enigma_runtime::heap::copy::copy(reference, h);
            h.tuple(&[reference, bytes(n), rows])
        });
        cx.own.mailbox.push(message);
    }
    Ok(true.into())
}

/// `{Name, 0, [{mbcs, [{blocks, [{Name, [{size, Now, LastMax, Max}]}]}]}]}`.
fn allocator(h: &mut Heap, name: Atom, size: usize) -> Term {
    let n = bytes(size);
    let size = h.tuple(&[Atom::new("size").into(), n, n, n]);
    let sizes = h.list(&[size]);
    let of = h.tuple(&[name.into(), sizes]);
    let list = h.list(&[of]);
    let blocks = h.tuple(&[Atom::new("blocks").into(), list]);
    let stats = h.list(&[blocks]);
    let carriers = h.tuple(&[Atom::new("mbcs").into(), stats]);
    let info = h.list(&[carriers]);
    h.tuple(&[name.into(), Term::small(0), info])
}
