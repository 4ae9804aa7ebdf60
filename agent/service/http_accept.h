#pragma once

#include "agent/service/http_handshake.h"

#include <gio/gio.h>
#include <libsoup/soup.h>

/* Takes the connections of a listening socket for a SoupServer. Its own listener, up to 3.2,
 * never gives up the GSocket of a connection (336 bytes each), and listens no more once it was out
 * of file descriptors. What fails for one peer's sake holds up no other. Main thread. */
typedef struct HttpAccept HttpAccept;

/* Borrows `server` and `listening`, which outlive it. Returns: owned. */
HttpAccept *http_accept_new(SoupServer *server, GSocket *listening);

/* The same behind a handshake of TLS with each who connects. `options`: `on_done` is ours. */
HttpAccept *http_accept_new_tls(SoupServer *server, GSocket *listening,
                                const HttpHandshakeOptions *options);

/* Returns: the socket that `message` came by, of such a connection or of a listener of libsoup's;
 * borrowed, NULL once it is closed. */
GSocket *http_accept_socket(SoupServerMessage *message);

/* Connections that were taken stay the server's; NULL is allowed. */
void http_accept_free(HttpAccept *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HttpAccept, http_accept_free)
