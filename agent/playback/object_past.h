#pragma once

#include "crypto/age_past.h"
#include "storage/manifest.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

/* What a recorder's object was made with, kept beside the one that took its place after a sealing
 * anew: `r<generation>/t<track>/<part>-<first>.past` (docs/formats.md). One thread at a time. */
typedef struct ObjectPast ObjectPast;

/* `segment`: one of the object's. Returns: empty; NULL for an object that is not named as ours are:
 * CORRUPT. */
ObjectPast *object_past_new(const ManifestPart *manifest, const ManifestSegment *segment,
                            GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* `past`: taken. */
void object_past_add(ObjectPast *self, uint32_t index, AgePast *past);

/* The same for another place: when it is sealed anew once more, what it holds is handed on. */
void object_past_move(ObjectPast *self, ObjectPast *from);

/* Seals it to `recipients` (GPtrArray of AgeRecipient). Errors: as age_file_seal(). */
GBytes *object_past_seal(const ObjectPast *self, GPtrArray *recipients,
                         GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* `identities`: GPtrArray of the AgeIdentity of the track. Errors: as age_file_open(), and CORRUPT.
 */
ObjectPast *object_past_open(const ManifestPart *manifest, const ManifestSegment *segment,
                             GBytes *sealed, GPtrArray *identities,
                             GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Returns: its name within the session, borrowed. */
const char *object_past_name(const ObjectPast *self);

/* Whether what was sealed as that segment, with `plain` in it, had the digest `recorded`. Errors:
 * CORRUPT. */
bool object_past_prove(const ObjectPast *self, const ManifestSegment *segment,
                       const Digest *recorded, const struct iovec *plain,
                       GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* NULL is allowed. */
void object_past_free(ObjectPast *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ObjectPast, object_past_free)
