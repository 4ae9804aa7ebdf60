#include "storage/object_window.h"

#include "storage/storage_error.h"

#include <string.h>

/* A minute of sound. */
#define AHEAD_BYTES ((size_t) 512 << 10)

struct ObjectWindow {
    ObjectStore *store;
    char *key; /* NULL: holds nothing */
    uint64_t offset;
    size_t n_bytes;
    uint8_t *bytes;
    size_t n_room;
    char *refused; /* the object that the store did not give when it was asked last */
    GError *refusal;
};

ObjectWindow *
object_window_new(ObjectStore *store)
{
    ObjectWindow *self = g_new0(ObjectWindow, 1);

    self->store = store;
    return self;
}

static bool
holds(const ObjectWindow *self, const char *key, uint64_t offset, size_t n_bytes)
{
    return g_strcmp0(self->key, key) == 0 && offset >= self->offset &&
           offset - self->offset <= self->n_bytes &&
           n_bytes <= self->n_bytes - (size_t) (offset - self->offset);
}

/* Each refusal may have taken all the time that tries may take, so an object is asked for once. */
static bool
ask(ObjectWindow *self, const char *key, ObjectRange *range)
{
    if (g_strcmp0(self->refused, key) == 0)
        return false;
    g_clear_pointer(&self->refused, g_free);
    g_clear_error(&self->refusal);
    if (object_store_get_range(self->store, key, range, &self->refusal))
        return true;
    self->refused = g_strdup(key);
    return false;
}

static bool
fill(ObjectWindow *self, const char *key, uint64_t offset, size_t n_bytes, GError **error)
{
    ObjectRange range = {.offset = offset, .n_bytes = MAX(n_bytes, AHEAD_BYTES)};

    g_clear_pointer(&self->key, g_free);
    if (range.n_bytes > self->n_room) {
        g_free(self->bytes);
        self->n_room = range.n_bytes + range.n_bytes / 4; /* the next may be a little longer */
        self->bytes = g_malloc(self->n_room);
    }
    range.bytes = self->bytes;
    if (!ask(self, key, &range)) {
        g_propagate_error(error, g_error_copy(self->refusal));
        return false;
    }
    self->key = g_strdup(key);
    self->offset = offset;
    self->n_bytes = range.n_read;
    if (range.n_read >= n_bytes)
        return true;
    g_set_error(error, STORAGE_ERROR, STORAGE_ERROR_CORRUPT, "%s is shorter than it was", key);
    return false;
}

const uint8_t *
object_window_read(ObjectWindow *self, const char *key, uint64_t offset, size_t n_bytes,
                   GError **error)
{
    if (!holds(self, key, offset, n_bytes) && !fill(self, key, offset, n_bytes, error))
        return NULL;
    return self->bytes + (offset - self->offset);
}

void
object_window_free(ObjectWindow *self)
{
    if (self == NULL)
        return;
    g_free(self->key);
    g_free(self->bytes);
    g_free(self->refused);
    g_clear_error(&self->refusal);
    g_free(self);
}
