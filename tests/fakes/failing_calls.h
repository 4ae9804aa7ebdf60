#pragma once

#include <stdbool.h>

/* System calls that fail, or kill, on command. A test program that links this with
 * `-Wl,--wrap=<call>` for each of the calls below takes them over; the product is as it ships.
 * Counted are the calls that change a disk. */
typedef enum {
    CALL_ANY,
    CALL_FDATASYNC,
    CALL_FSYNC,
    CALL_SYNCFS,
    CALL_PWRITEV,
    CALL_WRITE,
    CALL_ALLOCATE,
    CALL_LINKAT,
    CALL_RENAMEAT,
    CALL_UNLINKAT,
    CALL_MKDIRAT,
    N_CALLS,
} Call;

/* From now on the `nth` (from 1) `call` and the `n_times` - 1 after it fail with `number`. 0 as
 * `number`: the nth call ends the process with SIGKILL instead, before it does anything. */
void failing_calls_arm(Call call, unsigned nth, unsigned n_times, int number);

/* Makes pwritev() and write() take at most `n_bytes`; 0: as many as asked. */
void failing_calls_shorten(unsigned n_bytes);

/* Calls `hook` once, inside the next fdatasync(), before it flushes. */
void failing_calls_hook_flush(void (*hook)(void *user_data), void *user_data);

/* Everything works again. */
void failing_calls_disarm(void);

/* Calls since the last arm or disarm. */
unsigned failing_calls_count(Call call);
