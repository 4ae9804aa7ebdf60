#pragma once

#include "agent/opener/media_job.h"
#include "agent/opener/opener.h"
#include "agent/opener/refusal.h"
#include "agent/service/http_service.h"

/* One answer with opened media: a job that opens, and the reader who takes it, under a grant. Main
 * thread; ends by itself. */
typedef struct AccessStream AccessStream;

typedef struct {
    MediaJobForm form;
    char **tracks; /* borrowed; all that the grant is for; none for amendments, else at least one */
    unsigned part;
    int64_t from_us, until_us;
    const char *content_type; /* static */
} AccessStreamOptions;

/* Answers `request` (which ends with this), now or later: with the media, or why not. `grant`:
 * alive.
 */
void access_stream_start(Opener *opener, Grant *grant, HttpRequest *request,
                         const AccessStreamOptions *options);

/* Cuts off all that is streamed under `grant`. */
void access_stream_stop_all(Opener *opener, const Grant *grant);

/* Notes under which grants readers have read. */
void access_stream_tick(Opener *opener, int64_t now_us);
