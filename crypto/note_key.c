#include "crypto/note_key.h"

#include "crypto/base64.h"
#include "crypto/digest.h"

#include <sodium.h>
#include <string.h>

#define ALGORITHM_ED25519 0x01
#define BASE64            sodium_base64_VARIANT_ORIGINAL

bool
note_key_name_is_valid(const char *name, size_t n_bytes)
{
    const char *end = name + n_bytes;

    if (n_bytes == 0 || !g_utf8_validate(name, (gssize) n_bytes, NULL))
        return false;
    for (const char *c = name; c < end; c = g_utf8_next_char(c)) {
        const gunichar character = g_utf8_get_char(c);
        if (g_unichar_isspace(character) || g_unichar_iscntrl(character) || character == '+')
            return false;
    }
    return true;
}

void
note_key_compute_id(const char *name, const uint8_t public_key[NOTE_KEY_BYTES],
                    uint8_t id[NOTE_KEY_ID_BYTES])
{
    static const uint8_t separator[] = {'\n', ALGORITHM_ED25519};
    g_autoptr(GByteArray) bytes = g_byte_array_new();

    g_byte_array_append(bytes, (const guint8 *) name, (guint) strlen(name));
    g_byte_array_append(bytes, separator, sizeof(separator));
    g_byte_array_append(bytes, public_key, NOTE_KEY_BYTES);
    const Digest digest = digest_of(bytes->data, bytes->len);
    memcpy(id, digest.bytes, NOTE_KEY_ID_BYTES);
}

static bool
parse_id(const char *text, size_t n_text, uint8_t id[NOTE_KEY_ID_BYTES])
{
    for (size_t i = 0; i < n_text; i++) {
        if (!g_ascii_isxdigit(text[i]) || g_ascii_isupper(text[i]))
            return false;
    }
    return n_text == (size_t) 2 * NOTE_KEY_ID_BYTES &&
           sodium_hex2bin(id, NOTE_KEY_ID_BYTES, text, n_text, NULL, NULL, NULL) == 0;
}

static const char *
parse_bytes(NoteKey *self, const char *text, size_t n_text)
{
    uint8_t tagged[1 + NOTE_KEY_BYTES] = {0};
    size_t n_tagged = 0;
    const char *wrong = NULL;

    if (!base64_decode_padded(text, n_text, tagged, sizeof(tagged), &n_tagged) ||
        n_tagged != sizeof(tagged)) {
        wrong = "its key is not canonical base64 of the right length";
    } else if (tagged[0] != ALGORITHM_ED25519) {
        wrong = "its algorithm is not Ed25519";
    }
    memcpy(self->bytes, tagged + 1, NOTE_KEY_BYTES);
    sodium_memzero(tagged, sizeof(tagged));
    return wrong;
}

const char *
note_key_parse(NoteKey *self, const char *text, size_t n_text)
{
    const char *end = text + n_text;
    const char *name_end = memchr(text, '+', n_text);

    if (name_end == NULL || !note_key_name_is_valid(text, (size_t) (name_end - text)))
        return "its name is missing or has a forbidden character";
    const char *id = name_end + 1;
    const char *id_end = memchr(id, '+', (size_t) (end - id));
    if (id_end == NULL || !parse_id(id, (size_t) (id_end - id), self->id))
        return "its key id is not eight lower-case hexadecimal digits";
    self->name = g_strndup(text, (gsize) (name_end - text));
    return parse_bytes(self, id_end + 1, (size_t) (end - id_end - 1));
}

char *
note_key_text_start(const char *prefix, const char *name, const uint8_t id[NOTE_KEY_ID_BYTES])
{
    char hex[2 * NOTE_KEY_ID_BYTES + 1];

    sodium_bin2hex(hex, sizeof(hex), id, NOTE_KEY_ID_BYTES);
    return g_strdup_printf("%s%s+%s+", prefix, name, hex);
}

void
note_key_encode(const uint8_t key[NOTE_KEY_BYTES], char text[NOTE_KEY_TEXT_BYTES])
{
    uint8_t tagged[1 + NOTE_KEY_BYTES] = {ALGORITHM_ED25519};

    memcpy(tagged + 1, key, NOTE_KEY_BYTES);
    sodium_bin2base64(text, NOTE_KEY_TEXT_BYTES, tagged, sizeof(tagged), BASE64);
    sodium_memzero(tagged, sizeof(tagged));
}

void
note_key_clear(NoteKey *self)
{
    g_clear_pointer(&self->name, g_free);
    sodium_memzero(self->bytes, sizeof(self->bytes));
}
