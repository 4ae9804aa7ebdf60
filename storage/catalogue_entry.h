#pragma once

#include "crypto/digest.h"
#include "storage/manifest.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* What the catalogue says of one session: sums over its signed manifest, and which envelopes it
 * has. The same parts give the same entry, whether they come one by one while it is recorded or all
 * at once out of the store. Pure values. */

typedef struct {
    char *id, *kind, *codec, *participant;
    int64_t from_us;
    int64_t until_us; /* end of its last segment or gap */
    uint64_t n_segments, n_parts, n_bytes;
} CatalogueTrack;

typedef struct {
    char *track, *reason;
    uint64_t n_gaps;
    int64_t duration_us; /* all together */
} CatalogueGap;

typedef struct {
    char *org, *session;
    const char *state;  /* open, stored, incomplete, erased; static */
    const char *reason; /* of incomplete: interrupted, segments-lost; of erased: bytes-locked; else
                           empty; static */
    int64_t created_us; /* unix time of the timeline's zero; 0: no track yet */
    int64_t ended_us;   /* unix time; 0: open */
    int64_t duration_us;
    uint64_t n_tracks, n_segments, n_bytes;
    uint32_t n_parts;  /* of the manifest */
    char *head;        /* SHA-256 of the last part's note, hexadecimal; empty: none. Each part names
                          the one before, so it stands for all */
    char *policy;      /* digest of the last policy line; empty: none */
    GPtrArray *tracks; /* CatalogueTrack, by id */
    GPtrArray *gaps;   /* CatalogueGap, by track and reason */
    GArray *envelopes; /* uint32_t: generations, ascending */
} CatalogueEntry;

CatalogueEntry *catalogue_entry_new(const char *org, const char *session);

/* Adds a manifest part; one that was added before changes nothing. `note`: digest of the whole
 * note. Errors: NOT_FOUND - a part before it is missing; CONFLICT - it does not follow what was
 * added. */
bool catalogue_entry_add_part(CatalogueEntry *self, const ManifestPart *part, const Digest *note,
                              GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Returns: whether it was new. */
bool catalogue_entry_add_envelope(CatalogueEntry *self, uint32_t generation);

/* For who reads entries back. `state` and `reason` as in the entry. Returns: false for what is
 * none. */
bool catalogue_entry_set_state(CatalogueEntry *self, const char *state,
                               const char *reason) G_GNUC_WARN_UNUSED_RESULT;

/* Its canonical text: a `session` line, then `track`, `gap` and `envelope` lines. `details`: the
 * lines after the first. Owned. */
char *catalogue_entry_line(const CatalogueEntry *self, const char *details_digest);
char *catalogue_entry_details(const CatalogueEntry *self);

/* Whether a gap of that reason stands for media that had arrived and was lost on the way to the
 * store. */
bool catalogue_gap_is_loss(const char *reason);

void catalogue_entry_free(CatalogueEntry *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CatalogueEntry, catalogue_entry_free)
void catalogue_track_free(CatalogueTrack *self);
void catalogue_gap_free(CatalogueGap *self);
