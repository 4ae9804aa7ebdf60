#include "storage/upload_bodies.h"

#include "storage/direct_write.h"

#include <stdbool.h>

/* As long as nothing is put, memory is kept this long: over the cycles of one burst, not to the
 * next. */
#define KEPT_US (3 * G_TIME_SPAN_SECOND)

/* Room grows in such steps, so that batches of nearly the same size share it. */
enum { STEP_BYTES = 1 << 20 };

typedef struct {
    gatomicrefcount refs; /* one is ours, one each body's */
    size_t n_bytes;
    uint8_t *bytes; /* begins with a block */
} Slab;

struct UploadBodies {
    Slab *slab; /* or NULL */
    size_t n_taken;
    int64_t used_us; /* monotonic */
};

static void
slab_unref(void *data)
{
    Slab *self = data;

    if (g_atomic_ref_count_dec(&self->refs)) {
        g_aligned_free(self->bytes);
        g_free(self);
    }
}

static Slab *
slab_new(size_t n_bytes)
{
    Slab *self = g_new(Slab, 1);

    g_atomic_ref_count_init(&self->refs);
    self->n_bytes = n_bytes;
    self->bytes = g_aligned_alloc(1, n_bytes, DIRECT_WRITE_BLOCK);
    return self;
}

static size_t
blocks_for(size_t n_bytes)
{
    return (n_bytes + DIRECT_WRITE_BLOCK - 1) / DIRECT_WRITE_BLOCK;
}

UploadBodies *
upload_bodies_new(void)
{
    return g_new0(UploadBodies, 1);
}

void
upload_bodies_begin(UploadBodies *self, size_t n_bytes, size_t n_bodies)
{
    const size_t n_needed = n_bytes + n_bodies * (DIRECT_WRITE_BLOCK - 1);
    const bool is_free = self->slab != NULL && self->slab->n_bytes >= n_needed &&
                         g_atomic_ref_count_compare(&self->slab->refs, 1);

    if (!is_free) {
        g_clear_pointer(&self->slab, slab_unref);
        self->slab = slab_new((n_needed / STEP_BYTES + 1) * STEP_BYTES);
    }
    self->n_taken = 0;
    self->used_us = g_get_monotonic_time();
}

uint8_t *
upload_bodies_room(UploadBodies *self, size_t n_bytes)
{
    g_assert(n_bytes <= self->slab->n_bytes - self->n_taken);
    return self->slab->bytes + self->n_taken;
}

GBytes *
upload_bodies_take(UploadBodies *self, size_t n_bytes)
{
    const uint8_t *bytes = upload_bodies_room(self, n_bytes);

    self->n_taken = blocks_for(self->n_taken + n_bytes) * DIRECT_WRITE_BLOCK;
    g_atomic_ref_count_inc(&self->slab->refs);
    return g_bytes_new_with_free_func(bytes, n_bytes, slab_unref, self->slab);
}

void
upload_bodies_rest(UploadBodies *self)
{
    if (self->slab != NULL && g_get_monotonic_time() - self->used_us > KEPT_US) {
        g_clear_pointer(&self->slab, slab_unref);
    }
}

void
upload_bodies_free(UploadBodies *self)
{
    if (self == NULL)
        return;
    g_clear_pointer(&self->slab, slab_unref);
    g_free(self);
}
