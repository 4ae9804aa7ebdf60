#include "agent/media/media_format.h"
#include "agent/media/movie_writer.h"
#include "tests/fakes/effort.h"

#include <gio/gio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* Streams that only the muxer looks at. */
#define VIDEO_CAPS                                                                                 \
    "video/x-h264,stream-format=avc,alignment=au,width=64,height=64,framerate=30/1,"               \
    "codec_data=(buffer)01640028ffe100046764002801000468ee3880"
#define AUDIO_CAPS                                                                                 \
    "audio/mpeg,mpegversion=4,stream-format=raw,framed=true,rate=48000,channels=2,"                \
    "codec_data=(buffer)1190"

static bool
push(MovieWriter *writer, unsigned stream, GstClockTime time, GstClockTime duration)
{
    static const char *const texts[] = {VIDEO_CAPS, AUDIO_CAPS};
    GstBuffer *buffer = gst_buffer_new_allocate(NULL, 8, NULL);
    g_autoptr(GstCaps) caps = NULL;

    if (time < GST_SECOND)
        caps = gst_caps_from_string(texts[stream]);
    gst_buffer_memset(buffer, 0, 0, 8);
    GST_BUFFER_PTS(buffer) = time;
    GST_BUFFER_DTS(buffer) = time;
    GST_BUFFER_DURATION(buffer) = duration;
    return movie_writer_push(writer, stream, buffer, caps);
}

/* Both streams, step by step as an export feeds them. */
static bool
push_all(MovieWriter *writer, unsigned n_seconds)
{
    guint64 n_sound = 0;

    for (guint64 frame = 0; frame < n_seconds * 30; frame++) {
        const GstClockTime time = gst_util_uint64_scale(frame, GST_SECOND, 30);

        if (!push(writer, 0, time, GST_SECOND / 30))
            return false;
        for (; gst_util_uint64_scale(n_sound * 1024, GST_SECOND, 48000) <= time; n_sound++) {
            if (!push(writer, 1, gst_util_uint64_scale(n_sound * 1024, GST_SECOND, 48000),
                      1024 * GST_SECOND / 48000))
                return false;
        }
    }
    return true;
}

/* Where `name` stands in the file; -1: nowhere. */
static gssize
find(int fd, const char *name)
{
    const gsize n_bytes = (gsize) lseek(fd, 0, SEEK_END);
    const char *content = mmap(NULL, n_bytes, PROT_READ, MAP_SHARED, fd, 0);
    const char *found = NULL;

    g_assert_true(content != MAP_FAILED);
    found = memmem(content, n_bytes, name, strlen(name));
    const gssize at = found != NULL ? found - content : -1;
    munmap((void *) content, n_bytes);
    return at;
}

/* The room for the index is kept free by the length alone, and must do for it. */
static void
test_index_is_in_front_whatever_the_length(void)
{
    const unsigned lengths_s[] = {1, 60, 7200 / effort_step(10)};

    for (size_t i = 0; i < G_N_ELEMENTS(lengths_s); i++) {
        const int fd = memfd_create("movie", MFD_CLOEXEC);
        g_autoptr(GError) error = NULL;
        g_autoptr(MovieWriter) writer =
            movie_writer_new(fd, (int64_t) lengths_s[i] * G_USEC_PER_SEC, &error);

        g_assert_no_error(error);
        g_assert_cmpuint(movie_writer_declare(writer, "Provider", true), ==, 0);
        g_assert_cmpuint(movie_writer_declare(writer, "Client with a long name", false), ==, 1);
        g_assert_true(push_all(writer, lengths_s[i]));
        (void) movie_writer_finish(writer, &error);
        g_assert_no_error(error);

        g_assert_cmpint(find(fd, "moov"), >, 0);
        g_assert_cmpint(find(fd, "moov"), <, find(fd, "mdat"));
        g_assert_cmpint(find(fd, "Provider"), >, 0);
        g_assert_cmpint(find(fd, "Client with"), >, 0);
        g_assert_cmpint(find(fd, "VideoHandler"), ==, -1);
        close(fd);
    }
}

static void
test_ends_when_given_up(void)
{
    const int fd = memfd_create("movie", MFD_CLOEXEC);
    g_autoptr(GError) error = NULL;
    g_autoptr(MovieWriter) writer = movie_writer_new(fd, G_USEC_PER_SEC, &error);

    g_assert_no_error(error);
    (void) movie_writer_declare(writer, "Provider", true);
    (void) movie_writer_declare(writer, "Client", false);
    g_assert_true(push_all(writer, 1));
    g_clear_pointer(&writer, movie_writer_free);
    close(fd);
}

static void
test_says_that_nothing_came(void)
{
    const int fd = memfd_create("movie", MFD_CLOEXEC);
    g_autoptr(GError) error = NULL;
    g_autoptr(MovieWriter) writer = movie_writer_new(fd, G_USEC_PER_SEC, &error);

    g_assert_no_error(error);
    (void) movie_writer_declare(writer, "Provider", true);
    g_assert_false(movie_writer_finish(writer, &error));
    g_assert_error(error, G_IO_ERROR, G_IO_ERROR_FAILED);
    close(fd);
}

int
main(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;

    g_test_init(&argc, &argv, NULL);
    g_assert_true(media_start(&error));
    g_test_add_func("/movie_writer/index-is-in-front-whatever-the-length",
                    test_index_is_in_front_whatever_the_length);
    g_test_add_func("/movie_writer/ends-when-given-up", test_ends_when_given_up);
    g_test_add_func("/movie_writer/says-that-nothing-came", test_says_that_nothing_came);
    return g_test_run();
}
