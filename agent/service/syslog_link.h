#pragma once

#include <gio/gio.h>
#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A connection to a receiver of syslog over TLS with a certificate of ours (RFC 5425), or plain TCP
 * in the same framing. Syslog has no answers, so what was sent may lie anywhere when a connection
 * breaks. One connection is therefore one delivery: at its end we close our direction and wait for
 * the receiver to close too, which it does once it has read to that end. What was sent before a
 * failure is in doubt, and is for the caller to send again. One thread; everything blocks, at most
 * `timeout_ms` without progress.
 *
 * Not every receiver ends TLS as it should (rsyslog 8 just closes), so the end is read off TCP:
 * ours acknowledged, theirs received, and no reset, which is what a receiver's system sends when it
 * closes with something unread, as it does when it does not want our certificate. */
typedef struct SyslogLink SyslogLink;

/* All borrowed, for the call alone. The last one: a reference is kept. */
typedef struct {
    const char *address;
    uint16_t port;
    const char *ca_path; /* NULL: no TLS, and the next three do not matter */
    const char *certificate_path, *key_path;
    const char *server_name; /* whom the receiver's certificate must name */
    uint32_t timeout_ms;
    GCancellable *cancellable; /* ends what blocks, then and later; NULL is allowed */
} SyslogLinkOptions;

/* Errors: G_IO_ERROR, G_TLS_ERROR, G_FILE_ERROR, G_RESOLVER_ERROR; the message says what is wrong
 * with whose certificate. */
SyslogLink *syslog_link_open(const SyslogLinkOptions *options,
                             GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Sends one frame (RFC 5425, section 4.3). Errors: as above. */
bool syslog_link_send(SyslogLink *self, const char *frame,
                      GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Ends the delivery. Returns: true once the receiver has closed too, and so has read all of it.
 * Errors: as above - all that this link was given is in doubt. */
bool syslog_link_finish(SyslogLink *self, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Leaves whatever was not finished. NULL is allowed. */
void syslog_link_free(SyslogLink *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SyslogLink, syslog_link_free)
