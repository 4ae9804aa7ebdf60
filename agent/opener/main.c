#include "agent/media/media_format.h"
#include "agent/opener/access_api.h"
#include "agent/opener/opener.h"
#include "agent/service/daemon.h"
#include "agent/service/heap.h"
#include "agent/service/http_tls.h"
#include "config/settings.h"
#include "crypto/crypto_error.h"

#include <glib-unix.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

/* sealtape-accessd, the opener. */

#define DEFAULT_CONFIG "/etc/sealtape/sealtape.conf"
#define STOP_POLL_MS   20
/* Each stream has a connection, and reads an object. */
#define FILES_PER_STREAM 4
#define FILES_BESIDES    1024
#define HANDSHAKE_MS     10000

typedef struct {
    GMainLoop *loop;
    Opener *opener;
} Daemon;

static gboolean
on_stop_poll(gpointer user_data)
{
    const Daemon *daemon = user_data;

    if (!opener_is_idle(daemon->opener))
        return G_SOURCE_CONTINUE;
    g_main_loop_quit(daemon->loop);
    return G_SOURCE_REMOVE;
}

static void
on_stop(void *user_data)
{
    Daemon *daemon = user_data;

    g_message("stopping: grants end");
    daemon_notify_stopping();
    opener_stop(daemon->opener);
    g_timeout_add(STOP_POLL_MS, on_stop_poll, daemon);
}

static gboolean
on_reload(gpointer user_data)
{
    g_autoptr(GError) error = NULL;

    if (opener_reload(user_data, &error)) {
        g_message("settings read again");
    } else {
        g_warning("the settings are not changed: %s", error->message);
    }
    return G_SOURCE_CONTINUE;
}

/* Returns: false sets `error`; `tls`: NULL if there is none. */
static bool
listen_tls(HttpService *service, const AccessSettings *access, HttpTls **tls, GError **error)
{
    const HttpTlsOptions options = {
        .certificate_path = access->tls_certificate_path,
        .key_path = access->tls_key_path,
        .client_ca_path = access->tls_client_ca_path,
        .handshake_ms = HANDSHAKE_MS,
    };
    g_autoptr(GSocket) listening = NULL;

    if (access->tls_address == NULL)
        return true;
    listening = http_tls_listen(access->tls_address, error);
    *tls = listening != NULL ? http_tls_new(service, listening, &options, error) : NULL;
    if (*tls != NULL) {
        g_message("access API on %s (TLS)", access->tls_address);
        return true;
    }
    g_prefix_error(error, "access.tls: ");
    return false;
}

static bool
run(Opener *opener, GError **error)
{
    const AccessSettings *access = opener->settings->access;
    g_autoptr(GMainLoop) loop = g_main_loop_new(NULL, FALSE);
    g_autoptr(HttpService) service = access_api_new(opener, error);
    g_autoptr(HttpTls) tls = NULL; /* ends before the service */
    guint reload = 0;

    if (service == NULL || !listen_tls(service, access, &tls, error))
        return false;
    reload = g_unix_signal_add(SIGHUP, on_reload, opener);
    g_message("ready: access API on %s", access->socket_path);
    daemon_run(loop, "opening", on_stop, &(Daemon){loop, opener});
    g_source_remove(reload);
    return true;
}

static bool
serve(const char *config, GError **error)
{
    g_autoptr(Settings) settings = settings_load(config, error);
    g_autoptr(Opener) opener = NULL;

    if (settings == NULL)
        return false;
    if (settings->access == NULL) {
        g_set_error(error, CONFIG_ERROR, CONFIG_ERROR_INVALID,
                    "%s: access: is missing, and says what the opener is", settings->path);
        return false;
    }
    if (!daemon_allow_files(settings->access->max_streams * FILES_PER_STREAM + FILES_BESIDES,
                            error))
        return false;
    opener = opener_new(g_steal_pointer(&settings), error);
    if (opener == NULL || !run(opener, error))
        return false;
    g_message("stopped");
    return true;
}

static int
fail(const GError *error)
{
    (void) fprintf(stderr, "sealtape-accessd: %s\n", error->message); /* nowhere left to tell */
    return EXIT_FAILURE;
}

int
main(int argc, char **argv)
{
    g_autofree char *config = NULL;
    gboolean wants_version = FALSE;
    const GOptionEntry entries[] = {
        {"config",  'c', 0, G_OPTION_ARG_FILENAME, &config,        "Settings (" DEFAULT_CONFIG ")", "FILE"},
        {"version", 0,   0, G_OPTION_ARG_NONE,     &wants_version, "Print the version",             NULL  },
        G_OPTION_ENTRY_NULL,
    };
    g_autoptr(GOptionContext) context = g_option_context_new(NULL);
    g_autoptr(GError) error = NULL;

    g_option_context_set_summary(context,
                                 "Opens recordings for those who may, and leaves a record first.");
    g_option_context_add_main_entries(context, entries, NULL);
    if (!g_option_context_parse(context, &argc, &argv, &error)) {
        (void) fail(error);
        return 2;
    }
    if (wants_version) {
        (void) puts("sealtape-accessd " SEALTAPE_VERSION);
        return EXIT_SUCCESS;
    }
    if (argc > 1) {
        (void) fprintf(stderr, "sealtape-accessd: %s: takes no arguments but options\n", argv[1]);
        return 2;
    }
    /* A reader who leaves is an error of the write, not the end of the service. */
    (void) signal(SIGPIPE, SIG_IGN);
    /* And so is a log that may not grow: nothing opens then, and that has to be told. */
    (void) signal(SIGXFSZ, SIG_IGN);
    heap_start();
    daemon_log_start();
    if (!crypto_start(&error) || !media_start(&error) ||
        !serve(config != NULL ? config : DEFAULT_CONFIG, &error))
        return fail(error);
    return EXIT_SUCCESS;
}
