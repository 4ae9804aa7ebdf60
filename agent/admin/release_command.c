#include "agent/admin/release_command.h"

#include "agent/admin/custody.h"

#include <string.h>

/* Lets a session's clients have it, where the organisation releases by hand, or no longer. The
 * order: the decision, its record, the signed annotation. The opener reads the annotation at each
 * decision, so that what is being streamed ends within a second of a withdrawal. */

typedef struct {
    const char *session;
    const char *participant; /* NULL: all its clients */
    bool is_withdrawn;
} Release;

static bool
release(const Custody *custody, const Release *wanted, const AnnotationLog *log, GError **error)
{
    const AuditEvent event = {.kind =
                                  wanted->is_withdrawn ? AUDIT_RELEASE_WITHDRAWN : AUDIT_RELEASED,
                              .participant = wanted->participant};
    g_autoptr(Annotation) next =
        annotation_new(log->org, log->session,
                       wanted->is_withdrawn ? ANNOTATION_RELEASE_WITHDRAWN : ANNOTATION_RELEASED);

    annotation_set(next, ANNOTATION_PARTICIPANT, wanted->participant);
    return custody_annotate(custody, next, event, error);
}

/* Somebody without media may be in the session too, so this is only said. */
static void
warn_of_stranger(CommandContext *context, const Release *wanted)
{
    g_autoptr(Recording) recording = command_context_open_recording(context, wanted->session, NULL);
    const ManifestPart *manifest = recording != NULL ? recording_manifest(recording) : NULL;

    if (manifest == NULL || wanted->participant == NULL)
        return;
    for (guint i = 0; i < manifest->tracks->len; i++) {
        const ManifestTrack *track = manifest->tracks->pdata[i];

        if (g_strcmp0(track->participant, wanted->participant) == 0)
            return;
    }
    g_printerr("sealtape: warning: nothing was recorded of a participant %s\n",
               wanted->participant);
}

static int
run(CommandContext *context, const Release *wanted)
{
    g_auto(Custody) custody = {0};
    g_autoptr(GError) error = NULL;
    g_autoptr(AnnotationLog) log = NULL;

    if (custody_open(&custody, context, &error))
        log = custody_read(&custody, wanted->session, &error);
    if (log == NULL || !release(&custody, wanted, log, &error))
        return command_context_fail(context, g_steal_pointer(&error));
    warn_of_stranger(context, wanted);
    if (command_context_as_json(context)) {
        command_context_print_json(json_pack("{s:s, s:b, s:s?}", "session", wanted->session,
                                             "released", !wanted->is_withdrawn, "participant",
                                             wanted->participant));
    } else {
        g_print("%s: %s to %s.\n", wanted->session,
                wanted->is_withdrawn ? "no longer released" : "released",
                wanted->participant != NULL ? wanted->participant : "its clients");
    }
    return EXIT_CODE_OK;
}

int
release_command_run(CommandContext *context, int argc, char **argv)
{
    const bool is_withdrawn = strcmp(argv[0], "unrelease") == 0;
    g_autofree char *participant = NULL;
    const GOptionEntry entries[] = {
        {"participant", 0, 0, G_OPTION_ARG_STRING, &participant, "This client alone", "ID"},
        G_OPTION_ENTRY_NULL,
    };
    const CommandSyntax syntax = {
        is_withdrawn ? "session unrelease" : "session release",
        "SESSION [--participant ID]",
        is_withdrawn ? "Takes back what was released; what a client is being sent ends at once."
                     : "Lets the session's clients have it, where the organisation releases by "
                       "hand.",
        entries,
        1,
        1};

    if (!command_context_parse(context, &syntax, &argc, argv))
        return EXIT_CODE_USAGE;
    return run(context, &(Release){argv[1], participant, is_withdrawn});
}
