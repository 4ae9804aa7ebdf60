#include "tests/fakes/settings_fixture.h"

#include <glib/gstdio.h>
#include <string.h>

static void
assert_limits(const Settings *settings)
{
    g_assert_cmpuint(settings->max_tracks, ==, 2000);
    g_assert_cmpuint(settings->max_sessions, ==, 1000);
    g_assert_cmpuint(settings->max_session_tracks, ==, 64);
    g_assert_cmpuint(settings->max_session_participants, ==, 64);
    g_assert_cmpuint(settings->max_session_s, ==, 86400);
    g_assert_cmpuint(settings->max_session_mib, ==, 65536);
    g_assert_cmpuint(settings->max_track_kbps, ==, 20000);
    g_assert_cmpuint(settings->max_session_kbps, ==, 100000);
}

static void
test_examples_load(SettingsFixture *fixture, gconstpointer unused)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Settings) settings = settings_load(fixture->path, &error);
    const OrgSettings *org = NULL;
    g_autofree char *socket = g_build_filename(fixture->folder, "run", "recorder.sock", NULL);
    g_autofree char *key = g_build_filename(fixture->folder, "keys", "recorder.key", NULL);

    g_assert_no_error(error);
    g_assert_cmpstr(settings->socket_path, ==, socket);
    g_assert_cmpstr(settings->signing_key_path, ==, key);
    g_assert_cmpstr(settings->rtp_address, ==, "127.0.0.1");
    g_assert_cmpuint(settings->rtp_first_port, ==, 40000);
    g_assert_cmpuint(settings->rtp_last_port, ==, 43999);
    g_assert_cmpuint(settings->segment_ms, ==, 4000);
    g_assert_cmpuint(settings->object_ms, ==, 20000);
    g_assert_cmpuint(settings->reorder_ms, ==, 500);
    g_assert_cmpuint(settings->orphan_s, ==, 3600);
    g_assert_cmpuint(settings->spool_free.warn.percent, ==, 15);
    g_assert_cmpuint(settings->spool_free.refuse.percent, ==, 5);
    g_assert_cmpuint(settings->spool_free.critical.percent, ==, 2);
    assert_limits(settings);
    g_assert_cmpuint(settings->verifier_keys->len, ==, 1);
    org = settings_org(settings, "clinic-a");
    g_assert_nonnull(org);
    g_assert_cmpuint(org->recipients->len, ==, 2);
    g_assert_cmpstr(org->recipients->pdata[0], ==, settings_fixture_recipients[0]);
    g_assert_cmpuint(g_strv_length(org->consent->purposes), ==, 2);
    g_assert_null(org->consent->text_version);
    g_assert_false(org->consent->evidence_required);
    g_assert_null(settings_org(settings, "clinic-b"));
}

/* The placeholders must be filled in: nobody records for a key that nobody holds. */
static void
test_examples_do_not_load_unfilled(SettingsFixture *fixture, gconstpointer unused)
{
    g_autofree char *org = settings_fixture_example("orgs/clinic-a.conf.example");
    g_autofree char *settings = settings_fixture_example("sealtape.conf.example");

    settings_fixture_write(fixture->org_path, org);
    settings_fixture_fault(fixture, CONFIG_ERROR_INVALID,
                           "recipients: must be two to sixteen age recipients");
    settings_fixture_write(fixture->path, settings);
    settings_fixture_fault(fixture, CONFIG_ERROR_INVALID, "trusted_recorders: must be a list");
}

/* What systemd decrypts for a unit lies where only the unit looks. */
static void
test_a_path_may_be_a_credential(SettingsFixture *fixture, gconstpointer unused)
{
    g_autofree char *text =
        g_strdup_printf("recorder: { socket = \"/run/s\"; spool = \"s\"; signing_key = "
                        "\"systemd:recorder.key\"; };\n"
                        "store: { type = \"directory\"; path = \"/srv/store/\"; };\n"
                        "trusted_recorders = [ \"%s\" ];\norgs = \"orgs\";\n",
                        settings_fixture_verifier_key);
    g_autoptr(GError) error = NULL;
    g_autoptr(Settings) outside = NULL;
    g_autoptr(Settings) inside = NULL;
    settings_fixture_write(fixture->path, text);

    outside = settings_load(fixture->path, &error);
    g_assert_no_error(error);
    g_setenv("CREDENTIALS_DIRECTORY", "/run/credentials/sealtaped.service", TRUE);
    inside = settings_load(fixture->path, &error);
    g_assert_no_error(error);
    g_unsetenv("CREDENTIALS_DIRECTORY");

    g_assert_cmpstr(outside->signing_key_path, ==, "systemd:recorder.key");
    g_assert_cmpstr(inside->signing_key_path, ==,
                    "/run/credentials/sealtaped.service/recorder.key");
}

static void
test_what_is_left_out_has_a_value(SettingsFixture *fixture, gconstpointer unused)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *text = g_strdup_printf(
        "recorder: { socket = \"/run/s\"; spool = \"../spool\"; signing_key = \"k\"; };\n"
        "store: { type = \"directory\"; path = \"/srv/store/\"; };\n"
        "trusted_recorders = [ \"%s\" ];\norgs = \"orgs\";\n",
        settings_fixture_verifier_key);
    g_autofree char *parent = g_path_get_dirname(fixture->folder);
    g_autofree char *spool = g_build_filename(parent, "spool", NULL);
    g_autoptr(Settings) settings = NULL;

    settings_fixture_write(fixture->path, text);
    settings = settings_load(fixture->path, &error);

    g_assert_no_error(error);
    g_assert_cmpstr(settings->socket_path, ==, "/run/s");
    g_assert_cmpstr(settings->spool_path, ==, spool);
    g_assert_cmpstr(settings->rtp_address, ==, "127.0.0.1");
    g_assert_cmpuint(settings->rtp_first_port, ==, 40000);
    g_assert_cmpuint(settings->segment_ms, ==, 4000);
    assert_limits(settings);
}

static void
test_janus_may_be_named(SettingsFixture *fixture, gconstpointer unused)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *good = settings_fixture_good();
    g_autofree char *text =
        g_strconcat(good,
                    "janus: { url = \"https://janus:8089/janus\"; api_secret_file = \"keys/a\";"
                    " ca_file = \"/etc/ca.pem\"; room_pin_file = \"/etc/pin\"; };\n",
                    NULL);
    g_autofree char *secret = g_build_filename(fixture->folder, "keys", "a", NULL);
    g_autoptr(Settings) without = settings_load(fixture->path, &error);
    g_autoptr(Settings) settings = NULL;

    g_assert_no_error(error);
    g_assert_null(without->janus);
    settings_fixture_write(fixture->path, text);
    settings = settings_load(fixture->path, &error);

    g_assert_no_error(error);
    g_assert_cmpstr(settings->janus->url, ==, "https://janus:8089/janus");
    g_assert_cmpstr(settings->janus->rtp_host, ==, "127.0.0.1");
    g_assert_cmpstr(settings->janus->api_secret_path, ==, secret);
    g_assert_null(settings->janus->room_secret_path);
    g_assert_cmpstr(settings->janus->ca_path, ==, "/etc/ca.pem");
    g_assert_cmpstr(settings->janus->room_pin_path, ==, "/etc/pin");
}

/* One change to the good file, and the sentence it gives. */
typedef struct {
    const char *what;
    const char *with;
    const char *sentence;
} Row;

static void
test_names_the_fault_of_the_settings(SettingsFixture *fixture, gconstpointer unused)
{
    static const Row rows[] = {
        {"segment_ms",                    "segment_msec",
         "sealtape.conf:39: recorder.segment_msec: there is no such setting; here may stand: "
         "socket, spool, "                                                                                                                                     },
        {"spool = \"spool\"",             "spool = 31",
         "sealtape.conf:13: recorder.spool: must be a path in double quotes"                                                                                   },
        {"spool = \"spool\"",             "spool = \"\"",                                               "recorder.spool: must be a text that is not empty"     },
        {"spool = \"spool\";",            "",
         "sealtape.conf: recorder.spool: is missing; it must be a path in double quotes"                                                                       },
        {"segment_ms = 4000",             "segment_ms = 999",
         "sealtape.conf:39: recorder.segment_ms: must be 1000 to 30000 (milliseconds), and is 999"                                                             },
        {"segment_ms = 4000",             "segment_ms = 30001",
         "must be 1000 to 30000 (milliseconds), and is 30001"                                                                                                  },
        {"segment_ms = 4000",             "segment_ms = 4000.5",                                        "recorder.segment_ms: must be 1000 to 30000"           },
        {"segment_ms = 4000",             "segment_ms = \"4000\"",
         "recorder.segment_ms: must be 1000 to 30000"                                                                                                          },
        {"segment_ms = 4000",             "segment_ms = 99999999999999999999",                          "sealtape.conf:39: "                                   },
        {"object_ms = 20000",             "object_ms = 3999",
         "recorder.object_ms: must be segment_ms (4000) to 300000 (milliseconds), and is 3999"                                                                 },
        {"reorder_ms = 500",              "reorder_ms = -1",                                            "recorder.reorder_ms: must be 0 to 5000"               },
        {"warn = \"15%\"",                "warn = \"4%\"",
         "recorder.spool_free: warn, refuse and critical (15%, 5%, 2%"                                                                                         },
        {"refuse = \"5%\"",               "refuse = \"500M\"",
         "recorder.spool_free: warn, refuse and critical (15%, 5%, 2%"                                                                                         },
        {"critical = \"2%\"",             "critical = \"2\"",
         "recorder.spool_free.critical: must be a share of the disk from 1% to 90%, or a size"                                                                 },
        {"orphan_s = 3600",               "orphan_s = -1",                                              "recorder.orphan_s: must be 0 to 604800"               },
        {"max_sessions = 1000",           "max_sessions = 0",                                           "recorder.max_sessions: must be 1 to 30000"            },
        {"max_session_tracks = 64",       "max_session_tracks = 257",
         "recorder.max_session_tracks: must be 1 to 256, and is 257"                                                                                           },
        {"max_session_participants = 64", "max_session_participants = 0",
         "recorder.max_session_participants: must be 1 to 256"                                                                                                 },
        {"max_session_s = 86400",         "max_session_s = 0",
         "recorder.max_session_s: must be 1 to 2592000 (seconds)"                                                                                              },
        {"max_session_mib = 65536",       "max_session_mib = 0",
         "recorder.max_session_mib: must be 1 to 16777216 (MiB)"                                                                                               },
        {"max_track_kbps = 20000",        "max_track_kbps = 31",
         "recorder.max_track_kbps: must be 32 to 1000000 (1000 bits a second), and is 31"                                                                      },
        {"max_session_kbps = 100000",     "max_session_kbps = 1000001",
         "recorder.max_session_kbps: must be 32 to 1000000 (1000 bits a second)"                                                                               },
        {"max_tracks = 2000",             "max_tracks = 0",                                             "recorder.max_tracks: must be 1 to 30000"              },
        {"first_port = 40000",            "first_port = 40001",
         "recorder.rtp.first_port: must be an even port"                                                                                                       },
        {"first_port = 40000",            "first_port = 44000",
         "recorder.rtp.last_port: must be greater than first_port, which is 44000"                                                                             },
        {"last_port = 43999",             "last_port = 65536",
         "recorder.rtp.last_port: must be a port, 1025 to 65535, and is 65536"                                                                                 },
        {"\"127.0.0.1\"",                 "\"localhost\"",                                              "recorder.rtp.address: must be an IPv4 or IPv6 address"},
        {"rtp:\n    {",                   "rtp:\n    { ports = 3;",
         "recorder.rtp.ports: there is no such setting; here may stand: address, first_port, "
         "last_port"                                                                                                                                           },
        {"\"directory\"",                 "\"tape\"",                                                   "store.type: must be \"directory\""                    },
        {"orgs = \"orgs\"",               "orgs = \"orgs\";\njanus: { }",
         "janus: needs url, the URL of Janus' HTTP API"                                                                                                        },
        {"orgs = \"orgs\"",               "orgs = \"orgs\";\njanus: { url = \"ftp://a/janus\"; }",
         "janus.url: must be the URL of Janus' HTTP API"                                                                                                       },
        {"orgs = \"orgs\"",               "orgs = \"orgs\";\njanus: { url = \"http:///janus\"; }",
         "janus.url: must be"                                                                                                                                  },
        {"orgs = \"orgs\"",               "orgs = \"orgs\";\njanus: { url = \"http://a/janus?x=1\"; }",
         "janus.url: must be"                                                                                                                                  },
        {"orgs = \"orgs\"",
         "orgs = \"orgs\";\njanus: { url = \"http://a/janus\"; rtp_host = \"here\"; }",                 "janus.rtp_host: must be an IPv4 or IPv6 address"      },
        {"orgs = \"orgs\"",               "orgs = \"orgs\";\njanus: { secret = \"x\"; }",
         "janus.secret: there is no such setting; here may stand: url, rtp_host, ca_file, "
         "api_secret_file, "                                                                                                                                   },
        {"orgs = \"orgs\"",               "orgs = \"elsewhere\"",                                       "elsewhere"                                            },
        {"orgs = \"orgs\"",               "orgs = \"orgs\";\norgs = \"orgs\"",                          "duplicate setting name"                               },
        {"orgs = \"orgs\"",               "orgs = { a = 1; }",
         "orgs: must be the folder of the organisations' files"                                                                                                },
        {"max_tracks = 2000;",            "max_tracks == 2000;",                                        "syntax error"                                         },
        {"recorder:",                     "@include \"more.conf\"\nrecorder:",                          "must not use @include"                                },
        {"recorder:",                     "  @include \"more.conf\"\nrecorder:",                        "must not use @include"                                },
        {"typo",                          "\xff\xfe",                                                   "is not UTF-8 text"                                    },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *good = settings_fixture_good();
        g_autofree char *bad = settings_fixture_replace(good, rows[i].what, rows[i].with);

        settings_fixture_write(fixture->path, bad);
        settings_fixture_fault(fixture,
                               strcmp(rows[i].with, "orgs = \"elsewhere\"") == 0
                                   ? CONFIG_ERROR_UNREADABLE
                                   : CONFIG_ERROR_INVALID,
                               rows[i].sentence);
    }
}

static void
test_names_a_missing_file(SettingsFixture *fixture, gconstpointer unused)
{
    g_assert_cmpint(g_unlink(fixture->path), ==, 0);
    settings_fixture_fault(fixture, CONFIG_ERROR_UNREADABLE, "sealtape.conf");
}

static void
test_refuses_a_giant_file(SettingsFixture *fixture, gconstpointer unused)
{
    g_autofree char *comment = g_strnfill((1 << 20) + 1, '#');

    settings_fixture_write(fixture->path, comment);
    settings_fixture_fault(fixture, CONFIG_ERROR_INVALID, "is longer than 1 MiB");
}

/* Whatever is cut off, the answer is a sentence and never settings that lack something. */
static void
test_refuses_every_cut(SettingsFixture *fixture, gconstpointer unused)
{
    g_autofree char *good = settings_fixture_good();
    size_t needed = (size_t) (strstr(good, "orgs = \"orgs\"") - good) + strlen("orgs = \"orgs\"");

    for (size_t length = 0; length < needed; length += 7) {
        g_autofree char *cut = g_strndup(good, length);
        g_autoptr(GError) error = NULL;

        settings_fixture_write(fixture->path, cut);
        g_assert_null(settings_load(fixture->path, &error));
        g_assert_error(error, CONFIG_ERROR, CONFIG_ERROR_INVALID);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
    settings_fixture_start();
    settings_fixture_add("settings", "examples-load", test_examples_load);
    settings_fixture_add("settings", "examples-do-not-load-unfilled",
                         test_examples_do_not_load_unfilled);
    settings_fixture_add("settings", "a-path-may-be-a-credential", test_a_path_may_be_a_credential);
    settings_fixture_add("settings", "what-is-left-out-has-a-value",
                         test_what_is_left_out_has_a_value);
    settings_fixture_add("settings", "janus-may-be-named", test_janus_may_be_named);
    settings_fixture_add("settings", "names-the-fault-of-the-settings",
                         test_names_the_fault_of_the_settings);
    settings_fixture_add("settings", "names-a-missing-file", test_names_a_missing_file);
    settings_fixture_add("settings", "refuses-a-giant-file", test_refuses_a_giant_file);
    settings_fixture_add("settings", "refuses-every-cut", test_refuses_every_cut);
    return g_test_run();
}
