#pragma once

#include "agent/policy/consent.h"
#include "agent/recorder/minor_facts.h"

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>

/* One person in a session and what was said by and for them, as the backend told it. Main thread.
 */
typedef struct {
    char *id, *role;
    char *subject; /* who this is to whoever issues tokens; NULL: not said */
    MinorFacts minor;
    GPtrArray *consents; /* in the order in which they were said */
} Participant;

/* Reads the API's form {"id","role","minor","age","jurisdiction","subject",
 * "consents":[...]}.
 * Returns: owned; NULL sets `fault` to one sentence (owned) that names the member. */
Participant *participant_parse(const json_t *form, char **fault) G_GNUC_WARN_UNUSED_RESULT;

/* Adds what is said now: {"participant","purpose","state",...}. Returns: NULL if taken; else as
 * `fault` above, and nothing has changed. */
char *participant_add_consent(Participant *self, const json_t *form) G_GNUC_WARN_UNUSED_RESULT;

/* Returns: GArray of ConsentRecord, owned; its texts belong to `self`. */
GArray *participant_consents(const Participant *self);

/* Returns: the API's form, owned. */
json_t *participant_to_json(const Participant *self);

void participant_free(Participant *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Participant, participant_free)
