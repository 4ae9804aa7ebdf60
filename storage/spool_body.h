#pragma once

#include "crypto/digest.h"

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The fields that bodies of spool records are made of: eight-byte little-endian numbers, texts
 * (length, bytes, a zero byte), bytes (length, bytes) and lists of numbers (length, numbers). */

void spool_body_put_number(GByteArray *body, uint64_t value);
void spool_body_put_text(GByteArray *body, const char *text);
void spool_body_put_digest(GByteArray *body, const Digest *digest);
void spool_body_put_bytes(GByteArray *body, const uint8_t *bytes, size_t n_bytes);

/* Reads the fields back in the same order. One that is not there makes the cursor bad for good;
 * reads then give 0 and "". */
typedef struct {
    const uint8_t *next;
    size_t n_left;
    bool is_bad;
} SpoolCursor;

/* A list of numbers inside a body, borrowed. */
typedef struct {
    const uint8_t *bytes;
    size_t n_numbers;
} SpoolList;

/* `max`: a larger number is bad. */
uint64_t spool_cursor_number(SpoolCursor *self, uint64_t max);

/* Returns: borrowed from the body; no zero byte inside. */
const char *spool_cursor_text(SpoolCursor *self);
void spool_cursor_digest(SpoolCursor *self, Digest *digest);

/* Returns: `*n_bytes` bytes, borrowed from the body. */
const uint8_t *spool_cursor_bytes(SpoolCursor *self, size_t *n_bytes);
SpoolList spool_cursor_list(SpoolCursor *self);
uint64_t spool_list_get(const SpoolList *self, size_t i);
