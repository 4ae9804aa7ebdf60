#include "agent/reseal/reseal_envelope.h"

#include "crypto/age_context.h"
#include "crypto/age_file.h"
#include "crypto/envelope.h"
#include "storage/object_key.h"
#include "storage/storage_error.h"

#include <string.h>

enum { MOST_TRIES = 5 };

/* Returns: an envelope with a new key for each track, owned. `digest`: out: of these keys, owned.
 */
static GBytes *
make(const RewrapKeys *keys, const ManifestPart *manifest, uint32_t generation, char **digest,
     GError **error)
{
    g_autoptr(EnvelopeBuilder) builder =
        envelope_builder_new(manifest->org, manifest->session, generation);
    g_autoptr(GPtrArray) recipients = g_ptr_array_new_with_free_func(g_free);

    for (guint i = 0; i < manifest->tracks->len; i++) {
        const ManifestTrack *track = manifest->tracks->pdata[i];
        char *recipient = envelope_builder_add_track(builder, track->id, error);

        if (recipient == NULL)
            return NULL;
        g_ptr_array_add(recipients, recipient);
    }
    *digest = reseal_keys_digest(manifest, (const char *const *) recipients->pdata);
    return envelope_builder_seal(builder, keys->recipients, error);
}

/* Draws keys, claims them, and puts their envelope. Errors: CONFLICT - the name is taken. */
static bool
place(const RewrapKeys *keys, const ManifestPart *manifest, ResealLease *lease, GError **error)
{
    g_autofree char *name = reseal_keys_name(manifest, reseal_lease_generation(lease));
    g_autofree char *digest = NULL;
    g_autoptr(GBytes) fresh = make(keys, manifest, reseal_lease_generation(lease), &digest, error);

    return fresh != NULL && reseal_lease_claim(lease, digest, error) &&
           object_store_put(keys->store, name, fresh, error);
}

/* Returns: NULL with `error`: CONFLICT - another envelope lies there, or what was claimed never
 * came to be put. */
static ResealKeys *
open_once(const RewrapKeys *keys, const ManifestPart *manifest, ResealLease *lease, GError **error)
{
    if (reseal_lease_keys(lease) == NULL && !place(keys, manifest, lease, error))
        return NULL;
    return reseal_keys_open(keys, manifest, reseal_lease_generation(lease),
                            reseal_lease_keys(lease), error);
}

ResealKeys *
reseal_envelope_open(const RewrapKeys *keys, const ManifestPart *manifest, ResealLease *lease,
                     GError **error)
{
    for (int i = 0; i < MOST_TRIES; i++) {
        GError *fault = NULL;
        ResealKeys *opened = open_once(keys, manifest, lease, &fault);

        if (opened != NULL)
            return opened;
        if (!g_error_matches(fault, STORAGE_ERROR, STORAGE_ERROR_CONFLICT)) {
            g_propagate_error(error, fault);
            return NULL;
        }
        g_clear_error(&fault);
        if (!reseal_lease_move_on(lease, error))
            return NULL;
    }
    g_set_error(error, STORAGE_ERROR, STORAGE_ERROR_BUSY,
                "others put envelopes there again and again; try later");
    return NULL;
}

/* Whether the envelope holds the key that the track has now. */
static bool
holds(const GPtrArray *opened, const ResealTrack *track)
{
    for (guint i = 0; i < opened->len; i++) {
        const EnvelopeKey *key = opened->pdata[i];
        g_autoptr(AgeRecipient) own = age_identity_recipient(key->identity);

        if (strcmp(key->track, track->id) == 0 && strcmp(age_recipient_text(own), track->now) == 0)
            return true;
    }
    return false;
}

GPtrArray *
reseal_envelope_confirm(const RewrapKeys *keys, const ManifestPart *manifest,
                        const ResealNote *note, GError **error)
{
    const uint32_t generation = note->envelope.generation;
    g_autoptr(GPtrArray) opened = reseal_keys_read(keys, manifest, generation, NULL, error);

    for (guint i = 0; opened != NULL && i < note->tracks->len; i++) {
        const ResealTrack *track = note->tracks->pdata[i];

        if (holds(opened, track))
            continue;
        g_set_error(error, STORAGE_ERROR, STORAGE_ERROR_CORRUPT,
                    "env/%u.age does not hold the key that track %s was sealed anew with: nothing "
                    "of before is removed",
                    generation, track->id);
        return NULL;
    }
    return g_steal_pointer(&opened);
}
