#include "agent/service/event_stream.h"
#include "tests/fakes/http_fixture.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static const char request[] = "GET /later HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";

static void
on_closed(void *user_data)
{
    unsigned *n_closed = user_data;

    (*n_closed)++;
}

/* Asks, and waits until the service holds the request. */
static int
ask(HttpFixture *fixture)
{
    const int fd = http_fixture_connect(fixture->path);

    g_assert_cmpint(send(fd, request, strlen(request), 0), ==, (int) strlen(request));
    while (fixture->kept == NULL)
        g_main_context_iteration(NULL, TRUE);
    return fd;
}

static void
test_sends_events_until_it_is_closed(HttpFixture *fixture, gconstpointer unused)
{
    HttpExchange self = {.fd = http_fixture_connect(fixture->path),
                         .request = request,
                         .n_request = strlen(request),
                         .answer = g_string_new(NULL)};
    GThread *thread = g_thread_new("reader", http_exchange_run, &self);
    EventStream *stream = NULL;
    json_t *data = json_pack("{s:s}", "state", "paused");
    unsigned n_closed = 0;

    while (fixture->kept == NULL)
        g_main_context_iteration(NULL, TRUE);
    stream = event_stream_new(fixture->kept, on_closed, &n_closed);
    event_stream_send(stream, "state", data);
    event_stream_close(stream);
    while (!g_atomic_int_get(&self.done))
        g_main_context_iteration(NULL, TRUE);
    g_thread_join(thread);

    http_fixture_status(self.answer->str, 200);
    http_fixture_contains(self.answer->str, "Content-Type: text/event-stream\r\n");
    http_fixture_contains(self.answer->str, "event: state\ndata: {\"state\":\"paused\"}\n\n");
    http_fixture_contains(self.answer->str, "\r\n0\r\n\r\n");
    g_assert_cmpuint(n_closed, ==, 0);
    g_string_free(self.answer, TRUE);
    json_decref(data);
}

static void
test_tells_that_the_reader_is_gone(HttpFixture *fixture, gconstpointer unused)
{
    const int fd = ask(fixture);
    unsigned n_closed = 0;
    EventStream *stream = event_stream_new(fixture->kept, on_closed, &n_closed);
    json_t *data = json_object();

    close(fd);
    while (n_closed == 0) {
        event_stream_send(stream, "state", data);
        g_main_context_iteration(NULL, FALSE);
    }
    g_assert_cmpuint(n_closed, ==, 1);
    json_decref(data);
}

/* What a reader does not take must not pile up. */
static void
test_cuts_off_a_reader_who_falls_behind(HttpFixture *fixture, gconstpointer unused)
{
    const int fd = ask(fixture);
    unsigned n_closed = 0;
    EventStream *stream = event_stream_new(fixture->kept, on_closed, &n_closed);
    g_autofree char *much = g_strnfill(16384, 'x');
    json_t *data = json_pack("{s:s}", "much", much);

    while (n_closed == 0) {
        event_stream_send(stream, "state", data);
        g_main_context_iteration(NULL, FALSE);
    }
    g_assert_cmpuint(n_closed, ==, 1);
    json_decref(data);
    close(fd);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
    http_fixture_add("event-stream", "sends-events-until-it-is-closed",
                     test_sends_events_until_it_is_closed);
    http_fixture_add("event-stream", "tells-that-the-reader-is-gone",
                     test_tells_that_the_reader_is_gone);
    http_fixture_add("event-stream", "cuts-off-a-reader-who-falls-behind",
                     test_cuts_off_a_reader_who_falls_behind);
    return g_test_run();
}
