#pragma once

#include "crypto/secret.h"

#include <glib.h>
#include <jansson.h>

/* What protects a track's packets (RFC 3711, RFC 7714): the suite, and until it is in use, the
 * master key. Owned by the track's request; main thread. */

typedef enum {
    SRTP_SUITE_AES_CM_128_HMAC_SHA1_80,
    SRTP_SUITE_AEAD_AES_128_GCM,
    SRTP_SUITE_AEAD_AES_256_GCM,
} SrtpSuite;

typedef struct SrtpKey SrtpKey;

/* Reads `{"suite":...,"key":...}`. The key's text in `form` is overwritten.
 * Returns: owned by the caller; NULL sets `fault`, owned, which never quotes the key. */
SrtpKey *srtp_key_parse(json_t *form, char **fault);

SrtpSuite srtp_key_suite(const SrtpKey *self);

/* Returns: the master key with the master salt behind it, borrowed until srtp_key_wipe(); NULL
 * after it. */
const Secret *srtp_key_secret(const SrtpKey *self);

/* Forgets the secret (a context has its own, until the first genuine packet); that the track wants
 * SRTP stays known. NULL is allowed. */
void srtp_key_wipe(SrtpKey *self);

/* Wipes; NULL is allowed. */
void srtp_key_free(SrtpKey *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SrtpKey, srtp_key_free)
