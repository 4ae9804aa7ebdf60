#pragma once

#include "storage/manifest.h"
#include "storage/spool_outbox.h"

/* What to upload of a session: pure decisions, no I/O. */

/* Consecutive segments of one track part that travel as one object. */
typedef struct {
    OutboxSession *session; /* borrowed */
    char *relative;         /* t<track>/<part>-<first>.tape */
    char *key;
    GPtrArray *segments; /* SpoolItem, borrowed from the session */
    uint64_t n_bytes;
    bool is_complete; /* nothing more can belong to it */
    bool is_stored;
} UploadObject;

/* Returns: GPtrArray of UploadObject (owned), each track's in order. An object is complete once a
 * segment of its track is of another, its part has ended, or the session has. */
GPtrArray *upload_plan_objects(OutboxSession *session);

/* Since when something of the session waits: the end of its oldest media that is in no part; where
 * there is none, the end of its newest. Returns: unix time; 0: nothing waits. */
int64_t upload_plan_oldest_us(const OutboxSession *session);

/* Makes the next manifest part: the segments of each track up to the first that is not stored, and
 * everything else. The last part if the session has ended and nothing is missing. `listed`: gets
 * the numbers of the items, as a body's list. Returns: NULL if there is no news worth a part. */
ManifestPart *upload_plan_part(const OutboxSession *session, const GPtrArray *objects,
                               GByteArray *listed);
