#include "crypto/age_stream.h"
#include "crypto/age_view.h"
#include "crypto/crypto_error.h"
#include "tests/fakes/age_fixture.h"

#include <string.h>

#define CHUNK AGE_STREAM_CHUNK_BYTES
#define PLAIN (3 * CHUNK + 1000)

static AgeView *
view_of(AgeTape *tape, GError **error)
{
    g_autoptr(GPtrArray) identities = age_fixture_identities();
    const AgeViewFile file = {age_tape_read_at, tape, tape->bytes->len};

    return age_view_new(identities, NULL, &file, error);
}

static AgeTape *
sealed_tape(size_t n_plain)
{
    g_autoptr(GBytes) plain = age_fixture_pattern(n_plain);
    g_autoptr(GBytes) sealed = age_fixture_seal(plain, NULL);

    return age_tape_new(sealed, 0);
}

static void
test_reads_any_range(void)
{
    static const struct {
        uint64_t offset;
        guint n_bytes;
    } rows[] = {
        {0,             1        },
        {PLAIN - 1,     1        },
        {0,             PLAIN    },
        {CHUNK - 1,     2        },
        {CHUNK,         CHUNK    },
        {2 * CHUNK - 1, 2 + CHUNK},
        {3 * CHUNK,     1000     },
        {5,             100      }, /* back again */
        {PLAIN,         0        },
    };
    g_autoptr(GError) error = NULL;
    g_autoptr(GBytes) plain = age_fixture_pattern(PLAIN);
    g_autoptr(AgeTape) tape = sealed_tape(PLAIN);
    g_autoptr(AgeView) view = view_of(tape, &error);
    g_assert_no_error(error);
    g_autofree uint8_t *buffer = g_malloc(PLAIN);

    g_assert_cmpuint(age_view_length(view), ==, PLAIN);
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_assert_true(age_view_read(view, rows[i].offset, buffer, rows[i].n_bytes, &error));
        g_assert_cmpmem(buffer, rows[i].n_bytes,
                        (const uint8_t *) g_bytes_get_data(plain, NULL) + rows[i].offset,
                        rows[i].n_bytes);
    }
}

static void
test_knows_every_length_that_matters(void)
{
    static const guint lengths[] = {0, 1, 65535, 65536, 65537, 131072, 131073};

    for (unsigned i = 0; i < G_N_ELEMENTS(lengths); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(AgeTape) tape = sealed_tape(lengths[i]);
        g_autoptr(AgeView) view = view_of(tape, &error);

        g_assert_no_error(error);
        g_assert_cmpuint(age_view_length(view), ==, lengths[i]);
    }
}

static void
test_every_cut_is_noticed_before_anything_is_read(void)
{
    g_autoptr(AgeTape) whole = sealed_tape(CHUNK + 100);
    const guint n_whole = whole->bytes->len;

    for (guint n_bytes = 0; n_bytes < n_whole; n_bytes += n_bytes < 400 ? 1 : 97) {
        g_autoptr(GError) error = NULL;
        whole->bytes->len = n_bytes;

        g_assert_null(view_of(whole, &error));
        g_assert_true(error->domain == CRYPTO_ERROR);
    }
    whole->bytes->len = n_whole;
}

static void
test_refuses_an_empty_last_chunk(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GBytes) file = age_fixture_seal_with_empty_last_chunk();
    g_autoptr(AgeTape) tape = age_tape_new(file, 0);

    g_assert_null(view_of(tape, &error));
    g_assert_error(error, CRYPTO_ERROR, CRYPTO_ERROR_AUTHENTICATION);
}

static void
test_changed_chunk_is_refused_and_others_stay_readable(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(AgeTape) tape = sealed_tape(PLAIN);
    tape->bytes->data[tape->bytes->len - 1016 - 2 * AGE_STREAM_SEALED_BYTES + 5] ^= 1; /* chunk 1 */
    g_autoptr(AgeView) view = view_of(tape, &error);
    g_assert_no_error(error);
    uint8_t byte = 0;

    g_assert_true(age_view_read(view, 0, &byte, 1, &error));
    g_assert_false(age_view_read(view, CHUNK, &byte, 1, &error));
    g_assert_error(error, CRYPTO_ERROR, CRYPTO_ERROR_AUTHENTICATION);
    g_clear_error(&error);
    g_assert_false(age_view_read(view, CHUNK, &byte, 1, &error)); /* not kept from before */
    g_clear_error(&error);
    g_assert_true(age_view_read(view, 2 * CHUNK, &byte, 1, &error));
}

static void
test_broken_file_is_an_error(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(AgeTape) tape = sealed_tape(PLAIN);
    g_autoptr(AgeView) view = view_of(tape, &error);
    uint8_t byte = 0;

    tape->is_broken = true;
    g_assert_false(age_view_read(view, 0, &byte, 1, &error));
    g_assert_nonnull(error);
    g_clear_error(&error);
    g_assert_null(view_of(tape, &error));
    g_assert_nonnull(error);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    age_fixture_start();
    g_test_add_func("/age_view/reads-any-range", test_reads_any_range);
    g_test_add_func("/age_view/knows-every-length-that-matters",
                    test_knows_every_length_that_matters);
    g_test_add_func("/age_view/every-cut-is-noticed-before-anything-is-read",
                    test_every_cut_is_noticed_before_anything_is_read);
    g_test_add_func("/age_view/refuses-an-empty-last-chunk", test_refuses_an_empty_last_chunk);
    g_test_add_func("/age_view/changed-chunk-is-refused-and-others-stay-readable",
                    test_changed_chunk_is_refused_and_others_stay_readable);
    g_test_add_func("/age_view/broken-file-is-an-error", test_broken_file_is_an_error);
    return g_test_run();
}
