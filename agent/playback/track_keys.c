#include "agent/playback/track_keys.h"

#include "crypto/age_context.h"
#include "crypto/age_file.h"
#include "crypto/crypto_error.h"
#include "crypto/envelope.h"

#include <string.h>

struct TrackKeys {
    const ManifestPart *manifest; /* borrowed */
    GHashTable *tracks;           /* id -> GPtrArray of AgeIdentity */
    GPtrArray *envelopes;         /* EnvelopeKey arrays: they own the identities */
    GError *trouble;              /* the first */
};

static void
note_trouble(TrackKeys *self, GError *trouble)
{
    if (self->trouble == NULL) {
        self->trouble = trouble;
    } else {
        g_error_free(trouble);
    }
}

static const ManifestTrack *
find_track(const ManifestPart *manifest, const char *id)
{
    for (guint i = 0; i < manifest->tracks->len; i++) {
        const ManifestTrack *track = manifest->tracks->pdata[i];

        if (strcmp(track->id, id) == 0)
            return track;
    }
    return NULL;
}

static void
take_key(TrackKeys *self, const char *name, const EnvelopeKey *key)
{
    const ManifestTrack *track = find_track(self->manifest, key->track);
    g_autoptr(AgeRecipient) recipient = age_identity_recipient(key->identity);
    GPtrArray *one = NULL;

    if (track == NULL)
        return; /* its track never came to record anything */
    if (strcmp(age_recipient_text(recipient), track->recipient) != 0) {
        note_trouble(self, g_error_new(CRYPTO_ERROR, CRYPTO_ERROR_CONTEXT,
                                       "envelope %s holds another key for track %s than the signed "
                                       "manifest names: it was swapped or changed",
                                       name, key->track));
        return;
    }
    one = g_ptr_array_new();
    g_ptr_array_add(one, key->identity);
    g_hash_table_replace(self->tracks, track->id, one);
}

/* Returns: the sentence for an envelope that does not open, owned. */
static GError *
explain(const char *name, GBytes *sealed, const GError *cause)
{
    g_autofree char *claimed = NULL;

    if (g_error_matches(cause, CRYPTO_ERROR, CRYPTO_ERROR_NO_MATCH)) {
        return g_error_new(cause->domain, cause->code,
                           "none of the given identities opens envelope %s: it was sealed for "
                           "other recipients",
                           name);
    }
    if (!g_error_matches(cause, CRYPTO_ERROR, CRYPTO_ERROR_CONTEXT)) {
        return g_error_new(cause->domain, cause->code, "envelope %s does not open: %s", name,
                           cause->message);
    }
    claimed =
        age_file_claimed_context(g_bytes_get_data(sealed, NULL), g_bytes_get_size(sealed), NULL);
    return g_error_new(cause->domain, cause->code,
                       "envelope %s does not belong in this place; it says `%s`", name,
                       claimed != NULL ? claimed : "nothing");
}

/* Reads `env/<generation>.age`. Returns: false for another name. */
static bool
read_generation(const char *name, uint32_t *generation)
{
    const char *base = strrchr(name, '/') + 1;
    char *end = NULL;
    guint64 number = g_ascii_strtoull(base, &end, 10);

    *generation = (uint32_t) number;
    return g_ascii_isdigit(base[0]) && number <= G_MAXUINT32 && strcmp(end, ".age") == 0;
}

static bool
open_envelope(TrackKeys *self, ObjectStore *store, const char *name, GPtrArray *identities,
              GError **error)
{
    g_autoptr(AgeContext) context = NULL;
    g_autoptr(GBytes) sealed = NULL;
    g_autoptr(GError) fault = NULL;
    GPtrArray *keys = NULL;
    uint32_t generation = 0;

    if (!read_generation(name, &generation))
        return true; /* `verify` names what does not belong */
    sealed = object_store_get(store, name, error);
    if (sealed == NULL)
        return false;
    context = age_context_new_envelope(self->manifest->org, self->manifest->session, generation);
    keys = envelope_open(identities, context, sealed, &fault);
    if (keys == NULL) {
        note_trouble(self, explain(name, sealed, fault));
        return true;
    }
    g_ptr_array_add(self->envelopes, keys);
    for (guint i = 0; i < keys->len; i++)
        take_key(self, name, keys->pdata[i]);
    return true;
}

static void
on_array_unref(gpointer array)
{
    g_ptr_array_unref(array);
}

TrackKeys *
track_keys_open(ObjectStore *store, const ManifestPart *manifest, GPtrArray *identities,
                GError **error)
{
    g_autoptr(TrackKeys) self = g_new0(TrackKeys, 1);
    g_autofree char *prefix = g_strdup_printf("%s/%s/env/", manifest->org, manifest->session);
    g_autoptr(GPtrArray) names = object_store_list(store, prefix, error);

    self->manifest = manifest;
    self->tracks = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, on_array_unref);
    self->envelopes = g_ptr_array_new_with_free_func(on_array_unref);
    if (names == NULL)
        return NULL;
    for (guint i = 0; i < names->len; i++) {
        if (!open_envelope(self, store, names->pdata[i], identities, error))
            return NULL;
    }
    return g_steal_pointer(&self);
}

GPtrArray *
track_keys_of(const TrackKeys *self, const char *track, GError **error)
{
    GPtrArray *keys = g_hash_table_lookup(self->tracks, track);

    if (keys == NULL && self->trouble != NULL) {
        g_propagate_error(error, g_error_copy(self->trouble));
    } else if (keys == NULL) {
        g_set_error(error, CRYPTO_ERROR, CRYPTO_ERROR_NO_MATCH,
                    "no envelope of the session holds the key of track %s", track);
    }
    return keys;
}

const char *
track_keys_trouble(const TrackKeys *self)
{
    return self->trouble != NULL ? self->trouble->message : NULL;
}

void
track_keys_free(TrackKeys *self)
{
    if (self == NULL)
        return;
    g_clear_pointer(&self->tracks, g_hash_table_unref);
    g_clear_pointer(&self->envelopes, g_ptr_array_unref);
    g_clear_error(&self->trouble);
    g_free(self);
}
