//! The checksum of a module: MD5 over the chunks that matter for what the module does.

use md5::{Digest, Md5};

use crate::container::Container;

/// Checksum as `code:module_md5/1` and `beam_lib:md5/1` compute it. Chunks count as they stand in
/// the file; of the fun table the old hash is taken as zero because it depended on byte order.
pub fn module_md5(container: &Container<'_>) -> [u8; 16] {
    let mut hash = Md5::new();
    let atoms = container.get(b"AtU8").or_else(|| container.get(b"Atom"));
    let mut add = |data: Option<&[u8]>| hash.update(data.unwrap_or_default());
    add(atoms);
    for id in [b"Code", b"StrT", b"ImpT", b"ExpT"] {
        add(container.get(id));
    }
    if let Some(data) = container.get(b"FunT") {
        let (count, entries) = data.split_at(data.len().min(4));
        add(Some(count));
        for entry in entries.chunks_exact(24) {
            add(Some(&entry[..20]));
            add(Some(&[0; 4]));
        }
    }
    for id in [b"LitT", b"Meta", b"Recs", b"DbgB"] {
        add(container.get(id));
    }
    hash.finalize().into()
}
