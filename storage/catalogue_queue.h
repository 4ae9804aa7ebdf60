#pragma once

#include "storage/catalogue_news.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* What waits to be written into the catalogue, in order, bounded. A plain value: its owner's lock
 * guards it. */
typedef struct {
    GQueue waiting; /* CatalogueNews, oldest first */
    uint64_t n_bytes;
    guint n_in_hand; /* taken out, and not yet written */
    bool has_lost;   /* there was no room for more */
} CatalogueQueue;

void catalogue_queue_init(CatalogueQueue *self);

/* Takes `news`. */
void catalogue_queue_push(CatalogueQueue *self, CatalogueNews *news);

/* Those taken before have been written. `has_lost`: set if something was lost since the last time.
 * Returns: GPtrArray of CatalogueNews (owned), the next ones; empty: there are none. */
GPtrArray *catalogue_queue_take(CatalogueQueue *self, bool *has_lost);

/* Those just taken could not be written: they come first again. Empties `batch`. */
void catalogue_queue_give_back(CatalogueQueue *self, GPtrArray *batch);

/* Returns: how many wait or are in hand. */
uint64_t catalogue_queue_count(const CatalogueQueue *self);
void catalogue_queue_clear(CatalogueQueue *self);
