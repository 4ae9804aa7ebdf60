#pragma once

#include "config/settings.h"

#include <glib.h>
#include <stdbool.h>

/* The organisations as their files said when they were read last, and, for whoever still decides by
 * them, as they said before. Main thread; what is found may be read by any thread and lives as long
 * as the book. */
typedef struct OrgBook OrgBook;

/* `settings`: borrowed for the book's life. */
OrgBook *org_book_new(const Settings *settings);

/* Reads all files again. The organisations are then those of the files; everything else of the
 * settings stays as it was at the start.
 * Errors: any CONFIG_ERROR - names the file and the line; nothing has changed. */
bool org_book_reload(OrgBook *self, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Returns: OrgSettings of all, borrowed. */
const GPtrArray *org_book_list(const OrgBook *self);

/* Returns: borrowed; NULL if there is no such organisation (any more). */
const OrgSettings *org_book_find(const OrgBook *self, const char *org);

/* NULL is allowed. */
void org_book_free(OrgBook *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(OrgBook, org_book_free)
