#include "agent/service/http_client.h"
#include "agent/service/http_route.h"
#include "agent/service/http_service.h"

#include <errno.h>
#include <gio/gio.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* A service with a few routes, in a folder of its own. */
typedef struct {
    char *folder;
    char *path;
    HttpService *service;
    HttpRequest *kept; /* waits for its reply */
} Fixture;

static void
handle_echo(HttpRequest *request, void *user_data)
{
    json_t *body = http_request_body(request);

    http_reply_json(
        request, 200,
        json_pack("{s:s, s:O?}", "id", http_request_parameter(request, 0), "body", body));
}

static void
handle_refuse(HttpRequest *request, void *user_data)
{
    http_reply_problem(request, 403, "Not everyone has consented.",
                       json_pack("{s:s, s:i}", "reason", "consent-missing", "status", 1));
}

static void
handle_text(HttpRequest *request, void *user_data)
{
    http_reply_text(request, 200, "text/plain; version=0.0.4", "up 1\n");
}

static void
handle_later(HttpRequest *request, void *user_data)
{
    Fixture *fixture = user_data;

    g_assert_null(fixture->kept);
    fixture->kept = request;
}

static const HttpRoute routes[] = {
    {"POST", "/v1/things/{id}/echo", handle_echo  },
    {"GET",  "/v1/things/{id}/echo", handle_echo  },
    {"GET",  "/refuse",              handle_refuse},
    {"GET",  "/text",                handle_text  },
    {"GET",  "/later",               handle_later },
    {NULL,   NULL,                   NULL         },
};

static void
set_up(Fixture *fixture, gconstpointer unused)
{
    g_autoptr(GError) error = NULL;

    fixture->folder = g_dir_make_tmp("http-XXXXXX", &error);
    g_assert_no_error(error);
    fixture->path = g_build_filename(fixture->folder, "socket", NULL);
    fixture->service = http_service_new(fixture->path, routes, fixture, &error);
    g_assert_no_error(error);
}

static void
tear_down(Fixture *fixture, gconstpointer unused)
{
    http_service_free(fixture->service);
    g_assert_false(g_file_test(fixture->path, G_FILE_TEST_EXISTS));
    g_assert_cmpint(g_rmdir(fixture->folder), ==, 0);
    g_free(fixture->path);
    g_free(fixture->folder);
}

static int
connect_to(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    g_strlcpy(address.sun_path, path, sizeof(address.sun_path));
    g_assert_cmpint(connect(fd, (struct sockaddr *) &address, sizeof(address)), ==, 0);
    return fd;
}

typedef struct {
    int fd;
    const char *request;
    size_t n_request;
    GString *answer;
    int done;
} Exchange;

/* Sends all, then reads to the end of the connection. */
static gpointer
run_exchange(gpointer data)
{
    Exchange *self = data;
    size_t n_sent = 0;
    char buffer[4096];
    ssize_t n = 0;

    while (n_sent < self->n_request && n >= 0) {
        n = send(self->fd, self->request + n_sent, self->n_request - n_sent, MSG_NOSIGNAL);
        n_sent += n > 0 ? (size_t) n : 0;
    }
    while ((n = recv(self->fd, buffer, sizeof(buffer), 0)) > 0)
        g_string_append_len(self->answer, buffer, n);
    close(self->fd);
    g_atomic_int_set(&self->done, 1);
    g_main_context_wakeup(NULL);
    return NULL;
}

/* Returns: all that came back, owned. */
static char *
exchange_bytes(const char *path, const char *request, size_t n_request)
{
    Exchange self = {.fd = connect_to(path), .request = request, .n_request = n_request};
    GThread *thread = NULL;

    self.answer = g_string_new(NULL);
    thread = g_thread_new("client", run_exchange, &self);
    while (!g_atomic_int_get(&self.done))
        g_main_context_iteration(NULL, TRUE);
    g_thread_join(thread);
    return g_string_free(self.answer, FALSE);
}

static char *
post(const char *path, const char *target, const char *type, const char *body)
{
    g_autofree char *request =
        g_strdup_printf("POST %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n%s%s%s"
                        "Content-Length: %zu\r\n\r\n%s",
                        target, type != NULL ? "Content-Type: " : "", type != NULL ? type : "",
                        type != NULL ? "\r\n" : "", strlen(body), body);

    return exchange_bytes(path, request, strlen(request));
}

static char *
ask(const char *path, const char *method, const char *target)
{
    g_autofree char *request =
        g_strdup_printf("%s %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", method, target);

    return exchange_bytes(path, request, strlen(request));
}

static void
assert_contains(const char *answer, const char *wanted)
{
    if (strstr(answer, wanted) == NULL)
        g_error("`%s` is not in: %s", wanted, answer);
}

static void
assert_status(const char *answer, unsigned status)
{
    g_autofree char *start = g_strdup_printf("HTTP/1.1 %u ", status);

    if (!g_str_has_prefix(answer, start))
        g_error("not a %u: %s", status, answer);
}

static void
assert_problem(const char *answer, unsigned status, const char *detail)
{
    assert_status(answer, status);
    assert_contains(answer, "Content-Type: application/problem+json\r\n");
    assert_contains(answer, "\"type\":\"about:blank\"");
    assert_contains(answer, detail);
}

static void
test_routes_to_the_handler(Fixture *fixture, gconstpointer unused)
{
    g_autofree char *encoded_slash = post(fixture->path, "/v1/things/a%2fb%20c/echo?x=1",
                                          "application/json; charset=utf-8", "{\"n\": [1]}");
    g_autofree char *without_body = ask(fixture->path, "GET", "/v1/things/t/echo");
    g_autofree char *text = ask(fixture->path, "GET", "/text");

    assert_status(without_body, 200);
    assert_contains(without_body, "\"body\":null");
    assert_status(text, 200);
    assert_contains(text, "Content-Type: text/plain; version=0.0.4\r\n");
    assert_contains(text, "\r\n\r\nup 1\n");
    assert_problem(encoded_slash, 404, "nothing at this path");
}

static void
test_gives_parameter_and_body(Fixture *fixture, gconstpointer unused)
{
    g_autofree char *answer = post(fixture->path, "/v1/things/b%20c/echo?x=1",
                                   "application/json; charset=utf-8", "{\"n\": [1]}");

    assert_status(answer, 200);
    assert_contains(answer, "Content-Type: application/json\r\n");
    assert_contains(answer, "Cache-Control: no-store\r\n");
    assert_contains(answer, "{\"id\":\"b c\",\"body\":{\"n\":[1]}}");
}

static void
test_problem_carries_reason(Fixture *fixture, gconstpointer unused)
{
    g_autofree char *answer = ask(fixture->path, "GET", "/refuse");

    assert_problem(answer, 403, "\"detail\":\"Not everyone has consented.\"");
    assert_contains(answer, "\"title\":\"Forbidden\"");
    assert_contains(answer, "\"status\":403"); /* an extra member never hides the real one */
    assert_contains(answer, "\"reason\":\"consent-missing\"");
}

static void
test_refuses_what_no_route_takes(Fixture *fixture, gconstpointer unused)
{
    static const char *const unknown[] = {"/", "/v1/things//echo", "/v1/things/a/echo/",
                                          "/v1/things/a%00b/echo", "/v1/things/%ff/echo"};
    g_autofree char *wrong_method = ask(fixture->path, "DELETE", "/v1/things/a/echo");

    for (size_t i = 0; i < G_N_ELEMENTS(unknown); i++) {
        g_autofree char *answer = ask(fixture->path, "GET", unknown[i]);

        assert_problem(answer, 404, "nothing at this path");
    }
    assert_problem(wrong_method, 405, "Allow");
    assert_contains(wrong_method, "Allow: POST, GET\r\n");
}

static void
test_refuses_bad_bodies(Fixture *fixture, gconstpointer unused)
{
    static const struct {
        const char *type;
        const char *body;
        unsigned status;
        const char *detail;
    } rows[] = {
        {"application/json", "{\"a\": 1,\n \"b\" 2}", 400, "line 2, column 6"},
        {"application/json", "{\"a\": 1, \"a\": 2}",  400, "duplicate"       },
        {"application/json", "[1]",                   400, "JSON object"     },
        {"application/json", "{\"a\": \"\xff\"}",     400, "not JSON"        },
        {"application/json", "{\"a\": \"\\u0000\"}",  400, "not JSON"        },
        {"application/json", "{} {}",                 400, "not JSON"        },
        {"text/plain",       "{}",                    415, "application/json"},
        {NULL,               "{}",                    415, "application/json"},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *answer =
            post(fixture->path, "/v1/things/a/echo", rows[i].type, rows[i].body);

        assert_problem(answer, rows[i].status, rows[i].detail);
    }
}

static void
test_refuses_deep_json(Fixture *fixture, gconstpointer unused)
{
    g_autofree char *deep = g_strnfill(500000, '[');
    g_autofree char *body = g_strconcat("{\"a\":", deep, NULL);
    g_autofree char *answer = post(fixture->path, "/v1/things/a/echo", "application/json", body);

    assert_problem(answer, 400, "depth");
}

static void
test_refuses_giant_bodies(Fixture *fixture, gconstpointer unused)
{
    g_autofree char *filler = g_strnfill(1 << 20, ' ');
    g_autofree char *just_too_long = g_strconcat("{}", filler, NULL);
    g_autofree char *announced = post(fixture->path, "/text", "application/json", just_too_long);
    g_autofree char *fits = NULL;

    filler[(1 << 20) - 2] = '\0';
    just_too_long[1 << 20] = '\0';
    fits = post(fixture->path, "/v1/things/a/echo", "application/json", just_too_long);

    assert_problem(announced, 413, "1 MiB");
    assert_status(fits, 200);
}

/* A chunked body has no announced length. */
static char *
chunked(const char *path, size_t n_chunks, size_t chunk)
{
    GString *request = g_string_new("POST /v1/things/a/echo HTTP/1.1\r\nHost: x\r\n"
                                    "Content-Type: application/json\r\nConnection: close\r\n"
                                    "Transfer-Encoding: chunked\r\n\r\n");
    g_autofree char *filler = g_strnfill(chunk, ' ');
    char *answer = NULL;

    for (size_t i = 0; i < n_chunks; i++)
        g_string_append_printf(request, "%zx\r\n%s\r\n", chunk, filler);
    g_string_append(request, "2\r\n{}\r\n0\r\n\r\n");
    answer = exchange_bytes(path, request->str, request->len);
    g_string_free(request, TRUE);
    return answer;
}

static void
test_refuses_giant_chunked_bodies(Fixture *fixture, gconstpointer unused)
{
    g_autofree char *fits = chunked(fixture->path, 3, 65536);
    g_autofree char *too_long = chunked(fixture->path, 20, 65536);
    g_autofree char *endless = chunked(fixture->path, 500, 65536);

    assert_status(fits, 200);
    assert_problem(too_long, 413, "1 MiB");
    g_assert_cmpstr(endless, ==, ""); /* cut off, nothing answered */
}

static void
test_answers_pipelined_requests_in_order(Fixture *fixture, gconstpointer unused)
{
    static const char request[] = "GET /v1/things/one/echo HTTP/1.1\r\nHost: x\r\n\r\n"
                                  "GET /none HTTP/1.1\r\nHost: x\r\n\r\n"
                                  "GET /v1/things/two/echo HTTP/1.1\r\nHost: x\r\n"
                                  "Connection: close\r\n\r\n";
    g_autofree char *answer = exchange_bytes(fixture->path, request, strlen(request));
    const char *one = strstr(answer, "\"one\"");
    const char *none = strstr(answer, "404 Not Found");
    const char *two = strstr(answer, "\"two\"");

    g_assert_true(one != NULL && none != NULL && two != NULL);
    g_assert_true(one < none && none < two);
}

static void
test_survives_noise(Fixture *fixture, gconstpointer unused)
{
    static const char *const noise[] = {
        "\r\n\r\n\r\n",
        "GET\r\n\r\n",
        "GET /text HTTP/9.9\r\n\r\n",
        "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
        "GET /text HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        "GET /text HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nConnection: "
        "close\r\n\r\nzz\r\n",
    };
    g_autofree char *after = NULL;

    for (size_t i = 0; i < G_N_ELEMENTS(noise); i++) {
        int fd = connect_to(fixture->path);

        g_assert_cmpint(send(fd, noise[i], strlen(noise[i]), MSG_NOSIGNAL), >, 0);
        close(fd);
    }
    after = ask(fixture->path, "GET", "/text");
    assert_status(after, 200);
}

static void
test_forgets_connections_that_end(Fixture *fixture, gconstpointer unused)
{
    static const char *const starts[] = {"", "GET", "GET /text HTTP/1.1\r\nHost: x\r\n\r\n",
                                         "POST /text HTTP/1.1\r\nContent-Length: 9\r\n\r\n1"};
    g_autofree char *after = NULL;

    for (size_t i = 0; i < 2000; i++) {
        const char *start = starts[i % G_N_ELEMENTS(starts)];
        int fd = connect_to(fixture->path);

        g_assert_cmpint(send(fd, start, strlen(start), MSG_NOSIGNAL), >=, 0);
        g_main_context_iteration(NULL, FALSE);
        close(fd);
        while (g_main_context_iteration(NULL, FALSE))
            ;
    }
    after = ask(fixture->path, "GET", "/text");
    assert_status(after, 200);
}

static void
test_replies_later(Fixture *fixture, gconstpointer unused)
{
    static const char request[] = "GET /later HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    Exchange self = {.fd = connect_to(fixture->path),
                     .request = request,
                     .n_request = strlen(request),
                     .answer = g_string_new(NULL)};
    GThread *thread = g_thread_new("client", run_exchange, &self);
    g_autofree char *meanwhile = NULL;

    while (fixture->kept == NULL)
        g_main_context_iteration(NULL, TRUE);
    meanwhile = ask(fixture->path, "GET", "/text");
    http_reply_json(fixture->kept, 200, json_pack("{s:b}", "late", 1));
    while (!g_atomic_int_get(&self.done))
        g_main_context_iteration(NULL, TRUE);
    g_thread_join(thread);

    assert_status(meanwhile, 200);
    assert_contains(self.answer->str, "{\"late\":true}");
    g_string_free(self.answer, TRUE);
}

static void
test_replies_to_a_client_that_left(Fixture *fixture, gconstpointer unused)
{
    static const char request[] = "GET /later HTTP/1.1\r\nHost: x\r\n\r\n";
    int fd = connect_to(fixture->path);
    g_autofree char *after = NULL;

    g_assert_cmpint(send(fd, request, strlen(request), 0), ==, (int) strlen(request));
    while (fixture->kept == NULL)
        g_main_context_iteration(NULL, TRUE);
    close(fd);
    while (g_main_context_iteration(NULL, FALSE))
        ;
    http_reply_json(fixture->kept, 200, json_object());
    after = ask(fixture->path, "GET", "/text");

    assert_status(after, 200);
}

static gpointer
request_as_client(gpointer data)
{
    Fixture *fixture = data;
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
    Fixture *fixture;
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
test_our_client_is_understood(Fixture *fixture, gconstpointer unused)
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
test_socket_is_for_the_group_only(Fixture *fixture, gconstpointer unused)
{
    struct stat found;

    g_assert_cmpint(stat(fixture->path, &found), ==, 0);
    g_assert_cmpuint(found.st_mode & 07777, ==, 0660);
}

static void
test_refuses_a_living_socket(Fixture *fixture, gconstpointer unused)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *answer = NULL;

    g_assert_null(http_service_new(fixture->path, routes, NULL, &error));
    g_assert_error(error, G_IO_ERROR, G_IO_ERROR_ADDRESS_IN_USE);
    answer = ask(fixture->path, "GET", "/text");
    assert_status(answer, 200);
}

static void
test_replaces_a_dead_socket(Fixture *fixture, gconstpointer unused)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *dead = g_strconcat(fixture->path, "-dead", NULL);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    HttpService *service = NULL;

    g_strlcpy(address.sun_path, dead, sizeof(address.sun_path));
    g_assert_cmpint(bind(fd, (struct sockaddr *) &address, sizeof(address)), ==, 0);
    close(fd);

    service = http_service_new(dead, routes, NULL, &error);

    g_assert_no_error(error);
    http_service_free(service);
    g_assert_false(g_file_test(dead, G_FILE_TEST_EXISTS));
}

static void
test_leaves_a_file_with_the_name_alone(Fixture *fixture, gconstpointer unused)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *file = g_strconcat(fixture->path, "-file", NULL);

    g_assert_true(g_file_set_contents(file, "x", 1, NULL));
    g_assert_null(http_service_new(file, routes, NULL, &error));
    g_assert_error(error, G_IO_ERROR, G_IO_ERROR_EXISTS);
    g_assert_cmpint(g_unlink(file), ==, 0);
}

static void
test_names_a_path_that_is_too_long(void)
{
    g_autofree char *filler = g_strnfill(120, 'a');
    g_autofree char *path = g_strconcat("/tmp/", filler, NULL);
    g_autoptr(GError) error = NULL;

    g_assert_null(http_service_new(path, routes, NULL, &error));
    g_assert_error(error, G_IO_ERROR, G_IO_ERROR_FILENAME_TOO_LONG);
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

static void
add(const char *name, void (*test)(Fixture *, gconstpointer))
{
    g_autofree char *path = g_strconcat("/http-service/", name, NULL);

    g_test_add(path, Fixture, NULL, set_up, test, tear_down);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
    add("routes-to-the-handler", test_routes_to_the_handler);
    add("gives-parameter-and-body", test_gives_parameter_and_body);
    add("problem-carries-reason", test_problem_carries_reason);
    add("refuses-what-no-route-takes", test_refuses_what_no_route_takes);
    add("refuses-bad-bodies", test_refuses_bad_bodies);
    add("refuses-deep-json", test_refuses_deep_json);
    add("refuses-giant-bodies", test_refuses_giant_bodies);
    add("refuses-giant-chunked-bodies", test_refuses_giant_chunked_bodies);
    add("answers-pipelined-requests-in-order", test_answers_pipelined_requests_in_order);
    add("survives-noise", test_survives_noise);
    add("forgets-connections-that-end", test_forgets_connections_that_end);
    add("replies-later", test_replies_later);
    add("replies-to-a-client-that-left", test_replies_to_a_client_that_left);
    add("our-client-is-understood", test_our_client_is_understood);
    add("socket-is-for-the-group-only", test_socket_is_for_the_group_only);
    add("refuses-a-living-socket", test_refuses_a_living_socket);
    add("replaces-a-dead-socket", test_replaces_a_dead_socket);
    add("leaves-a-file-with-the-name-alone", test_leaves_a_file_with_the_name_alone);
    g_test_add_func("/http-client/says-that-nobody-serves", test_client_says_that_nobody_serves);
    g_test_add_func("/http-service/names-a-path-that-is-too-long",
                    test_names_a_path_that_is_too_long);
    g_test_add_func("/http-route/pattern-takes-one-segment", test_pattern_takes_one_segment);
    return g_test_run();
}
