//! All functions of the interface in one table.
//!
//! Nothing in Rust calls them, so without the table the linker would leave them out; `vm/build.rs` tells it to let libraries find
//! them in the program.

use crate::api::{
    atoms, binaries, calls, dynamic, environments, formats, io_queues, io_vectors, kinds, lists,
    locks, maps, numbers, processes, resources, select, system, texts, threads, time, tuples,
};
use crate::c::{Bool, CText, Ptr, Word};
use crate::driver::api::{
    calls as driver_calls, drivers as driver_drivers, memory as driver_memory,
    output as driver_output, ports as driver_ports, queues as driver_queues,
    shared as driver_shared,
};
use std::ffi::{c_int, c_uint, c_void};

/// What is in C (`variadic.c`).
mod in_c {
    use super::*;

    unsafe extern "C" {
        pub fn enif_make_tuple(env: *mut c_void, count: c_uint, ...) -> Word;
        pub fn enif_make_list(env: *mut c_void, count: c_uint, ...) -> Word;
        pub fn enif_fprintf(file: *mut libc::FILE, format: CText, ...) -> c_int;
        pub fn enif_snprintf(buffer: Ptr<u8>, size: usize, format: CText, ...) -> c_int;
        pub fn enif_vfprintf(file: *mut libc::FILE, format: CText, arguments: *mut c_void)
        -> c_int;
        pub fn enif_vsnprintf(
            buffer: Ptr<u8>,
            size: usize,
            format: CText,
            arguments: *mut c_void,
        ) -> c_int;
        pub fn enif_set_option(env: *mut c_void, option: c_int, ...) -> Bool;
        pub fn enif_thread_exit(result: *mut c_void);
        pub fn erl_drv_thread_exit(result: *mut c_void);
    }
}

/// The address of a function.
pub struct Address(#[allow(dead_code, reason = "it is there for the linker")] *const ());

// SAFETY: an address is a number here; nobody calls anything by it.
unsafe impl Sync for Address {}

macro_rules! exports {
    ($($module:ident: $($function:ident)*;)*) => {
        /// The functions, with their names.
        #[used]
        pub static FUNCTIONS: &[(&str, Address)] = &[
            $($((stringify!($function), Address($module::$function as *const ())),)*)*
        ];
    };
}

exports! {
    atoms:
        enif_get_atom enif_get_atom_length enif_make_atom enif_make_atom_len
        enif_make_existing_atom enif_make_existing_atom_len enif_make_new_atom enif_make_new_atom_len;
    binaries:
        enif_alloc_binary enif_binary_to_term enif_inspect_binary enif_inspect_iolist_as_binary
        enif_make_binary enif_make_new_binary enif_make_sub_binary enif_realloc_binary
        enif_release_binary enif_term_to_binary;
    calls:
        enif_consume_timeslice enif_has_pending_exception enif_is_current_process_alive enif_make_badarg
        enif_priv_data enif_raise_exception enif_schedule_nif enif_thread_type;
    dynamic:
        enif_dynamic_resource_call;
    environments:
        enif_alloc_env enif_clear_env enif_free_env enif_make_copy
        enif_send;
    formats:
        enigma_nif_kinds enigma_nif_print;
    io_queues:
        enif_ioq_create enif_ioq_deq enif_ioq_destroy enif_ioq_enq_binary
        enif_ioq_enqv enif_ioq_peek enif_ioq_peek_head enif_ioq_size;
    io_vectors:
        enif_free_iovec enif_inspect_iovec;
    kinds:
        enif_compare enif_get_atom_cache_index enif_hash enif_is_atom
        enif_is_binary enif_is_empty_list enif_is_exception enif_is_fun
        enif_is_identical enif_is_list enif_is_map enif_is_number
        enif_is_pid enif_is_port enif_is_ref enif_is_tuple
        enif_max_atom_cache_index enif_term_size enif_term_type;
    lists:
        enif_get_list_cell enif_get_list_length enif_make_list_cell enif_make_list_from_array
        enif_make_reverse_list;
    locks:
        enif_cond_broadcast enif_cond_create enif_cond_destroy enif_cond_name
        enif_cond_signal enif_cond_wait enif_mutex_create enif_mutex_destroy
        enif_mutex_lock enif_mutex_name enif_mutex_trylock enif_mutex_unlock
        enif_rwlock_create enif_rwlock_destroy enif_rwlock_name enif_rwlock_rlock
        enif_rwlock_runlock enif_rwlock_rwlock enif_rwlock_rwunlock enif_rwlock_tryrlock
        enif_rwlock_tryrwlock;
    maps:
        enif_get_map_size enif_get_map_value enif_make_map_from_arrays enif_make_map_put
        enif_make_map_remove enif_make_map_update enif_make_new_map enif_map_iterator_create
        enif_map_iterator_destroy enif_map_iterator_get_pair enif_map_iterator_is_head enif_map_iterator_is_tail
        enif_map_iterator_next enif_map_iterator_prev;
    numbers:
        enif_get_double enif_get_int enif_get_long enif_get_uint
        enif_get_ulong enif_make_double enif_make_int enif_make_long
        enif_make_uint enif_make_ulong;
    processes:
        enif_get_local_pid enif_get_local_port enif_is_pid_undefined enif_is_port_alive
        enif_is_process_alive enif_make_ref enif_port_command enif_self
        enif_set_pid_undefined enif_whereis_pid enif_whereis_port;
    resources:
        enif_alloc_resource enif_compare_monitors enif_demonitor_process enif_get_resource
        enif_init_resource_type enif_keep_resource enif_make_monitor_term enif_make_resource
        enif_make_resource_binary enif_monitor_process enif_open_resource_type enif_open_resource_type_x
        enif_release_resource enif_sizeof_resource;
    select:
        enif_select enif_select_x;
    system:
        enif_alloc enif_dlopen enif_dlsym enif_free
        enif_getenv enif_realloc enif_system_info enigma_nif_option;
    texts:
        enif_get_string enif_get_string_length enif_make_string enif_make_string_len;
    threads:
        enif_equal_tids enif_thread_create enif_thread_join enif_thread_name
        enif_thread_opts_create enif_thread_opts_destroy enif_thread_self enif_tsd_get
        enif_tsd_key_create enif_tsd_key_destroy enif_tsd_set;
    time:
        enif_convert_time_unit enif_cpu_time enif_make_unique_integer enif_monotonic_time
        enif_now_time enif_time_offset;
    tuples:
        enif_get_tuple enif_make_tuple_from_array;
    driver_calls:
        driver_async driver_async_port_key;
    driver_drivers:
        add_driver_entry driver_create_port driver_lock_driver remove_driver_entry;
    driver_memory:
        driver_alloc driver_alloc_binary driver_binary_dec_refc driver_binary_get_refc
        driver_binary_inc_refc driver_free driver_free_binary driver_realloc
        driver_realloc_binary;
    driver_output:
        driver_caller driver_connected driver_mk_atom driver_mk_port
        driver_mk_term_nil driver_output driver_output2 driver_output_binary
        driver_output_term driver_outputv driver_send_term driver_vec_to_buf
        erl_drv_output_term erl_drv_send_term;
    driver_ports:
        driver_cancel_timer driver_compare_monitors driver_demonitor_process driver_exit
        driver_failure driver_failure_atom driver_failure_eof driver_failure_posix
        driver_get_monitored_process driver_monitor_process driver_read_timer driver_select
        driver_set_timer erl_drv_busy_msgq_limits erl_drv_consume_timeslice erl_drv_init_ack
        erl_drv_set_os_pid get_port_flags set_busy_port set_port_control_flags;
    driver_queues:
        driver_deq driver_enq driver_enq_bin driver_enqv
        driver_pdl_create driver_pdl_dec_refc driver_pdl_get_refc driver_pdl_inc_refc
        driver_pdl_lock driver_pdl_unlock driver_peekq driver_peekqv
        driver_pushq driver_pushq_bin driver_pushqv driver_sizeq;
    driver_shared:
        driver_dl_close driver_dl_error driver_dl_open driver_dl_sym
        driver_get_now driver_system_info erl_drv_cond_broadcast erl_drv_cond_create
        erl_drv_cond_destroy erl_drv_cond_name erl_drv_cond_signal erl_drv_cond_wait
        erl_drv_convert_time_unit erl_drv_equal_tids erl_drv_getenv erl_drv_monotonic_time
        erl_drv_mutex_create erl_drv_mutex_destroy erl_drv_mutex_lock erl_drv_mutex_name
        erl_drv_mutex_trylock erl_drv_mutex_unlock erl_drv_putenv erl_drv_rwlock_create
        erl_drv_rwlock_destroy erl_drv_rwlock_name erl_drv_rwlock_rlock erl_drv_rwlock_runlock
        erl_drv_rwlock_rwlock erl_drv_rwlock_rwunlock erl_drv_rwlock_tryrlock erl_drv_rwlock_tryrwlock
        erl_drv_thread_create erl_drv_thread_join erl_drv_thread_name erl_drv_thread_opts_create
        erl_drv_thread_opts_destroy erl_drv_thread_self erl_drv_time_offset erl_drv_tsd_get
        erl_drv_tsd_key_create erl_drv_tsd_key_destroy erl_drv_tsd_set erl_errno_id
        null_func;
    in_c:
        enif_make_tuple enif_make_list enif_fprintf enif_snprintf
        enif_vfprintf enif_vsnprintf enif_set_option enif_thread_exit
        erl_drv_thread_exit;
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    /// Functions of the interface, of version 2.18 on a machine whose `long` has 64 bits.
    const COUNT: usize = 176;

    #[test]
    fn each_function_is_there_once() {
        let names: HashSet<&str> = FUNCTIONS.iter().map(|f| f.0).collect();
        assert_eq!(names.len(), FUNCTIONS.len());
        let interface = names.iter().filter(|n| n.starts_with("enif_"));
        assert_eq!(interface.count(), COUNT);
    }
}
