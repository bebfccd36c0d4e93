/* The library of t_nif.erl: each function of the interface is called, and what it gives becomes a term. */

#include <erl_nif.h>
#include <limits.h>
#include <stdint.h>
#include <unistd.h>

#define NIF(name) static ERL_NIF_TERM name(ErlNifEnv *env, int argc, const ERL_NIF_TERM argv[])
#define ATOM(text) enif_make_atom(env, text)
#define INT(n) enif_make_int(env, n)

typedef struct {
    int number;
    ErlNifPid owner;
    ErlNifMonitor monitor;
    int descriptor;
} thing;

static ErlNifResourceType *things, *plain;
static ErlNifMutex *lock;
static int destroyed;

static void tell(ErlNifPid *to, const char *what, int number)
{
    ErlNifEnv *m = enif_alloc_env();
    enif_send(NULL, to, m, enif_make_tuple2(m, enif_make_atom(m, what), enif_make_int(m, number)));
    enif_free_env(m);
}

static void thing_gone(ErlNifEnv *env, void *obj)
{
    thing *t = obj;
    __sync_fetch_and_add(&destroyed, 1);
    if (!enif_is_pid_undefined(&t->owner))
        tell(&t->owner, "destroyed", t->number);
}

static void thing_down(ErlNifEnv *env, void *obj, ErlNifPid *pid, ErlNifMonitor *m)
{
    thing *t = obj;
    tell(&t->owner, enif_compare_monitors(m, &t->monitor) == 0 ? "down" : "other_down", t->number);
}

static void thing_stop(ErlNifEnv *env, void *obj, ErlNifEvent e, int direct)
{
    thing *t = obj;
    tell(&t->owner, direct ? "stopped_at_once" : "stopped", t->number);
}

static void thing_call(ErlNifEnv *env, void *obj, void *data)
{
    *(int *)data += ((thing *)obj)->number;
}

NIF(nothing) { return argc ? argv[0] : ATOM("ok"); }

NIF(kind)
{
    ERL_NIF_TERM t = argv[0];
    return enif_make_tuple8(env, INT(enif_term_type(env, t)),
        INT(enif_is_atom(env, t) << 1 | enif_is_binary(env, t) << 2 | enif_is_ref(env, t) << 3 | enif_is_fun(env, t) << 4),
        INT(enif_is_pid(env, t) << 1 | enif_is_port(env, t) << 2 | enif_is_number(env, t) << 3),
        INT(enif_is_map(env, t) << 1 | enif_is_tuple(env, t) << 2),
        INT(enif_is_list(env, t) << 1 | enif_is_empty_list(env, t) << 2),
        INT(enif_is_exception(env, t)), INT(enif_is_identical(t, argv[1])), INT(enif_compare(t, argv[1])));
}

NIF(numbers)
{
    ERL_NIF_TERM t = argv[0], no = ATOM("no");
    int i;
    unsigned u;
    long l;
    unsigned long ul;
    double d;
    return enif_make_tuple5(env, enif_get_int(env, t, &i) ? enif_make_int(env, i) : no,
        enif_get_uint(env, t, &u) ? enif_make_uint(env, u) : no, enif_get_long(env, t, &l) ? enif_make_long(env, l) : no,
        enif_get_ulong(env, t, &ul) ? enif_make_ulong(env, ul) : no,
        enif_get_double(env, t, &d) ? enif_make_double(env, d) : no);
}

NIF(limits)
{
    ERL_NIF_TERM all[] = {enif_make_int(env, INT_MIN), enif_make_int(env, INT_MAX), enif_make_uint(env, UINT_MAX),
        enif_make_long(env, LONG_MIN), enif_make_long(env, LONG_MAX), enif_make_ulong(env, ULONG_MAX), enif_make_double(env, -0.0),
        enif_make_double(env, 1e300), enif_make_double(env, 5e-324)};
    return enif_make_list_from_array(env, all, sizeof all / sizeof *all);
}

NIF(infinity) { return enif_make_double(env, 1.0 / (argc - 1)); }

NIF(atom_text)
{
    char buf[2000];
    unsigned len = 0;
    int size, known = enif_get_atom_length(env, argv[0], &len, ERL_NIF_LATIN1);
    ERL_NIF_TERM again = ATOM("no");
    enif_get_int(env, argv[1], &size);
    int got = enif_get_atom(env, argv[0], buf, size, ERL_NIF_LATIN1);
    if (got)
        enif_make_existing_atom(env, buf, &again, ERL_NIF_LATIN1);
    return enif_make_tuple5(env, INT(known), INT(len), INT(got), again, got ? enif_make_string(env, buf, ERL_NIF_LATIN1) : ATOM("no"));
}

NIF(atoms)
{
    ERL_NIF_TERM a = ATOM("no"), b = ATOM("no");
    int x = enif_make_existing_atom(env, "no such atom anywhere", &a, ERL_NIF_LATIN1);
    int y = enif_make_existing_atom_len(env, "erlangx", 6, &b, ERL_NIF_LATIN1);
    return enif_make_tuple6(env, INT(x), a, INT(y), b, enif_make_atom_len(env, "a\0b", 3), ATOM("\xe5\xe4\xf6"));
}

NIF(long_atom)
{
    char name[300];
    int n;
    enif_get_int(env, argv[0], &n);
    memset(name, 'x', n);
    return enif_make_atom_len(env, name, n);
}

NIF(string_text)
{
    char buf[100];
    int size;
    enif_get_int(env, argv[1], &size);
    int got = enif_get_string(env, argv[0], buf, size, ERL_NIF_LATIN1);
    return enif_make_tuple2(env, INT(got), size && got ? enif_make_string(env, buf, ERL_NIF_LATIN1) : ATOM("none"));
}

NIF(list)
{
    ERL_NIF_TERM head, tail, reversed = ATOM("no");
    unsigned len = 77;
    int cell = enif_get_list_cell(env, argv[0], &head, &tail), proper = enif_get_list_length(env, argv[0], &len);
    int turned = enif_make_reverse_list(env, argv[0], &reversed);
    return enif_make_list6(env, cell ? enif_make_list_cell(env, head, tail) : ATOM("no"), INT(proper), INT(proper ? (int)len : 0), INT(turned),
        turned ? reversed : ATOM("no"), enif_make_list(env, 0));
}

NIF(tuple)
{
    const ERL_NIF_TERM *e;
    int arity;
    if (!enif_get_tuple(env, argv[0], &arity, &e))
        return enif_make_badarg(env);
    return enif_make_tuple3(env, INT(arity), enif_make_list_from_array(env, e, arity), enif_make_tuple_from_array(env, e, arity));
}

NIF(many)
{
    return enif_make_list(env, 12, INT(1), INT(2), INT(3), INT(4), INT(5), INT(6), INT(7), INT(8), INT(9), enif_make_double(env, 1.5),
        enif_make_tuple(env, 11, INT(1), INT(2), INT(3), INT(4), INT(5), INT(6), INT(7), INT(8), INT(9), INT(10), INT(11)), enif_make_tuple(env, 0));
}

NIF(map)
{
    ERL_NIF_TERM m = argv[0], k = argv[1], v = argv[2], r, no = ATOM("no");
    size_t size = 0;
    ERL_NIF_TERM all[6];
    all[0] = enif_get_map_size(env, m, &size) ? INT((int)size) : no;
    all[1] = enif_get_map_value(env, m, k, &r) ? r : no;
    all[2] = enif_make_map_put(env, m, k, v, &r) ? r : no;
    all[3] = enif_make_map_update(env, m, k, v, &r) ? r : no;
    all[4] = enif_make_map_remove(env, m, k, &r) ? r : no;
    all[5] = enif_make_new_map(env);
    return enif_make_tuple_from_array(env, all, 6);
}

NIF(map_of)
{
    const ERL_NIF_TERM *k, *v;
    int n, n2;
    ERL_NIF_TERM r;
    if (!enif_get_tuple(env, argv[0], &n, &k) || !enif_get_tuple(env, argv[1], &n2, &v))
        return enif_make_badarg(env);
    return enif_make_map_from_arrays(env, (ERL_NIF_TERM *)k, (ERL_NIF_TERM *)v, n, &r) ? r : ATOM("no");
}

NIF(map_walk)
{
    ErlNifMapIterator i;
    ERL_NIF_TERM k, v, there = enif_make_list(env, 0), back = enif_make_list(env, 0);
    if (!enif_map_iterator_create(env, argv[0], &i, ERL_NIF_MAP_ITERATOR_FIRST))
        return enif_make_badarg(env);
    while (enif_map_iterator_get_pair(env, &i, &k, &v)) {
        there = enif_make_list_cell(env, enif_make_tuple2(env, k, v), there);
        enif_map_iterator_next(env, &i);
    }
    int tail = enif_map_iterator_is_tail(env, &i), head = enif_map_iterator_is_head(env, &i);
    enif_map_iterator_destroy(env, &i);
    enif_map_iterator_create(env, argv[0], &i, ERL_NIF_MAP_ITERATOR_LAST);
    while (enif_map_iterator_get_pair(env, &i, &k, &v)) {
        back = enif_make_list_cell(env, enif_make_tuple2(env, k, v), back);
        enif_map_iterator_prev(env, &i);
    }
    ERL_NIF_TERM r = enif_make_tuple6(env, there, back, INT(tail), INT(head), INT(enif_map_iterator_is_tail(env, &i)), INT(enif_map_iterator_is_head(env, &i)));
    enif_map_iterator_destroy(env, &i);
    return r;
}

NIF(binary)
{
    ErlNifBinary b, c;
    ERL_NIF_TERM fresh, copy;
    if (!enif_inspect_binary(env, argv[0], &b))
        return enif_make_badarg(env);
    memcpy(enif_make_new_binary(env, b.size, &fresh), b.data, b.size);
    copy = enif_make_binary(env, &b);
    if (!enif_alloc_binary(b.size, &c))
        return enif_make_badarg(env);
    memcpy(c.data, b.data, b.size);
    enif_realloc_binary(&c, b.size + 100);
    memset(c.data + b.size, 'x', 100);
    enif_realloc_binary(&c, b.size + 1);
    return enif_make_tuple4(env, INT((int)b.size), fresh, copy, enif_make_binary(env, &c));
}

NIF(released)
{
    ErlNifBinary b;
    enif_alloc_binary(1000, &b);
    enif_release_binary(&b);
    return ATOM("ok");
}

/* How many binaries keep their bytes when the seven bytes behind others are written as well. */
NIF(overrun)
{
    static ErlNifBinary all[300];
    int i, round, whole = 0;
    size_t k;
    for (round = 0; round < 20; round++) {
        for (i = 0; i < 300; i++) {
            enif_alloc_binary(i, &all[i]);
            memset(all[i].data, i, i);
        }
        for (i = 0; i < 300; i++) {
            memset(all[i].data + all[i].size, 255, 7);
            enif_realloc_binary(&all[i], i + 8);
            memset(all[i].data + i, i, 8);
            memset(all[i].data + all[i].size, 255, 7);
        }
        for (i = 0; i < 300; i++) {
            for (k = 0; k < all[i].size && all[i].data[k] == (unsigned char)i; k++)
                ;
            whole += k == all[i].size;
            enif_release_binary(&all[i]);
        }
    }
    return INT(whole);
}

/* How the C library takes characters: the locale of the environment. */
NIF(codeset)
{
    return enif_make_string(env, nl_langinfo(CODESET), ERL_NIF_LATIN1);
}

NIF(part)
{
    int at, size;
    enif_get_int(env, argv[1], &at);
    enif_get_int(env, argv[2], &size);
    return enif_make_sub_binary(env, argv[0], at, size);
}

NIF(iolist)
{
    ErlNifBinary b;
    if (!enif_inspect_iolist_as_binary(env, argv[0], &b))
        return ATOM("no");
    return enif_make_binary(env, &b);
}

NIF(etf)
{
    ErlNifBinary b;
    ERL_NIF_TERM t;
    if (!enif_term_to_binary(env, argv[0], &b))
        return ATOM("no");
    size_t used = enif_binary_to_term(env, b.data, b.size, &t, 0);
    int whole = used == b.size, cut = (int)enif_binary_to_term(env, b.data, b.size - 1, &t, 0);
    if (!cut)
        enif_binary_to_term(env, b.data, b.size, &t, 0);
    return enif_make_tuple4(env, INT(whole), INT(cut), t, enif_make_binary(env, &b));
}

NIF(unsafe_etf)
{
    static unsigned char bytes[] = {131, 119, 14, 'n', 'e', 'v', 'e', 'r', '_', 's', 'e', 'e', 'n', '_', 'n', 'i', 'f'};
    ERL_NIF_TERM t;
    return INT((int)enif_binary_to_term(env, bytes, sizeof bytes, &t, ERL_NIF_BIN2TERM_SAFE));
}

NIF(vector)
{
    ErlNifIOVec room, *v = &room;
    ERL_NIF_TERM tail, bytes;
    unsigned char *to;
    int i, most;
    enif_get_int(env, argv[1], &most);
    if (!enif_inspect_iovec(env, most, argv[0], &tail, &v))
        return ATOM("no");
    to = enif_make_new_binary(env, v->size, &bytes);
    for (i = 0; i < v->iovcnt; i++) {
        memcpy(to, v->iov[i].iov_base, v->iov[i].iov_len);
        to += v->iov[i].iov_len;
    }
    return enif_make_tuple3(env, INT((int)v->size), tail, bytes);
}

NIF(queue)
{
    ErlNifIOQueue *q = enif_ioq_create(ERL_NIF_IOQ_NORMAL);
    ErlNifIOVec *v = NULL;
    ErlNifBinary b;
    ERL_NIF_TERM tail, head = ATOM("no"), all[8];
    SysIOVec *shown;
    size_t left = 0, first = 0;
    int count, ok;
    ok = enif_inspect_iovec(NULL, 1000, argv[0], &tail, &v) && enif_ioq_enqv(q, v, 1);
    all[0] = INT(ok);
    if (v)
        enif_free_iovec(v);
    enif_alloc_binary(5, &b);
    memcpy(b.data, "12345", 5);
    all[1] = INT(enif_ioq_enq_binary(q, &b, 2));
    all[2] = INT((int)enif_ioq_size(q));
    shown = enif_ioq_peek(q, &count);
    all[3] = enif_make_list(env, 0);
    while (count--)
        all[3] = enif_make_list_cell(env, enif_make_string_len(env, shown[count].iov_base, shown[count].iov_len, ERL_NIF_LATIN1), all[3]);
    all[4] = INT(enif_ioq_deq(q, 2, &left));
    all[5] = INT((int)left);
    all[6] = enif_ioq_peek_head(env, q, &first, &head) ? head : ATOM("no");
    all[7] = INT(enif_ioq_deq(q, 100000, &left));
    enif_ioq_destroy(q);
    return enif_make_tuple_from_array(env, all, 8);
}

NIF(badarg) { return enif_make_badarg(env); }

NIF(raise)
{
    ERL_NIF_TERM reason;
    int before = enif_has_pending_exception(env, &reason);
    ERL_NIF_TERM r = enif_raise_exception(env, enif_make_tuple2(env, INT(before), argv[0]));
    int after = enif_has_pending_exception(env, &reason);
    return after && enif_is_exception(env, r) ? r : ATOM("wrong");
}

NIF(raise_and_return)
{
    enif_raise_exception(env, argv[0]);
    return ATOM("ok");
}

NIF(hashes)
{
    return enif_make_tuple2(env, enif_make_ulong(env, enif_hash(ERL_NIF_PHASH2, argv[0], 17)),
        INT(enif_hash(ERL_NIF_INTERNAL_HASH, argv[0], 1) == enif_hash(ERL_NIF_INTERNAL_HASH, argv[1], 1)));
}

NIF(times)
{
    ErlNifTime m = enif_monotonic_time(ERL_NIF_NSEC), n = enif_monotonic_time(ERL_NIF_NSEC);
    ERL_NIF_TERM first = enif_make_unique_integer(env, ERL_NIF_UNIQUE_MONOTONIC);
    return enif_make_list(env, 8, INT(m <= n), enif_make_long(env, enif_convert_time_unit(-1, ERL_NIF_NSEC, ERL_NIF_MSEC)),
        enif_make_long(env, enif_convert_time_unit(7, ERL_NIF_SEC, ERL_NIF_USEC)), INT(enif_monotonic_time(9) == ERL_NIF_TIME_ERROR),
        enif_make_long(env, enif_monotonic_time(ERL_NIF_SEC) + enif_time_offset(ERL_NIF_SEC)), enif_now_time(env), enif_cpu_time(env),
        enif_make_tuple4(env, enif_make_unique_integer(env, 0), enif_make_unique_integer(env, ERL_NIF_UNIQUE_POSITIVE),
            first, enif_make_unique_integer(env, ERL_NIF_UNIQUE_MONOTONIC)));
}

NIF(print)
{
    char buf[200];
    int a = enif_snprintf(buf, sizeof buf, "%d|%5u|%-4s|%lx|%T|%c|%%|%.2f|%*d|%T", -5, 7u, "ab", 255L, argv[0], 'z', 2.5, 4, 9, argv[0]);
    ERL_NIF_TERM whole = enif_make_string(env, buf, ERL_NIF_LATIN1);
    enif_snprintf(buf, 5, "%s", "abcdefgh");
    return enif_make_tuple3(env, INT(a), whole, enif_make_string(env, buf, ERL_NIF_LATIN1));
}

NIF(processes)
{
    ErlNifPid me, pid;
    ErlNifPort port;
    ERL_NIF_TERM all[9];
    enif_self(env, &me);
    all[0] = INT(enif_is_identical(enif_make_pid(env, &me), argv[0]));
    all[1] = INT(enif_get_local_pid(env, argv[1], &pid));
    all[2] = INT(enif_get_local_pid(env, argv[1], &pid) && enif_is_process_alive(env, &pid));
    all[3] = INT(enif_whereis_pid(env, ATOM("init"), &pid));
    all[4] = INT(enif_whereis_pid(env, ATOM("nobody there"), &pid));
    all[5] = INT(enif_is_current_process_alive(env));
    all[6] = INT(enif_get_local_port(env, argv[1], &port));
    all[7] = INT(enif_is_ref(env, enif_make_ref(env)));
    enif_set_pid_undefined(&pid);
    all[8] = INT(enif_is_pid_undefined(&pid) + 2 * enif_is_process_alive(env, &pid));
    return enif_make_tuple_from_array(env, all, 9);
}

NIF(send_it)
{
    ErlNifPid to;
    ErlNifEnv *m = enif_alloc_env();
    int a, b, c;
    enif_get_local_pid(env, argv[0], &to);
    a = enif_send(env, &to, m, enif_make_copy(m, argv[1]));
    b = enif_send(env, &to, NULL, argv[1]);
    enif_clear_env(m);
    c = enif_send(env, &to, m, enif_make_tuple2(m, enif_make_atom(m, "again"), enif_make_copy(m, argv[1])));
    enif_free_env(m);
    return enif_make_tuple3(env, INT(a), INT(b), INT(c));
}

NIF(to_port)
{
    ErlNifPort port;
    if (!enif_get_local_port(env, argv[0], &port))
        return enif_make_badarg(env);
    return enif_make_tuple2(env, INT(enif_is_port_alive(env, &port)), INT(enif_port_command(env, &port, NULL, argv[1])));
}

static void *in_thread(void *p)
{
    thing *t = p;
    enif_mutex_lock(lock);
    enif_mutex_unlock(lock);
    ErlNifEnv *m = enif_alloc_env();
    enif_send(NULL, &t->owner, m, enif_make_tuple3(m, enif_make_atom(m, "thread"), enif_make_string(m, enif_thread_name(enif_thread_self()), ERL_NIF_LATIN1), enif_make_int(m, enif_thread_type())));
    enif_free_env(m);
    return p;
}

NIF(thread)
{
    ErlNifTid tid;
    thing t;
    void *result;
    ErlNifTSDKey key;
    enif_self(env, &t.owner);
    enif_mutex_lock(lock);
    int busy = enif_mutex_trylock(lock) != 0;
    ErlNifThreadOpts *o = enif_thread_opts_create("opts");
    int started = enif_thread_create("a thread", &tid, in_thread, &t, o);
    enif_thread_opts_destroy(o);
    enif_mutex_unlock(lock);
    int joined = enif_thread_join(tid, &result);
    enif_tsd_key_create("key", &key);
    int none = enif_tsd_get(key) == NULL;
    enif_tsd_set(key, &t);
    int same = enif_tsd_get(key) == &t;
    enif_tsd_key_destroy(key);
    ErlNifRWLock *rw = enif_rwlock_create("rw");
    enif_rwlock_rlock(rw);
    int read = enif_rwlock_tryrlock(rw) == 0, write = enif_rwlock_tryrwlock(rw) != 0;
    enif_rwlock_runlock(rw);
    enif_rwlock_runlock(rw);
    enif_rwlock_rwlock(rw);
    enif_rwlock_rwunlock(rw);
    ERL_NIF_TERM name = enif_make_string(env, enif_rwlock_name(rw), ERL_NIF_LATIN1);
    enif_rwlock_destroy(rw);
    return enif_make_list9(env, INT(busy), INT(started), INT(joined), INT(result == &t), INT(none), INT(same), INT(read), INT(write), name);
}

NIF(new_thing)
{
    thing *t = enif_alloc_resource(things, sizeof *t);
    ERL_NIF_TERM r = enif_make_resource(env, t), again = enif_make_resource(env, t);
    enif_get_int(env, argv[0], &t->number);
    enif_self(env, &t->owner);
    int same = enif_is_identical(r, again), size = enif_sizeof_resource(t) == sizeof *t;
    enif_release_resource(t);
    return enif_make_tuple3(env, r, INT(same), INT(size));
}

NIF(thing_number)
{
    thing *t;
    void *p;
    if (enif_get_resource(env, argv[0], plain, &p))
        return ATOM("plain");
    return enif_get_resource(env, argv[0], things, (void **)&t) ? INT(t->number) : ATOM("no");
}

NIF(thing_bytes)
{
    thing *t = enif_alloc_resource(things, sizeof *t + 1000);
    char *bytes = (char *)(t + 1);
    int i;
    for (i = 0; i < 1000; i++)
        bytes[i] = (char)i;
    enif_get_int(env, argv[0], &t->number);
    enif_self(env, &t->owner);
    ERL_NIF_TERM r = enif_make_resource_binary(env, t, bytes, 1000);
    enif_release_resource(t);
    return r;
}

NIF(watch)
{
    thing *t;
    ErlNifPid pid;
    if (!enif_get_resource(env, argv[0], things, (void **)&t) || !enif_get_local_pid(env, argv[1], &pid))
        return enif_make_badarg(env);
    int r = enif_monitor_process(env, t, &pid, &t->monitor);
    return r ? INT(r) : enif_make_tuple2(env, INT(r), INT(enif_is_ref(env, enif_make_monitor_term(env, &t->monitor))));
}

NIF(unwatch)
{
    thing *t;
    if (!enif_get_resource(env, argv[0], things, (void **)&t))
        return enif_make_badarg(env);
    return INT(enif_demonitor_process(env, t, &t->monitor) == 0);
}

NIF(dynamic)
{
    int n = 100;
    int r = enif_dynamic_resource_call(env, argv[0], argv[1], argv[2], &n);
    return enif_make_tuple2(env, INT(r != 0), INT(n));
}

NIF(alive_after)
{
    int before = enif_consume_timeslice(env, 1), all = 0;
    all += enif_consume_timeslice(env, 100);
    all += enif_consume_timeslice(env, 100);
    return enif_make_tuple2(env, INT(before), INT(all > 0));
}

/* Libraries take 0 for a variable that has no term yet: no term that they are given may be it. */
static ERL_NIF_TERM zeros(ErlNifEnv *env, int argc, const ERL_NIF_TERM argv[])
{
    ERL_NIF_TERM t[7] = {0}, given[7];
    ErlNifMapIterator i;
    int n;
    t[0] = enif_make_int(env, 0);
    t[1] = enif_make_uint(env, 0);
    t[2] = enif_make_long(env, 0);
    t[3] = enif_make_int64(env, 0);
    enif_get_list_cell(env, argv[0], &t[4], &t[5]);
    enif_get_map_value(env, argv[1], argv[2], &t[5]);
    enif_map_iterator_create(env, argv[1], &i, ERL_NIF_MAP_ITERATOR_FIRST);
    enif_map_iterator_get_pair(env, &i, &given[0], &t[6]);
    enif_map_iterator_destroy(env, &i);
    for (n = 0; n < 7; n++)
        given[n] = enif_make_int(env, t[n] != 0);
    return enif_make_tuple4(env, enif_make_list_from_array(env, given, 7), enif_make_tuple_from_array(env, t, 7),
                            enif_make_list_from_array(env, t, 7), enif_make_int(env, enif_is_identical(t[0], argv[3])));
}

static ERL_NIF_TERM countdown(ErlNifEnv *env, int argc, const ERL_NIF_TERM argv[])
{
    int n;
    if (argc != 2 || !enif_get_int(env, argv[0], &n))
        return enif_make_badarg(env);
    if (n == 0)
        return enif_make_tuple2(env, ATOM("done"), argv[1]);
    if (n == 13)
        return enif_raise_exception(env, ATOM("unlucky"));
    ERL_NIF_TERM next[] = {INT(n - 1), enif_make_list_cell(env, INT(enif_thread_type()), argv[1])};
    int flags[] = {0, ERL_NIF_DIRTY_JOB_CPU_BOUND, ERL_NIF_DIRTY_JOB_IO_BOUND};
    return enif_schedule_nif(env, "countdown", flags[n % 3], countdown, 2, next);
}

NIF(chain)
{
    ERL_NIF_TERM first[] = {argv[0], enif_make_list(env, 0)};
    return enif_schedule_nif(env, "countdown", 0, countdown, 2, first);
}

NIF(bad_schedule) { return enif_schedule_nif(env, "x", 17, nothing, 0, argv); }

NIF(dirty)
{
    ErlNifPid me;
    ERL_NIF_TERM pid = enif_self(env, &me) ? enif_make_pid(env, &me) : ATOM("none");
    return enif_make_tuple5(env, INT(enif_thread_type()), pid, argv[0], INT(enif_is_current_process_alive(env)), INT(enif_term_type(env, argv[0])));
}

NIF(dirty_raise) { return enif_raise_exception(env, argv[0]); }

NIF(dirty_wait)
{
    int ms;
    ErlNifPid to;
    enif_get_int(env, argv[0], &ms);
    enif_get_local_pid(env, argv[1], &to);
    tell(&to, "begun", ms);
    usleep(ms * 1000);
    tell(&to, enif_is_current_process_alive(env) ? "alive" : "gone", ms);
    return ATOM("ok");
}

NIF(info)
{
    ErlNifSysInfo i;
    memset(&i, 0, sizeof i);
    enif_system_info(&i, sizeof i);
    return enif_make_tuple6(env, INT(i.nif_major_version), INT(i.nif_minor_version), enif_make_string(env, i.otp_release, ERL_NIF_LATIN1), enif_make_string(env, i.erts_version, ERL_NIF_LATIN1), INT(i.scheduler_threads > 0), INT(i.dirty_scheduler_support));
}

NIF(environment)
{
    char buf[20];
    size_t size = sizeof buf, small = 2;
    int a = enif_getenv("T_NIF_VAR", buf, &size), b = enif_getenv("T_NIF_VAR", buf + 10, &small), c = enif_getenv("T_NIF_NOT", buf + 10, &size);
    return enif_make_tuple4(env, INT(a), enif_make_string(env, buf, ERL_NIF_LATIN1), INT(b > 0), INT(c != 0));
}

NIF(private) { return INT(*(int *)enif_priv_data(env)); }

static int numbers_of_versions[2] = {41, 42};

static int open_types(ErlNifEnv *env)
{
    ErlNifResourceFlags tried;
    ErlNifResourceTypeInit init = {thing_gone, thing_stop, thing_down, 4, thing_call};
    things = enif_init_resource_type(env, "thing", &init, ERL_NIF_RT_CREATE | ERL_NIF_RT_TAKEOVER, &tried);
    plain = enif_open_resource_type(env, NULL, "plain", NULL, ERL_NIF_RT_CREATE | ERL_NIF_RT_TAKEOVER, &tried);
    return things == NULL || plain == NULL;
}

static int load(ErlNifEnv *env, void **data, ERL_NIF_TERM info)
{
    int code = 0;
    *data = &numbers_of_versions[0];
    lock = enif_mutex_create("lock");
    if (enif_get_int(env, info, &code) && code)
        return code;
    return open_types(env);
}

static int upgrade(ErlNifEnv *env, void **data, void **old, ERL_NIF_TERM info)
{
    int code = 0;
    if (enif_get_int(env, info, &code) && code)
        return code;
    *data = &numbers_of_versions[**(int **)old == 41];
    return open_types(env);
}

static void unload(ErlNifEnv *env, void *data) { __sync_fetch_and_add(&destroyed, 1000); }

NIF(destroyed_so_far) { return INT(destroyed); }

static ErlNifFunc functions[] = {
    {"nothing", 0, nothing}, {"nothing", 1, nothing}, {"kind", 2, kind}, {"numbers", 1, numbers}, {"zeros", 4, zeros}, {"limits", 0, limits},
    {"infinity", 1, infinity}, {"atom_text", 2, atom_text}, {"atoms", 0, atoms}, {"long_atom", 1, long_atom},
    {"string_text", 2, string_text}, {"list", 1, list}, {"tuple", 1, tuple}, {"many", 0, many}, {"map", 3, map},
    {"map_of", 2, map_of}, {"map_walk", 1, map_walk}, {"binary", 1, binary}, {"released", 0, released}, {"overrun", 0, overrun}, {"codeset", 0, codeset}, {"part", 3, part},
    {"iolist", 1, iolist}, {"etf", 1, etf}, {"unsafe_etf", 0, unsafe_etf}, {"vector", 2, vector}, {"queue", 1, queue},
    {"badarg", 2, badarg}, {"raise", 1, raise}, {"raise_and_return", 1, raise_and_return}, {"hashes", 2, hashes},
    {"times", 0, times}, {"print", 1, print}, {"processes", 2, processes}, {"send_it", 2, send_it}, {"to_port", 2, to_port},
    {"thread", 0, thread}, {"new_thing", 1, new_thing}, {"thing_number", 1, thing_number}, {"thing_bytes", 1, thing_bytes},
    {"watch", 2, watch}, {"unwatch", 1, unwatch}, {"dynamic", 3, dynamic}, {"alive_after", 0, alive_after}, {"chain", 1, chain},
    {"bad_schedule", 0, bad_schedule}, {"dirty_cpu", 1, dirty, ERL_NIF_DIRTY_JOB_CPU_BOUND},
    {"dirty_io", 1, dirty, ERL_NIF_DIRTY_JOB_IO_BOUND}, {"dirty_raise", 1, dirty_raise, ERL_NIF_DIRTY_JOB_CPU_BOUND},
    {"dirty_wait", 2, dirty_wait, ERL_NIF_DIRTY_JOB_IO_BOUND}, {"info", 0, info}, {"environment", 0, environment},
    {"private", 0, private}, {"destroyed_so_far", 0, destroyed_so_far}};

ERL_NIF_INIT(t_nif, functions, load, NULL, upgrade, unload)
