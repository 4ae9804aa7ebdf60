#include "crypto/signed_note.h"

#include "crypto/base64.h"
#include "crypto/crypto_error.h"
#include "crypto/note_key.h"

#include <sodium.h>
#include <string.h>

#define SIGNER_PREFIX    "PRIVATE+KEY+"
#define SIGNATURE_PREFIX "\xe2\x80\x94 " /* em dash, space */
#define SIGNATURE_BYTES  (NOTE_KEY_ID_BYTES + crypto_sign_BYTES)
#define MAX_SIGNATURES   100 /* as in the reference implementation */
#define BASE64           sodium_base64_VARIANT_ORIGINAL

struct NoteSigner {
    char *name;
    uint8_t id[NOTE_KEY_ID_BYTES];
    Secret *key; /* seed and public key: what libsodium signs with */
};

struct NoteVerifier {
    char *name;
    uint8_t id[NOTE_KEY_ID_BYTES];
    uint8_t key[NOTE_KEY_BYTES];
};

/* One line below the text, taken apart; borrows from the note. */
typedef struct {
    const char *name;
    size_t n_name;
    size_t n_bytes;
    uint8_t bytes[256]; /* other algorithms' signatures may be longer than ours, not than this */
} SignatureLine;

static NoteSigner *
signer_of_seed(const char *name, const uint8_t seed[NOTE_KEY_BYTES], GError **error)
{
    Secret *key = secret_new_zero(crypto_sign_SECRETKEYBYTES, error);
    uint8_t public_key[NOTE_KEY_BYTES];

    if (key == NULL)
        return NULL;
    const int is_failed = crypto_sign_seed_keypair(public_key, secret_bytes(key), seed);
    g_assert(is_failed == 0);
    NoteSigner *self = g_new(NoteSigner, 1);
    self->name = g_strdup(name);
    self->key = key;
    note_key_compute_id(name, public_key, self->id);
    return self;
}

NoteSigner *
note_signer_generate(const char *name, GError **error)
{
    g_autoptr(Secret) seed = NULL;

    if (!note_key_name_is_valid(name, strlen(name))) {
        crypto_fail(error, CRYPTO_ERROR_MALFORMED,
                    "a signing key's name can not be empty nor have a space or `+`");
        return NULL;
    }
    seed = secret_new_random(NOTE_KEY_BYTES, error);
    return seed == NULL ? NULL : signer_of_seed(name, secret_peek(seed), error);
}

NoteSigner *
note_signer_parse(const Secret *text, GError **error)
{
    g_auto(NoteKey) key = {0};
    const char *start = (const char *) secret_peek(text);
    const size_t n_prefix = strlen(SIGNER_PREFIX);
    size_t n_text = secret_length(text);

    if (n_text > 0 && start[n_text - 1] == '\n')
        n_text--;
    const char *wrong = "it does not start with " SIGNER_PREFIX;
    if (n_text >= n_prefix && memcmp(start, SIGNER_PREFIX, n_prefix) == 0) /* public */
        wrong = note_key_parse(&key, start + n_prefix, n_text - n_prefix);
    if (wrong != NULL) {
        crypto_fail(error, CRYPTO_ERROR_MALFORMED, "not a signing key: %s", wrong);
        return NULL;
    }
    g_autoptr(NoteSigner) self = signer_of_seed(key.name, key.bytes, error);
    if (self != NULL && sodium_memcmp(self->id, key.id, NOTE_KEY_ID_BYTES) != 0) {
        crypto_fail(error, CRYPTO_ERROR_MALFORMED,
                    "not a signing key: its key id does not belong to its name and key");
        return NULL;
    }
    return g_steal_pointer(&self);
}

Secret *
note_signer_to_text(const NoteSigner *self, GError **error)
{
    g_autofree char *start = note_key_text_start(SIGNER_PREFIX, self->name, self->id);
    const size_t n_start = strlen(start);
    Secret *text = secret_new_zero(n_start + NOTE_KEY_TEXT_BYTES, error);

    if (text == NULL)
        return NULL;
    memcpy(secret_bytes(text), start, n_start);
    note_key_encode(secret_peek(self->key), (char *) secret_bytes(text) + n_start);
    secret_bytes(text)[n_start + NOTE_KEY_TEXT_BYTES - 1] = '\n'; /* in place of the NUL */
    return text;
}

char *
note_signer_verifier_key(const NoteSigner *self)
{
    g_autofree char *start = note_key_text_start("", self->name, self->id);
    char key[NOTE_KEY_TEXT_BYTES];

    note_key_encode(secret_peek(self->key) + NOTE_KEY_BYTES, key);
    return g_strconcat(start, key, NULL);
}

static bool
is_signable(const char *text, size_t n_bytes)
{
    if (n_bytes == 0 || text[n_bytes - 1] != '\n' || !g_utf8_validate(text, (gssize) n_bytes, NULL))
        return false;
    for (size_t i = 0; i < n_bytes; i++) {
        if ((unsigned char) text[i] < ' ' && text[i] != '\n')
            return false;
    }
    return true;
}

char *
note_sign(const NoteSigner *self, const char *text)
{
    uint8_t signature[SIGNATURE_BYTES];
    char encoded[sodium_base64_ENCODED_LEN(SIGNATURE_BYTES, BASE64)];

    g_assert(is_signable(text, strlen(text)));
    memcpy(signature, self->id, NOTE_KEY_ID_BYTES);
    const int is_failed =
        crypto_sign_detached(signature + NOTE_KEY_ID_BYTES, NULL, (const uint8_t *) text,
                             strlen(text), secret_peek(self->key));
    g_assert(is_failed == 0);
    sodium_bin2base64(encoded, sizeof(encoded), signature, sizeof(signature), BASE64);
    return g_strconcat(text, "\n" SIGNATURE_PREFIX, self->name, " ", encoded, "\n", NULL);
}

void
note_signer_free(NoteSigner *self)
{
    if (self == NULL)
        return;
    g_free(self->name);
    secret_free(self->key);
    g_free(self);
}

NoteVerifier *
note_verifier_parse(const char *verifier_key, GError **error)
{
    g_auto(NoteKey) key = {0};
    uint8_t id[NOTE_KEY_ID_BYTES];
    const char *wrong = note_key_parse(&key, verifier_key, strlen(verifier_key));

    if (wrong == NULL) {
        note_key_compute_id(key.name, key.bytes, id);
        if (sodium_memcmp(id, key.id, NOTE_KEY_ID_BYTES) != 0)
            wrong = "its key id does not belong to its name and key";
    }
    if (wrong != NULL) {
        crypto_fail(error, CRYPTO_ERROR_MALFORMED, "not a verifier key: %s", wrong);
        return NULL;
    }
    NoteVerifier *self = g_new(NoteVerifier, 1);
    self->name = g_steal_pointer(&key.name);
    memcpy(self->id, id, NOTE_KEY_ID_BYTES);
    memcpy(self->key, key.bytes, NOTE_KEY_BYTES);
    return self;
}

const char *
note_verifier_name(const NoteVerifier *self)
{
    return self->name;
}

void
note_verifier_free(NoteVerifier *self)
{
    if (self == NULL)
        return;
    g_free(self->name);
    g_free(self);
}

/* Reads `— <name> <base64>`, without its newline. */
static bool
parse_signature(SignatureLine *line, const char *text, size_t n_text)
{
    const size_t n_prefix = strlen(SIGNATURE_PREFIX);

    if (n_text < n_prefix || memcmp(text, SIGNATURE_PREFIX, n_prefix) != 0) /* public */
        return false;
    line->name = text + n_prefix;
    const char *end = text + n_text;
    const char *name_end = memchr(line->name, ' ', (size_t) (end - line->name));
    if (name_end == NULL)
        return false;
    line->n_name = (size_t) (name_end - line->name);
    return note_key_name_is_valid(line->name, line->n_name) &&
           base64_decode_padded(name_end + 1, (size_t) (end - name_end - 1), line->bytes,
                                sizeof(line->bytes), &line->n_bytes) &&
           line->n_bytes > NOTE_KEY_ID_BYTES;
}

static const NoteVerifier *
find_verifier(GPtrArray *verifiers, const SignatureLine *line)
{
    for (guint i = 0; i < verifiers->len; i++) {
        const NoteVerifier *verifier = g_ptr_array_index(verifiers, i);
        if (strlen(verifier->name) == line->n_name &&
            sodium_memcmp(verifier->name, line->name, line->n_name) == 0 &&
            sodium_memcmp(verifier->id, line->bytes, NOTE_KEY_ID_BYTES) == 0)
            return verifier;
    }
    return NULL;
}

/* `text`: what was signed; `signatures`: the lines below it, whole, up to `end`. */
static bool
check_signatures(const char *text, const char *signatures, const char *end, GPtrArray *verifiers,
                 GError **error)
{
    const size_t n_text = (size_t) (signatures - 1 - text);
    unsigned n_signatures = 0;
    bool is_signed = false;

    for (const char *next = signatures; next < end; n_signatures++) {
        const char *newline = memchr(next, '\n', (size_t) (end - next));
        SignatureLine line;
        if (n_signatures == MAX_SIGNATURES || newline == NULL ||
            !parse_signature(&line, next, (size_t) (newline - next))) {
            return crypto_fail(error, CRYPTO_ERROR_MALFORMED,
                               "the note's signature %u is malformed", n_signatures + 1);
        }
        const NoteVerifier *verifier = find_verifier(verifiers, &line);
        if (verifier != NULL &&
            (line.n_bytes != SIGNATURE_BYTES ||
             crypto_sign_verify_detached(line.bytes + NOTE_KEY_ID_BYTES, (const uint8_t *) text,
                                         n_text, verifier->key) != 0)) {
            return crypto_fail(error, CRYPTO_ERROR_AUTHENTICATION,
                               "the note's signature by %s is wrong: it was changed",
                               verifier->name);
        }
        is_signed |= verifier != NULL;
        next = newline + 1;
    }
    return is_signed || crypto_fail(error, CRYPTO_ERROR_NO_MATCH,
                                    "the note is not signed by a key that is trusted here");
}

char *
note_open(const char *note, gsize n_bytes, GPtrArray *verifiers, GError **error)
{
    /* The text may hold empty lines; the signatures stand behind the last one. */
    const char *gap = NULL;
    if (n_bytes >= 2 && is_signable(note, n_bytes)) {
        for (gsize i = n_bytes - 1; i > 0 && gap == NULL; i--)
            gap = note[i] == '\n' && note[i - 1] == '\n' ? note + i : NULL;
    }
    if (gap == NULL || gap + 1 == note + n_bytes) {
        crypto_fail(error, CRYPTO_ERROR_MALFORMED, "not a signed note");
        return NULL;
    }
    if (!check_signatures(note, gap + 1, note + n_bytes, verifiers, error))
        return NULL;
    return g_strndup(note, (gsize) (gap - note));
}
