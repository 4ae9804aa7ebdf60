#pragma once

#include "storage/recording.h"

#include <glib.h>
#include <stdbool.h>
#include <sys/uio.h>

/* Opens segments of a recording: the one way for everyone who does. Of a session that was sealed
 * anew each is proven to be what its recorder signed. One thread at a time; several may open the
 * same recording. */
typedef struct SegmentOpening SegmentOpening;

/* `recording`: borrowed until segment_opening_free(). */
SegmentOpening *segment_opening_new(const Recording *recording);

/* `identities`: GPtrArray of the AgeIdentity of its track; `sealed`: as recording_read_segment()
 * gave it; all borrowed. Returns: the plaintext, to be wiped with age_file_wipe(). Errors: as
 * age_file_open(); CORRUPT - it was sealed anew and is not what the recorder signed, or that can
 * not be proven; the store's. */
GByteArray *segment_opening_open(SegmentOpening *self, GPtrArray *identities,
                                 const ManifestSegment *segment, GBytes *sealed,
                                 GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The second half of that, for who opens it into a block of their own: whether `plain` is what the
 * recorder signed; true of what was never sealed anew. Errors: CORRUPT; the store's. */
bool segment_opening_prove(SegmentOpening *self, GPtrArray *identities,
                           const ManifestSegment *segment, const struct iovec *plain,
                           GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* NULL is allowed. */
void segment_opening_free(SegmentOpening *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SegmentOpening, segment_opening_free)
