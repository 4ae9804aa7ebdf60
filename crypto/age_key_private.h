#pragma once

#include "crypto/age_passphrase.h"

#include <stdint.h>

/* What age_wrap.c needs to see of the keys of age_key.h, and nobody else. */

typedef enum {
    AGE_KEY_X25519,
    AGE_KEY_SCRYPT,
} AgeKeyKind;

struct AgeRecipient {
    AgeKeyKind kind;
    uint8_t point[32]; /* X25519 */
    char *text;        /* X25519: `age1...` */
    const Secret *passphrase;
    unsigned log_n;
};

struct AgeIdentity {
    AgeKeyKind kind;
    Secret *scalar;           /* X25519, 32 bytes */
    uint8_t point[32];        /* of `scalar` */
    const Secret *passphrase; /* scrypt; NULL to `ask` */
    AgePassphraseAsk ask;
    void *ask_data;
    unsigned max_log_n;
};
