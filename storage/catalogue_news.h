#pragma once

#include "storage/catalogue.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* One thing that a recorder has put into the store, as the catalogue is told it. */
typedef struct {
    char *note; /* a manifest part; NULL: an envelope */
    char *org, *session;
    uint32_t generation;
} CatalogueNews;

CatalogueNews *catalogue_news_new_part(const char *note);
CatalogueNews *catalogue_news_new_envelope(const char *org, const char *session,
                                           uint32_t generation);

typedef enum {
    CATALOGUE_NEWS_WRITTEN,
    CATALOGUE_NEWS_GAP,     /* what came before it is missing: to be read from the store */
    CATALOGUE_NEWS_REFUSED, /* it does not fit what is known; `error` says how */
    CATALOGUE_NEWS_FAILED,  /* the catalogue could not; `error` says why */
} CatalogueNewsResult;

/* Between catalogue_begin() and catalogue_end(). `verifiers`: GPtrArray of NoteVerifier. */
CatalogueNewsResult catalogue_news_write(const CatalogueNews *self, Catalogue *catalogue,
                                         GPtrArray *verifiers, GError **error);

/* Returns: roughly what it takes of memory. */
uint64_t catalogue_news_bytes(const CatalogueNews *self);
void catalogue_news_free(CatalogueNews *self);
