#pragma once

#include "storage/catalogue_query.h"
#include "storage/recording.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* Scrubbing one session in one store: some of its objects are read back and checked, of all others
 * it is seen that they are there, and that nothing lies there that no manifest lists. Changes
 * nothing. The objects of a session come in an order that is as good as random and always the same,
 * so that, run by run, each has its turn. */

typedef struct {
    ObjectStore *store;    /* borrowed, as all here */
    GPtrArray *verifiers;  /* NoteVerifier: of manifests */
    GPtrArray *annotators; /* NoteVerifier: of annotations and erasures; NULL: the same */
    const char *org, *session;
    int64_t place;   /* where the present round stands: CatalogueScrub */
    uint32_t n_most; /* objects to read; 0: none */
    bool is_open;    /* a recorder is at it: what is stored and not yet listed is no fault */
} ScrubRequest;

typedef struct {
    GPtrArray *findings; /* RecordingFinding */
    uint32_t n_objects;  /* read */
    int64_t place;       /* the next time */
    bool has_ended;      /* the round: every object had its turn */
} ScrubResult;

/* A session that is not in the store at all, or has no manifest, is a finding. Errors: the store's.
 */
bool scrub_session(const ScrubRequest *request, ScrubResult *result,
                   GError **error) G_GNUC_WARN_UNUSED_RESULT;
void scrub_result_clear(ScrubResult *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(ScrubResult, scrub_result_clear)
