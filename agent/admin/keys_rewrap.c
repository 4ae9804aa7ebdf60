#include "agent/admin/keys_commands.h"
#include "agent/admin/keys_pass.h"
#include "agent/admin/keys_work.h"
#include "agent/admin/terminal.h"
#include "agent/keys/rewrap_run.h"
#include "crypto/age_recipients.h"
#include "crypto/crypto_error.h"

#include <inttypes.h>

#define NO_UNDO                                                                                    \
    "Re-wrapping does not undo a leak: whoever has an old key and a copy of an old envelope (a "   \
    "backup,\n"                                                                                    \
    "a version that the bucket keeps) still opens it. `sealtape keys reencrypt` does.\n"

typedef struct {
    KeysWork work;
    RewrapCounts counts;
    int64_t began_us;
    bool is_whole; /* gone through to the end */
} Rewrapping;

static bool
on_done(void *user_data, const char *session, const char *name, GError **error)
{
    return true; /* told in one record for all, before and after */
}

static bool
note(Rewrapping *self, AuditOutcome outcome, const char *detail, GError **error)
{
    g_autofree char *marks = keys_work_marks(self->work.org);
    const AuditEvent event = {
        .kind = AUDIT_KEY_REWRAPPED,
        .outcome = outcome,
        .new_key = marks,
        .detail = detail,
        .count = self->counts.n_done,
    };

    return command_context_audit(self->work.context, self->work.org->id, &event, error);
}

static bool
run(Rewrapping *self, GPtrArray *identities, unsigned n_jobs, GError **error)
{
    g_autoptr(GPtrArray) recipients = age_recipients_parse(self->work.org->recipients, error);
    RewrapRun run = {
        .org = self->work.org->id,
        .n_threads = n_jobs,
        .on_done = on_done,
        .on_progress = keys_pass_on_progress,
        .user_data = (void *) "rewrapping",
    };

    if (recipients == NULL)
        return false;
    run.keys =
        (RewrapKeys){command_context_store(self->work.context, error), recipients, identities};
    if (run.keys.store == NULL)
        return false;
    if (!rewrap_can_prove(&run.keys)) {
        return crypto_fail(error, CRYPTO_ERROR_NO_MATCH,
                           "none of the identities belongs to an active key of %s, so nothing that "
                           "is sealed anew could be proven to open: give that of the new key too",
                           self->work.org->id);
    }
    if (!note(self, AUDIT_OK, "begun", error))
        return false;
    self->is_whole = rewrap_run(&run, &self->counts, error);
    terminal_progress_end();
    return true;
}

static void
print_as_json(const Rewrapping *self, double seconds, const GError *fault)
{
    json_t *reasons = json_array();

    for (guint i = 0; i < self->counts.reasons->len; i++)
        json_array_append_new(reasons, json_string(self->counts.reasons->pdata[i]));
    command_context_print_json(json_pack(
        "{s:b, s:I, s:I, s:I, s:f, s:f, s:o, s:s?}", "ok",
        self->is_whole && self->counts.n_stale == 0, "rewrapped", (json_int_t) self->counts.n_done,
        "current", (json_int_t) self->counts.n_current, "stale", (json_int_t) self->counts.n_stale,
        "seconds", seconds, "per_second", (double) self->counts.n_done / MAX(seconds, 1e-6),
        "reasons", reasons, "stopped", fault != NULL ? fault->message : NULL));
}

static void
print_for_person(const Rewrapping *self, double seconds, const GError *fault)
{
    const char *org = self->work.org->id;
    const RewrapCounts *counts = &self->counts;

    g_print(
        "%" PRIu64 " envelopes sealed anew, %" PRIu64 " were already, in %.1f s (%.0f a second).\n",
        counts->n_done, counts->n_current, seconds, (double) counts->n_done / MAX(seconds, 1e-6));
    for (guint i = 0; i < counts->reasons->len; i++)
        g_print("  %s\n", (const char *) counts->reasons->pdata[i]);
    if (fault != NULL) {
        g_print(
            "NOT rotated: stopped before the end, and nothing is lost; run it again to go on.\n");
    } else if (counts->n_stale > 0) {
        g_print("NOT rotated: %" PRIu64 " of %s are still sealed to other keys.\n", counts->n_stale,
                org);
    } else {
        g_print("Rotated: every envelope of %s is sealed to the active keys, and to no other.\n",
                org);
    }
    g_print("%s", NO_UNDO);
}

static int
finish(Rewrapping *self, GError *fault)
{
    const double seconds = (double) (g_get_monotonic_time() - self->began_us) / G_USEC_PER_SEC;
    const bool is_good = self->is_whole && self->counts.n_stale == 0;
    g_autoptr(GError) error = NULL;
    int status = is_good ? EXIT_CODE_OK : EXIT_CODE_FINDINGS;

    if (command_context_as_json(self->work.context)) {
        print_as_json(self, seconds, fault);
    } else {
        print_for_person(self, seconds, fault);
    }
    if (!note(self, is_good ? AUDIT_OK : AUDIT_FAILED, self->is_whole ? "ended" : "stopped",
              &error)) {
        /* One sentence for what has one cause, as a full disk. */
        g_autoptr(GError) stopped = fault;

        fault = stopped == NULL ? g_steal_pointer(&error)
                                : g_error_new(stopped->domain, stopped->code,
                                              "%s; nor can the auditors be told that it stopped",
                                              stopped->message);
    }
    return fault != NULL ? command_context_fail(self->work.context, fault) : status;
}

static int
rewrap(CommandContext *context, const char *org, char **paths, unsigned n_jobs)
{
    Rewrapping self = {.began_us = g_get_monotonic_time()};
    g_autoptr(GPtrArray) identities = NULL;
    g_autoptr(GError) error = NULL;
    int status = EXIT_CODE_FAILED;

    if (keys_work_open(&self.work, context, org, &error))
        identities = keys_work_identities(paths, &error);
    if (identities != NULL && run(&self, identities, n_jobs, &error)) {
        status = finish(&self, g_steal_pointer(&error));
    } else {
        status = command_context_fail(context, g_steal_pointer(&error));
    }
    rewrap_counts_clear(&self.counts);
    keys_work_clear(&self.work);
    return status;
}

int
keys_rewrap_run(CommandContext *context, int argc, char **argv)
{
    g_autofree char *org = NULL;
    g_auto(GStrv) identities = NULL;
    gint n_jobs = KEYS_PASS_JOBS;
    const GOptionEntry entries[] = {
        {"org",      0, 0, G_OPTION_ARG_STRING,         &org,        "The organisation", "ID"  },
        {"identity", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &identities,
         "Opens the old or the new; may be repeated",                                    "FILE"},
        KEYS_PASS_JOBS_OPTION(&n_jobs),
        G_OPTION_ENTRY_NULL,
    };
    const CommandSyntax syntax = {
        "keys rewrap",
        "--identity FILE...",
        "Seals the envelopes and the metadata of all recorded sessions to the active keys, and to "
        "no "
        "other. Each\nis proven to open with the new key before it takes the old one's place; "
        "media and "
        "manifests stay\nuntouched. Give identities of the old key and of the new one. A run that "
        "was "
        "stopped is started again.\n\n" NO_UNDO,
        entries,
        0,
        0,
    };

    if (!command_context_parse(context, &syntax, &argc, argv))
        return EXIT_CODE_USAGE;
    if (!keys_pass_take_jobs(syntax.name, n_jobs))
        return EXIT_CODE_USAGE;
    if (identities == NULL) {
        g_printerr("sealtape keys rewrap: --identity FILE is missing\n");
        return EXIT_CODE_USAGE;
    }
    return rewrap(context, org, identities, (unsigned) n_jobs);
}
