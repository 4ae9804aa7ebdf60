#pragma once

#include "storage/spool.h"
#include "storage/spool_index.h"

/* The uploader's side of the spool: what is durable and not yet stored. Thread: the uploader's
 * only. */

/* One session, as it stands: copies, and counted references. */
typedef struct {
    char *org, *id;
    int64_t created_unix_us;
    SessionEnd state; /* SESSION_OPEN until its end is durable */
    uint32_t n_parts;
    Digest previous;
    SpoolItem *part;   /* signed and durable, to be put; or NULL */
    GPtrArray *items;  /* SpoolItem: durable, and in no part yet */
    GPtrArray *tracks; /* SpoolTrack */
    bool has_failed;   /* in this look (the uploader's) */
} OutboxSession;

/* Returns: GPtrArray of OutboxSession (owned), oldest first; without those whose newest part is not
 * durable. */
GPtrArray *spool_outbox_view(Spool *self);

/* Reads a segment's sealed bytes into `bytes`, which has room for them, and checks their digest.
 * Errors: CORRUPT, IO. */
bool spool_outbox_read(Spool *self, const SpoolItem *segment, uint8_t *bytes,
                       GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Gives up a segment that can not be read: sets its bytes aside and puts a gap `corrupt` in its
 * place. */
bool spool_outbox_drop(Spool *self, const SpoolItem *segment,
                       GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The object is in the store: lets go of it. */
bool spool_outbox_drop_object(Spool *self, const SpoolItem *object,
                              GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Keeps a signed part; after spool_commit() it may be put. Returns: it, as an item (owned). */
SpoolItem *spool_outbox_add_part(Spool *self, const char *session, const SpoolPart *part,
                                 GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The part is in the store: lets go of what it lists, or with the last part of the whole session.
 */
bool spool_outbox_release(Spool *self, const char *session, uint32_t part,
                          GError **error) G_GNUC_WARN_UNUSED_RESULT;
