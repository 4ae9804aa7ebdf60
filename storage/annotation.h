#pragma once

#include "crypto/digest.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* One thing that was told of a recording after or beside its manifest: the text of one
 * `notes/<n>.note` (docs/formats.md), written and read. Signing and chaining are annotation_log's.
 */

typedef enum {
    ANNOTATION_RELEASED,
    ANNOTATION_RELEASE_WITHDRAWN,
    ANNOTATION_HOLD_PLACED,
    ANNOTATION_HOLD_RELEASED,
    ANNOTATION_QUARANTINED,
    ANNOTATION_QUARANTINE_LIFTED,
    ANNOTATION_RESTRICTED,
    ANNOTATION_RESTRICTION_LIFTED,
    ANNOTATION_CONSENT,
    ANNOTATION_CLASSIFIED, /* whose it is, for retention: an adult's or a minor's */
    ANNOTATION_RETAIN_UNTIL,
    ANNOTATION_AMENDED,
    ANNOTATION_ERASURE_REQUESTED,
    ANNOTATION_ERASURE_WITHDRAWN,
    ANNOTATION_ERASURE_APPROVED,
    ANNOTATION_ERASURE_BEGUN, /* from here on nothing may be placed on it */
    ANNOTATION_ERASED,
    ANNOTATION_RESEAL_BEGUN, /* its session keys are being changed */
    ANNOTATION_RESEALED,
    N_ANNOTATION_KINDS
} AnnotationKind;

/* What an annotation may say besides, in the order in which it is written. */
typedef enum {
    ANNOTATION_MATTER,      /* an id: of a lawsuit, an inquiry */
    ANNOTATION_PARTICIPANT, /* an id */
    ANNOTATION_PURPOSE,     /* a word, [a-z-]+ */
    ANNOTATION_STATE,       /* a word */
    ANNOTATION_REASON,      /* a word: never what somebody wrote freely */
    ANNOTATION_DATE,        /* YYYY-MM-DD */
    ANNOTATION_RULE,        /* an id */
    ANNOTATION_TABLE,       /* an id: the version of the rules */
    ANNOTATION_REQUEST,     /* the number of another annotation */
    ANNOTATION_GENERATION,  /* of an envelope */
    ANNOTATION_AGAINST,     /* mark of a compromised key */
    ANNOTATION_KEYS,        /* digest of the session keys that an envelope holds */
    ANNOTATION_STATEMENT,   /* digest of a sealed statement beside it */
    ANNOTATION_CERTIFICATE, /* digest of a signed certificate */
    ANNOTATION_EVIDENCE,    /* an id: of the proof of a consent */
    ANNOTATION_RECIPIENT,   /* an id: the only one it is for */
    N_ANNOTATION_FIELDS
} AnnotationField;

typedef struct {
    char *org, *session;
    uint32_t number; /* from 1 */
    bool has_previous;
    Digest previous;   /* of the whole note with the number before */
    int64_t at_unix_s; /* when its writer says it was made */
    char *by;          /* who: a word without space */
    AnnotationKind kind;
    char *values[N_ANNOTATION_FIELDS]; /* NULL: not said */
    uint32_t n_known; /* not written: how many annotations its writer had read when it sealed a
                         statement */
} Annotation;

/* `org`, `session`: valid ids. Number 0: not placed yet. */
Annotation *annotation_new(const char *org, const char *session, AnnotationKind kind);

/* Sets what it says of `field`; NULL: nothing. */
void annotation_set(Annotation *self, AnnotationField field, const char *value);

/* Whether it says what its kind must, nothing its kind may not, and each in its form. Errors:
 * DENIED - the sentence names the field. */
bool annotation_check(const Annotation *self, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* `self`: placed and checked. Returns: the text to be signed, owned. */
char *annotation_to_text(const Annotation *self);

/* Strict: an unknown kind or field, or another spelling, is refused. Errors: CORRUPT. */
Annotation *annotation_parse(const char *text, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Returns: `hold-placed` and the like, static. */
const char *annotation_kind_name(AnnotationKind kind);
const char *annotation_field_name(AnnotationField field);

void annotation_free(Annotation *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Annotation, annotation_free)
