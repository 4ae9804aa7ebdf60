#include "agent/service/http_handshake.h"
#include "agent/service/http_tls.h"
#include "agent/service/unix_listener.h"
#include "tests/fakes/effort.h"
#include "tests/fakes/http_fixture.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* The service of the fixture, once more over TLS, at a socket with a name in place of an address;
 * server and client show the same certificate. */
typedef struct {
    const HttpFixture *fixture;
    char *path, *authority_path, *certificate_path, *key_path;
    GTlsCertificate *certificate;
    GTlsDatabase *authorities; /* the system's are many, and read for each client */
    UnixListener *listener;
    HttpTls *tls;
} Place;

static void
run_openssl(const Place *place, const char *words)
{
    g_autofree char *line =
        g_strconcat("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 ",
                    words, NULL);
    g_auto(GStrv) argv = g_strsplit(line, " ", -1);
    g_autoptr(GError) error = NULL;
    int status = 0;

    g_assert_true(g_spawn_sync(place->fixture->folder, argv, NULL,
                               G_SPAWN_SEARCH_PATH | G_SPAWN_STDERR_TO_DEV_NULL, NULL, NULL, NULL,
                               NULL, &status, &error));
    g_assert_no_error(error);
    g_assert_cmpint(status, ==, 0);
}

static Place
place_new(const HttpFixture *fixture, unsigned handshake_ms)
{
    g_autoptr(GError) error = NULL;
    Place place = {.fixture = fixture};

    place.path = g_build_filename(fixture->folder, "tls", NULL);
    place.authority_path = g_build_filename(fixture->folder, "ca.pem", NULL);
    place.certificate_path = g_build_filename(fixture->folder, "cert.pem", NULL);
    place.key_path = g_build_filename(fixture->folder, "key.pem", NULL);
    run_openssl(&place, "-subj /CN=authority -keyout ca.key -out ca.pem");
    run_openssl(&place, "-subj /CN=here -keyout key.pem -out cert.pem -CA ca.pem -CAkey ca.key "
                        "-addext basicConstraints=critical,CA:FALSE");
    place.certificate =
        g_tls_certificate_new_from_files(place.certificate_path, place.key_path, &error);
    g_assert_no_error(error);
    place.authorities = g_tls_file_database_new(place.authority_path, &error);
    g_assert_no_error(error);
    place.listener = unix_listener_open(place.path, &error);
    g_assert_no_error(error);
    place.tls = http_tls_new(fixture->service, unix_listener_socket(place.listener),
                             &(HttpTlsOptions){place.certificate_path, place.key_path,
                                               place.authority_path, handshake_ms},
                             &error);
    g_assert_no_error(error);
    return place;
}

static void
place_end(Place *place)
{
    http_tls_free(place->tls);
    unix_listener_free(place->listener);
    g_object_unref(place->certificate);
    g_object_unref(place->authorities);
    for (const char **name = (const char *[]){"ca.pem", "ca.key", "cert.pem", "key.pem", NULL};
         *name != NULL; name++) {
        g_autofree char *file = g_build_filename(place->fixture->folder, *name, NULL);

        g_assert_cmpint(g_unlink(file), ==, 0);
    }
    g_free(place->path);
    g_free(place->authority_path);
    g_free(place->certificate_path);
    g_free(place->key_path);
}

typedef struct {
    const Place *place;
    bool is_anonymous;
    char *answer; /* NULL: none */
    int done;     /* atomic */
} Visit;

/* The server has no name that could be looked at. */
static gboolean
on_server_certificate(GTlsConnection *connection, GTlsCertificate *certificate,
                      GTlsCertificateFlags errors, gpointer unused)
{
    return (errors & ~G_TLS_CERTIFICATE_BAD_IDENTITY) == 0;
}

static char *
converse(const Visit *visit, GIOStream *connection)
{
    static const char request[] = "GET /text HTTP/1.1\r\nHost: x\r\n\r\n";
    g_autoptr(GString) answer = g_string_new(NULL);
    char buffer[1024];
    g_autoptr(GError) error = NULL; /* asked for: GnuTLS's module loses one that nobody wants */
    gssize n = 0;

    if (!g_output_stream_write_all(g_io_stream_get_output_stream(connection), request,
                                   strlen(request), NULL, NULL, &error))
        return NULL;
    while ((n = g_input_stream_read(g_io_stream_get_input_stream(connection), buffer,
                                    sizeof(buffer), NULL, &error)) > 0)
        g_string_append_len(answer, buffer, n);
    return answer->len > 0 ? g_strdup(answer->str) : NULL;
}

static gpointer
visit_run(gpointer data)
{
    Visit *visit = data;
    g_autoptr(GSocket) socket =
        g_socket_new_from_fd(http_fixture_connect(visit->place->path), NULL);
    g_autoptr(GSocketConnection) base = g_socket_connection_factory_create_connection(socket);
    g_autoptr(GIOStream) connection = g_tls_client_connection_new(G_IO_STREAM(base), NULL, NULL);

    g_tls_connection_set_database(G_TLS_CONNECTION(connection), visit->place->authorities);
    g_signal_connect(connection, "accept-certificate", G_CALLBACK(on_server_certificate), NULL);
    if (!visit->is_anonymous)
        g_tls_connection_set_certificate(G_TLS_CONNECTION(connection), visit->place->certificate);
    visit->answer = converse(visit, connection);
    (void) g_io_stream_close(connection, NULL, NULL);
    g_atomic_int_set(&visit->done, 1);
    g_main_context_wakeup(NULL);
    return NULL;
}

/* Returns: what comes back to a GET of /text, owned; NULL for nothing. */
static char *
ask(const Place *place, bool is_anonymous)
{
    Visit visit = {.place = place, .is_anonymous = is_anonymous};
    GThread *thread = g_thread_new("client", visit_run, &visit);

    while (!g_atomic_int_get(&visit.done))
        g_main_context_iteration(NULL, TRUE);
    g_thread_join(thread);
    return visit.answer;
}

static void
check_answers(const Place *place)
{
    g_autofree char *answer = ask(place, false);

    g_assert_nonnull(answer);
    http_fixture_status(answer, 200);
    http_fixture_contains(answer, "up 1\n");
}

static bool
is_closed(int fd)
{
    char byte = 0;

    return recv(fd, &byte, 1, MSG_DONTWAIT) == 0 || errno != EAGAIN;
}

static void
test_answers_who_shows_a_certificate(HttpFixture *fixture, gconstpointer unused)
{
    Place place = place_new(fixture, 60000);

    check_answers(&place);
    g_assert_null(ask(&place, true));
    place_end(&place);
}

/* Some say nothing and some begin and stop; an hour is theirs, and all of them are still there when
 * the one who means it has got its answer. */
static void
test_waits_for_nobody_else(HttpFixture *fixture, gconstpointer unused)
{
    static const char hello[] = {0x16, 0x03, 0x01};
    Place place = place_new(fixture, 3600000);
    int quiet[40];
    int begun[7];

    for (size_t i = 0; i < G_N_ELEMENTS(quiet); i++)
        quiet[i] = http_fixture_connect(place.path);
    for (size_t i = 0; i < G_N_ELEMENTS(begun); i++) {
        begun[i] = http_fixture_connect(place.path);
        g_assert_cmpint(send(begun[i], hello, sizeof(hello), 0), ==, sizeof(hello));
    }
    check_answers(&place);
    for (size_t i = 0; i < G_N_ELEMENTS(begun); i++) {
        g_assert_false(is_closed(begun[i]));
        close(begun[i]);
    }
    for (size_t i = 0; i < G_N_ELEMENTS(quiet); i++) {
        g_assert_false(is_closed(quiet[i]));
        close(quiet[i]);
    }
    place_end(&place);
}

/* As many as have begun and stopped as may be led: the oldest give way to who comes. */
static void
test_gives_up_who_stands_in_the_way(HttpFixture *fixture, gconstpointer unused)
{
    static const char hello[] = {0x16, 0x03, 0x01};
    Place place = place_new(fixture, 3600000);
    int begun[24];
    unsigned n_closed = 0;

    for (size_t i = 0; i < G_N_ELEMENTS(begun); i++) {
        begun[i] = http_fixture_connect(place.path);
        g_assert_cmpint(send(begun[i], hello, sizeof(hello), 0), ==, sizeof(hello));
    }
    check_answers(&place);
    for (size_t i = 0; i < G_N_ELEMENTS(begun); i++) {
        n_closed += is_closed(begun[i]) ? 1 : 0;
        close(begun[i]);
    }
    g_assert_cmpuint(n_closed, >=, G_N_ELEMENTS(begun) - 8);
    place_end(&place);
}

/* What waits is bounded in number, the oldest go first; and in time. */
static void
test_bounds_who_waits(HttpFixture *fixture, gconstpointer unused)
{
    Place place = place_new(fixture, 3600000);
    int fds[HTTP_HANDSHAKES_WAITING + 10];

    for (size_t i = 0; i < G_N_ELEMENTS(fds); i++) {
        fds[i] = http_fixture_connect(place.path);
        while (g_main_context_iteration(NULL, FALSE))
            ;
    }
    for (size_t i = 0; i < G_N_ELEMENTS(fds); i++) {
        while (i < 10 && !is_closed(fds[i]))
            g_main_context_iteration(NULL, FALSE);
        g_assert_true(is_closed(fds[i]) == (i < 10));
        close(fds[i]);
    }
    place_end(&place);
}

static void
test_ends_in_time(HttpFixture *fixture, gconstpointer unused)
{
    static const char hello[] = {0x16, 0x03, 0x01};
    Place place = place_new(fixture, 50);
    const int quiet = http_fixture_connect(place.path);
    const int begun = http_fixture_connect(place.path);

    g_assert_cmpint(send(begun, hello, sizeof(hello), 0), ==, sizeof(hello));
    while (!is_closed(quiet) || !is_closed(begun))
        g_main_context_iteration(NULL, TRUE);
    close(quiet);
    close(begun);
    place_end(&place);
}

static void
test_ends_with_some_under_way(HttpFixture *fixture, gconstpointer unused)
{
    static const char hello[] = {0x16, 0x03, 0x01};
    Place place = place_new(fixture, 3600000);
    const int quiet = http_fixture_connect(place.path);
    const int begun = http_fixture_connect(place.path);

    g_assert_cmpint(send(begun, hello, sizeof(hello), 0), ==, sizeof(hello));
    check_answers(&place);
    place_end(&place);
    while (!is_closed(quiet) || !is_closed(begun))
        g_main_context_iteration(NULL, TRUE);
    close(quiet);
    close(begun);
}

static gboolean
on_patience_ended(gpointer is_over)
{
    *(bool *) is_over = true;
    return G_SOURCE_REMOVE;
}

/* libsoup's own listener never gave up the socket of a connection. */
static void
test_leaves_nothing_behind(HttpFixture *fixture, gconstpointer unused)
{
    Place place = place_new(fixture, 60000);
    bool is_over = false;
    const guint patience = g_timeout_add_seconds(60, on_patience_ended, &is_over);

    for (unsigned i = 0; i < 20; i += effort_step(5))
        check_answers(&place);
    g_assert_null(ask(&place, true));
    while (http_fixture_live_sockets() > 0 && !is_over)
        g_main_context_iteration(NULL, TRUE);
    g_assert_false(is_over);
    g_source_remove(patience);
    place_end(&place);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    http_fixture_add("http_tls", "answers-who-shows-a-certificate",
                     test_answers_who_shows_a_certificate);
    http_fixture_add("http_tls", "waits-for-nobody-else", test_waits_for_nobody_else);
    http_fixture_add("http_tls", "gives-up-who-stands-in-the-way",
                     test_gives_up_who_stands_in_the_way);
    http_fixture_add("http_tls", "bounds-who-waits", test_bounds_who_waits);
    http_fixture_add("http_tls", "ends-in-time", test_ends_in_time);
    http_fixture_add("http_tls", "ends-with-some-under-way", test_ends_with_some_under_way);
    http_fixture_add("http_tls", "leaves-nothing-behind", test_leaves_nothing_behind);
    return g_test_run();
}
