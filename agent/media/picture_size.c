#include "agent/media/picture_size.h"

#include "agent/media/bit_reader.h"

/* Sets of parameters are short; what is behind the size is of no interest. */
#define MAX_SPS_BYTES 256
#define MAX_SIDE      16384

static void
skip_scaling_list(BitReader *reader, int n_values)
{
    int last = 8;
    int next = 8;

    for (int i = 0; i < n_values && !reader->is_over; i++) {
        if (next != 0)
            next = (last + bit_reader_take_se(reader) + 256) % 256;
        if (next != 0)
            last = next;
    }
}

static void
skip_scaling_matrix(BitReader *reader, int n_lists)
{
    for (int i = 0; i < n_lists; i++) {
        if (bit_reader_take(reader, 1) != 0)
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
    chroma = bit_reader_take_ue(reader);
    if (chroma == 3)
        (void) bit_reader_take(reader, 1); /* separate_colour_plane_flag */
    (void) bit_reader_take_ue(reader);     /* bit depths */
    (void) bit_reader_take_ue(reader);
    (void) bit_reader_take(reader, 1); /* qpprime_y_zero_transform_bypass_flag */
    if (bit_reader_take(reader, 1) != 0)
        skip_scaling_matrix(reader, chroma == 3 ? 12 : 8);
    return chroma;
}

static void
skip_picture_order(BitReader *reader)
{
    const unsigned type = bit_reader_take_ue(reader);

    if (type == 0)
        (void) bit_reader_take_ue(reader);
    if (type != 1)
        return;
    (void) bit_reader_take(reader, 1);
    (void) bit_reader_take_se(reader);
    (void) bit_reader_take_se(reader);
    for (unsigned n = bit_reader_take_ue(reader); n > 0 && !reader->is_over; n--)
        (void) bit_reader_take_se(reader);
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
    BitReader reader = bit_reader_of_nal(plain, sizeof(plain), sps, n_bytes);
    unsigned crop[4] = {0};

    if (bit_reader_take(&reader, 8) % 32 != 7)
        return false;

    const unsigned profile = bit_reader_take(&reader, 8);

    (void) bit_reader_take(&reader, 16); /* constraints, level */
    (void) bit_reader_take_ue(&reader);  /* its id */
    const unsigned chroma = read_chroma(&reader, profile);

    (void) bit_reader_take_ue(&reader); /* log2_max_frame_num */
    skip_picture_order(&reader);
    (void) bit_reader_take_ue(&reader); /* max_num_ref_frames */
    (void) bit_reader_take(&reader, 1);
    const unsigned n_columns = bit_reader_take_ue(&reader) + 1;
    const unsigned n_rows = bit_reader_take_ue(&reader) + 1;
    const unsigned n_fields = bit_reader_take(&reader, 1) != 0 ? 1 : 2;

    if (n_fields == 2)
        (void) bit_reader_take(&reader, 1); /* mb_adaptive_frame_field_flag */
    (void) bit_reader_take(&reader, 1);     /* direct_8x8_inference_flag */
    if (bit_reader_take(&reader, 1) != 0) {
        for (int i = 0; i < 4; i++)
            crop[i] = bit_reader_take_ue(&reader); /* left, right, top, bottom */
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

/* Up to and with frame_type. Returns: whether a frame follows, and which. */
static bool
begin_vp9(BitReader *reader, unsigned *profile, bool *is_keyframe)
{
    if (bit_reader_take(reader, 2) != 2)
        return false;
    *profile = bit_reader_take(reader, 1);
    *profile |= bit_reader_take(reader, 1) << 1;
    if (*profile == 3)
        (void) bit_reader_take(reader, 1);
    if (bit_reader_take(reader, 1) != 0) /* show_existing_frame */
        return false;
    *is_keyframe = bit_reader_take(reader, 1) == 0;
    return true;
}

static bool
take_vp9_size(PictureSize *self, BitReader *reader)
{
    const unsigned width = bit_reader_take(reader, 16) + 1;
    const unsigned height = bit_reader_take(reader, 16) + 1;

    return !reader->is_over && set_size(self, width, height);
}

bool
picture_size_read_vp9(PictureSize *self, const uint8_t *frame, size_t n_bytes)
{
    BitReader reader = {.bytes = frame, .n_bits = 8 * n_bytes};
    unsigned profile = 0;
    bool is_keyframe = false;

    if (!begin_vp9(&reader, &profile, &is_keyframe) || !is_keyframe)
        return false;
    (void) bit_reader_take(&reader, 2); /* show_frame, error_resilient_mode */
    if (bit_reader_take(&reader, 24) != 0x498342)
        return false;
    if (profile >= 2)
        (void) bit_reader_take(&reader, 1); /* ten_or_twelve_bit */
    if (bit_reader_take(&reader, 3) != 7) { /* color_space: not RGB */
        (void) bit_reader_take(&reader, 1);
        if (profile == 1 || profile == 3)
            (void) bit_reader_take(&reader, 3);
    } else if (profile == 1 || profile == 3) {
        (void) bit_reader_take(&reader, 1);
    }
    return take_vp9_size(self, &reader);
}

bool
picture_size_read_vp9_change(PictureSize *self, const uint8_t *frame, size_t n_bytes)
{
    BitReader reader = {.bytes = frame, .n_bits = 8 * n_bytes};
    unsigned profile = 0;
    bool is_keyframe = false;

    if (!begin_vp9(&reader, &profile, &is_keyframe) || is_keyframe)
        return false;

    const bool is_shown = bit_reader_take(&reader, 1) != 0;
    const bool is_resilient = bit_reader_take(&reader, 1) != 0;

    if (!is_shown && bit_reader_take(&reader, 1) != 0) /* intra_only */
        return false;
    if (!is_resilient)
        (void) bit_reader_take(&reader, 2);  /* reset_frame_context */
    (void) bit_reader_take(&reader, 8 + 12); /* what it refreshes, three frames it refers to */
    for (int i = 0; i < 3; i++) {
        if (bit_reader_take(&reader, 1) != 0) /* of the size of that one */
            return false;
    }
    return take_vp9_size(self, &reader);
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
