#pragma once

#include <stddef.h>
#include <stdint.h>

/* How long the age file is that begins `bytes` (`n_bytes`, perhaps followed by others) and holds
 * `n_plain` bytes of plaintext. Returns: 0 for no age file, or one that ends behind them. */
uint64_t sealed_file_length(const uint8_t *bytes, size_t n_bytes, size_t n_plain);
