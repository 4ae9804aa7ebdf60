#pragma once

#include "storage/http_client.h"
#include "storage/storage_error.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* What an answer that is no success asks of us. Policy, lock, expired keys and a wrong clock all
 * arrive as 403, so the code inside the XML decides; the status only where there is none (HEAD, a
 * proxy's page). */
typedef enum {
    S3_FAULT_FINAL,     /* as `code` says; the same again would end the same */
    S3_FAULT_PASSING,   /* again, after a while */
    S3_FAULT_THROTTLED, /* again, after a while, and fewer at once */
    S3_FAULT_CLOCK,     /* sign with the server's time: once */
    S3_FAULT_EXPIRED,   /* fetch credentials anew: once */
    S3_FAULT_REGION,    /* sign for `region`: once */
    S3_FAULT_EXISTS,    /* put-if-absent found the name taken */
    S3_FAULT_DAMAGED,   /* what arrived there is not what we sent: once again */
} S3FaultKind;

typedef struct {
    S3FaultKind kind;
    StorageError code; /* if it does not pass */
    char *region;      /* NULL: not told */
    char *sentence;    /* status, code, message, the server's request ids; never a key */
} S3Fault;

/* Reads an answer whose status is not 2xx, or a 2xx that should have been XML and is an error. */
S3Fault *s3_fault_read(const HttpResponse *response);

/* Returns: true if `body` is an <Error> document. */
bool s3_fault_is_error(GBytes *body);

/* `Retry-After` in milliseconds, at most ten minutes; 0: none. Dates are not read: no S3 sends
 * them. */
unsigned s3_fault_retry_after_ms(const HttpResponse *response);

/* The server's clock less `now_unix`, from `Date`. Returns: false without a valid one. */
bool s3_fault_clock_offset(const HttpResponse *response, int64_t now_unix,
                           int64_t *offset_s) G_GNUC_WARN_UNUSED_RESULT;

void s3_fault_free(S3Fault *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(S3Fault, s3_fault_free)
