#pragma once

#include "agent/policy/consent.h"
#include "config/settings.h"

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

/* Who is present in a session and what each has said, as the backend told it. Main thread. */
typedef struct Participants Participants;

Participants *participants_new(void);

/* Adds one from the API's form (participant_parse); one who is present already is refused. Returns:
 * NULL if taken; else one sentence that names the fault (owned), and nothing has changed. */
char *participants_add(Participants *self, const json_t *form) G_GNUC_WARN_UNUSED_RESULT;

/* Adds what a participant says now: {"participant","purpose","state",...}. Returns: as above. */
char *participants_add_consent(Participants *self, const json_t *form) G_GNUC_WARN_UNUSED_RESULT;

bool participants_remove(Participants *self, const char *id);
unsigned participants_count(const Participants *self);
bool participants_contain(const Participants *self, const char *id);

/* Whether the last word of participant `id`, who is present, takes back what was recorded
 * (consent_is_taken_back). */
bool participants_take_back(const Participants *self, const char *id, const char *purpose);

/* Decides `purpose` for everyone present, by the rules of `org` (NULL: there is no such
 * organisation). `session`: all but the participants. */
ConsentDecision participants_decide(const Participants *self, const OrgSettings *org,
                                    const ConsentSession *session, const char *purpose,
                                    int64_t now_us);

/* Keeps of each minor who is present whose yes counts for it in a session for `service` (NULL: not
 * said) by the rules of `org`: for the sealed metadata. */
void participants_note_minors(Participants *self, const OrgSettings *org, const char *service);

/* Returns: the API's form of all, with consents, owned: for the sealed metadata. Those who left,
 * and did not come back, stand at the end and have `"left":true`, so that their recording still
 * says who they were. */
json_t *participants_to_json(const Participants *self);

void participants_free(Participants *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Participants, participants_free)
