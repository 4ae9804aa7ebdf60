#pragma once

#include "agent/admin/session_facts.h"
#include "storage/catalogue_entry.h"

#include <glib.h>
#include <jansson.h>
#include <stdint.h>

/* One row of `session list`, with what it is sorted by. */
typedef struct {
    char *org, *session;
    int64_t created_us; /* unix time; 0: not known */
    json_t *json;
} ListingRow;

ListingRow *listing_row_new_facts(const SessionFacts *facts);

/* `live`: what a recorder says of it; NULL if none knows it. */
ListingRow *listing_row_new_entry(const CatalogueEntry *entry, const json_t *live);
ListingRow *listing_row_copy(const ListingRow *self);

/* Newest first, as the catalogue lists them; takes pointers to pointers. */
int listing_row_compare(gconstpointer a, gconstpointer b);
void listing_row_free(ListingRow *self);
