#pragma once

#include "agent/service/http_service.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

/* An answer as long as it takes: a thread writes it straight into the connection, as fast as the
 * reader reads it, and nothing of it waits in our memory. It ends in good order only where the
 * writer says so, and a reader can tell one that was cut off. Owned by the main thread; one thread
 * writes. */
typedef struct HttpStream HttpStream;

/* Answers `request` (which ends with this) with status 200, and sends the head. */
HttpStream *http_stream_new(HttpRequest *request, const char *content_type);

/* Sends `pieces` (1 to 4) one behind the other; waits as long as the reader does not read.
 * Errors: G_IO_ERROR - the reader is gone, or the answer was cut off. Thread: the writer's. */
bool http_stream_write(HttpStream *self, const struct iovec *pieces, unsigned n_pieces,
                       GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Tells the reader that this was all. Errors and thread: as http_stream_write(). */
bool http_stream_finish(HttpStream *self, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Cuts it off: a writer that waits fails now, and every one later. */
void http_stream_cut(HttpStream *self);

/* Returns: how many bytes were handed to the reader. */
uint64_t http_stream_sent(const HttpStream *self);

/* Whether the connection took all that was written. When nobody writes any more. */
bool http_stream_has_reader(const HttpStream *self);

/* Closes the connection, when nobody writes any more; NULL is allowed. */
void http_stream_free(HttpStream *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HttpStream, http_stream_free)
