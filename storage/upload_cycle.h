#pragma once

#include "storage/spool_outbox.h"
#include "storage/upload_bodies.h"
#include "storage/upload_retry.h"
#include "storage/uploader.h"

/* One look through the spool: what can be stored now, is. Thread: the uploader's only. */
typedef struct {
    const UploaderOptions *options;
    UploadRetry *retry;
    UploadBodies *bodies;
    uint64_t n_objects, n_parts, n_failures; /* since the beginning */
    uint64_t n_failures_by[N_STORAGE_ERRORS];
    int64_t oldest_unix_us; /* of the oldest media that waits; 0: nothing does */
    unsigned *n_steps;      /* atomic: counted up with each put, so that one sees that it goes on */
    bool owes_commit;       /* parts were signed that the spool could not make durable */
    bool has_more;          /* the batch was full: go on at once */
    bool is_settled;        /* everything closed and complete is stored, but for parked sessions */
} UploadCycle;

void upload_cycle_run(UploadCycle *self);

/* Tells of a failure of `session`, which then waits for its next try. */
void upload_cycle_note_failure(UploadCycle *self, OutboxSession *session, const GError *error);
