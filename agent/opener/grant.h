#pragma once

#include "agent/opener/caller.h"
#include "agent/opener/grant_request.h"
#include "agent/opener/session_case.h"
#include "agent/policy/access.h"

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

/* A permission to open one session, for one person and one purpose, for a short time. Main thread;
 * knows no clock: `now_us` is monotonic. */

typedef enum {
    GRANT_ISSUED, /* not used yet */
    GRANT_USED,
    GRANT_EXPIRED,
    GRANT_REVOKED,
} GrantState;

typedef struct {
    char *id;
    Caller *caller;
    GrantRequest *request;
    AccessDecision decision; /* when it was given */
    char *review;            /* of break-glass; NULL: none */
    SessionCase *session;    /* that it was decided by */
    json_t *tracks;          /* as the API tells of them */
    unsigned n_amendments;   /* that it had then */
    json_t *part2;           /* what goes with each copy; NULL: nothing */
    char *evidence;          /* of the consents it is bound to, with commas; NULL: of none */
    int64_t issued_us, used_us;
    int64_t issued_unix_us;
    int64_t ended_us;   /* when the table noticed; 0: it has not */
    unsigned n_streams; /* under it now */
    bool is_being_looked_at;
    GrantState state;
    const char *reason; /* why it ended, static; NULL: it has not */
} Grant;

typedef struct {
    const Caller *caller; /* all borrowed */
    const AccessDecision *decision;
    SessionCase *session;
    const Recording *recording;
    const char *review; /* NULL: none */
    unsigned n_amendments;
    json_t *part2; /* as SessionQuestion.part2 */
    int64_t now_us, now_unix_us;
} GrantOptions;

/* Returns: an id, drawn, so that nobody finds another's by counting; owned. */
char *grant_draw_id(void);

/* The decision permits. `request`: taken. */
Grant *grant_new(const GrantOptions *options, GrantRequest *request);

/* Returns: what the API says of it, owned. */
json_t *grant_to_json(const Grant *self);

/* Whether it is alive. */
bool grant_is_alive(const Grant *self);

/* Looks at the clock. Returns: whether it has just ended by it. */
bool grant_expire(Grant *self, int64_t now_us);

/* Whether these tracks (NULL: all of it) and this time lie within what it is for. */
bool grant_covers(const Grant *self, char **tracks, int64_t from_us, int64_t until_us);

/* Whether it is for this track; `kind`: of AccessTracks. */
bool grant_has_track(const Grant *self, const char *track, unsigned kind);

/* Returns: `issued` and the like, static. */
const char *grant_state_text(GrantState state);

void grant_free(Grant *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Grant, grant_free)
