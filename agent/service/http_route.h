#pragma once

#include <glib.h>
#include <stdbool.h>

/* How a request's path finds its route. Pure. */

/* Compares `path` (as sent: percent-encoded, without query) with `pattern`, segment by segment;
 * `{...}` in the pattern takes any one segment that is not empty. Returns: the taken segments,
 * decoded, NULL-terminated and owned; NULL if the path does not fit or can not be decoded. */
char **http_route_match(const char *pattern, const char *path);
