#pragma once

#include <glib.h>
#include <stdbool.h>

/* What a daemon owes its supervisor: structured logs to journald where there is one, else readable
 * lines to standard error; sd_notify; a clean stop on SIGTERM and SIGINT. Main thread. */

/* Installs the log writer. Only ids, counts and codes are ever logged. */
void daemon_log_start(void);

/* Makes sure that `n_files` may be open at once, as far as the hard limit goes.
 * Errors: G_IO_ERROR_TOO_MANY_OPEN_FILES - it does not go so far. */
bool daemon_allow_files(unsigned n_files, GError **error) G_GNUC_WARN_UNUSED_RESULT;

void daemon_notify_stopping(void);

/* Tells the service manager that the daemon serves (`status`: a word on what it does), and runs
 * `loop` until SIGTERM or SIGINT calls `on_stop` (once; it must quit the loop in the end). A second
 * signal changes nothing. */
void daemon_run(GMainLoop *loop, const char *status, void (*on_stop)(void *user_data),
                void *user_data);
