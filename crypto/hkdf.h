#pragma once

#include <stddef.h>
#include <stdint.h>

/* What HKDF-SHA256 (RFC 5869) derives a key from; libsodium 1.0.18 has only its HMAC. */
typedef struct {
    const uint8_t *key;
    size_t n_key;
    const uint8_t *salt; /* NULL for none */
    size_t n_salt;
    const char *info; /* NUL-terminated: all labels used here are text */
} HkdfInput;

/* Fills `key` with `n_bytes` (1 to 8160). */
void hkdf_derive(const HkdfInput *input, uint8_t *key, size_t n_bytes);
