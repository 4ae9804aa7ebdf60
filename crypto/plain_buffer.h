#pragma once

#include <glib.h>
#include <stddef.h>
#include <stdint.h>

/* Plaintext in a block that is used again and again: fresh pages for each segment cost several
 * times what opening it costs. What it held is wiped before it holds something else, and when it is
 * cleared. {0} is an empty one. */
typedef struct {
    uint8_t *bytes; /* never NULL after a resize */
    size_t n_bytes;
    size_t n_room; /* the block's own */
} PlainBuffer;

/* Wipes it, and makes room for `n_bytes`, of whatever content. */
void plain_buffer_resize(PlainBuffer *self, size_t n_bytes);

/* Wipes it and gives its block back; it is empty then. */
void plain_buffer_clear(PlainBuffer *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(PlainBuffer, plain_buffer_clear)
