#pragma once

#include "agent/opener/session_case.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

/* Opens media in a thread of its own and hands them out, as fast as they are taken: the thread
 * waits where nobody reads. In memory is one segment of each track. */
typedef struct MediaJob MediaJob;

typedef enum {
    MEDIA_JOB_MATROSKA,
    MEDIA_JOB_WEBM,
    MEDIA_JOB_SEGMENTS,   /* of one part of one track, each behind its length */
    MEDIA_JOB_AMENDMENTS, /* no media: what amends it, one JSON object a line */
} MediaJobForm;

typedef struct {
    const SessionSource *source; /* borrowed until it has ended */
    const char *org, *session;   /* copied, as what follows */
    char **tracks;               /* only these: at least one, but for amendments */
    unsigned part;               /* of MEDIA_JOB_SEGMENTS */
    int64_t from_us, until_us;
    MediaJobForm form;
    const char *notice; /* static: what the file has to say of itself; NULL: nothing */
    /* Asked in the job's thread before a key is unwrapped: decides again, and writes the record. */
    bool (*may_open)(void *user_data, GError **error);
    /* In the main thread, at most once: media follow. */
    void (*on_ready)(void *user_data);
    /* In the job's thread, after that: takes the next bytes (at most four pieces), and may wait. */
    bool (*on_media)(void *user_data, const struct iovec *pieces, unsigned n_pieces,
                     GError **error);
    /* In the job's thread: that was all. */
    bool (*on_end)(void *user_data, GError **error);
    /* In the main thread, once: `error` is NULL if all was taken. The job ends with it. */
    void (*on_done)(const GError *error, void *user_data);
    void *user_data;
} MediaJobOptions;

/* Begins. Returns: borrowed until `on_done`. */
MediaJob *media_job_start(const MediaJobOptions *options);

/* No further segment is opened; `on_done` still comes. */
void media_job_stop(MediaJob *self);
