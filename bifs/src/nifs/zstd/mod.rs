//! The native functions of `zstd`, over the zstd library itself, so that compressed data is the same to the byte.
//!
//! A context belongs to the process that has made it. A call takes input until there is a chunk of output. What may take long
//! (many bytes, a high level, parameters that somebody has tuned) is done in a pool.

mod library;
mod parameters;

use crate::bifs;
use crate::erlang::iolist;
use enigma_runtime::atom::Atom;
use enigma_runtime::data::{bignum, map};
use enigma_runtime::dirty::{self, Pool};
use enigma_runtime::heap::bits;
use enigma_runtime::{BifResult, Ctx, Exit, Term, badarg, reference};
use library::{
    CodecProgress, CompressDictionary, Compressor, DecompressDictionary, Decompressor,
    EndDirective, ZstdFailure,
};
use parameters::ParameterForm;
use parking_lot::{MappedMutexGuard, Mutex, MutexGuard};
use std::any::Any;
use std::cell::RefCell;
use std::ffi::c_int;
use std::sync::Arc;

bifs! { BIFS:
    "zstd" {
        "init_compress_nif"/0 Nif => init_compress;
        "load_compress_dictionary_nif"/2 Nif => load_compress_dictionary;
        "ref_compress_dictionary_nif"/2 Nif => ref_compress_dictionary;
        "set_compress_parameter_nif"/3 Nif => set_compress_parameter;
        "get_compress_parameter_nif"/2 Nif => get_compress_parameter;
        "set_pledged_src_size_nif"/2 Nif => set_pledged_size;
        "compress_stream_nif"/3 Nif => compress_stream;
        "compress_reset_nif"/1 Nif => compress_reset;
        "compress_close_nif"/1 Nif => compress_close;
        "init_decompress_nif"/0 Nif => init_decompress;
        "load_decompress_dictionary_nif"/2 Nif => load_decompress_dictionary;
        "ref_decompress_dictionary_nif"/2 Nif => ref_decompress_dictionary;
        "set_decompress_parameter_nif"/3 Nif => set_decompress_parameter;
        "get_decompress_parameter_nif"/2 Nif => get_decompress_parameter;
        "decompress_stream_nif"/3 Nif => decompress_stream;
        "decompress_reset_nif"/1 Nif => decompress_reset;
        "decompress_close_nif"/1 Nif => decompress_close;
        "create_cdict_nif"/2 Nif => create_compress_dictionary;
        "create_ddict_nif"/1 Nif => create_decompress_dictionary;
        "getDictId_fromCDict_nif"/1 Nif => compress_dictionary_id;
        "getDictId_fromDDict_nif"/1 Nif => decompress_dictionary_id;
        "getDictId_fromDict_nif"/1 Nif => dictionary_id;
        "getDictId_fromFrame_nif"/1 Nif => frame_dictionary_id;
        "get_frame_header_nif"/1 Nif => frame_header;
    }
}

/// Reductions of a time slice.
const SLICE: usize = 4000;
/// Bytes of input, or of a dictionary, that are compressed where the caller runs.
const MOST_TO_COMPRESS: usize = 64 << 10;
/// Bytes of input that are decompressed there: there may be no output that ends the call.
const MOST_TO_DECOMPRESS: usize = 1 << 20;
/// The highest level at which that takes little time.
const LAST_QUICK_LEVEL: c_int = 5;

/// What the module's references to contexts hold.
struct Context<T> {
    owner: u64,
    /// Nothing once it is closed.
    inner: Mutex<Option<T>>,
}

struct Compression {
    library: Compressor,
    /// May a call take long, however little its input is?
    heavy: bool,
}

struct Decompression {
    library: Decompressor,
    /// Is a frame begun?
    in_use: bool,
}

/// A new context of the caller; closed where there was no memory for it.
fn open<T: Send + 'static>(cx: &mut Ctx<'_>, inner: Option<T>) -> BifResult {
    let context = Context {
        owner: cx.proc.id,
        inner: Mutex::new(inner),
    };
    Ok(resource(cx, context))
}

/// What is in a context, which must be the caller's; nothing where it is closed.
fn inner<'a, T: Send + 'static>(cx: &Ctx<'_>, t: Term) -> Result<MutexGuard<'a, Option<T>>, Exit> {
    let context: &'a Context<T> = t
        .as_magic()
        .and_then(|m| m.downcast_ref())
        .ok_or_else(badarg)?;
    if context.owner != cx.proc.id {
        // Who is in it has it open.
        let is_closed = context.inner.try_lock().is_some_and(|c| c.is_none());
        return Err(if is_closed {
            badarg()
        } else {
            Exit::error(Atom::new("not_on_controlling_process"))
        });
    }
    Ok(context.inner.lock())
}

/// The open context, which must be the caller's.
fn context<'a, T: Send + 'static>(cx: &Ctx<'_>, t: Term) -> Result<MappedMutexGuard<'a, T>, Exit> {
    MutexGuard::try_map(inner(cx, t)?, Option::as_mut).map_err(|_| badarg())
}

fn close<T: Send + 'static>(cx: &Ctx<'_>, t: Term) -> BifResult {
    inner::<T>(cx, t)?.take().ok_or_else(badarg)?;
    ok()
}

fn resource(cx: &mut Ctx<'_>, r: impl Any + Send + Sync) -> Term {
    cx.heap().magic_ref(reference::fresh(), Arc::new(r))
}

fn dictionary<T: Any + Send + Sync>(t: Term) -> Result<Arc<T>, Exit> {
    let m = t.as_magic().ok_or_else(badarg)?;
    Arc::clone(m).downcast().map_err(|_| badarg())
}

fn ok() -> BifResult {
    Ok(Atom::OK.into())
}

/// The library's error as an exception.
fn failed(cx: &mut Ctx<'_>, why: ZstdFailure) -> Exit {
    let text = cx.heap().binary(why.text());
    Exit::error(cx.tuple2(Atom::new("zstd_error"), text))
}

fn done(cx: &mut Ctx<'_>, result: Result<(), ZstdFailure>) -> BifResult {
    match result {
        Ok(()) => ok(),
        Err(why) => Err(failed(cx, why)),
    }
}

/// `{badarg, {What, Given}}`.
fn invalid(cx: &mut Ctx<'_>, what: &str, given: Term) -> Exit {
    let what = cx.tuple2(Atom::new(what), given);
    Exit::error(cx.tuple2(Atom::BADARG, what))
}

fn int(t: Term) -> Result<c_int, Exit> {
    parameters::number(t, ParameterForm::Number).ok_or_else(badarg)
}

/// Makes the call in a pool, or takes its result from there.
fn in_pool(cx: &mut Ctx<'_>, function: &str, a: &[Term]) -> BifResult {
    let same = |b: &&enigma_runtime::bif::Bif| b.function == function;
    let bif = BIFS.iter().find(same).ok_or_else(badarg)?;
    dirty::call(cx, Pool::Cpu, bif, a).unwrap_or(Err(Exit::Wait))
}

fn init_compress(cx: &mut Ctx<'_>, _: &[Term]) -> BifResult {
    let inner = Compressor::new().map(|library| Compression {
        library,
        heavy: false,
    });
    open(cx, inner)
}

fn load_compress_dictionary(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let mut c = context::<Compression>(cx, a[0])?;
    let content = iolist::collect(a[1])?;
    let result = c.library.load_dictionary(&content);
    c.heavy |= content.len() > MOST_TO_COMPRESS;
    done(cx, result)
}

fn ref_compress_dictionary(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let mut c = context::<Compression>(cx, a[0])?;
    let d = dictionary::<CompressDictionary>(a[1])?;
    c.heavy |= d.heavy;
    let result = c.library.refer_to(d);
    done(cx, result)
}

fn set_compress_parameter(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let mut c = context::<Compression>(cx, a[0])?;
    let Some((key, form)) = parameters::compression(a[1]) else {
        return Err(invalid(cx, "invalid_key", a[1]));
    };
    let Some(value) = parameters::number(a[2], form) else {
        return Err(invalid(cx, "invalid_value", a[2]));
    };
    let result = c.library.set(key, value);
    use zstd_sys::ZSTD_cParameter as P;
    c.heavy |= match key {
        P::ZSTD_c_compressionLevel => value > LAST_QUICK_LEVEL,
        P::ZSTD_c_contentSizeFlag | P::ZSTD_c_checksumFlag | P::ZSTD_c_dictIDFlag => false,
        _ => true,
    };
    done(cx, result)
}

fn get_compress_parameter(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let c = context::<Compression>(cx, a[0])?;
    let Some((key, form)) = parameters::compression(a[1]) else {
        return Err(invalid(cx, "invalid_key", a[1]));
    };
    match c.library.get(key) {
        Ok(value) => parameters::term(value, form).ok_or_else(badarg),
        Err(why) => Err(failed(cx, why)),
    }
}

fn set_pledged_size(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let mut c = context::<Compression>(cx, a[0])?;
    let size = bignum::to_u64(a[1]).ok_or_else(badarg)?;
    let result = c.library.pledge(size);
    done(cx, result)
}

fn compress_stream(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    const FUNCTION: &str = "compress_stream_nif";
    if dirty::is_under_way(cx.own) {
        return in_pool(cx, FUNCTION, a);
    }
    let mut c = context::<Compression>(cx, a[0])?;
    let input = bits::binary_bytes(a[1]);
    let is_long = c.heavy || input.as_ref().is_some_and(|b| b.len() > MOST_TO_COMPRESS);
    if is_long && !cx.whole {
        drop(c);
        return in_pool(cx, FUNCTION, a);
    }
    let end = int(a[2]).map(|n| match n {
        0 => Ok(EndDirective::Continue),
        1 => Ok(EndDirective::Flush),
        2 => Ok(EndDirective::End),
        _ => Err(ZstdFailure::out_of_bound()),
    });
    let result = match (end, input) {
        (Ok(end), Some(input)) => step(cx, a, library::compress_room(), |output| {
            c.library.stream(&input, output, end?)
        }),
        _ => Err(badarg()),
    };
    if result.is_err() {
        c.library.reset();
    }
    result
}

/// Runs a codec with room for a chunk of output: `{continue, Rest, Output}`, `{continue, Output}`, or where the directive is
/// another one and all was taken, `{done, Output}`, or `{flush, Output}` if there is more.
fn step(
    cx: &mut Ctx<'_>,
    a: &[Term],
    room: usize,
    codec: impl FnOnce(&mut [u8]) -> Result<CodecProgress, ZstdFailure>,
) -> BifResult {
    thread_local! {
        static OUTPUT: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
    }
    OUTPUT.with_borrow_mut(|output| {
        if output.len() < room {
            output.resize(room, 0);
        }
        let p = codec(&mut output[..room]).map_err(|why| failed(cx, why))?;
        // A percentage of a slice for each kilobyte.
        cx.bump(SLICE / 100 * (p.consumed >> 10).clamp(1, 100));
        let all = bits::view(a[1]);
        let size = all.bits / 8;
        let heap = cx.heap();
        let out = heap.binary(&output[..p.produced]);
        if p.consumed < size {
            let rest = all.part(8 * p.consumed, 8 * (size - p.consumed));
            let rest = bits::share(&rest, heap);
            return Ok(heap.tuple(&[Atom::new("continue").into(), rest, out]));
        }
        let tag = if a[2] == Term::small(0) {
            "continue"
        } else if p.produced == room && p.remaining {
            "flush"
        } else {
            "done"
        };
        Ok(cx.tuple2(Atom::new(tag), out))
    })
}

fn compress_reset(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    context::<Compression>(cx, a[0])?.library.reset();
    ok()
}

fn compress_close(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    close::<Compression>(cx, a[0])
}

fn init_decompress(cx: &mut Ctx<'_>, _: &[Term]) -> BifResult {
    let inner = Decompressor::new().map(|library| Decompression {
        library,
        in_use: false,
    });
    open(cx, inner)
}

fn load_decompress_dictionary(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let mut d = context::<Decompression>(cx, a[0])?;
    let content = iolist::collect(a[1])?;
    let result = d.library.load_dictionary(&content);
    done(cx, result)
}

fn ref_decompress_dictionary(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let mut d = context::<Decompression>(cx, a[0])?;
    let result = d.library.refer_to(dictionary(a[1])?);
    done(cx, result)
}

fn set_decompress_parameter(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let mut d = context::<Decompression>(cx, a[0])?;
    let value = int(a[2])?;
    let Some(key) = parameters::decompression(a[1]) else {
        return Err(invalid(cx, "invalid_key", a[1]));
    };
    let result = d.library.set(key, value);
    done(cx, result)
}

fn get_decompress_parameter(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let d = context::<Decompression>(cx, a[0])?;
    let Some(key) = parameters::decompression(a[1]) else {
        return Err(invalid(cx, "invalid_key", a[1]));
    };
    match d.library.get(key) {
        Ok(value) => Ok(Term::small(value.into())),
        Err(why) => Err(failed(cx, why)),
    }
}

fn decompress_stream(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    const FUNCTION: &str = "decompress_stream_nif";
    if dirty::is_under_way(cx.own) {
        return in_pool(cx, FUNCTION, a);
    }
    let mut d = context::<Decompression>(cx, a[0])?;
    let input = bits::binary_bytes(a[1]);
    if input.as_ref().is_some_and(|b| b.len() > MOST_TO_DECOMPRESS) && !cx.whole {
        drop(d);
        return in_pool(cx, FUNCTION, a);
    }
    let result = match (int(a[2]), input) {
        (Ok(_), Some(input)) => {
            let mut room = library::decompress_room();
            if !d.in_use {
                d.in_use = true;
                room = library::decompressed_size(&input).map_or(room, |n| n.min(room));
            }
            step(cx, a, room, |output| d.library.stream(&input, output))
        }
        _ => Err(badarg()),
    };
    if result.is_err() {
        d.library.reset();
        d.in_use = false;
    }
    result
}

fn decompress_reset(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let mut d = context::<Decompression>(cx, a[0])?;
    d.library.reset();
    d.in_use = false;
    ok()
}

fn decompress_close(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    close::<Decompression>(cx, a[0])
}

fn create_compress_dictionary(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    const FUNCTION: &str = "create_cdict_nif";
    let (content, level) = (bits::binary_bytes(a[0]).ok_or_else(badarg)?, int(a[1])?);
    let heavy = content.len() > MOST_TO_COMPRESS || level > LAST_QUICK_LEVEL;
    if dirty::is_under_way(cx.own) || heavy && !cx.whole {
        return in_pool(cx, FUNCTION, a);
    }
    Ok(match CompressDictionary::new(&content, level, heavy) {
        Some(d) => resource(cx, d),
        None => cx.error(Atom::new("invalid_compress_dict")),
    })
}

fn create_decompress_dictionary(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let content = bits::binary_bytes(a[0]).ok_or_else(badarg)?;
    Ok(match DecompressDictionary::new(&content) {
        Some(d) => resource(cx, d),
        None => cx.error(Atom::new("invalid_decompress_dict")),
    })
}

fn compress_dictionary_id(_: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let d = dictionary::<CompressDictionary>(a[0])?;
    Ok(Term::small(d.id().into()))
}

fn decompress_dictionary_id(_: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let d = dictionary::<DecompressDictionary>(a[0])?;
    Ok(Term::small(d.id().into()))
}

fn dictionary_id(_: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let id = library::dictionary_id(&iolist::collect(a[0])?);
    Ok(Term::small(id.into()))
}

fn frame_dictionary_id(_: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let id = library::frame_dictionary_id(&iolist::collect(a[0])?);
    Ok(Term::small(id.into()))
}

fn frame_header(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let frame = iolist::collect(a[0])?;
    let h = match library::frame_header(&frame) {
        Ok(h) => h,
        Err(why) => return Err(failed(cx, why)),
    };
    let heap = cx.heap();
    let content_size = match h.content_size {
        Some(n) => heap.uint(n),
        None => Atom::UNDEFINED.into(),
    };
    let kind = if h.skippable {
        "ZSTD_skippableFrame"
    } else {
        "ZSTD_frame"
    };
    let pairs = [
        ("frameContentSize", content_size),
        ("windowSize", heap.uint(h.window_size)),
        ("blockSizeMax", Term::small(h.largest_block.into())),
        ("frameType", Atom::new(kind).into()),
        ("headerSize", Term::small(h.header_size.into())),
        ("dictID", Term::small(h.dictionary.into())),
        ("checksumFlag", h.checksum.into()),
    ]
    .map(|(key, value)| (Atom::new(key).into(), value));
    let header = map::from_pairs(heap, &pairs);
    Ok(cx.ok(header))
}
