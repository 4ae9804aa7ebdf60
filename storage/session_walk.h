#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* Goes through sessions, several at once: what changes or looks at all of them waits for the store
 * nearly all the time. */
typedef struct {
    unsigned n_threads; /* from 1 */
    /* `place`: of the session in `names`. Thread: any of the walk's, several at once. Returns:
     * false with `error` ends the walk. */
    bool (*visit)(void *user_data, guint place, const char *session, GError **error);
    /* Thread: the caller's. May be NULL. */
    void (*on_progress)(void *user_data, uint64_t n_done, uint64_t n_sessions);
    void *user_data;
} SessionWalk;

/* `names`: GPtrArray of SessionName. Returns: true once every one was visited. Errors: of a visit;
 * those that had begun have ended. Blocks. */
bool session_walk(const SessionWalk *walk, const GPtrArray *names,
                  GError **error) G_GNUC_WARN_UNUSED_RESULT;
