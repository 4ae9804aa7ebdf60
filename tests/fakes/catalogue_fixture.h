#pragma once

#include "storage/catalogue.h"
#include "storage/catalogue_build.h"
#include "tests/fakes/spool_fixture.h"

#include <glib.h>

/* A store with recorded sessions of `clinic-a` and a place for its catalogue. All asserts. */
typedef struct {
    SpoolFixture *spool;
    ObjectStore *store;
    char *path; /* of the catalogue: nothing is there yet */
} CatalogueFixture;

CatalogueFixture *catalogue_fixture_new(void);

/* Records a session of five segments on two tracks, in two manifest parts, with its envelope.
 * Returns: GPtrArray of char *: the parts' notes, owned. */
GPtrArray *catalogue_fixture_record(const CatalogueFixture *self, const char *session);

/* What a rebuild reads. */
CatalogueSource catalogue_fixture_source(const CatalogueFixture *self);
void catalogue_fixture_rebuild(const CatalogueFixture *self);

/* Returns: the catalogue's canonical text, owned. */
char *catalogue_fixture_dump(const CatalogueFixture *self);
Catalogue *catalogue_fixture_open(const CatalogueFixture *self, CatalogueAccess access);

/* Waits, at most half a minute, until `is_so`. */
void catalogue_fixture_wait(bool (*is_so)(void *user_data), void *user_data);
void catalogue_fixture_free(CatalogueFixture *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CatalogueFixture, catalogue_fixture_free)
