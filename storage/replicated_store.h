#pragma once

#include "storage/object_store.h"

/* Several stores as one, for those who want every recording in two places. A put counts when each
 * of them has it; until then the spool keeps it. What a store has taken is remembered, so that the
 * one that works is not asked again for each try of the one that does not. Reading asks the first
 * store, and the others in their order where it fails; a list has what any of them has.
 * Thread: any, several at once. */

/* `first`: taken; what reads ask first. */
ObjectStore *replicated_store_new(ObjectStore *first);

/* One more store that must have everything. Before the first use only. `store`: taken. `name`:
 * begins each of its errors; copied. */
void replicated_store_add(ObjectStore *self, ObjectStore *store, const char *name);
