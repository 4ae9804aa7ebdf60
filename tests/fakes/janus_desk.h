#pragma once

#include "agent/recorder/janus_client.h"

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>

/* Takes the place of the client's functions that ask Janus: keeps what is asked until the test
 * answers. The linker puts it there (tests/meson.build). */

/* Whether Janus is there. */
void janus_desk_set_up(bool is_up);

/* How many requests wait for their answer. */
unsigned janus_desk_count(void);

/* Returns: member `name` of the oldest that waits, as text, owned; NULL: there is none. */
char *janus_desk_peek(const char *name);

/* Answers the oldest: with `data` as JSON, or with an error where that is NULL. */
void janus_desk_answer(const char *data);
