#include "agent/service/watchdog.h"

#include <glib/gstdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* A part whose turns the test makes, and a service manager that writes down what it is told. */
typedef struct {
    unsigned n_asked;
    uint64_t n_turns;
    bool turns; /* by itself, whenever it is asked */
} Part;

typedef struct {
    char *folder, *path;
    int fd;
} Manager;

static uint64_t
ask(void *data)
{
    Part *part = data;

    part->n_asked++;
    part->n_turns += part->turns ? 1 : 0;
    return part->n_turns;
}

static void
manager_start(Manager *self, gconstpointer unused)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    self->folder = g_dir_make_tmp("watchdog-XXXXXX", NULL);
    self->path = g_build_filename(self->folder, "notify", NULL);
    self->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    g_strlcpy(address.sun_path, self->path, sizeof(address.sun_path));
    g_assert_cmpint(bind(self->fd, (struct sockaddr *) &address, sizeof(address)), ==, 0);
    g_setenv("NOTIFY_SOCKET", self->path, TRUE);
}

static void
manager_end(Manager *self, gconstpointer unused)
{
    g_unsetenv("NOTIFY_SOCKET");
    close(self->fd);
    g_assert_cmpint(g_unlink(self->path), ==, 0);
    g_assert_cmpint(g_rmdir(self->folder), ==, 0);
    g_free(self->path);
    g_free(self->folder);
}

/* Returns: how often it was fed since it was last asked. */
static unsigned
times_fed(Manager *self)
{
    char said[200] = "";
    unsigned n = 0;

    while (recv(self->fd, said, sizeof(said) - 1, MSG_DONTWAIT) > 0) {
        g_assert_cmpstr(said, ==, "WATCHDOG=1");
        memset(said, 0, sizeof(said));
        n++;
    }
    return n;
}

static void
test_is_fed_while_all_turn(Manager *manager, gconstpointer unused)
{
    Part one = {.turns = true};
    Part other = {.turns = true};
    const WatchdogPart parts[] = {
        {"one",   1000, ask, &one  },
        {"other", 1000, ask, &other}
    };
    g_autoptr(Watchdog) watchdog = watchdog_new(parts, G_N_ELEMENTS(parts));

    for (int64_t second = 1; second <= 100; second++) {
        g_assert_true(watchdog_look(watchdog, second * G_USEC_PER_SEC));
        g_assert_cmpuint(times_fed(manager), ==, 1);
    }

    g_assert_cmpuint(one.n_asked, ==, 100);
    g_assert_cmpuint(other.n_asked, ==, 100);
}

static void
test_is_not_fed_once_one_stalls(Manager *manager, gconstpointer unused)
{
    Part good = {.turns = true};
    Part bad = {.turns = true};
    const WatchdogPart parts[] = {
        {"good", 1000,  ask, &good},
        {"bad",  10000, ask, &bad }
    };
    g_autoptr(Watchdog) watchdog = watchdog_new(parts, G_N_ELEMENTS(parts));
    const char *name = NULL;
    g_assert_true(watchdog_look(watchdog, 1 * G_USEC_PER_SEC));

    bad.turns = false;
    g_assert_true(watchdog_look(watchdog, 11 * G_USEC_PER_SEC)); /* in its time still */
    g_assert_cmpuint(times_fed(manager), ==, 2);
    g_test_expect_message("sealtape-service", G_LOG_LEVEL_CRITICAL, "bad has not turned for 11 s*");
    g_assert_false(watchdog_look(watchdog, 12 * G_USEC_PER_SEC));
    g_test_assert_expected_messages();
    g_assert_false(watchdog_look(watchdog, 13 * G_USEC_PER_SEC)); /* and said only once */

    g_assert_cmpuint(times_fed(manager), ==, 0);
    g_assert_false(watchdog_is_stalled(watchdog, 0, &name));
    g_assert_cmpstr(name, ==, "good");
    g_assert_true(watchdog_is_stalled(watchdog, 1, &name));
    g_assert_cmpstr(name, ==, "bad");
}

static void
test_is_fed_again_when_it_turns_again(Manager *manager, gconstpointer unused)
{
    Part part = {0};
    const WatchdogPart parts[] = {
        {"part", 1000, ask, &part}
    };
    g_autoptr(Watchdog) watchdog = watchdog_new(parts, G_N_ELEMENTS(parts));
    const char *name = NULL;
    g_assert_true(watchdog_look(watchdog, 1 * G_USEC_PER_SEC));
    g_test_expect_message("sealtape-service", G_LOG_LEVEL_CRITICAL, "*not turned*");
    g_assert_false(watchdog_look(watchdog, 3 * G_USEC_PER_SEC));

    part.n_turns++;
    g_test_expect_message("sealtape-service", G_LOG_LEVEL_MESSAGE, "part turns again*");
    g_assert_true(watchdog_look(watchdog, 4 * G_USEC_PER_SEC));

    g_test_assert_expected_messages();
    g_assert_cmpuint(times_fed(manager), ==, 2);
    g_assert_false(watchdog_is_stalled(watchdog, 0, &name));
}

static gboolean
quit(gpointer loop)
{
    g_main_loop_quit(loop);
    return G_SOURCE_REMOVE;
}

/* WatchdogSec=0.15: three looks in that time. */
static void
test_keeps_pace_with_the_service_manager(Manager *manager, gconstpointer unused)
{
    Part part = {.turns = true};
    const WatchdogPart parts[] = {
        {"part", 1000, ask, &part}
    };
    g_autoptr(GMainLoop) loop = g_main_loop_new(NULL, FALSE);
    g_autofree char *pid = g_strdup_printf("%d", (int) getpid());
    Watchdog *watchdog = NULL;

    g_setenv("WATCHDOG_USEC", "150000", TRUE);
    g_setenv("WATCHDOG_PID", pid, TRUE);
    watchdog = watchdog_new(parts, G_N_ELEMENTS(parts));
    g_timeout_add(400, quit, loop);
    g_main_loop_run(loop);

    g_assert_cmpuint(times_fed(manager), >=, 3);
    watchdog_free(watchdog);
    g_unsetenv("WATCHDOG_USEC");
    g_unsetenv("WATCHDOG_PID");
}

#define ADD(path, test)                                                                            \
    g_test_add("/watchdog/" path, Manager, NULL, manager_start, test, manager_end)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
    ADD("is-fed-while-all-turn", test_is_fed_while_all_turn);
    ADD("is-not-fed-once-one-stalls", test_is_not_fed_once_one_stalls);
    ADD("is-fed-again-when-it-turns-again", test_is_fed_again_when_it_turns_again);
    ADD("keeps-pace-with-the-service-manager", test_keeps_pace_with_the_service_manager);
    return g_test_run();
}
