#include "crypto/crypto_error.h"
#include "storage/catalogue_query.h"
#include "storage/catalogue_rows.h"
#include "storage/storage_error.h"
#include "tests/fakes/catalogue_fixture.h"
#include "tests/fakes/effort.h"
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
test_a_changed_row_is_noticed(void)
{
    static const char *const changes[] = {
        "UPDATE sessions SET bytes = bytes + 1",
        "UPDATE sessions SET state = 'open'",
        "UPDATE sessions SET org = 'clinic-b'",
        "UPDATE sessions SET policy_sha256 = ''",
        "UPDATE tracks SET codec = 'vp9' WHERE track = 'p1-video'",
        "UPDATE tracks SET participant = 'p2' WHERE track = 'p1-audio'",
        "DELETE FROM tracks WHERE track = 'p1-audio'",
        "INSERT INTO gaps VALUES (1, 'p1-audio', 'loss', 1, 5)",
        "INSERT INTO envelopes VALUES (1, 2)",
    };

    for (gsize i = 0; i < G_N_ELEMENTS(changes); i++) {
        g_autoptr(CatalogueFixture) fixture = catalogue_fixture_new();
        g_autoptr(GPtrArray) notes = catalogue_fixture_record(fixture, "visit-1");

        g_test_message("%s", changes[i]);
        catalogue_fixture_rebuild(fixture);
        spoil(fixture, changes[i]);
        assert_refused(fixture->path, CATALOGUE_READ, STORAGE_ERROR_CORRUPT,
                       "is not as it was written");
    }
}

/* A byte of every page changed, at several places: the catalogue is refused, or says what it said.
 */
static void
test_a_changed_page_is_noticed_or_harmless(void)
{
    g_autoptr(CatalogueFixture) fixture = catalogue_fixture_new();
    g_autoptr(Catalogue) catalogue = catalogue_fixture_open(fixture, CATALOGUE_WRITE);
    g_autofree char *bytes = NULL;
    g_autofree char *right = NULL;
    gsize n_bytes = 0;
    unsigned n_refused = 0, n_harmless = 0;

    fill(catalogue, 60);
    g_clear_pointer(&catalogue, catalogue_free);
    right = catalogue_fixture_dump(fixture);
    g_assert_true(g_file_get_contents(fixture->path, &bytes, &n_bytes, NULL));
    g_assert_cmpuint(n_bytes, >=, 20 * 4096);
    for (gsize at = 0; at < n_bytes; at += effort_step(2) * (at % 4096 < 64 ? 7 : 211)) {
        g_autoptr(GError) error = NULL;
        g_autoptr(Catalogue) opened = NULL;

        bytes[at] ^= 0x55;
        g_assert_true(g_file_set_contents(fixture->path, bytes, (gssize) n_bytes, NULL));
        bytes[at] ^= 0x55;
        opened = catalogue_open(fixture->path, CATALOGUE_READ, &error);
        n_refused += opened == NULL;
        if (opened != NULL) {
            g_autofree char *said = catalogue_fixture_dump(fixture);

            g_assert_cmpstr(said, ==, right);
            n_harmless++;
        }
    }
    g_test_message("%u refused, %u harmless (free space)", n_refused, n_harmless);
    g_assert_cmpuint(n_refused, >, 100 / effort_step(2));
}

static void
test_a_damaged_one_is_made_anew(void)
{
    g_autoptr(CatalogueFixture) fixture = catalogue_fixture_new();
    g_autoptr(GPtrArray) notes = catalogue_fixture_record(fixture, "visit-1");
    g_autofree char *damaged = g_strconcat(fixture->path, ".damaged", NULL);
    g_autofree char *first = NULL;
    g_autofree char *second = NULL;

    catalogue_fixture_rebuild(fixture);
    first = catalogue_fixture_dump(fixture);
    g_assert_cmpint(truncate(fixture->path, 5000), ==, 0);
    assert_refused(fixture->path, CATALOGUE_READ, STORAGE_ERROR_CORRUPT, fixture->path);
    catalogue_fixture_rebuild(fixture);
    second = catalogue_fixture_dump(fixture);

    g_assert_cmpstr(first, ==, second);
    g_assert_true(g_file_test(damaged, G_FILE_TEST_IS_REGULAR));
}

/* Killed in the middle of a change, with the new pages in the file already: the journal takes them
 * back. */
static void
test_a_cut_change_is_taken_back(void)
{
    g_autoptr(CatalogueFixture) fixture = catalogue_fixture_new();
    g_autoptr(Catalogue) catalogue = catalogue_fixture_open(fixture, CATALOGUE_WRITE);
    g_autofree char *journal = g_strconcat(fixture->path, "-journal", NULL);
    g_autofree char *before = NULL;
    g_autofree char *after = NULL;
    GStatBuf found;
    int status = 0;
    pid_t child = 0;

    fill(catalogue, 60);
    g_clear_pointer(&catalogue, catalogue_free);
    before = catalogue_fixture_dump(fixture);
    child = fork();
    if (child == 0) {
        sqlite3 *connection = NULL;

        /* A cache of one page, so that what is changed goes to the file at once. */
        if (sqlite3_open(fixture->path, &connection) != SQLITE_OK ||
            sqlite3_exec(connection,
                         "PRAGMA cache_size = 1; PRAGMA journal_mode = TRUNCATE; BEGIN;"
                         "UPDATE sessions SET org = 'clinic-z', bytes = 1; DELETE FROM tracks;",
                         NULL, NULL, NULL) != SQLITE_OK)
            _exit(1);
        kill(getpid(), SIGKILL);
    }
    g_assert_cmpint(waitpid(child, &status, 0), ==, child);
    g_assert_true(WIFSIGNALED(status));
    g_assert_cmpint(g_stat(journal, &found), ==, 0);
    g_assert_cmpint(found.st_size, >, 512);
    after = catalogue_fixture_dump(fixture);

    g_assert_cmpstr(before, ==, after);
}

/* What lay in the journal when power went: cut anywhere, the catalogue is as before, as after, or
 * refused; never between. */
static void
test_a_cut_journal_is_never_half_believed(void)
{
    g_autoptr(CatalogueFixture) fixture = catalogue_fixture_new();
    g_autoptr(Catalogue) catalogue = catalogue_fixture_open(fixture, CATALOGUE_WRITE);
    g_autofree char *journal_path = g_strconcat(fixture->path, "-journal", NULL);
    g_autofree char *before = NULL;
    g_autofree char *old_file = NULL;
    g_autofree char *journal = NULL;
    gsize n_file = 0, n_journal = 0;
    sqlite3 *connection = NULL;

    fill(catalogue, 30);
    g_clear_pointer(&catalogue, catalogue_free);
    before = catalogue_fixture_dump(fixture);
    g_assert_true(g_file_get_contents(fixture->path, &old_file, &n_file, NULL));
    g_assert_cmpint(sqlite3_open(fixture->path, &connection), ==, SQLITE_OK);
    g_assert_cmpint(sqlite3_exec(connection,
                                 "PRAGMA journal_mode = PERSIST; BEGIN;"
                                 "UPDATE tracks SET codec = 'vp9';",
                                 NULL, NULL, NULL),
                    ==, SQLITE_OK);
    g_assert_true(g_file_get_contents(journal_path, &journal, &n_journal, NULL));
    (void) sqlite3_exec(connection, "ROLLBACK", NULL, NULL, NULL);
    g_assert_cmpint(sqlite3_close(connection), ==, SQLITE_OK);
    for (gsize cut = 0; cut <= n_journal; cut += 97 * effort_step(3)) {
        g_autoptr(GError) error = NULL;
        g_autoptr(Catalogue) opened = NULL;

        /* The file itself was not written yet: the journal comes first. */
        g_assert_true(g_file_set_contents(fixture->path, old_file, (gssize) n_file, NULL));
        g_assert_true(g_file_set_contents(journal_path, journal, (gssize) cut, NULL));
        opened = catalogue_open(fixture->path, CATALOGUE_READ, &error);
        if (opened != NULL) {
            g_autofree char *said = catalogue_fixture_dump(fixture);

            g_assert_cmpstr(said, ==, before);
        }
        g_assert_true(opened != NULL ||
                      g_error_matches(error, STORAGE_ERROR, STORAGE_ERROR_CORRUPT));
    }
}

int
main(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    int status = 0;

    g_test_init(&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
    g_assert_true(crypto_start(&error));
    g_test_add_func("/catalogue_damage/a-changed-row-is-noticed", test_a_changed_row_is_noticed);
    g_test_add_func("/catalogue_damage/a-changed-page-is-noticed-or-harmless",
                    test_a_changed_page_is_noticed_or_harmless);
    g_test_add_func("/catalogue_damage/a-damaged-one-is-made-anew",
                    test_a_damaged_one_is_made_anew);
    g_test_add_func("/catalogue_damage/a-cut-change-is-taken-back",
                    test_a_cut_change_is_taken_back);
    g_test_add_func("/catalogue_damage/a-cut-journal-is-never-half-believed",
                    test_a_cut_journal_is_never_half_believed);
    status = g_test_run();
    visit_keys_free();
    return status;
}
