#pragma once

#include "agent/service/http_service.h"

#include <glib.h>
#include <jansson.h>

/* An answer that never ends by itself: server-sent events (HTML Living Standard, section 9.2), for
 * those who want to know at once. A comment every fifteen seconds keeps the connection known to be
 * alive; a reader who falls too far behind is cut off, and may come again. Main thread. */
typedef struct EventStream EventStream;

/* Answers `request` (which ends with this) with a stream. `on_closed`: the reader is gone, for
 * whatever reason, and the stream with it; not called after event_stream_close(). */
EventStream *event_stream_new(HttpRequest *request, void (*on_closed)(void *user_data),
                              void *user_data);

/* Sends one event. `name`: of the event. `data`: borrowed. */
void event_stream_send(EventStream *self, const char *name, const json_t *data);

/* Ends the answer after what was sent; do not use `self` afterwards. */
void event_stream_close(EventStream *self);
