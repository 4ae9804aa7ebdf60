#pragma once

/* How far a session is, as the API and the CLI say it: a table of moves, pure. */

typedef enum {
    SESSION_STATE_STARTING, /* consent is not yet decided, keys are not yet stored */
    SESSION_STATE_RECORDING,
    SESSION_STATE_PAUSED,
    SESSION_STATE_FINALISING, /* stopped; what was recorded is on its way into the store */
    SESSION_STATE_STORED,
    SESSION_STATE_QUARANTINED, /* stored, and to be opened by nobody until somebody has looked */
    SESSION_STATE_INCOMPLETE,  /* stored as far as it exists */
    SESSION_STATE_FAILED,
    SESSION_STATE_NOT_RECORDED, /* decided so: "off" never looks like "failed" */
} SessionState;

typedef enum {
    SESSION_EVENT_PERMITTED,
    SESSION_EVENT_DENIED,
    SESSION_EVENT_PAUSED,
    SESSION_EVENT_RESUMED,
    SESSION_EVENT_STOPPED,
    SESSION_EVENT_STORED,
    SESSION_EVENT_STORED_APART, /* after a withdrawal that wants it kept from use, or erased */
    SESSION_EVENT_DAMAGED,
    SESSION_EVENT_FAILED,
} SessionEvent;

/* Returns: the state after `event`; a move that the table does not know keeps the state. */
SessionState session_state_next(SessionState now, SessionEvent event);

/* Returns: `not-recorded` and the like, static. */
const char *session_state_text(SessionState state);
