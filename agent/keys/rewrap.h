#pragma once

#include "crypto/age_context.h"
#include "storage/object_store.h"

#include <glib.h>

/* Seals one object anew, to the recipients of now. In this order:
 *  1. it is opened, with any identity at hand;
 *  2. one that is sealed to exactly these recipients already, and says so under its MAC, is left;
 *  3. what was in it is sealed to the recipients;
 *  4. the result is opened again, with each identity of a recipient that is at hand, and must give
 *     the same: only then
 *  5. it takes the old one's place, if that is still what was read. */

typedef struct {
    ObjectStore *store;
    GPtrArray *recipients; /* AgeRecipient: exactly these */
    GPtrArray *identities; /* AgeIdentity: whatever opens the old or the new */
} RewrapKeys;

typedef enum {
    REWRAP_DONE,
    REWRAP_CURRENT, /* nothing to do */
    REWRAP_GONE,    /* erased meanwhile */
    REWRAP_REFUSED, /* stays as it is: `error` says why */
    REWRAP_STOPPED, /* the store failed, or a token: so would all others */
} RewrapResult;

/* Whether an identity at hand belongs to one of the recipients: without one, nothing could be
 * proven. */
bool rewrap_can_prove(const RewrapKeys *keys);

/* `name`: of the object; `context`: its place. Thread: any. Blocks. */
RewrapResult rewrap_object(const RewrapKeys *keys, const char *name, const AgeContext *context,
                           GError **error);
