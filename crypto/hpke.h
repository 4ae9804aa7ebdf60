#pragma once

#include <stdint.h>

/* HPKE (RFC 9180) in base mode for one message: DHKEM(P-256, HKDF-SHA256), HKDF-SHA256,
 * ChaCha20-Poly1305, which OpenSSL has only from 3.2 on. Who computed the Diffie-Hellman value,
 * this process or a token, is the caller's affair. */

#define HPKE_POINT_BYTES  65 /* uncompressed */
#define HPKE_SHARED_BYTES 32 /* the x coordinate */

/* What seals or opens the message. The owner wipes it with sodium_memzero(). */
typedef struct {
    uint8_t key[32];
    uint8_t nonce[12]; /* of the first message, and there is no second */
} HpkeKey;

typedef struct {
    const uint8_t *shared;       /* HPKE_SHARED_BYTES */
    const uint8_t *encapsulated; /* HPKE_POINT_BYTES: the ephemeral public key */
    const uint8_t *recipient;    /* HPKE_POINT_BYTES */
    const char *info;            /* all labels used here are text */
} HpkeInput;

void hpke_derive(const HpkeInput *input, HpkeKey *key);
