#include "agent/admin/command_context.h"
#include "agent/admin/command_line.h"
#include "crypto/crypto_error.h"

#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

/* Log lines of the libraries are for a person here: one line each, on standard error. */
static GLogWriterOutput
write_log(GLogLevelFlags level, const GLogField *fields, gsize n_fields, gpointer user_data)
{
    if (g_log_writer_default_would_drop(level, NULL))
        return G_LOG_WRITER_HANDLED;
    return g_log_writer_standard_streams(level, fields, n_fields, NULL);
}

int
main(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;

    /* Nothing but characters: numbers and messages are the same everywhere. An unknown locale is
     * plain ASCII. NOLINTNEXTLINE(concurrency-mt-unsafe) */
    (void) setlocale(LC_CTYPE, "");
    /* A file that has grown to its limit is an error of a write, not the end. */
    (void) signal(SIGXFSZ, SIG_IGN);
    g_log_set_writer_func(write_log, NULL, NULL);
    g_log_writer_default_set_use_stderr(TRUE);
    if (!crypto_start(&error)) {
        g_printerr("sealtape: %s\n", error->message);
        return EXIT_CODE_FAILED;
    }
    return command_line_run(argc, argv);
}
