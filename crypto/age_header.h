#pragma once

#include "crypto/secret.h"

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One stanza of an age header: `-> type argument...` and a body in base64 lines of 64 columns. */
typedef struct {
    char **words; /* type first, NULL-terminated */
    size_t n_words;
    GByteArray *body;
} AgeStanza;

/* Takes `words` (at least the type) and copies the body. */
AgeStanza *age_stanza_new(char **words, const uint8_t *body, size_t n_body);
void age_stanza_free(AgeStanza *self);

/* An age header as read, c2sp.org/age, before anyone has checked its MAC. */
typedef struct {
    GPtrArray *stanzas; /* AgeStanza, never empty */
    uint8_t mac[32];
    const uint8_t *text; /* what the MAC covers, borrowed from the caller's buffer */
    size_t n_text;
} AgeHeader;

/* A header of more than this is refused: room for ten thousand recipients. */
#define AGE_HEADER_MAX_BYTES ((size_t) 1 << 20)

/* Looks for the header's last line.
 * `n_seen`: from the call before on fewer of the same bytes, 0 at first; kept up to date.
 * Returns: how long the header is, 0 if its end is not yet there. Says nothing of its validity. */
size_t age_header_find_end(const uint8_t *bytes, size_t n_bytes, size_t *n_seen);

/* Returns: whether `bytes` could still become an age file: they begin as one must. */
bool age_header_could_begin(const uint8_t *bytes, size_t n_bytes);

/* Reads exactly one header (`n_bytes` as found by age_header_find_end(); `bytes` stay borrowed).
 * Strict: canonical base64, 64 columns, one short last line, no stanza but its grammar allows.
 * Errors: MALFORMED. */
AgeHeader *age_header_parse(const uint8_t *bytes, size_t n_bytes,
                            GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Returns: whether the MAC is that of a header written by someone who had `file_key`. */
bool age_header_is_genuine(const AgeHeader *self, const Secret *file_key);

/* Returns: the header of `stanzas` as bytes, MAC included, owned. */
GByteArray *age_header_write(GPtrArray *stanzas, const Secret *file_key);

void age_header_free(AgeHeader *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AgeHeader, age_header_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AgeStanza, age_stanza_free)
