#include "agent/policy/session_state.h"

#include <glib.h>
#include <stddef.h>

/* Every move a session can make. RECORDING is entered from STARTING by a permission, from PAUSED by
 * RESUMED, and in no other way; a denial while recording pauses, whoever reports it. */
static const struct {
    SessionState now;
    SessionEvent event;
    SessionState next;
} moves[] = {
    {SESSION_STATE_STARTING,   SESSION_EVENT_PERMITTED,    SESSION_STATE_RECORDING   },
    {SESSION_STATE_STARTING,   SESSION_EVENT_DENIED,       SESSION_STATE_NOT_RECORDED},
    {SESSION_STATE_STARTING,   SESSION_EVENT_PAUSED,       SESSION_STATE_PAUSED      },
    {SESSION_STATE_STARTING,   SESSION_EVENT_STOPPED,      SESSION_STATE_FINALISING  },
    {SESSION_STATE_STARTING,   SESSION_EVENT_FAILED,       SESSION_STATE_FAILED      },
    {SESSION_STATE_RECORDING,  SESSION_EVENT_DENIED,       SESSION_STATE_PAUSED      },
    {SESSION_STATE_RECORDING,  SESSION_EVENT_PAUSED,       SESSION_STATE_PAUSED      },
    {SESSION_STATE_RECORDING,  SESSION_EVENT_STOPPED,      SESSION_STATE_FINALISING  },
    {SESSION_STATE_RECORDING,  SESSION_EVENT_FAILED,       SESSION_STATE_FAILED      },
    {SESSION_STATE_PAUSED,     SESSION_EVENT_RESUMED,      SESSION_STATE_RECORDING   },
    {SESSION_STATE_PAUSED,     SESSION_EVENT_STOPPED,      SESSION_STATE_FINALISING  },
    {SESSION_STATE_PAUSED,     SESSION_EVENT_FAILED,       SESSION_STATE_FAILED      },
    {SESSION_STATE_FINALISING, SESSION_EVENT_STORED,       SESSION_STATE_STORED      },
    {SESSION_STATE_FINALISING, SESSION_EVENT_STORED_APART, SESSION_STATE_QUARANTINED },
    {SESSION_STATE_FINALISING, SESSION_EVENT_DAMAGED,      SESSION_STATE_INCOMPLETE  },
    {SESSION_STATE_FINALISING, SESSION_EVENT_FAILED,       SESSION_STATE_FAILED      },
};

SessionState
session_state_next(SessionState now, SessionEvent event)
{
    for (size_t i = 0; i < G_N_ELEMENTS(moves); i++) {
        if (moves[i].now == now && moves[i].event == event)
            return moves[i].next;
    }
    return now;
}

const char *
session_state_text(SessionState state)
{
    static const char *const texts[] = {
        [SESSION_STATE_STARTING] = "starting",
        [SESSION_STATE_RECORDING] = "recording",
        [SESSION_STATE_PAUSED] = "paused",
        [SESSION_STATE_FINALISING] = "finalising",
        [SESSION_STATE_STORED] = "stored",
        [SESSION_STATE_INCOMPLETE] = "incomplete",
        [SESSION_STATE_QUARANTINED] = "quarantined",
        [SESSION_STATE_FAILED] = "failed",
        [SESSION_STATE_NOT_RECORDED] = "not-recorded",
    };

    g_assert((size_t) state < G_N_ELEMENTS(texts));
    return texts[state];
}
