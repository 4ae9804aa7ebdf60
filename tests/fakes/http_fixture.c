#include "tests/fakes/http_fixture.h"

#include <errno.h>
#include <gio/gio.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

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
    HttpFixture *fixture = user_data;

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
set_up(HttpFixture *fixture, gconstpointer unused)
{
    g_autoptr(GError) error = NULL;

    fixture->folder = g_dir_make_tmp("http-XXXXXX", &error);
    g_assert_no_error(error);
    fixture->path = g_build_filename(fixture->folder, "socket", NULL);
    fixture->service = http_service_new(fixture->path, routes, fixture, &error);
    g_assert_no_error(error);
}

static void
tear_down(HttpFixture *fixture, gconstpointer unused)
{
    http_service_free(fixture->service);
    g_assert_false(g_file_test(fixture->path, G_FILE_TEST_EXISTS));
    g_assert_cmpint(g_rmdir(fixture->folder), ==, 0);
    g_free(fixture->path);
    g_free(fixture->folder);
}

int
http_fixture_connect(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    g_strlcpy(address.sun_path, path, sizeof(address.sun_path));
    g_assert_cmpint(connect(fd, (struct sockaddr *) &address, sizeof(address)), ==, 0);
    return fd;
}

static struct {
    int failure;
    unsigned n;
    gint64 last_us;
} accepts;

void
http_fixture_fail_accept(int code)
{
    accepts.failure = code;
    accepts.n = 0;
}

unsigned
http_fixture_accepts(gint64 *last_us)
{
    if (last_us != NULL)
        *last_us = accepts.last_us;
    return accepts.n;
}

/* The linker gives the product __wrap_X for X, and us __real_X. */
#pragma GCC diagnostic ignored "-Wmissing-prototypes"
int __real_accept4(int fd, void *address, void *n_address, int flags);

int
__wrap_accept4(int fd, void *address, void *n_address, int flags)
{
    const int code = accepts.failure;

    accepts.n++;
    accepts.last_us = g_get_monotonic_time();
    accepts.failure = 0;
    if (code == 0)
        return __real_accept4(fd, address, n_address, flags);
    errno = code;
    return -1;
}

static gint n_live_sockets;

static void
on_socket_gone(gpointer unused, GObject *socket)
{
    (void) g_atomic_int_dec_and_test(&n_live_sockets);
}

int
http_fixture_live_sockets(void)
{
    return g_atomic_int_get(&n_live_sockets);
}

GSocket *__real_g_socket_new_from_fd(int fd, GError **error);

GSocket *
__wrap_g_socket_new_from_fd(int fd, GError **error)
{
    GSocket *socket = __real_g_socket_new_from_fd(fd, error);

    g_assert_nonnull(socket);
    g_atomic_int_inc(&n_live_sockets);
    g_object_weak_ref(G_OBJECT(socket), on_socket_gone, NULL);
    return socket;
}

gpointer
http_exchange_run(gpointer data)
{
    HttpExchange *self = data;
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

char *
http_fixture_exchange(const char *path, const char *request, size_t n_request)
{
    HttpExchange self = {
        .fd = http_fixture_connect(path), .request = request, .n_request = n_request};
    GThread *thread = NULL;

    self.answer = g_string_new(NULL);
    thread = g_thread_new("client", http_exchange_run, &self);
    while (!g_atomic_int_get(&self.done))
        g_main_context_iteration(NULL, TRUE);
    g_thread_join(thread);
    return g_string_free(self.answer, FALSE);
}

char *
http_fixture_post(const char *path, const char *target, const char *type, const char *body)
{
    g_autofree char *request =
        g_strdup_printf("POST %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n%s%s%s"
                        "Content-Length: %zu\r\n\r\n%s",
                        target, type != NULL ? "Content-Type: " : "", type != NULL ? type : "",
                        type != NULL ? "\r\n" : "", strlen(body), body);

    return http_fixture_exchange(path, request, strlen(request));
}

char *
http_fixture_ask(const char *path, const char *method, const char *target)
{
    g_autofree char *request =
        g_strdup_printf("%s %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", method, target);

    return http_fixture_exchange(path, request, strlen(request));
}

void
http_fixture_contains(const char *answer, const char *wanted)
{
    if (strstr(answer, wanted) == NULL)
        g_error("`%s` is not in: %s", wanted, answer);
}

void
http_fixture_status(const char *answer, unsigned status)
{
    g_autofree char *start = g_strdup_printf("HTTP/1.1 %u ", status);

    if (!g_str_has_prefix(answer, start))
        g_error("not a %u: %s", status, answer);
}

void
http_fixture_problem(const char *answer, unsigned status, const char *detail)
{
    http_fixture_status(answer, status);
    http_fixture_contains(answer, "Content-Type: application/problem+json\r\n");
    http_fixture_contains(answer, "\"type\":\"about:blank\"");
    http_fixture_contains(answer, detail);
}

void
http_fixture_add(const char *suite, const char *name, void (*test)(HttpFixture *, gconstpointer))
{
    g_autofree char *path = g_strdup_printf("/%s/%s", suite, name);

    g_test_add(path, HttpFixture, NULL, set_up, test, tear_down);
}
