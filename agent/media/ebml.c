#include "agent/media/ebml.h"

#include <string.h>

#define LONGEST 8

void
ebml_write_number(uint8_t *bytes, size_t n_bytes, uint64_t value)
{
    for (size_t i = n_bytes; i > 0; i--) {
        bytes[i - 1] = (uint8_t) value;
        value >>= 8;
    }
}

static void
put_number(GByteArray *out, uint64_t value, unsigned n_bytes)
{
    uint8_t bytes[LONGEST];

    ebml_write_number(bytes, n_bytes, value);
    g_byte_array_append(out, bytes, n_bytes);
}

static unsigned
count_bytes(uint64_t value)
{
    unsigned n_bytes = 1;

    while (n_bytes < LONGEST && value >> (8 * n_bytes) != 0)
        n_bytes++;
    return n_bytes;
}

void
ebml_put_head(GByteArray *out, uint32_t id, uint64_t n_bytes)
{
    unsigned length = 1;

    put_number(out, id, count_bytes(id));
    /* All ones would say that it is not known. */
    while (length < LONGEST && n_bytes >= (UINT64_C(1) << (7 * length)) - 1)
        length++;
    put_number(out, n_bytes | UINT64_C(1) << (7 * length), length);
}

void
ebml_put_uint(GByteArray *out, uint32_t id, uint64_t value)
{
    const unsigned n_bytes = count_bytes(value);

    ebml_put_head(out, id, n_bytes);
    put_number(out, value, n_bytes);
}

void
ebml_put_long(GByteArray *out, uint32_t id, uint64_t value)
{
    ebml_put_head(out, id, sizeof(value));
    put_number(out, value, sizeof(value));
}

void
ebml_put_float(GByteArray *out, uint32_t id, double value)
{
    uint64_t bits = 0;

    memcpy(&bits, &value, sizeof(bits));
    ebml_put_long(out, id, bits);
}

void
ebml_put_bytes(GByteArray *out, uint32_t id, const uint8_t *bytes, size_t n_bytes)
{
    ebml_put_head(out, id, n_bytes);
    g_byte_array_append(out, bytes, (guint) n_bytes);
}

void
ebml_put_text(GByteArray *out, uint32_t id, const char *text)
{
    ebml_put_bytes(out, id, (const uint8_t *) text, strlen(text));
}

void
ebml_put_master(GByteArray *out, uint32_t id, GByteArray *content)
{
    ebml_put_bytes(out, id, content->data, content->len);
    g_byte_array_unref(content);
}
