#pragma once

#include "storage/object_store.h"
#include "storage/spool_outbox.h"

#include <glib.h>
#include <stdint.h>

/* A folder of its own with a spool and a store in it, and short ways to fill them. All asserts. */
typedef struct {
    char *root, *spool_path, *store_path;
    gboolean is_owner;
} SpoolFixture;

SpoolFixture *spool_fixture_new(void);

/* One that another process made and removes. */
SpoolFixture *spool_fixture_join(const char *root);

/* Opens the spool with small log files (`file_bytes`; 0: the default). */
Spool *spool_fixture_open(const SpoolFixture *self, uint64_t file_bytes);
ObjectStore *spool_fixture_store(const SpoolFixture *self);

/* A session of organisation `clinic-a` whose timeline began at unix time 1000 s, with these tracks
 * from 0. */
void spool_fixture_begin(Spool *spool, const char *session, const char *const *tracks);

/* Appends a sealed segment of one second, index `index` of part 0, in objects of three. Its bytes
 * are a real age header naming its place, then junk. */
void spool_fixture_add(Spool *spool, const char *session, const char *track, uint32_t index);

/* Makes what spool_fixture_add() adds. */
SealedSegment *spool_fixture_segment(const char *session, const char *track, uint32_t index);

/* What each track's end counts. */
TrackCounts spool_fixture_counts(void);
void spool_fixture_close(Spool *spool, const char *session, const char *const *tracks,
                         int64_t until_us);
void spool_fixture_commit(Spool *spool);

/* Returns: the segment's sealed bytes as the uploader reads them, or NULL. */
GBytes *spool_fixture_read(Spool *spool, const SpoolItem *segment, GError **error);

/* Returns: the bytes of the spool's newest log file. */
GBytes *spool_fixture_read_log(const SpoolFixture *self, char **name);
void spool_fixture_write_log(const SpoolFixture *self, const char *name, const void *bytes,
                             size_t n_bytes);

void spool_fixture_free(SpoolFixture *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SpoolFixture, spool_fixture_free)
