#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A SHA-256 value (FIPS 180-4), computed by libcrypto at hardware speed. */
typedef struct {
    uint8_t bytes[32];
} Digest;

Digest digest_of(const void *bytes, size_t n_bytes);
Digest digest_of_bytes(GBytes *bytes);
bool digest_equal(const Digest *a, const Digest *b);

/* Returns: 64 lower-case hexadecimal digits, owned by the caller. */
char *digest_to_hex(const Digest *self);

/* Reads exactly 64 lower-case hexadecimal digits. Returns: false for anything else. */
bool digest_from_hex(Digest *self, const char *hex) G_GNUC_WARN_UNUSED_RESULT;
