#include "crypto/digest.h"

#include <string.h>

/* FIPS 180-4's examples. */
static void
test_agrees_with_fips_180(void)
{
    static const struct {
        const char *text;
        const char *hex;
    } rows[] = {
        {"",                                                         "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {"abc",                                                      "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
        {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
         "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"                                                            },
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        const Digest digest = digest_of(rows[i].text, strlen(rows[i].text));
        g_autofree char *hex = digest_to_hex(&digest);
        Digest back;

        g_assert_cmpstr(hex, ==, rows[i].hex);
        g_assert_true(digest_from_hex(&back, hex));
        g_assert_true(digest_equal(&back, &digest));
    }
}

static void
test_every_bit_makes_a_difference(void)
{
    const Digest digest = digest_of("abc", 3);

    for (unsigned bit = 0; bit < 8 * sizeof(digest.bytes); bit++) {
        Digest other = digest;
        other.bytes[bit / 8] ^= (uint8_t) (1U << bit % 8);
        g_assert_false(digest_equal(&digest, &other));
    }
}

static void
test_reads_only_lower_case_hexadecimal_of_full_length(void)
{
    const Digest digest = digest_of("abc", 3);
    g_autofree char *hex = digest_to_hex(&digest);
    g_autofree char *upper = g_ascii_strup(hex, -1);
    g_autofree char *longer = g_strconcat(hex, "0", NULL);
    g_autofree char *shorter = g_strndup(hex, 63);
    g_autofree char *spaced = g_strconcat(" ", shorter, NULL);
    const char *const wrong[] = {upper, longer, shorter, spaced, "", "-"};

    for (unsigned i = 0; i < G_N_ELEMENTS(wrong); i++) {
        Digest back;
        g_assert_false(digest_from_hex(&back, wrong[i]));
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/digest/agrees-with-fips-180", test_agrees_with_fips_180);
    g_test_add_func("/digest/every-bit-makes-a-difference", test_every_bit_makes_a_difference);
    g_test_add_func("/digest/reads-only-lower-case-hexadecimal-of-full-length",
                    test_reads_only_lower_case_hexadecimal_of_full_length);
    return g_test_run();
}
