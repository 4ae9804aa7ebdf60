#pragma once

#include "agent/recorder/recorder.h"

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>

/* A whole recorder in a folder of its own, with the organisation `clinic-a` and a store in that
 * folder; its main loop turns only in the functions here. All assert. */
typedef struct {
    char *folder;
    Settings *settings;
    Recorder *recorder;
} RecorderFixture;

/* Keys are drawn once, first. */
void recorder_fixture_start(void);

/* `settings`: lines for the group `recorder` of sealtape.conf; NULL: none. */
RecorderFixture *recorder_fixture_new(const char *settings);

/* What became of a request, once it was answered. */
typedef struct {
    bool is_answered;
    Session *session; /* borrowed; gone if there is an error */
    GError *error;    /* owned */
    char *reason;     /* of the decision, owned */
} RecorderAnswer;

/* A SessionReadyFunc; `user_data`: a RecorderAnswer. */
void recorder_answer_take(Session *session, const char *reason, const GError *error,
                          void *user_data);
void recorder_answer_clear(RecorderAnswer *self);

/* Asks for a session with two participants, provider p1 and client p2; `consents`: of p2 (p1 has
 * given both), `tracks`: forms of tracks, both JSON. Waits for the answer. */
void recorder_fixture_begin(RecorderFixture *self, const char *consents, const char *tracks,
                            RecorderAnswer *answer);

/* Both consents as JSON, and an Opus track of p1 and p2. */
#define RECORDER_FIXTURE_CONSENT(purpose, state)                                                   \
    "{\"purpose\":\"" purpose "\",\"state\":\"" state                                              \
    "\",\"text_version\":\"1\",\"at\":\"2026-11-21T17:00:00Z\"}"
#define RECORDER_FIXTURE_CONSENTS                                                                  \
    "[" RECORDER_FIXTURE_CONSENT("record-audio", "granted") "," RECORDER_FIXTURE_CONSENT(          \
        "record-video", "granted") "]"
#define RECORDER_FIXTURE_TRACK(id, participant)                                                    \
    "{\"id\":\"" id "\",\"participant\":\"" participant                                            \
    "\",\"kind\":\"audio\",\"codec\":\"opus\",\"payload_type\":111,\"clock_rate\":48000}"

/* Turns the main loop until `is_so` says yes, at most 20 s. */
void recorder_fixture_until(bool (*is_so)(void *data), void *data);

/* Turns it until the session's state is this one. */
void recorder_fixture_until_state(const Session *session, SessionState state);

/* Sends `n_packets` of Opus with silence to a track's port. */
void recorder_fixture_send(uint16_t port, unsigned n_packets);

/* Returns: what is in the session's public form under `name`, owned. */
json_t *recorder_fixture_member(const Session *session, const char *name);

/* Ends every session, and the recorder. */
void recorder_fixture_free(RecorderFixture *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RecorderFixture, recorder_fixture_free)
