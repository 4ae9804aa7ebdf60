#pragma once

#include "storage/upload_cycle.h"

#include <glib.h>

/* Puts what the store must have before any media of a session: its envelopes, without which nothing
 * could ever be opened, and its metadata. `sessions`: of OutboxSession; one that lacks something
 * afterwards has failed, and must not be gone on with. */
void upload_ahead(UploadCycle *self, const GPtrArray *sessions);
