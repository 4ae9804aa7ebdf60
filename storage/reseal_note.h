#pragma once

#include "crypto/digest.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* The text of one `resealed/<n>.note` (docs/formats.md): what replaces the digests of the signed
 * manifest after a session was sealed anew. Written and read; signing and chaining are
 * reseal_chain's. Pure. */

/* An envelope's generation and the digest of its bytes at that moment. */
typedef struct {
    uint32_t generation;
    Digest digest;
} ResealEnvelope;

typedef struct {
    char *id, *before, *now; /* recipients */
} ResealTrack;

typedef struct {
    char *track;
    uint32_t part, index;
    Digest before, now;
    char *object; /* within the session, as `offset` and `length` the new bytes' */
    uint64_t offset, length;
} ResealSegment;

typedef struct {
    char *object;
    Digest digest;
} ResealPast;

/* `name`: the digest that the annotation names. */
typedef struct {
    Digest name, before, now;
} ResealSaid;

typedef struct {
    char *org, *session;
    uint32_t number; /* from 1 */
    bool has_previous;
    Digest previous;  /* of the whole note before */
    uint32_t n_parts; /* of the manifest that it stands on, and the last one's whole note */
    Digest manifest;
    int64_t at_unix_s;
    char *by, *software;
    char *against; /* mark of the compromised key */
    ResealEnvelope envelope;
    GArray *gone;        /* ResealEnvelope: what it took the place of */
    GPtrArray *tracks;   /* ResealTrack; all arrays own their rows */
    GPtrArray *segments; /* ResealSegment */
    GPtrArray *pasts;    /* ResealPast */
    GArray *said;        /* ResealSaid */
} ResealNote;

ResealNote *reseal_note_new(const char *org, const char *session);

/* Each adds a row, of which it copies the texts. */
void reseal_note_add_track(ResealNote *self, const ResealTrack *row);
void reseal_note_add_segment(ResealNote *self, const ResealSegment *row);
void reseal_note_add_past(ResealNote *self, const ResealPast *row);

/* Whether it names the statement: hexadecimal, as its annotation does. */
bool reseal_note_names(const ResealNote *self, const char *statement);

/* Returns: the text to be signed, owned. */
char *reseal_note_to_text(const ResealNote *self);

/* Strict: every line known, in its place and in its one spelling; nothing twice; all names of
 * objects in the folder of its generation. Errors: CORRUPT - names the line. */
ResealNote *reseal_note_parse(const char *text, GError **error) G_GNUC_WARN_UNUSED_RESULT;

void reseal_note_free(ResealNote *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ResealNote, reseal_note_free)
