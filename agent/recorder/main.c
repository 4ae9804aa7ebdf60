#include "agent/media/media_format.h"
#include "agent/recorder/control_api.h"
#include "agent/recorder/recorder.h"
#include "agent/recorder/store_probe.h"
#include "agent/service/daemon.h"
#include "agent/service/heap.h"
#include "config/host_needs.h"
#include "config/settings.h"
#include "crypto/crypto_error.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* sealtaped, the recorder. */

#define DEFAULT_CONFIG "/etc/sealtape/sealtape.conf"

typedef struct {
    GMainLoop *loop;
    Recorder *recorder;
} Daemon;

static void
on_stopped(void *user_data)
{
    const Daemon *daemon = user_data;

    g_main_loop_quit(daemon->loop);
}

static void
on_stop(void *user_data)
{
    Daemon *daemon = user_data;

    g_message("stopping: sessions are being finished");
    daemon_notify_stopping();
    recorder_stop(daemon->recorder, on_stopped, daemon);
}

static bool
allow_files(const Settings *settings, GError **error)
{
    const unsigned n_files = settings->max_tracks * HOST_FILES_PER_TRACK + HOST_FILES_BESIDES;

    if (daemon_allow_files(n_files, error))
        return true;
    g_prefix_error(error, "recorder.max_tracks is %u: ", settings->max_tracks);
    return false;
}

static bool
serve(const char *config, GError **error)
{
    g_autoptr(Settings) settings = settings_load(config, error);
    g_autoptr(Recorder) recorder = NULL;
    g_autoptr(HttpService) service = NULL;
    g_autoptr(GMainLoop) loop = g_main_loop_new(NULL, FALSE);
    StoreProbe *probe = NULL;
    guint tending = 0;

    if (settings == NULL || !allow_files(settings, error))
        return false;
    recorder = recorder_new(settings, error);
    if (recorder == NULL)
        return false;
    service = control_api_new(recorder, settings->socket_path, error);
    if (service == NULL)
        return false;
    g_message("ready: control API on %s", settings->socket_path);
    probe = store_probe_start(&settings->store, recorder_audit(recorder));
    tending = heap_tend();
    daemon_run(loop, "recording", on_stop, &(Daemon){loop, recorder});
    g_source_remove(tending);
    store_probe_free(probe);
    g_message("stopped");
    return true;
}

static int
fail(const GError *error)
{
    (void) fprintf(stderr, "sealtaped: %s\n", error->message); /* nowhere left to report to */
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
                                 "Records telehealth sessions, sealed before they touch a disk.");
    g_option_context_add_main_entries(context, entries, NULL);
    if (!g_option_context_parse(context, &argc, &argv, &error)) {
        (void) fail(error);
        return 2;
    }
    if (wants_version) {
        (void) puts("sealtaped " SEALTAPE_VERSION);
        return EXIT_SUCCESS;
    }
    if (argc > 1) {
        (void) fprintf(stderr, "sealtaped: %s: takes no arguments but options\n", argv[1]);
        return 2;
    }
    /* A file that may not grow is an error of the write, not the end of every call. */
    (void) signal(SIGXFSZ, SIG_IGN);
    heap_start();
    daemon_log_start();
    if (!crypto_start(&error) || !media_start(&error) ||
        !serve(config != NULL ? config : DEFAULT_CONFIG, &error))
        return fail(error);
    return EXIT_SUCCESS;
}
