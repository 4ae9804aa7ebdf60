#include "crypto/hpke.h"

#include <glib.h>
#include <string.h>

static void
from_hex(uint8_t *bytes, size_t n_bytes, const char *hex)
{
    g_assert_cmpuint(strlen(hex), ==, 2 * n_bytes);
    for (size_t i = 0; i < n_bytes; i++)
        bytes[i] = (uint8_t) (g_ascii_xdigit_value(hex[2 * i]) << 4 |
                              g_ascii_xdigit_value(hex[2 * i + 1]));
}

/* RFC 9180, appendix A.5.1: base mode of this suite. The Diffie-Hellman value is the x coordinate
 * of skRm times enc, computed with OpenSSL 3.0: `openssl pkeyutl -derive`. */
static void
test_derives_what_rfc_9180_does(void)
{
    uint8_t shared[HPKE_SHARED_BYTES];
    uint8_t encapsulated[HPKE_POINT_BYTES];
    uint8_t recipient[HPKE_POINT_BYTES];
    uint8_t key[32];
    uint8_t nonce[12];
    const HpkeInput input = {shared, encapsulated, recipient, "Ode on a Grecian Urn"};
    HpkeKey derived;

    from_hex(shared, sizeof(shared),
             "a65d78f0f0b1a25e3f63a1447a8ec2ea0cb84b9b0d2e76332c8a92253ba4ace2");
    from_hex(encapsulated, sizeof(encapsulated),
             "04c07836a0206e04e31d8ae99bfd549380b072a1b1b82e563c935c095827824fc1"
             "559eac6fb9e3c70cd3193968994e7fe9781aa103f5b50e934b5b2f387e381291");
    from_hex(recipient, sizeof(recipient),
             "04a697bffde9405c992883c5c439d6cc358170b51af72812333b015621dc0f40ba"
             "d9bb726f68a5c013806a790ec716ab8669f84f6b694596c2987cf35baba2a006");
    from_hex(key, sizeof(key), "a8f45490a92a3b04d1dbf6cf2c3939ad8bfc9bfcb97c04bffe116730c9dfe3fc");
    from_hex(nonce, sizeof(nonce), "726b4390ed2209809f58c693");

    hpke_derive(&input, &derived);

    g_assert_cmpmem(derived.key, sizeof(derived.key), key, sizeof(key));
    g_assert_cmpmem(derived.nonce, sizeof(derived.nonce), nonce, sizeof(nonce));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/hpke/derives-what-rfc-9180-does", test_derives_what_rfc_9180_does);
    return g_test_run();
}
