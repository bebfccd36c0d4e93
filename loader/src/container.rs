//! The outermost layer of a `.beam` file: an IFF form of type `BEAM`, possibly gzip-compressed,
//! that holds chunks. Chunk contents are borrowed, never copied.

use std::borrow::Cow;
use std::io::Read;

use crate::error::{ChunkId, ErrorKind, LoadError};

/// Upper limit for the inflated size of a compressed file or literal chunk. Real modules stay far
/// below; the limit keeps a small hostile file from filling the memory.
pub const MAX_INFLATED: u64 = 256 << 20;

/// Upper limit for the number of chunks.
const MAX_CHUNKS: usize = 4096;

/// Where a chunk lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChunkEntry {
    /// Identifier.
    pub id: ChunkId,
    /// Offset of its first byte in the (inflated) file.
    pub start: usize,
    /// Size in bytes, without padding.
    pub len: usize,
}

/// The chunk index of a file.
#[derive(Debug)]
pub struct Container<'a> {
    data: Cow<'a, [u8]>,
    chunks: Vec<ChunkEntry>,
}

impl<'a> Container<'a> {
    /// Reads the chunk index; inflates the file first when it is compressed.
    pub fn open(bytes: &'a [u8]) -> Result<Container<'a>, LoadError> {
        let data = if bytes.starts_with(&[0x1f, 0x8b]) {
            Cow::Owned(inflate_gzip(bytes).map_err(LoadError::container)?)
        } else {
            Cow::Borrowed(bytes)
        };
        let chunks = index_chunks(&data)?;
        Ok(Container { data, chunks })
    }

    /// All chunks in file order.
    pub fn chunks(&self) -> &[ChunkEntry] {
        &self.chunks
    }

    /// Contents of a chunk.
    pub fn bytes(&self, entry: &ChunkEntry) -> &[u8] {
        &self.data[entry.start..entry.start + entry.len]
    }

    /// Contents of the chunk with this identifier. Of several the last one counts, as in OTP.
    pub fn get(&self, id: &[u8; 4]) -> Option<&[u8]> {
        let entry = self.chunks.iter().rev().find(|entry| entry.id.0 == *id)?;
        Some(self.bytes(entry))
    }
}

fn index_chunks(data: &[u8]) -> Result<Vec<ChunkEntry>, LoadError> {
    let truncated = || LoadError::container(ErrorKind::Truncated);
    if data.len() < 12 || &data[0..4] != b"FOR1" || &data[8..12] != b"BEAM" {
        return Err(LoadError::container(ErrorKind::NotABeamFile));
    }
    let form = u32::from_be_bytes([data[4], data[5], data[6], data[7]]) as usize;
    let end = form
        .checked_add(8)
        .filter(|&end| end <= data.len() && form >= 4)
        .ok_or_else(truncated)?;
    let mut chunks = Vec::new();
    let mut pos = 12;
    while pos < end {
        let header = data
            .get(pos..pos + 8)
            .filter(|_| pos + 8 <= end)
            .ok_or_else(truncated)?;
        let id = ChunkId([header[0], header[1], header[2], header[3]]);
        let len = u32::from_be_bytes([header[4], header[5], header[6], header[7]]) as usize;
        let start = pos + 8;
        if len > end - start {
            return Err(LoadError {
                chunk: Some(id),
                function: None,
                offset: None,
                kind: ErrorKind::Truncated,
            });
        }
        if chunks.len() == MAX_CHUNKS {
            let limit = MAX_CHUNKS as u64;
            return Err(LoadError::container(ErrorKind::TooLarge {
                size: limit + 1,
                limit,
            }));
        }
        chunks.push(ChunkEntry { id, start, len });
        // Chunks are padded to four bytes; the padding of the last one may be missing.
        pos = start + ((len + 3) & !3);
    }
    Ok(chunks)
}

fn inflate_gzip(bytes: &[u8]) -> Result<Vec<u8>, ErrorKind> {
    let mut out = Vec::new();
    let mut reader = flate2::read::GzDecoder::new(bytes).take(MAX_INFLATED + 1);
    reader
        .read_to_end(&mut out)
        .map_err(|_| ErrorKind::BadCompression)?;
    if out.len() as u64 > MAX_INFLATED {
        return Err(ErrorKind::TooLarge {
            size: out.len() as u64,
            limit: MAX_INFLATED,
        });
    }
    Ok(out)
}

/// Inflates a zlib stream that must have exactly the declared size.
pub(crate) fn inflate_zlib(bytes: &[u8], declared: u64) -> Result<Vec<u8>, ErrorKind> {
    if declared > MAX_INFLATED {
        return Err(ErrorKind::TooLarge {
            size: declared,
            limit: MAX_INFLATED,
        });
    }
    // Deflate never does better than about 1030 to 1, so the declared size alone does not decide
    // how much is reserved.
    let plausible = (bytes.len() as u64).saturating_mul(1040).min(declared);
    let mut out = Vec::with_capacity(plausible as usize);
    let mut reader = flate2::read::ZlibDecoder::new(bytes).take(declared + 1);
    reader
        .read_to_end(&mut out)
        .map_err(|_| ErrorKind::BadCompression)?;
    if out.len() as u64 != declared {
        return Err(ErrorKind::BadCompression);
    }
    Ok(out)
}
