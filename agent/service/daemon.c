#include "agent/service/daemon.h"

#include "agent/service/log_line.h"

#include <errno.h>
#include <gio/gio.h>
#include <glib-unix.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

static GLogWriterOutput
write_line(GLogLevelFlags level, const GLogField *fields, gsize n_fields, gpointer user_data)
{
    g_autofree char *line = log_line_format(level, fields, n_fields, g_get_real_time());
    size_t length = strlen(line);

    /* One write, so that lines of two threads do not mix. A log that can not be written has no
     * other log. */
    return write(STDERR_FILENO, line, length) == (ssize_t) length ? G_LOG_WRITER_HANDLED
                                                                  : G_LOG_WRITER_UNHANDLED;
}

static const char *
domain_of(const GLogField *fields, gsize n_fields)
{
    for (gsize i = 0; i < n_fields; i++) {
        if (g_str_equal(fields[i].key, "GLIB_DOMAIN") && fields[i].length < 0)
            return fields[i].value;
    }
    return NULL;
}

static GLogWriterOutput
write_log(GLogLevelFlags level, const GLogField *fields, gsize n_fields, gpointer user_data)
{
    bool to_journal = GPOINTER_TO_INT(user_data);

    /* The journal also keeps the progress of segments and uploads, and filters when it is read. */
    if (!(to_journal && level == G_LOG_LEVEL_INFO) &&
        g_log_writer_default_would_drop(level, domain_of(fields, n_fields)))
        return G_LOG_WRITER_HANDLED;
    if (to_journal && g_log_writer_journald(level, fields, n_fields, NULL) == G_LOG_WRITER_HANDLED)
        return G_LOG_WRITER_HANDLED;
    return write_line(level, fields, n_fields, NULL);
}

void
daemon_log_start(void)
{
    gboolean to_journal = g_log_writer_is_journald(STDERR_FILENO);

    g_log_set_writer_func(write_log, GINT_TO_POINTER(to_journal), NULL);
}

bool
daemon_allow_files(unsigned n_files, GError **error)
{
    struct rlimit limit = {0};

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        if (limit.rlim_cur >= n_files)
            return true;
        if (limit.rlim_max < n_files) {
            g_set_error(error, G_IO_ERROR, G_IO_ERROR_TOO_MANY_OPEN_FILES,
                        "%u files may have to be open at once, and the limit is %" G_GUINT64_FORMAT
                        " (RLIMIT_NOFILE; LimitNOFILE= of a unit, ulimit -n of a shell)",
                        n_files, (uint64_t) limit.rlim_max);
            return false;
        }
        limit.rlim_cur = n_files;
        if (setrlimit(RLIMIT_NOFILE, &limit) == 0)
            return true;
    }
    g_set_error(error, G_IO_ERROR, (int) g_io_error_from_errno(errno),
                "cannot raise the limit of open files to %u: %s", n_files, g_strerror(errno));
    return false;
}

void
daemon_notify_stopping(void)
{
    (void) sd_notify(0, "STOPPING=1");
}

typedef struct {
    void (*on_stop)(void *user_data);
    void *user_data;
    bool is_stopping;
} StopRequest;

static gboolean
on_signal(gpointer user_data)
{
    StopRequest *request = user_data;

    if (!request->is_stopping) {
        request->is_stopping = true;
        request->on_stop(request->user_data);
    }
    return G_SOURCE_CONTINUE; /* stays caught: a second signal must not kill a stop that finishes
                                 sessions */
}

void
daemon_run(GMainLoop *loop, const char *status, void (*on_stop)(void *user_data), void *user_data)
{
    StopRequest request = {on_stop, user_data, false};
    guint sigterm = g_unix_signal_add(SIGTERM, on_signal, &request);
    guint sigint = g_unix_signal_add(SIGINT, on_signal, &request);

    /* Not before: who is told may have a reason to stop it at once. Nobody listening is normal. */
    (void) sd_notifyf(0, "READY=1\nSTATUS=%s", status);
    g_main_loop_run(loop);
    g_source_remove(sigterm);
    g_source_remove(sigint);
}
