#include "storage/object_store.h"

#include "storage/object_key.h"
#include "storage/storage_error.h"

#include <string.h>

static bool
check_key(const char *key, GError **error)
{
    if (object_key_is_valid(key))
        return true;
    g_set_error(error, STORAGE_ERROR, STORAGE_ERROR_DENIED, "'%s' is not a name for an object",
                key);
    return false;
}

/* What is left to the kind of store are names that may be trusted as paths. */
void
object_store_put_all(ObjectStore *self, ObjectPut *puts, size_t n_puts)
{
    size_t n_valid = 0;

    for (size_t i = 0; i < n_puts; i++) {
        puts[i].error = NULL;
        n_valid += check_key(puts[i].key, &puts[i].error);
    }
    if (n_valid == n_puts && n_puts > 0) {
        self->ops->put_all(self, puts, n_puts);
    } else {
        for (size_t i = 0; i < n_puts; i++) {
            if (puts[i].error == NULL)
                self->ops->put_all(self, &puts[i], 1);
        }
    }
}

bool
object_store_put(ObjectStore *self, const char *key, GBytes *body, GError **error)
{
    ObjectPut put = {.key = key, .body = body};

    object_store_put_all(self, &put, 1);
    if (put.error == NULL)
        return true;
    g_propagate_error(error, put.error);
    return false;
}

bool
object_store_replace(ObjectStore *self, const char *key, GBytes *body, GError **error)
{
    return check_key(key, error) && self->ops->replace(self, key, body, error);
}

bool
object_store_exchange(ObjectStore *self, const char *key, GBytes *expected, GBytes *body,
                      GError **error)
{
    return check_key(key, error) && self->ops->exchange(self, key, expected, body, error);
}

GBytes *
object_store_get(ObjectStore *self, const char *key, GError **error)
{
    return check_key(key, error) ? self->ops->get(self, key, error) : NULL;
}

bool
object_store_get_range(ObjectStore *self, const char *key, ObjectRange *range, GError **error)
{
    range->n_read = 0;
    return check_key(key, error) && self->ops->get_range(self, key, range, error);
}

GPtrArray *
object_store_list(ObjectStore *self, const char *prefix, GError **error)
{
    return self->ops->list(self, prefix, error);
}

GPtrArray *
object_store_list_folders(ObjectStore *self, const char *prefix, GError **error)
{
    return self->ops->list_folders(self, prefix, error);
}

void
object_store_free(ObjectStore *self)
{
    if (self != NULL)
        self->ops->free(self);
}
