#include "storage/spool_outbox.h"
#include "tests/fakes/spool_fixture.h"

#include <string.h>

/* A log of any bytes opens, shows only segments that match their digests, and opens again to the
 * same. */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes);

/* Makes every frame's digest right, so that what is behind it is reached. */
static void
repair(uint8_t *log, size_t n_bytes)
{
    size_t offset = 0;
    SpoolFrame frame;

    while (offset + SPOOL_FRAME_BYTES <= n_bytes && spool_record_read_frame(log + offset, &frame) &&
           frame.n_body_bytes <= n_bytes - offset - SPOOL_FRAME_BYTES) {
        uint8_t parts[SPOOL_FRAME_BYTES];
        const Digest body = digest_of(log + offset + SPOOL_FRAME_BYTES, frame.n_body_bytes);
        Digest digest;

        memcpy(parts, log + offset, SPOOL_FRAME_BYTES - 32);
        memcpy(parts + SPOOL_FRAME_BYTES - 32, body.bytes, 32);
        digest = digest_of(parts, sizeof parts);
        memcpy(log + offset + SPOOL_FRAME_BYTES - 32, digest.bytes, 32);
        offset += SPOOL_FRAME_BYTES + (size_t) frame.n_body_bytes + frame.n_payload_bytes;
    }
}

/* Returns: how many sessions there are. */
static guint
open_and_read(const SpoolFixture *fixture)
{
    g_autoptr(Spool) spool = spool_fixture_open(fixture, 4096);
    g_autoptr(GPtrArray) sessions = spool_outbox_view(spool);

    for (guint i = 0; i < sessions->len; i++) {
        const OutboxSession *session = g_ptr_array_index(sessions, i);

        g_assert_cmpint(session->state, !=, SESSION_OPEN);
        for (guint j = 0; j < session->items->len; j++) {
            const SpoolItem *item = g_ptr_array_index(session->items, j);
            g_autoptr(GBytes) sealed = NULL;
            Digest digest;

            if (item->record.type != SPOOL_RECORD_SEGMENT)
                continue;
            sealed = spool_fixture_read(spool, item, NULL);
            if (sealed == NULL)
                continue;
            digest = digest_of_bytes(sealed);
            g_assert_true(digest_equal(&digest, &item->record.segment.digest));
        }
    }
    return sessions->len;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes)
{
    g_autoptr(SpoolFixture) fixture = spool_fixture_new();
    g_autofree uint8_t *log = g_memdup2(data, n_bytes);
    guint n_sessions = 0;

    if (log != NULL)
        repair(log, n_bytes);
    spool_fixture_write_log(fixture, "0000000001.log", log == NULL ? data : log, n_bytes);
    n_sessions = open_and_read(fixture);
    g_assert_cmpuint(open_and_read(fixture), ==, n_sessions);
    return 0;
}
