#include "crypto/crypto_error.h"
#include "storage/catalogue_query.h"
#include "storage/catalogue_rows.h"
#include "storage/storage_error.h"
#include "tests/fakes/catalogue_fixture.h"
#include "tests/fakes/visit_keys.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <sqlite3.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Runs SQL that is not ours on the catalogue's file. */
static void
spoil(const CatalogueFixture *fixture, const char *sql)
{
    sqlite3 *connection = NULL;

    g_assert_cmpint(sqlite3_open(fixture->path, &connection), ==, SQLITE_OK);
    g_assert_cmpint(sqlite3_exec(connection, sql, NULL, NULL, NULL), ==, SQLITE_OK);
    g_assert_cmpint(sqlite3_close(connection), ==, SQLITE_OK);
}

static void
assert_refused(const char *path, CatalogueAccess access, StorageError code, const char *words)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Catalogue) catalogue = catalogue_open(path, access, &error);

    g_assert_null(catalogue);
    g_test_message("%s", error->message);
    g_assert_error(error, STORAGE_ERROR, (int) code);
    g_assert_nonnull(strstr(error->message, words));
    g_assert_null(strchr(error->message, '\n'));
}

static void
test_says_what_was_recorded(void)
{
    g_autoptr(CatalogueFixture) fixture = catalogue_fixture_new();
    g_autoptr(GPtrArray) notes = catalogue_fixture_record(fixture, "visit-1");
    g_autoptr(Catalogue) catalogue = NULL;
    g_autoptr(CatalogueEntry) entry = NULL;
    g_autoptr(GError) error = NULL;
    const Digest head = digest_of(notes->pdata[1], strlen(notes->pdata[1]));
    g_autofree char *hex = digest_to_hex(&head);
    const CatalogueTrack *track = NULL;

    catalogue_fixture_rebuild(fixture);
    catalogue = catalogue_fixture_open(fixture, CATALOGUE_READ);
    entry = catalogue_load(catalogue, "clinic-a", "visit-1", &error);

    g_assert_no_error(error);
    g_assert_cmpstr(entry->state, ==, "stored");
    g_assert_cmpint(entry->created_us, ==, 1000000000);
    g_assert_cmpint(entry->ended_us, ==, 1005000000);
    g_assert_cmpint(entry->duration_us, ==, 5000000);
    g_assert_cmpuint(entry->n_segments, ==, 10);
    g_assert_cmpuint(entry->n_parts, ==, 2);
    g_assert_cmpstr(entry->head, ==, hex);
    g_assert_cmpuint(strlen(entry->policy), ==, 64);
    g_assert_cmpuint(entry->tracks->len, ==, 2);
    track = g_ptr_array_index(entry->tracks, 1);
    g_assert_cmpstr(track->id, ==, "p1-video");
    g_assert_cmpstr(track->participant, ==, "p1");
    g_assert_cmpuint(track->n_segments, ==, 5);
    g_assert_cmpuint(track->n_bytes * 2, ==, entry->n_bytes);
    g_assert_cmpuint(entry->envelopes->len, ==, 1);
}

static void
test_rebuilt_is_equal(void)
{
    g_autoptr(CatalogueFixture) fixture = catalogue_fixture_new();
    g_autoptr(GPtrArray) first_notes = catalogue_fixture_record(fixture, "visit-1");
    g_autoptr(GPtrArray) second_notes = catalogue_fixture_record(fixture, "visit-2");
    char org[] = "clinic-a";
    char session[] = "visit-2";
    const CatalogueScrub scrub = {org, session, 77, 5};
    CatalogueScrub kept = {org, session, 0, 0};
    g_autofree char *first = NULL;
    g_autofree char *second = NULL;
    g_autofree char *third = NULL;
    g_autoptr(Catalogue) catalogue = NULL;
    g_autoptr(GError) error = NULL;

    catalogue_fixture_rebuild(fixture);
    first = catalogue_fixture_dump(fixture);
    catalogue = catalogue_fixture_open(fixture, CATALOGUE_WRITE);
    g_assert_true(catalogue_begin(catalogue, &error));
    g_assert_true(catalogue_set_scrub(catalogue, &scrub, &error));
    g_assert_true(catalogue_end(catalogue, true, &error));
    catalogue_fixture_rebuild(fixture);
    second = catalogue_fixture_dump(fixture);
    g_assert_true(catalogue_begin(catalogue, &error)); /* goes on in the new file */
    g_assert_true(catalogue_get_scrub(catalogue, &kept, &error));
    g_assert_true(catalogue_end(catalogue, true, &error));
    g_clear_pointer(&catalogue, catalogue_free);
    g_assert_cmpint(g_unlink(fixture->path), ==, 0);
    catalogue_fixture_rebuild(fixture);
    third = catalogue_fixture_dump(fixture);

    g_assert_no_error(error);
    g_assert_nonnull(strstr(first, "session clinic-a visit-2 stored"));
    g_assert_cmpstr(first, ==, second);
    g_assert_cmpstr(first, ==, third);
    g_assert_cmpint(kept.scrubbed_us, ==, 77);
    g_assert_cmpint(kept.place, ==, 5);
}

static void
test_rebuild_stops_at_what_is_not_genuine(void)
{
    g_autoptr(CatalogueFixture) fixture = catalogue_fixture_new();
    g_autoptr(GPtrArray) notes = catalogue_fixture_record(fixture, "visit-1");
    g_autofree char *part =
        g_build_filename(fixture->spool->store_path, "clinic-a/visit-1/manifest/2.note", NULL);
    g_autofree char *dumped = NULL;
    g_autofree char *text = NULL;
    g_autoptr(GError) error = NULL;

    g_assert_true(g_file_get_contents(part, &text, NULL, &error));
    *strstr(text, "closed") = 'k';
    g_chmod(part, 0600);
    g_assert_true(g_file_set_contents(part, text, -1, &error));
    catalogue_fixture_rebuild(fixture);
    dumped = catalogue_fixture_dump(fixture);

    g_assert_no_error(error);
    g_assert_nonnull(strstr(dumped, "session clinic-a visit-1 open - 1000000000 0"));
}

static void
test_refuses_a_newer_one(void)
{
    g_autoptr(CatalogueFixture) fixture = catalogue_fixture_new();
    const CatalogueSource source = catalogue_fixture_source(fixture);
    g_autoptr(GError) error = NULL;
    g_autofree char *before = NULL;
    g_autofree char *after = NULL;
    gsize n_before = 0, n_after = 0;

    catalogue_fixture_rebuild(fixture);
    spoil(fixture, "PRAGMA user_version = 2");
    g_assert_true(g_file_get_contents(fixture->path, &before, &n_before, NULL));
    assert_refused(fixture->path, CATALOGUE_READ, STORAGE_ERROR_DENIED, "of a newer Sealtape");
    assert_refused(fixture->path, CATALOGUE_WRITE, STORAGE_ERROR_DENIED, "of a newer Sealtape");
    g_assert_false(catalogue_rebuild(fixture->path, &source, &error));
    g_assert_error(error, STORAGE_ERROR, STORAGE_ERROR_DENIED);
    g_assert_true(g_file_get_contents(fixture->path, &after, &n_after, NULL));

    g_assert_cmpmem(before, (int) n_before, after, (int) n_after);
}

static void
test_refuses_what_is_none(void)
{
    g_autoptr(CatalogueFixture) fixture = catalogue_fixture_new();
    g_autofree char *elsewhere = g_build_filename(fixture->spool->root, "none", "c.db", NULL);

    assert_refused(fixture->path, CATALOGUE_READ, STORAGE_ERROR_NOT_FOUND, "No such file");
    assert_refused(elsewhere, CATALOGUE_WRITE, STORAGE_ERROR_NOT_FOUND, "No such file");
    assert_refused(fixture->spool->spool_path, CATALOGUE_READ, STORAGE_ERROR_DENIED,
                   "it is a folder");
    assert_refused(fixture->spool->spool_path, CATALOGUE_WRITE, STORAGE_ERROR_DENIED,
                   "it is a folder");
    assert_refused("/dev/null", CATALOGUE_READ, STORAGE_ERROR_DENIED, "it is no file");
    spoil(fixture, "CREATE TABLE patients (name TEXT)");
    assert_refused(fixture->path, CATALOGUE_WRITE, STORAGE_ERROR_DENIED, "but no catalogue");
    g_assert_true(g_file_set_contents(fixture->path, "not a database, but long enough", -1, NULL));
    assert_refused(fixture->path, CATALOGUE_READ, STORAGE_ERROR_CORRUPT, "not a database");
}

/* Several sessions, so that every table and index has more than one page. */
static void
fill(Catalogue *catalogue, unsigned n_sessions)
{
    g_autoptr(GError) error = NULL;

    g_assert_true(catalogue_begin(catalogue, &error));
    for (unsigned i = 0; i < n_sessions; i++) {
        g_autofree char *name = g_strdup_printf("visit-%u", i);
        g_autoptr(CatalogueEntry) entry = catalogue_entry_new("clinic-a", name);
        CatalogueTrack *track = g_new0(CatalogueTrack, 1);
        CatalogueGap *gap = g_new0(CatalogueGap, 1);

        *track = (CatalogueTrack){
            g_strdup("a"), g_strdup("audio"), g_strdup("opus"), g_strdup("p1"), 0, 5, 1, 1, 100};
        *gap = (CatalogueGap){g_strdup("a"), g_strdup("loss"), 1, 2};
        entry->created_us = 1000 + i / 3;
        g_ptr_array_add(entry->tracks, track);
        g_ptr_array_add(entry->gaps, gap);
        entry->n_tracks = 1;
        g_assert_true(catalogue_entry_add_envelope(entry, 1));
        g_assert_true(catalogue_entry_set_state(entry, i % 4 == 0 ? "open" : "stored", ""));
        g_assert_true(catalogue_save(catalogue, entry, &error));
    }
    g_assert_true(catalogue_end(catalogue, true, &error));
    g_assert_no_error(error);
}

static void
test_lists_by_pages(void)
{
    g_autoptr(CatalogueFixture) fixture = catalogue_fixture_new();
    g_autoptr(Catalogue) catalogue = catalogue_fixture_open(fixture, CATALOGUE_WRITE);
    static const struct {
        const char *org, *state;
        int64_t since_us, until_us;
        unsigned n_wanted;
    } rows[] = {
        {NULL,       NULL,     0,    0,    60},
        {"clinic-a", NULL,     0,    0,    60},
        {"clinic-b", NULL,     0,    0,    0 },
        {NULL,       "open",   0,    0,    15},
        {"clinic-a", "stored", 0,    0,    45},
        {NULL,       NULL,     1005, 1007, 6 },
        {"clinic-a", "open",   1005, 1007, 2 },
        {NULL,       NULL,     2000, 0,    0 },
    };

    fill(catalogue, 60);
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
        g_autoptr(GPtrArray) page = NULL;
        CatalogueFilter filter = {.org = rows[i].org,
                                  .state = rows[i].state,
                                  .since_us = rows[i].since_us,
                                  .until_us = rows[i].until_us,
                                  .limit = 7};
        int64_t last_us = INT64_MAX;

        do {
            g_autoptr(GError) error = NULL;
            g_autoptr(GPtrArray) next = catalogue_list(catalogue, &filter, &error);

            g_assert_no_error(error);
            for (guint j = 0; j < next->len; j++) {
                const CatalogueEntry *entry = g_ptr_array_index(next, j);

                g_assert_cmpint(entry->created_us, <=, last_us);
                g_assert_true(g_hash_table_add(seen, g_strdup(entry->session)));
                last_us = entry->created_us;
            }
            g_clear_pointer(&page, g_ptr_array_unref);
            page = g_steal_pointer(&next);
            filter.after = page->len > 0 ? g_ptr_array_index(page, page->len - 1) : NULL;
        } while (page->len == 7);
        g_assert_cmpuint(g_hash_table_size(seen), ==, rows[i].n_wanted);
    }
}

int
main(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    int status = 0;

    g_test_init(&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
    g_assert_true(crypto_start(&error));
    g_test_add_func("/catalogue/says-what-was-recorded", test_says_what_was_recorded);
    g_test_add_func("/catalogue/rebuilt-is-equal", test_rebuilt_is_equal);
    g_test_add_func("/catalogue/rebuild-stops-at-what-is-not-genuine",
                    test_rebuild_stops_at_what_is_not_genuine);
    g_test_add_func("/catalogue/refuses-a-newer-one", test_refuses_a_newer_one);
    g_test_add_func("/catalogue/refuses-what-is-none", test_refuses_what_is_none);
    g_test_add_func("/catalogue/lists-by-pages", test_lists_by_pages);
    status = g_test_run();
    visit_keys_free();
    return status;
}
