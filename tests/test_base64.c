#include "crypto/base64.h"

#include <glib.h>
#include <string.h>

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* RFC 4648, section 10. */
static void
test_agrees_with_rfc_4648(void)
{
    static const struct {
        const char *plain;
        const char *padded;
        const char *unpadded;
    } rows[] = {
        {"",       "",         ""        },
        {"f",      "Zg==",     "Zg"      },
        {"fo",     "Zm8=",     "Zm8"     },
        {"foo",    "Zm9v",     "Zm9v"    },
        {"foob",   "Zm9vYg==", "Zm9vYg"  },
        {"fooba",  "Zm9vYmE=", "Zm9vYmE" },
        {"foobar", "Zm9vYmFy", "Zm9vYmFy"},
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        uint8_t bytes[6];
        size_t n_bytes = 0;

        g_assert_true(base64_decode_padded(rows[i].padded, strlen(rows[i].padded), bytes,
                                           sizeof(bytes), &n_bytes));
        g_assert_cmpmem(bytes, (guint) n_bytes, rows[i].plain, (guint) strlen(rows[i].plain));
        g_assert_true(base64_decode_unpadded(rows[i].unpadded, strlen(rows[i].unpadded), bytes,
                                             sizeof(bytes), &n_bytes));
        g_assert_cmpmem(bytes, (guint) n_bytes, rows[i].plain, (guint) strlen(rows[i].plain));
    }
}

static void
test_every_byte_outside_the_alphabet_is_refused(void)
{
    for (unsigned byte = 0; byte < 256; byte++) {
        for (unsigned at = 0; at < 4; at++) {
            char text[4] = {'A', 'A', 'A', 'A'};
            uint8_t bytes[3];
            size_t n_bytes = 0;
            const bool is_known = memchr(alphabet, (int) byte, 64) != NULL;

            text[at] = (char) byte;

            g_assert_true(base64_decode_unpadded(text, 4, bytes, sizeof(bytes), &n_bytes) ==
                          is_known);
            g_assert_true(base64_decode_padded(text, 4, bytes, sizeof(bytes), &n_bytes) ==
                          (is_known || (byte == '=' && at == 3)));
        }
    }
}

static void
test_each_value_has_one_text(void)
{
    unsigned n_one = 0;
    unsigned n_two = 0;

    /* Of all texts of two and three characters, 256 decode to one byte and 65536 to two. */
    for (unsigned i = 0; i < 64 * 64 * 64; i++) {
        const char text[3] = {alphabet[i / 4096], alphabet[i / 64 % 64], alphabet[i % 64]};
        uint8_t bytes[2];
        size_t n_bytes = 0;
        if (i < 64 * 64)
            n_one += base64_decode_unpadded(text + 1, 2, bytes, sizeof(bytes), &n_bytes) ? 1 : 0;
        n_two += base64_decode_unpadded(text, 3, bytes, sizeof(bytes), &n_bytes) ? 1 : 0;
    }

    g_assert_cmpuint(n_one, ==, 256);
    g_assert_cmpuint(n_two, ==, 65536);
}

static void
test_padding_and_length_are_checked(void)
{
    static const char *const not_padded[] = {"Zg",   "Zg=",   "Zm8",      "Zg===", "Z===",  "=",
                                             "====", "Zm9v=", "Zg==Zg==", "Zm 8=", "Zm8=\n"};
    static const char *const not_unpadded[] = {"Zg==", "Zm8=", "Z", "Zm9vY", "Zm8\n", " Zm8"};
    uint8_t bytes[64];
    size_t n_bytes = 0;

    for (unsigned i = 0; i < G_N_ELEMENTS(not_padded); i++)
        g_assert_false(base64_decode_padded(not_padded[i], strlen(not_padded[i]), bytes,
                                            sizeof(bytes), &n_bytes));
    for (unsigned i = 0; i < G_N_ELEMENTS(not_unpadded); i++)
        g_assert_false(base64_decode_unpadded(not_unpadded[i], strlen(not_unpadded[i]), bytes,
                                              sizeof(bytes), &n_bytes));
    g_assert_false(base64_decode_unpadded("Zm9vYmFy", 8, bytes, 5, &n_bytes));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/base64/agrees-with-rfc-4648", test_agrees_with_rfc_4648);
    g_test_add_func("/base64/every-byte-outside-the-alphabet-is-refused",
                    test_every_byte_outside_the_alphabet_is_refused);
    g_test_add_func("/base64/each-value-has-one-text", test_each_value_has_one_text);
    g_test_add_func("/base64/padding-and-length-are-checked", test_padding_and_length_are_checked);
    return g_test_run();
}
