#pragma once

#include "crypto/age_context.h"
#include "storage/object_store.h"

#include <glib.h>

/* What of a session is sealed to its organisation, and so has to follow its keys: envelopes and
 * metadata, `<org>/<session>/env/<generation>.age` and `.../meta.age`. */

/* Returns: GPtrArray of char * (owned): the names of all `.age` objects of the session. Errors: the
 * store's. */
GPtrArray *sealed_objects_list(ObjectStore *store, const char *org, const char *session,
                               GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Returns: the place that an object of this name must claim, owned; NULL for a name that nothing
 * sealed has. */
AgeContext *sealed_objects_context(const char *org, const char *session, const char *name);
