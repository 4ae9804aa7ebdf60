#pragma once

#include <glib.h>
#include <stdbool.h>

/* How many requests may be under way at once: halved when the store asks for less, one more again
 * for every few that went well. Thread: any. */
typedef struct S3Gate S3Gate;

S3Gate *s3_gate_new(unsigned most);

/* Waits for a place. */
void s3_gate_enter(S3Gate *self);
void s3_gate_leave(S3Gate *self, bool was_throttled);

/* Returns: what holds now. */
unsigned s3_gate_limit(S3Gate *self);

void s3_gate_free(S3Gate *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(S3Gate, s3_gate_free)
