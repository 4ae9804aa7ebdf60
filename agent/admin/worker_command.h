#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

/* Runs an organisation's recogniser: audio on its standard input, what it understood on its
 * standard output. It is a program of its own in a process group of its own, without a shell, with
 * an environment of PATH and LANG alone, in the root folder, and leaves no core. */

typedef struct {
    const char *const *argv; /* NULL at the end; its first is a path or found by PATH */
    int input_fd;            /* taken: its standard input */
    unsigned timeout_s;      /* then it and all it started are killed */
    size_t max_bytes;        /* of what it answers; more is a failure */
} WorkerCommand;

/* Runs it to its end. Blocks. What it says on standard error is counted and never shown: it may
 * hold what was said. Returns: its answer, owned; to be wiped with age_file_wipe().
 * Errors: G_IO_ERROR_FAILED - it can not be started, or exits with another status than zero;
 * G_IO_ERROR_TIMED_OUT; G_IO_ERROR_MESSAGE_TOO_LARGE. */
GByteArray *worker_command_run(const WorkerCommand *command,
                               GError **error) G_GNUC_WARN_UNUSED_RESULT;
