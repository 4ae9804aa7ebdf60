#pragma once

#include <glib.h>
#include <stdint.h>

/* The bodies of one batch of objects, side by side in memory that the next batch uses again: fresh
 * pages for every object cost more than all else that storing it does. Each begins at a multiple of
 * DIRECT_WRITE_BLOCK: a store may write it past the page cache. Thread: the uploader's only. */
typedef struct UploadBodies UploadBodies;

UploadBodies *upload_bodies_new(void);

/* Makes room for a batch of at most `n_bodies` of `n_bytes` in all, and for the gaps between them;
 * bodies handed out before stay good as long as they are held. */
void upload_bodies_begin(UploadBodies *self, size_t n_bytes, size_t n_bodies);

/* Returns: where the next body's bytes go, at least `n_bytes` of the room asked for. */
uint8_t *upload_bodies_room(UploadBodies *self, size_t n_bytes);

/* Returns: the first `n_bytes` of that room as a body; the next one begins with the next
 * block. */
GBytes *upload_bodies_take(UploadBodies *self, size_t n_bytes);

/* Nothing is put now: after some seconds of that the memory is given back, for
 * objects of many come in bursts. */
void upload_bodies_rest(UploadBodies *self);

void upload_bodies_free(UploadBodies *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(UploadBodies, upload_bodies_free)
