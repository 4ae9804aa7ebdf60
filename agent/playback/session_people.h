#pragma once

#include "agent/policy/consent.h"
#include "storage/manifest.h"
#include "storage/object_store.h"

#include <glib.h>
#include <stdbool.h>

/* Who took part in a session and what they consented to, out of its sealed metadata. Names and
 * references stand there as well and are not read. An immutable value. */
typedef struct SessionPeople SessionPeople;

typedef struct {
    char *id;
    char *role;
    char *subject;      /* who this is to an issuer of tokens; NULL: not said */
    char *jurisdiction; /* where they were; NULL: not said */
    bool is_minor, has_age;
    unsigned age;       /* in whole years */
    bool is_alone_rule; /* by the rule of that day a minor's own yes was enough */
    GArray *consents;   /* ConsentRecord, whose texts belong to SessionPeople */
} SessionPerson;

/* `identities`: as track_keys_open(). `trouble`: set to one sentence, owned, if the metadata is
 * missing or does not open; then nobody is known.
 * Returns: owned. Errors: the store's; CRYPTO_ERROR_TOKEN. */
SessionPeople *session_people_read(ObjectStore *store, const ManifestPart *manifest,
                                   GPtrArray *identities, char **trouble,
                                   GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Reads the metadata's plaintext. Returns: NULL for what is no metadata of ours. */
SessionPeople *session_people_parse(const char *text, size_t n_bytes);

/* Returns: GPtrArray of SessionPerson, borrowed: all who ever took part, in their order. */
const GPtrArray *session_people_list(const SessionPeople *self);

/* Whether a minor consented without a guardian: by the rule that the recorder kept, or, in what is
 * older than such rules, because no guardian said anything. */
bool session_people_have_minor_alone(const SessionPeople *self);

/* Returns: what the session was for, borrowed; NULL: not said. */
const char *session_people_service(const SessionPeople *self);

/* Whether everyone and all that was said could be read. Else somebody without an id or a role was
 * left out, or a consent without a purpose or a state. */
bool session_people_are_whole(const SessionPeople *self);

/* Returns: one of them as a decision looks at them, borrowed from `person`. */
ConsentParticipant session_people_asked(const SessionPerson *person);

/* Returns: GHashTable of participant id to role, owned; its texts too. */
GHashTable *session_people_roles(const SessionPeople *self);

void session_people_free(SessionPeople *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SessionPeople, session_people_free)
