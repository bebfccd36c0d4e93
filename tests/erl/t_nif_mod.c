/* The library of the module that t_nif_load.erl makes, in versions: VERSION is a number, WITHOUT_UPGRADE and the like leave
 * something out. It tells the process that is registered as t_nif_events what happens. */

#include <erl_nif.h>

#define NIF(name) static ERL_NIF_TERM name(ErlNifEnv *env, int argc, const ERL_NIF_TERM argv[])

static ErlNifResourceType *things;

static void tell(const char *what, int number)
{
    ErlNifEnv *m = enif_alloc_env();
    ErlNifPid to;
    if (enif_whereis_pid(NULL, enif_make_atom(m, "t_nif_events"), &to))
        enif_send(NULL, &to, m, enif_make_tuple3(m, enif_make_atom(m, what), enif_make_int(m, VERSION), enif_make_int(m, number)));
    enif_free_env(m);
}

static void gone(ErlNifEnv *env, void *obj) { tell("destroyed", *(int *)obj); }

NIF(version) { return enif_make_int(env, VERSION); }

NIF(private) { return enif_make_int(env, *(int *)enif_priv_data(env)); }

NIF(new_thing)
{
    int *t = enif_alloc_resource(things, sizeof *t);
    ERL_NIF_TERM r = enif_make_resource(env, t);
    enif_get_int(env, argv[0], t);
    enif_release_resource(t);
    return r;
}

NIF(number)
{
    int *t;
    return enif_get_resource(env, argv[0], things, (void **)&t) ? enif_make_int(env, *t) : enif_make_atom(env, "no");
}

static int open_types(ErlNifEnv *env, int flags)
{
    ErlNifResourceFlags tried = 77;
    things = enif_open_resource_type(env, NULL, "thing", gone, flags, &tried);
    tell(things ? "opened" : "not_opened", tried);
    return things == NULL;
}

#if defined ON_UNLOAD_THREAD && ERL_NIF_MINOR_VERSION > 16
static void left(void *data) { tell("left", enif_thread_type() * 1000 + *(int *)data); }

static void set_options(ErlNifEnv *env)
{
    tell("set", enif_set_option(env, ERL_NIF_OPT_ON_UNLOAD_THREAD, left) == 0);
    tell("set", enif_set_option(env, ERL_NIF_OPT_ON_UNLOAD_THREAD, left) == 0);
}
#else
static void set_options(ErlNifEnv *env) {}
#endif

#ifdef COUNT
static int loads;
#endif

static int load(ErlNifEnv *env, void **data, ERL_NIF_TERM info)
{
#ifdef COUNT
    tell("loads", ++loads);
#endif
    int flags = 0, *number = enif_alloc(sizeof *number);
    enif_get_int(env, info, &flags);
    *number = VERSION * 10;
    *data = number;
    tell("load", number == enif_priv_data(env));
    set_options(env);
    return flags & 4 ? 55 : flags ? open_types(env, flags & 3) : 0;
}

static int upgrade(ErlNifEnv *env, void **data, void **old, ERL_NIF_TERM info)
{
    int flags = 0, *number = enif_alloc(sizeof *number);
    enif_get_int(env, info, &flags);
    *number = VERSION * 10 + 1;
    *data = number;
    tell("upgrade", **(int **)old);
    **(int **)old += 5;
    return flags & 4 ? 56 : flags ? open_types(env, flags & 3) : 0;
}

static void unload(ErlNifEnv *env, void *data)
{
    tell("unload", *(int *)data);
    enif_free(data);
}

static ErlNifFunc functions[] = {{"version", 0, version}, {"private", 0, private}, {"new_thing", 1, new_thing}, {"number", 1, number},
#ifdef MISSING
    {"missing", 3, number},
#endif
#ifdef TWICE
    {"number", 1, number},
#endif
#ifdef HELPER
    {"helper", 1, number},
#endif
};

#ifndef NAME
#define NAME t_nif_mod
#endif
/* So that the name is what the macro stands for. */
#define INIT(name, load, upgrade, unload) ERL_NIF_INIT(name, functions, load, NULL, upgrade, unload)

#ifdef WITHOUT_UPGRADE
INIT(NAME, load, NULL, unload)
#elif defined BARE
INIT(NAME, NULL, NULL, NULL)
#else
INIT(NAME, load, upgrade, unload)
#endif
