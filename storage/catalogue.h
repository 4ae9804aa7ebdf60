#pragma once

#include "storage/catalogue_entry.h"

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* An index of the sessions of one store (docs/catalogue.md): what lists, shows and plans need,
 * without reading the store. It holds no name and no key, and nothing that the signed manifests do
 * not say better: it may be thrown away at any time and made again.
 *
 * Several processes may use one. Who replaces the file holds it alone meanwhile; who changes it
 * goes on in the new file by itself. Thread: one at a time. Everything here may block. */
typedef struct Catalogue Catalogue;

typedef enum {
    CATALOGUE_READ,
    CATALOGUE_WRITE, /* made if it is not there */
    CATALOGUE_FILL,  /* a new file, for nobody else to see until it is whole */
} CatalogueAccess;

/* Opens it, and checks a small one wholly.
 * Errors of all calls: NOT_FOUND - there is none (yet); BUSY - others are at it; DENIED - not with
 * these rights, or it is of a newer program, or none of ours; CORRUPT - damaged, make it anew;
 * FULL, IO. */
Catalogue *catalogue_open(const char *path, CatalogueAccess access,
                          GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Whether its structure is sound and every row is as it was written. Errors: CORRUPT - says what.
 */
bool catalogue_check(Catalogue *self, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Changes go between these two; nothing counts before catalogue_end() returned true. After
 * catalogue_begin() failed there is nothing to end. `is_good`: false takes back what was changed.
 */
bool catalogue_begin(Catalogue *self, GError **error) G_GNUC_WARN_UNUSED_RESULT;
bool catalogue_end(Catalogue *self, bool is_good, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Numbers that are kept beside the sessions: `running`, 1 while a recorder writes; `behind_us`,
 * since when sessions may be missing or old (unix time), 1: it was never compared with the store,
 * 0: none is. What was never set is 0. */
bool catalogue_fact(Catalogue *self, const char *name, int64_t *value,
                    GError **error) G_GNUC_WARN_UNUSED_RESULT;
bool catalogue_set_fact(Catalogue *self, const char *name, int64_t value,
                        GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Puts a damaged one aside, as <path>.damaged, so that a new one can be made. Errors: BUSY; others
 * of the file system. */
bool catalogue_set_aside(const char *path, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The same, for who holds the lock alone already. */
bool catalogue_set_aside_locked(const char *path, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* NULL is allowed; what was not ended is taken back. */
void catalogue_free(Catalogue *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Catalogue, catalogue_free)
