#include "agent/media/picture_size.h"

#include <glib.h>
#include <string.h>

typedef bool (*Read)(PictureSize *self, const uint8_t *bytes, size_t n_bytes);

/* What encoders write is in test_matroska_reader; here is what must be refused. */
static const struct {
    const char *name;
    Read read;
    const char *hex;
    unsigned width; /* 0: to be refused */
    unsigned height;
} rows[] = {
    {"h264-no-set",       picture_size_read_h264, "68ce3c80",                         0,   0  },
    {"h264-cut-off",      picture_size_read_h264, "6742c01f",                         0,   0  },
    {"h264-zeros",        picture_size_read_h264, "67000000000000000000000000000000", 0,   0  },
    {"vp8-keyframe",      picture_size_read_vp8,  "5002009d012a4001f000",             320, 240},
    {"vp8-scaled",        picture_size_read_vp8,  "5002009d012a4041f080",             320, 240},
    {"vp8-delta",         picture_size_read_vp8,  "5102009d012a4001f000",             0,   0  },
    {"vp8-no-start-code", picture_size_read_vp8,  "5002009d022a4001f000",             0,   0  },
    {"vp8-no-width",      picture_size_read_vp8,  "5002009d012a0000f000",             0,   0  },
    {"vp8-cut-off",       picture_size_read_vp8,  "5002009d012a4001f0",               0,   0  },
    {"vp9-keyframe",      picture_size_read_vp9,
     "8249834220"
     "13f00ef0",                                                                      320, 240},
    {"vp9-delta",         picture_size_read_vp9,  "864983422013f00ef0",               0,   0  },
    {"vp9-no-start-code", picture_size_read_vp9,  "824983432013f00ef0",               0,   0  },
    {"vp9-cut-off",       picture_size_read_vp9,  "824983422013f0",                   0,   0  },
};

static size_t
unhex(uint8_t *to, const char *hex)
{
    size_t n = 0;

    for (; hex[0] != '\0' && hex[1] != '\0'; hex += 2)
        to[n++] = (uint8_t) (g_ascii_xdigit_value(hex[0]) << 4 | g_ascii_xdigit_value(hex[1]));
    return n;
}

static void
test_row(const void *data)
{
    const size_t i = GPOINTER_TO_SIZE(data);
    uint8_t bytes[64];
    const size_t n_bytes = unhex(bytes, rows[i].hex);
    PictureSize size = {0};

    g_assert_cmpint(rows[i].read(&size, bytes, n_bytes), ==, rows[i].width > 0);
    if (rows[i].width == 0)
        return;
    g_assert_cmpuint(size.width, ==, rows[i].width);
    g_assert_cmpuint(size.height, ==, rows[i].height);
}

/* No answer is asked for, but an end, within the bytes. */
static void
test_survives_anything(void)
{
    static const Read reads[] = {picture_size_read_h264, picture_size_read_vp8,
                                 picture_size_read_vp9};

    for (guint i = 0; i < 200000; i++) {
        const size_t n_bytes = (size_t) g_test_rand_int_range(0, 64);
        g_autofree uint8_t *bytes = g_malloc(n_bytes + 1);
        PictureSize size = {0};

        for (size_t j = 0; j < n_bytes; j++)
            bytes[j] = g_test_rand_bit() ? 0 : (uint8_t) g_test_rand_int();
        if (n_bytes > 0)
            bytes[0] = 0x67;
        if (reads[i % 3](&size, bytes, n_bytes)) {
            g_assert_cmpuint(size.width, >, 0);
            g_assert_cmpuint(size.width, <=, 16384);
            g_assert_cmpuint(size.height, >, 0);
            g_assert_cmpuint(size.height, <=, 16384);
        }
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *path = g_strconcat("/picture-size/", rows[i].name, NULL);

        g_test_add_data_func(path, GSIZE_TO_POINTER(i), test_row);
    }
    g_test_add_func("/picture-size/survives-anything", test_survives_anything);
    return g_test_run();
}
