#include "tests/fakes/settings_fixture.h"

#include <string.h>

static void
test_example_loads(SettingsFixture *fixture, gconstpointer unused)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Settings) settings = settings_load(fixture->path, &error);

    g_assert_no_error(error);
    g_assert_true(g_str_has_suffix(settings->audit->pseudonym_key_path, "/keys/pseudonym.key"));
    g_assert_false(settings->audit->hides_people);
}

/* Writes the example with `text` in place of the line that says how people stand. */
static void
write_people(const SettingsFixture *fixture, const char *text)
{
    g_autofree char *good = settings_fixture_good();
    g_autofree char *changed = settings_fixture_replace(good, "people = \"ids\";", text);

    settings_fixture_write(fixture->path, changed);
}

static void
test_people_may_be_hidden(SettingsFixture *fixture, gconstpointer unused)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Settings) settings = NULL;

    write_people(fixture, "people = \"pseudonyms\";");
    settings = settings_load(fixture->path, &error);
    g_assert_no_error(error);
    g_assert_true(settings->audit->hides_people);
}

static void
test_refuses_another_form(SettingsFixture *fixture, gconstpointer unused)
{
    write_people(fixture, "people = \"names\";");
    settings_fixture_fault(fixture, CONFIG_ERROR_INVALID,
                           "audit.people: must be \"ids\" or \"pseudonyms\"");
}

static void
test_pseudonyms_need_their_key(SettingsFixture *fixture, gconstpointer unused)
{
    g_autofree char *good = settings_fixture_good();
    g_autofree char *hidden =
        settings_fixture_replace(good, "people = \"ids\";", "people = \"pseudonyms\";");
    g_autofree char *text =
        settings_fixture_replace(hidden, "pseudonym_key = \"keys/pseudonym.key\";", "");

    settings_fixture_write(fixture->path, text);
    settings_fixture_fault(fixture, CONFIG_ERROR_INVALID, "needs audit.pseudonym_key");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    settings_fixture_start();
    settings_fixture_add("audit-settings", "example-loads", test_example_loads);
    settings_fixture_add("audit-settings", "people-may-be-hidden", test_people_may_be_hidden);
    settings_fixture_add("audit-settings", "refuses-another-form", test_refuses_another_form);
    settings_fixture_add("audit-settings", "pseudonyms-need-their-key",
                         test_pseudonyms_need_their_key);
    return g_test_run();
}
