#include "crypto/plain_buffer.h"

#include <sodium.h>

/* Rounded up, so that segments of one track, which are about as long, seldom need another. */
#define STEP_BYTES ((size_t) 128 << 10)

static void
wipe(PlainBuffer *self)
{
    if (self->n_bytes > 0)
        sodium_memzero(self->bytes, self->n_bytes);
    self->n_bytes = 0;
}

void
plain_buffer_resize(PlainBuffer *self, size_t n_bytes)
{
    wipe(self);
    if (self->bytes == NULL || n_bytes > self->n_room) {
        self->n_room = (n_bytes / STEP_BYTES + 1) * STEP_BYTES;
        g_free(self->bytes); /* not realloc(): it would copy, and leave things behind */
        self->bytes = g_malloc(self->n_room);
    }
    self->n_bytes = n_bytes;
}

void
plain_buffer_clear(PlainBuffer *self)
{
    wipe(self);
    g_clear_pointer(&self->bytes, g_free);
    self->n_room = 0;
}
