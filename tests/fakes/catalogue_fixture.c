#include "tests/fakes/catalogue_fixture.h"

#include "storage/catalogue_rows.h"
#include "storage/uploader.h"
#include "tests/fakes/visit_keys.h"

#include <string.h>

static const char *const two_tracks[] = {"p1-audio", "p1-video", NULL};

CatalogueFixture *
catalogue_fixture_new(void)
{
    CatalogueFixture *self = g_new0(CatalogueFixture, 1);

    self->spool = spool_fixture_new();
    self->store = spool_fixture_store(self->spool);
    self->path = g_build_filename(self->spool->root, "catalogue.db", NULL);
    return self;
}

static void
on_part_stored(const char *note, void *user_data)
{
    g_ptr_array_add(user_data, g_strdup(note));
}

static void
upload(const CatalogueFixture *self, Spool *spool, GPtrArray *notes)
{
    const UploaderOptions options = {
        .spool = spool,
        .store = self->store,
        .signer = visit_keys_signer(),
        .interval_ms = 10,
        .on_part_stored = on_part_stored,
        .user_data = notes,
    };
    Uploader *uploader = uploader_new(&options);

    g_assert_true(uploader_drain(uploader, 20000));
    uploader_free(uploader);
}

GPtrArray *
catalogue_fixture_record(const CatalogueFixture *self, const char *session)
{
    g_autoptr(Spool) spool = spool_fixture_open(self->spool, 0);
    GPtrArray *notes = g_ptr_array_new_with_free_func(g_free);

    visit_keys_put_envelope(self->store, session);
    spool_fixture_begin(spool, session, two_tracks);
    for (uint32_t i = 0; i < 5; i++) {
        spool_fixture_add(spool, session, "p1-audio", i);
        spool_fixture_add(spool, session, "p1-video", i);
    }
    spool_fixture_commit(spool);
    upload(self, spool, notes);
    spool_fixture_close(spool, session, two_tracks, 5000000);
    spool_fixture_commit(spool);
    upload(self, spool, notes);
    g_assert_cmpuint(notes->len, ==, 2);
    return notes;
}

CatalogueSource
catalogue_fixture_source(const CatalogueFixture *self)
{
    return (CatalogueSource){.store = self->store, .verifiers = visit_keys_verifiers()};
}

void
catalogue_fixture_rebuild(const CatalogueFixture *self)
{
    const CatalogueSource source = catalogue_fixture_source(self);
    g_autoptr(GError) error = NULL;

    g_assert_true(catalogue_rebuild(self->path, &source, &error) || error == NULL);
    g_assert_no_error(error);
}

Catalogue *
catalogue_fixture_open(const CatalogueFixture *self, CatalogueAccess access)
{
    g_autoptr(GError) error = NULL;
    Catalogue *catalogue = catalogue_open(self->path, access, &error);

    g_assert_no_error(error);
    g_assert_nonnull(catalogue);
    return catalogue;
}

static bool
append(const CatalogueEntry *entry, void *user_data)
{
    g_autofree char *line = catalogue_entry_line(entry, "-");
    g_autofree char *details = catalogue_entry_details(entry);

    g_string_append_printf(user_data, "%s%s", line, details);
    return true;
}

char *
catalogue_fixture_dump(const CatalogueFixture *self)
{
    g_autoptr(Catalogue) catalogue = catalogue_fixture_open(self, CATALOGUE_READ);
    g_autoptr(GError) error = NULL;
    GString *text = g_string_new(NULL);

    g_assert_true(catalogue_each(catalogue, append, text, &error));
    g_assert_no_error(error);
    return g_string_free(text, FALSE);
}

void
catalogue_fixture_wait(bool (*is_so)(void *user_data), void *user_data)
{
    const int64_t until_us = g_get_monotonic_time() + 30 * G_TIME_SPAN_SECOND;

    while (!is_so(user_data)) {
        g_assert_cmpint(g_get_monotonic_time(), <, until_us);
        g_usleep(10000);
    }
}

void
catalogue_fixture_free(CatalogueFixture *self)
{
    g_free(self->path);
    object_store_free(self->store);
    spool_fixture_free(self->spool);
    g_free(self);
}
