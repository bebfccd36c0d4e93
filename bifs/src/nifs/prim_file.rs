//! The native functions of `prim_file`: files and directories. Paths come as binaries that end in a zero
//! byte, as `internal_name2native` makes them; errors go back as `{error, Name}`.

use crate::{bifs, errno, file_name};
use enigma_runtime::atom::Atom;
use enigma_runtime::data::bignum;
use enigma_runtime::heap::bits;
use enigma_runtime::heap::magic::Magic;
use enigma_runtime::term::list;
use enigma_runtime::{BifResult, Ctx, Exit, Term, badarg, reference};
use parking_lot::Mutex;
use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, IoSlice, Read, Seek, SeekFrom, Write};
use std::os::fd::{AsRawFd, FromRawFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use unicode_normalization::UnicodeNormalization;

bifs! { BIFS:
    "prim_file" {
        "internal_name2native"/1 Call => name2native;
        "internal_native2name"/1 Call => native2name;
        "internal_normalize_utf8"/1 Call => normalize_utf8;
        "is_translatable"/1 Call => is_translatable;
        "open_nif"/2 NifDirtyIo => open;
        "close_nif"/1 NifDirtyIo => close;
        "delayed_close_nif"/1 NifDirtyIo => delayed_close;
        "file_desc_to_ref_nif"/1 NifDirtyIo => file_desc_to_ref;
        "get_handle_nif"/1 Nif => get_handle;
        "read_nif"/2 NifDirtyIo => read;
        "write_nif"/2 NifDirtyIo => write;
        "pread_nif"/3 NifDirtyIo => pread;
        "pwrite_nif"/3 NifDirtyIo => pwrite;
        "seek_nif"/3 NifDirtyIo => seek;
        "sync_nif"/2 NifDirtyIo => sync;
        "truncate_nif"/1 NifDirtyIo => truncate;
        "advise_nif"/4 NifDirtyIo => advise;
        "allocate_nif"/3 NifDirtyIo => allocate;
        "ipread_s32bu_p32bu_nif"/3 NifDirtyIo => ipread;
        "read_file_nif"/1 NifDirtyIo => read_file;
        "read_info_nif"/2 NifDirtyIo => read_info;
        "read_handle_info_nif"/1 NifDirtyIo => read_handle_info;
        "set_permissions_nif"/2 NifDirtyIo => set_permissions;
        "set_owner_nif"/3 NifDirtyIo => set_owner;
        "set_time_nif"/4 NifDirtyIo => set_time;
        "list_dir_nif"/1 NifDirtyIo => list_dir;
        "read_link_nif"/1 NifDirtyIo => read_link;
        "make_hard_link_nif"/2 NifDirtyIo => make_hard_link;
        "make_soft_link_nif"/2 NifDirtyIo => make_soft_link;
        "rename_nif"/2 NifDirtyIo => rename;
        "make_dir_nif"/1 NifDirtyIo => make_dir;
        "del_dir_nif"/1 NifDirtyIo => del_dir;
        "del_file_nif"/1 NifDirtyIo => del_file;
        "get_cwd_nif"/0 NifDirtyIo => get_cwd;
        "get_device_cwd_nif"/1 NifDirtyIo => get_device_cwd;
        "set_cwd_nif"/1 NifDirtyIo => set_cwd;
        "altname_nif"/1 NifDirtyIo => altname;
    }
    "file" {
        "native_name_encoding"/0 Call => native_name_encoding;
    }
}

// ---- names ----

fn name2native(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    if a[0].as_atom().is_some() {
        return Err(badarg());
    }
    if let Some(b) = bits::binary_bytes(a[0]) {
        let mut bytes = b.into_owned();
        if bytes.contains(&0) {
            return Err(badarg());
        }
        bytes.push(0);
        return Ok(cx.heap().binary(&bytes));
    }
    let mut bytes = file_name::encode(a[0]).ok_or_else(badarg)?;
    bytes.push(0);
    Ok(cx.heap().binary(&bytes))
}

fn native2name(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let bytes = bits::binary_bytes(a[0]).ok_or_else(badarg)?;
    match file_name::decode(&bytes) {
        Some(chars) => Ok(cx
            .heap()
            .list_from(chars.into_iter().map(|c| Term::small(i64::from(c))))),
        None => {
            let why = file_name::on_bad_name();
            Ok(cx.error(why))
        }
    }
}

/// Characters with those that combine with them composed, as names of files on macOS are read.
fn normalize_utf8(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let bytes = bits::binary_bytes(a[0]).ok_or_else(badarg)?;
    let text = std::str::from_utf8(&bytes).map_err(|_| badarg())?;
    Ok(cx.heap().char_list(&text.nfc().collect::<String>()))
}

fn is_translatable(_: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let bytes = bits::binary_bytes(a[0]).ok_or_else(badarg)?;
    Ok(file_name::decode(&bytes).is_some().into())
}

fn native_name_encoding(_: &mut Ctx<'_>, _: &[Term]) -> BifResult {
    Ok(if file_name::is_utf8() {
        Atom::UTF8
    } else {
        Atom::LATIN1
    }
    .into())
}

/// A path from a native name.
fn path(t: Term) -> Result<PathBuf, Exit> {
    let bytes = bits::binary_bytes(t).ok_or_else(badarg)?;
    let bytes = bytes.strip_suffix(&[0]).ok_or_else(badarg)?;
    if bytes.contains(&0) {
        return Err(badarg());
    }
    Ok(PathBuf::from(OsString::from_vec(bytes.to_vec())))
}

fn failed(cx: &mut Ctx<'_>, e: &io::Error) -> BifResult {
    let why = errno::of(e);
    Ok(cx.error(why))
}

/// `ok`, or the error.
fn done(cx: &mut Ctx<'_>, r: io::Result<()>) -> BifResult {
    match r {
        Ok(()) => Ok(Atom::OK.into()),
        Err(e) => failed(cx, &e),
    }
}

/// `{ok, Binary}`, or the error.
fn give_bytes(cx: &mut Ctx<'_>, r: io::Result<Vec<u8>>) -> BifResult {
    match r {
        Ok(bytes) => {
            let b = cx.heap().binary_of(bytes);
            Ok(cx.ok(b))
        }
        Err(e) => failed(cx, &e),
    }
}

// ---- open files ----

/// An open file. One operation at a time; closed when the last reference goes.
struct Handle {
    file: Mutex<Option<File>>,
    append: bool,
}

fn handle<R>(t: Term, f: impl FnOnce(&mut Option<File>, bool) -> R) -> Result<R, Exit> {
    let h = t
        .as_magic()
        .and_then(|m| m.downcast_ref::<Handle>())
        .ok_or_else(badarg)?;
    let mut file = h.file.lock();
    Ok(f(&mut file, h.append))
}

/// Runs an operation on an open file; a closed one gives `einval`.
fn with_file<R>(
    t: Term,
    f: impl FnOnce(&mut File) -> io::Result<R>,
) -> Result<io::Result<R>, Exit> {
    handle(t, |file, _| match file {
        Some(file) => f(file),
        None => Err(io::Error::from_raw_os_error(libc::EINVAL)),
    })
}

/// A copy of an open file's descriptor.
///
/// # Errors
/// The term is no open file; the inner error is the system's.
pub fn duplicate(t: Term) -> Result<io::Result<File>, Exit> {
    with_file(t, |f| f.try_clone())
}

fn give_handle(cx: &mut Ctx<'_>, file: File, append: bool) -> Term {
    let m: Magic = Arc::new(Handle {
        file: Mutex::new(Some(file)),
        append,
    });
    let r = cx.heap().magic_ref(reference::fresh(), m);
    cx.ok(r)
}

fn open(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let path = path(a[0])?;
    let (mut read, mut write, mut append, mut exclusive, mut sync, mut directory) =
        (false, false, false, false, false, false);
    let (mut any_type, mut no_truncate) = (false, false);
    for m in list::to_vec(a[1]).ok_or_else(badarg)? {
        match m.as_atom().map(Atom::text) {
            Some("read") => read = true,
            Some("write") => write = true,
            Some("append") => (append, write) = (true, true),
            Some("exclusive") => (exclusive, write) = (true, true),
            Some("sync") => sync = true,
            Some("directory") => directory = true,
            Some("skip_type_check") => any_type = true,
            Some("no_truncate") => no_truncate = true,
            _ => {}
        }
    }
    if !(read || write || directory) {
        read = true;
    }
    let mut o = OpenOptions::new();
    let mut flags = 0;
    if directory {
        flags |= libc::O_DIRECTORY;
        read = true;
    }
    if sync {
        flags |= libc::O_SYNC;
    }
    o.read(read).write(write).mode(0o666).custom_flags(flags);
    if write {
        o.append(append).create(true);
        if exclusive {
            o.create_new(true);
        }
        if !read && !append && !exclusive && !no_truncate {
            o.truncate(true);
        }
    }
    match o.open(&path) {
        Ok(file) => {
            // As with the file server of old: only a directory mode opens directories.
            if !directory && !any_type && file.metadata().is_ok_and(|m| m.is_dir()) {
                return Ok(cx.error(errno::atom(libc::EISDIR)));
            }
            Ok(give_handle(cx, file, append))
        }
        Err(e) => failed(cx, &e),
    }
}

fn close(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let was = handle(a[0], |file, _| file.take())?;
    match was {
        Some(_) => Ok(Atom::OK.into()),
        None => Ok(cx.error(errno::atom(libc::EINVAL))),
    }
}

fn delayed_close(_: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    handle(a[0], |file, _| drop(file.take()))?;
    Ok(Atom::OK.into())
}

fn file_desc_to_ref(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let fd = a[0]
        .as_small()
        .and_then(|n| i32::try_from(n).ok())
        .filter(|&n| n >= 0)
        .ok_or_else(badarg)?;
    // SAFETY: duplicating a number that may not be open is harmless: the call says so.
    let copy = unsafe { libc::fcntl(fd, libc::F_DUPFD_CLOEXEC, 0) };
    if copy < 0 {
        return Ok(cx.error(errno::last()));
    }
    // SAFETY: the descriptor was made just now and belongs to nobody else.
    let file = unsafe { File::from_raw_fd(copy) };
    Ok(give_handle(cx, file, false))
}

fn get_handle(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let fd = with_file(a[0], |f| Ok(f.as_raw_fd()))?;
    match fd {
        Ok(fd) => Ok(cx.heap().binary(&fd.to_ne_bytes())),
        Err(e) => failed(cx, &e),
    }
}

/// A place in a file or a length: a number that is negative, no integer or too large is the system's
/// `EINVAL`, and what is no number at all an error of the caller.
fn offset(t: Term) -> Result<io::Result<u64>, Exit> {
    if !t.is_number() {
        return Err(badarg());
    }
    Ok(bignum::to_i64(t)
        .and_then(|n| u64::try_from(n).ok())
        .ok_or_else(|| io::Error::from_raw_os_error(libc::EINVAL)))
}

/// A length to read, as [`offset`]; more than an address space holds is `ENOMEM`.
fn size(t: Term) -> Result<io::Result<usize>, Exit> {
    Ok(offset(t)?.and_then(|n| {
        usize::try_from(n)
            .ok()
            .filter(|&n| n < 1 << 47)
            .ok_or_else(|| io::Error::from_raw_os_error(libc::ENOMEM))
    }))
}

/// A number of the system's C type `int`.
fn int(t: Term) -> Result<i32, Exit> {
    t.as_small()
        .and_then(|n| i32::try_from(n).ok())
        .ok_or_else(badarg)
}

/// Up to `n` bytes; `fill` reads some into a buffer and says how many, 0 at the end.
fn read_up_to(
    n: usize,
    mut fill: impl FnMut(&mut [u8], u64) -> io::Result<usize>,
) -> io::Result<Vec<u8>> {
    let mut out: Vec<u8> = Vec::new();
    while out.len() < n {
        let at = out.len();
        out.resize(n.min(at + (1 << 20)), 0);
        let got = match fill(&mut out[at..], at as u64) {
            Err(e) if e.kind() == io::ErrorKind::Interrupted => 0,
            Err(e) => {
                out.truncate(at);
                return if at > 0 { Ok(out) } else { Err(e) };
            }
            Ok(0) => {
                out.truncate(at);
                break;
            }
            Ok(k) => k,
        };
        let partial = at + got < out.len();
        out.truncate(at + got);
        if partial {
            break;
        }
    }
    Ok(out)
}

fn read(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let n = size(a[1])?;
    let r = with_file(a[0], |f| read_up_to(n?, |buf, _| f.read(buf)))?;
    match r {
        Ok(b) if b.is_empty() => Ok(Atom::EOF.into()),
        r => give_bytes(cx, r),
    }
}

fn pread(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let (from, n) = (offset(a[1])?, size(a[2])?);
    let r = with_file(a[0], |f| {
        let from = from?;
        read_up_to(n?, |buf, at| f.read_at(buf, from + at))
    })?;
    match r {
        Ok(b) if b.is_empty() => Ok(Atom::EOF.into()),
        r => give_bytes(cx, r),
    }
}

/// The binaries of an I/O vector.
fn vector(t: Term) -> Result<Vec<std::borrow::Cow<'static, [u8]>>, Exit> {
    let parts = list::to_vec(t).ok_or_else(badarg)?;
    parts
        .into_iter()
        .map(|b| bits::binary_bytes(b).ok_or_else(badarg))
        .collect()
}

fn write(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let parts = vector(a[1])?;
    let r = with_file(a[0], |f| {
        let mut slices: Vec<IoSlice<'_>> = parts.iter().map(|p| IoSlice::new(p)).collect();
        let mut rest = &mut slices[..];
        IoSlice::advance_slices(&mut rest, 0);
        while !rest.is_empty() {
            let batch = rest.len().min(1024);
            match f.write_vectored(&rest[..batch]) {
                Ok(0) => return Err(io::Error::from_raw_os_error(libc::EIO)),
                Ok(n) => IoSlice::advance_slices(&mut rest, n),
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        }
        Ok(())
    })?;
    done(cx, r)
}

fn pwrite(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let at = offset(a[1])?;
    let parts = vector(a[2])?;
    let r = with_file(a[0], |f| {
        let mut at = at?;
        for p in &parts {
            f.write_all_at(p, at)?;
            at += p.len() as u64;
        }
        Ok(())
    })?;
    done(cx, r)
}

fn seek(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let n = bignum::to_i64(a[2]).ok_or_else(badarg)?;
    let to = match a[1].as_atom().map(Atom::text) {
        Some("bof") => match u64::try_from(n) {
            Ok(n) => SeekFrom::Start(n),
            Err(_) => return Ok(cx.error(errno::atom(libc::EINVAL))),
        },
        Some("cur") => SeekFrom::Current(n),
        Some("eof") => SeekFrom::End(n),
        _ => return Err(badarg()),
    };
    match with_file(a[0], |f| f.seek(to))? {
        Ok(at) => {
            let at = cx.heap().uint(at);
            Ok(cx.ok(at))
        }
        Err(e) => failed(cx, &e),
    }
}

fn sync(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let data_only = int(a[1])? != 0;
    let r = with_file(a[0], |f| {
        if data_only {
            f.sync_data()
        } else {
            f.sync_all()
        }
    })?;
    done(cx, r)
}

fn truncate(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let r = with_file(a[0], |f| {
        let at = f.stream_position()?;
        f.set_len(at)
    })?;
    done(cx, r)
}

/// Tells the system how a part of a file will be used. It is advice only: what the system says to it
/// is nobody's concern.
fn advise(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let (from, n) = (offset(a[1])?, offset(a[2])?);
    let how = match a[3].as_atom().map(Atom::text) {
        Some("normal") => Some(libc::POSIX_FADV_NORMAL),
        Some("random") => Some(libc::POSIX_FADV_RANDOM),
        Some("sequential") => Some(libc::POSIX_FADV_SEQUENTIAL),
        Some("will_need") => Some(libc::POSIX_FADV_WILLNEED),
        Some("dont_need") => Some(libc::POSIX_FADV_DONTNEED),
        Some("no_reuse") => Some(libc::POSIX_FADV_NOREUSE),
        _ => None,
    };
    let r = with_file(a[0], |f| {
        let (from, n) = (from? as i64, n? as i64);
        let how = how.ok_or_else(|| io::Error::from_raw_os_error(libc::EINVAL))?;
        // SAFETY: a call on an open descriptor with plain numbers.
        unsafe { libc::posix_fadvise(f.as_raw_fd(), from, n, how) };
        Ok(())
    })?;
    done(cx, r)
}

fn allocate(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let (from, n) = (offset(a[1])?, offset(a[2])?);
    let r = with_file(a[0], |f| {
        // SAFETY: a call on an open descriptor with plain numbers.
        match unsafe { libc::posix_fallocate(f.as_raw_fd(), from? as i64, n? as i64) } {
            0 => Ok(()),
            e => Err(io::Error::from_raw_os_error(e)),
        }
    })?;
    done(cx, r)
}

/// Reads a size and a pointer of 32 bits each, then that many bytes from there.
fn ipread(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let from = offset(a[1])?;
    if !a[2].is_number() {
        return Err(badarg());
    }
    let max = bignum::to_i64(a[2])
        .filter(|&n| n < 1 << 31)
        .ok_or_else(|| io::Error::from_raw_os_error(libc::EINVAL));
    let r = with_file(a[0], |f| {
        let (from, max) = (from?, max?);
        let head = read_up_to(8, |buf, at| f.read_at(buf, from + at))?;
        let Ok(head) = <[u8; 8]>::try_from(head) else {
            return Ok(None);
        };
        let n = u32::from_be_bytes([head[0], head[1], head[2], head[3]]);
        let p = u32::from_be_bytes([head[4], head[5], head[6], head[7]]);
        if i64::from(n) > max {
            return Ok(None);
        }
        let body = read_up_to(n as usize, |buf, at| f.read_at(buf, u64::from(p) + at))?;
        Ok(Some((n, p, body)))
    })?;
    match r {
        Ok(None) => Ok(Atom::EOF.into()),
        Ok(Some((n, p, body))) => {
            let data: Term = if body.is_empty() {
                Atom::EOF.into()
            } else {
                cx.heap().binary_of(body)
            };
            let parts = [Term::small(i64::from(n)), Term::small(i64::from(p)), data];
            let t = cx.heap().tuple(&parts);
            Ok(cx.ok(t))
        }
        Err(e) => failed(cx, &e),
    }
}

fn read_file(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let path = path(a[0])?;
    match fs::read(&path) {
        Ok(bytes) => {
            cx.bump(bytes.len() / 4096);
            let b = cx.heap().binary_of(bytes);
            Ok(cx.ok(b))
        }
        Err(e) => failed(cx, &e),
    }
}

// ---- information ----

/// May the real user of this process do that with the file?
fn may(path: &Path, how: i32) -> bool {
    let Ok(c) = std::ffi::CString::new(path.as_os_str().as_bytes()) else {
        return false;
    };
    // SAFETY: a zero-terminated path and a plain number.
    unsafe { libc::access(c.as_ptr(), how) == 0 }
}

/// The earliest time that is told: it can be converted between universal, local and POSIX time in any
/// time zone. It is the beginning of the year 1902.
const EARLIEST: i64 = -2_145_916_800;

/// The record `#file_info{}` of `file.hrl`. Numbers of devices, inodes and links are told modulo 2^32.
fn info(cx: &mut Ctx<'_>, m: &fs::Metadata, access: &'static str) -> Term {
    let kind = m.file_type();
    use std::os::unix::fs::FileTypeExt;
    let kind = if kind.is_file() {
        "regular"
    } else if kind.is_dir() {
        "directory"
    } else if kind.is_symlink() {
        "symlink"
    } else if kind.is_char_device() || kind.is_block_device() {
        "device"
    } else {
        "other"
    };
    let h = cx.heap();
    let mut fields = vec![
        Term::atom(Atom::new("file_info")),
        h.uint(m.len()),
        Term::atom(Atom::new(kind)),
        Term::atom(Atom::new(access)),
    ];
    fields.extend([m.atime(), m.mtime(), m.ctime()].map(|t| h.int(t.max(EARLIEST))));
    let numbers = [
        u64::from(m.mode()),
        m.nlink(),
        m.dev(),
        m.rdev(),
        m.ino(),
        u64::from(m.uid()),
        u64::from(m.gid()),
    ];
    fields.extend(numbers.map(|n| h.uint(n & u64::from(u32::MAX))));
    h.tuple(&fields)
}

fn access_name(read: bool, write: bool) -> &'static str {
    match (read, write) {
        (true, true) => "read_write",
        (true, false) => "read",
        (false, true) => "write",
        (false, false) => "none",
    }
}

fn read_info(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let path = path(a[0])?;
    let follow = int(a[1])? != 0;
    let m = if follow {
        fs::metadata(&path)
    } else {
        fs::symlink_metadata(&path)
    };
    match m {
        Ok(m) => {
            let access = access_name(may(&path, libc::R_OK), may(&path, libc::W_OK));
            Ok(info(cx, &m, access))
        }
        Err(e) => failed(cx, &e),
    }
}

/// What the permissions of a file allow to this process, as its owner, its group or anybody.
fn permitted(m: &fs::Metadata) -> &'static str {
    // SAFETY: calls without arguments that cannot fail.
    let (uid, gid) = unsafe { (libc::geteuid(), libc::getegid()) };
    let bits = if m.uid() == uid {
        m.mode() >> 6
    } else if m.gid() == gid {
        m.mode() >> 3
    } else {
        m.mode()
    };
    access_name(bits & 4 != 0, bits & 2 != 0)
}

fn read_handle_info(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    match with_file(a[0], |f| f.metadata())? {
        Ok(m) => Ok(info(cx, &m, permitted(&m))),
        Err(e) => failed(cx, &e),
    }
}

fn set_permissions(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let path = path(a[0])?;
    let mode = a[1]
        .as_usize()
        .and_then(|n| u32::try_from(n).ok())
        .ok_or_else(badarg)?;
    let set = |mode| fs::set_permissions(&path, fs::Permissions::from_mode(mode));
    // Who may not make a file run as its owner or group may still set the rest.
    let r = set(mode & 0o6777).or_else(|_| set(mode & 0o777));
    done(cx, r)
}

/// Sets owner and group; -1 leaves one as it is.
fn set_owner(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let path = path(a[0])?;
    let id = |t: Term| int(t).map(|n| (n != -1).then_some(n.cast_unsigned()));
    let r = std::os::unix::fs::chown(path, id(a[1])?, id(a[2])?);
    done(cx, r)
}

/// Sets the times of access and change; that of creation is not kept.
fn set_time(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let path = path(a[0])?;
    let c = std::ffi::CString::new(path.as_os_str().as_bytes()).map_err(|_| badarg())?;
    let time = |t: Term| bignum::to_i64(t).ok_or_else(badarg);
    let times = [time(a[1])?, time(a[2])?].map(|seconds| libc::timespec {
        tv_sec: seconds,
        tv_nsec: 0,
    });
    time(a[3])?;
    // SAFETY: a zero-terminated path and two times.
    let r = unsafe { libc::utimensat(libc::AT_FDCWD, c.as_ptr(), times.as_ptr(), 0) };
    let r = if r == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    };
    done(cx, r)
}

// ---- directories, links, names ----

fn list_dir(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let path = path(a[0])?;
    let read = || -> io::Result<Vec<Vec<u8>>> {
        fs::read_dir(&path)?
            .map(|e| e.map(|e| e.file_name().into_vec()))
            .collect()
    };
    match read() {
        Ok(names) => {
            // As they are put in front of one another when a list is built up, the last one comes first.
            let items: Vec<Term> = names.iter().rev().map(|n| cx.heap().binary(n)).collect();
            let l = cx.heap().list(&items);
            Ok(cx.ok(l))
        }
        Err(e) => failed(cx, &e),
    }
}

fn read_link(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let path = path(a[0])?;
    let r = fs::read_link(path).map(|p| p.into_os_string().into_vec());
    give_bytes(cx, r)
}

fn make_hard_link(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let r = fs::hard_link(path(a[0])?, path(a[1])?);
    done(cx, r)
}

fn make_soft_link(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let r = std::os::unix::fs::symlink(path(a[0])?, path(a[1])?);
    done(cx, r)
}

fn rename(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let (from, to) = (path(a[0])?, path(a[1])?);
    let r = fs::rename(&from, &to).map_err(|e| match e.raw_os_error() {
        Some(libc::ENOTEMPTY) => io::Error::from_raw_os_error(libc::EEXIST),
        // Systems do not agree on what to say to that.
        _ if from.as_os_str() == "/" => io::Error::from_raw_os_error(libc::EINVAL),
        _ => e,
    });
    done(cx, r)
}

fn make_dir(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let r = fs::create_dir(path(a[0])?);
    done(cx, r)
}

/// Is that the directory this operating system process is in?
fn is_cwd(path: &Path) -> bool {
    match (fs::metadata(path), fs::metadata(".")) {
        (Ok(a), Ok(b)) => (a.ino(), a.dev()) == (b.ino(), b.dev()),
        _ => false,
    }
}

fn del_dir(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let path = path(a[0])?;
    let r = fs::remove_dir(&path).map_err(|e| match e.raw_os_error() {
        Some(libc::ENOTEMPTY | libc::EEXIST) if is_cwd(&path) => {
            io::Error::from_raw_os_error(libc::EINVAL)
        }
        Some(libc::ENOTEMPTY) => io::Error::from_raw_os_error(libc::EEXIST),
        _ => e,
    });
    done(cx, r)
}

fn del_file(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    // Linux has an error of its own for directories.
    let r = fs::remove_file(path(a[0])?).map_err(|e| match e.raw_os_error() {
        Some(libc::EISDIR) => io::Error::from_raw_os_error(libc::EPERM),
        _ => e,
    });
    done(cx, r)
}

fn get_cwd(cx: &mut Ctx<'_>, _: &[Term]) -> BifResult {
    let r = std::env::current_dir().map(|p| p.into_os_string().into_vec());
    give_bytes(cx, r)
}

fn get_device_cwd(cx: &mut Ctx<'_>, _: &[Term]) -> BifResult {
    Ok(cx.error(Atom::new("enotsup")))
}

fn set_cwd(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let r = std::env::set_current_dir(path(a[0])?);
    done(cx, r)
}

fn altname(cx: &mut Ctx<'_>, _: &[Term]) -> BifResult {
    Ok(cx.error(Atom::new("enotsup")))
}
