#include "agent/service/daemon.h"

#include <gio/gio.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

typedef struct {
    GMainLoop *loop;
    unsigned n_stops;
} Daemon;

static gboolean
on_finished(gpointer user_data)
{
    g_main_loop_quit(user_data);
    return G_SOURCE_REMOVE;
}

/* Finishing takes a while, in which a hasty administrator asks again. */
static void
on_stop(void *user_data)
{
    Daemon *daemon = user_data;

    daemon->n_stops++;
    g_assert_cmpint(kill(getpid(), SIGTERM), ==, 0);
    g_assert_cmpint(kill(getpid(), SIGINT), ==, 0);
    g_timeout_add(100, on_finished, daemon->loop);
}

static gboolean
on_started(gpointer user_data)
{
    g_assert_cmpint(kill(getpid(), GPOINTER_TO_INT(user_data)), ==, 0);
    return G_SOURCE_REMOVE;
}

static void
test_stops_once(gconstpointer signal_number)
{
    g_autoptr(GMainLoop) loop = g_main_loop_new(NULL, FALSE);
    Daemon daemon = {loop, 0};

    g_idle_add(on_started, (gpointer) signal_number);
    daemon_run(loop, "serving", on_stop, &daemon);

    g_assert_cmpuint(daemon.n_stops, ==, 1);
}

/* A service manager that wants it to stop as soon as it serves. */
static gpointer
stop_when_ready(gpointer data)
{
    static char said[200];

    g_assert_cmpint(recv(GPOINTER_TO_INT(data), said, sizeof(said) - 1, 0), >, 0);
    g_assert_cmpint(kill(getpid(), SIGTERM), ==, 0);
    return said;
}

static void
test_tells_the_service_manager(void)
{
    g_autofree char *folder = g_dir_make_tmp("daemon-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(folder, "notify", NULL);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    g_autoptr(GMainLoop) loop = g_main_loop_new(NULL, FALSE);
    Daemon daemon = {loop, 0};
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    char said[200] = "";
    GThread *manager = NULL;

    g_strlcpy(address.sun_path, path, sizeof(address.sun_path));
    g_assert_cmpint(bind(fd, (struct sockaddr *) &address, sizeof(address)), ==, 0);
    g_setenv("NOTIFY_SOCKET", path, TRUE);

    manager = g_thread_new("manager", stop_when_ready, GINT_TO_POINTER(fd));
    daemon_run(loop, "serving", on_stop, &daemon);
    g_assert_cmpuint(daemon.n_stops, ==, 1);
    g_assert_cmpstr(g_thread_join(manager), ==, "READY=1\nSTATUS=serving");
    daemon_notify_stopping();
    g_assert_cmpint(recv(fd, said, sizeof(said) - 1, MSG_DONTWAIT), >, 0);
    g_assert_cmpstr(said, ==, "STOPPING=1");

    g_unsetenv("NOTIFY_SOCKET");
    close(fd);
    g_assert_cmpint(g_unlink(path), ==, 0);
    g_assert_cmpint(g_rmdir(folder), ==, 0);
}

static rlim_t
present_file_limit(void)
{
    struct rlimit limit = {0};

    g_assert_cmpint(getrlimit(RLIMIT_NOFILE, &limit), ==, 0);
    return limit.rlim_cur;
}

/* In a process of its own, for a hard limit does not come back. */
static void
test_allows_files_up_to_the_hard_limit(void)
{
    const struct rlimit limit = {64, 100};
    g_autoptr(GError) error = NULL;

    if (!g_test_subprocess()) {
        g_test_trap_subprocess(NULL, 0, 0);
        g_test_trap_assert_passed();
        return;
    }
    g_assert_cmpint(setrlimit(RLIMIT_NOFILE, &limit), ==, 0);

    g_assert_true(daemon_allow_files(50, NULL));
    g_assert_cmpuint(present_file_limit(), ==, 64);
    g_assert_true(daemon_allow_files(100, NULL));
    g_assert_cmpuint(present_file_limit(), ==, 100);
    g_assert_false(daemon_allow_files(101, &error));
    g_assert_error(error, G_IO_ERROR, G_IO_ERROR_TOO_MANY_OPEN_FILES);
    g_assert_nonnull(strstr(error->message, "101"));
    g_assert_nonnull(strstr(error->message, "100 (RLIMIT_NOFILE"));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_data_func("/daemon/stops-once-on-sigterm", GINT_TO_POINTER(SIGTERM),
                         test_stops_once);
    g_test_add_data_func("/daemon/stops-once-on-sigint", GINT_TO_POINTER(SIGINT), test_stops_once);
    g_test_add_func("/daemon/tells-the-service-manager", test_tells_the_service_manager);
    g_test_add_func("/daemon/allows-files-up-to-the-hard-limit",
                    test_allows_files_up_to_the_hard_limit);
    return g_test_run();
}
