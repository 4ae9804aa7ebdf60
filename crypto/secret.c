#include "crypto/secret.h"

#include "crypto/secret_arena.h"

#include <sodium.h>

#define STACK_BYTES 16384 /* deeper than libsodium and the dynamic linker go together */

struct Secret {
    uint8_t *bytes; /* a slot of the arena */
    size_t n_bytes;
};

Secret *
secret_new_zero(size_t n_bytes, GError **error)
{
    g_assert(n_bytes > 0);
    uint8_t *bytes = secret_arena_take(n_bytes, error);

    if (bytes == NULL)
        return NULL;
    Secret *self = g_new(Secret, 1);
    self->bytes = bytes;
    self->n_bytes = n_bytes;
    return self;
}

Secret *
secret_new_random(size_t n_bytes, GError **error)
{
    Secret *self = secret_new_zero(n_bytes, error);

    if (self != NULL)
        randombytes_buf(self->bytes, n_bytes);
    return self;
}

uint8_t *
secret_bytes(Secret *self)
{
    return self->bytes;
}

const uint8_t *
secret_peek(const Secret *self)
{
    return self->bytes;
}

size_t
secret_length(const Secret *self)
{
    return self->n_bytes;
}

bool
secret_equal(const Secret *a, const Secret *b)
{
    return a->n_bytes == b->n_bytes && sodium_memcmp(a->bytes, b->bytes, a->n_bytes) == 0;
}

void
secret_truncate(Secret *self, size_t n_bytes)
{
    g_assert(n_bytes <= self->n_bytes);
    sodium_memzero(self->bytes + n_bytes, self->n_bytes - n_bytes);
    self->n_bytes = n_bytes;
}

void
secret_wipe_stack(void)
{
    sodium_stackzero(STACK_BYTES);
}

void
secret_free(Secret *self)
{
    if (self == NULL)
        return;
    secret_arena_give_back(self->bytes);
    g_free(self);
}
