#include "agent/admin/commands.h"
#include "agent/admin/custody.h"
#include "agent/admin/erase_many.h"
#include "agent/admin/erase_run.h"
#include "storage/erasure_note.h"
#include "storage/recording.h"

#include <string.h>

/* Two people: one requests, another approves. The approval runs it. */

typedef struct {
    gboolean is_request, is_approval, is_withdrawal, is_certificate;
    char *reason;
    gboolean is_all;
    char *org, *client, *exported; /* of many */
    char **identities;
} EraseOptions;

static void
erase_options_clear(EraseOptions *self)
{
    g_free(self->reason);
    g_free(self->org);
    g_free(self->client);
    g_free(self->exported);
    g_strfreev(self->identities);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(EraseOptions, erase_options_clear)

static int
annotate(CommandContext *context, const Custody *custody, const AnnotationLog *log,
         AnnotationKind kind, const char *reason)
{
    g_autoptr(Annotation) next = annotation_new(log->org, log->session, kind);
    g_autofree char *request = g_strdup_printf("%u", log->view->request);
    g_autoptr(GError) error = NULL;
    AuditEvent event = {.kind = AUDIT_ERASURE_REQUESTED, .reason = reason};

    if (kind == ANNOTATION_ERASURE_REQUESTED) {
        annotation_set(next, ANNOTATION_REASON, reason);
    } else {
        annotation_set(next, ANNOTATION_REQUEST, request);
        event.detail = kind == ANNOTATION_ERASURE_WITHDRAWN ? "withdrawn" : NULL;
        event.approver = kind == ANNOTATION_ERASURE_APPROVED ? custody->by : NULL;
        event.kind =
            kind == ANNOTATION_ERASURE_APPROVED ? AUDIT_ERASURE_APPROVED : AUDIT_ERASURE_REQUESTED;
    }
    if (!custody_annotate(custody, next, event, &error))
        return command_context_fail(context, g_steal_pointer(&error));
    if (!command_context_as_json(context))
        g_print("%s: %s, number %u.\n", log->session, annotation_kind_name(kind), next->number);
    return EXIT_CODE_OK;
}

/* Runs what two people want, or what has begun. */
static int
finish(CommandContext *context, const Custody *custody, const char *session)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(AnnotationLog) log = custody_read(custody, session, &error);
    g_auto(ErasureResult) result = {0};
    ErasureOrder order;

    if (log == NULL)
        return command_context_fail(context, g_steal_pointer(&error));
    if (log->view->approved_by == NULL && !log->view->is_erasing) {
        g_printerr("sealtape erase: %s: it takes a request (--request) by one person and an "
                   "approval (--approve) by another\n",
                   session);
        return EXIT_CODE_FAILED;
    }
    order = custody_order(custody, log->org, session);
    order.reason = log->view->request_reason != NULL ? log->view->request_reason : "resumed";
    order.request = log->view->request;
    order.requested = log->view->requested_by;
    order.approved = log->view->approved_by;
    order.begun_at_unix_s = log->view->begun_at_unix_s;
    if (!erase_run(custody, &order, &result, &error))
        return command_context_fail(context, g_steal_pointer(&error));
    erase_run_tell_catalogue(custody, log->org);
    erase_run_print(context, session, &result);
    return EXIT_CODE_OK;
}

static int
show_certificate(CommandContext *context, const Custody *custody, const char *session)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *org = recording_find_org(custody->store, session, &error);
    ErasureOrder order = {0};
    g_autoptr(GPtrArray) read = NULL;
    g_autofree char *text = NULL;

    if (org != NULL) {
        order = custody_order(custody, org, session);
        read = erasure_read_notes(&order, NULL, &error);
    }
    if (read == NULL)
        return command_context_fail(context, g_steal_pointer(&error));
    if (read->len < 2) {
        g_printerr("sealtape erase: %s: %s\n", session,
                   read->len == 0 ? "nobody has erased it" : "its erasure has begun, not ended");
        return EXIT_CODE_FAILED;
    }
    text = erasure_note_to_text(read->pdata[read->len - 1]);
    g_print("%s", text);
    return EXIT_CODE_OK;
}

static int
run(CommandContext *context, const EraseOptions *options, const char *session)
{
    g_auto(Custody) custody = {0};
    g_autoptr(GError) error = NULL;
    g_autoptr(AnnotationLog) log = NULL;
    int status = EXIT_CODE_OK;

    if (!custody_open(&custody, context, &error))
        return command_context_fail(context, g_steal_pointer(&error));
    if (options->is_certificate)
        return show_certificate(context, &custody, session);
    log = custody_read(&custody, session, &error);
    if (log == NULL)
        return command_context_fail(context, g_steal_pointer(&error));
    if (options->is_request) {
        return annotate(context, &custody, log, ANNOTATION_ERASURE_REQUESTED,
                        options->reason != NULL ? options->reason : "client-request");
    }
    if (options->is_withdrawal)
        return annotate(context, &custody, log, ANNOTATION_ERASURE_WITHDRAWN, NULL);
    if (options->is_approval)
        status = annotate(context, &custody, log, ANNOTATION_ERASURE_APPROVED, NULL);
    return status == EXIT_CODE_OK ? finish(context, &custody, session) : status;
}

/* Returns: what is wrong; NULL: nothing. */
static const char *
fault_of_many(const EraseOptions *options)
{
    if (options->is_all && options->client != NULL)
        return "only one of --client and --all";
    if (options->org == NULL)
        return "--client and --all need --org ID";
    if (options->client != NULL && options->identities == NULL)
        return "--client needs --identity FILE: who was in a session stands sealed in its metadata";
    if (options->is_all && options->exported == NULL)
        return "--all needs --exported DIR: the folder that `sealtape offboard` has written";
    if (options->is_withdrawal || options->is_certificate)
        return "--withdraw and --certificate are for one session";
    return NULL;
}

/* Of a client, or all of an organisation. */
static int
run_many(CommandContext *context, const EraseOptions *options)
{
    const char *fault = fault_of_many(options);
    EraseMany many = {
        .act = options->is_request ? ERASE_MANY_REQUEST : ERASE_MANY_LIST,
        .org = options->org,
        .client = options->client,
        .identities = options->identities,
        .exported = options->exported,
        .reason = options->is_all ? "offboarding" : "client-request",
    };

    if (fault != NULL) {
        g_printerr("sealtape erase: %s\n", fault);
        return EXIT_CODE_USAGE;
    }
    if (options->is_approval)
        many.act = ERASE_MANY_APPROVE;
    if (options->reason != NULL)
        many.reason = options->reason;
    return erase_many_run(context, &many);
}

int
erase_command_run(CommandContext *context, int argc, char **argv)
{
    g_auto(EraseOptions) options = {0};
    const GOptionEntry entries[] = {
        {"request",     0,   0, G_OPTION_ARG_NONE,           &options.is_request,
         "Asks for it; another person must approve",                                                          NULL  },
        {"approve",     0,   0, G_OPTION_ARG_NONE,           &options.is_approval,
         "Approves what another requested, and erases",                                                       NULL  },
        {"withdraw",    0,   0, G_OPTION_ARG_NONE,           &options.is_withdrawal,  "Takes a request back", NULL  },
        {"reason",      0,   0, G_OPTION_ARG_STRING,         &options.reason,
         "With --request: why, in one word of a-z and '-' (client-request)",                                  "WORD"},
        {"certificate", 0,   0, G_OPTION_ARG_NONE,           &options.is_certificate,
         "Checks and prints the certificate",                                                                 NULL  },
        {"client",      0,   0, G_OPTION_ARG_STRING,         &options.client,
         "Instead of SESSION: all of this subject or pseudonym",                                              "REF" },
        {"identity",    'i', 0, G_OPTION_ARG_FILENAME_ARRAY, &options.identities,
         "With --client: opens the metadata",                                                                 "FILE"},
        {"all",         0,   0, G_OPTION_ARG_NONE,           &options.is_all,
         "Instead of SESSION: all of an organisation",                                                        NULL  },
        {"exported",    0,   0, G_OPTION_ARG_FILENAME,       &options.exported,
         "With --all: only what `offboard` wrote there",                                                      "DIR" },
        {"org",         0,   0, G_OPTION_ARG_STRING,         &options.org,
         "With --client and --all: the organisation",                                                         "ID"  },
        G_OPTION_ENTRY_NULL,
    };
    const CommandSyntax syntax = {
        "erase",
        "SESSION | --client REF | --all  [--request [--reason WORD] | --approve | --withdraw | "
        "--certificate]",
        "Destroys every copy of a recording's keys, then its bytes, and signs a certificate. It "
        "takes two\npeople. Without an option it goes on with what was approved or has begun.",
        entries,
        0,
        1};
    int n_chosen = 0;

    if (!command_context_parse(context, &syntax, &argc, argv))
        return EXIT_CODE_USAGE;
    n_chosen =
        options.is_request + options.is_approval + options.is_withdrawal + options.is_certificate;
    if (n_chosen > 1) {
        g_printerr("sealtape erase: only one of --request, --approve, --withdraw, --certificate\n");
        return EXIT_CODE_USAGE;
    }
    if ((argc == 2) == (options.is_all || options.client != NULL)) {
        g_printerr("sealtape erase: give one of SESSION, --client REF and --all\n");
        return EXIT_CODE_USAGE;
    }
    return argc == 2 ? run(context, &options, argv[1]) : run_many(context, &options);
}
