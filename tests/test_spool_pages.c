#include "crypto/crypto_error.h"
#include "tests/fakes/page_cache.h"
#include "tests/fakes/scratch.h"
#include "tests/fakes/spool_fixture.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

/* What a spool has in the machine's memory: all of it while it is short, little of it beyond. */

enum { SEGMENT_BYTES = 256 << 10, FILE_BYTES = 1 << 20, N_SEGMENTS = 80, IN_USE_BYTES = 2 << 20 };

static const char *const one_track[] = {"p1-video", NULL};

/* One at a time, as they come in a call. */
static void
add_segments(Spool *spool, uint32_t first, uint32_t end)
{
    for (uint32_t i = first; i < end; i++) {
        char *bytes = g_malloc(SEGMENT_BYTES);
        g_autoptr(SealedSegment) segment = spool_fixture_segment("visit-1", "p1-video", i);

        memset(bytes, 'a' + (int) (i % 26), SEGMENT_BYTES);
        g_bytes_unref(segment->sealed);
        segment->sealed = g_bytes_new_take(bytes, SEGMENT_BYTES);
        segment->digest = digest_of_bytes(segment->sealed);
        g_assert_true(spool_add_segment(spool, segment, NULL));
        spool_fixture_commit(spool);
    }
}

static uint64_t
bytes_of_file_in_memory(const char *path)
{
    const int file = open(path, O_RDONLY | O_CLOEXEC);
    const size_t n_bytes = (size_t) lseek(file, 0, SEEK_END);
    const size_t n_pages = page_cache_count(file, n_bytes);

    g_assert_cmpint(close(file), ==, 0);
    return (uint64_t) n_pages * (uint64_t) sysconf(_SC_PAGESIZE);
}

static uint64_t
bytes_in_memory(const SpoolFixture *fixture)
{
    g_autoptr(GDir) folder = g_dir_open(fixture->spool_path, 0, NULL);
    const char *name = NULL;
    uint64_t n_bytes = 0;

    while ((name = g_dir_read_name(folder)) != NULL) {
        g_autofree char *path = g_build_filename(fixture->spool_path, name, NULL);

        if (g_str_has_suffix(name, ".log"))
            n_bytes += bytes_of_file_in_memory(path);
    }
    return n_bytes;
}

/* Reads all that waits, as the uploader does, and checks it. */
static void
read_all(Spool *spool)
{
    g_autoptr(GPtrArray) sessions = spool_outbox_view(spool);
    const OutboxSession *session = g_ptr_array_index(sessions, 0);
    unsigned n_segments = 0;

    for (guint i = 0; i < session->items->len; i++) {
        const SpoolItem *item = g_ptr_array_index(session->items, i);
        g_autoptr(GError) error = NULL;
        g_autoptr(GBytes) bytes = NULL;

        if (item->record.type != SPOOL_RECORD_SEGMENT)
            continue;
        bytes = spool_fixture_read(spool, item, &error);
        g_assert_no_error(error);
        g_assert_cmpuint(g_bytes_get_size(bytes), ==, SEGMENT_BYTES);
        n_segments++;
    }
    g_assert_cmpuint(n_segments, ==, N_SEGMENTS);
}

static void
test_what_is_long_leaves(void)
{
    char *root = scratch_new("spool-pages"); /* the fixture's own folder may be in memory */
    g_autoptr(SpoolFixture) fixture = spool_fixture_join(root);
    Spool *spool = NULL;

    if (page_cache_is_all(root)) {
        g_test_skip("files live in memory here");
        scratch_remove(root);
        return;
    }
    g_assert_cmpint(g_mkdir(fixture->spool_path, 0700), ==, 0);
    spool = spool_fixture_open(fixture, FILE_BYTES);
    spool_fixture_begin(spool, "visit-1", one_track);
    add_segments(spool, 0, 10);
    g_assert_cmpuint(bytes_in_memory(fixture), >=, 10 * SEGMENT_BYTES);

    add_segments(spool, 10, N_SEGMENTS);
    /* Of 20 MB: what was there before, at most four files, and what is in use. */
    g_assert_cmpuint(bytes_in_memory(fixture), <=, 4 * FILE_BYTES + IN_USE_BYTES);
    read_all(spool);
    g_assert_cmpuint(bytes_in_memory(fixture), <=, IN_USE_BYTES);
    spool_free(spool);
    scratch_remove(root);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_assert_true(crypto_start(NULL));
    g_test_add_func("/spool-pages/what-is-long-leaves-the-page-cache", test_what_is_long_leaves);
    return g_test_run();
}
