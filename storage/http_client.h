#pragma once

#include <glib.h>
#include <stddef.h>
#include <stdint.h>

/* HTTP/1.1 requests over kept connections, for any number of callers; one thread of its own moves
 * the bytes. TLS is 1.2 or later and always verified; no redirect is followed, no proxy taken from
 * the environment, nothing sent again by itself. */
typedef struct HttpClient HttpClient;

typedef struct {
    const char *ca_file; /* NULL: the system's authorities; else this file's and no others */
    const char
        *pins; /* NULL: none; `sha256//<base64>` of public keys, parted by `;`: one must match */
    const char *proxy;        /* NULL: none */
    unsigned max_connections; /* at once; 0: 8 */
    uint64_t max_bytes_per_s; /* of bodies sent, all requests together; 0: no limit */
} HttpClientOptions;

/* All borrowed until http_client_send() returns. */
typedef struct {
    const char *method;
    const char *url; /* encoded; http:// is the caller's decision */
    const char *const
        *headers;              /* `Name: value`, NULL at the end; without Host and Content-Length */
    GBytes *body;              /* NULL: none */
    size_t max_response_bytes; /* a longer answer is a failure */
    unsigned timeout_ms;       /* for all of it, from the queue to the last byte; longer by what
                                  max_bytes_per_s holds it up */
} HttpRequest;

typedef struct {
    unsigned status;
    GHashTable *headers; /* char * -> char *, names in lower case; of equal names the last */
    GBytes *body;
} HttpResponse;

/* Starts the thread. `options` is copied. */
HttpClient *http_client_new(const HttpClientOptions *options);

/* Sends one request and waits for the whole answer, whatever its status. Thread: any. Blocks.
 * Errors: TRANSIENT - not reached, cut, too slow, cut short; the server may have done it all the
 * same. DENIED - its certificate does not hold, or matches no pin; nothing was sent. CORRUPT - the
 * answer is too long, or is no HTTP. */
HttpResponse *http_client_send(HttpClient *self, const HttpRequest *request,
                               GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Returns: borrowed; NULL if there is none. `name`: in lower case. */
const char *http_response_header(const HttpResponse *self, const char *name);

/* Returns: its entity tag without the quotes, as every store takes it in If-Match (Ceph before 18
 * takes no other), owned; NULL if there is none. */
char *http_response_bare_tag(const HttpResponse *self);

void http_response_free(HttpResponse *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HttpResponse, http_response_free)

/* Ends the thread; no send may be under way. NULL is allowed. */
void http_client_free(HttpClient *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HttpClient, http_client_free)
