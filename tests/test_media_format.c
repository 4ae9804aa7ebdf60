#include "agent/media/media_format.h"

#include <gio/gio.h>

static void
test_reads_names(void)
{
    static const char *const names[] = {"opus", "VP8", "Vp9", "h264"};
    const char *why = NULL;
    MediaCodec codec = MEDIA_CODEC_OPUS;

    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        g_assert_true(media_codec_parse(names[i], &codec, &why));
        g_assert_cmpint(g_ascii_strcasecmp(media_codec_name(codec), names[i]), ==, 0);
        g_assert_cmpint(media_codec_is_video(codec), ==, i > 0);
    }
    g_assert_false(media_codec_parse("av1", &codec, &why));
    g_assert_nonnull(g_strrstr(why, "Debian 12"));
    g_assert_false(media_codec_parse("", &codec, &why));
    g_assert_nonnull(g_strrstr(why, "opus, vp8, vp9, h264"));
}

static const struct {
    MediaFormat format;
    const char *fault;
} formats[] = {
    {{MEDIA_CODEC_OPUS, 111, 48000, 2}, NULL                                   },
    {{MEDIA_CODEC_OPUS, 111, 48000, 1}, NULL                                   },
    {{MEDIA_CODEC_OPUS, 111, 48000, 0}, "the number of channels must be 1 or 2"},
    {{MEDIA_CODEC_OPUS, 111, 48000, 3}, "the number of channels must be 1 or 2"},
    {{MEDIA_CODEC_OPUS, 111, 44100, 2}, "the clock rate of opus is 48000"      },
    {{MEDIA_CODEC_VP8, 96, 90000, 0},   NULL                                   },
    {{MEDIA_CODEC_VP8, 128, 90000, 0},  "the payload type must be 0 to 127"    },
    {{MEDIA_CODEC_VP9, 96, 48000, 0},   "the clock rate of vp9 is 90000"       },
    {{MEDIA_CODEC_H264, 96, 0, 0},      "the clock rate of h264 is 90000"      },
};

static void
test_checks_formats(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(formats); i++)
        g_assert_cmpstr(media_format_fault(&formats[i].format), ==, formats[i].fault);
}

static void
start_in_child(void)
{
    g_autoptr(GError) error = NULL;

    if (!media_start(&error)) {
        g_printerr("%s\n", error->message);
        exit(1);
    }
    exit(0);
}

/* A variable of the environment, and what media_start() says to it; NULL: nothing. */
static const struct {
    const char *name;
    const char *value;
    const char *complaint;
} variables[] = {
    {"GST_DEBUG",                  "6",               NULL              },
    {"GST_DEBUG",                  "7",               "*GST_DEBUG*"     },
    {"GST_DEBUG",                  "*:9",             "*GST_DEBUG*"     },
    {"GST_DEBUG",                  "1,rtpvp8depay:9", "*GST_DEBUG*"     },
    {"GST_DEBUG_FILE",             "/dev/null",       "*GST_DEBUG_FILE*"},
    {"GST_DEBUG_DUMP_DOT_DIR",     "/tmp",            NULL              },
    {"HOME",                       "/proc/nowhere",   NULL              },
    {"GST_PLUGIN_SYSTEM_PATH_1_0", "/nowhere",        NULL              },
};

static void
test_starts(const void *data)
{
    const size_t i = GPOINTER_TO_SIZE(data);

    if (g_test_subprocess()) {
        start_in_child();
        return;
    }
    g_setenv(variables[i].name, variables[i].value, TRUE);
    g_test_trap_subprocess(NULL, UINT64_C(20) * G_USEC_PER_SEC, 0);
    g_unsetenv(variables[i].name);
    if (variables[i].complaint == NULL) {
        g_test_trap_assert_passed();
    } else {
        g_test_trap_assert_failed();
    }
    if (variables[i].complaint != NULL)
        g_test_trap_assert_stderr(variables[i].complaint);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/media-format/reads-names", test_reads_names);
    g_test_add_func("/media-format/checks-formats", test_checks_formats);
    for (size_t i = 0; i < G_N_ELEMENTS(variables); i++) {
        g_autofree char *path =
            g_strdup_printf("/media-format/starts/%zu-%s", i, variables[i].name);

        g_test_add_data_func(path, GSIZE_TO_POINTER(i), test_starts);
    }
    return g_test_run();
}
