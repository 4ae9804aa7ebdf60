#pragma once

#include "agent/keys/rewrap.h"
#include "storage/manifest.h"
#include "storage/reseal_note.h"

#include <glib.h>
#include <stdint.h>

/* The keys of a session that is sealed anew: one envelope with a new key for each of its tracks.
 * Its secrets are those that the envelope gives back as the store holds it, so that nothing is
 * sealed to a key that is lost with this program. */
typedef struct ResealKeys ResealKeys;

/* Returns: the whole name of an envelope, owned. */
char *reseal_keys_name(const ManifestPart *manifest, uint32_t generation);

/* `recipients`: one for each track of the manifest, in its order. Returns: hexadecimal SHA-256 of
 * lines `<track> <recipient>`, owned. */
char *reseal_keys_digest(const ManifestPart *manifest, const char *const *recipients);

/* Seals the envelope of `generation` to the recipients of now if it was sealed to others, and opens
 * what lies there then. `digest`: out, of its bytes; may be NULL. Returns: GPtrArray of
 * EnvelopeKey, owned. Errors: NOT_FOUND; as rewrap_object(), envelope_open(); the store's. */
GPtrArray *reseal_keys_read(const RewrapKeys *keys, const ManifestPart *manifest,
                            uint32_t generation, Digest *digest,
                            GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The same, of an envelope that must hold the keys that were `claimed` (reseal_keys_digest()).
 * `keys`, `manifest`: borrowed for the call. Errors: CONFLICT - another lies there, or none. */
ResealKeys *reseal_keys_open(const RewrapKeys *keys, const ManifestPart *manifest,
                             uint32_t generation, const char *claimed,
                             GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Of a track of the manifest; GPtrArray of the one AgeIdentity, or AgeRecipient; borrowed. */
GPtrArray *reseal_keys_identities(const ResealKeys *self, const char *track);
GPtrArray *reseal_keys_recipients(const ResealKeys *self, const char *track);

/* Adds to `note` the envelope, those that it takes the place of, and the tracks. What holds keys of
 * no track that was sealed anew, as a transcript's that is on its way, stays. Errors: an envelope
 * that none of the identities opens; the store's. */
bool reseal_keys_describe(const ResealKeys *self, const RewrapKeys *keys,
                          const ManifestPart *manifest, ResealNote *note,
                          GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Wipes the keys; NULL is allowed. */
void reseal_keys_free(ResealKeys *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ResealKeys, reseal_keys_free)
