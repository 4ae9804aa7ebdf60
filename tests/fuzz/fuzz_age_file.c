#include "crypto/age_file.h"
#include "crypto/age_view.h"
#include "tests/fakes/age_fixture.h"

#include <string.h>

/* An age file, whole if the first byte is odd, or its payload behind a header that opens. The three
 * ways to open one agree, and a stream lets out no more than the whole file holds. */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes);

/* Of a file that age sealed to the fixture's recipient. */
static const char header[] = "age-encryption.org/v1\n"
                             "-> X25519 uaRCzccQQL7ZLyJkcd/1NevAOGN7EuRcZeDxkJBw8QM\n"
                             "PFK7KyNT7mFGI+emK3Bj80y+TZhFlQfKSuthAlg/rZo\n"
                             "--- VAMxL5X3H8tzP+w2h7dIXTvdCZ/nFyZJXNmzl3MqB6A\n";

static GBytes *
file_of(const uint8_t *data, size_t n_bytes)
{
    g_autoptr(GByteArray) file = g_byte_array_new();

    if (n_bytes > 0 && data[0] % 2 == 0)
        g_byte_array_append(file, (const guint8 *) header, (guint) strlen(header));
    if (n_bytes > 1)
        g_byte_array_append(file, data + 1, (guint) n_bytes - 1);
    return g_byte_array_free_to_bytes(g_steal_pointer(&file));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes)
{
    age_fixture_start();
    g_autoptr(GBytes) file = file_of(data, n_bytes);
    g_autoptr(GPtrArray) identities = age_fixture_identities();
    g_autoptr(AgeTape) tape = age_tape_new(file, 0);
    const AgeViewFile view_file = {age_tape_read_at, tape, tape->bytes->len};
    g_autoptr(GByteArray) released = NULL;

    GByteArray *plain =
        age_file_open(identities, age_context_any(), tape->bytes->data, tape->bytes->len, NULL);
    const bool is_whole = age_fixture_read(file, 7, &released, NULL);
    g_autoptr(AgeView) view = age_view_new(identities, age_context_any(), &view_file, NULL);

    g_assert_true(is_whole == (plain != NULL));
    if (plain != NULL) {
        g_assert_cmpuint(released->len, ==, plain->len);
        g_assert_nonnull(view);
        g_assert_cmpuint(age_view_length(view), ==, plain->len);
    }
    age_file_wipe(plain);
    return 0;
}
