#include "agent/media/h264_sets.h"

#include <string.h>

/* Writes parameter sets and slices as short as they can be. */
typedef struct {
    uint8_t bytes[64];
    size_t n_bits;
} Bits;

static void
put(Bits *self, unsigned value, unsigned n)
{
    while (n-- > 0) {
        self->bytes[self->n_bits / 8] |= (uint8_t) (((value >> n) & 1) << (7 - self->n_bits % 8));
        self->n_bits++;
    }
}

static void
put_ue(Bits *self, unsigned value)
{
    unsigned n = 1;

    while ((value + 1) >> n != 0)
        n++;
    put(self, value + 1, 2 * n - 1);
}

static Bits
sps(unsigned id, unsigned n_columns, unsigned n_rows)
{
    Bits self = {{0}, 0};

    put(&self, 0x6742c01f, 32);
    put_ue(&self, id);
    put_ue(&self, 0);
    put_ue(&self, 2); /* order of pictures: none of its own */
    put_ue(&self, 1);
    put(&self, 0, 1);
    put_ue(&self, n_columns - 1);
    put_ue(&self, n_rows - 1);
    put(&self, 0xc, 4); /* frames only, 8x8, no cropping, no more */
    put(&self, 1, 1);
    return self;
}

static Bits
named(unsigned header, unsigned first, unsigned second, unsigned third)
{
    Bits self = {{0}, 0};

    put(&self, header, 8);
    put_ue(&self, first);
    put_ue(&self, second);
    put_ue(&self, third);
    put(&self, 1, 1);
    return self;
}

static void
append(GByteArray *bytes, const Bits *nal, size_t n_length)
{
    const uint8_t n_bytes = (uint8_t) ((nal->n_bits + 7) / 8);

    for (size_t i = 1; i < n_length; i++)
        g_byte_array_append(bytes, (const uint8_t *) "\0", 1);
    g_byte_array_append(bytes, &n_bytes, 1);
    g_byte_array_append(bytes, nal->bytes, n_bytes);
}

/* 320x240 under id 0 and 640x480 under id 1; the picture sets 0 and 5 name the one and the other,
 * set 7 one that is not there. */
static GBytes *
record_for_test(void)
{
    GByteArray *record = g_byte_array_new();
    const Bits sequence_sets[] = {sps(0, 20, 15), sps(1, 40, 30)};
    const Bits picture_sets[] = {named(0x68, 0, 0, 0), named(0x68, 5, 1, 0), named(0x68, 7, 2, 0)};

    g_byte_array_append(record, (const uint8_t *) "\x01\x42\xc0\x1f\xff\xe2", 6);
    for (size_t i = 0; i < G_N_ELEMENTS(sequence_sets); i++)
        append(record, &sequence_sets[i], 2);
    g_byte_array_append(record, (const uint8_t *) "\x03", 1);
    for (size_t i = 0; i < G_N_ELEMENTS(picture_sets); i++)
        append(record, &picture_sets[i], 2);
    return g_byte_array_free_to_bytes(record);
}

static const struct {
    unsigned header; /* of the slice */
    unsigned pps_id;
    unsigned width; /* 0: nothing to be found */
} rows[] = {
    {0x65, 0, 320},
    {0x65, 5, 640},
    {0x65, 6, 0  },
    {0x65, 7, 0  },
    {0x41, 0, 0  },
};

static GByteArray *
frame_for_test(unsigned header, unsigned pps_id)
{
    GByteArray *frame = g_byte_array_new();
    const Bits message = named(0x06, 1, 1, 1);
    const Bits slice = named(header, 0, 7, pps_id);

    append(frame, &message, 4);
    append(frame, &slice, 4);
    return frame;
}

static void
test_follows_the_slice(void)
{
    g_autoptr(GBytes) record = record_for_test();

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GByteArray) frame = frame_for_test(rows[i].header, rows[i].pps_id);
        PictureSize size = {0};

        g_assert_cmpint(h264_sets_picture_size(&size, record, frame->data, frame->len), ==,
                        rows[i].width != 0);
        if (rows[i].width != 0)
            g_assert_cmpuint(size.width, ==, rows[i].width);
    }
}

/* On copies of their own, so that reading past the end shows. */
static void
test_refuses_what_is_cut_off(void)
{
    g_autoptr(GBytes) record = record_for_test();
    g_autoptr(GByteArray) frame = frame_for_test(0x65, 5);
    const uint8_t *bytes = g_bytes_get_data(record, NULL);
    PictureSize size;

    for (size_t n = 0; n < frame->len; n++) {
        g_autofree uint8_t *cut = g_memdup2(frame->data, n);

        g_assert_false(h264_sets_picture_size(&size, record, cut, n));
    }
    for (size_t n = 0; n < g_bytes_get_size(record); n++) {
        g_autoptr(GBytes) cut = g_bytes_new(bytes, n);

        (void) h264_sets_picture_size(&size, cut, frame->data, frame->len);
    }
    for (size_t i = 0; i < g_bytes_get_size(record) * 8; i++) {
        g_autofree uint8_t *flipped = g_memdup2(bytes, g_bytes_get_size(record));
        g_autoptr(GBytes) other = NULL;

        flipped[i / 8] ^= (uint8_t) (1U << (i % 8));
        other = g_bytes_new(flipped, g_bytes_get_size(record));
        (void) h264_sets_picture_size(&size, other, frame->data, frame->len);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/h264-sets/follows-the-slice", test_follows_the_slice);
    g_test_add_func("/h264-sets/refuses-what-is-cut-off", test_refuses_what_is_cut_off);
    return g_test_run();
}
