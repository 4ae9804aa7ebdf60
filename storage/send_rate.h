#pragma once

#include <glib.h>
#include <stddef.h>
#include <stdint.h>

/* How much may be sent now, so that over any second no more goes out than is allowed and the
 * clinic's line stays free for its calls. Knows no clock; `now_us` is monotonic. Zeroed, it allows
 * all. */
typedef struct {
    uint64_t bytes_per_s; /* 0: no limit */
    int64_t last_us;
    uint64_t n_allowed; /* bytes that may go at once */
} SendRate;

void send_rate_init(SendRate *self, uint64_t bytes_per_s);

/* Returns: how many of `n_wanted` (> 0) bytes may go now, and takes them; 0: come back later. Never
 * fewer than a few KiB unless that is all that is wanted, so that nothing goes out in crumbs. */
size_t send_rate_take(SendRate *self, size_t n_wanted, int64_t now_us);

/* Returns: by how much `n_bytes` may be delayed, when `n_others` share the line. */
int64_t send_rate_delay_ms(const SendRate *self, uint64_t n_bytes, unsigned n_others);
