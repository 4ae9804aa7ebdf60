#pragma once

#include "storage/annotation.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* What a recording's annotations come to, folded in their order. A plain struct; `self` owns what
 * it points to. */

/* So long after a run began an erasure, or a sealing anew, nobody else begins it again. */
#define ANNOTATION_LEASE_S 600

/* More statements than this nobody reads at once. */
#define ANNOTATION_MAX_AMENDMENTS 100

/* What was said last of one participant's consent to one purpose, after the session. */
typedef struct {
    char *participant, *purpose, *state;
    char *evidence, *recipient; /* NULL: not said */
    int64_t at_unix_s;
} AnnotationConsent;

typedef struct {
    uint32_t n_notes;
    Digest last; /* of note n_notes; only if there is one */

    bool is_released;       /* to everyone who was in it as a client */
    GPtrArray *released_to; /* char *: participants to whom it was released by id */
    GPtrArray *matters;     /* char *: open holds, in byte order, each once */
    char *quarantine;       /* why it is quarantined; NULL: it is not */
    bool was_lifted;        /* somebody has looked at a quarantine and lifted it */
    char *restriction;      /* why its use is restricted; NULL: it is not */
    char *erase_mark;       /* why the recorder wants it erased; NULL: it does not */
    char *label;            /* by which it is kept more strictly, as its recorder says: `part2` or
                               `sud-notes`, the stricter of them; NULL: none */
    GPtrArray *consents;    /* AnnotationConsent */

    char *class_state; /* `adult`, `minor`; NULL: nobody said */
    char *class_date;  /* YYYY-MM-DD: of a minor, the year of birth's last day; NULL: not said */

    char *retain_until; /* YYYY-MM-DD, the latest that was ever said; NULL: none */
    char *retain_rule, *retain_table;
    uint32_t n_amendments;

    uint32_t request; /* number of the open request to erase it; 0: none */
    char *requested_by, *request_reason;
    char *approved_by;       /* NULL: not yet. Never the same as requested_by */
    int64_t begun_at_unix_s; /* when a run began the erasure last; 0: none has */
    bool is_erasing;         /* it has begun: envelopes may be gone */
    bool is_erased;          /* no key is left */
    char *locked_until;      /* YYYY-MM-DD, if bytes remain under object lock; NULL: none do */
    char *certificate;       /* hexadecimal digest of the newest */

    uint32_t reseal_generation;     /* of the envelope of a sealing anew that has begun and not
                                       ended; 0: none */
    uint32_t reseal_request;        /* the annotation that said so last, ended or not */
    char *reseal_against;           /* mark of the compromised key; NULL: it was never begun */
    char *reseal_keys;              /* hexadecimal digest of its new keys; NULL: none yet */
    int64_t reseal_begun_at_unix_s; /* when */
    char *resealed;                 /* hexadecimal digest of the newest note of one; NULL: none */
    char *resealed_locked_until;    /* YYYY-MM-DD, if its old bytes are under object lock */
} AnnotationView;

AnnotationView *annotation_view_new(void);

/* What the recorder itself says in its signed manifest, told after all annotations: `mark
 * quarantined <reason>`, which a lifted quarantine outweighs, `mark erase <reason>`, and its label.
 * Returns: false for a mark nobody knows: then nothing may be opened or deleted. */
bool annotation_view_mark(AnnotationView *self, const char *mark,
                          const char *reason) G_GNUC_WARN_UNUSED_RESULT;

/* Takes the next annotation. Whether it may be added is may_take's. */
void annotation_view_take(AnnotationView *self, const Annotation *next);

/* Whether `next` may follow: no hold on what is being erased, no approval by who requested it, no
 * beginning of an erasure while a hold is open, nothing to release that was not placed.
 * Errors: DENIED - one sentence. */
bool annotation_view_may_take(const AnnotationView *self, const Annotation *next,
                              GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Whether it was released to `participant`, one of its clients. */
bool annotation_view_is_released_to(const AnnotationView *self, const char *participant);

/* Returns: the state of the consent that was told last, of one that names no recipient; NULL: none
 * after the session. Borrowed. */
const char *annotation_view_consent(const AnnotationView *self, const char *participant,
                                    const char *purpose);

void annotation_view_free(AnnotationView *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AnnotationView, annotation_view_free)
