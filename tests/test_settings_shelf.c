#include "agent/opener/settings_shelf.h"

/* None is like another, and all can be freed. */
static Settings *
settings_for_test(void)
{
    Settings *settings = g_new0(Settings, 1);

    settings->orgs = g_ptr_array_new();
    return settings;
}

static void
test_keeps_what_is_held(void)
{
    g_autoptr(SettingsShelf) shelf = settings_shelf_new(settings_for_test());
    const Settings *first = settings_shelf_current(shelf);
    const Settings *second = NULL;

    settings_shelf_put(shelf, settings_for_test());
    second = settings_shelf_hold(shelf);
    g_assert_true(second == settings_shelf_hold(shelf) && second != first);

    settings_shelf_put(shelf, settings_for_test());
    settings_shelf_put(shelf, settings_for_test());
    settings_shelf_release(shelf, second);

    g_assert_cmpuint(settings_shelf_count(shelf), ==, 3); /* the first, the held, those in force */
    g_assert_cmpuint(second->orgs->len, ==, 0);           /* and not freed */
    settings_shelf_release(shelf, second);
    g_assert_cmpuint(settings_shelf_count(shelf), ==, 2);
}

static void
test_gives_what_is_in_force(void)
{
    g_autoptr(SettingsShelf) shelf = settings_shelf_new(settings_for_test());
    Settings *newer = settings_for_test();
    const Settings *held = settings_shelf_hold(shelf);

    settings_shelf_put(shelf, newer);

    g_assert_true(settings_shelf_current(shelf) == newer);
    settings_shelf_release(shelf, held);
    held = settings_shelf_hold(shelf);
    g_assert_true(held == newer);
    settings_shelf_release(shelf, held);
    g_assert_true(settings_shelf_current(shelf) == newer);
}

/* However often they are read again. */
static void
test_drops_what_nobody_holds(void)
{
    g_autoptr(SettingsShelf) shelf = settings_shelf_new(settings_for_test());
    const Settings *first = settings_shelf_current(shelf);

    for (int i = 0; i < 1000; i++)
        settings_shelf_put(shelf, settings_for_test());

    g_assert_cmpuint(settings_shelf_count(shelf), ==, 2);
    g_assert_cmpuint(first->orgs->len, ==, 0); /* the first stay */
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
    g_test_add_func("/settings-shelf/keeps-what-is-held", test_keeps_what_is_held);
    g_test_add_func("/settings-shelf/gives-what-is-in-force", test_gives_what_is_in_force);
    g_test_add_func("/settings-shelf/drops-what-nobody-holds", test_drops_what_nobody_holds);
    return g_test_run();
}
