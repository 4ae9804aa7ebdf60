#include "crypto/key_ring_read.h"

#include "crypto/age_context.h"
#include "crypto/age_key.h"
#include "crypto/crypto_error.h"
#include "crypto/signed_note.h"

#include <string.h>

#define FIRST_LINE "sealtape-keyring/v1"

enum { HEAD_LINES = 6, MAX_KEYS = 256, LEAST_ACTIVE = 2, BY_BYTES = 64 };

const char *const key_ring_states[N_KEY_RING_STATES] = {"active", "open-only", "retired",
                                                        "destroyed"};
const char *const key_ring_roles[N_KEY_RING_ROLES] = {"organisation", "break-glass"};
const char *const key_ring_proofs[N_KEY_RING_PROOFS] = {"listed", "opened", "escrow"};

/* Returns: where `word` stands in `words`; -1 for nowhere. */
static int
find_word(const char *const *words, int n_words, const char *word)
{
    for (int i = 0; i < n_words; i++) {
        if (strcmp(words[i], word) == 0)
            return i;
    }
    return -1;
}

/* `2026-11-29T07:00:00Z` and no other form. */
static bool
is_time(const char *text)
{
    g_autoptr(GDateTime) time = g_date_time_new_from_iso8601(text, NULL);
    g_autofree char *again = time != NULL ? g_date_time_format(time, "%Y-%m-%dT%H:%M:%SZ") : NULL;

    return g_strcmp0(again, text) == 0;
}

static bool
is_name(const char *text)
{
    const size_t n_bytes = strlen(text);

    for (size_t i = 0; i < n_bytes; i++) {
        if (!g_ascii_isgraph(text[i]))
            return false;
    }
    return n_bytes >= 1 && n_bytes <= BY_BYTES;
}

static bool
read_number(const char *text, uint64_t most, uint64_t *number)
{
    return g_ascii_string_to_unsigned(text, 10, 0, most, number, NULL) &&
           (text[0] != '0' || text[1] == '\0');
}

static bool
is_recipient(const char *text)
{
    g_autoptr(AgeRecipient) recipient = age_recipient_parse(text, NULL);

    return recipient != NULL && strcmp(age_recipient_text(recipient), text) == 0;
}

static bool
is_verifier_key(const char *text)
{
    g_autoptr(NoteVerifier) verifier = note_verifier_parse(text, NULL);

    return verifier != NULL;
}

/* Returns: what follows `name` and a space in `line`, borrowed; NULL for another line. */
static const char *
value_of(const char *line, const char *name)
{
    const size_t n_name = strlen(name);

    return g_str_has_prefix(line, name) && line[n_name] == ' ' ? line + n_name + 1 : NULL;
}

/* key RECIPIENT ROLE STATE PROOF MADE SINCE DRILLED */
static bool
read_key(KeyRing *self, char **words)
{
    const bool is_whole = g_strv_length(words) == 8;
    const int role = is_whole ? find_word(key_ring_roles, N_KEY_RING_ROLES, words[2]) : -1;
    const int state = is_whole ? find_word(key_ring_states, N_KEY_RING_STATES, words[3]) : -1;
    const int proof = is_whole ? find_word(key_ring_proofs, N_KEY_RING_PROOFS, words[4]) : -1;
    KeyRingKey *key = NULL;

    if (role < 0 || state < 0 || proof < 0 || !is_recipient(words[1]) || !is_time(words[5]) ||
        !is_time(words[6]) || (strcmp(words[7], "-") != 0 && !is_time(words[7])) ||
        key_ring_find(self, words[1]) != NULL || self->keys->len == MAX_KEYS)
        return false;
    key = key_ring_add(self, words[1], (KeyRingRole) role, words[5]);
    key->state = (KeyRingState) state;
    key->proof = (KeyRingProof) proof;
    g_free(key->since);
    key->since = g_strdup(words[6]);
    key->drilled = strcmp(words[7], "-") != 0 ? g_strdup(words[7]) : NULL;
    return true;
}

/* signer VERIFIER-KEY ENROLLED REVOKED RECORDS SESSIONS */
static bool
read_signer(KeyRing *self, char **words)
{
    const bool is_whole = g_strv_length(words) == 6;
    const bool counts = is_whole && strcmp(words[3], "-") == 0;
    KeyRingSigner *signer = NULL;

    if (!is_whole || !is_verifier_key(words[1]) || !is_time(words[2]) ||
        self->signers->len == MAX_KEYS)
        return false;
    signer = g_new0(KeyRingSigner, 1);
    signer->verifier_key = g_strdup(words[1]);
    signer->enrolled = g_strdup(words[2]);
    signer->revoked = counts ? NULL : g_strdup(words[3]);
    g_ptr_array_add(self->signers, signer);
    if (counts)
        return strcmp(words[4], "-") == 0 && strcmp(words[5], "-") == 0;
    return is_time(words[3]) && read_number(words[4], G_MAXINT64, &signer->n_records) &&
           digest_from_hex(&signer->sessions, words[5]);
}

static bool
read_row(KeyRing *self, const char *line)
{
    g_auto(GStrv) words = g_strsplit(line, " ", 9);

    if (words[0] != NULL && strcmp(words[0], "key") == 0 && self->signers->len == 0)
        return read_key(self, words);
    return words[0] != NULL && strcmp(words[0], "signer") == 0 && read_signer(self, words);
}

static bool
read_previous(KeyRing *self, const char *text)
{
    self->has_previous = text != NULL && strcmp(text, "-") != 0;
    return text != NULL && self->has_previous == (self->version > 1) &&
           (!self->has_previous || digest_from_hex(&self->previous, text));
}

/* Returns: the number of the first line that is wrong, from 1; 0 for none. */
static unsigned
read_head(KeyRing *self, char **lines)
{
    const char *values[HEAD_LINES] = {lines[0]};
    static const char *const names[HEAD_LINES] = {NULL, "org", "version", "prev", "made", "by"};
    uint64_t version = 0;

    for (unsigned i = 1; i < HEAD_LINES; i++)
        values[i] = value_of(lines[i], names[i]);
    if (strcmp(lines[0], FIRST_LINE) != 0)
        return 1;
    if (values[1] == NULL || !age_context_id_is_valid(values[1]))
        return 2;
    if (values[2] == NULL || !read_number(values[2], G_MAXUINT32, &version) || version == 0)
        return 3;
    self->org = g_strdup(values[1]);
    self->version = (uint32_t) version;
    if (!read_previous(self, values[3]))
        return 4;
    if (values[4] == NULL || !is_time(values[4]))
        return 5;
    if (values[5] == NULL || !is_name(values[5]))
        return 6;
    self->made = g_strdup(values[4]);
    self->by = g_strdup(values[5]);
    return 0;
}

/* The same; `n_lines`: without the empty one behind the last newline. */
static unsigned
read_lines(KeyRing *self, char **lines, unsigned n_lines)
{
    const unsigned wrong = n_lines < HEAD_LINES ? n_lines + 1 : read_head(self, lines);

    for (unsigned i = HEAD_LINES; wrong == 0 && i < n_lines; i++) {
        if (!read_row(self, lines[i]))
            return i + 1;
    }
    return wrong;
}

KeyRing *
key_ring_parse(const char *text, GError **error)
{
    g_autoptr(KeyRing) self = key_ring_new(NULL);
    g_autoptr(GPtrArray) active = NULL;
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    const unsigned n_pieces = g_strv_length(lines);
    unsigned wrong = 0;

    if (n_pieces == 0 || lines[n_pieces - 1][0] != '\0') {
        crypto_fail(error, CRYPTO_ERROR_MALFORMED, "the key ring does not end in a newline");
        return NULL;
    }
    wrong = read_lines(self, lines, n_pieces - 1);
    if (wrong != 0) {
        crypto_fail(error, CRYPTO_ERROR_MALFORMED,
                    "line %u of the key ring is not one of its lines", wrong);
        return NULL;
    }
    active = key_ring_active(self);
    if (active->len < LEAST_ACTIVE) {
        crypto_fail(error, CRYPTO_ERROR_MALFORMED,
                    "the key ring has %u active key%s, and sessions need two or more", active->len,
                    active->len == 1 ? "" : "s");
        return NULL;
    }
    return g_steal_pointer(&self);
}

/* Whether `next` may come after `self`: nothing is forgotten, no state goes back. */
static bool
follows(const KeyRing *self, const KeyRing *next)
{
    if (strcmp(self->org, next->org) != 0 || next->signers->len < self->signers->len)
        return false;
    for (guint i = 0; i < self->keys->len; i++) {
        const KeyRingKey *old = g_ptr_array_index(self->keys, i);
        const KeyRingKey *key = key_ring_find(next, old->recipient);

        if (key == NULL || key->state < old->state || key->role != old->role)
            return false;
    }
    for (guint i = 0; i < self->signers->len; i++) {
        const KeyRingSigner *old = g_ptr_array_index(self->signers, i);
        const KeyRingSigner *signer = g_ptr_array_index(next->signers, i);

        if (strcmp(old->verifier_key, signer->verifier_key) != 0 ||
            (old->revoked != NULL && g_strcmp0(old->revoked, signer->revoked) != 0))
            return false;
    }
    return true;
}

/* Checks version `number` against the one before (NULL: none). Returns: owned. */
static KeyRing *
open_one(GBytes *note, const KeyRing *before, const Digest *digest, GPtrArray *verifiers,
         GError **error)
{
    gsize n_bytes = 0;
    const char *bytes = g_bytes_get_data(note, &n_bytes);
    g_autofree char *text = note_open(bytes, n_bytes, verifiers, error);
    g_autoptr(KeyRing) ring = text != NULL ? key_ring_parse(text, error) : NULL;

    if (ring == NULL)
        return NULL;
    if (before == NULL ? ring->version != 1
                       : ring->version != before->version + 1 ||
                             !digest_equal(&ring->previous, digest) || !follows(before, ring)) {
        crypto_fail(error, CRYPTO_ERROR_AUTHENTICATION,
                    "it does not follow the version before: it was exchanged, or one is missing");
        return NULL;
    }
    return g_steal_pointer(&ring);
}

KeyRing *
key_ring_open(GPtrArray *notes, const char *org, GPtrArray *verifiers, GError **error)
{
    g_autoptr(KeyRing) last = NULL;
    Digest digest = {0};

    for (guint i = 0; i < notes->len; i++) {
        GBytes *note = g_ptr_array_index(notes, i);
        KeyRing *ring = open_one(note, last, &digest, verifiers, error);

        if (ring == NULL) {
            g_prefix_error(error, "version %u: ", i + 1);
            return NULL;
        }
        key_ring_free(last);
        last = ring;
        digest = digest_of_bytes(note);
    }
    if (last == NULL || strcmp(last->org, org) != 0) {
        crypto_fail(error, CRYPTO_ERROR_MALFORMED, "it is not the key ring of %s", org);
        return NULL;
    }
    return g_steal_pointer(&last);
}
