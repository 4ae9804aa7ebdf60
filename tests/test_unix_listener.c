#include "tests/fakes/http_fixture.h"

#include <gio/gio.h>
#include <glib/gstdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static const HttpRoute routes[] = {
    {NULL, NULL, NULL},
};

static void
test_socket_is_for_the_group_only(HttpFixture *fixture, gconstpointer unused)
{
    struct stat found;

    g_assert_cmpint(stat(fixture->path, &found), ==, 0);
    g_assert_cmpuint(found.st_mode & 07777, ==, 0660);
}

static void
test_refuses_a_living_socket(HttpFixture *fixture, gconstpointer unused)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *answer = NULL;

    g_assert_null(http_service_new(fixture->path, routes, NULL, &error));
    g_assert_error(error, G_IO_ERROR, G_IO_ERROR_ADDRESS_IN_USE);
    answer = http_fixture_ask(fixture->path, "GET", "/text");
    http_fixture_status(answer, 200);
}

static void
test_replaces_a_dead_socket(HttpFixture *fixture, gconstpointer unused)
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
test_leaves_a_file_with_the_name_alone(HttpFixture *fixture, gconstpointer unused)
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

/* In a process of its own: descriptor 3 is somebody's already. */
static void
test_takes_the_service_managers_socket(void)
{
    g_autofree char *folder = NULL;
    g_autofree char *path = NULL;
    g_autofree char *pid = g_strdup_printf("%d", (int) getpid());
    g_autoptr(GError) error = NULL;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    HttpService *service = NULL;
    int fd = -1;

    if (!g_test_subprocess()) {
        g_test_trap_subprocess(NULL, 0, 0);
        g_test_trap_assert_passed();
        return;
    }
    folder = g_dir_make_tmp("passed-XXXXXX", NULL);
    path = g_build_filename(folder, "access.sock", NULL);
    fd = socket(AF_UNIX, SOCK_STREAM, 0);
    g_strlcpy(address.sun_path, path, sizeof(address.sun_path));
    g_assert_cmpint(bind(fd, (struct sockaddr *) &address, sizeof(address)), ==, 0);
    g_assert_cmpint(listen(fd, 5), ==, 0);
    if (fd != 3)
        g_assert_cmpint(dup2(fd, 3), ==, 3);
    g_setenv("LISTEN_PID", pid, TRUE);
    g_setenv("LISTEN_FDS", "1", TRUE);

    /* Without it: somebody serves there. */
    service = http_service_new(path, routes, NULL, &error);

    g_assert_no_error(error);
    http_service_free(service);
    g_assert_true(g_file_test(path, G_FILE_TEST_EXISTS)); /* the name is not ours to remove */
    g_assert_cmpint(g_unlink(path), ==, 0);
    g_assert_cmpint(g_rmdir(folder), ==, 0);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
    http_fixture_add("unix-listener", "socket-is-for-the-group-only",
                     test_socket_is_for_the_group_only);
    http_fixture_add("unix-listener", "refuses-a-living-socket", test_refuses_a_living_socket);
    http_fixture_add("unix-listener", "replaces-a-dead-socket", test_replaces_a_dead_socket);
    http_fixture_add("unix-listener", "leaves-a-file-with-the-name-alone",
                     test_leaves_a_file_with_the_name_alone);
    g_test_add_func("/unix-listener/names-a-path-that-is-too-long",
                    test_names_a_path_that_is_too_long);
    g_test_add_func("/unix-listener/takes-the-service-managers-socket",
                    test_takes_the_service_managers_socket);
    return g_test_run();
}
