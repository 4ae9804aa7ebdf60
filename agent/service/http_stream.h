#pragma once

#include "agent/service/http_service.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* An answer as long as it takes: what comes out of a descriptor, sent as fast as the reader reads
 * it. Little of it is in memory at any time, and what was is wiped. Whoever writes into the other
 * end says whether that was all of it; only then does the answer end in good order, and a reader
 * can tell one that was cut off. Main thread. */
typedef struct HttpStream HttpStream;

/* Answers `request` (which ends with this). `fd`: a pipe's end, taken. `on_closed`: called once,
 * when the answer is sent or the reader is gone; the stream ends with it. */
HttpStream *http_stream_new(HttpRequest *request, const char *content_type, int fd,
                            void (*on_closed)(bool is_whole, void *user_data), void *user_data);

/* Nothing more is written to the other end, which is closed. `is_whole`: what is still in the pipe
 * is sent, and the answer ended; else it is cut off now. Then `on_closed` is called. */
void http_stream_end(HttpStream *self, bool is_whole);

/* Returns: how many bytes the reader has taken. */
uint64_t http_stream_sent(const HttpStream *self);
