#include "tests/fakes/settings_fixture.h"

#include <glib/gstdio.h>

#define FIRST  "    type = \"directory\";\n    path = \"store\";\n"
#define SECOND "store: {\n    type = \"directory\";\n    path = \"second\";\n};\n"
#define THIRD                                                                                      \
    "store: { type = \"s3\"; baa = true; endpoint = \"https://s3.example.org\"; bucket = "         \
    "\"recordings\"; region = \"eu-central-1\"; credentials = \"keys/s3\"; };\n"

/* Into the folder of sealtape.conf. */
static void
write_file(const SettingsFixture *fixture, const char *name, const char *text)
{
    g_autofree char *path = g_build_filename(fixture->folder, name, NULL);

    settings_fixture_write(path, text);
}

static void
remove_file(const SettingsFixture *fixture, const char *name)
{
    g_autofree char *path = g_build_filename(fixture->folder, name, NULL);

    g_assert_cmpint(g_remove(path), ==, 0);
}

static void
name_replicas(const SettingsFixture *fixture, const char *list)
{
    g_autofree char *good = settings_fixture_good();
    g_autofree char *with = g_strconcat(FIRST "    replicas = ", list, ";\n", NULL);
    g_autofree char *text = settings_fixture_replace(good, FIRST, with);

    settings_fixture_write(fixture->path, text);
}

static void
test_reads_each_file(SettingsFixture *fixture, gconstpointer unused)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Settings) settings = NULL;
    g_autofree char *path = g_build_filename(fixture->folder, "second", NULL);
    const StoreSettings *replica = NULL;

    write_file(fixture, "second-site.conf", SECOND);
    write_file(fixture, "cloud.conf", THIRD);
    name_replicas(fixture, "[ \"second-site.conf\", \"cloud.conf\" ]");
    settings = settings_load(fixture->path, &error);

    g_assert_no_error(error);
    g_assert_null(settings->store.name);
    g_assert_cmpuint(settings->store.replicas->len, ==, 2);
    replica = settings->store.replicas->pdata[0];
    g_assert_cmpstr(replica->name, ==, "second-site");
    g_assert_cmpstr(replica->path, ==, path);
    replica = settings->store.replicas->pdata[1];
    g_assert_cmpstr(replica->name, ==, "cloud");
    g_assert_cmpint(replica->type, ==, STORE_TYPE_S3);
    g_assert_cmpstr(replica->bucket, ==, "recordings");
    remove_file(fixture, "second-site.conf");
    remove_file(fixture, "cloud.conf");
}

static void
test_has_none_unless_told(SettingsFixture *fixture, gconstpointer unused)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Settings) settings = settings_load(fixture->path, &error);

    g_assert_no_error(error);
    g_assert_null(settings->store.replicas);
}

static void
test_names_the_fault(SettingsFixture *fixture, gconstpointer unused)
{
    static const struct {
        const char *text; /* of second-site.conf */
        const char *list, *sentence;
    } rows[] = {
        {SECOND,                                                                       "[]",                                               "store.replicas: must be a list of one to eight files"},
        {SECOND,                                                                       "\"second-site.conf\"",                             "store.replicas: must be a list of one to eight files"},
        {"store: { type = \"tape\"; };",                                               "[ \"second-site.conf\" ]",
         "second-site.conf:1: store.type: must be \"directory\" or \"s3\""                                                                                                                       },
        {"",                                                                           "[ \"second-site.conf\" ]",                         "second-site.conf: store: is missing"                 },
        {SECOND "recorder: {};",                                                       "[ \"second-site.conf\" ]",
         "second-site.conf:5: recorder: there is no such setting"                                                                                                                                },
        {"store: { type = \"s3\"; };",                                                 "[ \"second-site.conf\" ]",                         "second-site.conf: store."                            },
        {"store: { type = \"directory\"; path = \"x\"; replicas = [ \"a.conf\" ]; };",
         "[ \"second-site.conf\" ]",                                                                                                       "store.replicas: a replica has none of its own"       },
        {"store: { type = \"directory\"; path = \"store\"; };",                        "[ \"second-site.conf\" ]",
         "store.replicas: second-site: has the same place as the first store"                                                                                                                    },
        {SECOND,                                                                       "[ \"second-site.conf\", \"./second-site.conf\" ]",
         "store.replicas: second-site: has the same place as a replica before it"                                                                                                                },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        write_file(fixture, "second-site.conf", rows[i].text);
        name_replicas(fixture, rows[i].list);
        settings_fixture_fault(fixture, CONFIG_ERROR_INVALID, rows[i].sentence);
    }
    remove_file(fixture, "second-site.conf");
}

static void
test_a_missing_file_is_named(SettingsFixture *fixture, gconstpointer unused)
{
    name_replicas(fixture, "[ \"nowhere.conf\" ]");
    settings_fixture_fault(fixture, CONFIG_ERROR_UNREADABLE, "nowhere.conf");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
    settings_fixture_start();
    settings_fixture_add("replica-settings", "reads-each-file", test_reads_each_file);
    settings_fixture_add("replica-settings", "has-none-unless-told", test_has_none_unless_told);
    settings_fixture_add("replica-settings", "names-the-fault", test_names_the_fault);
    settings_fixture_add("replica-settings", "a-missing-file-is-named",
                         test_a_missing_file_is_named);
    return g_test_run();
}
