#include "agent/reseal/reseal_keys.h"

#include "crypto/age_context.h"
#include "crypto/age_file.h"
#include "crypto/crypto_error.h"
#include "crypto/envelope.h"
#include "storage/object_key.h"
#include "storage/object_numbers.h"
#include "storage/storage_error.h"

#include <string.h>

struct ResealKeys {
    ResealEnvelope envelope;
    GPtrArray *opened;      /* EnvelopeKey: owns the identities */
    GHashTable *identities; /* track -> GPtrArray of the one AgeIdentity */
    GHashTable *recipients; /* track -> GPtrArray of the one AgeRecipient */
};

static void
on_array_unref(gpointer array)
{
    g_ptr_array_unref(array);
}

void
reseal_keys_free(ResealKeys *self)
{
    if (self == NULL)
        return;
    g_hash_table_unref(self->identities);
    g_hash_table_unref(self->recipients);
    g_clear_pointer(&self->opened, g_ptr_array_unref);
    g_free(self);
}

GPtrArray *
reseal_keys_identities(const ResealKeys *self, const char *track)
{
    return g_hash_table_lookup(self->identities, track);
}

GPtrArray *
reseal_keys_recipients(const ResealKeys *self, const char *track)
{
    return g_hash_table_lookup(self->recipients, track);
}

char *
reseal_keys_name(const ManifestPart *manifest, uint32_t generation)
{
    g_autofree char *relative = g_strdup_printf("env/%u.age", generation);

    return object_key_join(manifest->org, manifest->session, relative);
}

char *
reseal_keys_digest(const ManifestPart *manifest, const char *const *recipients)
{
    g_autoptr(GString) text = g_string_new(NULL);
    Digest digest;

    for (guint i = 0; i < manifest->tracks->len; i++) {
        const ManifestTrack *track = manifest->tracks->pdata[i];

        g_string_append_printf(text, "%s %s\n", track->id, recipients[i]);
    }
    digest = digest_of(text->str, text->len);
    return digest_to_hex(&digest);
}

/* It may lie there since before the ring was changed. */
static bool
seal_to_recipients_of_now(const RewrapKeys *keys, const char *name, const AgeContext *context,
                          GError **error)
{
    switch (rewrap_object(keys, name, context, error)) {
    case REWRAP_DONE:
    case REWRAP_CURRENT:
        return true;
    case REWRAP_GONE:
    case REWRAP_REFUSED:
    case REWRAP_STOPPED:
    default:
        return false;
    }
}

static void
take_key(ResealKeys *self, EnvelopeKey *key)
{
    GPtrArray *identity = g_ptr_array_new();
    GPtrArray *recipient = g_ptr_array_new_with_free_func((GDestroyNotify) age_recipient_free);

    g_ptr_array_add(identity, key->identity);
    g_ptr_array_add(recipient, age_identity_recipient(key->identity));
    g_hash_table_replace(self->identities, key->track, identity);
    g_hash_table_replace(self->recipients, key->track, recipient);
}

/* Whether it holds these keys, one for each track, and nothing else. `claimed`: as
 * reseal_keys_digest(). */
static bool
is_claimed(const ResealKeys *self, const ManifestPart *manifest, const char *claimed)
{
    g_autoptr(GPtrArray) recipients = g_ptr_array_new();
    g_autofree char *digest = NULL;

    for (guint i = 0; i < manifest->tracks->len; i++) {
        const ManifestTrack *track = manifest->tracks->pdata[i];
        const GPtrArray *recipient = reseal_keys_recipients(self, track->id);

        if (recipient == NULL)
            return false;
        g_ptr_array_add(recipients, (char *) age_recipient_text(recipient->pdata[0]));
    }
    digest = reseal_keys_digest(manifest, (const char *const *) recipients->pdata);
    return self->opened->len == manifest->tracks->len && strcmp(digest, claimed) == 0;
}

GPtrArray *
reseal_keys_read(const RewrapKeys *keys, const ManifestPart *manifest, uint32_t generation,
                 Digest *digest, GError **error)
{
    g_autofree char *name = reseal_keys_name(manifest, generation);
    g_autoptr(AgeContext) context =
        age_context_new_envelope(manifest->org, manifest->session, generation);
    g_autoptr(GBytes) sealed = NULL;
    GPtrArray *opened = NULL;

    if (!seal_to_recipients_of_now(keys, name, context, error))
        return NULL;
    sealed = object_store_get(keys->store, name, error);
    if (sealed != NULL)
        opened = envelope_open(keys->identities, context, sealed, error);
    if (opened != NULL && digest != NULL)
        *digest = digest_of_bytes(sealed);
    return opened;
}

/* What does not open, or is not there, is not what was claimed either. */
static bool
is_of_another(const GError *fault)
{
    return fault->domain == CRYPTO_ERROR
               ? g_error_matches(fault, CRYPTO_ERROR, CRYPTO_ERROR_CONTEXT) ||
                     g_error_matches(fault, CRYPTO_ERROR, CRYPTO_ERROR_MALFORMED)
               : g_error_matches(fault, STORAGE_ERROR, STORAGE_ERROR_NOT_FOUND);
}

ResealKeys *
reseal_keys_open(const RewrapKeys *keys, const ManifestPart *manifest, uint32_t generation,
                 const char *claimed, GError **error)
{
    g_autoptr(ResealKeys) self = g_new0(ResealKeys, 1);
    GError *fault = NULL;

    self->identities = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, on_array_unref);
    self->recipients = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, on_array_unref);
    self->opened = reseal_keys_read(keys, manifest, generation, &self->envelope.digest, &fault);
    if (fault != NULL && !is_of_another(fault)) {
        g_propagate_error(error, fault);
        return NULL;
    }
    g_clear_error(&fault);
    for (guint i = 0; self->opened != NULL && i < self->opened->len; i++)
        take_key(self, self->opened->pdata[i]);
    if (self->opened == NULL || !is_claimed(self, manifest, claimed)) {
        g_set_error(error, STORAGE_ERROR, STORAGE_ERROR_CONFLICT,
                    "env/%u.age is another's, or is not there", generation);
        return NULL;
    }
    self->envelope.generation = generation;
    return g_steal_pointer(&self);
}

/* --- what it takes the place of --- */

typedef struct {
    const RewrapKeys *keys;
    const ManifestPart *manifest;
    GArray *gone; /* ResealEnvelope: found */
} Older;

/* Whether the envelope holds a key of a track that was sealed anew. */
static bool
holds_key(const ResealKeys *self, const GPtrArray *opened)
{
    for (guint i = 0; i < opened->len; i++) {
        if (reseal_keys_recipients(self, ((const EnvelopeKey *) opened->pdata[i])->track) != NULL)
            return true;
    }
    return false;
}

/* Notes the envelope of `generation` if it is replaced. */
static bool
look_at(const ResealKeys *self, const Older *older, uint32_t generation, GError **error)
{
    const ManifestPart *manifest = older->manifest;
    const RewrapKeys *keys = older->keys;
    g_autofree char *name = reseal_keys_name(manifest, generation);
    g_autoptr(AgeContext) context =
        age_context_new_envelope(manifest->org, manifest->session, generation);
    g_autoptr(GBytes) sealed = object_store_get(keys->store, name, error);
    g_autoptr(GPtrArray) opened =
        sealed != NULL ? envelope_open(keys->identities, context, sealed, error) : NULL;

    if (opened == NULL) {
        g_prefix_error(error, "%s: ", name);
        return false;
    }
    if (holds_key(self, opened)) {
        const ResealEnvelope row = {generation, digest_of_bytes(sealed)};

        g_array_append_val(older->gone, row);
    }
    return true;
}

/* Returns: all generations that lie there, ascending, owned. */
static GArray *
list_generations(const RewrapKeys *keys, const ManifestPart *manifest, GError **error)
{
    g_autofree char *prefix = object_key_join(manifest->org, manifest->session, "");
    g_autoptr(GPtrArray) names = object_store_list(keys->store, prefix, error);

    return names != NULL ? object_numbers_list(names, prefix, "env", ".age") : NULL;
}

bool
reseal_keys_describe(const ResealKeys *self, const RewrapKeys *keys, const ManifestPart *manifest,
                     ResealNote *note, GError **error)
{
    const Older older = {keys, manifest, note->gone};
    g_autoptr(GArray) found = list_generations(keys, manifest, error);

    note->envelope = self->envelope;
    for (guint i = 0; found != NULL && i < found->len; i++) {
        const uint32_t generation = g_array_index(found, uint32_t, i);

        if (generation < self->envelope.generation && !look_at(self, &older, generation, error))
            return false;
    }
    for (guint i = 0; i < manifest->tracks->len; i++) {
        const ManifestTrack *track = manifest->tracks->pdata[i];
        const AgeRecipient *recipient =
            g_ptr_array_index(reseal_keys_recipients(self, track->id), 0);
        const ResealTrack row = {track->id, track->recipient,
                                 (char *) age_recipient_text(recipient)};

        reseal_note_add_track(note, &row);
    }
    return found != NULL;
}
