#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Reads headers of video bit by bit. A plain value over borrowed bytes; past the end everything
 * reads as zero. */
typedef struct {
    const uint8_t *bytes;
    size_t n_bits;
    size_t at;
    bool is_over; /* read past the end */
} BitReader;

/* `n`: at most 32. */
unsigned bit_reader_take(BitReader *self, unsigned n);

/* Exp-Golomb, H.264 section 9.1. */
unsigned bit_reader_take_ue(BitReader *self);
int bit_reader_take_se(BitReader *self);

/* Reads a NAL unit of H.264, without its emulation prevention bytes (section 7.4.1), out of
 * `plain`, which gets as much of it as fits. */
BitReader bit_reader_of_nal(uint8_t *plain, size_t n_room, const uint8_t *nal, size_t n_bytes);
