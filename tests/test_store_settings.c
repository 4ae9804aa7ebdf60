#include "tests/fakes/settings_fixture.h"

#include <string.h>

/* What the example's store is replaced with. */
#define S3_STORE                                                                                   \
    "type = \"s3\";\n    baa = true;\n    endpoint = \"https://s3.example.org\";\n"                \
    "    bucket = \"recordings\";\n    region = \"eu-central-1\";\n"                               \
    "    credentials = \"keys/s3\";\n"

static void
write_store(const SettingsFixture *fixture, const char *store)
{
    g_autofree char *good = settings_fixture_good();
    g_autofree char *text =
        settings_fixture_replace(good, "    type = \"directory\";\n    path = \"store\";\n", store);

    settings_fixture_write(fixture->path, text);
}

static Settings *
load_store(const SettingsFixture *fixture, const char *store)
{
    g_autoptr(GError) error = NULL;
    Settings *settings = NULL;

    write_store(fixture, store);
    settings = settings_load(fixture->path, &error);
    g_assert_no_error(error);
    return settings;
}

static void
test_reads_a_directory(SettingsFixture *fixture, gconstpointer unused)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Settings) settings = settings_load(fixture->path, &error);
    g_autofree char *path = g_build_filename(fixture->folder, "store", NULL);

    g_assert_no_error(error);
    g_assert_cmpint(settings->store.type, ==, STORE_TYPE_DIRECTORY);
    g_assert_cmpstr(settings->store.path, ==, path);
}

static void
test_reads_what_s3_needs(SettingsFixture *fixture, gconstpointer unused)
{
    g_autoptr(Settings) settings = load_store(fixture, S3_STORE);
    g_autofree char *key = g_build_filename(fixture->folder, "keys", "s3", NULL);
    const StoreSettings *store = &settings->store;

    g_assert_cmpint(store->type, ==, STORE_TYPE_S3);
    g_assert_null(store->path);
    g_assert_cmpstr(store->endpoint, ==, "https://s3.example.org");
    g_assert_cmpstr(store->bucket, ==, "recordings");
    g_assert_cmpstr(store->region, ==, "eu-central-1");
    g_assert_cmpstr(store->credentials, ==, key);
    g_assert_false(store->has_host_style);
    g_assert_null(store->ca_file);
    g_assert_cmpuint(store->pins->len, ==, 1);
    g_assert_null(store->pins->pdata[0]);
    g_assert_cmpint(store->lock, ==, STORE_LOCK_NONE);
    g_assert_false(store->legal_hold);
    g_assert_cmpuint(store->max_concurrent, ==, 0);
    g_assert_cmpuint(store->attempt_ms, ==, 0);
}

static void
test_reads_all_of_s3(SettingsFixture *fixture, gconstpointer unused)
{
    g_autoptr(Settings) settings = load_store(
        fixture, S3_STORE
        "    style = \"host\"; prefix = \"a/b/\"; ca_file = \"ca.pem\";\n"
        "    pins = [ \"sha256//x\", \"sha256//y\" ]; proxy = \"http://127.0.0.1:3128\";\n"
        "    encryption = \"aws:kms\"; kms_key_id = \"k\"; storage_class = \"STANDARD_IA\";\n"
        "    tags = \"a=b\"; lock = \"compliance\"; lock_days = 2190; legal_hold = true;\n"
        "    max_concurrent = 8; max_upload_kbit_s = 20000; attempt_ms = 20000; retry_ms = "
        "5000;\n");
    g_autofree char *ca_file = g_build_filename(fixture->folder, "ca.pem", NULL);
    const StoreSettings *store = &settings->store;

    g_assert_true(store->has_host_style);
    g_assert_cmpstr(store->prefix, ==, "a/b/");
    g_assert_cmpstr(store->ca_file, ==, ca_file);
    g_assert_cmpuint(store->pins->len, ==, 3);
    g_assert_cmpstr(store->pins->pdata[1], ==, "sha256//y");
    g_assert_null(store->pins->pdata[2]);
    g_assert_cmpstr(store->proxy, ==, "http://127.0.0.1:3128");
    g_assert_cmpstr(store->encryption, ==, "aws:kms");
    g_assert_cmpstr(store->kms_key_id, ==, "k");
    g_assert_cmpstr(store->storage_class, ==, "STANDARD_IA");
    g_assert_cmpstr(store->tags, ==, "a=b");
    g_assert_cmpint(store->lock, ==, STORE_LOCK_COMPLIANCE);
    g_assert_cmpuint(store->lock_days, ==, 2190);
    g_assert_true(store->legal_hold);
    g_assert_cmpuint(store->max_concurrent, ==, 8);
    g_assert_cmpuint(store->max_upload_kbit_s, ==, 20000);
    g_assert_cmpuint(store->attempt_ms, ==, 20000);
    g_assert_cmpuint(store->retry_ms, ==, 5000);
}

static void
test_words_for_credentials_are_no_files(SettingsFixture *fixture, gconstpointer unused)
{
    static const char *const words[] = {"environment",  "instance",       "container",
                                        "web-identity", "systemd:s3-key", "/etc/sealtape/s3-key"};

    for (size_t i = 0; i < G_N_ELEMENTS(words); i++) {
        g_autofree char *store = settings_fixture_replace(S3_STORE, "keys/s3", words[i]);
        g_autoptr(Settings) settings = load_store(fixture, store);

        g_assert_cmpstr(settings->store.credentials, ==, words[i]);
    }
}

/* One change to a good store, and the sentence it gives. */
static void
test_names_the_fault(SettingsFixture *fixture, gconstpointer unused)
{
    static const struct {
        const char *what, *with, *sentence;
    } rows[] = {
        {"baa = true;",                            "",
         "sealtape.conf: store.baa: must be true, which says that a business associate agreement"                                                    },
        {"baa = true",                             "baa = false",                               "store.baa: must be true, which says"                },
        {"baa = true",                             "baa = \"yes\"",                             "store.baa: must be true or false"                   },
        {"region = \"eu-central-1\";",             "",
         "sealtape.conf: store.region: is missing; it must be the region"                                                                            },
        {"endpoint = \"https://s3.example.org\";", "",
         "store.endpoint: is missing; it must be https://HOST"                                                                                       },
        {"bucket = \"recordings\";",               "",                                          "store.bucket: is missing"                           },
        {"credentials = \"keys/s3\";",             "",
         "store.credentials: is missing; it must be environment, "                                                                                   },
        {"\"https://s3.example.org\"",             "\"s3.example.org\"",
         "store.endpoint: must be https://HOST or https://HOST:PORT"                                                                                 },
        {"\"keys/s3\"",                            "\"enviroment\"",                            "store.credentials: must be environment, instance, " },
        {"baa",                                    "path = \"store\"; baa",
         "store.path: belongs to a store of type \"directory\", and this one is \"s3\""                                                              },
        {"type = \"s3\"",                          "type = \"directory\"; path = \"store\"",
         "store.baa: belongs to a store of type \"s3\", and this one is \"directory\""                                                               },
        {"baa",                                    "style = \"virtual\"; baa",                  "store.style: must be \"path\" or \"host\""          },
        {"baa",                                    "pins = [ \"x\" ]; baa",
         "store.pins: must be a list of one to eight sha256//BASE64; entry 1 is not"                                                                 },
        {"baa",                                    "proxy = \"proxy:3128\"; baa",               "store.proxy: must be http://HOST:PORT"              },
        {"baa",                                    "encryption = \"DES\"; baa",                 "store.encryption: must be \"AES256\" or \"aws:kms\""},
        {"baa",                                    "kms_key_id = \"k\"; baa",                   "store.kms_key_id: needs encryption = \"aws:kms\""   },
        {"baa",                                    "lock = \"forever\"; lock_days = 1; baa",
         "store.lock: must be \"governance\" or \"compliance\""                                                                                      },
        {"baa",                                    "lock = \"compliance\"; baa",
         "store.lock_days: is missing; `lock` must say for how many days"                                                                            },
        {"baa",                                    "lock_days = 1; baa",                        "store.lock: is missing; `lock_days` needs"          },
        {"baa",                                    "lock = \"compliance\"; lock_days = 0; baa",
         "store.lock_days: must be 1 to 36500 (days), and is 0"                                                                                      },
        {"baa",                                    "max_concurrent = 65; baa",                  "store.max_concurrent: must be 1 to 64"              },
        {"baa",                                    "max_upload_kbit_s = 63; baa",
         "store.max_upload_kbit_s: must be 64 to 100000000 (kbit/s)"                                                                                 },
        {"baa",                                    "attempt_ms = 999; baa",                     "store.attempt_ms: must be 1000 to 600000"           },
        {"baa",                                    "secret = \"x\"; baa",
         "store.secret: there is no such setting; here may stand: type, replicas, path, baa, "                                                       },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *store = settings_fixture_replace(S3_STORE, rows[i].what, rows[i].with);

        write_store(fixture, store);
        settings_fixture_fault(fixture, CONFIG_ERROR_INVALID, rows[i].sentence);
    }
}

static void
test_a_directory_needs_a_path(SettingsFixture *fixture, gconstpointer unused)
{
    write_store(fixture, "type = \"directory\";");
    settings_fixture_fault(fixture, CONFIG_ERROR_INVALID,
                           "sealtape.conf: store.path: is missing; it must be a path");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
    settings_fixture_start();
    settings_fixture_add("store-settings", "reads-a-directory", test_reads_a_directory);
    settings_fixture_add("store-settings", "reads-what-s3-needs", test_reads_what_s3_needs);
    settings_fixture_add("store-settings", "reads-all-of-s3", test_reads_all_of_s3);
    settings_fixture_add("store-settings", "words-for-credentials-are-no-files",
                         test_words_for_credentials_are_no_files);
    settings_fixture_add("store-settings", "names-the-fault", test_names_the_fault);
    settings_fixture_add("store-settings", "a-directory-needs-a-path",
                         test_a_directory_needs_a_path);
    return g_test_run();
}
