#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Strict base64 (RFC 4648, section 4): the standard alphabet and nothing else, and for each value
 * one text only. May run on secrets.
 * `capacity`: of `bytes`. `n_bytes`: how many were decoded.
 * Returns: false for anything that an encoder would not write, or that does not fit. */
bool base64_decode_padded(const char *text, size_t n_text, uint8_t *bytes, size_t capacity,
                          size_t *n_bytes);
bool base64_decode_unpadded(const char *text, size_t n_text, uint8_t *bytes, size_t capacity,
                            size_t *n_bytes);

/* The same, of exactly `n_bytes` bytes. */
bool base64_decode_exactly(const char *text, uint8_t *bytes, size_t n_bytes);

/* Returns: the text without padding, owned by the caller (g_free). */
char *base64_encode_unpadded(const uint8_t *bytes, size_t n_bytes);
