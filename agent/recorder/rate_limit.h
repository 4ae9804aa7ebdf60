#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* How many bits a second may come in, over two seconds at a time, so that a picture that begins
 * anew passes. Shared by those it holds for together; used by the ingress thread alone, while
 * references may be given back anywhere. */
typedef struct RateLimit RateLimit;

/* `kbps` (> 0): thousand bits a second. */
RateLimit *rate_limit_new(uint32_t kbps) G_GNUC_WARN_UNUSED_RESULT;
RateLimit *rate_limit_ref(RateLimit *self) G_GNUC_WARN_UNUSED_RESULT;

/* Counts `n_bytes` at `time_us`, if they may pass; a time before an earlier one adds nothing. */
bool rate_limit_allow(RateLimit *self, size_t n_bytes, int64_t time_us);

/* NULL is allowed. */
void rate_limit_unref(RateLimit *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RateLimit, rate_limit_unref)
