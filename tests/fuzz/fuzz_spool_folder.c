#include "storage/spool_outbox.h"
#include "tests/fakes/spool_fixture.h"

#include <string.h>

/* A spool's folder in any state: several logs, a format, a heartbeat, leftovers. It opens or
 * refuses with a word; what it opens shows genuine segments only, and opens again to the same. The
 * input is pieces: a byte that names the file, two of length, and that much content. */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes);

static const char *const names[] = {
    "0000000001.log", "0000000002.log", "0000000003.log", "0000000009.log",
    "format",         "heartbeat",      "reserve",        "0000000002.log.1a2b3c4d.partial",
};

static void
write_files(const SpoolFixture *fixture, const uint8_t *data, size_t n_bytes)
{
    while (n_bytes >= 3) {
        const char *name = names[data[0] % G_N_ELEMENTS(names)];
        const size_t n_wanted = (size_t) data[1] << 8 | data[2];
        const size_t n_file = MIN(n_wanted, n_bytes - 3);

        spool_fixture_write_log(fixture, name, data + 3, n_file);
        data += 3 + n_file;
        n_bytes -= 3 + n_file;
    }
}

static void
check_segment(Spool *spool, const SpoolItem *item)
{
    g_autoptr(GBytes) sealed = NULL;
    Digest digest;

    if (item->record.type != SPOOL_RECORD_SEGMENT)
        return;
    sealed = spool_fixture_read(spool, item, NULL);
    if (sealed == NULL)
        return;
    digest = digest_of_bytes(sealed);
    g_assert_true(digest_equal(&digest, &item->record.segment.digest));
}

/* Returns: how many sessions it shows; -1 if it refuses. */
static int
open_and_read(const SpoolFixture *fixture)
{
    const SpoolOptions small = {.file_bytes = 4096, .reserve_bytes = 4096};
    g_autoptr(GError) error = NULL;
    g_autoptr(Spool) spool = spool_open(fixture->spool_path, &small, &error);
    g_autoptr(GPtrArray) sessions = NULL;

    g_assert_true((spool == NULL) == (error != NULL));
    if (spool == NULL)
        return -1;
    sessions = spool_outbox_view(spool);
    for (guint i = 0; i < sessions->len; i++) {
        const OutboxSession *session = g_ptr_array_index(sessions, i);

        g_assert_cmpint(session->state, !=, SESSION_OPEN);
        for (guint j = 0; j < session->items->len; j++)
            check_segment(spool, g_ptr_array_index(session->items, j));
    }
    return (int) sessions->len;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes)
{
    g_autoptr(SpoolFixture) fixture = spool_fixture_new();
    int n_sessions = 0;

    write_files(fixture, data, n_bytes);
    n_sessions = open_and_read(fixture);
    g_assert_cmpint(open_and_read(fixture), ==, n_sessions);
    return 0;
}
