#include "agent/admin/session_fhir.h"

#include "agent/admin/session_document.h"

typedef struct {
    char *subject, *encounter, *loinc, *url;
} Options;

static void
options_clear(Options *self)
{
    g_free(self->subject);
    g_free(self->encounter);
    g_free(self->loinc);
    g_free(self->url);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Options, options_clear)

/* The auditors are told before anybody has the document. */
static int
print_document(CommandContext *context, const char *session, const SessionDocumentPlace *place)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Recording) recording = command_context_open_recording(context, session, &error);
    g_autoptr(SessionFacts) facts = NULL;
    g_autoptr(AnnotationLog) annotations = NULL;
    const ManifestPart *manifest = NULL;

    if (recording == NULL)
        return command_context_fail(context, g_steal_pointer(&error));
    manifest = recording_manifest(recording);
    facts = session_facts_new(manifest->org, session, manifest, NULL);
    if (!session_document_is_due(facts)) {
        g_printerr("sealtape: %s is %s: a session has a document once it is stored\n", session,
                   facts->state);
        return EXIT_CODE_FAILED;
    }
    annotations = recording_read_annotations(recording, &error);
    if (annotations == NULL ||
        !command_context_audit(context, manifest->org,
                               &(AuditEvent){.kind = AUDIT_CHART_LINKED, .session = session},
                               &error))
        return command_context_fail(context, g_steal_pointer(&error));
    command_context_print_json(session_document_new(facts, annotations->view, place));
    return EXIT_CODE_OK;
}

int
session_fhir_run(CommandContext *context, int argc, char **argv)
{
    g_auto(Options) options = {0};
    g_autoptr(GError) error = NULL;
    const GOptionEntry entries[] = {
        {"subject",   0, 0, G_OPTION_ARG_STRING, &options.subject,   "Whose chart: Patient/ID",  "REF" },
        {"encounter", 0, 0, G_OPTION_ARG_STRING, &options.encounter,
         "Of which encounter: Encounter/ID",                                                     "REF" },
        {"loinc",     0, 0, G_OPTION_ARG_STRING, &options.loinc,     "The type's code in LOINC", "CODE"},
        {"url",       0, 0, G_OPTION_ARG_STRING, &options.url,
         "Where the recording is asked for; https, without secrets in it",                       "URL" },
        G_OPTION_ENTRY_NULL,
    };
    const CommandSyntax syntax = {
        "session fhir",
        "SESSION",
        "Prints a FHIR R4 DocumentReference of a stored session, for the chart it belongs to.\n"
        "It has no names, keys or secrets; the auditors are told.",
        entries,
        1,
        1,
    };
    SessionDocumentPlace place = {0};

    if (!command_context_parse(context, &syntax, &argc, argv))
        return EXIT_CODE_USAGE;
    place = (SessionDocumentPlace){options.subject, options.encounter, options.loinc, options.url};
    if (!session_document_check(&place, &error)) {
        g_printerr("sealtape session fhir: %s\n", error->message);
        return EXIT_CODE_USAGE;
    }
    return print_document(context, argv[1], &place);
}
