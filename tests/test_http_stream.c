#include "agent/service/http_stream.h"
#include "tests/fakes/http_fixture.h"

#include <gio/gio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BLOCK_BYTES 65536

static const char request[] = "GET /later HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
static const char old_request[] = "GET /later HTTP/1.0\r\nHost: x\r\n\r\n";

/* Asks, and waits until the service holds the request. */
static int
ask(HttpFixture *fixture, const char *text)
{
    const int fd = http_fixture_connect(fixture->path);

    g_assert_cmpint(send(fd, text, strlen(text), 0), ==, (int) strlen(text));
    while (fixture->kept == NULL)
        g_main_context_iteration(NULL, TRUE);
    return fd;
}

/* Returns: all that comes until the connection ends, owned. */
static char *
read_all(int fd)
{
    GString *answer = g_string_new(NULL);
    char buffer[4096];
    ssize_t n = -1;

    while (n != 0) {
        g_main_context_iteration(NULL, FALSE);
        n = recv(fd, buffer, sizeof(buffer), MSG_DONTWAIT);
        if (n > 0)
            g_string_append_len(answer, buffer, n);
    }
    close(fd);
    return g_string_free(answer, FALSE);
}

static bool
write_text(HttpStream *stream, const char *text, const char *more)
{
    const struct iovec pieces[] = {
        {(void *) (uintptr_t) text, strlen(text)},
        {(void *) (uintptr_t) more, strlen(more)}
    };
    g_autoptr(GError) error = NULL;

    return http_stream_write(stream, pieces, G_N_ELEMENTS(pieces), &error);
}

static void
test_frames_what_is_written(HttpFixture *fixture, gconstpointer unused)
{
    const int fd = ask(fixture, request);
    g_autoptr(HttpStream) stream = http_stream_new(fixture->kept, "video/webm");
    g_autoptr(GError) error = NULL;
    g_autofree char *answer = NULL;

    g_assert_true(write_text(stream, "one", " and two"));
    g_assert_true(write_text(stream, "", ""));
    g_assert_true(write_text(stream, "", "three"));
    g_assert_true(http_stream_finish(stream, &error));
    g_assert_no_error(error);
    g_assert_true(http_stream_has_reader(stream));
    g_assert_cmpuint(http_stream_sent(stream), ==, strlen("one and twothree"));
    http_stream_free(g_steal_pointer(&stream));
    answer = read_all(fd);

    http_fixture_status(answer, 200);
    http_fixture_contains(answer, "Content-Type: video/webm\r\n");
    http_fixture_contains(answer, "Cache-Control: no-store\r\n");
    http_fixture_contains(answer, "Connection: close\r\n");
    http_fixture_contains(answer, "Transfer-Encoding: chunked\r\n");
    g_assert_true(g_str_has_suffix(answer, "\r\n\r\nb\r\none and two\r\n5\r\nthree\r\n0\r\n\r\n"));
}

static void
test_ends_an_empty_answer(HttpFixture *fixture, gconstpointer unused)
{
    const int fd = ask(fixture, request);
    g_autoptr(HttpStream) stream = http_stream_new(fixture->kept, "video/webm");
    g_autofree char *answer = NULL;

    g_assert_true(http_stream_finish(stream, NULL));
    http_stream_free(g_steal_pointer(&stream));
    answer = read_all(fd);

    g_assert_true(g_str_has_suffix(answer, "\r\n\r\n0\r\n\r\n"));
}

static void
test_does_not_frame_for_an_old_reader(HttpFixture *fixture, gconstpointer unused)
{
    const int fd = ask(fixture, old_request);
    g_autoptr(HttpStream) stream = http_stream_new(fixture->kept, "video/webm");
    g_autofree char *answer = NULL;

    g_assert_true(write_text(stream, "one", " and two"));
    g_assert_true(http_stream_finish(stream, NULL));
    http_stream_free(g_steal_pointer(&stream));
    answer = read_all(fd);

    g_assert_null(strstr(answer, "Transfer-Encoding"));
    g_assert_true(g_str_has_suffix(answer, "\r\n\r\none and two"));
}

static void
test_an_end_that_is_not_said_shows(HttpFixture *fixture, gconstpointer unused)
{
    const int fd = ask(fixture, request);
    g_autoptr(HttpStream) stream = http_stream_new(fixture->kept, "video/webm");
    g_autofree char *answer = NULL;

    g_assert_true(write_text(stream, "one", ""));
    http_stream_free(g_steal_pointer(&stream));
    answer = read_all(fd);

    g_assert_true(g_str_has_suffix(answer, "\r\n\r\n3\r\none"));
}

/* Writes blocks until that fails. Returns: how many went. */
static gpointer
write_on(gpointer data)
{
    static uint8_t block[BLOCK_BYTES];
    const struct iovec piece = {block, sizeof(block)};
    guint n_blocks = 0;

    while (http_stream_write(data, &piece, 1, NULL))
        n_blocks++;
    return GUINT_TO_POINTER(n_blocks);
}

static void
test_tells_that_the_reader_is_gone(HttpFixture *fixture, gconstpointer unused)
{
    const int fd = ask(fixture, request);
    g_autoptr(HttpStream) stream = http_stream_new(fixture->kept, "video/webm");
    g_autoptr(GError) error = NULL;

    close(fd);
    (void) write_on(stream);

    g_assert_false(http_stream_has_reader(stream));
    g_assert_false(http_stream_finish(stream, &error));
    g_assert_error(error, G_IO_ERROR, G_IO_ERROR_BROKEN_PIPE);
}

/* Nothing piles up: a writer waits for a reader who does not read, and a cut wakes it. */
static void
test_a_cut_wakes_a_writer_that_waits(HttpFixture *fixture, gconstpointer unused)
{
    const int fd = ask(fixture, request);
    g_autoptr(HttpStream) stream = http_stream_new(fixture->kept, "video/webm");
    GThread *writer = NULL;
    uint64_t n_sent = 0;
    guint n_blocks = 0;

    writer = g_thread_new("writer", write_on, stream);
    while (n_sent == 0 || n_sent != http_stream_sent(stream)) {
        n_sent = http_stream_sent(stream);
        g_usleep(20000);
    }
    http_stream_cut(stream);
    n_blocks = GPOINTER_TO_UINT(g_thread_join(writer));

    g_assert_cmpuint(n_blocks * BLOCK_BYTES, <=, http_stream_sent(stream));
    g_assert_cmpuint(http_stream_sent(stream), <, 64 << 20);
    g_assert_false(http_stream_has_reader(stream));
    close(fd);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
    http_fixture_add("http-stream", "frames-what-is-written", test_frames_what_is_written);
    http_fixture_add("http-stream", "ends-an-empty-answer", test_ends_an_empty_answer);
    http_fixture_add("http-stream", "does-not-frame-for-an-old-reader",
                     test_does_not_frame_for_an_old_reader);
    http_fixture_add("http-stream", "an-end-that-is-not-said-shows",
                     test_an_end_that_is_not_said_shows);
    http_fixture_add("http-stream", "tells-that-the-reader-is-gone",
                     test_tells_that_the_reader_is_gone);
    http_fixture_add("http-stream", "a-cut-wakes-a-writer-that-waits",
                     test_a_cut_wakes_a_writer_that_waits);
    return g_test_run();
}
