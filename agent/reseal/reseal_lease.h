#pragma once

#include "storage/annotation_view.h"
#include "storage/object_store.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* That one run at a time seals a session anew: annotations `reseal-begun`, each good for
 * ANNOTATION_LEASE_S, the next naming the one before. They keep off another run and an erasure, and
 * remember the generation of the envelope for a run that goes on. One thread. */
typedef struct ResealLease ResealLease;

/* All borrowed until reseal_lease_free(). */
typedef struct {
    ObjectStore *store;
    const char *org, *session;
    const char *against; /* mark of the compromised key */
    uint32_t generation; /* of an envelope that is in place; 0: a new one is wanted */
    bool takes_over;     /* from a run that somebody knows to be dead */
    bool (*annotate)(void *user_data, Annotation *next, GError **error);
    void *user_data;
} ResealLeaseRequest;

/* Claims it, with the generation of a run before that was against the same key and has not ended,
 * or else the next that is free: an envelope of a run against another key may be sealed to this
 * one. `view`: what was told of the session, just read. Errors: BUSY - another run has it; as
 * `annotate`. */
ResealLease *reseal_lease_new(const ResealLeaseRequest *request, const AnnotationView *view,
                              GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Renews it if a good part of its time has passed. Errors: DENIED - another took it over, or an
 * erasure has begun. */
bool reseal_lease_keep(ResealLease *self, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Renews it now. */
bool reseal_lease_renew(ResealLease *self, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Renews it now, and says what keys the envelope of its generation will hold: who else may put
 * objects sees the claim, and could put an envelope with keys of his own there. `keys`:
 * hexadecimal, as reseal_keys_digest(). */
bool reseal_lease_claim(ResealLease *self, const char *keys,
                        GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Claims the next generation that is free; of its keys nothing is said yet. */
bool reseal_lease_move_on(ResealLease *self, GError **error) G_GNUC_WARN_UNUSED_RESULT;

uint32_t reseal_lease_generation(const ResealLease *self);

/* What reseal_lease_claim() said last, in a run before as well; borrowed; NULL: nothing yet. */
const char *reseal_lease_keys(const ResealLease *self);

/* NULL is allowed. */
void reseal_lease_free(ResealLease *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ResealLease, reseal_lease_free)
