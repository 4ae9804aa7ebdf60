#pragma once

#include <glib.h>
#include <jansson.h>

/* One request to a daemon's Unix socket, for the CLI. Blocks, at most 30 s.
 * `request`: method and path, `GET /v1/sessions`. `body`: borrowed, NULL for none. `status`: out.
 * Returns: the answer's JSON (owned; JSON null where it has no body).
 * Errors: G_IO_ERROR_NOT_FOUND / CONNECTION_REFUSED - nobody serves there; others of GIO. */
json_t *http_client_request(const char *socket_path, const char *request, const json_t *body,
                            unsigned *status, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The same for a GET whose answer is text. Returns: owned. */
char *http_client_get_text(const char *socket_path, const char *path, unsigned *status,
                           GError **error) G_GNUC_WARN_UNUSED_RESULT;
