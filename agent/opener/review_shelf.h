#pragma once

#include "config/settings.h"

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>

/* The openings by break-glass that nobody has reviewed yet: a file each in the opener's own folder
 * (`access.state`), so that a restart forgets none. Each is sealed to the organisation's
 * recipients: who it was and why stands in no clear text. Functions of files alone; any thread.
 * Blocks. */

/* `id` must be drawn; `form` (borrowed): what a reviewer shall see. Returns: true once it would
 * survive a power cut. Errors: it can not be kept; then nothing may be opened. */
bool review_shelf_put(const char *folder, const OrgSettings *org, const char *id,
                      const json_t *form, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Returns: what waits in `org`, oldest first, a JSON list, owned; one that no identity opens is
 * there with its id alone. Errors: the folder can not be read. */
json_t *review_shelf_list(const char *folder, const char *org, GPtrArray *identities,
                          GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Returns: one of them, owned; NULL: there is none of this id. */
json_t *review_shelf_find(const char *folder, const char *org, const char *id,
                          GPtrArray *identities) G_GNUC_WARN_UNUSED_RESULT;

/* It has been reviewed, which is in the audit log. Errors: it stays. */
bool review_shelf_remove(const char *folder, const char *org, const char *id,
                         GError **error) G_GNUC_WARN_UNUSED_RESULT;
