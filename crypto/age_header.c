#include "crypto/age_header.h"

#include "crypto/base64.h"
#include "crypto/crypto_error.h"
#include "crypto/hkdf.h"

#include <sodium.h>
#include <string.h>

#define VERSION_LINE   "age-encryption.org/v1\n"
#define COLUMNS        64
#define LINE_BYTES     48 /* that 64 columns of base64 hold */
#define MAC_COLUMNS    43
#define MAC_LINE_START "---"

/* What is left to read; always ends in a newline. */
typedef struct {
    const char *next;
    const char *end;
    unsigned line_number;
} Cursor;

typedef struct {
    const char *text;
    size_t n_text;
} Line;

AgeStanza *
age_stanza_new(char **words, const uint8_t *body, size_t n_body)
{
    AgeStanza *self = g_new(AgeStanza, 1);

    self->words = words;
    self->n_words = g_strv_length(words);
    self->body = g_byte_array_sized_new((guint) n_body + 1); /* never NULL inside */
    g_byte_array_append(self->body, body, (guint) n_body);
    return self;
}

void
age_stanza_free(AgeStanza *self)
{
    if (self == NULL)
        return;
    g_strfreev(self->words);
    g_byte_array_unref(self->body);
    g_free(self);
}

size_t
age_header_find_end(const uint8_t *bytes, size_t n_bytes, size_t *n_seen)
{
    if (n_bytes == 0)
        return 0;
    const uint8_t *end = bytes + n_bytes;
    const uint8_t *line = bytes + *n_seen;
    while (line < end) {
        const uint8_t *newline = memchr(line, '\n', (size_t) (end - line));
        if (newline == NULL)
            break;
        const uint8_t *next = newline + 1;
        if (next - line > 3 && memcmp(line, MAC_LINE_START, 3) == 0) /* public */
            return (size_t) (next - bytes);
        line = next;
    }
    *n_seen = (size_t) (line - bytes);
    return 0;
}

bool
age_header_could_begin(const uint8_t *bytes, size_t n_bytes)
{
    const size_t n_compared = MIN(n_bytes, strlen(VERSION_LINE));

    return memcmp(bytes, VERSION_LINE, n_compared) == 0; /* public */
}

static bool
fail_line(const Cursor *cursor, const char *what, GError **error)
{
    crypto_fail(error, CRYPTO_ERROR_MALFORMED, "header line %u: %s", cursor->line_number, what);
    return false;
}

static bool
next_line(Cursor *cursor, Line *line, GError **error)
{
    const char *newline = memchr(cursor->next, '\n', (size_t) (cursor->end - cursor->next));

    cursor->line_number++;
    if (newline == NULL)
        return fail_line(cursor, "the header ends too early", error);
    line->text = cursor->next;
    line->n_text = (size_t) (newline - cursor->next);
    cursor->next = newline + 1;
    return true;
}

static bool
starts_with(const Line *line, const char *start)
{
    const size_t n_start = strlen(start);

    return line->n_text >= n_start && memcmp(line->text, start, n_start) == 0; /* public */
}

/* Splits `-> type argument...` at single spaces; every word is one or more visible ASCII
 * characters. */
static char **
parse_words(const Cursor *cursor, const Line *line, GError **error)
{
    g_autoptr(GPtrArray) words = g_ptr_array_new_with_free_func(g_free);
    const char *end = line->text + line->n_text;

    if (!starts_with(line, "-> ")) {
        fail_line(cursor, "neither a stanza nor the end of the header", error);
        return NULL;
    }
    for (const char *word = line->text + 3; word <= end;) {
        const char *stop = word;
        while (stop < end && *stop >= '!' && *stop <= '~')
            stop++;
        if (stop == word || (stop < end && *stop != ' ')) {
            fail_line(cursor, "a stanza's argument is empty or has a forbidden character", error);
            return NULL;
        }
        g_ptr_array_add(words, g_strndup(word, (gsize) (stop - word)));
        word = stop + 1;
    }
    g_ptr_array_add(words, NULL);
    return (char **) g_ptr_array_free(g_steal_pointer(&words), FALSE);
}

/* A body ends with its first line of less than 64 columns, which may be empty. */
static bool
parse_body(Cursor *cursor, GByteArray *body, GError **error)
{
    for (;;) {
        uint8_t bytes[LINE_BYTES];
        size_t n_bytes = 0;
        Line line;
        if (!next_line(cursor, &line, error))
            return false;
        if (line.n_text > COLUMNS)
            return fail_line(cursor, "longer than 64 columns", error);
        if (!base64_decode_unpadded(line.text, line.n_text, bytes, sizeof(bytes), &n_bytes))
            return fail_line(cursor, "not canonical base64 without padding", error);
        g_byte_array_append(body, bytes, (guint) n_bytes);
        if (line.n_text < COLUMNS)
            return true;
    }
}

static AgeStanza *
parse_stanza(Cursor *cursor, const Line *first, GError **error)
{
    char **words = parse_words(cursor, first, error);

    if (words == NULL)
        return NULL;
    g_autoptr(AgeStanza) stanza = age_stanza_new(words, NULL, 0);
    if (!parse_body(cursor, stanza->body, error))
        return NULL;
    return g_steal_pointer(&stanza);
}

static bool
parse_mac(AgeHeader *self, const Cursor *cursor, const Line *line, GError **error)
{
    size_t n_bytes = 0;

    if (line->n_text != 4 + MAC_COLUMNS || !starts_with(line, MAC_LINE_START " ") ||
        !base64_decode_unpadded(line->text + 4, MAC_COLUMNS, self->mac, sizeof(self->mac),
                                &n_bytes) ||
        n_bytes != sizeof(self->mac))
        return fail_line(cursor, "the header's MAC is not written as it must be", error);
    return true;
}

AgeHeader *
age_header_parse(const uint8_t *bytes, size_t n_bytes, GError **error)
{
    g_autoptr(AgeHeader) self = g_new0(AgeHeader, 1);
    Line line;

    self->stanzas = g_ptr_array_new_with_free_func((GDestroyNotify) age_stanza_free);
    if (n_bytes < strlen(VERSION_LINE) || !age_header_could_begin(bytes, n_bytes)) {
        crypto_fail(error, CRYPTO_ERROR_MALFORMED, "not an age v1 file");
        return NULL;
    }
    const char *text = (const char *) bytes;
    Cursor cursor = {text + strlen(VERSION_LINE), text + n_bytes, 1};
    if (!next_line(&cursor, &line, error))
        return NULL;
    while (!starts_with(&line, MAC_LINE_START)) {
        AgeStanza *stanza = parse_stanza(&cursor, &line, error);
        if (stanza == NULL)
            return NULL;
        g_ptr_array_add(self->stanzas, stanza);
        if (!next_line(&cursor, &line, error))
            return NULL;
    }
    if (!parse_mac(self, &cursor, &line, error))
        return NULL;
    if (self->stanzas->len == 0 || cursor.next != cursor.end) {
        fail_line(&cursor, "no stanza before the header's end, or more behind it", error);
        return NULL;
    }
    self->text = bytes;
    self->n_text = (size_t) (line.text - (const char *) bytes) + strlen(MAC_LINE_START);
    return g_steal_pointer(&self);
}

static void
mac_of(const uint8_t *text, size_t n_text, const Secret *file_key, uint8_t mac[32])
{
    const HkdfInput input = {secret_peek(file_key), secret_length(file_key), NULL, 0, "header"};
    crypto_auth_hmacsha256_state state;
    uint8_t key[32];

    hkdf_derive(&input, key, sizeof(key));
    crypto_auth_hmacsha256_init(&state, key, sizeof(key));
    crypto_auth_hmacsha256_update(&state, text, n_text);
    crypto_auth_hmacsha256_final(&state, mac);
    sodium_memzero(key, sizeof(key));
    sodium_memzero(&state, sizeof(state));
}

bool
age_header_is_genuine(const AgeHeader *self, const Secret *file_key)
{
    uint8_t mac[32];

    mac_of(self->text, self->n_text, file_key, mac);
    return sodium_memcmp(mac, self->mac, sizeof(mac)) == 0;
}

static void
append_text(GByteArray *bytes, const char *text)
{
    g_byte_array_append(bytes, (const guint8 *) text, (guint) strlen(text));
}

/* One line of base64, without a newline. */
static void
append_base64(GByteArray *bytes, const uint8_t *data, size_t n_data)
{
    char text[COLUMNS + 1];

    g_assert(n_data <= LINE_BYTES);
    append_text(bytes, sodium_bin2base64(text, sizeof(text), data, n_data,
                                         sodium_base64_VARIANT_ORIGINAL_NO_PADDING));
}

static void
append_stanza(GByteArray *bytes, const AgeStanza *stanza)
{
    append_text(bytes, "->");
    for (size_t i = 0; i < stanza->n_words; i++) {
        append_text(bytes, " ");
        append_text(bytes, stanza->words[i]);
    }
    append_text(bytes, "\n");
    /* `<=`: a body that fills its last line is followed by an empty one. */
    for (size_t done = 0; done <= stanza->body->len; done += LINE_BYTES) {
        append_base64(bytes, stanza->body->data + done, MIN(LINE_BYTES, stanza->body->len - done));
        append_text(bytes, "\n");
    }
}

GByteArray *
age_header_write(GPtrArray *stanzas, const Secret *file_key)
{
    GByteArray *bytes = g_byte_array_new();
    uint8_t mac[32];

    append_text(bytes, VERSION_LINE);
    for (guint i = 0; i < stanzas->len; i++)
        append_stanza(bytes, g_ptr_array_index(stanzas, i));
    append_text(bytes, MAC_LINE_START);
    mac_of(bytes->data, bytes->len, file_key, mac);
    append_text(bytes, " ");
    append_base64(bytes, mac, sizeof(mac));
    append_text(bytes, "\n");
    return bytes;
}

void
age_header_free(AgeHeader *self)
{
    if (self == NULL)
        return;
    g_ptr_array_unref(self->stanzas);
    g_free(self);
}
