#pragma once

#include "crypto/age_context.h"
#include "crypto/age_key.h"
#include "crypto/byte_stream.h"

#include <glib.h>
#include <stdbool.h>

/* Keys, files and streams for the tests of crypto/. All of it ends the test on any failure. */

/* Starts crypto/; to be called first in each test program. */
void age_fixture_start(void);

/* Returns: `text` as a Secret, owned. */
Secret *age_fixture_secret(const char *text);

/* Returns: the one identity with these text forms, and its recipient; both arrays owned. They are
 * always the same, so that a failure can be repeated. */
GPtrArray *age_fixture_identities(void);
GPtrArray *age_fixture_recipients(void);

/* Returns: `n_bytes` that look random and are always the same, owned. */
GBytes *age_fixture_pattern(size_t n_bytes);

/* Returns: an age file of `plain` for age_fixture_recipients(), owned. */
GBytes *age_fixture_seal(GBytes *plain, const AgeContext *context);

/* Returns: a file with the given stanzas (of AgeStanza) and a right MAC and payload, owned. */
GBytes *age_fixture_seal_stanzas(GPtrArray *stanzas, const Secret *file_key, GBytes *plain);

/* Returns: a file for age_fixture_recipients() of one genuine full chunk and an empty last one,
 * which no writer writes, owned. */
GBytes *age_fixture_seal_with_empty_last_chunk(void);

/* A stream in memory that gives and takes bytes in steps, as a slow pipe does. */
typedef struct {
    GByteArray *bytes; /* given from, or written to; owned */
    size_t offset;     /* how much was read */
    size_t step;       /* most that one read gives; 0 for no bound */
    bool is_broken;    /* fails the next read or write */
} AgeTape;

AgeTape *age_tape_new(GBytes *content, size_t step);

/* A ByteSource, a ByteSink and a ByteReadAt: `tape` is an AgeTape. */
bool age_tape_read(void *tape, uint8_t *buffer, size_t n_bytes, size_t *n_read, GError **error);
bool age_tape_write(void *tape, const uint8_t *bytes, size_t n_bytes, GError **error);
bool age_tape_read_at(void *tape, uint64_t offset, uint8_t *buffer, size_t n_bytes, GError **error);
void age_tape_free(AgeTape *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AgeTape, age_tape_free)

/* Reads `sealed` with an AgeReader.
 * `released`: what came out before the end or the failure; owned by the caller.
 * Returns: whether it ended as it should. */
bool age_fixture_read(GBytes *sealed, size_t step, GByteArray **released, GError **error);

/* Returns: whether `a` is the beginning of `b`. */
bool age_fixture_is_prefix(const GByteArray *a, GBytes *b);
