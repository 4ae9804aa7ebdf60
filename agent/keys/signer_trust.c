#include "agent/keys/signer_trust.h"

#include "crypto/checkpoint.h"
#include "crypto/signed_note.h"
#include "storage/object_key.h"
#include "storage/session_list.h"
#include "storage/storage_error.h"

#include <inttypes.h>
#include <string.h>

typedef struct {
    char *mark;
    GPtrArray *verifier; /* NoteVerifier: this one */
    char *revoked;       /* NULL: it counts */
    uint64_t n_records;
    SignedList *list; /* revoked: what it had signed */
} Signer;

struct SignerTrust {
    char *org;
    GPtrArray *signers; /* Signer */
};

static void
on_verifier_free(gpointer verifier)
{
    note_verifier_free(verifier);
}

static void
signer_free(void *data)
{
    Signer *self = data;

    g_free(self->mark);
    g_clear_pointer(&self->verifier, g_ptr_array_unref);
    g_free(self->revoked);
    signed_list_free(self->list);
    g_free(self);
}

char *
signer_trust_mark(const char *verifier_key)
{
    g_auto(GStrv) pieces = g_strsplit(verifier_key, "+", 3);

    return g_strv_length(pieces) == 3 ? g_strdup_printf("%s+%s", pieces[0], pieces[1])
                                      : g_strdup(verifier_key);
}

static GPtrArray *
verifier_of(const char *verifier_key, GError **error)
{
    NoteVerifier *verifier = note_verifier_parse(verifier_key, error);
    GPtrArray *one = NULL;

    if (verifier == NULL)
        return NULL;
    one = g_ptr_array_new_with_free_func(on_verifier_free);
    g_ptr_array_add(one, verifier);
    return one;
}

/* Reads the list that the ring names by its digest. */
static SignedList *
read_list(const char *folder, const KeyRingSigner *row, GError **error)
{
    g_autofree char *hex = digest_to_hex(&row->sessions);
    g_autofree char *name = g_strconcat(hex, ".signed", NULL);
    g_autofree char *path = g_build_filename(folder, name, NULL);
    g_autoptr(GBytes) bytes = NULL;
    SignedList *list = NULL;
    Digest digest;
    char *text = NULL;
    gsize n_bytes = 0;

    if (!g_file_get_contents(path, &text, &n_bytes, error))
        return NULL;
    bytes = g_bytes_new_take(text, n_bytes);
    digest = digest_of_bytes(bytes);
    if (!digest_equal(&digest, &row->sessions)) {
        g_set_error(error, STORAGE_ERROR, STORAGE_ERROR_CORRUPT,
                    "%s: it is not the list that the key ring names", path);
        return NULL;
    }
    list = signed_list_parse(bytes, error);
    if (list == NULL)
        g_prefix_error(error, "%s: ", path);
    return list;
}

static bool
add_signer(SignerTrust *self, const char *folder, const KeyRingSigner *row, GError **error)
{
    Signer *signer = g_new0(Signer, 1);

    g_ptr_array_add(self->signers, signer);
    signer->mark = signer_trust_mark(row->verifier_key);
    signer->verifier = verifier_of(row->verifier_key, error);
    if (signer->verifier == NULL)
        return false;
    if (row->revoked == NULL)
        return true;
    signer->revoked = g_strdup(row->revoked);
    signer->n_records = row->n_records;
    signer->list = read_list(folder, row, error);
    return signer->list != NULL;
}

SignerTrust *
signer_trust_open(const char *folder, const KeyRing *ring, GError **error)
{
    g_autoptr(SignerTrust) self = g_new0(SignerTrust, 1);

    self->org = g_strdup(ring->org);
    self->signers = g_ptr_array_new_with_free_func(signer_free);
    for (guint i = 0; i < ring->signers->len; i++) {
        if (!add_signer(self, folder, ring->signers->pdata[i], error))
            return NULL;
    }
    return g_steal_pointer(&self);
}

static bool
is_signed_by(GBytes *note, GPtrArray *verifier)
{
    gsize n_bytes = 0;
    const char *bytes = g_bytes_get_data(note, &n_bytes);
    g_autofree char *text = note_open(bytes, n_bytes, verifier, NULL);

    return text != NULL;
}

/* Whether the revoked `signer` had signed this part by then: it is the last of the session that it
 * had, or one before, which that names. */
static bool
vouches(const Signer *signer, const char *session, uint32_t number, GBytes *note)
{
    const SignedSession *row = signed_list_find(signer->list, session);
    const Digest digest = digest_of_bytes(note);

    return row != NULL &&
           (number < row->number || (number == row->number && digest_equal(&digest, &row->note)));
}

/* Returns: why part `number` does not count, owned; NULL: it does. */
static char *
judge(const SignerTrust *self, const char *session, uint32_t number, GBytes *note)
{
    const Signer *revoked = NULL;

    for (guint i = 0; i < self->signers->len; i++) {
        const Signer *signer = self->signers->pdata[i];

        if (!is_signed_by(note, signer->verifier))
            continue;
        if (signer->revoked == NULL || vouches(signer, session, number, note))
            return NULL;
        revoked = signer;
    }
    if (revoked == NULL) {
        return g_strdup_printf("manifest part %u is signed by no program that the key ring of %s "
                               "enrols",
                               number, self->org);
    }
    return g_strdup_printf("manifest part %u is signed by %s, which was revoked at %s, and is not "
                           "among what it had signed by then",
                           number, revoked->mark, revoked->revoked);
}

/* What was taken away from the end: a part of before is only vouched for by those behind it. */
static void
add_missing(const SignerTrust *self, const char *session, uint32_t n_parts, GPtrArray *findings)
{
    for (guint i = 0; i < self->signers->len; i++) {
        const Signer *signer = self->signers->pdata[i];
        const SignedSession *row =
            signer->list != NULL ? signed_list_find(signer->list, session) : NULL;

        if (row != NULL && row->number > n_parts) {
            g_ptr_array_add(findings,
                            g_strdup_printf("manifest part %u is missing, which %s had signed when "
                                            "it was revoked at %s",
                                            row->number, signer->mark, signer->revoked));
        }
    }
}

GPtrArray *
signer_trust_check_session(const SignerTrust *self, ObjectStore *store, const char *session,
                           GError **error)
{
    g_autoptr(GPtrArray) findings = g_ptr_array_new_with_free_func(g_free);
    uint32_t number = 1;

    for (; self->signers->len > 0; number++) {
        g_autofree char *key = object_key_manifest(self->org, session, number);
        g_autoptr(GError) fault = NULL;
        g_autoptr(GBytes) note = object_store_get(store, key, &fault);
        char *finding = NULL;

        if (g_error_matches(fault, STORAGE_ERROR, STORAGE_ERROR_NOT_FOUND))
            break;
        if (note == NULL) {
            g_propagate_error(error, g_steal_pointer(&fault));
            return NULL;
        }
        finding = judge(self, session, number, note);
        if (finding != NULL)
            g_ptr_array_add(findings, finding);
    }
    add_missing(self, session, number - 1, findings);
    return g_steal_pointer(&findings);
}

char *
signer_trust_check_checkpoint(const SignerTrust *self, GBytes *note)
{
    for (guint i = 0; i < self->signers->len; i++) {
        const Signer *signer = self->signers->pdata[i];
        g_auto(Checkpoint) checkpoint = {0};

        if (signer->revoked == NULL ||
            !checkpoint_open(&checkpoint, note, signer->verifier, NULL) ||
            checkpoint.n_leaves <= signer->n_records)
            continue;
        return g_strdup_printf("vouches for %" PRIu64 " records, and %s was revoked at %s with its "
                               "log at %" PRIu64,
                               checkpoint.n_leaves, signer->mark, signer->revoked,
                               signer->n_records);
    }
    return NULL;
}

/* Adds the last part of `session` that `verifier` has signed, if any. */
static bool
list_session(SignedList *list, ObjectStore *store, const char *session, GPtrArray *verifier,
             GError **error)
{
    uint32_t last = 0;
    Digest digest = {{0}};

    for (uint32_t number = 1;; number++) {
        g_autofree char *key = object_key_manifest(list->org, session, number);
        g_autoptr(GError) fault = NULL;
        g_autoptr(GBytes) note = object_store_get(store, key, &fault);

        if (g_error_matches(fault, STORAGE_ERROR, STORAGE_ERROR_NOT_FOUND))
            break;
        if (note == NULL) {
            g_propagate_error(error, g_steal_pointer(&fault));
            return false;
        }
        if (!is_signed_by(note, verifier))
            continue;
        last = number;
        digest = digest_of_bytes(note);
    }
    if (last > 0)
        signed_list_add(list, session, last, &digest);
    return true;
}

SignedList *
signer_trust_list(ObjectStore *store, const char *org, const char *verifier_key, GError **error)
{
    g_autoptr(GPtrArray) verifier = verifier_of(verifier_key, error);
    g_autoptr(GPtrArray) names = verifier != NULL ? session_list_names(store, org, error) : NULL;
    g_autoptr(SignedList) list = signed_list_new(org, verifier_key);

    for (guint i = 0; names != NULL && i < names->len; i++) {
        const SessionName *name = names->pdata[i];

        if (!list_session(list, store, name->session, verifier, error))
            return NULL;
    }
    return names != NULL ? g_steal_pointer(&list) : NULL;
}

void
signer_trust_free(SignerTrust *self)
{
    if (self == NULL)
        return;
    g_free(self->org);
    g_ptr_array_unref(self->signers);
    g_free(self);
}
