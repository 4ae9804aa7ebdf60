#pragma once

#include "storage/catalogue.h"
#include "storage/sql_database.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* The catalogue's sessions, read and written. What is read is compared with the sum that was
 * written with it, so that no damaged row passes for a session. */

/* Returns: the whole entry, owned. Errors: NOT_FOUND; CORRUPT; any of the catalogue's. */
CatalogueEntry *catalogue_load(Catalogue *self, const char *org, const char *session,
                               GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Between catalogue_begin() and catalogue_end(): writes an entry in place of the one of its name.
 */
bool catalogue_save(Catalogue *self, const CatalogueEntry *entry,
                    GError **error) G_GNUC_WARN_UNUSED_RESULT;
bool catalogue_forget(Catalogue *self, const char *org, const char *session,
                      GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Calls `on_entry` with each whole entry, in order of organisation and session, until it returns
 * false. */
bool catalogue_each(Catalogue *self, bool (*on_entry)(const CatalogueEntry *entry, void *user_data),
                    void *user_data, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Reads them all. Errors: CORRUPT. */
bool catalogue_rows_check(Catalogue *self, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Reads the session in the present row, without its tracks, gaps and envelopes. `id`,
 * `details_digest` (owned): may be NULL. Errors: CORRUPT. */
CatalogueEntry *catalogue_read_row(Catalogue *self, SqlRows *rows, int64_t *id,
                                   char **details_digest, GError **error) G_GNUC_WARN_UNUSED_RESULT;
