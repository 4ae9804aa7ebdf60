#pragma once

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/* HTTP/1.1 with JSON on a Unix socket, for the daemons: a table of routes, errors as RFC 9457
 * problem documents. Owned by the main thread; handlers run there and must not block: a reply may
 * be given later. */
typedef struct HttpService HttpService;

/* A request in work; a handler must see to it that exactly one http_reply_* is called, in the main
 * thread, now or later; that ends it. A client gone meanwhile is no concern of the handler's. */
typedef struct HttpRequest HttpRequest;

typedef struct {
    const char *method;  /* GET, POST */
    const char *pattern; /* `/v1/sessions/{id}/stop`; `{id}` matches one path segment */
    void (*handle)(HttpRequest *request, void *user_data);
} HttpRoute;

/* Listens on `socket_path` (0660; a dead process's socket is replaced, a living one's is an error).
 * `routes`: ends with a NULL method; static. Bodies over 1 MiB get 413, unknown paths 404, other
 * methods 405 with Allow, bodies that are not JSON 400 with line and column, not `application/json`
 * 415. Errors: G_IO_ERROR_ADDRESS_IN_USE; others of GIO. */
HttpService *http_service_new(const char *socket_path, const HttpRoute *routes, void *user_data,
                              GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Returns: the `{...}` part of the path at `position` from 0, decoded, borrowed. */
const char *http_request_parameter(const HttpRequest *self, unsigned position);

/* Returns: the parsed body (an object), borrowed; NULL where none was sent. */
json_t *http_request_body(const HttpRequest *self);

/* Answers with `body` (taken). */
void http_reply_json(HttpRequest *self, unsigned status, json_t *body);

/* Answers with a problem document: title of the status, `detail` one sentence, and the members of
 * `extra` (taken, may be NULL), such as a reason. */
void http_reply_problem(HttpRequest *self, unsigned status, const char *detail, json_t *extra);

void http_reply_text(HttpRequest *self, unsigned status, const char *content_type,
                     const char *text);

/* Stops listening and removes the socket; NULL is allowed. Every request must have been replied to.
 */
void http_service_free(HttpService *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HttpService, http_service_free)
