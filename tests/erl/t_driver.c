/* A driver that does what it is told by port_control/3, port_call/3 and commands; t_driver.erl tells it. */
#include <erl_driver.h>
#include <ctype.h>
#include <errno.h>
#include <stddef.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#ifndef NAME
#define NAME "t_driver_drv"
#endif
#ifndef FLAGS
#define FLAGS ERL_DRV_FLAG_USE_PORT_LOCKING
#endif
#ifndef MINOR
#define MINOR ERL_DRV_EXTENDED_MINOR_VERSION
#endif

typedef struct {
    ErlDrvPort port;
    ErlDrvTermData owner;
    ErlDrvMonitor monitor;
    ErlDrvPDL pdl;
    int pipe[2];
    int rounds;
    int is_child;
    int on_timer;
} thing;

enum { NOTHING, TELL, NOT_BUSY, DRAIN };

static ErlDrvTermData mk(char *text) { return driver_mk_atom(text); }

static void tell(thing *t, ErlDrvTermData *spec, int n) { erl_drv_output_term(driver_mk_port(t->port), spec, n); }

static void tell_int(thing *t, char *tag, long n)
{
    ErlDrvTermData spec[] = {ERL_DRV_ATOM, mk(tag), ERL_DRV_INT, (ErlDrvTermData)n, ERL_DRV_TUPLE, 2};
    tell(t, spec, 6);
}

static int init(void)
{
#ifdef INIT_FAILS
    return -1;
#else
    return 0;
#endif
}

static ErlDrvData start(ErlDrvPort port, char *command)
{
    thing *t;
    if (strstr(command, "general"))
        return ERL_DRV_ERROR_GENERAL;
    if (strstr(command, "badarg"))
        return ERL_DRV_ERROR_BADARG;
    if (strstr(command, "errno")) {
        errno = ENOTDIR;
        return ERL_DRV_ERROR_ERRNO;
    }
    t = driver_alloc(sizeof(thing));
    memset(t, 0, sizeof(thing));
    t->port = port;
    t->owner = driver_connected(port);
    t->pipe[0] = t->pipe[1] = -1;
    if (strstr(command, "early"))
        driver_output(port, command, strlen(command));
    if (strstr(command, "dies"))
        driver_failure_atom(port, "at_start");
    return (ErlDrvData)t;
}

static void stop(ErlDrvData d)
{
    thing *t = (thing *)d;
    ErlDrvTermData spec[] = {ERL_DRV_ATOM, mk("stopped"), ERL_DRV_INT, t->is_child, ERL_DRV_TUPLE, 2};
    driver_send_term(t->port, t->owner, spec, 6);
    if (t->pipe[0] >= 0) {
        driver_select(t->port, (ErlDrvEvent)(long)t->pipe[0], ERL_DRV_READ | ERL_DRV_USE, 0);
        close(t->pipe[1]);
    }
    driver_free(t);
}

static void stop_select(ErlDrvEvent e, void *reserved) { close((int)(long)e); }

static void outputv(ErlDrvData d, ErlIOVec *ev)
{
    thing *t = (thing *)d;
    char buffer[1000], first = 0;
    size_t n = driver_vec_to_buf(ev, buffer, sizeof buffer);
    if (n > 0)
        first = buffer[0];
    switch (first) {
    case 'v':
        driver_outputv(t->port, "hd", 2, ev, 1);
        break;
    case 'q':
        driver_enqv(t->port, ev, 1);
        break;
    case 'p':
        driver_pushqv(t->port, ev, 1);
        break;
    case 'x':
        driver_failure_atom(t->port, "told_so");
        break;
    case 'b':
        set_busy_port(t->port, 1);
        t->on_timer = NOT_BUSY;
        driver_set_timer(t->port, 50);
        break;
    default:
        tell_int(t, "size", (long)ev->size);
        tell_int(t, "same", n == ev->size);
        driver_output2(t->port, "H", 1, buffer, n);
    }
}

static void ready_input(ErlDrvData d, ErlDrvEvent e)
{
    thing *t = (thing *)d;
    char buffer[10];
    int n = read((int)(long)e, buffer, sizeof buffer);
    if (n > 0)
        driver_output(t->port, buffer, n);
    else
        driver_failure_eof(t->port);
}

static void ready_output(ErlDrvData d, ErlDrvEvent e)
{
    thing *t = (thing *)d;
    t->rounds++;
    if (t->rounds == 3) {
        driver_select(t->port, e, ERL_DRV_WRITE | ERL_DRV_USE, 0);
        tell_int(t, "rounds", t->rounds);
    }
}

static void timeout(ErlDrvData d)
{
    thing *t = (thing *)d;
    int what = t->on_timer;
    t->on_timer = NOTHING;
    switch (what) {
    case TELL:
        tell_int(t, "timeout", driver_caller(t->port) == driver_term_nil);
        break;
    case NOT_BUSY:
        set_busy_port(t->port, 0);
        break;
    case DRAIN: {
        ErlDrvTermData spec[] = {ERL_DRV_ATOM, mk("drained"), ERL_DRV_INT, driver_sizeq(t->port), ERL_DRV_TUPLE, 2};
        driver_send_term(t->port, t->owner, spec, 6);
        driver_deq(t->port, driver_sizeq(t->port));
        break;
    }
    }
}

static void flush(ErlDrvData d)
{
    thing *t = (thing *)d;
    t->on_timer = DRAIN;
    driver_set_timer(t->port, 20);
}

static void process_exit(ErlDrvData d, ErlDrvMonitor *m)
{
    thing *t = (thing *)d;
    ErlDrvTermData spec[] = {ERL_DRV_ATOM, mk("gone"), ERL_DRV_PID, driver_get_monitored_process(t->port, m),
                             ERL_DRV_INT, driver_compare_monitors(m, &t->monitor), ERL_DRV_TUPLE, 3};
    tell(t, spec, 8);
}

typedef struct {
    int n;
    char text[100];
} job;

static void work(void *p)
{
    job *j = p;
    int i;
    for (i = 0; i < j->n; i++)
        j->text[i] = toupper(j->text[i]);
}

static void ready_async(ErlDrvData d, ErlDrvThreadData p)
{
    thing *t = (thing *)d;
    job *j = (job *)p;
    driver_output(t->port, j->text, j->n);
    driver_free(j);
}

static ErlDrvMutex *mutex;
static ErlDrvCond *cond;
static int ready;
static ErlDrvTSDKey key;

static void *other(void *p)
{
    erl_drv_tsd_set(key, &ready);
    erl_drv_mutex_lock(mutex);
    ready = erl_drv_tsd_get(key) == &ready ? 7 : 1;
    erl_drv_cond_signal(cond);
    erl_drv_mutex_unlock(mutex);
    erl_drv_thread_exit(p);
    return NULL;
}

/* Threads and locks: 7 + 100 if the thread gives what it was given + 1000 if the lock for reading and writing works. */
static int threads(void)
{
    ErlDrvTid tid;
    void *back = NULL;
    ErlDrvRWLock *rw = erl_drv_rwlock_create("rw");
    int works;
    mutex = erl_drv_mutex_create("m");
    cond = erl_drv_cond_create("c");
    ready = 0;
    erl_drv_tsd_key_create("k", &key);
    erl_drv_mutex_lock(mutex);
    erl_drv_thread_create("t", &tid, other, &tid, NULL);
    while (!ready)
        erl_drv_cond_wait(cond, mutex);
    erl_drv_mutex_unlock(mutex);
    erl_drv_thread_join(tid, &back);
    erl_drv_rwlock_rlock(rw);
    works = erl_drv_rwlock_tryrwlock(rw) == EBUSY && erl_drv_rwlock_tryrlock(rw) == 0;
    erl_drv_rwlock_runlock(rw);
    erl_drv_rwlock_runlock(rw);
    erl_drv_rwlock_destroy(rw);
    erl_drv_mutex_destroy(mutex);
    erl_drv_cond_destroy(cond);
    erl_drv_tsd_key_destroy(key);
    return ready + (back == &tid ? 100 : 0) + (works ? 1000 : 0);
}

/* Terms of every kind. */
static int terms(thing *t)
{
    static double f = 1.5;
    static ErlDrvSInt64 least = ERL_NAPI_SINT64_MIN__;
    static ErlDrvUInt64 most = ~(ErlDrvUInt64)0;
    static char ext[] = {(char)131, 104, 2, 97, 1, 97, 2};
    ErlDrvBinary *b = driver_alloc_binary(200);
    int result;
    memset(b->orig_bytes, 'z', 200);
    ErlDrvTermData spec[] = {
        ERL_DRV_ATOM, mk("all"), ERL_DRV_INT, (ErlDrvTermData)-5, ERL_DRV_UINT, (ErlDrvTermData)-1, ERL_DRV_INT64, (ErlDrvTermData)&least,
        ERL_DRV_UINT64, (ErlDrvTermData)&most, ERL_DRV_FLOAT, (ErlDrvTermData)&f, ERL_DRV_STRING, (ErlDrvTermData) "text", 4,
        ERL_DRV_BUF2BINARY, (ErlDrvTermData) "bytes", 5, ERL_DRV_BINARY, (ErlDrvTermData)b, 100, 50, ERL_DRV_BINARY, (ErlDrvTermData)b, 3, 0,
        ERL_DRV_EXT2TERM, (ErlDrvTermData)ext, sizeof ext, ERL_DRV_NIL, ERL_DRV_STRING_CONS, (ErlDrvTermData) "ab", 2,
        ERL_DRV_ATOM, mk("x"), ERL_DRV_NIL, ERL_DRV_LIST, 2, ERL_DRV_ATOM, mk("k"), ERL_DRV_INT, 1, ERL_DRV_MAP, 1,
        ERL_DRV_TUPLE, 0, ERL_DRV_PID, driver_connected(t->port), ERL_DRV_PORT, driver_mk_port(t->port), ERL_DRV_TUPLE, 17};
    result = erl_drv_output_term(driver_mk_port(t->port), spec, sizeof spec / sizeof *spec);
    driver_free_binary(b);
    return result;
}

static int bad_terms(thing *t)
{
    ErlDrvTermData port = driver_mk_port(t->port);
    ErlDrvTermData few[] = {ERL_DRV_TUPLE, 1}, two[] = {ERL_DRV_NIL, ERL_DRV_NIL}, unknown[] = {99}, short_[] = {ERL_DRV_INT};
    ErlDrvTermData twice[] = {ERL_DRV_INT, 1, ERL_DRV_INT, 2, ERL_DRV_INT, 1, ERL_DRV_INT, 3, ERL_DRV_MAP, 2};
    return erl_drv_output_term(port, few, 2) + erl_drv_output_term(port, two, 2) + erl_drv_output_term(port, unknown, 1) +
           erl_drv_output_term(port, short_, 1) + erl_drv_output_term(port, twice, 10);
}

/* The queue's bytes, a part after another. */
static int queue(thing *t, char *to)
{
    int n, i, size = 0;
    SysIOVec *v = driver_peekq(t->port, &n);
    ErlIOVec ev;
    for (i = 0; i < n; i++) {
        memcpy(to + size, v[i].iov_base, v[i].iov_len);
        size += v[i].iov_len;
        to[size++] = '|';
    }
    if (driver_peekqv(t->port, &ev) != driver_sizeq(t->port) || ev.vsize != n)
        to[size++] = '?';
    return size;
}

static ErlDrvSSizeT control(ErlDrvData d, unsigned op, char *buf, ErlDrvSizeT len, char **rbuf, ErlDrvSizeT rlen)
{
    thing *t = (thing *)d;
    char *r = *rbuf;
    unsigned i;
    set_port_control_flags(t->port, 0);
    switch (op) {
    case 1: /* a short answer */
        for (i = 0; i < len && i < rlen; i++)
            r[i] = toupper(buf[i]);
        return i;
    case 2: /* a binary, short */
        set_port_control_flags(t->port, PORT_CONTROL_FLAG_BINARY);
        memcpy(r, "short", 5);
        return 5;
    case 3: { /* a binary, long */
        ErlDrvBinary *b = driver_alloc_binary(len * 2);
        set_port_control_flags(t->port, PORT_CONTROL_FLAG_BINARY);
        memcpy(b->orig_bytes, buf, len);
        b = driver_realloc_binary(b, len * 3);
        memcpy(b->orig_bytes + len, buf, len);
        memset(b->orig_bytes + 2 * len, 'z', len);
        *rbuf = (char *)b;
        return len * 2;
    }
    case 4: /* a list, long */
        *rbuf = driver_alloc(len * 2);
        memset(*rbuf, 'y', len * 2);
        return len * 2;
    case 5:
        *rbuf = NULL;
        return 3;
    case 6:
        return -1;
    case 7: { /* the timer */
        unsigned long left = 0;
        t->on_timer = TELL;
        driver_set_timer(t->port, 100000);
        driver_read_timer(t->port, &left);
        driver_set_timer(t->port, 20);
        r[0] = left > 90000 && left <= 100000;
        return 1;
    }
    case 8: /* a timer that is cancelled */
        t->on_timer = TELL;
        driver_set_timer(t->port, 20);
        r[0] = driver_cancel_timer(t->port);
        return 1;
    case 9: /* monitors the caller */
        r[0] = driver_monitor_process(t->port, driver_caller(t->port), &t->monitor);
        return 1;
    case 10:
        r[0] = driver_demonitor_process(t->port, &t->monitor);
        return 1;
    case 11: { /* an asynchronous call */
        unsigned k = driver_async_port_key(t->port);
        job *j = driver_alloc(sizeof(job));
        j->n = len;
        memcpy(j->text, buf, len);
        r[0] = driver_async(t->port, len & 1 ? &k : NULL, work, j, driver_free) > 0;
        return 1;
    }
    case 12:
        r[0] = terms(t);
        return 1;
    case 13:
        r[0] = -bad_terms(t);
        return 1;
    case 14:
        buf[len - 1] = 0;
        return driver_failure_atom(t->port, buf);
    case 15:
        return driver_failure_posix(t->port, ECONNRESET);
    case 16:
        return driver_failure_eof(t->port);
    case 17:
        return driver_exit(t->port, len ? ENOENT : 0);
    case 18:
        driver_enq(t->port, buf, len);
        driver_pushq(t->port, "<", 1);
        return queue(t, r);
    case 19: { /* parts of a binary */
        ErlDrvBinary *b = driver_alloc_binary(10);
        memcpy(b->orig_bytes, "0123456789", 10);
        driver_enq_bin(t->port, b, 2, 3);
        driver_pushq_bin(t->port, b, 7, 2);
        r[0] = (char)('0' + driver_binary_get_refc(b));
        driver_free_binary(b);
        return 1 + queue(t, r + 1);
    }
    case 20:
        r[0] = (char)driver_deq(t->port, buf[0]);
        return 1 + queue(t, r + 1);
    case 21: { /* another port */
        thing *u = driver_alloc(sizeof(thing));
        memset(u, 0, sizeof(thing));
        u->owner = t->owner;
        u->is_child = 1;
        u->pipe[0] = -1;
        u->port = driver_create_port(t->port, t->owner, "child of t_driver", (ErlDrvData)u);
        driver_output(u->port, "new", 3);
        tell_int(u, "child", 1);
        return 0;
    }
    case 22: /* a descriptor */
        if (pipe(t->pipe) != 0)
            return -1;
        fcntl(t->pipe[0], F_SETFL, O_NONBLOCK);
        driver_select(t->port, (ErlDrvEvent)(long)t->pipe[0], ERL_DRV_READ | ERL_DRV_USE, 1);
        return 0;
    case 23:
        r[0] = write(t->pipe[1], buf, len);
        return 1;
    case 24: { /* ready to be written, again and again */
        int fd = dup(t->pipe[1]);
        t->rounds = 0;
        driver_select(t->port, (ErlDrvEvent)(long)fd, ERL_DRV_WRITE | ERL_DRV_USE, 1);
        return 0;
    }
    case 25: /* the end of the pipe */
        close(t->pipe[1]);
        t->pipe[1] = -1;
        return 0;
    case 26:
        r[0] = get_port_flags(t->port);
        r[1] = driver_caller(t->port) == driver_connected(t->port);
        return 2;
    case 27: { /* a lock for the queue */
        t->pdl = driver_pdl_create(t->port);
        r[0] = driver_pdl_create(t->port) == NULL;
        driver_pdl_lock(t->pdl);
        r[1] = (char)driver_pdl_get_refc(t->pdl);
        driver_pdl_unlock(t->pdl);
        r[2] = (char)driver_pdl_inc_refc(t->pdl);
        r[3] = (char)driver_pdl_dec_refc(t->pdl);
        return 4;
    }
    case 28: { /* the environment */
        size_t n = 3;
        erl_drv_putenv("T_DRIVER", "value");
        r[0] = erl_drv_getenv("T_DRIVER", r + 10, &n);
        r[1] = 0;
        n = 20;
        r[2] = erl_drv_getenv("T_DRIVER", r + 10, &n);
        r[3] = (char)n;
        r[4] = erl_drv_getenv("T_DRIVER_NONE", r + 10, &n) < 0;
        return 5;
    }
    case 29: {
        ErlDrvSysInfo info;
        memset(&info, 255, sizeof info);
        driver_system_info(&info, offsetof(ErlDrvSysInfo, scheduler_threads));
        return sprintf(r, "%d.%d %s %d %d %d", info.driver_major_version, info.driver_minor_version, info.otp_release,
                       info.thread_support, info.scheduler_threads, info.nif_minor_version);
    }
    case 30:
        return sprintf(r, "%d", threads());
    case 31:
        return sprintf(r, "%d", driver_lock_driver(t->port));
    case 32: { /* a binary that Erlang and the driver share */
        ErlDrvBinary *b = driver_alloc_binary(300);
        memset(b->orig_bytes, 'c', 300);
        r[0] = driver_output_binary(t->port, "ab", 2, b, 100, 100);
        r[1] = 0;
        r[2] = (char)driver_binary_inc_refc(b) > 1;
        driver_binary_dec_refc(b);
        driver_free_binary(b);
        return 3;
    }
    case 33: {
        int used = erl_drv_consume_timeslice(t->port, 60);
        return sprintf(r, "%d %d %d", used, erl_drv_consume_timeslice(t->port, 20), !!erl_drv_consume_timeslice(t->port, 20));
    }
    case 34: {
        ErlDrvSizeT low = 0, high = 0;
        int n;
        erl_drv_busy_msgq_limits(t->port, &low, &high);
        n = sprintf(r, "%d %d", (int)low, (int)high);
        low = 10000, high = 0;
        erl_drv_busy_msgq_limits(t->port, &low, &high);
        return n + sprintf(r + n, " %d %d", (int)low, (int)high);
    }
    case 35:
        erl_drv_set_os_pid(t->port, 4711);
        return 0;
    case 36: {
        ErlDrvTime now = erl_drv_monotonic_time(ERL_DRV_MSEC);
        return sprintf(r, "%d %d %d %s", erl_drv_monotonic_time(99) == ERL_DRV_TIME_ERROR,
                       (int)erl_drv_convert_time_unit(-1500, ERL_DRV_MSEC, ERL_DRV_SEC), erl_drv_monotonic_time(ERL_DRV_MSEC) >= now,
                       erl_errno_id(EAGAIN));
    }
    case 37:
        driver_output(t->port, buf, len);
        return 0;
    }
    return -1;
}

static ErlDrvSSizeT call(ErlDrvData d, unsigned op, char *buf, ErlDrvSizeT len, char **rbuf, ErlDrvSizeT rlen, unsigned *flags)
{
    if (op == 1) {
        if (len > rlen)
            *rbuf = driver_alloc(len);
        memcpy(*rbuf, buf, len);
        return len;
    }
    if (op == 2) {
        memset(*rbuf, 0, 5);
        return 5;
    }
    return -1;
}

static ErlDrvEntry entry;

DRIVER_INIT(t_driver_drv)
{
    memset(&entry, 0, sizeof entry);
    entry.init = init;
    entry.start = start;
    entry.stop = stop;
    entry.ready_input = ready_input;
    entry.ready_output = ready_output;
    entry.driver_name = NAME;
    entry.control = control;
    entry.timeout = timeout;
    entry.outputv = outputv;
    entry.ready_async = ready_async;
    entry.flush = flush;
    entry.call = call;
    entry.extended_marker = ERL_DRV_EXTENDED_MARKER;
    entry.major_version = ERL_DRV_EXTENDED_MAJOR_VERSION;
    entry.minor_version = MINOR;
    entry.driver_flags = FLAGS;
    entry.process_exit = process_exit;
    entry.stop_select = stop_select;
    return &entry;
}
