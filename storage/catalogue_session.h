#pragma once

#include "storage/catalogue_build.h"
#include "storage/catalogue_entry.h"

/* One session as the store has it now.
 * `entry`: what is known already; only what is missing is read. `has_news`: whether anything was
 * added. Errors: the store's. Inside storage/ only. */
bool catalogue_session_read(CatalogueEntry *entry, const CatalogueSource *source, bool *has_news,
                            GError **error) G_GNUC_WARN_UNUSED_RESULT;
