#include "agent/media/bit_reader.h"

unsigned
bit_reader_take(BitReader *self, unsigned n)
{
    unsigned value = 0;

    for (; n > 0; n--) {
        if (self->at >= self->n_bits) {
            self->is_over = true;
            return 0;
        }
        value = value << 1 | ((self->bytes[self->at / 8] >> (7 - self->at % 8)) & 1);
        self->at++;
    }
    return value;
}

unsigned
bit_reader_take_ue(BitReader *self)
{
    unsigned n_zeros = 0;

    while (n_zeros < 31 && !self->is_over && bit_reader_take(self, 1) == 0)
        n_zeros++;
    return (1U << n_zeros) - 1 + bit_reader_take(self, n_zeros);
}

int
bit_reader_take_se(BitReader *self)
{
    const unsigned value = bit_reader_take_ue(self);

    return (value & 1) != 0 ? (int) (value / 2) + 1 : -(int) (value / 2);
}

BitReader
bit_reader_of_nal(uint8_t *plain, size_t n_room, const uint8_t *nal, size_t n_bytes)
{
    unsigned n_zeros = 0;
    size_t n = 0;

    for (size_t i = 0; i < n_bytes && n < n_room; i++) {
        if (n_zeros >= 2 && nal[i] == 3) {
            n_zeros = 0;
            continue;
        }
        n_zeros = nal[i] == 0 ? n_zeros + 1 : 0;
        plain[n++] = nal[i];
    }
    return (BitReader){.bytes = plain, .n_bits = 8 * n};
}
