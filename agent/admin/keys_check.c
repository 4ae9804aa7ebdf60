#include "agent/admin/keys_commands.h"
#include "agent/admin/keys_pass.h"
#include "agent/admin/keys_work.h"
#include "agent/admin/terminal.h"
#include "agent/keys/escrow_check.h"
#include "agent/playback/segment_opening.h"
#include "agent/playback/track_keys.h"
#include "agent/store/trusted_recorders.h"
#include "crypto/age_file.h"
#include "crypto/age_seal_list.h"
#include "crypto/crypto_error.h"
#include "crypto/key_ring_read.h"
#include "storage/storage_error.h"

#include <inttypes.h>

/* `escrow-check` and `drill`: whether what would be needed on the worst day works. */

static void
print_result(const KeysWork *work, const EscrowResult *result)
{
    json_t *findings = NULL;

    if (!command_context_as_json(work->context)) {
        for (guint i = 0; i < result->findings->len; i++)
            g_print("%s\n", (const char *) result->findings->pdata[i]);
        g_print("%" PRIu64 " sealed objects of %s, %" PRIu64 " findings.\n", result->n_objects,
                work->org->id, result->n_findings);
        for (int role = 0; role < N_KEY_RING_ROLES; role++) {
            g_print("  %-12s  opened %" PRIu64 ", said to open %" PRIu64 " more\n",
                    key_ring_roles[role], result->n_opened[role], result->n_claimed[role]);
        }
        return;
    }
    findings = json_array();
    for (guint i = 0; i < result->findings->len; i++)
        json_array_append_new(findings, json_string(result->findings->pdata[i]));
    command_context_print_json(
        json_pack("{s:b, s:s, s:I, s:I, s:I, s:I, s:I, s:o}", "ok", result->n_findings == 0, "org",
                  work->org->id, "objects", (json_int_t) result->n_objects, "organisation_opened",
                  (json_int_t) result->n_opened[KEY_RING_ORGANISATION], "break_glass_opened",
                  (json_int_t) result->n_opened[KEY_RING_BREAK_GLASS], "organisation_claimed",
                  (json_int_t) result->n_claimed[KEY_RING_ORGANISATION], "break_glass_claimed",
                  (json_int_t) result->n_claimed[KEY_RING_BREAK_GLASS], "findings", findings));
}

static int
check(KeysWork *work, const char *session, char **paths, unsigned n_jobs, GError **error)
{
    g_autoptr(GPtrArray) identities = keys_work_identities(paths, error);
    g_autoptr(GPtrArray) verifiers =
        identities != NULL ? trusted_recorders(work->settings, error) : NULL;
    g_autoptr(GPtrArray) annotators =
        verifiers != NULL ? trusted_annotators(work->settings, error) : NULL;
    EscrowResult result = {0};
    EscrowCheck what = {
        .org = work->org->id,
        .session = session,
        .ring = work->file->ring,
        .identities = identities,
        .verifiers = verifiers,
        .annotators = annotators,
        .n_threads = n_jobs,
        .on_progress = keys_pass_on_progress,
        .user_data = (void *) "checking",
    };
    bool is_good = false;
    int status = EXIT_CODE_FAILED;

    what.store = annotators != NULL ? command_context_store(work->context, error) : NULL;
    if (what.store == NULL)
        return EXIT_CODE_FAILED;
    is_good = escrow_check(&what, &result, error);
    terminal_progress_end();
    if (is_good) {
        print_result(work, &result);
        status = result.n_findings == 0 ? EXIT_CODE_OK : EXIT_CODE_FINDINGS;
    }
    escrow_result_clear(&result);
    return status;
}

int
keys_escrow_run(CommandContext *context, int argc, char **argv)
{
    g_autofree char *org = NULL;
    g_auto(GStrv) identities = NULL;
    gint n_jobs = KEYS_PASS_JOBS;
    const GOptionEntry entries[] = {
        {"org",      0, 0, G_OPTION_ARG_STRING,         &org,        "The organisation", "ID"  },
        {"identity", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &identities,
         "Of a key that is at hand; may be repeated",                                    "FILE"},
        KEYS_PASS_JOBS_OPTION(&n_jobs),
        G_OPTION_ENTRY_NULL,
    };
    const CommandSyntax syntax = {
        "keys escrow-check",
        "[SESSION] [--identity FILE...]",
        "Checks that every session, or one, opens with a key of each role: really, with the "
        "identities "
        "given, and\notherwise by what each envelope says of itself. Exit code 3 if one would not.",
        entries,
        0,
        1,
    };
    g_auto(KeysWork) work = {0};
    g_autoptr(GError) error = NULL;
    int status = EXIT_CODE_FAILED;

    if (!command_context_parse(context, &syntax, &argc, argv) ||
        !keys_pass_take_jobs(syntax.name, n_jobs))
        return EXIT_CODE_USAGE;
    if (keys_work_open(&work, context, org, &error))
        status = check(&work, argc > 1 ? argv[1] : NULL, identities, (unsigned) n_jobs, &error);
    return error != NULL ? command_context_fail(context, g_steal_pointer(&error)) : status;
}

/* --- drill --- */

/* Opens the first segment of each track that has any. Returns: false with `error`. */
static bool
open_tracks(CommandContext *context, Recording *recording, GPtrArray *identities,
            unsigned *n_opened, GError **error)
{
    const ManifestPart *manifest = recording_manifest(recording);
    ObjectStore *store = command_context_store(context, error);
    g_autoptr(TrackKeys) keys =
        store != NULL ? track_keys_open(store, manifest, identities, error) : NULL;
    g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
    g_autoptr(SegmentOpening) opening = segment_opening_new(recording);

    for (guint i = 0; keys != NULL && i < manifest->segments->len; i++) {
        const ManifestSegment *segment = g_ptr_array_index(manifest->segments, i);
        GPtrArray *track = NULL;
        g_autoptr(GBytes) sealed = NULL;
        GByteArray *opened = NULL;

        if (!g_hash_table_add(seen, segment->track))
            continue;
        track = track_keys_of(keys, segment->track, error);
        sealed = track != NULL ? recording_read_segment(recording, segment, error) : NULL;
        if (sealed == NULL)
            return false;
        opened = segment_opening_open(opening, track, segment, sealed, error);
        if (opened == NULL)
            return false;
        age_file_wipe(opened); /* and frees it */
        ++*n_opened;
    }
    return keys != NULL;
}

/* Returns: the row of the one break-glass key whose identity was given, borrowed. */
static KeyRingKey *
find_drilled(const KeyRing *ring, const GPtrArray *identities, GError **error)
{
    for (guint i = 0; i < identities->len; i++) {
        g_autoptr(AgeRecipient) own = age_identity_recipient(identities->pdata[i]);
        KeyRingKey *key = own != NULL ? key_ring_find(ring, age_recipient_text(own)) : NULL;

        if (identities->len == 1 && key != NULL && key->role == KEY_RING_BREAK_GLASS)
            return key;
    }
    crypto_fail(error, CRYPTO_ERROR_NO_MATCH,
                "a drill is done with the identity of one break-glass key of %s, and with no other",
                ring->org);
    return NULL;
}

static bool
drill(KeysWork *work, const char *session, char **paths, unsigned *n_opened, GError **error)
{
    g_autoptr(GPtrArray) identities = keys_work_identities(paths, error);
    g_autoptr(Recording) recording = NULL;
    g_autoptr(KeyRing) next = NULL;
    g_autofree char *mark = NULL;
    const KeyRingKey *key =
        identities != NULL ? find_drilled(work->file->ring, identities, error) : NULL;
    AuditEvent event = {.kind = AUDIT_KEY_DRILLED, .session = session};

    if (key == NULL || !keys_work_adopt(work, error))
        return false;
    mark = age_seal_list_mark(key->recipient);
    event.key = mark;
    if (!command_context_audit(work->context, work->org->id, &event, error))
        return false;
    recording = command_context_open_recording(work->context, session, error);
    if (recording == NULL || !open_tracks(work->context, recording, identities, n_opened, error))
        return false;
    if (*n_opened == 0) {
        g_set_error(error, STORAGE_ERROR, STORAGE_ERROR_NOT_FOUND,
                    "nothing was recorded in session %s: choose another for the drill", session);
        return false;
    }
    next = keys_work_next(work);
    key = key_ring_find(next, key->recipient);
    g_free(((KeyRingKey *) key)->drilled);
    ((KeyRingKey *) key)->drilled = g_strdup(next->made);
    return keys_work_write(work, next, error);
}

int
keys_drill_run(CommandContext *context, int argc, char **argv)
{
    g_autofree char *org = NULL;
    g_auto(GStrv) identities = NULL;
    const GOptionEntry entries[] = {
        {"org",      0, 0, G_OPTION_ARG_STRING,         &org,        "The organisation",       "ID"},
        {"identity", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &identities, "Of the break-glass key",
         "FILE"                                                                                    },
        G_OPTION_ENTRY_NULL,
    };
    const CommandSyntax syntax = {
        "keys drill",
        "SESSION --identity FILE",
        "Opens a session with the break-glass key alone, writes nothing of it, and notes in the "
        "key ring "
        "and the\naudit log that the key works. Do it once a quarter; `sealtape keys list` says "
        "when it "
        "is due.",
        entries,
        1,
        1,
    };
    g_auto(KeysWork) work = {0};
    g_autoptr(GError) error = NULL;
    unsigned n_opened = 0;

    if (!command_context_parse(context, &syntax, &argc, argv))
        return EXIT_CODE_USAGE;
    if (identities == NULL) {
        g_printerr("sealtape keys drill: --identity FILE is missing\n");
        return EXIT_CODE_USAGE;
    }
    if (!keys_work_open(&work, context, org, &error) ||
        !drill(&work, argv[1], identities, &n_opened, &error))
        return command_context_fail(context, g_steal_pointer(&error));
    if (command_context_as_json(context)) {
        command_context_print_json(
            json_pack("{s:s, s:i}", "session", argv[1], "tracks_opened", (int) n_opened));
    } else {
        g_print("%u track%s of %s opened with the break-glass key. Noted.\n", n_opened,
                n_opened == 1 ? "" : "s", argv[1]);
    }
    return EXIT_CODE_OK;
}
