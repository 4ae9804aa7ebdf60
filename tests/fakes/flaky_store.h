#pragma once

#include "storage/object_store.h"

/* An object store in memory that fails on command. Objects outlive it if they are given to it and
 * taken from it. */

/* `objects`: GHashTable of char * -> GBytes (owned both), borrowed: what the store holds. */
ObjectStore *flaky_store_new(GHashTable *objects);
GHashTable *flaky_store_objects_new(void);

/* The next `n_puts` objects to put fail with STORAGE_ERROR_`code` (an int of StorageError);
 * `is_late`: although they are stored (the answer was lost). */
void flaky_store_fail(ObjectStore *self, unsigned n_puts, int code, bool is_late);

/* Only puts whose key ends like this count and fail; NULL: all. Borrowed. */
void flaky_store_aim(ObjectStore *self, const char *suffix);

/* Calls of put_all so far. */
unsigned flaky_store_n_batches(ObjectStore *self);
