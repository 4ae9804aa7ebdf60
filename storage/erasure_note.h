#pragma once

#include "crypto/digest.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* What is signed of an erasure: `<org>/erased/<session>/<n>.note`, docs/formats.md. Number 1 is the
 * order, put before anything is destroyed: what lies there, and why it goes. Each one after it is a
 * certificate: what is gone, and what a lock still keeps. Text, written and read; pure. */

typedef enum {
    ERASURE_ORDER,
    ERASURE_CERTIFICATE,
} ErasurePart;

typedef struct {
    char *org, *session;
    uint32_t number;
    bool has_previous;
    Digest previous; /* of the whole note before */
    ErasurePart part;
    int64_t at_unix_s;
    char *id;                   /* of this erasure, the same in all its notes */
    char *by;                   /* who runs it */
    char *software;             /* `sealtape/0.1.0` */
    char *reason;               /* a word: `retention`, `client-request`, `consent-withdrawn` */
    char *rule, *table;         /* `-`: no rule of retention */
    char *requested, *approved; /* by whom; `-`: not by two people, but by a rule */
    char *until;      /* of a certificate: YYYY-MM-DD, when the last lock ends; `-`: none */
    GPtrArray *lines; /* char *: `object`, `segment`, `manifest`, `removed`, `locked` */
} ErasureNote;

ErasureNote *erasure_note_new(const char *org, const char *session, ErasurePart part);

/* Adds a line of facts, made as by printf. */
void erasure_note_add(ErasureNote *self, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* Returns: the text to be signed, owned. */
char *erasure_note_to_text(const ErasureNote *self);

/* Errors: CORRUPT - it is no such text, or not in its canonical form. */
ErasureNote *erasure_note_parse(const char *text, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Returns: `<org>/erased/<session>/<number>.note`, owned. */
char *erasure_note_key(const char *org, const char *session, uint32_t number);

void erasure_note_free(ErasureNote *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ErasureNote, erasure_note_free)
