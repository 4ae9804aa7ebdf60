#include "crypto/age_stream.h"
#include "crypto/digest.h"
#include "tests/fakes/age_fixture.h"

#include <string.h>

static Secret *
counting_key(void)
{
    Secret *key = secret_new_zero(16, NULL);

    for (unsigned i = 0; i < 16; i++)
        secret_bytes(key)[i] = (uint8_t) i;
    return key;
}

static const uint8_t counting_nonce[AGE_STREAM_NONCE_BYTES] = {
    16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31,
};

/* Over four chunks, so that a counter which stands still is noticed. The answer comes from another
 * implementation, written from RFC 8439 and RFC 5869. */
static void
test_agrees_with_another_implementation(void)
{
    g_autoptr(Secret) key = counting_key();
    g_autoptr(AgeStream) stream = age_stream_new_seal(key, counting_nonce);
    g_autoptr(GBytes) pattern = age_fixture_pattern(200000);
    g_autoptr(GByteArray) payload = g_byte_array_new();
    g_autofree uint8_t *sealed = g_malloc(AGE_STREAM_SEALED_BYTES);
    const uint8_t *plain = g_bytes_get_data(pattern, NULL);

    for (size_t done = 0; done < 200000; done += AGE_STREAM_CHUNK_BYTES) {
        const size_t n_bytes = MIN(200000 - done, AGE_STREAM_CHUNK_BYTES);
        const AgeStreamPlace place = {done / AGE_STREAM_CHUNK_BYTES,
                                      n_bytes < AGE_STREAM_CHUNK_BYTES};
        age_stream_seal(stream, place, plain + done, n_bytes, sealed);
        g_byte_array_append(payload, sealed, (guint) n_bytes + AGE_STREAM_TAG_BYTES);
    }

    const Digest digest = digest_of(payload->data, payload->len);
    g_autofree char *hex = digest_to_hex(&digest);
    g_assert_cmpstr(hex, ==, "6fc8ed5e705f2aa1612ff39a42274cb83e2345678847dcfe305543f46838cb74");
}

static void
test_opens_a_chunk_at_its_place_only(void)
{
    static const struct {
        AgeStreamPlace place;
        bool opens;
    } rows[] = {
        {{5, true},                true },
        {{5, false},               false},
        {{4, true},                false},
        {{6, true},                false},
        {{5 + (1ULL << 32), true}, false},
        {{5 + (1ULL << 56), true}, false},
        {{G_MAXUINT64, true},      false},
    };
    g_autoptr(Secret) key = counting_key();
    g_autoptr(AgeStream) sealing = age_stream_new_seal(key, counting_nonce);
    g_autoptr(AgeStream) opening = age_stream_new_open(key, counting_nonce);
    uint8_t sealed[5 + AGE_STREAM_TAG_BYTES];
    age_stream_seal(sealing, (AgeStreamPlace){5, true}, (const uint8_t *) "hello", 5, sealed);

    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        uint8_t plain[5] = {1, 1, 1, 1, 1};
        const bool opens = age_stream_open(opening, rows[i].place, sealed, sizeof(sealed), plain);

        g_assert_true(opens == rows[i].opens);
        g_assert_cmpmem(plain, 5, opens ? "hello" : "\0\0\0\0\0", 5); /* wiped if not genuine */
    }
}

static void
test_other_key_or_nonce_opens_nothing(void)
{
    g_autoptr(Secret) key = counting_key();
    g_autoptr(Secret) other_key = counting_key();
    secret_bytes(other_key)[15] ^= 1;
    uint8_t other_nonce[AGE_STREAM_NONCE_BYTES];
    memcpy(other_nonce, counting_nonce, sizeof(other_nonce));
    other_nonce[0] ^= 1;
    g_autoptr(AgeStream) sealing = age_stream_new_seal(key, counting_nonce);
    g_autoptr(AgeStream) of_other_key = age_stream_new_open(other_key, counting_nonce);
    g_autoptr(AgeStream) of_other_nonce = age_stream_new_open(key, other_nonce);
    uint8_t sealed[AGE_STREAM_TAG_BYTES];
    uint8_t plain[1];

    age_stream_seal(sealing, (AgeStreamPlace){0, true}, plain, 0, sealed);

    g_assert_false(
        age_stream_open(of_other_key, (AgeStreamPlace){0, true}, sealed, sizeof(sealed), plain));
    g_assert_false(
        age_stream_open(of_other_nonce, (AgeStreamPlace){0, true}, sealed, sizeof(sealed), plain));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    age_fixture_start();
    g_test_add_func("/age_stream/agrees-with-another-implementation",
                    test_agrees_with_another_implementation);
    g_test_add_func("/age_stream/opens-a-chunk-at-its-place-only",
                    test_opens_a_chunk_at_its_place_only);
    g_test_add_func("/age_stream/other-key-or-nonce-opens-nothing",
                    test_other_key_or_nonce_opens_nothing);
    return g_test_run();
}
