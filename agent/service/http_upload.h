#pragma once

#include <glib.h>
#include <stddef.h>

/* Sends what comes out of a pipe to an HTTP server, and takes the answer: for what is not to lie
 * anywhere in between. One request, in chunks; no redirect, no proxy, no second try. */

typedef struct {
    const char *url;          /* http or https, with a host */
    const char *content_type; /* of what is sent */
    const char *accept;       /* of what is wanted back */
    const char *token;        /* NULL: none; sent as a bearer */
    const char *ca_path;      /* the authorities that vouch for it; NULL: the system's */
    int fd;                   /* taken: read to its end */
    unsigned timeout_s;       /* for all of it */
    size_t max_bytes;         /* of the answer */
} HttpUpload;

/* Blocks. `media_type`: of the answer, without parameters, owned; NULL if it does not say.
 * Returns: the answer, owned.
 * Errors: G_IO_ERROR_TIMED_OUT; G_IO_ERROR_MESSAGE_TOO_LARGE; G_IO_ERROR_INVALID_DATA - another
 * status than 200; G_TLS_ERROR; others of GIO. */
GByteArray *http_upload_run(const HttpUpload *upload, char **media_type,
                            GError **error) G_GNUC_WARN_UNUSED_RESULT;
