#pragma once

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

/* Reads members of a request's objects. A fault is one sentence in `fault` (owned by the caller);
 * once there is one, nothing more is read. */

/* Refuses members that are not in `known` (NULL at the end): a misspelt one must not go unnoticed.
 */
bool request_members_are_known(const json_t *form, const char *const *known, char **fault);

/* Returns: an id, owned. */
char *request_members_id(const json_t *form, const char *name, char **fault);

/* Returns: an integer of range[0] to range[1]; `otherwise` where it is missing and that is not
 * negative. */
int64_t request_members_number(const json_t *form, const char *name, const int64_t range[2],
                               int64_t otherwise, char **fault);
