#include "storage/spool_outbox.h"
#include "storage/storage_error.h"
#include "tests/fakes/spool_fixture.h"

#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

/* What is on the disk is cut at every length and flipped at every byte: the spool always opens,
 * shows only what is genuine, and puts a gap where an acknowledged segment is gone. */

static const char *const one_track[] = {"p1-audio", NULL};
enum { N_SEGMENTS = 4 };

typedef struct {
    SpoolFixture *fixture;
    GBytes *log;
    char *name;
    size_t ends[N_SEGMENTS]; /* length of the log once each segment was in it */
} Sample;

/* A log with four segments, each committed. */
static Sample *
sample_new(void)
{
    Sample *self = g_new0(Sample, 1);
    Spool *spool = NULL;
    SpoolStatus status;

    self->fixture = spool_fixture_new();
    spool = spool_fixture_open(self->fixture, 4096);
    spool_fixture_begin(spool, "visit-1", one_track);
    for (uint32_t i = 0; i < N_SEGMENTS; i++) {
        spool_fixture_add(spool, "visit-1", "p1-audio", i);
        spool_fixture_commit(spool);
        spool_status(spool, &status);
        self->ends[i] = status.bytes;
    }
    spool_heartbeat(spool, INT64_C(1000000000) + 5000000);
    spool_free(spool);
    self->log = spool_fixture_read_log(self->fixture, &self->name);
    g_assert_cmpuint(self->ends[N_SEGMENTS - 1], <=, g_bytes_get_size(self->log));
    return self;
}

static void
sample_free(Sample *self)
{
    spool_fixture_free(self->fixture);
    g_bytes_unref(self->log);
    g_free(self->name);
    g_free(self);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Sample, sample_free)

/* The sample's spool again, with only this log in it. */
static void
sample_restore(const Sample *self, const void *bytes, size_t n_bytes)
{
    g_autoptr(GDir) entries = g_dir_open(self->fixture->spool_path, 0, NULL);

    for (const char *name = g_dir_read_name(entries); name != NULL;
         name = g_dir_read_name(entries)) {
        g_autofree char *path = g_build_filename(self->fixture->spool_path, name, NULL);

        if (g_str_has_suffix(name, ".log"))
            g_assert_cmpint(g_unlink(path), ==, 0);
    }
    spool_fixture_write_log(self->fixture, self->name, bytes, n_bytes);
}

/* Opens; every segment shown must be genuine. What is not shown must have a gap.
 * Returns: how many are shown. */
static guint
open_and_check(const Sample *self, bool *has_session)
{
    g_autoptr(Spool) spool = spool_fixture_open(self->fixture, 4096);
    g_autoptr(GPtrArray) sessions = spool_outbox_view(spool);
    const OutboxSession *session = sessions->len > 0 ? g_ptr_array_index(sessions, 0) : NULL;
    guint n_segments = 0;
    bool is_covered[N_SEGMENTS] = {false};

    *has_session = session != NULL;
    for (guint i = 0; session != NULL && i < session->items->len; i++) {
        const SpoolItem *item = g_ptr_array_index(session->items, i);
        const SpoolRecord *record = &item->record;
        int64_t start_us = 0;
        int64_t end_us = 0;

        if (record->type == SPOOL_RECORD_SEGMENT) {
            g_autoptr(SealedSegment) expected =
                spool_fixture_segment("visit-1", "p1-audio", record->segment.index);
            g_autoptr(GBytes) sealed = spool_fixture_read(spool, item, NULL);

            g_assert_nonnull(sealed);
            g_assert_true(g_bytes_equal(sealed, expected->sealed));
            n_segments++;
            start_us = record->segment.start_us;
            end_us = spool_item_end_us(item);
        } else if (record->type == SPOOL_RECORD_GAP) {
            start_us = record->gap.start_us;
            end_us = spool_item_end_us(item);
        }
        for (int64_t j = 0; j < N_SEGMENTS; j++)
            is_covered[j] |= start_us <= j * 1000000 && end_us >= (j + 1) * 1000000;
    }
    for (guint j = 0; session != NULL && session->tracks->len > 0 && j < N_SEGMENTS; j++)
        g_assert_true(is_covered[j]);
    return n_segments;
}

static void
test_cut_at_every_length(void)
{
    g_autoptr(Sample) sample = sample_new();
    const uint8_t *bytes = g_bytes_get_data(sample->log, NULL);
    const size_t length = sample->ends[N_SEGMENTS - 1];

    for (size_t cut = 0; cut <= length; cut++) {
        guint n_whole = 0;
        guint n_shown = 0;
        bool has_session = false;

        while (n_whole < N_SEGMENTS && sample->ends[n_whole] <= cut)
            n_whole++;
        sample_restore(sample, bytes, cut);
        n_shown = open_and_check(sample, &has_session);
        g_assert_cmpuint(n_shown, ==, n_whole);
        g_assert_true(n_whole == 0 || has_session);
    }
}

static void
test_flip_of_every_byte(void)
{
    g_autoptr(Sample) sample = sample_new();
    const size_t length = sample->ends[N_SEGMENTS - 1];
    g_autofree uint8_t *bytes =
        g_memdup2(g_bytes_get_data(sample->log, NULL), g_bytes_get_size(sample->log));

    for (size_t at = 0; at < length; at++) {
        bool has_session = false;
        guint n_shown = 0;

        bytes[at] ^= 0x40;
        sample_restore(sample, bytes, g_bytes_get_size(sample->log));
        bytes[at] ^= 0x40;
        n_shown = open_and_check(sample, &has_session);
        /* One byte costs one record: a segment, or the session or track that all of them hang on.
         */
        g_assert_true(n_shown == 0 || n_shown >= N_SEGMENTS - 1);
    }
}

/* In an older log, segments are not read at start: the damage shows when they are to be uploaded.
 */
static void
test_damage_in_an_old_log_shows_on_reading(void)
{
    g_autoptr(Sample) sample = sample_new();
    g_autoptr(GPtrArray) sessions = NULL;
    g_autoptr(Spool) spool = NULL;
    const OutboxSession *session = NULL;
    guint n_good = 0;
    guint n_corrupt = 0;
    gsize n_bytes = 0;
    g_autofree uint8_t *bytes = NULL;

    /* The first opening makes a new log that refers to the old one. */
    spool_free(spool_fixture_open(sample->fixture, 4096));
    bytes = g_memdup2(g_bytes_get_data(sample->log, &n_bytes), g_bytes_get_size(sample->log));
    bytes[sample->ends[1] - 3] ^= 1;
    spool_fixture_write_log(sample->fixture, sample->name, bytes, n_bytes);
    spool = spool_fixture_open(sample->fixture, 4096);
    sessions = spool_outbox_view(spool);
    session = g_ptr_array_index(sessions, 0);
    for (guint i = 0; i < session->items->len; i++) {
        const SpoolItem *item = g_ptr_array_index(session->items, i);
        g_autoptr(GError) error = NULL;
        g_autoptr(GBytes) sealed = NULL;

        if (item->record.type != SPOOL_RECORD_SEGMENT)
            continue;
        sealed = spool_fixture_read(spool, item, &error);
        n_good += sealed != NULL;
        n_corrupt += g_error_matches(error, STORAGE_ERROR, STORAGE_ERROR_CORRUPT);
    }

    g_assert_cmpuint(n_good, ==, N_SEGMENTS - 1);
    g_assert_cmpuint(n_corrupt, ==, 1);
}

/* The newest log's checkpoint is flipped at every byte: the log before it and what is left say the
 * same again. */
static void
test_damaged_checkpoint_takes_nothing_back(void)
{
    g_autoptr(Sample) sample = sample_new();
    g_autofree char *newest = NULL;
    g_autoptr(GBytes) log = NULL;
    g_autofree uint8_t *bytes = NULL;
    gsize n_bytes = 0;
    size_t length = 0;

    spool_free(spool_fixture_open(sample->fixture, 4096));
    log = spool_fixture_read_log(sample->fixture, &newest);
    g_assert_cmpstr(newest, !=, sample->name);
    bytes = g_memdup2(g_bytes_get_data(log, &n_bytes), g_bytes_get_size(log));
    for (size_t i = 0; i < n_bytes; i++)
        length = bytes[i] != 0 ? i + 1 : length;
    for (size_t at = 0; at < length; at++) {
        bool has_session = false;

        sample_restore(sample, g_bytes_get_data(sample->log, NULL), g_bytes_get_size(sample->log));
        bytes[at] ^= 0x40;
        spool_fixture_write_log(sample->fixture, newest, bytes, n_bytes);
        bytes[at] ^= 0x40;
        g_assert_cmpuint(open_and_check(sample, &has_session), ==, N_SEGMENTS);
    }
}

static void
test_symbolic_link_is_refused(void)
{
    g_autoptr(Sample) sample = sample_new();
    const SpoolOptions options = {0};
    g_autofree char *path = g_build_filename(sample->fixture->spool_path, sample->name, NULL);
    g_autofree char *elsewhere = g_build_filename(sample->fixture->root, "elsewhere", NULL);
    g_autoptr(GError) error = NULL;

    g_assert_cmpint(g_rename(path, elsewhere), ==, 0);
    g_assert_cmpint(symlink(elsewhere, path), ==, 0);

    g_assert_null(spool_open(sample->fixture->spool_path, &options, &error));
    g_assert_error(error, STORAGE_ERROR, STORAGE_ERROR_DENIED);
}

/* An old log that comes back under a newer number must not bring its state back. */
static void
test_copied_log_is_set_aside(void)
{
    g_autoptr(Sample) sample = sample_new();
    gsize n_bytes = 0;
    const void *bytes = g_bytes_get_data(sample->log, &n_bytes);
    bool has_session = false;
    g_autoptr(Spool) spool = NULL;
    SpoolStatus status;

    spool_fixture_write_log(sample->fixture, "0000000777.log", bytes, n_bytes);
    g_assert_cmpuint(open_and_check(sample, &has_session), ==, N_SEGMENTS);
    spool_fixture_write_log(sample->fixture, "0000000778.log", bytes, n_bytes);
    spool = spool_fixture_open(sample->fixture, 4096);
    spool_status(spool, &status);

    g_assert_cmpuint(status.n_quarantined, ==, 1);
    g_assert_cmpuint(status.n_segments, ==, N_SEGMENTS);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/spool-damage/cut-at-every-length", test_cut_at_every_length);
    g_test_add_func("/spool-damage/flip-of-every-byte", test_flip_of_every_byte);
    g_test_add_func("/spool-damage/old-log-shows-on-reading",
                    test_damage_in_an_old_log_shows_on_reading);
    g_test_add_func("/spool-damage/damaged-checkpoint-takes-nothing-back",
                    test_damaged_checkpoint_takes_nothing_back);
    g_test_add_func("/spool-damage/symbolic-link-is-refused", test_symbolic_link_is_refused);
    g_test_add_func("/spool-damage/copied-log-is-set-aside", test_copied_log_is_set_aside);
    return g_test_run();
}
