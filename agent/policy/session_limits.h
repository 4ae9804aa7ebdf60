#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* How much may be recorded: for the whole recorder, and for one session. Pure: numbers in, a
 * decision out. */

typedef enum {
    SESSION_LIMIT_SESSIONS,       /* at the same time, of the recorder */
    SESSION_LIMIT_TRACKS,         /* at the same time, of the recorder */
    SESSION_LIMIT_SESSION_TRACKS, /* at the same time, of one session */
    SESSION_LIMIT_TRACKS_EVER,    /* of one session, those that ended included */
    SESSION_LIMIT_PARTICIPANTS,   /* of one session, at the same time */
    SESSION_LIMIT_MIB,            /* of media, of one session */
    SESSION_LIMIT_SECONDS,        /* of one session */
    N_SESSION_LIMITS,
} SessionLimit;

typedef struct {
    uint64_t most[N_SESSION_LIMITS];
} SessionLimits;

/* A refusal's domain; its code is the SessionLimit. The message names the limit and its value. */
#define SESSION_LIMIT_ERROR (session_limit_error_quark())
GQuark session_limit_error_quark(void);

/* Returns: the setting that says how much, `recorder.max_tracks` and the like, static; of
 * SESSION_LIMIT_TRACKS_EVER, which no setting changes, a name of that kind. */
const char *session_limits_name(SessionLimit limit);

/* Whether `n_more` may come to the `n_now` that are there.
 * Errors: SESSION_LIMIT_ERROR. */
bool session_limits_allow(const SessionLimits *self, SessionLimit limit, uint64_t n_now,
                          uint64_t n_more, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Returns: why a session that is `age_us` old and took in `n_bytes` has to end, `limit-hours` or
 * `limit-bytes`, static; NULL: it goes on. */
const char *session_limits_end(const SessionLimits *self, int64_t age_us, uint64_t n_bytes);
