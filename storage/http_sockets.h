#pragma once

#include <curl/curl.h>
#include <glib.h>

/* The open sockets of one client, and acknowledging at once what has come over them. Some servers
 * (radosgw, unless told `tcp_nodelay`) send an answer in small pieces and hold back each until the
 * one before is acknowledged, for which the kernel here takes its time: 40 ms for every small
 * object. For http_client.c and http_transfer.c alone. Thread: the client's. */
typedef struct HttpSockets HttpSockets;

HttpSockets *http_sockets_new(void);

/* Has what `easy` opens told here. `self`: borrowed as long as its connections are kept. */
void http_sockets_watch(HttpSockets *self, CURL *easy);

/* A first piece has come. libcurl does not say over which socket, so it is done for each. */
void http_sockets_acknowledge(const HttpSockets *self);

void http_sockets_free(HttpSockets *self);
