#pragma once

#include "storage/http_client.h"
#include "storage/http_sockets.h"
#include "storage/send_rate.h"

#include <curl/curl.h>
#include <glib.h>
#include <stdbool.h>

/* One request on its way through libcurl: for http_client.c alone. Used by one thread at a time. */
typedef struct {
    const HttpRequest *request;
    CURL *easy;
    struct curl_slist *headers;
    size_t n_sent;  /* of the body, as libcurl has taken it */
    SendRate *rate; /* borrowed, shared by all of a client, as the next */
    const HttpSockets *sockets;
    bool is_held; /* by the rate, until http_transfer_go_on() */
    GByteArray *answer;
    size_t n_header_bytes;
    bool is_too_long;
    HttpResponse *response;
    GError *error;
    bool is_done; /* under the client's lock */
    char message[CURL_ERROR_SIZE];
} HttpTransfer;

/* Makes the handle ready to be added. `rate`, `sockets`: borrowed, the client's. */
void http_transfer_prepare(HttpTransfer *self, const HttpClientOptions *options, SendRate *rate,
                           HttpSockets *sockets, const HttpRequest *request);

/* Sends on if it was held. */
void http_transfer_go_on(HttpTransfer *self);

/* libcurl is done with it: sets `response` or `error`, and frees the rest. */
void http_transfer_finish(HttpTransfer *self, CURLcode code);
