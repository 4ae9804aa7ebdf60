#pragma once

#include "agent/service/http_service.h"

#include <glib.h>
#include <stdbool.h>

/* What a request says, or the kernel knows, of who sends it; and what an answer has to say to them.
 * Main thread. */

/* Returns: the header's value, borrowed; NULL if it is not there, or is there twice. */
const char *http_caller_header(const HttpRequest *self, const char *name);

/* Whether it is there at all, once or more. */
bool http_caller_has_header(const HttpRequest *self, const char *name);

/* Returns: the name of the first header that only a browser sends (Origin, Cookie, Sec-Fetch-...),
 * static; NULL if there is none. */
const char *http_caller_browser_mark(const HttpRequest *self);

/* Returns: the value of `name` in the path's query, decoded and owned; NULL if it is not there. */
char *http_caller_query(const HttpRequest *self, const char *name);

/* Returns: the first name in the query that is none of `known` (NULL-terminated), or one that is
 * there twice, owned; NULL for none. */
char *http_caller_unknown_query(const HttpRequest *self, const char *const *known);

/* Returns: the name of the user that the peer on the Unix socket runs as, owned; NULL over TLS, or
 * where the user has no name. */
char *http_caller_local_user(const HttpRequest *self);

/* Returns: whether the request came over TLS, from a client whose certificate was good. */
bool http_caller_is_remote(const HttpRequest *self);

/* Adds a header to the answer, which must not have been given yet. */
void http_caller_answer_header(HttpRequest *self, const char *name, const char *value);
