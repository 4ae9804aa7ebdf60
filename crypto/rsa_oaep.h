#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* RSA-OAEP with SHA-256, MGF1 with SHA-256 and no label, by libcrypto, for who has the public half:
 * moduli of 3072 and 4096 bits, exponent 65537. */

#define RSA_OAEP_MAX_BYTES 512

/* Returns: whether a modulus may have this length. */
bool rsa_oaep_takes(size_t n_modulus);

/* Reads a public key in PEM (SubjectPublicKeyInfo). `modulus`: big-endian.
 * Returns: how many bytes it has; 0 for anything but an RSA key as above. */
size_t rsa_oaep_read_pem(const char *pem, uint8_t modulus[RSA_OAEP_MAX_BYTES]);

/* Seals `n_plain` bytes (at most 64); `sealed` takes `n_modulus` bytes.
 * Returns: false if libcrypto refuses the key. */
bool rsa_oaep_seal(const uint8_t *modulus, size_t n_modulus, const uint8_t *plain, size_t n_plain,
                   uint8_t *sealed) G_GNUC_WARN_UNUSED_RESULT;
