#include "storage/audit_cursor.h"
#include "storage/storage_error.h"

#include <glib/gstdio.h>
#include <string.h>

#define LINES "0 a\n1 bb\n2 ccc\n"

typedef struct {
    char *folder, *org, *log_path, *place_path;
    AuditCursorPlace place;
} Fixture;

static void
set_up(Fixture *fixture, gconstpointer unused)
{
    g_autoptr(GError) error = NULL;

    fixture->folder = g_dir_make_tmp("cursor-XXXXXX", &error);
    g_assert_no_error(error);
    fixture->org = g_build_filename(fixture->folder, "clinic-a", NULL);
    g_assert_cmpint(g_mkdir(fixture->org, 0700), ==, 0);
    fixture->log_path = g_build_filename(fixture->org, "recorder.h.log", NULL);
    fixture->place_path = g_build_filename(fixture->org, "recorder.h.syslog", NULL);
    fixture->place = (AuditCursorPlace){fixture->folder, "clinic-a", "recorder.h", "syslog"};
}

static void
tear_down(Fixture *fixture, gconstpointer unused)
{
    g_autofree char *lock = g_strconcat(fixture->place_path, ".lock", NULL);

    (void) g_remove(lock);
    (void) g_remove(fixture->log_path);
    (void) g_remove(fixture->place_path);
    g_assert_cmpint(g_rmdir(fixture->org), ==, 0);
    g_assert_cmpint(g_rmdir(fixture->folder), ==, 0);
    g_free(fixture->folder);
    g_free(fixture->org);
    g_free(fixture->log_path);
    g_free(fixture->place_path);
}

static void
write_file(const char *path, const char *text)
{
    g_autoptr(GError) error = NULL;

    g_assert_true(g_file_set_contents(path, text, -1, &error));
    g_assert_no_error(error);
}

static AuditCursor *
open_cursor(const Fixture *fixture)
{
    g_autoptr(GError) error = NULL;
    AuditCursor *cursor = audit_cursor_open(&fixture->place, &error);

    g_assert_no_error(error);
    return cursor;
}

static void
assert_next(AuditCursor *cursor, uint64_t n_records, const char *wanted)
{
    g_autoptr(GError) error = NULL;
    size_t n_bytes = 0;
    g_autofree char *line = audit_cursor_next(cursor, n_records, &n_bytes, &error);

    g_assert_no_error(error);
    g_assert_cmpstr(line, ==, wanted);
    g_assert_cmpuint(n_bytes, ==, wanted != NULL ? strlen(wanted) : 0);
}

static void
keep(AuditCursor *cursor)
{
    g_autoptr(GError) error = NULL;

    g_assert_true(audit_cursor_keep(cursor, &error));
    g_assert_no_error(error);
}

static void
test_goes_on_where_it_was_kept(Fixture *fixture, gconstpointer unused)
{
    g_autoptr(AuditCursor) first = NULL;
    g_autoptr(AuditCursor) second = NULL;

    write_file(fixture->log_path, LINES);
    first = open_cursor(fixture);
    assert_next(first, 3, "0 a");
    keep(first);
    assert_next(first, 3, "1 bb");
    g_assert_cmpuint(audit_cursor_kept(first), ==, 1);
    g_clear_pointer(&first, audit_cursor_free);

    second = open_cursor(fixture);
    assert_next(second, 3, "1 bb");
    assert_next(second, 3, "2 ccc");
    assert_next(second, 3, NULL);
    keep(second);
    g_assert_cmpuint(audit_cursor_kept(second), ==, 3);
}

static void
test_rewinds_to_what_was_kept(Fixture *fixture, gconstpointer unused)
{
    g_autoptr(AuditCursor) cursor = NULL;

    write_file(fixture->log_path, LINES);
    cursor = open_cursor(fixture);
    assert_next(cursor, 3, "0 a");
    keep(cursor);
    assert_next(cursor, 3, "1 bb");
    audit_cursor_rewind(cursor);
    assert_next(cursor, 3, "1 bb");
}

static void
test_reads_only_what_is_durable(Fixture *fixture, gconstpointer unused)
{
    g_autoptr(AuditCursor) cursor = open_cursor(fixture);

    assert_next(cursor, 0, NULL);
    write_file(fixture->log_path, LINES);
    assert_next(cursor, 1, "0 a");
    assert_next(cursor, 1, NULL);
}

/* A record of the longest kind goes through in one piece. */
static void
test_reads_a_long_line(Fixture *fixture, gconstpointer unused)
{
    g_autoptr(AuditCursor) cursor = open_cursor(fixture);
    g_autofree char *filler = g_strnfill(20000, 'x');
    g_autofree char *line = g_strconcat("0 ", filler, NULL);
    g_autofree char *text = g_strconcat(line, "\n", NULL);

    write_file(fixture->log_path, text);
    assert_next(cursor, 1, line);
}

static void
test_takes_no_other_log_for_its_own(Fixture *fixture, gconstpointer unused)
{
    g_autoptr(AuditCursor) cursor = open_cursor(fixture);
    static const char *const texts[] = {"1 a\n", "0a\n", "x\n", "0 a", ""};

    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autoptr(GError) error = NULL;
        size_t n_bytes = 0;

        write_file(fixture->log_path, texts[i]);
        g_clear_pointer(&cursor, audit_cursor_free);
        cursor = open_cursor(fixture);
        g_assert_null(audit_cursor_next(cursor, 1, &n_bytes, &error));
        g_assert_error(error, STORAGE_ERROR, STORAGE_ERROR_CORRUPT);
    }
}

static void
test_refuses_a_place_that_is_none(Fixture *fixture, gconstpointer unused)
{
    static const char *const texts[] = {
        "",
        "sealtape-audit-cursor/v1 1 4",      /* no end */
        "sealtape-audit-cursor/v2 1 4\n",    /* another form */
        "sealtape-audit-cursor/v1 1\n",      /* a word less */
        "sealtape-audit-cursor/v1 1 4 4\n",  /* a word more */
        "sealtape-audit-cursor/v1 -1 4\n",   /* no number */
        "sealtape-audit-cursor/v1 1 3\n",    /* within a line */
        "sealtape-audit-cursor/v1 9 9999\n", /* past the end */
        "sealtape-audit-cursor/v1 1 0\n",    /* records without bytes */
    };

    write_file(fixture->log_path, LINES);
    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autoptr(GError) error = NULL;

        write_file(fixture->place_path, texts[i]);
        g_assert_null(audit_cursor_open(&fixture->place, &error));
        g_assert_error(error, STORAGE_ERROR, STORAGE_ERROR_CORRUPT);
        g_assert_nonnull(strstr(error->message, "recorder.h.syslog"));
        g_assert_nonnull(strstr(error->message, "remove this file"));
    }
}

static void
test_one_reader_at_a_time(Fixture *fixture, gconstpointer unused)
{
    g_autoptr(AuditCursor) cursor = open_cursor(fixture);
    g_autoptr(GError) error = NULL;

    g_assert_null(audit_cursor_open(&fixture->place, &error));
    g_assert_error(error, STORAGE_ERROR, STORAGE_ERROR_BUSY);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
#define ADD(name, function)                                                                        \
    g_test_add("/audit-cursor/" name, Fixture, NULL, set_up, function, tear_down)
    ADD("goes-on-where-it-was-kept", test_goes_on_where_it_was_kept);
    ADD("rewinds-to-what-was-kept", test_rewinds_to_what_was_kept);
    ADD("reads-only-what-is-durable", test_reads_only_what_is_durable);
    ADD("reads-a-long-line", test_reads_a_long_line);
    ADD("takes-no-other-log-for-its-own", test_takes_no_other_log_for_its_own);
    ADD("refuses-a-place-that-is-none", test_refuses_a_place_that_is_none);
    ADD("one-reader-at-a-time", test_one_reader_at_a_time);
#undef ADD
    return g_test_run();
}
