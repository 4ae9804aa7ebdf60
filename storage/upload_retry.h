#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* When a session that failed is tried again: full jitter, doubling from 200 ms to a minute. Knows
 * no clock; `now_us` is monotonic. A session that was never in trouble is not known here. */
typedef struct UploadRetry UploadRetry;

UploadRetry *upload_retry_new(void);

/* Returns: false while the session has to wait, and for good once it is parked. */
bool upload_retry_is_due(const UploadRetry *self, const char *session, int64_t now_us);

/* `error`: decides. Returns: true if there will be another try. */
bool upload_retry_note_failure(UploadRetry *self, const char *session, const GError *error,
                               int64_t now_us);

/* If it is the first after many failures in a row the store is back, and everybody who waits is due
 * at once, but for the parked. */
void upload_retry_note_success(UploadRetry *self, const char *session);

/* Anything parked? */
bool upload_retry_has_parked(const UploadRetry *self);
bool upload_retry_is_parked(const UploadRetry *self, const char *session);
void upload_retry_free(UploadRetry *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(UploadRetry, upload_retry_free)
