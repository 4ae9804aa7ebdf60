#pragma once

#include "crypto/age_context.h"
#include "crypto/age_key.h"

#include <glib.h>
#include <stdint.h>

/* The secret keys of a session's tracks, sealed to the organisation: an age file whose plaintext is
 * an ordinary age identity file, two lines a track (`# track <id>` and its AGE-SECRET-KEY-1...).
 * Each track that joins late gets the next generation. */
typedef struct EnvelopeBuilder EnvelopeBuilder;

/* One track's opened key. */
typedef struct {
    char *track;
    AgeIdentity *identity;
} EnvelopeKey;

/* `org`, `session`: ids, as in age_context.h. */
EnvelopeBuilder *envelope_builder_new(const char *org, const char *session, uint32_t generation);

/* Draws a key pair for `track`.
 * Returns: its recipient `age1...`, owned by the caller. Errors: NO_LOCKED_MEMORY. */
char *envelope_builder_add_track(EnvelopeBuilder *self, const char *track,
                                 GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Seals the keys to `recipients` (GPtrArray of AgeRecipient). Errors: as age_file_seal(). */
GBytes *envelope_builder_seal(EnvelopeBuilder *self, GPtrArray *recipients,
                              GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Wipes the keys: from here on this process can not open what it seals. NULL is allowed. */
void envelope_builder_free(EnvelopeBuilder *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(EnvelopeBuilder, envelope_builder_free)

/* Opens one generation with any of `identities` (GPtrArray of AgeIdentity), for `context` (an
 * envelope's). Returns: GPtrArray of EnvelopeKey (owned). Errors: as age_file_open(); MALFORMED -
 * not an identity file of ours. */
GPtrArray *envelope_open(GPtrArray *identities, const AgeContext *context, GBytes *sealed,
                         GError **error) G_GNUC_WARN_UNUSED_RESULT;
