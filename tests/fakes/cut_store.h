#pragma once

#include "storage/object_store.h"

/* A store over another that is cut off for good after so many changes, as a process is that is
 * killed: whatever comes behind fails. `base`: borrowed. */
ObjectStore *cut_store_new(ObjectStore *base, unsigned n_changes);

/* Whether it came to that. */
bool cut_store_was_cut(const ObjectStore *self);
