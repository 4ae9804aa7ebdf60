#include "tests/fakes/settings_fixture.h"

#include <string.h>

static void
test_example_loads(SettingsFixture *fixture, gconstpointer unused)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Settings) settings = settings_load(fixture->path, &error);

    g_assert_no_error(error);
    g_assert_true(g_str_has_suffix(settings->keys->signing_key_path, "/keys/admin.key"));
    g_assert_cmpstr(settings->keys->audit_path, ==, settings->audit_path);
    g_assert_true(g_str_has_suffix(settings->keys->ledger_path, "/erased"));
    g_assert_cmpuint(settings->keys->opener_keys->len, ==, 1);
    g_assert_cmpuint(settings->keys->admin_keys->len, ==, 1);
}

/* As an installation has it that is older than these settings. */
static void
test_all_may_be_left_out(SettingsFixture *fixture, gconstpointer unused)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *good = settings_fixture_good();
    g_autofree char *keys = settings_fixture_replace(good, "signing_key = \"keys/admin.key\";", "");
    g_autofree char *openers =
        settings_fixture_replace(keys, "trusted_openers", "# trusted_openers");
    char *end = strstr(openers, "# trusted_openers");
    char *orgs = strstr(openers, "# One file for each organisation");
    g_autofree char *text = NULL;
    g_autoptr(Settings) settings = NULL;

    g_assert_true(end != NULL && orgs != NULL);
    text = g_strdup_printf("%.*s%s", (int) (end - openers), openers, orgs);
    settings_fixture_write(fixture->path, text);
    settings = settings_load(fixture->path, &error);
    g_assert_no_error(error);
    g_assert_null(settings->keys->signing_key_path);
    g_assert_cmpuint(settings->keys->opener_keys->len, ==, 0);
    g_assert_cmpuint(settings->keys->admin_keys->len, ==, 0);
}

static void
test_refuses_what_is_no_key(SettingsFixture *fixture, gconstpointer unused)
{
    g_autofree char *good = settings_fixture_good();
    g_autofree char *text =
        settings_fixture_replace(good, "trusted_admins = [", "trusted_admins = [ \"admin\",");

    settings_fixture_write(fixture->path, text);
    settings_fixture_fault(fixture, CONFIG_ERROR_INVALID, "trusted_admins: must be a list");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    settings_fixture_start();
    settings_fixture_add("key-settings", "example-loads", test_example_loads);
    settings_fixture_add("key-settings", "all-may-be-left-out", test_all_may_be_left_out);
    settings_fixture_add("key-settings", "refuses-what-is-no-key", test_refuses_what_is_no_key);
    return g_test_run();
}
