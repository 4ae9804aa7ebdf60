#include "storage/session_list.h"
#include "storage/session_walk.h"
#include "storage/storage_error.h"

#include <glib.h>

enum { N_SESSIONS = 40, N_THREADS = 4 };

typedef struct {
    GMutex lock;
    GCond changed;
    unsigned n_visits[N_SESSIONS];
    unsigned n_begun, n_inside, most_inside;
    uint64_t n_done, n_told;
} Watch;

static GPtrArray *
names_for_test(void)
{
    GPtrArray *names = g_ptr_array_new_with_free_func((GDestroyNotify) session_name_free);

    for (unsigned i = 0; i < N_SESSIONS; i++) {
        g_autofree char *session = g_strdup_printf("s%02u", i);

        g_ptr_array_add(names, session_name_new("clinic-a", session));
    }
    return names;
}

/* The first ones stay until as many are inside as may be: one after the other would never end. */
static bool
on_visit(void *user_data, guint place, const char *session, GError **error)
{
    Watch *watch = user_data;
    g_autofree char *wanted = g_strdup_printf("s%02u", place);

    g_assert_cmpstr(session, ==, wanted);
    g_mutex_lock(&watch->lock);
    watch->n_visits[place]++;
    watch->n_begun++;
    watch->n_inside++;
    watch->most_inside = MAX(watch->most_inside, watch->n_inside);
    g_cond_broadcast(&watch->changed);
    while (watch->n_begun < N_THREADS)
        g_cond_wait(&watch->changed, &watch->lock);
    watch->n_inside--;
    g_mutex_unlock(&watch->lock);
    return true;
}

static void
on_progress(void *user_data, uint64_t n_done, uint64_t n_sessions)
{
    Watch *watch = user_data;

    g_assert_cmpuint(n_sessions, ==, N_SESSIONS);
    g_assert_cmpuint(n_done, >=, watch->n_done);
    watch->n_done = n_done;
    watch->n_told++;
}

static void
test_visits_several_at_once_each_once(void)
{
    Watch watch = {0};
    const SessionWalk walk = {N_THREADS, on_visit, on_progress, &watch};
    g_autoptr(GPtrArray) names = names_for_test();
    g_autoptr(GError) error = NULL;

    g_assert_true(session_walk(&walk, names, &error));

    g_assert_no_error(error);
    for (unsigned i = 0; i < N_SESSIONS; i++)
        g_assert_cmpuint(watch.n_visits[i], ==, 1);
    g_assert_cmpuint(watch.most_inside, ==, N_THREADS);
    g_assert_cmpuint(watch.n_done, ==, N_SESSIONS);
    g_assert_cmpuint(watch.n_told, >, 0);
}

static bool
fail_at_third(void *user_data, guint place, const char *session, GError **error)
{
    unsigned *n_visits = user_data;

    ++*n_visits;
    if (place != 2)
        return true;
    g_set_error(error, STORAGE_ERROR, STORAGE_ERROR_TRANSIENT, "%s: no answer", session);
    return false;
}

static void
test_begins_nothing_after_a_failure(void)
{
    unsigned n_visits = 0;
    const SessionWalk walk = {1, fail_at_third, NULL, &n_visits};
    g_autoptr(GPtrArray) names = names_for_test();
    g_autoptr(GError) error = NULL;

    g_assert_false(session_walk(&walk, names, &error));

    g_assert_error(error, STORAGE_ERROR, STORAGE_ERROR_TRANSIENT);
    g_assert_cmpstr(error->message, ==, "s02: no answer");
    g_assert_cmpuint(n_visits, ==, 3);
}

static void
test_nothing_is_soon_done(void)
{
    const SessionWalk walk = {N_THREADS, fail_at_third, NULL, NULL};
    g_autoptr(GPtrArray) none = g_ptr_array_new();
    g_autoptr(GError) error = NULL;

    g_assert_true(session_walk(&walk, none, &error));
    g_assert_no_error(error);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/session-walk/visits-several-at-once-each-once",
                    test_visits_several_at_once_each_once);
    g_test_add_func("/session-walk/begins-nothing-after-a-failure",
                    test_begins_nothing_after_a_failure);
    g_test_add_func("/session-walk/nothing-is-soon-done", test_nothing_is_soon_done);
    return g_test_run();
}
