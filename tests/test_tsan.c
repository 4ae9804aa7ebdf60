#include <glib.h>
#include <string.h>
#include <sys/wait.h>

/* That the builds with ThreadSanitizer report what is a race, and only that: each case runs in a
 * process of its own, which must end as ThreadSanitizer ends it (exitcode=66), or well. */

enum { RACE_EXIT = 66, N_ROUNDS = 1000 };

typedef struct {
    GMutex mutex;
    GAsyncQueue *queue;
    int number;
} Shared;

static gpointer
count_without_lock(gpointer data)
{
    Shared *shared = data;

    for (unsigned i = 0; i < N_ROUNDS; i++)
        shared->number++;
    return NULL;
}

static gpointer
count_with_lock(gpointer data)
{
    Shared *shared = data;

    for (unsigned i = 0; i < N_ROUNDS; i++) {
        g_mutex_lock(&shared->mutex);
        shared->number++;
        g_mutex_unlock(&shared->mutex);
    }
    return NULL;
}

static gpointer
take_from_queue(gpointer data)
{
    Shared *shared = data;
    int sum = 0;

    for (unsigned i = 0; i < N_ROUNDS; i++) {
        g_autofree int *number = g_async_queue_pop(shared->queue);
        sum += *number;
    }
    shared->number = sum;
    return NULL;
}

static gboolean
on_idle(gpointer data)
{
    Shared *shared = data;

    shared->number++;
    return G_SOURCE_REMOVE;
}

static gpointer
add_idle(gpointer data)
{
    Shared *shared = data;

    shared->number++;
    g_idle_add(on_idle, shared);
    return NULL;
}

static void
run_two(GThreadFunc function)
{
    Shared shared = {0};
    GThread *threads[2];

    g_mutex_init(&shared.mutex);
    for (unsigned i = 0; i < 2; i++)
        threads[i] = g_thread_new("counter", function, &shared);
    for (unsigned i = 0; i < 2; i++)
        (void) g_thread_join(threads[i]);
    g_mutex_clear(&shared.mutex);
}

static void
run_race(void)
{
    run_two(count_without_lock);
}

static void
run_lock(void)
{
    run_two(count_with_lock);
}

static void
run_queue(void)
{
    Shared shared = {.queue = g_async_queue_new()};
    GThread *thread = g_thread_new("taker", take_from_queue, &shared);

    for (unsigned i = 0; i < N_ROUNDS; i++) {
        int *number = g_new(int, 1);
        *number = (int) i;
        g_async_queue_push(shared.queue, number);
    }
    (void) g_thread_join(thread);
    g_async_queue_unref(shared.queue);
}

static void
run_main_loop(void)
{
    Shared shared = {0};
    GThread *thread = g_thread_new("caller", add_idle, &shared);

    g_main_context_iteration(NULL, TRUE);
    (void) g_thread_join(thread);
}

static const struct {
    const char *name;
    void (*run)(void);
    int status;
} rows[] = {
    {"race-is-reported",     run_race,      RACE_EXIT},
    {"lock-is-no-race",      run_lock,      0        },
    {"queue-is-no-race",     run_queue,     0        },
    {"main-loop-is-no-race", run_main_loop, 0        },
};

static void
test_ends(gconstpointer data)
{
    const char *name = data;
    const char *argv[] = {"/proc/self/exe", name, NULL};
    g_autoptr(GError) error = NULL;
    g_autofree char *output = NULL;
    int status = 0, expected = 0;

    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++)
        expected = g_str_equal(rows[i].name, name) ? rows[i].status : expected;

    g_assert_true(g_spawn_sync(NULL, (char **) argv, NULL, G_SPAWN_DEFAULT, NULL, NULL, NULL,
                               &output, &status, &error));
    g_assert_no_error(error);
    if (WEXITSTATUS(status) != expected)
        g_test_message("%s", output);
    g_assert_true(WIFEXITED(status));
    g_assert_cmpint(WEXITSTATUS(status), ==, expected);
    g_assert_cmpint(strstr(output, "data race") != NULL, ==, expected == RACE_EXIT);
}

int
main(int argc, char **argv)
{
    for (unsigned i = 0; argc == 2 && i < G_N_ELEMENTS(rows); i++) {
        if (g_str_equal(argv[1], rows[i].name)) {
            rows[i].run();
            return 0;
        }
    }
    g_test_init(&argc, &argv, NULL);
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *path = g_strconcat("/tsan/", rows[i].name, NULL);
        g_test_add_data_func(path, rows[i].name, test_ends);
    }
    return g_test_run();
}
