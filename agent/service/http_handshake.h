#pragma once

#include <gio/gio.h>

/* The TLS handshakes of those who connect, none of which holds up another. GIO leads each in a
 * thread of its pool, which waits for the peer: so one begins only when the peer has said
 * something, few are led at once, and one that takes long gives way when others wait. Main thread.
 */
typedef struct HttpHandshakes HttpHandshakes;

typedef struct {
    GTlsCertificate *certificate; /* borrowed, as below: outlive it */
    GTlsDatabase *authorities;    /* one of them must vouch for each client */
    unsigned limit_ms;            /* from connecting to the end; then it is given up */
    /* `connection`: TLS on `socket`, both borrowed. */
    void (*on_done)(GSocket *socket, GIOStream *connection, void *user_data);
    void *user_data;
} HttpHandshakeOptions;

/* So many wait to say something or to be led; with more the oldest is given up. */
enum { HTTP_HANDSHAKES_WAITING = 256 };

HttpHandshakes *http_handshakes_new(const HttpHandshakeOptions *options);

/* Leads the handshake with the peer of `socket`, or closes the connection. */
void http_handshakes_begin(HttpHandshakes *self, GSocket *socket);

/* Gives up those in progress; NULL is allowed. */
void http_handshakes_free(HttpHandshakes *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HttpHandshakes, http_handshakes_free)
