#pragma once

#include "storage/object_store.h"

#include <glib.h>
#include <stdint.h>

/* Reads an object's stretches one after the other: each into the same block, since fresh pages cost
 * more than reading does, and small ones several at a time, since each request costs. One thread.
 */
typedef struct ObjectWindow ObjectWindow;

/* `store`: borrowed. */
ObjectWindow *object_window_new(ObjectStore *store);

/* Returns: `n_bytes` (> 0) of the object `key` from `offset` on, borrowed until the next call.
 * Errors: as object_store_get_range(), which is not asked again for that object until another was
 * wanted; CORRUPT - the object ends sooner. */
const uint8_t *object_window_read(ObjectWindow *self, const char *key, uint64_t offset,
                                  size_t n_bytes, GError **error) G_GNUC_WARN_UNUSED_RESULT;

void object_window_free(ObjectWindow *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ObjectWindow, object_window_free)
