#include "agent/admin/audit_disclosures.h"
#include "agent/admin/audit_export.h"
#include "agent/admin/audit_feed.h"
#include "agent/admin/audit_filter.h"
#include "agent/admin/audit_keygen.h"
#include "agent/admin/audit_prove.h"
#include "agent/admin/audit_show.h"
#include "agent/admin/audit_sources.h"
#include "agent/admin/commands.h"
#include "agent/keys/signer_check.h"

#include <string.h>

static json_t *
verdict_to_json(const AuditSource *source, const AuditVerdict *verdict)
{
    json_t *findings = json_array();

    for (guint i = 0; i < verdict->findings->len; i++)
        json_array_append_new(findings, json_string(verdict->findings->pdata[i]));
    return json_pack("{s:s, s:s, s:b, s:I, s:I, s:I, s:i, s:o}", "org", source->org, "origin",
                     source->word, "ok", verdict->findings->len == 0, "records",
                     (json_int_t) verdict->n_records, "signed", (json_int_t) verdict->n_signed,
                     "anchored", (json_int_t) verdict->n_anchored, "checkpoints",
                     (int) verdict->n_notes, "findings", findings);
}

static void
print_verdict(const AuditSource *source, const AuditVerdict *verdict)
{
    const uint64_t n_tail = verdict->n_records - MIN(verdict->n_records, verdict->n_anchored);

    for (guint i = 0; i < verdict->findings->len; i++)
        g_print("%s %s: %s\n", source->org, source->word, (char *) verdict->findings->pdata[i]);
    g_print("%s %s: %" G_GUINT64_FORMAT " records, %" G_GUINT64_FORMAT " signed, %" G_GUINT64_FORMAT
            " vouched for by the store (%u checkpoints)%s\n",
            source->org, source->word, verdict->n_records, verdict->n_signed, verdict->n_anchored,
            verdict->n_notes, verdict->findings->len == 0 ? ": nothing wrong" : "");
    if (n_tail > 0) {
        g_print("%s %s: the last %" G_GUINT64_FORMAT
                " could still be cut off unnoticed: no checkpoint of them is in the store yet\n",
                source->org, source->word, n_tail);
    }
}

/* Adds what the key ring says of those who signed it. */
static void
check_signers(CommandContext *context, const AuditSource *source, GPtrArray *findings)
{
    const Settings *settings = command_context_settings(context, NULL);
    g_autoptr(GError) error = NULL;
    g_autoptr(SignerTrust) trust = signer_check_trust(settings, source->org, &error);

    if (error != NULL)
        g_ptr_array_add(findings, g_strdup_printf("the key ring: %s", error->message));
    for (guint i = 0; trust != NULL && i < source->notes->len; i++) {
        const AuditNote *note = source->notes->pdata[i];
        g_autofree char *why = signer_trust_check_checkpoint(trust, note->note);

        if (why != NULL)
            g_ptr_array_add(findings, g_strdup_printf("%s: %s", note->name, why));
    }
}

static AuditVerdict *
verify_one(CommandContext *context, const AuditSource *source)
{
    const AuditEvidence evidence = {source->origin == NULL ? source->word : source->origin,
                                    source->content, source->notes, source->verifiers};
    AuditVerdict *verdict = audit_check(&evidence);

    check_signers(context, source, verdict->findings);
    if (source->origin == NULL) {
        g_ptr_array_add(
            verdict->findings,
            g_strdup("no program of that name is trusted by the settings: add its verifier key to "
                     "trusted_recorders, trusted_openers or trusted_admins"));
    }
    if (source->fault != NULL) {
        g_ptr_array_add(
            verdict->findings,
            g_strdup_printf("the store can not be asked for its checkpoints: %s", source->fault));
    }
    return verdict;
}

static int
run_verify(CommandContext *context, int argc, char **argv)
{
    g_autofree char *org = NULL;
    const GOptionEntry entries[] = {
        {"org", 0, 0, G_OPTION_ARG_STRING, &org, "Only this organisation's", "ID"},
        G_OPTION_ENTRY_NULL,
    };
    const CommandSyntax syntax = {
        "audit verify",
        "",
        "Holds this host's audit logs against every checkpoint that was signed of them, here and "
        "in\n"
        "the store. Exit code 3 if one was edited, cut, forked or put back.",
        entries,
        0,
        0,
    };
    g_autoptr(GError) error = NULL;
    g_autoptr(AuditSources) sources = NULL;
    json_t *rows = NULL;
    unsigned n_findings = 0;

    if (!command_context_parse(context, &syntax, &argc, argv))
        return EXIT_CODE_USAGE;
    sources = audit_sources_load(context, org, true, &error);
    if (sources == NULL)
        return command_context_fail(context, g_steal_pointer(&error));
    rows = json_array();
    for (guint i = 0; i < sources->logs->len; i++) {
        g_autoptr(AuditVerdict) verdict = verify_one(context, sources->logs->pdata[i]);

        n_findings += verdict->findings->len;
        json_array_append_new(rows, verdict_to_json(sources->logs->pdata[i], verdict));
        if (!command_context_as_json(context))
            print_verdict(sources->logs->pdata[i], verdict);
    }
    if (command_context_as_json(context)) {
        command_context_print_json(json_pack("{s:b, s:O}", "ok", n_findings == 0, "logs", rows));
    } else if (sources->logs->len == 0) {
        g_print("There is no audit log on this host yet.\n");
    }
    json_decref(rows);
    /* Last, so that a log is verified as it was found; and one that takes no record is verified all
     * the same. */
    if (!audit_filter_tell(context, sources, "verify", &(AuditFilter){0}, &error))
        g_printerr("sealtape audit verify: not noted: %s\n", error->message);
    return n_findings == 0 ? EXIT_CODE_OK : EXIT_CODE_FINDINGS;
}

int
audit_command_run(CommandContext *context, int argc, char **argv)
{
    static const struct {
        const char *word;
        int (*run)(CommandContext *context, int argc, char **argv);
    } rows[] = {
        {"show",        audit_show_run       },
        {"verify",      run_verify           },
        {"prove",       audit_prove_run      },
        {"export",      audit_export_run     },
        {"disclosures", audit_disclosures_run},
        {"forward",     audit_feed_run       },
        {"keygen",      audit_keygen_run     },
    };
    static const CommandSyntax syntax = {
        "audit",
        "show | verify | prove | export | disclosures | forward | keygen",
        "Shows what recorder, opener and command line have noted, holds it against what was "
        "signed, or proves a record.\n"
        "`sealtape audit verify --help` says more.",
        NULL,
        1,
        1,
    };

    for (size_t i = 0; argc > 1 && i < G_N_ELEMENTS(rows); i++) {
        if (strcmp(argv[1], rows[i].word) == 0)
            return rows[i].run(context, argc - 1, argv + 1);
    }
    if (command_context_parse(context, &syntax, &argc, argv)) {
        g_printerr(
            "sealtape audit: `%s` is none of show, verify, prove, export, disclosures, forward and "
            "keygen\n",
            argv[1]);
    }
    return EXIT_CODE_USAGE;
}
