#pragma once

#include "crypto/age_p256tag.h"
#include "crypto/age_passphrase.h"
#include "crypto/age_transit.h"
#include "crypto/rsa_oaep.h"

#include <stdint.h>

/* What age_wrap.c needs to see of the keys of age_key.h, and nobody else. */

#define AGE_P256TAG_PREFIX "age1tag"
#define AGE_TRANSIT_PREFIX "age1transit"

typedef enum {
    AGE_KEY_X25519,
    AGE_KEY_SCRYPT,
    AGE_KEY_P256TAG,
    AGE_KEY_TRANSIT,
} AgeKeyKind;

struct AgeRecipient {
    AgeKeyKind kind;
    uint8_t point[32];               /* X25519 */
    uint8_t p256[65];                /* P256TAG: uncompressed */
    uint8_t rsa[RSA_OAEP_MAX_BYTES]; /* TRANSIT: the modulus */
    size_t n_rsa;
    uint32_t version; /* TRANSIT */
    char *text;       /* X25519: `age1...`; P256TAG: `age1tag1...`; TRANSIT: `age1transit1...` */
    const Secret *passphrase;
    unsigned log_n;
};

struct AgeIdentity {
    AgeKeyKind kind;
    Secret *scalar;    /* X25519, 32 bytes */
    uint8_t point[32]; /* of `scalar` */
    uint8_t p256[65];  /* P256TAG: of the token's key */
    AgeTokenAgree agree;
    AgeRecipient *transit; /* TRANSIT: its public half */
    AgeTransitDecrypt decrypt;
    void *token; /* of `agree` or `decrypt` */
    GDestroyNotify free_token;
    const Secret *passphrase; /* scrypt; NULL to `ask` */
    AgePassphraseAsk ask;
    void *ask_data;
    unsigned max_log_n;
};
