#pragma once

#include "agent/reseal/reseal_run.h"
#include "crypto/age_key.h"
#include "crypto/signed_note.h"
#include "storage/object_store.h"

#include <glib.h>

/* Session `visit-1` of `clinic-a`, in memory, whose organisation's key was leaked: two tracks of
 * three segments in two objects each, metadata, and a statement beside it. The recorder is
 * visit_keys_signer(). All asserts. */

enum { LEAKED_VISIT_SEGMENTS = 3, LEAKED_VISIT_BYTES = 70000 };

typedef struct {
    GHashTable *objects;
    ObjectStore *store;
    AgeIdentity *leaked, *fresh, *glass; /* the organisation's, before and now; break-glass */
    AgeIdentity *fresher; /* what takes the place of `fresh`, if that is leaked too */
    NoteSigner *admin;
    GPtrArray *annotators; /* NoteVerifier: of `admin` */
    char *statement;       /* its digest */
    char *against;         /* mark of the leaked key */
    GPtrArray *kept;       /* what jobs borrow */
} LeakedVisit;

LeakedVisit *leaked_visit_new(void);

/* Returns: a job against the leaked key; what it points to lives as long as `self`. `store`: NULL:
 * its own. */
ResealJob leaked_visit_job(LeakedVisit *self, ObjectStore *store);

/* The same once `fresh` was leaked as well. */
ResealJob leaked_visit_second_job(LeakedVisit *self);

/* Runs it to its end. */
void leaked_visit_run(const ResealJob *job, ResealResult *result);

/* Adds an annotation by `admin`, as a custodian's command does. */
bool leaked_visit_annotate(LeakedVisit *self, AnnotationKind kind, AnnotationField field,
                           const char *value);

/* Returns: what was recorded as segment `index` of a track: the same each time; owned. */
GBytes *leaked_visit_plain(const char *track, uint32_t index);

/* Returns: what `identity` opens of the session as it lies there: how many segments, past every
 * check that readers make; -1: not even an envelope. */
int leaked_visit_opens(LeakedVisit *self, AgeIdentity *identity);

/* Returns: how many stored objects any of `keys` (of EnvelopeKey) opens. */
unsigned leaked_visit_opened_by(LeakedVisit *self, GPtrArray *keys);

/* Returns: the keys in envelope `generation`, opened with `identity`; owned. */
GPtrArray *leaked_visit_envelope(LeakedVisit *self, uint32_t generation, AgeIdentity *identity);

/* Adds a transcript, track `p1-text`, as `sealtape transcribe` does: a part that amends the
 * manifest, of three segments too, and envelope `generation`, sealed to `key`. */
void leaked_visit_add_text(LeakedVisit *self, uint32_t generation, AgeIdentity *key);

/* Puts envelope `generation` as somebody would who may put objects and replace them: sealed to the
 * recipients of now, with session keys that he has. Returns: these (of EnvelopeKey), owned. */
GPtrArray *leaked_visit_slip_envelope(LeakedVisit *self, uint32_t generation);

/* Returns: the codes of what verify finds, owned. */
char *leaked_visit_findings(LeakedVisit *self);
void leaked_visit_assert_findings(LeakedVisit *self, const char *wanted);
void leaked_visit_free(LeakedVisit *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(LeakedVisit, leaked_visit_free)
