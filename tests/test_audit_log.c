#include "crypto/crypto_error.h"
#include "storage/audit_log.h"
#include "storage/storage_error.h"
#include "tests/fakes/failing_calls.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>

typedef struct {
    char *folder;
    char *log_path;
    char *checkpoint_path;
    NoteSigner *signer;
} Fixture;

static void
set_up(Fixture *fixture, gconstpointer unused)
{
    g_autoptr(GError) error = NULL;

    fixture->folder = g_dir_make_tmp("audit-XXXXXX", &error);
    g_assert_no_error(error);
    fixture->log_path = g_build_filename(fixture->folder, "clinic-a", "recorder.host-1.log", NULL);
    fixture->checkpoint_path =
        g_build_filename(fixture->folder, "clinic-a", "recorder.host-1.checkpoint", NULL);
    fixture->signer = note_signer_generate("recorder.Host-1", &error);
    g_assert_no_error(error);
}

static void
tear_down(Fixture *fixture, gconstpointer unused)
{
    g_autofree char *org = g_path_get_dirname(fixture->log_path);

    failing_calls_disarm();
    (void) g_remove(fixture->log_path);
    (void) g_remove(fixture->checkpoint_path);
    (void) g_rmdir(org);
    g_assert_cmpint(g_rmdir(fixture->folder), ==, 0);
    note_signer_free(fixture->signer);
    g_free(fixture->folder);
    g_free(fixture->log_path);
    g_free(fixture->checkpoint_path);
}

static AuditLog *
try_open(const Fixture *fixture, GError **error)
{
    return audit_log_open(&(AuditLogOptions){fixture->folder, "clinic-a", fixture->signer, 0},
                          error);
}

static AuditLog *
open_log(const Fixture *fixture)
{
    g_autoptr(GError) error = NULL;
    AuditLog *log = try_open(fixture, &error);

    g_assert_no_error(error);
    return log;
}

static void
append(AuditLog *log, const char *words)
{
    g_autoptr(GError) error = NULL;

    g_assert_true(audit_log_append(log, words, &error));
    g_assert_no_error(error);
}

static void
sign(AuditLog *log)
{
    g_autoptr(GError) error = NULL;

    g_assert_true(audit_log_sign(log, &error));
    g_assert_no_error(error);
}

/* A log of five records, three of them signed. */
static void
write_log(const Fixture *fixture)
{
    g_autoptr(AuditLog) log = open_log(fixture);

    for (int i = 0; i < 5; i++) {
        append(log, "recording-start ok session=s1");
        if (i == 2)
            sign(log);
    }
}

static char *
read_file(const char *path)
{
    g_autoptr(GError) error = NULL;
    char *text = NULL;

    g_assert_true(g_file_get_contents(path, &text, NULL, &error));
    g_assert_no_error(error);
    return text;
}

static void
write_file(const char *path, const char *text, gssize n_bytes)
{
    g_autoptr(GError) error = NULL;

    g_assert_true(g_file_set_contents(path, text, n_bytes, &error));
    g_assert_no_error(error);
}

static void
assert_corrupt(const Fixture *fixture, const char *sentence)
{
    g_autoptr(GError) error = NULL;

    g_assert_null(try_open(fixture, &error));
    g_assert_error(error, STORAGE_ERROR, STORAGE_ERROR_CORRUPT);
    g_assert_nonnull(strstr(error->message, sentence));
}

static void
test_goes_on_where_it_was(Fixture *fixture, gconstpointer unused)
{
    g_autoptr(AuditLog) log = NULL;
    g_autofree char *text = NULL;
    g_auto(GStrv) lines = NULL;

    write_log(fixture);
    log = open_log(fixture);
    g_assert_cmpuint(audit_log_length(log), ==, 5);
    append(log, "stored ok session=s1");
    g_clear_pointer(&log, audit_log_free);

    text = read_file(fixture->log_path);
    lines = g_strsplit(text, "\n", -1);
    g_assert_cmpuint(g_strv_length(lines), ==, 7);
    g_assert_true(g_str_has_prefix(lines[0], "0 2"));
    g_assert_true(g_str_has_suffix(lines[0], "Z recording-start ok session=s1"));
    g_assert_true(g_str_has_prefix(lines[5], "5 2"));
    g_assert_true(g_str_has_suffix(lines[5], "Z stored ok session=s1"));
    g_assert_cmpstr(lines[6], ==, "");
}

static void
test_signs_what_it_holds(Fixture *fixture, gconstpointer unused)
{
    g_autoptr(AuditLog) log = open_log(fixture);
    g_autofree char *key = note_signer_verifier_key(fixture->signer);
    g_autoptr(GPtrArray) verifiers =
        g_ptr_array_new_with_free_func((GDestroyNotify) note_verifier_free);
    g_autoptr(GError) error = NULL;
    g_auto(Checkpoint) checkpoint = {0};
    g_autoptr(GBytes) note = NULL;
    g_autofree char *text = NULL;
    g_auto(GStrv) lines = NULL;
    MerkleTree tree = {0};
    uint64_t n_records = 0;

    append(log, "one ok");
    append(log, "two ok");
    sign(log);
    note = audit_log_checkpoint(log, &n_records);
    g_ptr_array_add(verifiers, note_verifier_parse(key, &error));
    g_assert_true(checkpoint_open(&checkpoint, note, verifiers, &error));
    text = read_file(fixture->log_path);
    lines = g_strsplit(text, "\n", -1);
    for (int i = 0; i < 2; i++) {
        const Digest leaf = merkle_leaf(lines[i], strlen(lines[i]));

        merkle_tree_add(&tree, &leaf);
    }
    const Digest root = merkle_tree_root(&tree);

    g_assert_cmpuint(n_records, ==, 2);
    g_assert_cmpuint(checkpoint.n_leaves, ==, 2);
    g_assert_cmpstr(checkpoint.origin, ==, "recorder.Host-1/clinic-a");
    g_assert_true(digest_equal(&checkpoint.root, &root));
}

static void
test_signs_an_empty_one_once(Fixture *fixture, gconstpointer unused)
{
    g_autoptr(AuditLog) log = open_log(fixture);
    uint64_t n_records = 7;
    g_autoptr(GBytes) first = NULL;
    g_autoptr(GBytes) second = NULL;

    g_assert_null(audit_log_checkpoint(log, &n_records));
    sign(log);
    first = audit_log_checkpoint(log, &n_records);
    sign(log);
    second = audit_log_checkpoint(log, &n_records);

    g_assert_cmpuint(n_records, ==, 0);
    g_assert_true(first == second);
}

static void
test_drops_a_torn_line(Fixture *fixture, gconstpointer unused)
{
    g_autofree char *whole = NULL;
    size_t n_bytes = 0;

    write_log(fixture);
    whole = read_file(fixture->log_path);
    n_bytes = strlen(whole);
    for (size_t n_torn = 1; n_torn < 20; n_torn += 6) {
        g_autoptr(AuditLog) log = NULL;

        write_file(fixture->log_path, whole, (gssize) (n_bytes - n_torn));
        g_test_expect_message("sealtape-storage", G_LOG_LEVEL_MESSAGE, "*cut short is gone*");
        log = open_log(fixture);
        g_test_assert_expected_messages();
        g_assert_cmpuint(audit_log_length(log), ==, 4);
        append(log, "next ok");
        g_clear_pointer(&log, audit_log_free);
        log = open_log(fixture);
        g_assert_cmpuint(audit_log_length(log), ==, 5);
    }
}

static void
test_names_what_was_done_to_it(Fixture *fixture, gconstpointer unused)
{
    g_autofree char *whole = NULL;
    g_autofree char *checkpoint = NULL;
    g_autofree char *changed = NULL;
    g_auto(GStrv) lines = NULL;
    char *second = NULL;

    write_log(fixture);
    whole = read_file(fixture->log_path);
    checkpoint = read_file(fixture->checkpoint_path);
    lines = g_strsplit(whole, "\n", -1);

    changed = g_strdup(whole);
    second = strstr(changed, "\n1 ");
    *strstr(second, "start") = 'S';
    write_file(fixture->log_path, changed, -1);
    assert_corrupt(fixture, "records that were signed have been changed");

    g_free(changed);
    changed = g_strjoin("\n", lines[0], lines[2], lines[1], "", NULL);
    write_file(fixture->log_path, changed, -1);
    assert_corrupt(fixture, "line 2 is not its record");

    g_free(changed);
    changed = g_strjoin("\n", lines[0], lines[1], "", NULL);
    write_file(fixture->log_path, changed, -1);
    assert_corrupt(fixture, "it has 2 records and 3 were signed: its end is gone");

    write_file(fixture->log_path, "", 0);
    assert_corrupt(fixture, "it has 0 records and 3 were signed");

    write_file(fixture->log_path, whole, -1);
    checkpoint[strlen(checkpoint) - 8] ^= 1;
    write_file(fixture->checkpoint_path, checkpoint, -1);
    assert_corrupt(fixture, "not signed by this recorder");
}

/* Every byte of what was signed, and of the lines' numbers behind it. */
static void
test_notices_every_flipped_byte(Fixture *fixture, gconstpointer unused)
{
    g_autofree char *whole = NULL;
    const char *end = NULL;

    write_log(fixture);
    whole = read_file(fixture->log_path);
    end = strstr(whole, "\n3 ");
    for (char *byte = whole; byte <= end; byte++) {
        g_autoptr(GError) error = NULL;

        *byte ^= 1;
        write_file(fixture->log_path, whole, -1);
        g_assert_null(try_open(fixture, &error));
        g_assert_error(error, STORAGE_ERROR, STORAGE_ERROR_CORRUPT);
        *byte ^= 1;
    }
}

static void
test_has_one_writer(Fixture *fixture, gconstpointer unused)
{
    g_autoptr(AuditLog) log = open_log(fixture);
    g_autoptr(GError) error = NULL;

    g_assert_null(try_open(fixture, &error));
    g_assert_error(error, STORAGE_ERROR, STORAGE_ERROR_BUSY);
}

static void
test_a_failed_write_leaves_nothing(Fixture *fixture, gconstpointer unused)
{
    g_autoptr(AuditLog) log = open_log(fixture);
    g_autoptr(GError) error = NULL;

    append(log, "one ok");
    failing_calls_arm(CALL_WRITE, 1, 1, ENOSPC);
    g_assert_false(audit_log_append(log, "two ok", &error));
    failing_calls_disarm();

    g_assert_error(error, STORAGE_ERROR, STORAGE_ERROR_FULL);
    append(log, "three ok");
    g_clear_pointer(&log, audit_log_free);
    log = open_log(fixture);
    g_assert_cmpuint(audit_log_length(log), ==, 2);
}

/* Half a line on a disk that is then full. */
static void
test_a_short_write_leaves_nothing(Fixture *fixture, gconstpointer unused)
{
    g_autoptr(AuditLog) log = open_log(fixture);
    g_autoptr(GError) error = NULL;

    append(log, "one ok");
    failing_calls_arm(CALL_WRITE, 2, 1, ENOSPC);
    failing_calls_shorten(5);
    g_assert_false(audit_log_append(log, "two ok", &error));
    failing_calls_disarm();

    g_assert_error(error, STORAGE_ERROR, STORAGE_ERROR_FULL);
    append(log, "three ok");
    g_clear_pointer(&log, audit_log_free);
    log = open_log(fixture);
    g_assert_cmpuint(audit_log_length(log), ==, 2);
}

static void
test_a_failed_flush_ends_it(Fixture *fixture, gconstpointer unused)
{
    g_autoptr(AuditLog) log = open_log(fixture);
    g_autoptr(GError) error = NULL;

    append(log, "one ok");
    failing_calls_arm(CALL_FDATASYNC, 1, 1, EIO);
    g_assert_false(audit_log_append(log, "two ok", &error));
    failing_calls_disarm();
    g_assert_error(error, STORAGE_ERROR, STORAGE_ERROR_IO);
    g_clear_error(&error);

    g_assert_false(audit_log_append(log, "three ok", &error));
    g_assert_error(error, STORAGE_ERROR, STORAGE_ERROR_IO);
    g_clear_error(&error);
    g_assert_false(audit_log_sign(log, &error));
}

int
main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*test)(Fixture *, gconstpointer);
    } rows[] = {
        {"goes-on-where-it-was",          test_goes_on_where_it_was         },
        {"signs-what-it-holds",           test_signs_what_it_holds          },
        {"signs-an-empty-one-once",       test_signs_an_empty_one_once      },
        {"drops-a-torn-line",             test_drops_a_torn_line            },
        {"names-what-was-done-to-it",     test_names_what_was_done_to_it    },
        {"notices-every-flipped-byte",    test_notices_every_flipped_byte   },
        {"has-one-writer",                test_has_one_writer               },
        {"a-failed-write-leaves-nothing", test_a_failed_write_leaves_nothing},
        {"a-short-write-leaves-nothing",  test_a_short_write_leaves_nothing },
        {"a-failed-flush-ends-it",        test_a_failed_flush_ends_it       },
    };
    g_autoptr(GError) error = NULL;

    g_test_init(&argc, &argv, NULL);
    g_assert_true(crypto_start(&error));
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *path = g_strconcat("/audit-log/", rows[i].name, NULL);

        g_test_add(path, Fixture, NULL, set_up, rows[i].test, tear_down);
    }
    return g_test_run();
}
