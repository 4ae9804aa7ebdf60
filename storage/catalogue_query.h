#pragma once

#include "storage/catalogue.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* What is asked of the catalogue. Each question takes the same time whether it holds a hundred
 * sessions or a million: an index answers it (tests/test_catalogue_plan.c). */

/* Which sessions; what is NULL or 0 does not restrict. */
typedef struct {
    const char *org;
    const char *state;
    int64_t since_us;            /* made then or later */
    int64_t until_us;            /* made before */
    const CatalogueEntry *after; /* only those behind this one in the list; borrowed */
    uint32_t limit;              /* > 0 */
} CatalogueFilter;

/* Returns: GPtrArray of CatalogueEntry (owned), newest first, without tracks, gaps and envelopes.
 */
GPtrArray *catalogue_list(Catalogue *self, const CatalogueFilter *filter,
                          GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Returns: the organisation of `session`, owned. Errors: NOT_FOUND. */
char *catalogue_find_org(Catalogue *self, const char *session,
                         GError **error) G_GNUC_WARN_UNUSED_RESULT;

bool catalogue_count(Catalogue *self, int64_t *count, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* How far scrubbing has come with a session: when its last whole round ended (unix time; 0: never),
 * and where the present round stands. */
typedef struct {
    char *org, *session;
    int64_t scrubbed_us;
    int64_t place;
} CatalogueScrub;

/* Returns: GPtrArray of CatalogueScrub (owned), the `limit` sessions (of `org`, unless it is NULL)
 * whose last whole round is longest ago. */
GPtrArray *catalogue_scrub_due(Catalogue *self, const char *org, uint32_t limit,
                               GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Between catalogue_begin() and catalogue_end(); a session that is not there is left out. */
bool catalogue_set_scrub(Catalogue *self, const CatalogueScrub *scrub,
                         GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Fills `scrub` from the row of its org and session; leaves it where there is none. */
bool catalogue_get_scrub(Catalogue *self, CatalogueScrub *scrub,
                         GError **error) G_GNUC_WARN_UNUSED_RESULT;
void catalogue_scrub_free(CatalogueScrub *self);
