#pragma once

#include "agent/reseal/reseal_keys.h"
#include "agent/reseal/reseal_lease.h"

/* The envelope of a sealing anew, put so that it is ours. Recipients are no secret: whoever may put
 * objects could put one there first, with keys that he has, and the run would seal to them. So the
 * keys are drawn, an annotation says which they are, and only then is the envelope put, under a
 * name that is free; what lies there is taken for it only if it holds those keys. */

/* Goes on with the envelope that a run before put, or makes one; where another lies there, under
 * the next generation. `keys`, `manifest`: borrowed for the call. Errors: BUSY - others put
 * envelopes there again and again; as reseal_keys_open(), reseal_lease_renew(); the store's. */
ResealKeys *reseal_envelope_open(const RewrapKeys *keys, const ManifestPart *manifest,
                                 ResealLease *lease, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Before anything old goes: whether the envelope that `note` names, as it lies there now, holds the
 * keys of its tracks. Seals it to the recipients of now, if it is not. Returns: GPtrArray of
 * EnvelopeKey, owned. Errors: CORRUPT - it does not; as reseal_keys_read(). */
GPtrArray *reseal_envelope_confirm(const RewrapKeys *keys, const ManifestPart *manifest,
                                   const ResealNote *note,
                                   GError **error) G_GNUC_WARN_UNUSED_RESULT;
