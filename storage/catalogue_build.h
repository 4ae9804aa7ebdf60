#pragma once

#include "storage/catalogue.h"
#include "storage/object_store.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* The catalogue out of the store: every session's signed manifest, checked part by part, and the
 * generations of its envelope. */

typedef struct {
    ObjectStore *store;    /* borrowed, as all here */
    GPtrArray *verifiers;  /* NoteVerifier: of manifests */
    GPtrArray *annotators; /* NoteVerifier: of erasures */

    /* Between two sessions; false stops. May change the catalogue itself. May be NULL. */
    bool (*on_progress)(uint64_t done, uint64_t total, void *user_data);

    /* A manifest that is not genuine or whole: the session stands in the catalogue as far as it is.
     * May be NULL. */
    void (*on_finding)(const char *session, const char *sentence, void *user_data);
    void *user_data;
} CatalogueSource;

/* Adds what the catalogue does not have yet. A session that has ended in it is not read again.
 * Errors: any of the store's or the catalogue's; what was added until then stays. Stopped by
 * `on_progress` it returns false without an error. */
bool catalogue_update(Catalogue *self, const CatalogueSource *source,
                      GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Only what was erased, of `org` (NULL: of all): so that a catalogue out of a backup brings nothing
 * back. */
bool catalogue_update_erased(Catalogue *self, const CatalogueSource *source, const char *org,
                             GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Makes a new catalogue beside `path` and puts it in the place of the old one at once; what a
 * recorder adds meanwhile is in the new one too. When a session was scrubbed is kept, if the old
 * one can be read; if it is damaged it stays as <path>.damaged. Errors: as above; DENIED also where
 * the file there is of a newer program or no catalogue: it stays. */
bool catalogue_rebuild(const char *path, const CatalogueSource *source,
                       GError **error) G_GNUC_WARN_UNUSED_RESULT;
