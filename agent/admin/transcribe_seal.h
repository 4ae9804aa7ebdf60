#pragma once

#include "agent/admin/command_context.h"

/* Has the recorder seal `text` (WebVTT) into the session of `manifest`, which is genuine and has
 * ended: sealing is its power, and it can not open what it has sealed. It gets the signed parts
 * that say where the text goes, for it may not read the store. Returns: its answer, owned. Errors:
 * what it says; nobody serves; the store's. */
json_t *transcribe_seal(CommandContext *context, ObjectStore *store, const ManifestPart *manifest,
                        const char *text, GError **error) G_GNUC_WARN_UNUSED_RESULT;
