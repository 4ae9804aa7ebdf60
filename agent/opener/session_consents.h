#pragma once

#include "agent/playback/session_people.h"
#include "config/settings.h"
#include "storage/annotation_view.h"

#include <glib.h>
#include <jansson.h>
#include <stdint.h>

/* What everyone in a session has consented to: in the session, and what was said after it. Borrows
 * from what it is made of. */
typedef struct SessionConsents SessionConsents;

SessionConsents *session_consents_new(const SessionPeople *people, const AnnotationView *view);

/* By the rules of `org` now. `place`: the store the media are in. Returns: of AccessConsents. */
unsigned session_consents_given(const SessionConsents *self, const OrgSettings *org,
                                const StoreSettings *place, int64_t now_us);

/* Returns: of Part2Consents, for `recipient`; NULL: nobody outside. */
unsigned session_consents_part2(const SessionConsents *self, const OrgSettings *org,
                                const StoreSettings *place, const char *recipient, int64_t now_us);

/* Returns: the consents of `needs` (of Part2Consents) for `recipient` of each client, as the API
 * tells of them: a list, owned. */
json_t *session_consents_bound(const SessionConsents *self, unsigned needs, const char *recipient);

void session_consents_free(SessionConsents *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SessionConsents, session_consents_free)
