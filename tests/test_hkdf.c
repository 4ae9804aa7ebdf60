#include "crypto/hkdf.h"

#include <glib.h>
#include <string.h>

static uint8_t *
count_up(uint8_t first, size_t n_bytes)
{
    uint8_t *bytes = g_malloc0(n_bytes + 1); /* and a NUL */

    for (size_t i = 0; i < n_bytes; i++)
        bytes[i] = (uint8_t) (first + i);
    return bytes;
}

static void
check(const HkdfInput *input, const char *expected)
{
    const size_t n_bytes = strlen(expected) / 2;
    g_autofree uint8_t *key = g_malloc(n_bytes);
    g_autoptr(GString) hex = g_string_new(NULL);

    hkdf_derive(input, key, n_bytes);
    for (size_t i = 0; i < n_bytes; i++)
        g_string_append_printf(hex, "%02x", key[i]);
    g_assert_cmpstr(hex->str, ==, expected);
}

/* RFC 5869, appendix A.1 to A.3. */
static void
test_agrees_with_rfc_5869(void)
{
    uint8_t same[22];
    memset(same, 0x0b, sizeof(same));
    g_autofree uint8_t *salt = count_up(0, 13);
    g_autofree uint8_t *info = count_up(0xf0, 10);
    const HkdfInput basic = {same, sizeof(same), salt, 13, (const char *) info};
    g_autofree uint8_t *long_key = count_up(0, 80);
    g_autofree uint8_t *long_salt = count_up(0x60, 80);
    g_autofree uint8_t *long_info = count_up(0xb0, 80);
    const HkdfInput longer = {long_key, 80, long_salt, 80, (const char *) long_info};
    const HkdfInput bare = {same, sizeof(same), NULL, 0, ""};

    check(&basic, "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf"
                  "34007208d5b887185865");
    check(&longer, "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c"
                   "59045a99cac7827271cb41c65e590e09da3275600c2f09b8367793a9aca3db71"
                   "cc30c58179ec3e87c14c01d5c1f3434f1d87");
    check(&bare, "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d"
                 "9d201395faa4b61a96c8");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/hkdf/agrees-with-rfc-5869", test_agrees_with_rfc_5869);
    return g_test_run();
}
