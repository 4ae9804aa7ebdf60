#include "agent/media/media_format.h"
#include "crypto/crypto_error.h"
#include "tests/fakes/command_run.h"
#include "tests/fakes/rtp_source.h"

#include <glib/gstdio.h>

static VisitFixture *visit; /* recorded once */

static void
test_lists_sessions(void)
{
    g_auto(CommandRun) person = command_run("session list");
    g_auto(CommandRun) run = command_run("session list --json");
    g_auto(CommandRun) other = command_run("session list --org clinic-b --json");
    json_t *list = command_run_json(&run);
    json_t *none = command_run_json(&other);
    const json_t *row = json_array_get(json_object_get(list, "sessions"), 0);

    command_run_check(&person, 0, "visit-1");
    g_assert_cmpstr(json_string_value(json_object_get(row, "org")), ==, "clinic-a");
    g_assert_cmpstr(json_string_value(json_object_get(row, "session")), ==, "visit-1");
    g_assert_cmpstr(json_string_value(json_object_get(row, "state")), ==, "stored");
    g_assert_cmpstr(json_string_value(json_object_get(row, "created")), ==, "2026-11-18T11:06:40Z");
    g_assert_cmpint(json_integer_value(json_object_get(row, "tracks")), ==, 2);
    g_assert_cmpint(json_integer_value(json_object_get(row, "duration_us")), ==, 11000000);
    g_assert_cmpint(json_integer_value(json_object_get(row, "bytes")), >, 10000);
    g_assert_cmpuint(json_array_size(json_object_get(none, "sessions")), ==, 0);
    json_decref(list);
    json_decref(none);
}

static void
test_shows_a_session(void)
{
    g_auto(CommandRun) ascii = command_run("session show visit-1 --ascii");
    g_auto(CommandRun) run = command_run("session show visit-1 --json");
    json_t *shown = command_run_json(&run);
    const json_t *track = json_array_get(json_object_get(shown, "tracks"), 1);
    const json_t *gap = json_array_get(json_object_get(track, "gaps"), 0);

    command_run_check(&ascii, 0, "====");
    command_run_check(&ascii, 0, ":::::");
    command_run_check(&ascii, 0, "p1-video");
    command_run_check(&ascii, 0, ": paused: not everyone present had consented");
    g_assert_true(g_str_is_ascii(ascii.out));
    g_assert_cmpuint(json_array_size(json_object_get(shown, "policies")), ==, 1);
    g_assert_cmpstr(json_string_value(json_object_get(track, "id")), ==, "p1-video");
    g_assert_cmpstr(json_string_value(json_object_get(track, "codec")), ==, "vp8");
    g_assert_cmpstr(json_string_value(json_object_get(track, "participant")), ==, "p1");
    g_assert_cmpint(json_integer_value(json_object_get(track, "segments")), ==, 3);
    g_assert_cmpint(json_integer_value(json_object_get(track, "parts")), ==, 1);
    g_assert_cmpstr(json_string_value(json_object_get(gap, "reason")), ==, "paused");
    json_decref(shown);
}

static void
test_shows_what_is_missing(void)
{
    g_auto(CommandRun) ascii = command_run("session show visit-1 --ascii");
    g_auto(CommandRun) run = command_run("session show visit-1 --json");
    json_t *shown = command_run_json(&run);
    const json_t *track = json_array_get(json_object_get(shown, "tracks"), 1);
    const json_t *counts = json_object_get(track, "counts");
    const json_t *paused = json_object_get(json_object_get(track, "gaps_by_reason"), "paused");
    static const struct {
        const char *name;
        json_int_t wanted;
    } rows[] = {
        {"expected",       800},
        {"received",       776},
        {"lost",           24 },
        {"reordered",      16 },
        {"duplicate",      8  },
        {"late",           3  },
        {"paused",         2  },
        {"foreign",        1  },
        {"kernel_dropped", 4  },
        {"recovered",      9  },
        {"limited",        6  },
        {"beside",         50 },
        {"late_keyframes", 5  },
        {"unreadable",     7  },
    };

    command_run_check(&ascii, 0,
                      "packets: expected 800, received 776, lost 24 (3.0 %), reordered 16, "
                      "duplicate 8, late 3, paused 2, foreign 1, kernel_dropped 4, "
                      "recovered 9, limited 6, beside 50, unreadable 7\n");
    command_run_check(&ascii, 0, "  gaps:    paused 2.000 s in 1 gap\n");
    g_assert_cmpuint(json_object_size(counts), ==, G_N_ELEMENTS(rows));
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_assert_cmpint(json_integer_value(json_object_get(counts, rows[i].name)), ==,
                        rows[i].wanted);
    }
    g_assert_cmpint(json_integer_value(json_object_get(paused, "count")), ==, 1);
    g_assert_cmpint(json_integer_value(json_object_get(paused, "duration_us")), ==,
                    json_integer_value(json_object_get(
                        json_array_get(json_object_get(track, "gaps"), 0), "duration_us")));
    g_assert_cmpint(json_integer_value(json_object_get(track, "cuts_without_keyframe")), ==, 0);
    json_decref(shown);
}

static void
test_verifies(void)
{
    g_auto(CommandRun) person = command_run("verify visit-1");
    g_auto(CommandRun) all = command_run("verify --all");
    g_auto(CommandRun) run = command_run("--json verify visit-1");
    json_t *result = command_run_json(&run);

    command_run_check(&person, 0, "all there, genuine and in order");
    command_run_check(&all, 0, "1 session verified, 0 findings");
    g_assert_true(json_is_true(json_object_get(result, "ok")));
    json_decref(result);
}

static void
test_names_wrong_usage(void)
{
    static const struct {
        const char *line;
        int status;
        const char *said;
    } rows[] = {
        {"recover visit-1 -o x",                      2, "--identity FILE is missing"     },
        {"recover visit-1 -i x",                      2, "--output FILE is missing"       },
        {"recover visit-1 -i x -o y --from 5 --to 4", 2, "`4` is not after --from"        },
        {"recover visit-1 -i x -o y --from soon",     2, "`soon` is no time"              },
        {"recover visit-1 -i x -o y --container avi", 2, "`avi` is no container"          },
        {"recover visit-1 -i x -o - --container mp4", 2, "MP4 needs a file"               },
        {"recover visit-1 -i x -o y --tracks a,,b",   2, "names an empty track"           },
        {"recover -i x -o y",                         2, "an argument is missing"         },
        {"recover a b -i x -o y",                     2, "`b` is one argument too many"   },
        {"verify",                                    2, "either a session or --all"      },
        {"verify a --all",                            2, "either a session or --all"      },
        {"verify --bogus",                            2, "--bogus"                        },
        {"verify nobody",                             1, "the store has no session nobody"},
        {"verify ../x",                               1, "`../x` is not a session's id"   },
        {"session show nobody",                       1, "the store has no session nobody"},
        {"session",                                   2, "an argument is missing"         },
        {"session draw",                              2, "unrelease and fhir"             },
        {"config",                                    2, "an argument is missing"         },
        {"config make",                               2, "neither `check` nor `sign`"     },
        {"frobnicate",                                2, "`frobnicate` is no command"     },
        {"--frobnicate",                              2, "`--frobnicate` is no option"    },
        {"init /tmp/x",                               2, "--org ID is missing"            },
        {"init /tmp/x --org Clinic",                  2, "an organisation's id has"       },
        {"init /tmp/x --org recorder",                2, "names of other keys"            },
        {"--version",                                 0, "sealtape 0."                    },
        {"help",                                      0, "Commands:"                      },
        {"help recover",                              0, "--identity"                     },
        {"session list --help",                       0, "--org"                          },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_auto(CommandRun) run = command_run("%s", rows[i].line);

        command_run_check(&run, rows[i].status, rows[i].said);
    }
}

static void
test_doctor_looks_at_everything(void)
{
    g_auto(CommandRun) person = command_run("doctor");
    g_auto(CommandRun) run = command_run("doctor --json");
    json_t *report = command_run_json(&run);

    command_run_check(&person, 0, "break-glass.key lies beside the recorder's key");
    command_run_check(&person, 0, "Nobody answers on");
    command_run_check(&person, 0, "packets for each socket");
    command_run_check(&person, 0, "`sealtape-accessd --config");
    command_run_check(&person, 0, "4256 that max_tracks = 2000 needs");
    g_assert_cmpuint(json_array_size(json_object_get(report, "checks")), >=, 10);
    g_assert_cmpstr(json_string_value(json_object_get(report, "result")), ==, "warning");
    json_decref(report);
}

static void
test_doctor_fails_without_a_store(void)
{
    g_autofree char *moved = g_strconcat(visit->settings->store.path, "-moved", NULL);
    g_auto(CommandRun) run = {0};

    g_assert_cmpint(g_rename(visit->settings->store.path, moved), ==, 0);
    run = command_run("doctor");
    g_assert_cmpint(g_rename(moved, visit->settings->store.path), ==, 0);
    command_run_check(&run, 1, "failed   store");
}

static void
test_init_overwrites_nothing(void)
{
    g_auto(CommandRun) run = command_run("init %s --org clinic-b", visit->folder);

    command_run_check(&run, 1, "init overwrites nothing");
}

int
main(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    int status = 0;

    g_test_init(&argc, &argv, NULL);
    g_assert_true(crypto_start(&error));
    rtp_source_start();
    g_assert_true(media_start(&error));
    visit = visit_fixture_new();
    visit_fixture_record(visit, "visit-1");
    command_run_use(visit);

    g_test_add_func("/commands/lists-sessions", test_lists_sessions);
    g_test_add_func("/commands/shows-a-session", test_shows_a_session);
    g_test_add_func("/commands/shows-what-is-missing", test_shows_what_is_missing);
    g_test_add_func("/commands/verifies", test_verifies);
    g_test_add_func("/commands/names-wrong-usage", test_names_wrong_usage);
    g_test_add_func("/commands/doctor-looks-at-everything", test_doctor_looks_at_everything);
    g_test_add_func("/commands/doctor-fails-without-a-store", test_doctor_fails_without_a_store);
    g_test_add_func("/commands/init-overwrites-nothing", test_init_overwrites_nothing);
    status = g_test_run();
    visit_fixture_free(visit);
    return status;
}
