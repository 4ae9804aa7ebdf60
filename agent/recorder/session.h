#pragma once

#include "agent/policy/consent.h"
#include "agent/policy/session_limits.h"
#include "agent/policy/session_state.h"
#include "agent/recorder/ingress.h"
#include "agent/recorder/org_book.h"
#include "agent/recorder/sealer.h"
#include "agent/recorder/session_request.h"
#include "agent/recorder/spool_watch.h"
#include "agent/trail/audit_trail.h"
#include "storage/catalogue_writer.h"
#include "storage/object_store.h"
#include "storage/spool.h"

#include <gio/gio.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

/* One telehealth session: who is in it, what may be recorded of whom, and the tracks being
 * recorded. Main thread; what blocks (sealing keys into the store) runs in a worker and calls back
 * here. */
typedef struct Session Session;

/* What every session stands on; all borrowed. */
typedef struct {
    const Settings *settings;
    const OrgBook *orgs;
    Spool *spool;
    ObjectStore *store;
    CatalogueWriter *catalogue;
    Ingress *ingress;
    Sealer *sealer;
    AuditTrail *audit;
    SpoolWatch *spool_watch;
    SessionLimits limits;
    unsigned *n_tracks; /* of the whole daemon, open or about to be */
    const struct SessionTable *sessions;
} SessionServices;

/* What the control API answers differently on. */
typedef enum {
    RECORDER_ERROR_REFUSED,  /* policy or consent says no */
    RECORDER_ERROR_INVALID,  /* the request is at fault */
    RECORDER_ERROR_CONFLICT, /* not in this state, or the id is taken */
    RECORDER_ERROR_CAPACITY, /* ports are used up */
    RECORDER_ERROR_STORE,    /* keys can not be stored, so nothing may be recorded */
    RECORDER_ERROR_FULL,     /* the disk is full */
    RECORDER_ERROR_AUDIT,    /* its beginning can not be audited, so nothing may be recorded */
} RecorderError;

#define RECORDER_ERROR (recorder_error_quark())
GQuark recorder_error_quark(void);
/* Told once, later, in the main thread. `error` is NULL on success; borrowed; of RECORDER_ERROR or
 * SESSION_LIMIT_ERROR. `reason`: of the decision. */
typedef void (*SessionReadyFunc)(Session *session, const char *reason, const GError *error,
                                 void *user_data);

/* Begins a session as `request` (taken) asks: decides, seals its tracks' keys, stores them, and
 * only then binds ports. Returns: the session; after an error is told its state is final
 * (not-recorded or failed) and it may be freed. */
Session *session_new(const SessionServices *services, SessionRequest *request,
                     SessionReadyFunc on_ready, void *user_data);

/* Reads a track's request for this session. Returns: it, owned; NULL sets `fault`, owned. */
TrackRequest *session_parse_track(const Session *self, const json_t *form, char **fault);

/* Adds a track (`request` taken) in the same way. */
void session_add_track(Session *self, TrackRequest *request, SessionReadyFunc on_ready,
                       void *user_data);

/* Somebody joined, said something, or left: decides again at once, and pauses or resumes what it
 * concerns. Returns: false sets `error` (RECORDER_ERROR) and nothing changed. */
bool session_add_participant(Session *self, const json_t *form, GError **error);
bool session_add_consent(Session *self, const json_t *form, GError **error);
bool session_remove_participant(Session *self, const char *id, GError **error);

/* Holds everything back until session_resume(), whatever consent says; each stretch is a gap
 * `paused-<reason>` ([a-z-]+). Consent is still needed to go on. Returns: false sets `error`. */
bool session_pause(Session *self, const char *reason, GError **error);
bool session_resume(Session *self, GError **error);

/* Told as often as its state or that of a track changes. Watching returns what session_unwatch()
 * takes. */
typedef void (*SessionWatchFunc)(const Session *session, void *user_data);
unsigned session_watch(Session *self, SessionWatchFunc on_change, void *user_data);
void session_unwatch(Session *self, unsigned watch);

/* Returns: what a problem document says of `error` beside its sentence, owned; NULL: nothing.
 * `reason`: of the decision. */
json_t *session_refusal_to_json(const Session *self, const GError *error, const char *reason);

/* Ends all tracks; false if it had ended before. */
bool session_stop(Session *self);

/* Everything is stored; `is_whole` says whether its manifest is closed rather than interrupted. */
void session_on_stored(Session *self, bool is_whole);

const char *session_id(const Session *self);
SessionState session_state(const Session *self);
bool session_is_over(const Session *self); /* neither records nor waits: it may be forgotten */
bool session_is_open(const Session *self);
bool session_has_ended(const Session *self); /* its state will not change any more */

/* The published form, owned: state, decision, tracks with their ports and counts. */
json_t *session_to_json(const Session *self);

/* Adds up what is counted of all tracks. */
typedef struct {
    uint64_t n_arrived; /* packets given on, or dropped in a pause or because they were too many */
    uint64_t n_limited;
    uint64_t n_tracks, n_packets, n_bytes, n_lost, n_kernel_dropped, n_foreign, n_segments;
    uint64_t n_unauthentic, n_replayed; /* SRTP turned away */
    uint64_t n_lost_segments;
} SessionCounts;
void session_add_counts(const Session *self, SessionCounts *counts);

void session_free(Session *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Session, session_free)
