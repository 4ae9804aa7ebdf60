#include "agent/keys/escrow_check.h"

#include "agent/keys/first_sentences.h"
#include "agent/keys/sealed_walk.h"
#include "crypto/age_file.h"
#include "crypto/age_seal_list.h"
#include "crypto/crypto_error.h"
#include "crypto/envelope.h"
#include "crypto/key_ring_read.h"
#include "storage/recording.h"
#include "storage/storage_error.h"

#include <string.h>

enum { MOST_FINDINGS = 50 };

typedef struct {
    const EscrowCheck *check;
    GPtrArray *at_hand[N_KEY_RING_ROLES]; /* AgeIdentity of each role */
    GMutex lock;
    struct {
        EscrowResult *result;
    } locked;
} Checking;

/* What was found out of one object. */
typedef struct {
    bool is_opened[N_KEY_RING_ROLES];
    bool is_claimed[N_KEY_RING_ROLES];
    bool is_compared; /* with the manifest */
    char *finding;    /* NULL: none */
} Verdict;

static void
sort_identities(Checking *self)
{
    const EscrowCheck *check = self->check;

    for (int role = 0; role < N_KEY_RING_ROLES; role++)
        self->at_hand[role] = g_ptr_array_new();
    for (guint i = 0; i < check->identities->len; i++) {
        g_autoptr(AgeRecipient) own = age_identity_recipient(check->identities->pdata[i]);
        const KeyRingKey *key =
            own != NULL ? key_ring_find(check->ring, age_recipient_text(own)) : NULL;

        if (key != NULL)
            g_ptr_array_add(self->at_hand[key->role], check->identities->pdata[i]);
    }
}

static void
read_claims(const Checking *self, GBytes *sealed, Verdict *verdict)
{
    const KeyRing *ring = self->check->ring;
    gsize n_bytes = 0;
    const uint8_t *bytes = g_bytes_get_data(sealed, &n_bytes);
    g_auto(GStrv) marks = age_seal_list_claimed(bytes, n_bytes, NULL);

    for (guint i = 0; marks != NULL && i < ring->keys->len; i++) {
        const KeyRingKey *key = g_ptr_array_index(ring->keys, i);
        g_autofree char *mark = age_seal_list_mark(key->recipient);

        if (key->state != KEY_RING_DESTROYED && g_strv_contains((const char *const *) marks, mark))
            verdict->is_claimed[key->role] = true;
    }
}

/* Whether it is the envelope of a sealing anew that has begun: its keys are those of later. */
static bool
is_being_resealed(Recording *recording, const SealedObject *object)
{
    g_autoptr(AnnotationLog) log = recording_read_annotations(recording, NULL);
    g_autofree char *end = NULL;

    if (log == NULL || log->view->reseal_generation == 0)
        return false;
    end = g_strdup_printf("/env/%u.age", log->view->reseal_generation);
    return g_str_has_suffix(object->name, end);
}

/* The session's manifest names each track's recipient: an envelope's keys must be those. Returns:
 * what is wrong, owned; NULL for nothing. */
static char *
compare_with_manifest(const Checking *self, const SealedObject *object, const GPtrArray *keys)
{
    const EscrowCheck *check = self->check;
    g_autoptr(GError) fault = NULL;
    const RecordingTrust trust = {check->verifiers, check->annotators};
    g_autoptr(Recording) recording =
        recording_open(check->store, check->org, object->session, &trust, &fault);
    const ManifestPart *manifest = recording != NULL ? recording_manifest(recording) : NULL;

    if (recording == NULL) {
        return g_strdup_printf("%s: its manifest does not count: %s", object->session,
                               fault->message);
    }
    for (guint i = 0; i < keys->len; i++) {
        const EnvelopeKey *key = g_ptr_array_index(keys, i);
        g_autoptr(AgeRecipient) own = age_identity_recipient(key->identity);

        for (guint j = 0; j < manifest->tracks->len; j++) {
            const ManifestTrack *track = g_ptr_array_index(manifest->tracks, j);

            if (strcmp(track->id, key->track) == 0 &&
                strcmp(track->recipient, age_recipient_text(own)) != 0 &&
                !is_being_resealed(recording, object)) {
                return g_strdup_printf("%s: holds another key for track %s than the manifest names",
                                       object->name, track->id);
            }
        }
    }
    return NULL;
}

/* Opens it with the keys of one role. Returns: false with `error` - a token that does not answer.
 */
static bool
try_role(const Checking *self, const SealedObject *object, GBytes *sealed, int role,
         Verdict *verdict)
{
    const bool is_envelope = strstr(object->name, "/env/") != NULL;
    gsize n_bytes = 0;
    const uint8_t *bytes = g_bytes_get_data(sealed, &n_bytes);
    g_autoptr(GPtrArray) keys = NULL;
    g_autoptr(Secret) text = NULL;
    g_autoptr(GError) fault = NULL;

    if (self->at_hand[role]->len == 0)
        return true;
    if (is_envelope) {
        keys = envelope_open(self->at_hand[role], object->context, sealed, &fault);
    } else {
        text = age_file_open_secret(self->at_hand[role], object->context, bytes, n_bytes, &fault);
    }
    verdict->is_opened[role] = is_envelope ? keys != NULL : text != NULL;
    if (fault != NULL) {
        verdict->finding = g_strdup_printf("%s: does not open with the %s key: %s", object->name,
                                           key_ring_roles[role], fault->message);
    } else if (keys != NULL && !verdict->is_compared) {
        /* Whichever key opens it, what is in it is the same. */
        verdict->is_compared = true;
        verdict->finding = compare_with_manifest(self, object, keys);
    }
    return verdict->finding == NULL;
}

static void
judge(const Checking *self, const SealedObject *object, GBytes *sealed, Verdict *verdict)
{
    if (object->context == NULL) {
        verdict->finding =
            g_strdup_printf("%s: nothing that this version knows is called so", object->name);
        return;
    }
    read_claims(self, sealed, verdict);
    for (int role = 0; role < N_KEY_RING_ROLES; role++) {
        if (!try_role(self, object, sealed, role, verdict))
            return;
        if (!verdict->is_opened[role] && !verdict->is_claimed[role]) {
            verdict->finding =
                g_strdup_printf("%s: does not say that any %s key opens it, and none is at hand",
                                object->name, key_ring_roles[role]);
            return;
        }
    }
}

static void
count_locked(Checking *self, Verdict *verdict)
{
    EscrowResult *result = self->locked.result;

    result->n_objects++;
    for (int role = 0; role < N_KEY_RING_ROLES; role++) {
        result->n_opened[role] += verdict->is_opened[role] ? 1 : 0;
        result->n_claimed[role] += !verdict->is_opened[role] && verdict->is_claimed[role] ? 1 : 0;
    }
    if (verdict->finding != NULL) {
        result->n_findings++;
        first_sentences_add(result->findings, g_steal_pointer(&verdict->finding), MOST_FINDINGS);
    }
}

static bool
on_visit(void *user_data, const SealedObject *object, GError **error)
{
    Checking *self = user_data;
    Verdict verdict = {0};
    g_autoptr(GError) fault = NULL;
    g_autoptr(GBytes) sealed = object_store_get(self->check->store, object->name, &fault);

    if (g_error_matches(fault, STORAGE_ERROR, STORAGE_ERROR_NOT_FOUND))
        return true; /* erased meanwhile */
    if (sealed == NULL) {
        g_propagate_prefixed_error(error, g_steal_pointer(&fault), "%s: ", object->name);
        return false;
    }
    judge(self, object, sealed, &verdict);
    g_mutex_lock(&self->lock);
    count_locked(self, &verdict);
    g_mutex_unlock(&self->lock);
    return true;
}

static void
on_walk_progress(void *user_data, uint64_t n_done, uint64_t n_sessions)
{
    const Checking *self = user_data;

    if (self->check->on_progress != NULL)
        self->check->on_progress(self->check->user_data, n_done, n_sessions);
}

bool
escrow_check(const EscrowCheck *check, EscrowResult *result, GError **error)
{
    Checking self = {.check = check, .locked = {result}};
    const SealedWalk walk = {
        .store = check->store,
        .org = check->org,
        .session = check->session,
        .n_threads = check->n_threads,
        .visit = on_visit,
        .on_progress = on_walk_progress,
        .user_data = &self,
    };
    bool is_whole = false;

    *result = (EscrowResult){.findings = g_ptr_array_new_with_free_func(g_free)};
    g_mutex_init(&self.lock);
    sort_identities(&self);
    is_whole = sealed_walk(&walk, error);
    for (int role = 0; role < N_KEY_RING_ROLES; role++)
        g_ptr_array_unref(self.at_hand[role]);
    g_mutex_clear(&self.lock);
    return is_whole;
}

void
escrow_result_clear(EscrowResult *self)
{
    g_clear_pointer(&self->findings, g_ptr_array_unref);
}
