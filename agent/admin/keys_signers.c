#include "agent/admin/keys_commands.h"
#include "agent/admin/keys_work.h"
#include "agent/keys/signer_trust.h"
#include "crypto/crypto_error.h"
#include "crypto/signed_note.h"
#include "storage/durable_file.h"
#include "storage/storage_error.h"

#include <fcntl.h>
#include <inttypes.h>
#include <string.h>

/* `enrol` and `revoke`, in this order:
 *  1. `revoke`: what the program has signed by now is listed, and the list written beside the ring;
 *  2. the audit record;
 *  3. the next version of the ring, which names the list. */

enum { LIST_MODE = 0644 };

#define ALL G_MININT64 /* records: as many as there are */

/* Returns: borrowed from `ring`; NULL for none. */
static KeyRingSigner *
find_signer(const KeyRing *ring, const char *name)
{
    for (guint i = 0; i < ring->signers->len; i++) {
        KeyRingSigner *signer = ring->signers->pdata[i];
        g_autofree char *mark = signer_trust_mark(signer->verifier_key);

        if (strcmp(signer->verifier_key, name) == 0 || strcmp(mark, name) == 0)
            return signer;
    }
    return NULL;
}

static bool
tell(KeysWork *work, const char *verifier_key, bool is_revoked, uint64_t count, GError **error)
{
    g_autofree char *mark = signer_trust_mark(verifier_key);
    const AuditEvent event = {
        .kind = is_revoked ? AUDIT_KEY_RETIRED : AUDIT_KEY_CREATED,
        .key = mark,
        .detail = is_revoked ? "signer-revoked" : "signer-enrolled",
        .count = count,
    };

    return command_context_audit(work->context, work->org->id, &event, error);
}

static bool
enrol_signer(KeysWork *work, const char *verifier_key, GError **error)
{
    g_autoptr(NoteVerifier) verifier = note_verifier_parse(verifier_key, error);
    g_autoptr(KeyRing) next = NULL;
    KeyRingSigner *signer = NULL;

    if (verifier == NULL)
        return false;
    if (find_signer(work->file->ring, verifier_key) != NULL) {
        return crypto_fail(error, CRYPTO_ERROR_MALFORMED,
                           "%s: the key ring of %s has it already; a key that was revoked does not "
                           "come back",
                           verifier_key, work->org->id);
    }
    if (!keys_work_adopt(work, error))
        return false;
    next = keys_work_next(work);
    signer = g_new0(KeyRingSigner, 1);
    signer->verifier_key = g_strdup(verifier_key);
    signer->enrolled = ring_file_now();
    g_ptr_array_add(next->signers, signer);
    return tell(work, verifier_key, false, 0, error) && keys_work_write(work, next, error);
}

/* Finds how many records of the log of `verifier_key` the store's checkpoints vouch for; `wanted`
 * (negative: all) of them count. */
static bool
find_place(KeysWork *work, const char *verifier_key, gint64 wanted, uint64_t *n_records,
           GError **error)
{
    ObjectStore *store = command_context_store(work->context, error);
    g_autofree char *prefix = g_strdup_printf("%s/audit/", work->org->id);
    g_autoptr(GPtrArray) names = store != NULL ? object_store_list(store, prefix, error) : NULL;
    g_autoptr(NoteVerifier) verifier = note_verifier_parse(verifier_key, NULL);
    g_autofree char *folder = g_strdup_printf("/%s/", note_verifier_name(verifier));

    for (guint i = 0; names != NULL && i < names->len; i++) {
        const char *name = names->pdata[i];
        const char *found = strstr(name, folder);

        if (found != NULL)
            *n_records = MAX(*n_records, g_ascii_strtoull(found + strlen(folder), NULL, 10));
    }
    if (names != NULL && wanted >= 0 && (uint64_t) wanted > *n_records) {
        return crypto_fail(error, CRYPTO_ERROR_MALFORMED,
                           "--records %" PRIi64 ": the store has checkpoints for %" PRIu64
                           " records of its log only, and what comes later may be a thief's",
                           wanted, *n_records);
    }
    if (wanted >= 0)
        *n_records = (uint64_t) wanted;
    return names != NULL;
}

static bool
write_list(const KeysWork *work, GBytes *bytes, GError **error)
{
    const Digest digest = digest_of_bytes(bytes);
    g_autofree char *hex = digest_to_hex(&digest);
    g_autofree char *name = g_strconcat(hex, ".signed", NULL);
    g_auto(Fd) folder = open(work->file->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    g_autoptr(GError) fault = NULL;

    if (folder < 0)
        return storage_fail_errno(error, "open", work->file->folder);
    if (durable_file_create(folder, name, LIST_MODE, bytes, &fault) ||
        g_error_matches(fault, STORAGE_ERROR, STORAGE_ERROR_CONFLICT))
        return true; /* of a revocation that was cut off: named by its content */
    g_propagate_error(error, g_steal_pointer(&fault));
    return false;
}

static bool
revoke_signer(KeysWork *work, const char *name, gint64 wanted, GError **error)
{
    const KeyRingSigner *found = find_signer(work->file->ring, name);
    ObjectStore *store = NULL;
    g_autoptr(SignedList) list = NULL;
    g_autoptr(GBytes) bytes = NULL;
    g_autoptr(KeyRing) next = NULL;
    KeyRingSigner *signer = NULL;
    uint64_t n_records = 0;

    if (found == NULL || found->revoked != NULL) {
        return crypto_fail(error, CRYPTO_ERROR_MALFORMED,
                           found == NULL ? "`%s` is no program that the key ring enrols: "
                                           "`sealtape keys enrol` it first"
                                         : "`%s` is revoked already",
                           name);
    }
    store = command_context_store(work->context, error);
    list =
        store != NULL ? signer_trust_list(store, work->org->id, found->verifier_key, error) : NULL;
    if (list == NULL || !find_place(work, found->verifier_key, wanted, &n_records, error))
        return false;
    bytes = signed_list_to_bytes(list);
    if (!write_list(work, bytes, error))
        return false;
    next = keys_work_next(work);
    signer = find_signer(next, found->verifier_key);
    g_assert(signer != NULL); /* a copy of the ring that it was found in */
    signer->revoked = ring_file_now();
    signer->n_records = n_records;
    signer->sessions = digest_of_bytes(bytes);
    if (!tell(work, found->verifier_key, true, list->sessions->len, error) ||
        !keys_work_write(work, next, error))
        return false;
    g_printerr("%u sessions and %" PRIu64 " records of its audit log still count.\n",
               list->sessions->len, n_records);
    return true;
}

static int
run(CommandContext *context, const CommandSyntax *syntax, int argc, char **argv)
{
    g_autofree char *org = NULL;
    gint64 n_records = ALL;
    const bool is_revocation = strcmp(argv[0], "revoke") == 0;
    const GOptionEntry entries[] = {
        {"org",     0, 0,                                        G_OPTION_ARG_STRING, &org,       "The organisation", "ID"},
        {"records", 0, is_revocation ? 0 : G_OPTION_FLAG_HIDDEN, G_OPTION_ARG_INT64,  &n_records,
         "So many records of its audit log count (as many as the store has checkpoints for)",                         "N" },
        G_OPTION_ENTRY_NULL,
    };
    const CommandSyntax with_entries = {
        syntax->name, syntax->usage, syntax->summary, entries, 1, 1};
    g_auto(KeysWork) work = {0};
    g_autoptr(GError) error = NULL;
    bool is_good = false;

    if (!command_context_parse(context, &with_entries, &argc, argv))
        return EXIT_CODE_USAGE;
    if (n_records < 0 && n_records != ALL) {
        g_printerr("sealtape %s: --records is less than 0\n", syntax->name);
        return EXIT_CODE_USAGE;
    }
    is_good = keys_work_open(&work, context, org, &error) &&
              (is_revocation ? revoke_signer(&work, argv[1], n_records, &error)
                             : enrol_signer(&work, argv[1], &error));
    if (!is_good)
        return command_context_fail(context, g_steal_pointer(&error));
    if (command_context_as_json(context)) {
        command_context_print_json(json_pack("{s:s, s:s, s:i}", "signer", argv[1], "state",
                                             is_revocation ? "revoked" : "enrolled", "version",
                                             (int) work.file->ring->version));
    } else {
        g_print("%s is %s, by version %u of the key ring of %s.\n", argv[1],
                is_revocation ? "revoked" : "enrolled", work.file->ring->version, work.org->id);
    }
    return EXIT_CODE_OK;
}

int
keys_enrol_run(CommandContext *context, int argc, char **argv)
{
    static const CommandSyntax syntax = {
        "keys enrol",
        "VERIFIER-KEY",
        "Takes a recorder's (or another program's) verifier key into the key ring. Once a ring has "
        "one, `verify`\nbelieves manifests of those alone.",
        NULL,
        1,
        1};

    return run(context, &syntax, argc, argv);
}

int
keys_revoke_run(CommandContext *context, int argc, char **argv)
{
    static const CommandSyntax syntax = {
        "keys revoke",
        "VERIFIER-KEY",
        "Ends the trust in an enrolled program by its place in the log: what it has signed by now "
        "still counts,\nand `verify` names whatever it signs later. Look first whether it is all "
        "yours (`sealtape session list`).",
        NULL,
        1,
        1};

    return run(context, &syntax, argc, argv);
}
