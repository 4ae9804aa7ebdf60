#pragma once

#include "agent/opener/caller.h"
#include "agent/opener/grant_request.h"
#include "agent/playback/session_people.h"
#include "config/settings.h"
#include "storage/recording.h"

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>

/* What a decision about opening one session looks at, as far as it does not change any more: who
 * was in it, and which tracks it has. What does change (releases, holds, quarantine, consents, the
 * organisation's settings) is read for each decision. Immutable, counted; any thread. */
typedef struct SessionCase SessionCase;

/* Where it is read from. All borrowed. */
typedef struct {
    ObjectStore *store;
    const Settings *settings;   /* of the start: whose key rings are believed, and where they lie */
    GPtrArray *recorders;       /* NoteVerifier: whose manifests are believed */
    GPtrArray *annotators;      /* NoteVerifier: whose annotations are */
    GPtrArray *identities;      /* AgeIdentity */
    const StoreSettings *place; /* of `store` */
    const Secret *pseudonym_key; /* NULL: clients have no pseudonyms */
} SessionSource;

/* Opens the signed manifest and looks whether it is genuine and whole, and signed by who still
 * counts. Errors: NOT_FOUND - the organisation has no such session; CORRUPT; as
 * signer_check_require(). Blocks. */
Recording *session_case_recording(const SessionSource *source, const char *org, const char *session,
                                  GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Opens the session's metadata: only after a record of it is durable. Errors: the store's. Blocks.
 */
SessionCase *session_case_new(const SessionSource *source, Recording *recording,
                              GError **error) G_GNUC_WARN_UNUSED_RESULT;
SessionCase *session_case_ref(SessionCase *self);

/* Decides by what holds now. `caller` NULL-free; `org`: its settings now, NULL: none any more.
 * Returns: false if what was told of the session can not be read or is not genuine: then nothing
 * may be opened. Blocks. */
typedef struct {
    const SessionSource *source;
    const OrgSettings *org;
    const Caller *caller;
    AccessRequest request;
    char **tracks;          /* that are asked for; NULL: all */
    const char *recipient;  /* whom it is disclosed to; NULL: nobody but who asks */
    unsigned *n_amendments; /* out, how many it has; NULL: not asked */
    json_t **part2;         /* out, owned: what goes with a copy of what 42 CFR part 2 protects, as
                               the API tells of it; set to NULL where it does not; NULL: not asked */
} SessionQuestion;
bool session_case_decide(const SessionCase *self, const SessionQuestion *question,
                         AccessDecision *decision, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Whether it has all of these tracks (NULL: yes). */
bool session_case_has_tracks(const SessionCase *self, char **tracks);

/* Returns: the pseudonyms of its clients, as a record of the audit log has them, borrowed; NULL:
 * none. */
const char *session_case_clients(const SessionCase *self);

const SessionPeople *session_case_people(const SessionCase *self);

/* NULL is allowed. */
void session_case_unref(SessionCase *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SessionCase, session_case_unref)
