#pragma once

#include "storage/spool_file.h"
#include "storage/spool_record.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* What the spool's log means: the sessions that are not wholly stored yet and the items of their
 * manifests. Appending and replaying change it by the same function, so that a restart sees what
 * the process saw. Does no I/O. Owned by the spool, under its lock. */

/* A record that stays of interest. Counted; what is said to be under the spool's lock changes, the
 * rest does not. */
typedef struct {
    GBytes *bytes;      /* frame and body */
    SpoolRecord record; /* borrows from `bytes`; a SEGMENT_REF has become a SEGMENT */
    uint32_t listed_in; /* number of the part that lists it, 0: none yet (under the spool's lock) */
    SpoolFile *file;    /* of a segment: where its sealed bytes lie (under the spool's lock) */
    uint64_t offset;
    GBytes *sealed;  /* of a segment that was never flushed: its bytes (under the spool's lock) */
    bool is_damaged; /* found at start: its sealed bytes are gone or changed */
    bool is_stored;  /* its object is in the store (the uploader's) */
} SpoolItem;

typedef struct {
    char *id;
    int64_t from_us, until_us;
    int64_t covered_us; /* end of the last segment or gap */
    int64_t listed_us;  /* the same, of those that manifest parts list */
    uint32_t n_listed;
    TrackCounts counts; /* once the recorder ended it */
} SpoolTrack;

typedef struct {
    char *org, *id;
    int64_t created_unix_us;
    SessionEnd state;
    uint64_t begin_number,
        close_number; /* of the records that began and ended it; 0 after a restart */
    uint32_t n_parts;
    Digest previous;
    GPtrArray *tracks; /* SpoolTrack, in order of appearance */
    GPtrArray *items;  /* SpoolItem, by number */
    SpoolItem *part;   /* signed, and not yet known to be in the store */
} SpoolSession;

typedef struct {
    GPtrArray *sessions; /* SpoolSession, in order of appearance */
    GHashTable *by_id;
} SpoolIndex;

SpoolIndex *spool_index_new(void);

/* Finds a session; NULL if there is none, or it is wholly stored. */
SpoolSession *spool_index_find(const SpoolIndex *self, const char *session);
SpoolTrack *spool_session_find_track(const SpoolSession *self, const char *track);

/* Does what `item` says; takes a reference if it keeps it. Doing it twice changes nothing.
 * Returns: false if it speaks of a session, track or part that is not there. */
bool spool_index_apply(SpoolIndex *self, SpoolItem *item) G_GNUC_WARN_UNUSED_RESULT;

/* Removes an item from its session (a segment that can not be read). */
void spool_index_forget(SpoolIndex *self, const char *session, uint64_t number);

void spool_index_free(SpoolIndex *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SpoolIndex, spool_index_free)

/* Takes `bytes` (one frame and body). Returns: NULL if they are not genuine. */
SpoolItem *spool_item_new(GBytes *bytes);

/* Of a segment or gap: its end on the timeline. */
int64_t spool_item_end_us(const SpoolItem *self);
SpoolItem *spool_item_ref(SpoolItem *self);
void spool_item_unref(SpoolItem *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SpoolItem, spool_item_unref)
