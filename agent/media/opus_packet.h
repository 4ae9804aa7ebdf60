#pragma once

#include <stddef.h>
#include <stdint.h>

/* How long an Opus packet plays, from its first bytes (RFC 6716 section 3). Returns: 0 if it does
 * not say. */
int64_t opus_packet_duration_us(const uint8_t *bytes, size_t n_bytes);
