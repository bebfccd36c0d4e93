//! The zstd library behind safe types: contexts that compress and decompress, dictionaries, what a frame's header says.

use std::ffi::{CStr, c_int, c_void};
use std::mem;
use std::ptr::NonNull;
use std::sync::Arc;
use zstd_sys as sys;

/// What the library says where a call fails.
#[derive(Clone, Copy, Debug)]
pub struct ZstdFailure(usize);

impl ZstdFailure {
    /// The error of a value that is none of those allowed.
    pub fn out_of_bound() -> ZstdFailure {
        ZstdFailure((sys::ZSTD_ErrorCode::ZSTD_error_parameter_outOfBound as usize).wrapping_neg())
    }

    /// The library's words for it.
    pub fn text(self) -> &'static [u8] {
        // SAFETY: any number has a text, which is never freed.
        unsafe { CStr::from_ptr(sys::ZSTD_getErrorName(self.0)) }.to_bytes()
    }
}

fn check(code: usize) -> Result<usize, ZstdFailure> {
    // SAFETY: a plain function of a number.
    if unsafe { sys::ZSTD_isError(code) } == 0 {
        Ok(code)
    } else {
        Err(ZstdFailure(code))
    }
}

fn bytes(b: &[u8]) -> *const c_void {
    b.as_ptr().cast()
}

/// What a call with input and room for output has come to.
#[derive(Clone, Copy, Debug)]
pub struct CodecProgress {
    /// Bytes of input that were taken.
    pub consumed: usize,
    /// Bytes of output that were given.
    pub produced: usize,
    /// Is there more to come, or to be asked for?
    pub remaining: bool,
}

/// Calls `codec` until the input is taken or the room used.
fn run(
    input: &[u8],
    output: &mut [u8],
    mut codec: impl FnMut(&mut sys::ZSTD_outBuffer, &mut sys::ZSTD_inBuffer) -> usize,
) -> Result<CodecProgress, ZstdFailure> {
    let mut from = sys::ZSTD_inBuffer {
        src: bytes(input),
        size: input.len(),
        pos: 0,
    };
    let mut to = sys::ZSTD_outBuffer {
        dst: output.as_mut_ptr().cast(),
        size: output.len(),
        pos: 0,
    };
    loop {
        let remaining = check(codec(&mut to, &mut from))? > 0;
        if from.pos == from.size || to.pos == to.size {
            return Ok(CodecProgress {
                consumed: from.pos,
                produced: to.pos,
                remaining,
            });
        }
    }
}

/// How far a frame is to come with a call.
#[derive(Clone, Copy, Debug)]
pub enum EndDirective {
    /// The library may keep input back.
    Continue,
    /// All that was taken can be decompressed from what was given.
    Flush,
    /// The frame ends.
    End,
}

/// A dictionary for compressing.
pub struct CompressDictionary {
    raw: NonNull<sys::ZSTD_CDict>,
    /// Does compressing with it take long?
    pub heavy: bool,
}

// SAFETY: the library only reads dictionaries, from any thread.
unsafe impl Send for CompressDictionary {}
// SAFETY: as above.
unsafe impl Sync for CompressDictionary {}

impl CompressDictionary {
    /// A dictionary with a copy of the bytes, for a level; nothing if it is malformed.
    pub fn new(content: &[u8], level: c_int, heavy: bool) -> Option<CompressDictionary> {
        // SAFETY: the bytes are given with their length and are copied.
        let raw = unsafe {
            sys::ZSTD_createCDict_advanced(
                bytes(content),
                content.len(),
                sys::ZSTD_dictLoadMethod_e::ZSTD_dlm_byCopy,
                sys::ZSTD_dictContentType_e::ZSTD_dct_auto,
                sys::ZSTD_getCParams(level, 0, content.len()),
                default_memory(),
            )
        };
        NonNull::new(raw).map(|raw| CompressDictionary { raw, heavy })
    }

    /// Its number; 0 if it has none.
    pub fn id(&self) -> u32 {
        // SAFETY: it is a dictionary until it is dropped.
        unsafe { sys::ZSTD_getDictID_fromCDict(self.raw.as_ptr()) }
    }
}

impl Drop for CompressDictionary {
    fn drop(&mut self) {
        // SAFETY: contexts that use it hold it, so nobody does.
        unsafe { sys::ZSTD_freeCDict(self.raw.as_ptr()) };
    }
}

/// A dictionary for decompressing.
pub struct DecompressDictionary(NonNull<sys::ZSTD_DDict>);

// SAFETY: the library only reads dictionaries, from any thread.
unsafe impl Send for DecompressDictionary {}
// SAFETY: as above.
unsafe impl Sync for DecompressDictionary {}

impl DecompressDictionary {
    /// A dictionary with a copy of the bytes; nothing if it is malformed.
    pub fn new(content: &[u8]) -> Option<DecompressDictionary> {
        // SAFETY: the bytes are given with their length and are copied.
        let raw = unsafe {
            sys::ZSTD_createDDict_advanced(
                bytes(content),
                content.len(),
                sys::ZSTD_dictLoadMethod_e::ZSTD_dlm_byCopy,
                sys::ZSTD_dictContentType_e::ZSTD_dct_auto,
                default_memory(),
            )
        };
        NonNull::new(raw).map(DecompressDictionary)
    }

    /// Its number; 0 if it has none.
    pub fn id(&self) -> u32 {
        // SAFETY: it is a dictionary until it is dropped.
        unsafe { sys::ZSTD_getDictID_fromDDict(self.0.as_ptr()) }
    }
}

impl Drop for DecompressDictionary {
    fn drop(&mut self) {
        // SAFETY: contexts that use it hold it, so nobody does.
        unsafe { sys::ZSTD_freeDDict(self.0.as_ptr()) };
    }
}

/// The system's own allocator.
fn default_memory() -> sys::ZSTD_customMem {
    sys::ZSTD_customMem {
        customAlloc: None,
        customFree: None,
        opaque: std::ptr::null_mut(),
    }
}

/// A context that compresses.
pub struct Compressor {
    raw: NonNull<sys::ZSTD_CCtx>,
    /// What the library reads as long as the context refers to it.
    dictionary: Option<Arc<CompressDictionary>>,
}

// SAFETY: the library's state belongs to the context and to no thread.
unsafe impl Send for Compressor {}

impl Compressor {
    /// A context; nothing if there is no memory for it.
    pub fn new() -> Option<Compressor> {
        // SAFETY: a plain call.
        NonNull::new(unsafe { sys::ZSTD_createCCtx() }).map(|raw| Compressor {
            raw,
            dictionary: None,
        })
    }

    /// Sets a parameter.
    pub fn set(&mut self, key: sys::ZSTD_cParameter, value: c_int) -> Result<(), ZstdFailure> {
        // SAFETY: it is a context until it is dropped; the library checks the value.
        check(unsafe { sys::ZSTD_CCtx_setParameter(self.raw.as_ptr(), key, value) }).map(drop)
    }

    /// A parameter's value.
    pub fn get(&self, key: sys::ZSTD_cParameter) -> Result<c_int, ZstdFailure> {
        let mut value = 0;
        // SAFETY: it is a context until it is dropped; there is a place for the value.
        check(unsafe { sys::ZSTD_CCtx_getParameter(self.raw.as_ptr(), key, &mut value) })?;
        Ok(value)
    }

    /// Says how many bytes the next frame will have.
    pub fn pledge(&mut self, size: u64) -> Result<(), ZstdFailure> {
        // SAFETY: it is a context until it is dropped.
        check(unsafe { sys::ZSTD_CCtx_setPledgedSrcSize(self.raw.as_ptr(), size) }).map(drop)
    }

    /// Takes a dictionary of these bytes, or none if there are none.
    pub fn load_dictionary(&mut self, content: &[u8]) -> Result<(), ZstdFailure> {
        // SAFETY: it is a context until it is dropped; the bytes are given with their length and are copied.
        check(unsafe {
            sys::ZSTD_CCtx_loadDictionary(self.raw.as_ptr(), bytes(content), content.len())
        })?;
        self.dictionary = None;
        Ok(())
    }

    /// Takes a dictionary that others may use too.
    pub fn refer_to(&mut self, dictionary: Arc<CompressDictionary>) -> Result<(), ZstdFailure> {
        // SAFETY: it is a context until it is dropped, and holds the dictionary from now on.
        check(unsafe { sys::ZSTD_CCtx_refCDict(self.raw.as_ptr(), dictionary.raw.as_ptr()) })?;
        self.dictionary = Some(dictionary);
        Ok(())
    }

    /// Compresses.
    pub fn stream(
        &mut self,
        input: &[u8],
        output: &mut [u8],
        end: EndDirective,
    ) -> Result<CodecProgress, ZstdFailure> {
        let end = match end {
            EndDirective::Continue => sys::ZSTD_EndDirective::ZSTD_e_continue,
            EndDirective::Flush => sys::ZSTD_EndDirective::ZSTD_e_flush,
            EndDirective::End => sys::ZSTD_EndDirective::ZSTD_e_end,
        };
        let cx = self.raw.as_ptr();
        run(input, output, |to, from| {
            // SAFETY: it is a context until it is dropped; input and output are given with their lengths.
            unsafe { sys::ZSTD_compressStream2(cx, to, from, end) }
        })
    }

    /// Forgets the frame that was begun; parameters stay.
    pub fn reset(&mut self) {
        // SAFETY: it is a context until it is dropped.
        unsafe {
            sys::ZSTD_CCtx_reset(
                self.raw.as_ptr(),
                sys::ZSTD_ResetDirective::ZSTD_reset_session_only,
            )
        };
    }
}

impl Drop for Compressor {
    fn drop(&mut self) {
        // SAFETY: nobody else has it. The dictionary goes after it.
        unsafe { sys::ZSTD_freeCCtx(self.raw.as_ptr()) };
    }
}

/// A context that decompresses.
pub struct Decompressor {
    raw: NonNull<sys::ZSTD_DCtx>,
    /// What the library reads as long as the context refers to it.
    dictionary: Option<Arc<DecompressDictionary>>,
}

// SAFETY: the library's state belongs to the context and to no thread.
unsafe impl Send for Decompressor {}

impl Decompressor {
    /// A context; nothing if there is no memory for it.
    pub fn new() -> Option<Decompressor> {
        // SAFETY: a plain call.
        NonNull::new(unsafe { sys::ZSTD_createDCtx() }).map(|raw| Decompressor {
            raw,
            dictionary: None,
        })
    }

    /// Sets a parameter.
    pub fn set(&mut self, key: sys::ZSTD_dParameter, value: c_int) -> Result<(), ZstdFailure> {
        // SAFETY: it is a context until it is dropped; the library checks the value.
        check(unsafe { sys::ZSTD_DCtx_setParameter(self.raw.as_ptr(), key, value) }).map(drop)
    }

    /// A parameter's value.
    pub fn get(&self, key: sys::ZSTD_dParameter) -> Result<c_int, ZstdFailure> {
        let mut value = 0;
        // SAFETY: it is a context until it is dropped; there is a place for the value.
        check(unsafe { sys::ZSTD_DCtx_getParameter(self.raw.as_ptr(), key, &mut value) })?;
        Ok(value)
    }

    /// Takes a dictionary of these bytes, or none if there are none.
    pub fn load_dictionary(&mut self, content: &[u8]) -> Result<(), ZstdFailure> {
        // SAFETY: it is a context until it is dropped; the bytes are given with their length and are copied.
        check(unsafe {
            sys::ZSTD_DCtx_loadDictionary(self.raw.as_ptr(), bytes(content), content.len())
        })?;
        self.dictionary = None;
        Ok(())
    }

    /// Takes a dictionary that others may use too.
    pub fn refer_to(&mut self, dictionary: Arc<DecompressDictionary>) -> Result<(), ZstdFailure> {
        // SAFETY: it is a context until it is dropped, and holds the dictionary from now on.
        check(unsafe { sys::ZSTD_DCtx_refDDict(self.raw.as_ptr(), dictionary.0.as_ptr()) })?;
        self.dictionary = Some(dictionary);
        Ok(())
    }

    /// Decompresses.
    pub fn stream(
        &mut self,
        input: &[u8],
        output: &mut [u8],
    ) -> Result<CodecProgress, ZstdFailure> {
        let cx = self.raw.as_ptr();
        run(input, output, |to, from| {
            // SAFETY: it is a context until it is dropped; input and output are given with their lengths.
            unsafe { sys::ZSTD_decompressStream(cx, to, from) }
        })
    }

    /// Forgets the frame that was begun; parameters stay.
    pub fn reset(&mut self) {
        // SAFETY: it is a context until it is dropped.
        unsafe {
            sys::ZSTD_DCtx_reset(
                self.raw.as_ptr(),
                sys::ZSTD_ResetDirective::ZSTD_reset_session_only,
            )
        };
    }
}

impl Drop for Decompressor {
    fn drop(&mut self) {
        // SAFETY: nobody else has it. The dictionary goes after it.
        unsafe { sys::ZSTD_freeDCtx(self.raw.as_ptr()) };
    }
}

/// Room that suits the library's blocks when it compresses.
pub fn compress_room() -> usize {
    // SAFETY: a plain call.
    unsafe { sys::ZSTD_CStreamOutSize() }
}

/// Room that suits the library's blocks when it decompresses.
pub fn decompress_room() -> usize {
    // SAFETY: a plain call.
    unsafe { sys::ZSTD_DStreamOutSize() }
}

/// How many bytes all these frames become, if they are whole and say so.
pub fn decompressed_size(frames: &[u8]) -> Option<usize> {
    /// The size is not said; above it only the number that stands for an error.
    const UNKNOWN: u64 = u64::MAX - 1;
    // SAFETY: the bytes are given with their length.
    let n = unsafe { sys::ZSTD_findDecompressedSize(bytes(frames), frames.len()) };
    (n < UNKNOWN)
        .then_some(n)
        .and_then(|n| usize::try_from(n).ok())
}

/// The number that a dictionary's bytes say it has; 0 if they say none.
pub fn dictionary_id(dictionary: &[u8]) -> u32 {
    // SAFETY: the bytes are given with their length.
    unsafe { sys::ZSTD_getDictID_fromDict(bytes(dictionary), dictionary.len()) }
}

/// The number of the dictionary that a frame says it needs; 0 if it says none.
pub fn frame_dictionary_id(frame: &[u8]) -> u32 {
    // SAFETY: the bytes are given with their length.
    unsafe { sys::ZSTD_getDictID_fromFrame(bytes(frame), frame.len()) }
}

/// What a frame's header says.
pub struct FrameHeader {
    /// Bytes that the frame becomes, if it says so.
    pub content_size: Option<u64>,
    /// Bytes that must be kept while decompressing.
    pub window_size: u64,
    /// Bytes of the largest block.
    pub largest_block: u32,
    /// Is it one with data of others, to be skipped?
    pub skippable: bool,
    /// Bytes of the header.
    pub header_size: u32,
    /// Number of the dictionary; 0 for none.
    pub dictionary: u32,
    /// Is there a checksum at its end?
    pub checksum: bool,
}

/// Reads the header of the frame that begins here. Where there are too few bytes for one all is zero.
pub fn frame_header(frame: &[u8]) -> Result<FrameHeader, ZstdFailure> {
    // SAFETY: plain numbers, and an enumeration with 0 among its values.
    let mut h: sys::ZSTD_FrameHeader = unsafe { mem::zeroed() };
    // SAFETY: the bytes are given with their length, and there is a place for what they say.
    check(unsafe { sys::ZSTD_getFrameHeader(&mut h, bytes(frame), frame.len()) })?;
    Ok(FrameHeader {
        content_size: (h.frameContentSize != u64::MAX).then_some(h.frameContentSize),
        window_size: h.windowSize,
        largest_block: h.blockSizeMax,
        skippable: h.frameType == sys::ZSTD_FrameType_e::ZSTD_skippableFrame,
        header_size: h.headerSize,
        dictionary: h.dictID,
        checksum: h.checksumFlag != 0,
    })
}
