#include "agent/admin/commands.h"
#include "agent/admin/terminal.h"
#include "agent/keys/signer_check.h"
#include "storage/session_list.h"

#include <string.h>

typedef struct {
    unsigned n_sessions;
    unsigned n_erased; /* rightly gone: no finding, and no recording either */
    unsigned n_findings;
    unsigned n_failed; /* sessions that could not be read */
    json_t *results;   /* NULL: for a person */
} Report;

static void
on_progress(uint64_t done, uint64_t total, void *user_data)
{
    if (total > 0)
        terminal_progress("verifying", (double) done / (double) total);
}

static json_t *
findings_to_json(const Recording *recording, const GPtrArray *findings, const char *erased)
{
    g_autofree char *resealed = reseal_chain_describe(recording_resealed(recording));
    json_t *list = json_array();

    if (erased != NULL)
        json_array_append_new(list, json_pack("{s:s, s:s}", "code", "erased", "message", erased));

    for (guint i = 0; i < findings->len; i++) {
        const RecordingFinding *finding = findings->pdata[i];

        json_array_append_new(
            list, json_pack("{s:s, s:s}", "code", finding->code, "message", finding->message));
    }
    return json_pack("{s:s, s:b, s:o, s:s*}", "session", recording_manifest(recording)->session,
                     "ok", json_array_size(list) == 0, "findings", list, "resealed", resealed);
}

static void
print_findings(const Recording *recording, const GPtrArray *findings, const char *erased)
{
    const ManifestPart *manifest = recording_manifest(recording);
    g_autofree char *resealed = reseal_chain_describe(recording_resealed(recording));

    if (erased != NULL)
        g_print("%s: %s.\n", manifest->session, erased);
    for (guint i = 0; i < findings->len; i++) {
        const RecordingFinding *finding = findings->pdata[i];

        g_print("%s: %s\n", manifest->session, finding->message);
    }
    if (findings->len > 0) {
        g_print("%s: %u finding%s.\n", manifest->session, findings->len,
                findings->len == 1 ? "" : "s");
    }
    if (resealed != NULL && erased == NULL)
        g_print("%s: %s.\n", manifest->session, resealed);
    if (findings->len > 0 || erased != NULL)
        return;
    g_print("%s: all there, genuine and in order: %u track%s, %u segment%s, %u manifest part%s.\n",
            manifest->session, manifest->tracks->len, manifest->tracks->len == 1 ? "" : "s",
            manifest->segments->len, manifest->segments->len == 1 ? "" : "s", manifest->number,
            manifest->number == 1 ? "" : "s");
}

/* Returns: what is signed of its end, as people read it, owned; NULL: it was not erased, or not
 * wholly: then that is a finding. */
static char *
describe_end(Recording *recording)
{
    g_autoptr(ErasureTrace) trace = recording_read_erasure(recording, NULL);

    if (trace == NULL || trace->stage == ERASURE_STAGE_BEGUN)
        return NULL;
    return erasure_trace_describe(trace);
}

/* Adds to `findings` what its key ring says of who signed it. */
static bool
check_signers(CommandContext *context, const ManifestPart *manifest, GPtrArray *findings,
              GError **error)
{
    g_autoptr(GPtrArray) sentences = signer_check_list(command_context_settings(context, NULL),
                                                       command_context_store(context, NULL),
                                                       manifest->org, manifest->session, error);

    for (guint i = 0; sentences != NULL && i < sentences->len; i++) {
        RecordingFinding *finding = g_new0(RecordingFinding, 1);

        finding->code = g_strdup("manifest-signer");
        finding->message = g_strdup(sentences->pdata[i]);
        g_ptr_array_add(findings, finding);
    }
    return sentences != NULL;
}

static bool
verify_one(CommandContext *context, const char *session, Report *report, GError **error)
{
    g_autoptr(Recording) recording = command_context_open_recording(context, session, error);
    g_autoptr(GPtrArray) findings = NULL;
    g_autofree char *erased = NULL;

    if (recording == NULL)
        return false;
    findings = recording_verify(recording, on_progress, NULL);
    erased = describe_end(recording);
    terminal_progress_end();
    if (erased == NULL && !check_signers(context, recording_manifest(recording), findings, error))
        return false;
    report->n_sessions++;
    report->n_erased += erased != NULL;
    report->n_findings += findings->len;
    if (report->results != NULL) {
        json_array_append_new(report->results, findings_to_json(recording, findings, erased));
    } else {
        print_findings(recording, findings, erased);
    }
    return true;
}

/* Every session that the store has; one that can not be opened does not stop the others. */
static int
verify_all(CommandContext *context, const char *org, Report *report)
{
    g_autoptr(GError) error = NULL;
    ObjectStore *store = command_context_store(context, &error);
    g_autoptr(GPtrArray) names = store != NULL ? session_list_names(store, org, &error) : NULL;
    int status = EXIT_CODE_OK;

    if (names == NULL)
        return command_context_fail(context, g_steal_pointer(&error));
    for (guint i = 0; i < names->len; i++) {
        const SessionName *name = names->pdata[i];

        if (!verify_one(context, name->session, report, &error)) {
            report->n_failed++;
            status = command_context_fail(context, g_steal_pointer(&error));
        }
    }
    return status;
}

static void
print_report(Report *report, bool is_all)
{
    if (report->results == NULL) {
        if (is_all) {
            g_autofree char *erased =
                report->n_erased == 0 ? g_strdup("")
                                      : g_strdup_printf(", %u of them erased", report->n_erased);

            g_print("%u session%s verified%s, %u finding%s.\n", report->n_sessions,
                    report->n_sessions == 1 ? "" : "s", erased, report->n_findings,
                    report->n_findings == 1 ? "" : "s");
        }
    } else if (is_all) {
        command_context_print_json(json_pack("{s:b, s:O}", "ok",
                                             report->n_findings == 0 && report->n_failed == 0,
                                             "sessions", report->results));
    } else if (json_array_size(report->results) == 1) {
        command_context_print_json(json_incref(json_array_get(report->results, 0)));
    }
}

int
verify_command_run(CommandContext *context, int argc, char **argv)
{
    gboolean is_all = FALSE;
    g_autofree char *org = NULL;
    const GOptionEntry entries[] = {
        {"all", 0, 0, G_OPTION_ARG_NONE,   &is_all, "Every session of the store",           NULL},
        {"org", 0, 0, G_OPTION_ARG_STRING, &org,    "With --all: only this organisation's", "ID"},
        G_OPTION_ENTRY_NULL,
    };
    const CommandSyntax syntax = {
        "verify",
        "SESSION | --all",
        "Checks, without any secret key, that a recording is all there, genuine and in order.\n"
        "Exit code 3 if it is not, or was erased; with --all what was erased as it should be is no "
        "fault.",
        entries,
        0,
        1,
    };
    g_autoptr(GError) error = NULL;
    Report report = {0};
    int status = EXIT_CODE_OK;

    if (!command_context_parse(context, &syntax, &argc, argv))
        return EXIT_CODE_USAGE;
    if ((argc == 2) == is_all || (org != NULL && !is_all)) {
        g_printerr("sealtape verify: give either a session or --all, and --org only with --all\n");
        return EXIT_CODE_USAGE;
    }
    report.results = command_context_as_json(context) ? json_array() : NULL;
    if (is_all) {
        status = verify_all(context, org, &report);
    } else if (!verify_one(context, argv[1], &report, &error)) {
        status = command_context_fail(context, g_steal_pointer(&error));
    }
    print_report(&report, is_all);
    json_decref(report.results);
    if (status == EXIT_CODE_OK && (report.n_findings > 0 || (!is_all && report.n_erased > 0)))
        status = EXIT_CODE_FINDINGS;
    return status;
}
