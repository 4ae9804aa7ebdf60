#include "agent/admin/keys_commands.h"
#include "agent/admin/keys_reencrypt_session.h"
#include "crypto/age_recipients.h"
#include "crypto/age_seal_list.h"
#include "crypto/crypto_error.h"
#include "storage/session_list.h"
#include "storage/storage_error.h"

#include <inttypes.h>

/* A recorder reads its settings again within this time, or is not run by anybody. */
#define MARGIN_US (24 * G_TIME_SPAN_HOUR)

#define NO_COPIES                                                                                  \
    "It reaches what is stored here. What was copied before (a backup, a snapshot, a store that "  \
    "is no\nreplica) still opens with what was leaked: destroy it.\n"

typedef struct {
    char *org, *compromised;
    char **identities;
    gboolean takes_over;
    char **sessions; /* borrowed; empty: all that may have been sealed to it */
} ReencryptOptions;

static void
reencrypt_options_clear(ReencryptOptions *self)
{
    g_free(self->org);
    g_free(self->compromised);
    g_strfreev(self->identities);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(ReencryptOptions, reencrypt_options_clear)

typedef struct {
    CommandContext *context;
    ReencryptTask task;
    int64_t until_us; /* sessions that began later were never sealed to the key */
    unsigned n_done, n_current, n_locked, n_failed;
    int status;   /* an ExitCode: of the last that could not be */
    json_t *rows; /* NULL: for a person */
} Run;

static void
print_person(const char *session, const ResealResult *result)
{
    if (result->is_current) {
        g_print("%s: was sealed anew before; nothing of before is left.\n", session);
        return;
    }
    if (result->removal.until != NULL) {
        g_print("%s: sealed anew, old bytes locked until %s\n", session, result->removal.until);
    } else {
        g_print("%s: sealed anew, nothing of before is left.\n", session);
    }
    for (guint i = 0; i < result->matters->len; i++) {
        g_print("%s: is on hold for %s, and kept: the same media, with the recorder's signature "
                "provable to whoever opens it.\n",
                session, (const char *) result->matters->pdata[i]);
    }
}

static void
add_row(const Run *self, const char *session, const ResealResult *result)
{
    json_t *matters = json_array();

    for (guint i = 0; result->matters != NULL && i < result->matters->len; i++)
        json_array_append_new(matters, json_string(result->matters->pdata[i]));
    json_array_append_new(
        self->rows,
        json_pack("{s:s, s:s, s:s?, s:i, s:I, s:i, s:s?, s:o}", "session", session, "result",
                  result->is_current              ? "current"
                  : result->removal.until != NULL ? "locked"
                                                  : "sealed-anew",
                  "until", result->removal.until, "objects", (int) result->n_objects, "bytes",
                  (json_int_t) result->n_bytes, "removed", (int) result->removal.n_removed, "note",
                  result->note, "holds", matters));
}

static void
tell(Run *self, const char *session, const ResealResult *result)
{
    self->n_current += result->is_current;
    self->n_done += !result->is_current;
    self->n_locked += result->removal.until != NULL;
    if (self->rows != NULL) {
        add_row(self, session, result);
    } else {
        print_person(session, result);
    }
}

/* Whether it is a fault of this session alone: the others may go on. */
static bool
is_of_one(const GError *fault)
{
    return g_error_matches(fault, STORAGE_ERROR, STORAGE_ERROR_DENIED) ||
           g_error_matches(fault, STORAGE_ERROR, STORAGE_ERROR_BUSY) ||
           g_error_matches(fault, STORAGE_ERROR, STORAGE_ERROR_CORRUPT) ||
           g_error_matches(fault, STORAGE_ERROR, STORAGE_ERROR_NOT_FOUND) ||
           (fault->domain == CRYPTO_ERROR &&
            !g_error_matches(fault, CRYPTO_ERROR, CRYPTO_ERROR_TOKEN));
}

/* Returns: false with `error` where the others would fail as well. */
static bool
reencrypt(Run *self, const char *session, GError **error)
{
    g_auto(ResealResult) result = {0};
    GError *fault = NULL;

    if (keys_reencrypt_session(&self->task, session, &result, &fault)) {
        tell(self, session, &result);
        return true;
    }
    self->n_failed++;
    if (!is_of_one(fault)) {
        g_propagate_error(error, fault);
        return false;
    }
    self->status = command_context_fail(self->context, fault); /* the others go on */
    return true;
}

static bool
reencrypt_named(Run *self, char **sessions, GError **error)
{
    for (; *sessions != NULL; sessions++) {
        if (!reencrypt(self, *sessions, error))
            return false;
    }
    return true;
}

/* Those that may have been sealed to it. What was erased is none. */
static bool
reencrypt_all(Run *self, GError **error)
{
    const Custody *custody = self->task.custody;
    g_autoptr(GPtrArray) names =
        session_list_names(custody->store, self->task.work->org->id, error);

    for (guint i = 0; names != NULL && i < names->len; i++) {
        const SessionName *name = names->pdata[i];
        bool is_before = false;

        if (name->has_erasure)
            continue;
        if (!keys_reencrypt_began_before(&self->task, name->session, self->until_us, &is_before,
                                         error) ||
            (is_before && !reencrypt(self, name->session, error)))
            return false;
    }
    return names != NULL;
}

/* Finds the compromised key, which new sessions may not be sealed to any more. Returns: its mark,
 * owned. `until_us`: until when sessions may have been. */
static char *
find_compromised(const KeysWork *work, const char *name, int64_t *until_us, GError **error)
{
    const KeyRingKey *key = NULL;
    g_autoptr(GDateTime) since = NULL;

    if (work->file->is_new) {
        g_set_error(error, STORAGE_ERROR, STORAGE_ERROR_DENIED,
                    "%s has no key ring: make one with `sealtape keys new`, and rotate the "
                    "compromised key out of it",
                    work->org->id);
        return NULL;
    }
    key = keys_work_find(work->file->ring, name, error);
    if (key == NULL)
        return NULL;
    if (key->state == KEY_RING_ACTIVE) {
        g_set_error(error, STORAGE_ERROR, STORAGE_ERROR_DENIED,
                    "`%s` is still active, so that new sessions are sealed to it: first "
                    "`sealtape keys rotate`",
                    name);
        return NULL;
    }
    /* When it was retired or destroyed later, `since` is later too: more sessions, never fewer. */
    since = g_date_time_new_from_iso8601(key->since, NULL);
    *until_us = since != NULL ? g_date_time_to_unix(since) * G_USEC_PER_SEC + MARGIN_US : INT64_MAX;
    return age_seal_list_mark(key->recipient);
}

static int
print_end(const Run *self, GError *fault)
{
    const bool is_good = fault == NULL && self->n_failed == 0;

    if (self->rows != NULL) {
        command_context_print_json(json_pack("{s:b, s:i, s:i, s:i, s:i, s:O, s:s?}", "ok", is_good,
                                             "sealed_anew", (int) self->n_done, "current",
                                             (int) self->n_current, "locked", (int) self->n_locked,
                                             "failed", (int) self->n_failed, "sessions", self->rows,
                                             "stopped", fault != NULL ? fault->message : NULL));
    } else {
        g_print("%u sealed anew, %u of them with old bytes under lock, %u were before, %u not.\n",
                self->n_done, self->n_locked, self->n_current, self->n_failed);
        if (!is_good)
            g_print("NOT done: run it again once what stands above is out of the way.\n");
        g_print("%s", NO_COPIES);
    }
    if (fault != NULL)
        return command_context_fail(self->context, fault);
    if (self->n_failed > 0)
        return self->status;
    return self->n_locked > 0 ? EXIT_CODE_FINDINGS : EXIT_CODE_OK;
}

/* Without one of the new keys at hand the first envelope could not be opened again. */
static bool
can_prove(const ReencryptTask *task, GError **error)
{
    const RewrapKeys keys = {task->custody->store, task->recipients, task->identities};

    return rewrap_can_prove(&keys) ||
           crypto_fail(error, CRYPTO_ERROR_NO_MATCH,
                       "none of the identities belongs to an active key of %s, so nothing that is "
                       "sealed anew could be proven to open: give that of the new key too",
                       task->work->org->id);
}

static int
run(CommandContext *context, const ReencryptOptions *options)
{
    g_auto(KeysWork) work = {0};
    g_auto(Custody) custody = {0};
    g_autoptr(GPtrArray) identities = NULL;
    g_autoptr(GPtrArray) recipients = NULL;
    g_autofree char *against = NULL;
    g_autofree char *marks = NULL;
    GError *error = NULL;
    Run self = {.context = context};
    int status = EXIT_CODE_FAILED;

    if (keys_work_open(&work, context, options->org, &error))
        against = find_compromised(&work, options->compromised, &self.until_us, &error);
    if (against != NULL && custody_open(&custody, context, &error))
        recipients = age_recipients_parse(work.org->recipients, &error);
    if (recipients != NULL)
        identities = keys_work_identities(options->identities, &error);
    if (identities == NULL)
        return command_context_fail(context, error);
    marks = keys_work_marks(work.org);
    self.task = (ReencryptTask){&work,   &custody, recipients,         identities,
                                against, marks,    options->takes_over};
    if (!can_prove(&self.task, &error))
        return command_context_fail(context, error);
    self.rows = command_context_as_json(context) ? json_array() : NULL;
    (void) (options->sessions[0] != NULL ? reencrypt_named(&self, options->sessions, &error)
                                         : reencrypt_all(&self, &error)); /* `error` says it */
    status = print_end(&self, error);
    json_decref(self.rows);
    return status;
}

int
keys_reencrypt_run(CommandContext *context, int argc, char **argv)
{
    g_auto(ReencryptOptions) options = {0};
    const GOptionEntry entries[] = {
        {"compromised", 0, 0, G_OPTION_ARG_STRING,         &options.compromised,
         "The key that was leaked: its recipient, or the first digits of its mark",                  "KEY" },
        {"identity",    0, 0, G_OPTION_ARG_FILENAME_ARRAY, &options.identities,
         "Opens the old envelopes or the new; may be repeated",                                      "FILE"},
        {"org",         0, 0, G_OPTION_ARG_STRING,         &options.org,         "The organisation", "ID"  },
        {"take-over",   0, 0, G_OPTION_ARG_NONE,           &options.takes_over,
         "From a run that died just now: no other is at it",                                         NULL  },
        G_OPTION_ENTRY_NULL,
    };
    const CommandSyntax syntax = {
        "keys reencrypt",
        "--compromised KEY --identity FILE... [SESSION...]",
        "Gives sessions new keys after one of the organisation's was leaked: the same media, in "
        "new "
        "objects,\nand nothing that is stored opens with what was leaked. Each is proven against "
        "what its recorder signed\nbefore the old goes. Without SESSION: all that may have been "
        "sealed to that key. A run that was stopped is\nstarted again. Exit code 3 if old bytes "
        "are "
        "under lock.\n\n" NO_COPIES,
        entries,
        0,
        G_MAXINT,
    };

    if (!command_context_parse(context, &syntax, &argc, argv))
        return EXIT_CODE_USAGE;
    if (options.compromised == NULL || options.identities == NULL) {
        g_printerr("sealtape keys reencrypt: %s is missing\n",
                   options.compromised == NULL ? "--compromised KEY" : "--identity FILE");
        return EXIT_CODE_USAGE;
    }
    options.sessions = argv + 1;
    return run(context, &options);
}
