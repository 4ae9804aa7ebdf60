#include "agent/service/http_client.h"
#include "agent/service/http_route.h"
#include "tests/fakes/http_fixture.h"

#include <gio/gio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void
test_routes_to_the_handler(HttpFixture *fixture, gconstpointer unused)
{
    g_autofree char *encoded_slash =
        http_fixture_post(fixture->path, "/v1/things/a%2fb%20c/echo?x=1",
                          "application/json; charset=utf-8", "{\"n\": [1]}");
    g_autofree char *without_body = http_fixture_ask(fixture->path, "GET", "/v1/things/t/echo");
    g_autofree char *text = http_fixture_ask(fixture->path, "GET", "/text");

    http_fixture_status(without_body, 200);
    http_fixture_contains(without_body, "\"body\":null");
    http_fixture_status(text, 200);
    http_fixture_contains(text, "Content-Type: text/plain; version=0.0.4\r\n");
    http_fixture_contains(text, "\r\n\r\nup 1\n");
    http_fixture_problem(encoded_slash, 404, "nothing at this path");
}

static void
test_gives_parameter_and_body(HttpFixture *fixture, gconstpointer unused)
{
    g_autofree char *answer = http_fixture_post(fixture->path, "/v1/things/b%20c/echo?x=1",
                                                "application/json; charset=utf-8", "{\"n\": [1]}");

    http_fixture_status(answer, 200);
    http_fixture_contains(answer, "Content-Type: application/json\r\n");
    http_fixture_contains(answer, "Cache-Control: no-store\r\n");
    http_fixture_contains(answer, "{\"id\":\"b c\",\"body\":{\"n\":[1]}}");
}

static void
test_problem_carries_reason(HttpFixture *fixture, gconstpointer unused)
{
    g_autofree char *answer = http_fixture_ask(fixture->path, "GET", "/refuse");

    http_fixture_problem(answer, 403, "\"detail\":\"Not everyone has consented.\"");
    http_fixture_contains(answer, "\"title\":\"Forbidden\"");
    http_fixture_contains(answer, "\"status\":403"); /* an extra member never hides the real one */
    http_fixture_contains(answer, "\"reason\":\"consent-missing\"");
}

static void
test_refuses_what_no_route_takes(HttpFixture *fixture, gconstpointer unused)
{
    static const char *const unknown[] = {"/", "/v1/things//echo", "/v1/things/a/echo/",
                                          "/v1/things/a%00b/echo", "/v1/things/%ff/echo"};
    g_autofree char *wrong_method = http_fixture_ask(fixture->path, "DELETE", "/v1/things/a/echo");

    for (size_t i = 0; i < G_N_ELEMENTS(unknown); i++) {
        g_autofree char *answer = http_fixture_ask(fixture->path, "GET", unknown[i]);

        http_fixture_problem(answer, 404, "nothing at this path");
    }
    http_fixture_problem(wrong_method, 405, "Allow");
    http_fixture_contains(wrong_method, "Allow: POST, GET\r\n");
}

/* A connection carries one request; whoever sends more at once learns so from the answer. */
static void
test_answers_the_first_of_pipelined_requests(HttpFixture *fixture, gconstpointer unused)
{
    static const char request[] = "GET /v1/things/one/echo HTTP/1.1\r\nHost: x\r\n\r\n"
                                  "GET /v1/things/two/echo HTTP/1.1\r\nHost: x\r\n\r\n";
    g_autofree char *answer = http_fixture_exchange(fixture->path, request, strlen(request));

    http_fixture_status(answer, 200);
    http_fixture_contains(answer, "\"one\"");
    http_fixture_contains(answer, "Connection: close\r\n");
    g_assert_null(strstr(answer, "\"two\""));
}

static void
test_replies_later(HttpFixture *fixture, gconstpointer unused)
{
    static const char request[] = "GET /later HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    HttpExchange self = {.fd = http_fixture_connect(fixture->path),
                         .request = request,
                         .n_request = strlen(request),
                         .answer = g_string_new(NULL)};
    GThread *thread = g_thread_new("client", http_exchange_run, &self);
    g_autofree char *meanwhile = NULL;

    while (fixture->kept == NULL)
        g_main_context_iteration(NULL, TRUE);
    meanwhile = http_fixture_ask(fixture->path, "GET", "/text");
    http_reply_json(fixture->kept, 200, json_pack("{s:b}", "late", 1));
    while (!g_atomic_int_get(&self.done))
        g_main_context_iteration(NULL, TRUE);
    g_thread_join(thread);

    http_fixture_status(meanwhile, 200);
    http_fixture_contains(self.answer->str, "{\"late\":true}");
    g_string_free(self.answer, TRUE);
}

static void
test_replies_to_a_client_that_left(HttpFixture *fixture, gconstpointer unused)
{
    static const char request[] = "GET /later HTTP/1.1\r\nHost: x\r\n\r\n";
    int fd = http_fixture_connect(fixture->path);
    g_autofree char *after = NULL;

    g_assert_cmpint(send(fd, request, strlen(request), 0), ==, (int) strlen(request));
    while (fixture->kept == NULL)
        g_main_context_iteration(NULL, TRUE);
    close(fd);
    while (g_main_context_iteration(NULL, FALSE))
        ;
    http_reply_json(fixture->kept, 200, json_object());
    after = http_fixture_ask(fixture->path, "GET", "/text");

    http_fixture_status(after, 200);
}

static gpointer
request_as_client(gpointer data)
{
    HttpFixture *fixture = data;
    g_autoptr(GError) error = NULL;
    g_autoptr(GMainContext) own = g_main_context_new();
    json_t *body = json_pack("{s:i}", "n", 7);
    json_t *answer = NULL;
    unsigned status = 0;

    g_main_context_push_thread_default(own);
    answer = http_client_request(fixture->path, "POST /v1/things/t/echo", body, &status, &error);
    g_main_context_pop_thread_default(own);
    json_decref(body);
    g_assert_no_error(error);
    g_assert_cmpuint(status, ==, 200);
    return answer;
}

typedef struct {
    HttpFixture *fixture;
    json_t *answer;
    int done;
} ClientRun;

static gpointer
run_client(gpointer data)
{
    ClientRun *run = data;

    run->answer = request_as_client(run->fixture);
    g_atomic_int_set(&run->done, 1);
    g_main_context_wakeup(NULL);
    return NULL;
}

static void
test_our_client_is_understood(HttpFixture *fixture, gconstpointer unused)
{
    ClientRun run = {.fixture = fixture};
    GThread *thread = g_thread_new("client", run_client, &run);

    while (!g_atomic_int_get(&run.done))
        g_main_context_iteration(NULL, TRUE);
    g_thread_join(thread);

    g_assert_cmpint(json_integer_value(json_object_get(json_object_get(run.answer, "body"), "n")),
                    ==, 7);
    json_decref(run.answer);
}

static void
test_client_says_that_nobody_serves(void)
{
    g_autoptr(GError) error = NULL;
    unsigned status = 0;

    g_assert_null(http_client_request("/nonexistent/socket", "GET /", NULL, &status, &error));
    g_assert_error(error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND);
}

static void
test_pattern_takes_one_segment(void)
{
    g_auto(GStrv) two = http_route_match("/a/{x}/b/{y}", "/a/1/b/2%2e");

    g_assert_nonnull(two);
    g_assert_cmpstr(two[0], ==, "1");
    g_assert_cmpstr(two[1], ==, "2.");
    g_assert_null(http_route_match("/a/{x}", "/a/"));
    g_assert_null(http_route_match("/a/{x}", "/a/b/c"));
    g_assert_null(http_route_match("/a/{x}", "a/b"));
    g_assert_null(http_route_match("/a/{x}", "/a/%zz"));
}

static unsigned
count_open_files(void)
{
    g_autoptr(GDir) folder = g_dir_open("/proc/self/fd", 0, NULL);
    unsigned n = 0;

    while (g_dir_read_name(folder) != NULL)
        n++;
    return n;
}

/* As most clients do: they ask for nothing, leave after the answer, and come again. */
static void
test_lets_go_of_who_left(HttpFixture *fixture, gconstpointer unused)
{
    static const char request[] = "GET /text HTTP/1.1\r\nHost: x\r\n\r\n";
    g_autofree char *first =
        http_fixture_exchange(fixture->path, request, strlen(request)); /* until it is closed */
    const unsigned n_before = count_open_files();

    http_fixture_contains(first, "Connection: close\r\n");
    for (unsigned i = 0; i < 20; i++)
        g_free(http_fixture_exchange(fixture->path, request, strlen(request)));
    while (g_main_context_iteration(NULL, FALSE))
        continue;
    g_assert_cmpuint(count_open_files(), <=, n_before + 2);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
    http_fixture_add("http-service", "routes-to-the-handler", test_routes_to_the_handler);
    http_fixture_add("http-service", "gives-parameter-and-body", test_gives_parameter_and_body);
    http_fixture_add("http-service", "problem-carries-reason", test_problem_carries_reason);
    http_fixture_add("http-service", "refuses-what-no-route-takes",
                     test_refuses_what_no_route_takes);
    http_fixture_add("http-service", "answers-the-first-of-pipelined-requests",
                     test_answers_the_first_of_pipelined_requests);
    http_fixture_add("http-service", "replies-later", test_replies_later);
    http_fixture_add("http-service", "replies-to-a-client-that-left",
                     test_replies_to_a_client_that_left);
    http_fixture_add("http-service", "lets-go-of-who-left", test_lets_go_of_who_left);
    http_fixture_add("http-service", "our-client-is-understood", test_our_client_is_understood);
    g_test_add_func("/http-client/says-that-nobody-serves", test_client_says_that_nobody_serves);
    g_test_add_func("/http-route/pattern-takes-one-segment", test_pattern_takes_one_segment);
    return g_test_run();
}
