#include "agent/media/picture_size.h"

/* Sets of parameters are short; what is behind the size is of no interest. */
#define MAX_SPS_BYTES 256
#define MAX_SIDE      16384

typedef struct {
    const uint8_t *bytes;
    size_t n_bits;
    size_t at;
    bool is_over; /* read past the end; everything reads as zero then */
} BitReader;

static unsigned
read_bits(BitReader *self, unsigned n)
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

/* Exp-Golomb, H.264 section 9.1. */
static unsigned
read_ue(BitReader *self)
{
    unsigned n_zeros = 0;

    while (n_zeros < 31 && !self->is_over && read_bits(self, 1) == 0)
        n_zeros++;
    return (1U << n_zeros) - 1 + read_bits(self, n_zeros);
}

static int
read_se(BitReader *self)
{
    const unsigned value = read_ue(self);

    return (value & 1) != 0 ? (int) (value / 2) + 1 : -(int) (value / 2);
}

/* Removes the emulation prevention bytes, section 7.4.1. */
static size_t
unescape(uint8_t *to, const uint8_t *from, size_t n_bytes)
{
    unsigned n_zeros = 0;
    size_t n = 0;

    for (size_t i = 0; i < n_bytes && n < MAX_SPS_BYTES; i++) {
        if (n_zeros >= 2 && from[i] == 3) {
            n_zeros = 0;
            continue;
        }
        n_zeros = from[i] == 0 ? n_zeros + 1 : 0;
        to[n++] = from[i];
    }
    return n;
}

static void
skip_scaling_list(BitReader *reader, int n_values)
{
    int last = 8;
    int next = 8;

    for (int i = 0; i < n_values && !reader->is_over; i++) {
        if (next != 0)
            next = (last + read_se(reader) + 256) % 256;
        if (next != 0)
            last = next;
    }
}

static void
skip_scaling_matrix(BitReader *reader, int n_lists)
{
    for (int i = 0; i < n_lists; i++) {
        if (read_bits(reader, 1) != 0)
            skip_scaling_list(reader, i < 6 ? 16 : 64);
    }
}

/* Returns: chroma_format_idc; 1 for profiles that do not say. */
static unsigned
read_chroma(BitReader *reader, unsigned profile)
{
    static const uint8_t with_chroma[] = {100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134};
    bool is_said = false;
    unsigned chroma = 1;

    for (size_t i = 0; i < sizeof(with_chroma); i++)
        is_said |= with_chroma[i] == profile;
    if (!is_said)
        return chroma;
    chroma = read_ue(reader);
    if (chroma == 3)
        (void) read_bits(reader, 1); /* separate_colour_plane_flag */
    (void) read_ue(reader);          /* bit depths */
    (void) read_ue(reader);
    (void) read_bits(reader, 1); /* qpprime_y_zero_transform_bypass_flag */
    if (read_bits(reader, 1) != 0)
        skip_scaling_matrix(reader, chroma == 3 ? 12 : 8);
    return chroma;
}

static void
skip_picture_order(BitReader *reader)
{
    const unsigned type = read_ue(reader);

    if (type == 0)
        (void) read_ue(reader);
    if (type != 1)
        return;
    (void) read_bits(reader, 1);
    (void) read_se(reader);
    (void) read_se(reader);
    for (unsigned n = read_ue(reader); n > 0 && !reader->is_over; n--)
        (void) read_se(reader);
}

static bool
set_size(PictureSize *self, unsigned width, unsigned height)
{
    self->width = width;
    self->height = height;
    return width > 0 && height > 0 && width <= MAX_SIDE && height <= MAX_SIDE;
}

bool
picture_size_read_h264(PictureSize *self, const uint8_t *sps, size_t n_bytes)
{
    uint8_t plain[MAX_SPS_BYTES];
    BitReader reader = {.bytes = plain, .n_bits = 8 * unescape(plain, sps, n_bytes)};
    unsigned crop[4] = {0};

    if (read_bits(&reader, 8) % 32 != 7)
        return false;

    const unsigned profile = read_bits(&reader, 8);

    (void) read_bits(&reader, 16); /* constraints, level */
    (void) read_ue(&reader);       /* its id */
    const unsigned chroma = read_chroma(&reader, profile);

    (void) read_ue(&reader); /* log2_max_frame_num */
    skip_picture_order(&reader);
    (void) read_ue(&reader); /* max_num_ref_frames */
    (void) read_bits(&reader, 1);
    const unsigned n_columns = read_ue(&reader) + 1;
    const unsigned n_rows = read_ue(&reader) + 1;
    const unsigned n_fields = read_bits(&reader, 1) != 0 ? 1 : 2;

    if (n_fields == 2)
        (void) read_bits(&reader, 1); /* mb_adaptive_frame_field_flag */
    (void) read_bits(&reader, 1);     /* direct_8x8_inference_flag */
    if (read_bits(&reader, 1) != 0) {
        for (int i = 0; i < 4; i++)
            crop[i] = read_ue(&reader); /* left, right, top, bottom */
    }
    if (reader.is_over || n_columns > MAX_SIDE / 16 || n_rows > MAX_SIDE / 16)
        return false;

    const unsigned unit_x = chroma == 1 || chroma == 2 ? 2 : 1;
    const unsigned unit_y = (chroma == 1 ? 2 : 1) * n_fields;

    if (crop[0] > MAX_SIDE || crop[1] > MAX_SIDE || crop[2] > MAX_SIDE || crop[3] > MAX_SIDE)
        return false;
    return set_size(self, n_columns * 16 - unit_x * (crop[0] + crop[1]),
                    n_rows * 16 * n_fields - unit_y * (crop[2] + crop[3]));
}

bool
picture_size_read_vp9(PictureSize *self, const uint8_t *frame, size_t n_bytes)
{
    BitReader reader = {.bytes = frame, .n_bits = 8 * n_bytes};
    unsigned profile = 0;

    if (read_bits(&reader, 2) != 2)
        return false;
    profile = read_bits(&reader, 1);
    profile |= read_bits(&reader, 1) << 1;
    if (profile == 3)
        (void) read_bits(&reader, 1);
    /* show_existing_frame, frame_type; a keyframe's is 0. */
    if (read_bits(&reader, 2) != 0)
        return false;
    (void) read_bits(&reader, 2); /* show_frame, error_resilient_mode */
    if (read_bits(&reader, 24) != 0x498342)
        return false;
    if (profile >= 2)
        (void) read_bits(&reader, 1); /* ten_or_twelve_bit */
    if (read_bits(&reader, 3) != 7) { /* color_space: not RGB */
        (void) read_bits(&reader, 1);
        if (profile == 1 || profile == 3)
            (void) read_bits(&reader, 3);
    } else if (profile == 1 || profile == 3) {
        (void) read_bits(&reader, 1);
    }
    const unsigned width = read_bits(&reader, 16) + 1;
    const unsigned height = read_bits(&reader, 16) + 1;

    return !reader.is_over && set_size(self, width, height);
}

bool
picture_size_read_vp8(PictureSize *self, const uint8_t *frame, size_t n_bytes)
{
    if (n_bytes < 10 || (frame[0] & 1) != 0 || frame[3] != 0x9d || frame[4] != 0x01 ||
        frame[5] != 0x2a)
        return false;
    return set_size(self, (frame[6] | (unsigned) frame[7] << 8) & 0x3fff,
                    (frame[8] | (unsigned) frame[9] << 8) & 0x3fff);
}
