#include "storage/spool_body.h"

#include <string.h>

void
spool_body_put_number(GByteArray *body, uint64_t value)
{
    const uint64_t little = GUINT64_TO_LE(value);

    g_byte_array_append(body, (const guint8 *) &little, sizeof little);
}

void
spool_body_put_text(GByteArray *body, const char *text)
{
    const size_t n_bytes = strlen(text);

    spool_body_put_number(body, n_bytes);
    g_byte_array_append(body, (const guint8 *) text, (guint) n_bytes + 1);
}

void
spool_body_put_digest(GByteArray *body, const Digest *digest)
{
    g_byte_array_append(body, digest->bytes, sizeof digest->bytes);
}

void
spool_body_put_bytes(GByteArray *body, const uint8_t *bytes, size_t n_bytes)
{
    spool_body_put_number(body, n_bytes);
    g_byte_array_append(body, bytes, (guint) n_bytes);
}

static const uint8_t *
take(SpoolCursor *self, size_t n_bytes)
{
    const uint8_t *taken = self->next;

    if (self->is_bad || n_bytes > self->n_left) {
        self->is_bad = true;
        return NULL;
    }
    self->next += n_bytes;
    self->n_left -= n_bytes;
    return taken;
}

static uint64_t
number_at(const uint8_t *bytes)
{
    uint64_t little = 0;

    memcpy(&little, bytes, sizeof little);
    return GUINT64_FROM_LE(little);
}

uint64_t
spool_cursor_number(SpoolCursor *self, uint64_t max)
{
    const uint8_t *bytes = take(self, 8);
    const uint64_t value = bytes == NULL ? 0 : number_at(bytes);

    if (value > max) {
        self->is_bad = true;
        return 0;
    }
    return value;
}

const char *
spool_cursor_text(SpoolCursor *self)
{
    const uint64_t n_bytes = spool_cursor_number(self, self->n_left);
    const uint8_t *bytes = take(self, n_bytes + 1);

    if (bytes == NULL || memchr(bytes, '\0', n_bytes + 1) != bytes + n_bytes) {
        self->is_bad = true;
        return "";
    }
    return (const char *) bytes;
}

void
spool_cursor_digest(SpoolCursor *self, Digest *digest)
{
    const uint8_t *bytes = take(self, sizeof digest->bytes);

    if (bytes != NULL)
        memcpy(digest->bytes, bytes, sizeof digest->bytes);
}

const uint8_t *
spool_cursor_bytes(SpoolCursor *self, size_t *n_bytes)
{
    *n_bytes = (size_t) spool_cursor_number(self, self->n_left);
    return take(self, *n_bytes);
}

SpoolList
spool_cursor_list(SpoolCursor *self)
{
    const uint64_t n_numbers = spool_cursor_number(self, self->n_left / 8);
    SpoolList list = {.bytes = take(self, n_numbers * 8), .n_numbers = n_numbers};

    if (list.bytes == NULL)
        list.n_numbers = 0;
    return list;
}

uint64_t
spool_list_get(const SpoolList *self, size_t i)
{
    g_assert(i < self->n_numbers);
    return number_at(self->bytes + 8 * i);
}
