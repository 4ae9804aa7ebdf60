#include "tests/fakes/http_fixture.h"

#include <malloc.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

static void
test_refuses_bad_bodies(HttpFixture *fixture, gconstpointer unused)
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
            http_fixture_post(fixture->path, "/v1/things/a/echo", rows[i].type, rows[i].body);

        http_fixture_problem(answer, rows[i].status, rows[i].detail);
    }
}

static void
test_refuses_deep_json(HttpFixture *fixture, gconstpointer unused)
{
    g_autofree char *deep = g_strnfill(500000, '[');
    g_autofree char *body = g_strconcat("{\"a\":", deep, NULL);
    g_autofree char *answer =
        http_fixture_post(fixture->path, "/v1/things/a/echo", "application/json", body);

    http_fixture_problem(answer, 400, "depth");
}

/* libsoup leaves us no moment to answer in; the documents of both APIs say so. */
static void
test_cuts_giant_headers_off(HttpFixture *fixture, gconstpointer unused)
{
    const struct {
        size_t n_bytes;
        bool is_answered;
    } rows[] = {
        {65000,   true },
        {66000,   false},
        {1 << 20, false},
        {1000,    true }
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *token = g_strnfill(rows[i].n_bytes, 'a');
        g_autofree char *request =
            g_strdup_printf("GET /text HTTP/1.1\r\nHost: x\r\nAuthorization: %s\r\n\r\n", token);
        g_autofree char *answer = http_fixture_exchange(fixture->path, request, strlen(request));

        if (rows[i].is_answered) {
            http_fixture_status(answer, 200);
        } else {
            g_assert_cmpstr(answer, ==, "");
        }
    }
}

static void
test_refuses_giant_bodies(HttpFixture *fixture, gconstpointer unused)
{
    g_autofree char *filler = g_strnfill(1 << 20, ' ');
    g_autofree char *just_too_long = g_strconcat("{}", filler, NULL);
    g_autofree char *announced =
        http_fixture_post(fixture->path, "/text", "application/json", just_too_long);
    g_autofree char *fits = NULL;

    filler[(1 << 20) - 2] = '\0';
    just_too_long[1 << 20] = '\0';
    fits = http_fixture_post(fixture->path, "/v1/things/a/echo", "application/json", just_too_long);

    http_fixture_problem(announced, 413, "1 MiB");
    http_fixture_status(fits, 200);
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
    answer = http_fixture_exchange(path, request->str, request->len);
    g_string_free(request, TRUE);
    return answer;
}

static void
test_refuses_giant_chunked_bodies(HttpFixture *fixture, gconstpointer unused)
{
    g_autofree char *fits = chunked(fixture->path, 3, 65536);
    g_autofree char *too_long = chunked(fixture->path, 20, 65536);
    g_autofree char *endless = chunked(fixture->path, 500, 65536);

    http_fixture_status(fits, 200);
    http_fixture_problem(too_long, 413, "1 MiB");
    g_assert_cmpstr(endless, ==, ""); /* cut off, nothing answered */
}

static void
test_survives_noise(HttpFixture *fixture, gconstpointer unused)
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
        int fd = http_fixture_connect(fixture->path);

        g_assert_cmpint(send(fd, noise[i], strlen(noise[i]), MSG_NOSIGNAL), >, 0);
        close(fd);
    }
    after = http_fixture_ask(fixture->path, "GET", "/text");
    http_fixture_status(after, 200);
}

static void
test_forgets_connections_that_end(HttpFixture *fixture, gconstpointer unused)
{
    static const char *const starts[] = {"", "GET", "GET /text HTTP/1.1\r\nHost: x\r\n\r\n",
                                         "POST /text HTTP/1.1\r\nContent-Length: 9\r\n\r\n1"};
    g_autofree char *after = NULL;

    for (size_t i = 0; i < 2000; i++) {
        const char *start = starts[i % G_N_ELEMENTS(starts)];
        int fd = http_fixture_connect(fixture->path);

        g_assert_cmpint(send(fd, start, strlen(start), MSG_NOSIGNAL), >=, 0);
        g_main_context_iteration(NULL, FALSE);
        close(fd);
        while (g_main_context_iteration(NULL, FALSE))
            ;
    }
    after = http_fixture_ask(fixture->path, "GET", "/text");
    http_fixture_status(after, 200);
}

/* (Under a sanitizer malloc tells nothing; it looks for what leaks itself.) */
static void
test_connection_leaves_nothing(HttpFixture *fixture, gconstpointer unused)
{
    enum { N_MEASURED = 400, MOST_BYTES = 100 };
    size_t before = 0;

    for (unsigned i = 0; i < 2 * N_MEASURED; i++) {
        g_autofree char *answer = http_fixture_ask(fixture->path, "GET", "/text");

        http_fixture_status(answer, 200);
        while (g_main_context_iteration(NULL, FALSE))
            continue;
        if (i == N_MEASURED)
            before = mallinfo2().uordblks;
    }
    g_assert_cmpuint(mallinfo2().uordblks, <, before + MOST_BYTES * N_MEASURED);
}

/* Whoever was refused a connection because no file descriptor was left is served once one is. */
static void
test_listens_on_without_descriptors(HttpFixture *fixture, gconstpointer unused)
{
    static const char request[] = "GET /text HTTP/1.1\r\nHost: x\r\n\r\n";
    HttpExchange client = {.fd = http_fixture_connect(fixture->path),
                           .request = request,
                           .n_request = sizeof request - 1,
                           .answer = g_string_new(NULL)};
    const int n_open = dup(client.fd);
    struct rlimit usual;
    struct rlimit none_left;
    GThread *thread = NULL;

    g_assert_cmpint(close(n_open), ==, 0);
    g_assert_cmpint(getrlimit(RLIMIT_NOFILE, &usual), ==, 0);
    none_left = (struct rlimit){(rlim_t) n_open, usual.rlim_max};
    g_assert_cmpint(setrlimit(RLIMIT_NOFILE, &none_left), ==, 0);
    g_test_expect_message("sealtape-service", G_LOG_LEVEL_WARNING, "a connection could not be*");
    while (g_main_context_iteration(NULL, FALSE))
        continue;
    g_test_assert_expected_messages();
    g_assert_cmpint(setrlimit(RLIMIT_NOFILE, &usual), ==, 0);

    thread = g_thread_new("client", http_exchange_run, &client);
    while (!g_atomic_int_get(&client.done))
        g_main_context_iteration(NULL, TRUE);
    g_thread_join(thread);
    http_fixture_status(client.answer->str, 200);
    g_string_free(client.answer, TRUE);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
    http_fixture_add("http-limits", "refuses-bad-bodies", test_refuses_bad_bodies);
    http_fixture_add("http-limits", "refuses-deep-json", test_refuses_deep_json);
    http_fixture_add("http-limits", "cuts-giant-headers-off", test_cuts_giant_headers_off);
    http_fixture_add("http-limits", "refuses-giant-bodies", test_refuses_giant_bodies);
    http_fixture_add("http-limits", "refuses-giant-chunked-bodies",
                     test_refuses_giant_chunked_bodies);
    http_fixture_add("http-limits", "survives-noise", test_survives_noise);
    http_fixture_add("http-limits", "forgets-connections-that-end",
                     test_forgets_connections_that_end);
    http_fixture_add("http-limits", "connection-leaves-nothing", test_connection_leaves_nothing);
    http_fixture_add("http-limits", "listens-on-without-descriptors",
                     test_listens_on_without_descriptors);
    return g_test_run();
}
