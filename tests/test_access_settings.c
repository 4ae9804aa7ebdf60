#include "tests/fakes/settings_fixture.h"

#include <glib/gstdio.h>
#include <string.h>

#define SOCKET "    socket = \"run/access.sock\";\n"

static Settings *
load(const SettingsFixture *fixture)
{
    g_autoptr(GError) error = NULL;
    Settings *settings = settings_load(fixture->path, &error);

    g_assert_no_error(error);
    return settings;
}

/* Puts `lines` into the group behind its socket. */
static void
write_with(const SettingsFixture *fixture, const char *lines)
{
    g_autofree char *good = settings_fixture_good();
    g_autofree char *with = g_strconcat(SOCKET, lines, NULL);
    g_autofree char *text = settings_fixture_replace(good, SOCKET, with);

    settings_fixture_write(fixture->path, text);
}

static void
test_example_loads(SettingsFixture *fixture, gconstpointer unused)
{
    g_autoptr(Settings) settings = load(fixture);
    const AccessSettings *access = settings->access;
    g_autofree char *key = g_build_filename(fixture->folder, "keys", "clinic-a.key", NULL);
    g_autofree char *state = g_build_filename(fixture->folder, "access", NULL);

    g_assert_nonnull(access);
    g_assert_true(g_str_has_suffix(access->socket_path, "/run/access.sock"));
    g_assert_cmpstr(access->audit_path, ==, settings->audit_path);
    g_assert_cmpstr(access->state_path, ==, state);
    g_assert_cmpuint(g_strv_length(access->identity_paths), ==, 1);
    g_assert_cmpstr(access->identity_paths[0], ==, key);
    g_assert_null(access->passphrase_path);
    g_assert_null(access->tls_address);
    g_assert_cmpuint(access->max_grants, ==, 1000);
    g_assert_cmpuint(access->max_streams, ==, 256);
    g_assert_cmpuint(access->person_per_minute, ==, 60);
}

static void
test_group_may_be_left_out(SettingsFixture *fixture, gconstpointer unused)
{
    g_autofree char *good = settings_fixture_good();
    const char *start = strstr(good, "access:\n");
    const char *end = start != NULL ? strstr(start, "\n};\n") : NULL;
    g_autofree char *text = NULL;

    g_assert_nonnull(end);
    text = g_strdup_printf("%.*s%s", (int) (start - good), good, end + strlen("\n};\n"));
    settings_fixture_write(fixture->path, text);
    g_autoptr(Settings) settings = load(fixture);
    g_assert_null(settings->access);
}

static void
test_credentials_of_the_unit_are_files(SettingsFixture *fixture, gconstpointer unused)
{
    write_with(fixture, "passphrase_file = \"systemd:phrase\";\n");
    g_setenv("CREDENTIALS_DIRECTORY", "/run/credentials/unit", TRUE);
    g_autoptr(Settings) settings = load(fixture);

    g_assert_cmpstr(settings->access->passphrase_path, ==, "/run/credentials/unit/phrase");
    g_unsetenv("CREDENTIALS_DIRECTORY");
}

static void
test_names_what_is_wrong(SettingsFixture *fixture, gconstpointer unused)
{
    static const char *const rows[][2] = {
        {"passphrase_file = \"secret\";\n",                                                     "access.passphrase_file: must be a path, or"      },
        {"passphrase_file = \"systemd:\";\n",                                                   "access.passphrase_file: must be a path, or"      },
        {"store_credentials = \"keys/s3\";\n",
         "access.store_credentials: is for a store of type s3"                                                                                    },
        {"max_person_minutes = 3;\n",                                                           "access.max_person_minutes"                       },
        {"tls: { listen = \"8443\"; certificate = \"c\"; key = \"k\"; client_ca = \"a\"; };\n",
         "access.tls.listen: must be an address and a port"                                                                                       },
        {"tls: { listen = \"10.0.0.5:99999\"; certificate = \"c\"; key = \"k\"; client_ca = \"a\"; "
         "};\n",                                                                       "access.tls.listen: must be an address and a port"},
        {"tls: { listen = \"10.0.0.5:8443\"; certificate = \"c\"; key = \"k\"; };\n",
         "access.tls: needs client_ca"                                                                                                            },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        write_with(fixture, rows[i][0]);
        settings_fixture_fault(fixture, CONFIG_ERROR_INVALID, rows[i][1]);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    settings_fixture_start();
    settings_fixture_add("access_settings", "example-loads", test_example_loads);
    settings_fixture_add("access_settings", "group-may-be-left-out", test_group_may_be_left_out);
    settings_fixture_add("access_settings", "credentials-of-the-unit-are-files",
                         test_credentials_of_the_unit_are_files);
    settings_fixture_add("access_settings", "names-what-is-wrong", test_names_what_is_wrong);
    return g_test_run();
}
