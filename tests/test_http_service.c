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

static void
test_answers_pipelined_requests_in_order(HttpFixture *fixture, gconstpointer unused)
{
    static const char request[] = "GET /v1/things/one/echo HTTP/1.1\r\nHost: x\r\n\r\n"
                                  "GET /none HTTP/1.1\r\nHost: x\r\n\r\n"
                                  "GET /v1/things/two/echo HTTP/1.1\r\nHost: x\r\n"
                                  "Connection: close\r\n\r\n";
    g_autofree char *answer = http_fixture_exchange(fixture->path, request, strlen(request));
    const char *one = strstr(answer, "\"one\"");
    const char *none = strstr(answer, "404 Not Found");
    const char *two = strstr(answer, "\"two\"");

    g_assert_true(one != NULL && none != NULL && two != NULL);
    g_assert_true(one < none && none < two);
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

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
    http_fixture_add("http-service", "routes-to-the-handler", test_routes_to_the_handler);
    http_fixture_add("http-service", "gives-parameter-and-body", test_gives_parameter_and_body);
    http_fixture_add("http-service", "problem-carries-reason", test_problem_carries_reason);
    http_fixture_add("http-service", "refuses-what-no-route-takes",
                     test_refuses_what_no_route_takes);
    http_fixture_add("http-service", "answers-pipelined-requests-in-order",
                     test_answers_pipelined_requests_in_order);
    http_fixture_add("http-service", "replies-later", test_replies_later);
    http_fixture_add("http-service", "replies-to-a-client-that-left",
                     test_replies_to_a_client_that_left);
    http_fixture_add("http-service", "our-client-is-understood", test_our_client_is_understood);
    g_test_add_func("/http-client/says-that-nobody-serves", test_client_says_that_nobody_serves);
    g_test_add_func("/http-route/pattern-takes-one-segment", test_pattern_takes_one_segment);
    return g_test_run();
}
