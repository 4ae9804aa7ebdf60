#pragma once

#include "config/settings.h"

#include <jansson.h>

/* What is to be done with the keys of every organisation: drills, rotations, keys to be re-wrapped
 * and retired, rings that do not count. */

/* Returns: an array of `{"org", "what", "command"}`, owned. `keys`: gets `{"org", "mark", "role",
 * "state", "age_days"}` of each key that is in use; NULL: not wanted. */
json_t *keys_due_find(const Settings *settings, json_t *keys);

/* Adds a row to such an array. */
void keys_due_add(json_t *list, const char *org, const char *what, const char *command);
