//! The interface in C, as `erl_nif.h` 2.16 declares it: what OTP 25 has, and all later releases.

use std::ffi::{c_char, c_int, c_long, c_uint, c_ulong, c_void};

/// `ERL_NIF_TERM`.
pub type RawTerm = usize;

/// `ErlNifEnv`.
#[repr(C)]
pub struct RawEnv {
    private: [u8; 0],
}

/// `ErlNifResourceType`.
#[repr(C)]
pub struct RawType {
    private: [u8; 0],
}

/// A function that Erlang calls.
pub type Entrance = unsafe extern "C" fn(*mut RawEnv, c_int, *const RawTerm) -> RawTerm;

/// `ErlNifFunc`.
#[repr(C)]
pub struct RawFunction {
    pub name: *const c_char,
    pub arity: c_uint,
    pub function: Entrance,
    pub flags: c_uint,
}

pub type Load = unsafe extern "C" fn(*mut RawEnv, *mut *mut c_void, RawTerm) -> c_int;
pub type Upgrade =
    unsafe extern "C" fn(*mut RawEnv, *mut *mut c_void, *mut *mut c_void, RawTerm) -> c_int;

/// `ErlNifEntry`.
#[repr(C)]
pub struct RawEntry {
    pub major: c_int,
    pub minor: c_int,
    pub name: *const c_char,
    pub count: c_int,
    pub functions: *const RawFunction,
    pub load: Option<Load>,
    pub reload: Option<Load>,
    pub upgrade: Option<Upgrade>,
    pub unload: Option<unsafe extern "C" fn(*mut RawEnv, *mut c_void)>,
    pub variant: *const c_char,
    pub options: c_uint,
    pub size_of_type_init: usize,
    pub min_erts: *const c_char,
}

/// `ErlNifBinary`.
#[repr(C)]
pub struct RawBinary {
    pub size: usize,
    pub data: *mut u8,
    pub private: [*mut c_void; 3],
}

/// `ErlNifPid`.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct RawPid {
    pub pid: RawTerm,
}

/// `ErlNifMonitor`.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct RawMonitor {
    pub data: [u8; 4 * size_of::<*const ()>()],
}

/// `ErlNifMapIterator`.
#[repr(C)]
pub struct RawMapIterator {
    pub map: RawTerm,
    pub size: usize,
    pub index: usize,
    pub private: [*mut c_void; 4],
}

/// `ErlNifResourceTypeInit`.
#[repr(C)]
pub struct RawTypeInit {
    pub destroy: Option<unsafe extern "C" fn(*mut RawEnv, *mut c_void)>,
    pub stop: Option<unsafe extern "C" fn(*mut RawEnv, *mut c_void, c_int, c_int)>,
    pub down: Option<unsafe extern "C" fn(*mut RawEnv, *mut c_void, *mut RawPid, *mut RawMonitor)>,
    pub members: c_int,
    pub call: Option<unsafe extern "C" fn(*mut RawEnv, *mut c_void, *mut c_void)>,
}

pub const LATIN1: c_int = 1;
pub const CREATE_OR_TAKE_OVER: c_int = 3;
pub const MAP_FIRST: c_int = 1;
pub const PHASH2: c_int = 2;
pub const SAFE: c_uint = 0x2000_0000;

unsafe extern "C" {
    pub fn enif_inspect_binary(env: *mut RawEnv, term: RawTerm, binary: *mut RawBinary) -> c_int;
    pub fn enif_inspect_iolist_as_binary(
        env: *mut RawEnv,
        term: RawTerm,
        binary: *mut RawBinary,
    ) -> c_int;
    pub fn enif_alloc_binary(size: usize, binary: *mut RawBinary) -> c_int;
    pub fn enif_release_binary(binary: *mut RawBinary);
    pub fn enif_make_binary(env: *mut RawEnv, binary: *mut RawBinary) -> RawTerm;
    pub fn enif_make_new_binary(env: *mut RawEnv, size: usize, term: *mut RawTerm) -> *mut u8;
    pub fn enif_make_sub_binary(env: *mut RawEnv, t: RawTerm, at: usize, n: usize) -> RawTerm;
    pub fn enif_term_to_binary(env: *mut RawEnv, term: RawTerm, binary: *mut RawBinary) -> c_int;
    pub fn enif_binary_to_term(
        env: *mut RawEnv,
        data: *const u8,
        size: usize,
        term: *mut RawTerm,
        options: c_uint,
    ) -> usize;
    pub fn enif_get_long(env: *mut RawEnv, term: RawTerm, n: *mut c_long) -> c_int;
    pub fn enif_get_ulong(env: *mut RawEnv, term: RawTerm, n: *mut c_ulong) -> c_int;
    pub fn enif_get_double(env: *mut RawEnv, term: RawTerm, f: *mut f64) -> c_int;
    pub fn enif_make_long(env: *mut RawEnv, n: c_long) -> RawTerm;
    pub fn enif_make_ulong(env: *mut RawEnv, n: c_ulong) -> RawTerm;
    pub fn enif_make_double(env: *mut RawEnv, f: f64) -> RawTerm;
    pub fn enif_make_atom_len(env: *mut RawEnv, name: *const c_char, len: usize) -> RawTerm;
    pub fn enif_get_atom_length(
        env: *mut RawEnv,
        atom: RawTerm,
        len: *mut c_uint,
        encoding: c_int,
    ) -> c_int;
    pub fn enif_get_atom(
        env: *mut RawEnv,
        atom: RawTerm,
        buffer: *mut c_char,
        size: c_uint,
        encoding: c_int,
    ) -> c_int;
    pub fn enif_is_atom(env: *mut RawEnv, term: RawTerm) -> c_int;
    pub fn enif_term_type(env: *mut RawEnv, term: RawTerm) -> c_int;
    pub fn enif_is_identical(a: RawTerm, b: RawTerm) -> c_int;
    pub fn enif_compare(a: RawTerm, b: RawTerm) -> c_int;
    pub fn enif_hash(kind: c_int, term: RawTerm, salt: u64) -> u64;
    pub fn enif_make_ref(env: *mut RawEnv) -> RawTerm;
    pub fn enif_make_copy(env: *mut RawEnv, term: RawTerm) -> RawTerm;
    pub fn enif_get_list_cell(
        env: *mut RawEnv,
        term: RawTerm,
        head: *mut RawTerm,
        tail: *mut RawTerm,
    ) -> c_int;
    pub fn enif_is_empty_list(env: *mut RawEnv, term: RawTerm) -> c_int;
    pub fn enif_make_list_from_array(
        env: *mut RawEnv,
        items: *const RawTerm,
        count: c_uint,
    ) -> RawTerm;
    pub fn enif_make_list_cell(env: *mut RawEnv, head: RawTerm, tail: RawTerm) -> RawTerm;
    pub fn enif_get_tuple(
        env: *mut RawEnv,
        term: RawTerm,
        arity: *mut c_int,
        items: *mut *const RawTerm,
    ) -> c_int;
    pub fn enif_make_tuple_from_array(
        env: *mut RawEnv,
        items: *const RawTerm,
        count: c_uint,
    ) -> RawTerm;
    pub fn enif_get_map_size(env: *mut RawEnv, term: RawTerm, size: *mut usize) -> c_int;
    pub fn enif_make_new_map(env: *mut RawEnv) -> RawTerm;
    pub fn enif_make_map_put(
        env: *mut RawEnv,
        map: RawTerm,
        key: RawTerm,
        value: RawTerm,
        out: *mut RawTerm,
    ) -> c_int;
    pub fn enif_make_map_remove(
        env: *mut RawEnv,
        map: RawTerm,
        key: RawTerm,
        out: *mut RawTerm,
    ) -> c_int;
    pub fn enif_get_map_value(
        env: *mut RawEnv,
        map: RawTerm,
        key: RawTerm,
        value: *mut RawTerm,
    ) -> c_int;
    pub fn enif_map_iterator_create(
        env: *mut RawEnv,
        map: RawTerm,
        iterator: *mut RawMapIterator,
        entry: c_int,
    ) -> c_int;
    pub fn enif_map_iterator_destroy(env: *mut RawEnv, iterator: *mut RawMapIterator);
    pub fn enif_map_iterator_next(env: *mut RawEnv, iterator: *mut RawMapIterator) -> c_int;
    pub fn enif_map_iterator_get_pair(
        env: *mut RawEnv,
        iterator: *mut RawMapIterator,
        key: *mut RawTerm,
        value: *mut RawTerm,
    ) -> c_int;
    pub fn enif_make_badarg(env: *mut RawEnv) -> RawTerm;
    pub fn enif_raise_exception(env: *mut RawEnv, reason: RawTerm) -> RawTerm;
    pub fn enif_schedule_nif(
        env: *mut RawEnv,
        name: *const c_char,
        flags: c_int,
        function: Entrance,
        argc: c_int,
        argv: *const RawTerm,
    ) -> RawTerm;
    pub fn enif_consume_timeslice(env: *mut RawEnv, percent: c_int) -> c_int;
    pub fn enif_is_current_process_alive(env: *mut RawEnv) -> c_int;
    pub fn enif_self(env: *mut RawEnv, pid: *mut RawPid) -> *mut RawPid;
    pub fn enif_get_local_pid(env: *mut RawEnv, term: RawTerm, pid: *mut RawPid) -> c_int;
    pub fn enif_whereis_pid(env: *mut RawEnv, name: RawTerm, pid: *mut RawPid) -> c_int;
    pub fn enif_is_process_alive(env: *mut RawEnv, pid: *const RawPid) -> c_int;
    pub fn enif_thread_type() -> c_int;
    pub fn enif_alloc_env() -> *mut RawEnv;
    pub fn enif_free_env(env: *mut RawEnv);
    pub fn enif_send(
        caller: *mut RawEnv,
        to: *const RawPid,
        message_env: *mut RawEnv,
        message: RawTerm,
    ) -> c_int;
    pub fn enif_init_resource_type(
        env: *mut RawEnv,
        name: *const c_char,
        init: *const RawTypeInit,
        flags: c_int,
        tried: *mut c_int,
    ) -> *mut RawType;
    pub fn enif_alloc_resource(kind: *mut RawType, size: usize) -> *mut c_void;
    pub fn enif_release_resource(object: *mut c_void);
    pub fn enif_keep_resource(object: *mut c_void);
    pub fn enif_make_resource(env: *mut RawEnv, object: *mut c_void) -> RawTerm;
    pub fn enif_make_resource_binary(
        env: *mut RawEnv,
        object: *mut c_void,
        data: *const c_void,
        size: usize,
    ) -> RawTerm;
    pub fn enif_get_resource(
        env: *mut RawEnv,
        term: RawTerm,
        kind: *mut RawType,
        object: *mut *mut c_void,
    ) -> c_int;
    pub fn enif_monitor_process(
        env: *mut RawEnv,
        object: *mut c_void,
        pid: *const RawPid,
        monitor: *mut RawMonitor,
    ) -> c_int;
    pub fn enif_demonitor_process(
        env: *mut RawEnv,
        object: *mut c_void,
        monitor: *const RawMonitor,
    ) -> c_int;
    pub fn enif_compare_monitors(a: *const RawMonitor, b: *const RawMonitor) -> c_int;
    pub fn enif_make_monitor_term(env: *mut RawEnv, monitor: *const RawMonitor) -> RawTerm;
    pub fn enif_select(
        env: *mut RawEnv,
        event: c_int,
        flags: c_int,
        object: *mut c_void,
        pid: *const RawPid,
        reference: RawTerm,
    ) -> c_int;
    pub fn enif_select_x(
        env: *mut RawEnv,
        event: c_int,
        flags: c_int,
        object: *mut c_void,
        pid: *const RawPid,
        message: RawTerm,
        message_env: *mut RawEnv,
    ) -> c_int;
}
