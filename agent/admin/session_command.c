#include "agent/admin/annotation_facts.h"
#include "agent/admin/commands.h"
#include "agent/admin/recorder_client.h"
#include "agent/admin/release_command.h"
#include "agent/admin/session_facts.h"
#include "agent/admin/session_fhir.h"
#include "agent/admin/session_listing.h"
#include "agent/admin/session_picture.h"
#include "agent/admin/terminal.h"
#include "agent/admin/time_text.h"

#include <string.h>

/* What was written on the command line. */
typedef struct {
    char *org, *state, *since, *until, *after;
    int limit;
} ListOptions;

static bool
read_moment(const char *option, const char *text, int64_t *moment_us)
{
    if (text == NULL || time_text_parse_moment(text, g_get_real_time(), moment_us))
        return true;
    g_printerr("sealtape session list: --%s: `%s` is no time; write 2026-11-21, "
               "2026-11-21T17:00:00Z, or 24h, 7d for so long ago\n",
               option, text);
    return false;
}

static bool
is_state(const char *text)
{
    static const char *const states[] = {
        "open",         "stored", "incomplete",  "recording", "paused", "finalising",
        "not-recorded", "failed", "quarantined", "erased",    NULL};
    g_autofree char *all = NULL;

    if (text == NULL || g_strv_contains(states, text))
        return true;
    all = g_strjoinv(", ", (char **) states);
    g_printerr("sealtape session list: --state: `%s` is none of %s\n", text, all);
    return false;
}

static bool
read_options(const ListOptions *options, SessionListing *wanted)
{
    if (options->limit < 0) {
        g_printerr("sealtape session list: --limit: %d is less than 0\n", options->limit);
        return false;
    }
    *wanted = (SessionListing){
        .org = options->org,
        .state = options->state,
        .after = options->after,
        .limit = (uint32_t) options->limit,
    };
    return is_state(options->state) && read_moment("since", options->since, &wanted->since_us) &&
           read_moment("until", options->until, &wanted->until_us);
}

static int
list(CommandContext *context, const ListOptions *options)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *more = NULL;
    SessionListing wanted = {0};
    json_t *rows = NULL;

    if (!read_options(options, &wanted))
        return EXIT_CODE_USAGE;
    rows = session_listing_make(context, &wanted, &more, &error);
    if (rows == NULL)
        return command_context_fail(context, g_steal_pointer(&error));
    if (command_context_as_json(context)) {
        command_context_print_json(json_pack("{s:o, s:s?}", "sessions", rows, "more", more));
        return EXIT_CODE_OK;
    }
    session_picture_print_list(rows);
    if (more != NULL)
        g_print("There are more: --after %s\n", more);
    json_decref(rows);
    return EXIT_CODE_OK;
}

static void
list_options_clear(ListOptions *self)
{
    g_free(self->org);
    g_free(self->state);
    g_free(self->since);
    g_free(self->until);
    g_free(self->after);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(ListOptions, list_options_clear)

static int
run_list(CommandContext *context, int argc, char **argv)
{
    g_auto(ListOptions) options = {0};
    const GOptionEntry entries[] = {
        {"org",   0, 0, G_OPTION_ARG_STRING, &options.org,   "Only this organisation's",      "ID"     },
        {"state", 0, 0, G_OPTION_ARG_STRING, &options.state, "Only those in this state",      "STATE"  },
        {"since", 0, 0, G_OPTION_ARG_STRING, &options.since, "Only those made then or later",
         "TIME"                                                                                        },
        {"until", 0, 0, G_OPTION_ARG_STRING, &options.until, "Only those made before",        "TIME"   },
        {"limit", 0, 0, G_OPTION_ARG_INT,    &options.limit, "At most so many; 0: all",       "N"      },
        {"after", 0, 0, G_OPTION_ARG_STRING, &options.after,
         "Go on behind this session: the last one of the page before",                        "SESSION"},
        G_OPTION_ENTRY_NULL,
    };
    const CommandSyntax syntax = {
        "session list", "", "Lists sessions, newest first, and what became of them.",
        entries,        0,  0};

    if (!command_context_parse(context, &syntax, &argc, argv))
        return EXIT_CODE_USAGE;
    return list(context, &options);
}

static int
show(CommandContext *context, const char *session, bool is_ascii)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Recording) recording = NULL;
    g_autoptr(SessionFacts) facts = NULL;
    g_autoptr(AnnotationLog) annotations = NULL;
    g_autoptr(ErasureTrace) trace = NULL;
    g_autoptr(GError) fault = NULL; /* of the annotations: all else is still worth a look */
    g_autofree char *path = g_strconcat("/v1/sessions/", session, NULL);
    json_t *live = NULL;

    recording = command_context_open_recording(context, session, &error);
    if (recording == NULL)
        return command_context_fail(context, g_steal_pointer(&error));
    annotations = recording_read_annotations(recording, &fault);
    live = recorder_client_get(context, path);
    facts = session_facts_new(recording_manifest(recording)->org, session,
                              recording_manifest(recording), live);
    json_decref(live);
    trace = recording_read_erasure(recording, NULL); /* one in doubt is `verify`'s to tell */
    session_facts_mark_erased(facts, trace);
    if (command_context_as_json(context)) {
        json_t *form = session_facts_to_json(facts);

        json_object_set_new(form, "annotations",
                            annotations != NULL ? annotation_facts_to_json(annotations)
                                                : json_pack("{s:s}", "error", fault->message));
        command_context_print_json(form);
    } else {
        session_picture_print(facts, terminal_width(), is_ascii);
        if (annotations != NULL) {
            annotation_facts_print(annotations);
        } else {
            g_print("annotations   can not be believed: %s\n", fault->message);
        }
    }
    return EXIT_CODE_OK;
}

static int
run_show(CommandContext *context, int argc, char **argv)
{
    gboolean is_ascii = FALSE;
    const GOptionEntry entries[] = {
        {"ascii", 0, 0, G_OPTION_ARG_NONE, &is_ascii, "Draw with plain ASCII", NULL},
        G_OPTION_ENTRY_NULL,
    };
    const CommandSyntax syntax = {
        "session show",
        "SESSION",
        "Shows one session: its tracks, drawn on the timeline, with every gap.",
        entries,
        1,
        1};

    if (!command_context_parse(context, &syntax, &argc, argv))
        return EXIT_CODE_USAGE;
    return show(context, argv[1], is_ascii || !terminal_is_utf8());
}

int
session_command_run(CommandContext *context, int argc, char **argv)
{
    static const CommandSyntax syntax = {
        "session",
        "list | show SESSION | release SESSION | unrelease SESSION | fhir SESSION",
        "Lists sessions, shows one, lets its clients have it, or makes a document of it for the\n"
        "chart. `sealtape session list --help` says more.",
        NULL,
        1,
        1};

    if (argc > 1 && strcmp(argv[1], "list") == 0)
        return run_list(context, argc - 1, argv + 1);
    if (argc > 1 && strcmp(argv[1], "show") == 0)
        return run_show(context, argc - 1, argv + 1);
    if (argc > 1 && (strcmp(argv[1], "release") == 0 || strcmp(argv[1], "unrelease") == 0))
        return release_command_run(context, argc - 1, argv + 1);
    if (argc > 1 && strcmp(argv[1], "fhir") == 0)
        return session_fhir_run(context, argc - 1, argv + 1);
    if (command_context_parse(context, &syntax, &argc, argv)) {
        g_printerr("sealtape session: `%s` is none of list, show, release, unrelease and fhir\n",
                   argv[1]);
    }
    return EXIT_CODE_USAGE;
}
