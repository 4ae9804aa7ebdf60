#include "crypto/crypto_error.h"
#include "storage/spool_outbox.h"
#include "tests/fakes/spool_fixture.h"

#include <stdio.h>
#include <string.h>

/* A recorder that starts with a long backlog must be ready soon. How soon depends on the disk; what
 * does not is how much it has to read, so that is what is held. */

enum { N_SEGMENTS = 10000, SEGMENT_BYTES = 16 << 10, FILE_BYTES = 4 << 20 };

static const char *const one_track[] = {"p1-video", NULL};

/* Returns: what this process has read so far. */
static uint64_t
bytes_read(void)
{
    g_autofree char *text = NULL;
    const char *found = NULL;

    g_assert_true(g_file_get_contents("/proc/self/io", &text, NULL, NULL));
    found = strstr(text, "rchar: ");
    g_assert_nonnull(found);
    return g_ascii_strtoull(found + strlen("rchar: "), NULL, 10);
}

static void
add_segment(Spool *spool, uint32_t index)
{
    g_autofree char *bytes = g_malloc(SEGMENT_BYTES);
    g_autoptr(SealedSegment) segment = spool_fixture_segment("visit-1", "p1-video", index);

    memset(bytes, 'a' + (int) (index % 26), SEGMENT_BYTES);
    g_bytes_unref(segment->sealed);
    segment->sealed = g_bytes_new(bytes, SEGMENT_BYTES);
    segment->digest = digest_of_bytes(segment->sealed);
    g_assert_true(spool_add_segment(spool, segment, NULL));
}

static void
test_starts_without_reading_all_of_it(void)
{
    const uint64_t n_all = (uint64_t) N_SEGMENTS * SEGMENT_BYTES;
    g_autoptr(SpoolFixture) fixture = spool_fixture_new();
    Spool *spool = spool_fixture_open(fixture, FILE_BYTES);
    SpoolStatus status;
    uint64_t n_before = 0;
    int64_t begun_us = 0;

    spool_fixture_begin(spool, "visit-1", one_track);
    for (uint32_t i = 0; i < N_SEGMENTS; i++) {
        add_segment(spool, i);
        if (i % 100 == 99)
            spool_fixture_commit(spool);
    }
    spool_free(spool);
    n_before = bytes_read();
    begun_us = g_get_monotonic_time();
    spool = spool_fixture_open(fixture, FILE_BYTES);
    g_test_message("%d segments of %d KiB: open after %.3f s, having read %.1f of %.1f MB",
                   N_SEGMENTS, SEGMENT_BYTES >> 10,
                   (double) (g_get_monotonic_time() - begun_us) / 1e6,
                   (double) (bytes_read() - n_before) / 1e6, (double) n_all / 1e6);

    g_assert_cmpuint(bytes_read() - n_before, <, n_all / 4);
    spool_status(spool, &status);
    g_assert_cmpuint(status.n_segments, ==, N_SEGMENTS);
    g_assert_cmpuint(status.n_recovered, ==, 1);
    g_assert_cmpuint(status.n_quarantined, ==, 0);
    spool_free(spool);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_assert_true(crypto_start(NULL));
    g_test_add_func("/spool-backlog/starts-without-reading-all-of-it",
                    test_starts_without_reading_all_of_it);
    return g_test_run();
}
