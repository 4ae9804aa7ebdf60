#include "crypto/bech32.h"

#include <glib.h>
#include <sodium.h>
#include <string.h>

#define CHECKSUM_VALUES 6
#define MAX_VALUES      (832 + CHECKSUM_VALUES) /* 520 bytes in groups of five bits */

static const char alphabet[] = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";

static uint32_t
checksum_step(uint32_t checksum, uint8_t value)
{
    static const uint32_t generator[] = {0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd,
                                         0x2a1462b3};
    const uint32_t top = checksum >> 25;

    checksum = (checksum & 0x1ffffff) << 5 ^ value;
    for (unsigned i = 0; i < G_N_ELEMENTS(generator); i++)
        checksum ^= (top >> i & 1) != 0 ? generator[i] : 0;
    return checksum;
}

static uint32_t
checksum_of(const char *prefix, const uint8_t *values, size_t n_values)
{
    uint32_t checksum = 1;

    for (const char *c = prefix; *c != '\0'; c++)
        checksum = checksum_step(checksum, (uint8_t) g_ascii_tolower(*c) >> 5);
    checksum = checksum_step(checksum, 0);
    for (const char *c = prefix; *c != '\0'; c++)
        checksum = checksum_step(checksum, (uint8_t) g_ascii_tolower(*c) & 31);
    for (size_t i = 0; i < n_values; i++)
        checksum = checksum_step(checksum, values[i]);
    return checksum;
}

/* Looks at every letter whatever the character, as the text may be a secret key.
 * Returns: 0 to 31, or 32 for none. */
static uint8_t
value_of(char character)
{
    const char lower = g_ascii_tolower(character);
    uint8_t value = 32;

    for (uint8_t i = 0; i < 32; i++)
        value = alphabet[i] == lower ? i : value;
    return value;
}

static bool
is_one_case(const char *text, size_t n_text)
{
    bool has_lower = false;
    bool has_upper = false;

    for (size_t i = 0; i < n_text; i++) {
        has_lower |= g_ascii_islower(text[i]);
        has_upper |= g_ascii_isupper(text[i]);
    }
    return !(has_lower && has_upper);
}

/* Regroups values of five bits into bytes. Returns: false for padding that is not zero or too long.
 */
static bool
bytes_from_values(Bech32 *self, const uint8_t *values, size_t n_values)
{
    uint32_t bits = 0;
    unsigned n_bits = 0;

    self->n_bytes = 0;
    for (size_t i = 0; i < n_values; i++) {
        bits = (bits << 5 | values[i]) & 0xfff;
        n_bits += 5;
        if (n_bits >= 8) {
            n_bits -= 8;
            self->bytes[self->n_bytes++] = (uint8_t) (bits >> n_bits);
        }
    }
    return n_bits < 5 && (bits & ((1U << n_bits) - 1)) == 0;
}

/* Splits at the last `1`. Returns: the first character behind it, or NULL. */
static const char *
split_prefix(Bech32 *self, const char *text, size_t n_text)
{
    const char *separator = memrchr(text, '1', n_text);

    if (separator == NULL || separator == text)
        return NULL;
    const size_t n_prefix = (size_t) (separator - text);
    if (n_prefix >= sizeof(self->prefix))
        return NULL;
    for (size_t i = 0; i < n_prefix; i++) {
        if (text[i] < 33 || text[i] > 126)
            return NULL;
    }
    memcpy(self->prefix, text, n_prefix);
    self->prefix[n_prefix] = '\0';
    return separator + 1;
}

static bool
fail(const char **reason, const char *what)
{
    *reason = what;
    return false;
}

static bool
decode_values(Bech32 *self, const char *data, size_t n_data, const char **reason)
{
    uint8_t values[MAX_VALUES] = {0};
    bool is_known = true;

    for (size_t i = 0; i < n_data; i++) {
        values[i] = value_of(data[i]);
        is_known &= values[i] < 32;
    }
    const bool is_sum_right = is_known && checksum_of(self->prefix, values, n_data) == 1;
    const bool is_padding_right =
        is_sum_right && bytes_from_values(self, values, n_data - CHECKSUM_VALUES);
    sodium_memzero(values, sizeof(values));

    if (!is_known)
        return fail(reason, "it has a character that bech32 does not use");
    if (!is_sum_right)
        return fail(reason, "its checksum is wrong, so it is mistyped or cut");
    if (!is_padding_right)
        return fail(reason, "its padding is wrong");
    return true;
}

bool
bech32_decode(Bech32 *self, const char *text, size_t n_text, const char **reason)
{
    memset(self, 0, sizeof(*self));
    if (!is_one_case(text, n_text))
        return fail(reason, "it mixes upper and lower case");
    const char *data = split_prefix(self, text, n_text);
    if (data == NULL)
        return fail(reason, "it has no bech32 prefix");
    const size_t n_data = n_text - (size_t) (data - text);
    if (n_data < CHECKSUM_VALUES || n_data > MAX_VALUES)
        return fail(reason, "its length is wrong");
    return decode_values(self, data, n_data, reason);
}

static size_t
values_from_bytes(const Bech32 *self, uint8_t *values)
{
    uint32_t bits = 0;
    unsigned n_bits = 0;
    size_t n_values = 0;

    for (size_t i = 0; i < self->n_bytes; i++) {
        bits = (bits << 8 | self->bytes[i]) & 0xfff;
        n_bits += 8;
        while (n_bits >= 5) {
            n_bits -= 5;
            values[n_values++] = bits >> n_bits & 31;
        }
    }
    if (n_bits > 0)
        values[n_values++] = bits << (5 - n_bits) & 31;
    return n_values;
}

void
bech32_encode(const Bech32 *self, char text[BECH32_TEXT_BYTES])
{
    uint8_t values[MAX_VALUES] = {0};
    const size_t n_data = values_from_bytes(self, values);
    const uint32_t checksum = checksum_of(self->prefix, values, n_data + CHECKSUM_VALUES) ^ 1;
    char *end = g_stpcpy(text, self->prefix);

    for (unsigned i = 0; i < CHECKSUM_VALUES; i++)
        values[n_data + i] = checksum >> 5 * (CHECKSUM_VALUES - 1 - i) & 31;
    *end++ = '1';
    for (size_t i = 0; i < n_data + CHECKSUM_VALUES; i++)
        *end++ = alphabet[values[i]];
    *end = '\0';
    sodium_memzero(values, sizeof(values));
}
