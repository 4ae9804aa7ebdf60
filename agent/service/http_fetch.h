#pragma once

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/* Asks an HTTP server for JSON without blocking: each request has a deadline, and a reply a size it
 * may not pass. Redirects are not followed and no proxy is asked. Main thread. */
typedef struct HttpFetch HttpFetch;

/* Told exactly once for each request, later: the reply's JSON (borrowed), or `error` (borrowed).
 * Errors: G_IO_ERROR_TIMED_OUT, G_IO_ERROR_INVALID_DATA - not JSON, or a status over 299;
 * G_IO_ERROR_MESSAGE_TOO_LARGE; G_IO_ERROR_CANCELLED - http_fetch_free();
 * G_TLS_ERROR_BAD_CERTIFICATE, with what is wrong with it; others of GIO. */
typedef void (*HttpFetchFunc)(const json_t *reply, const GError *error, void *user_data);

typedef struct {
    const char *url;
    const json_t *body; /* borrowed; NULL: GET, else POST */
    unsigned timeout_ms;
    HttpFetchFunc on_reply;
    void *user_data;
} HttpFetchRequest;

/* Returns: whether `url` may be asked at all: http or https, with a host. */
bool http_fetch_url_is_valid(const char *url);

/* `max_bytes`: of one reply. `ca_path`: the authorities that vouch for https servers, in place of
 * the system's; NULL: those. Returns: NULL sets `error`: `ca_path` can not be used. */
HttpFetch *http_fetch_new(size_t max_bytes, const char *ca_path, GError **error);

/* Asks. `request->url` must be valid. */
void http_fetch_send(HttpFetch *self, const HttpFetchRequest *request);

/* Ends what is under way; its callbacks still come, from the main loop. NULL is allowed. */
void http_fetch_free(HttpFetch *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HttpFetch, http_fetch_free)
