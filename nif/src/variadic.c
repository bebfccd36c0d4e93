/* The functions of the interface that take any number of arguments, which stable Rust cannot define. Each takes its arguments
 * off the list and hands them to a function in Rust (`api/variadic.rs`). Nothing else is done here. */

#include <pthread.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define EXPORT __attribute__((visibility("default")))

typedef uint64_t term;
typedef struct env env;

/* What a directive takes; the same numbers as in `format.rs`. */
enum { TAKES_INT = 1, TAKES_LONG, TAKES_DOUBLE, TAKES_LONG_DOUBLE, TAKES_POINTER };

/* Most arguments of a format, and of a constructor before memory is taken for them. */
enum { MOST = 64 };

union argument {
    int64_t integer;
    double number;
    void *pointer;
};

term enif_make_tuple_from_array(env *, const term *, unsigned);
term enif_make_list_from_array(env *, const term *, unsigned);
int enigma_nif_kinds(const char *format, unsigned char *kinds, int most);
int enigma_nif_print(FILE *, char *, size_t, const char *format, const union argument *, int count);
int enigma_nif_option(env *, int option, void *argument);

static term collect(term (*make)(env *, const term *, unsigned), env *e, unsigned count, va_list list)
{
    term few[MOST];
    term *all = count <= MOST ? few : malloc(count * sizeof(term));
    term made;
    unsigned i;
    if (all == NULL)
        abort();
    few[0] = 0;
    for (i = 0; i < count; i++)
        all[i] = va_arg(list, term);
    made = make(e, all, count);
    if (all != few)
        free(all);
    return made;
}

EXPORT term enif_make_tuple(env *e, unsigned count, ...)
{
    va_list list;
    term made;
    va_start(list, count);
    made = collect(enif_make_tuple_from_array, e, count, list);
    va_end(list);
    return made;
}

EXPORT term enif_make_list(env *e, unsigned count, ...)
{
    va_list list;
    term made;
    va_start(list, count);
    made = collect(enif_make_list_from_array, e, count, list);
    va_end(list);
    return made;
}

static int print(FILE *file, char *buffer, size_t size, const char *format, va_list list)
{
    unsigned char kinds[MOST];
    union argument arguments[MOST];
    int i, count = enigma_nif_kinds(format, kinds, MOST);
    for (i = 0; i < count; i++) {
        switch (kinds[i]) {
        case TAKES_INT:
            arguments[i].integer = va_arg(list, int);
            break;
        case TAKES_LONG:
            arguments[i].integer = va_arg(list, long);
            break;
        case TAKES_DOUBLE:
            arguments[i].number = va_arg(list, double);
            break;
        case TAKES_LONG_DOUBLE:
            arguments[i].number = (double)va_arg(list, long double);
            break;
        case TAKES_POINTER:
            arguments[i].pointer = va_arg(list, void *);
            break;
        }
    }
    return count < 0 ? -1 : enigma_nif_print(file, buffer, size, format, arguments, count);
}

EXPORT int enif_vfprintf(FILE *file, const char *format, va_list list)
{
    return print(file, NULL, 0, format, list);
}

EXPORT int enif_vsnprintf(char *buffer, size_t size, const char *format, va_list list)
{
    return print(NULL, buffer, size, format, list);
}

EXPORT int enif_fprintf(FILE *file, const char *format, ...)
{
    va_list list;
    int written;
    va_start(list, format);
    written = print(file, NULL, 0, format, list);
    va_end(list);
    return written;
}

EXPORT int enif_snprintf(char *buffer, size_t size, const char *format, ...)
{
    va_list list;
    int written;
    va_start(list, format);
    written = print(NULL, buffer, size, format, list);
    va_end(list);
    return written;
}

/* Every option but the first one, ERL_NIF_OPT_DELAY_HALT, takes a function. */
EXPORT int enif_set_option(env *e, int option, ...)
{
    va_list list;
    void *argument = NULL;
    va_start(list, option);
    if (option > 1)
        argument = va_arg(list, void *);
    va_end(list);
    return enigma_nif_option(e, option, argument);
}

/* Ends the thread. They unwind the thread's stack, on which there must be no frame of Rust. */
EXPORT void erl_drv_thread_exit(void *result)
{
    pthread_exit(result);
}

EXPORT void enif_thread_exit(void *result)
{
    pthread_exit(result);
}
