#include "storage/durable_file.h"
#include "storage/storage_error.h"
#include "tests/fakes/failing_calls.h"
#include "tests/fakes/spool_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static Fd
open_folder(const SpoolFixture *fixture)
{
    const Fd folder = open(fixture->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    g_assert_cmpint(folder, >=, 0);
    return folder;
}

static char *
content_of(const SpoolFixture *fixture, const char *name)
{
    g_autofree char *path = g_build_filename(fixture->root, name, NULL);
    char *content = NULL;

    return g_file_get_contents(path, &content, NULL, NULL) ? content : NULL;
}

static guint
count_leftovers(const SpoolFixture *fixture)
{
    g_autoptr(GDir) entries = g_dir_open(fixture->root, 0, NULL);
    guint n = 0;

    for (const char *name = g_dir_read_name(entries); name != NULL;
         name = g_dir_read_name(entries)) {
        n += g_str_has_suffix(name, ".partial");
    }
    return n;
}

static void
test_create_and_replace(void)
{
    g_autoptr(SpoolFixture) fixture = spool_fixture_new();
    g_auto(Fd) folder = open_folder(fixture);
    g_autoptr(GBytes) one = g_bytes_new_static("one", 3);
    g_autoptr(GBytes) two = g_bytes_new_static("two", 3);
    g_autofree char *after_conflict = NULL;
    g_autofree char *after_replace = NULL;
    g_autofree char *path = g_build_filename(fixture->root, "name", NULL);
    g_autoptr(GError) error = NULL;
    struct stat status;

    g_assert_true(durable_file_create(folder, "name", 0600, one, &error));
    g_assert_no_error(error);
    g_assert_cmpint(stat(path, &status), ==, 0);
    g_assert_cmpint(status.st_mode & 0777, ==, 0600);
    g_assert_false(durable_file_create(folder, "name", 0600, two, &error));
    g_assert_error(error, STORAGE_ERROR, STORAGE_ERROR_CONFLICT);
    after_conflict = content_of(fixture, "name");
    g_assert_cmpstr(after_conflict, ==, "one");
    g_assert_true(durable_file_replace(folder, "name", two, NULL));
    after_replace = content_of(fixture, "name");

    g_assert_cmpstr(after_replace, ==, "two");
    g_assert_cmpuint(count_leftovers(fixture), ==, 0);
}

/* Whatever step fails, the name holds the old content, and nothing half is left. */
static void
test_failed_replace_leaves_the_old(void)
{
    static const struct {
        Call call;
        int number;
    } rows[] = {
        {CALL_WRITE,    ENOSPC},
        {CALL_FSYNC,    EIO   },
        {CALL_RENAMEAT, EIO   }
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(SpoolFixture) fixture = spool_fixture_new();
        g_auto(Fd) folder = open_folder(fixture);
        g_autoptr(GBytes) one = g_bytes_new_static("one", 3);
        g_autoptr(GBytes) two = g_bytes_new_static("two", 3);
        g_autofree char *content = NULL;

        g_assert_true(durable_file_create(folder, "name", 0600, one, NULL));
        failing_calls_arm(rows[i].call, 1, 1, rows[i].number);
        g_assert_false(durable_file_replace(folder, "name", two, NULL));
        failing_calls_disarm();
        content = content_of(fixture, "name");

        g_assert_cmpstr(content, ==, "one");
        g_assert_cmpuint(count_leftovers(fixture), ==, 0);
    }
}

static void
test_failed_folder_flush_is_told(void)
{
    g_autoptr(SpoolFixture) fixture = spool_fixture_new();
    g_auto(Fd) folder = open_folder(fixture);
    g_autoptr(GBytes) one = g_bytes_new_static("one", 3);
    g_autoptr(GError) error = NULL;

    failing_calls_arm(CALL_FSYNC, 2, 1, EIO);
    g_assert_false(durable_file_create(folder, "name", 0600, one, &error));
    failing_calls_disarm();

    g_assert_error(error, STORAGE_ERROR, STORAGE_ERROR_IO);
}

static void
test_short_writes_are_finished(void)
{
    g_autoptr(SpoolFixture) fixture = spool_fixture_new();
    g_auto(Fd) folder = open_folder(fixture);
    g_autoptr(GBytes) text = g_bytes_new_static("longer than three bytes", 23);
    g_autofree char *content = NULL;

    failing_calls_shorten(3);
    g_assert_true(durable_file_create(folder, "name", 0600, text, NULL));
    failing_calls_disarm();
    content = content_of(fixture, "name");

    g_assert_cmpstr(content, ==, "longer than three bytes");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/durable-file/create-and-replace", test_create_and_replace);
    g_test_add_func("/durable-file/failed-replace-leaves-the-old",
                    test_failed_replace_leaves_the_old);
    g_test_add_func("/durable-file/failed-folder-flush-is-told", test_failed_folder_flush_is_told);
    g_test_add_func("/durable-file/short-writes-are-finished", test_short_writes_are_finished);
    return g_test_run();
}
