#pragma once

#include "crypto/byte_stream.h"
#include "crypto/secret.h"

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>

/* One request to a daemon's Unix socket whose answer may be long, for the CLI. Blocks. */
typedef struct HttpDownload HttpDownload;

typedef struct {
    const char *socket_path;
    const char *request; /* method and path, `GET /v1/grants` */
    const json_t *body;  /* borrowed; NULL for none */
    const Secret *token; /* borrowed; NULL: the socket's peer is who asks */
} HttpDownloadOptions;

/* Sends, and waits for the answer's head. Errors: as http_client_request(). */
HttpDownload *http_download_open(const HttpDownloadOptions *options,
                                 GError **error) G_GNUC_WARN_UNUSED_RESULT;

unsigned http_download_status(const HttpDownload *self);

/* A ByteSource: `self` is an HttpDownload. Errors: G_IO_ERROR_PARTIAL_INPUT - the answer was cut
 * off before its end. */
bool http_download_read(void *self, uint8_t *buffer, size_t n_bytes, size_t *n_read,
                        GError **error);

/* Returns: all of a short answer as JSON, owned; JSON null where it is empty. Errors:
 * G_IO_ERROR_INVALID_DATA. */
json_t *http_download_json(HttpDownload *self, GError **error) G_GNUC_WARN_UNUSED_RESULT;

void http_download_free(HttpDownload *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HttpDownload, http_download_free)
