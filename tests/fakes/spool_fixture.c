#include "tests/fakes/spool_fixture.h"

#include "storage/dir_store.h"
#include "tests/fakes/scratch.h"

#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

/* What the spool says about damage is what these tests are made of, thousands of times. */
static void
ignore_message(const char *domain, GLogLevelFlags level, const char *message, gpointer data)
{
}

/* In memory where there is such a folder: these tests flush thousands of times, and what a disk
 * keeps they can not see anyhow. */
static char *
make_root(void)
{
    char *root = g_strdup("/dev/shm/sealtape-spool-XXXXXX");

    if (g_mkdtemp(root) != NULL)
        return root;
    g_free(root);
    return scratch_new("sealtape-spool");
}

SpoolFixture *
spool_fixture_join(const char *root)
{
    SpoolFixture *self = g_new0(SpoolFixture, 1);
    static gsize is_quiet = 0;

    if (g_once_init_enter(&is_quiet))
        g_once_init_leave(&is_quiet, g_log_set_handler("sealtape-storage", G_LOG_LEVEL_MESSAGE,
                                                       ignore_message, NULL));
    self->root = g_strdup(root);
    self->spool_path = g_build_filename(self->root, "spool", NULL);
    self->store_path = g_build_filename(self->root, "store", NULL);
    return self;
}

SpoolFixture *
spool_fixture_new(void)
{
    g_autofree char *root = make_root();
    SpoolFixture *self = spool_fixture_join(root);

    g_assert_cmpint(g_mkdir(self->spool_path, 0700), ==, 0);
    g_assert_cmpint(g_mkdir(self->store_path, 0700), ==, 0);
    self->is_owner = true;
    return self;
}

Spool *
spool_fixture_open(const SpoolFixture *self, uint64_t file_bytes)
{
    const SpoolOptions options = {.file_bytes = file_bytes, .reserve_bytes = 65536};
    GError *error = NULL;
    Spool *spool = spool_open(self->spool_path, &options, &error);

    g_assert_no_error(error);
    g_assert_nonnull(spool);
    return spool;
}

ObjectStore *
spool_fixture_store(const SpoolFixture *self)
{
    GError *error = NULL;
    ObjectStore *store = dir_store_open(self->store_path, &error);

    g_assert_no_error(error);
    return store;
}

void
spool_fixture_begin(Spool *spool, const char *session, const char *const *tracks)
{
    g_autofree char *digest = g_strnfill(64, 'a');
    g_autofree char *policy = g_strdup_printf("policy %s permit ok\n", digest);
    const LedgerSession begun = {
        .org = "clinic-a",
        .session = session,
        .created_unix_us = INT64_C(1000000000),
        .policy_lines = policy,
    };
    GError *error = NULL;

    g_assert_true(spool_add_session(spool, &begun, &error));
    for (const char *const *track = tracks; *track != NULL; track++) {
        const LedgerTrack added = {
            .id = *track,
            .kind = "audio",
            .codec = "opus",
            .participant = "p1",
            .recipient = "age1qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq",
        };

        g_assert_true(spool_add_track(spool, session, &added, &error));
    }
    g_assert_no_error(error);
}

SealedSegment *
spool_fixture_segment(const char *session, const char *track, uint32_t index)
{
    SealedSegment *segment = g_new0(SealedSegment, 1);
    g_autofree char *text =
        g_strdup_printf("age-encryption.org/v1\n"
                        "-> sealtape-segment clinic-a %s %s 0 %u\n\n"
                        "-> X25519 TEiF0ypqr+bpvcqXNyCVJpL7OuwPdVwPL7KQEbFDOCc\n"
                        "EmECAEcKN+n/Vs9SbWiV+Hu0r+E8R77DdWYyd83nw7U\n"
                        "--- Vn+54jqiiUCE+WZcEVY3f1sqHjlu/z1LCQ/T7Xm7qI0\n"
                        "sixteen-byte-noncesealed bytes of segment %u",
                        session, track, index, index);

    segment->session = g_strdup(session);
    segment->track = g_strdup(track);
    segment->index = index;
    segment->object_first = index - index % 3;
    segment->start_us = index * INT64_C(1000000);
    segment->duration_us = 1000000;
    segment->flags =
        index == 0 ? SEGMENT_FLAG_HEADER | SEGMENT_FLAG_KEYFRAME : SEGMENT_FLAG_KEYFRAME;
    segment->sealed = g_bytes_new(text, strlen(text));
    segment->digest = digest_of_bytes(segment->sealed);
    return segment;
}

void
spool_fixture_add(Spool *spool, const char *session, const char *track, uint32_t index)
{
    g_autoptr(SealedSegment) segment = spool_fixture_segment(session, track, index);
    GError *error = NULL;

    g_assert_true(spool_add_segment(spool, segment, &error));
    g_assert_no_error(error);
}

TrackCounts
spool_fixture_counts(void)
{
    return (TrackCounts){
        N_TRACK_COUNTS, {776, 24, 16, 8, 3, 2, 1, 4, 9, 6, 50, 5, 7}
    };
}

void
spool_fixture_close(Spool *spool, const char *session, const char *const *tracks, int64_t until_us)
{
    g_autoptr(GArray) ends = g_array_new(false, false, sizeof(LedgerTrackEnd));
    GError *error = NULL;

    for (const char *const *track = tracks; *track != NULL; track++) {
        const LedgerTrackEnd end = {
            .track = *track, .until_us = until_us, .counts = spool_fixture_counts()};

        g_array_append_val(ends, end);
    }
    g_assert_true(spool_close_session(spool, session, ends, &error));
    g_assert_no_error(error);
}

void
spool_fixture_commit(Spool *spool)
{
    GError *error = NULL;

    g_assert_true(spool_commit(spool, &error));
    g_assert_no_error(error);
}

GBytes *
spool_fixture_read_log(const SpoolFixture *self, char **name)
{
    g_autoptr(GDir) entries = g_dir_open(self->spool_path, 0, NULL);
    g_autofree char *newest = NULL;
    g_autofree char *path = NULL;
    char *content = NULL;
    gsize n_bytes = 0;

    for (const char *entry = g_dir_read_name(entries); entry != NULL;
         entry = g_dir_read_name(entries))
        if (g_str_has_suffix(entry, ".log") && (newest == NULL || strcmp(entry, newest) > 0)) {
            g_free(newest);
            newest = g_strdup(entry);
        }
    g_assert_nonnull(newest);
    path = g_build_filename(self->spool_path, newest, NULL);
    g_assert_true(g_file_get_contents(path, &content, &n_bytes, NULL));
    if (name != NULL)
        *name = g_steal_pointer(&newest);
    return g_bytes_new_take(content, n_bytes);
}

void
spool_fixture_write_log(const SpoolFixture *self, const char *name, const void *bytes,
                        size_t n_bytes)
{
    g_autofree char *path = g_build_filename(self->spool_path, name, NULL);

    (void) g_unlink(path); /* a new file, so that a spool that has it open keeps the old one */
    g_assert_true(g_file_set_contents_full(path, bytes, (gssize) n_bytes, G_FILE_SET_CONTENTS_NONE,
                                           0600, NULL));
}

GBytes *
spool_fixture_read(Spool *spool, const SpoolItem *segment, GError **error)
{
    const uint64_t n_bytes = segment->record.segment.n_bytes;
    g_autofree uint8_t *bytes = g_malloc(MAX(n_bytes, 1));

    if (!spool_outbox_read(spool, segment, bytes, error))
        return NULL;
    return g_bytes_new_take(g_steal_pointer(&bytes), n_bytes);
}

void
spool_fixture_free(SpoolFixture *self)
{
    if (self == NULL)
        return;
    if (self->is_owner)
        scratch_remove(g_steal_pointer(&self->root));
    g_free(self->root);
    g_free(self->spool_path);
    g_free(self->store_path);
    g_free(self);
}
