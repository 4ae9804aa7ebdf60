#include "agent/media/media_format.h"
#include "crypto/crypto_error.h"
#include "tests/fakes/visit_fixture.h"

#include <gio/gio.h>
#include <glib/gstdio.h>
#include <jansson.h>
#include <string.h>
#include <sys/stat.h>

/* `sealtape` itself, run as a person would run it, over a recorded visit. */

static VisitFixture *visit; /* recorded once; tests that change it record another session */
static char *program;

typedef struct {
    int status;
    char *out;
    char *err;
} Run;

static void
run_clear(Run *self)
{
    g_free(self->out);
    g_free(self->err);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Run, run_clear)

/* `arguments`: split at spaces, behind `sealtape --config FILE`. */
static Run sealtape(const char *format, ...) G_GNUC_PRINTF(1, 2);

static Run
sealtape(const char *format, ...)
{
    g_autoptr(GSubprocess) process = NULL;
    g_autoptr(GError) error = NULL;
    g_autofree char *line = NULL;
    g_autofree char *whole = NULL;
    g_auto(GStrv) argv = NULL;
    Run run = {0};
    va_list arguments;

    va_start(arguments, format);
    line = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    whole = g_strdup_printf("%s --config %s %s", program, visit->config_path, line);
    argv = g_strsplit(whole, " ", -1);
    process =
        g_subprocess_newv((const char *const *) argv,
                          G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_PIPE, &error);
    g_assert_no_error(error);
    g_assert_true(g_subprocess_communicate_utf8(process, NULL, NULL, &run.out, &run.err, &error));
    run.status = g_subprocess_get_exit_status(process);
    return run;
}

static void
assert_run(const Run *run, int status, const char *said)
{
    if (run->status != status || (strstr(run->out, said) == NULL && strstr(run->err, said) == NULL))
        g_error("exit %d instead of %d, or no `%s` in:\n%s\n%s", run->status, status, said,
                run->out, run->err);
}

static json_t *
parse_out(const Run *run)
{
    json_error_t fault;
    json_t *json = json_loads(run->out, 0, &fault);

    if (json == NULL)
        g_error("not JSON: %s: %s", fault.text, run->out);
    return json;
}

static char *
output_path(const char *name)
{
    return g_build_filename(visit->folder, name, NULL);
}

static void
assert_no_file(const char *path)
{
    g_autofree char *folder = g_path_get_dirname(path);
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);

    g_assert_false(g_file_test(path, G_FILE_TEST_EXISTS));
    for (const char *name = g_dir_read_name(dir); name != NULL; name = g_dir_read_name(dir))
        g_assert_null(strstr(name, "partial"));
}

static void
test_lists_sessions(void)
{
    g_auto(Run) person = sealtape("session list");
    g_auto(Run) run = sealtape("session list --json");
    g_auto(Run) other = sealtape("session list --org clinic-b --json");
    json_t *list = parse_out(&run);
    json_t *none = parse_out(&other);
    const json_t *row = json_array_get(json_object_get(list, "sessions"), 0);

    assert_run(&person, 0, "visit-1");
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
    g_auto(Run) ascii = sealtape("session show visit-1 --ascii");
    g_auto(Run) run = sealtape("session show visit-1 --json");
    json_t *shown = parse_out(&run);
    const json_t *track = json_array_get(json_object_get(shown, "tracks"), 1);
    const json_t *gap = json_array_get(json_object_get(track, "gaps"), 0);

    assert_run(&ascii, 0, "====");
    assert_run(&ascii, 0, ":::::");
    assert_run(&ascii, 0, "p1-video");
    assert_run(&ascii, 0, ": paused: not everyone present had consented");
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
test_verifies(void)
{
    g_auto(Run) person = sealtape("verify visit-1");
    g_auto(Run) all = sealtape("verify --all");
    g_auto(Run) run = sealtape("--json verify visit-1");
    json_t *result = parse_out(&run);

    assert_run(&person, 0, "all there, genuine and in order");
    assert_run(&all, 0, "1 session verified, 0 findings");
    g_assert_true(json_is_true(json_object_get(result, "ok")));
    json_decref(result);
}

static void
test_recovers_to_matroska_and_mp4(void)
{
    static const char *const names[] = {"out.mkv", "out.mp4"};
    static const char *const marks[] = {"\x1a\x45\xdf\xa3", "ftyp"};
    static const char *const tracks[] = {"p1-audio,p1-video", "p1-audio"};

    for (size_t i = 0; i < 2; i++) {
        g_autofree char *path = output_path(names[i]);
        g_auto(Run) run = sealtape("recover visit-1 --identity %s --output %s --tracks %s",
                                   visit->org_key, path, tracks[i]);
        g_autofree char *content = NULL;
        gsize n_bytes = 0;
        struct stat found;

        assert_run(&run, 0, "is written");
        g_assert_true(g_file_get_contents(path, &content, &n_bytes, NULL));
        g_assert_cmpuint(n_bytes, >, 20000);
        g_assert_nonnull(memmem(content, 16, marks[i], 4));
        g_assert_cmpint(stat(path, &found), ==, 0);
        g_assert_cmpuint(found.st_mode & 07777, ==, 0600);
        g_assert_cmpint(g_unlink(path), ==, 0);
    }
}

static void
test_says_what_mp4_can_not_hold(void)
{
    g_autofree char *path = output_path("vp8.mp4");
    g_auto(Run) run = sealtape("recover visit-1 -i %s -o %s", visit->org_key, path);

    assert_run(&run, 1, "MP4 can not hold VP8");
    assert_no_file(path);
}

static void
test_recovers_a_track_for_a_time(void)
{
    g_autofree char *whole = output_path("whole.mkv");
    g_autofree char *part = output_path("part.mkv");
    g_auto(Run) one =
        sealtape("recover visit-1 -i %s -o %s --tracks p1-video", visit->break_glass_key, whole);
    g_auto(Run) two = sealtape("recover visit-1 -i %s -o %s --tracks p1-video --from 5 --to 0:06.5",
                               visit->org_key, part);
    struct stat all, some;

    assert_run(&one, 0, "is written");
    assert_run(&two, 0, "is written");
    g_assert_cmpint(stat(whole, &all), ==, 0);
    g_assert_cmpint(stat(part, &some), ==, 0);
    g_assert_cmpint(some.st_size, <, all.st_size / 2);
    g_assert_cmpint(some.st_size, >, 1000);
    g_assert_cmpint(g_unlink(whole), ==, 0);
    g_assert_cmpint(g_unlink(part), ==, 0);
}

static void
test_overwrites_only_when_told(void)
{
    g_autofree char *path = output_path("there.mkv");
    g_auto(Run) refused = {0};
    g_auto(Run) told = {0};
    g_autofree char *content = NULL;

    g_assert_true(g_file_set_contents(path, "mine", 4, NULL));
    refused = sealtape("recover visit-1 -i %s -o %s", visit->org_key, path);
    assert_run(&refused, 1, "there.mkv");
    g_assert_true(g_file_get_contents(path, &content, NULL, NULL));
    g_assert_cmpstr(content, ==, "mine");
    told = sealtape("recover visit-1 -i %s -o %s --overwrite", visit->org_key, path);
    assert_run(&told, 0, "is written");
    g_assert_cmpint(g_unlink(path), ==, 0);
}

static void
test_refuses_identities_that_do_not_fit(void)
{
    g_autofree char *path = output_path("never.mkv");
    g_autofree char *stranger = output_path("stranger.key");
    g_autofree char *missing = output_path("missing.key");
    g_autofree char *signing = g_build_filename(visit->folder, "keys", "recorder.key", NULL);
    g_auto(Run) made = sealtape("age keygen -o %s", stranger);
    g_auto(Run) no_fit = sealtape("recover visit-1 -i %s -o %s", stranger, path);
    g_auto(Run) no_file = sealtape("recover visit-1 -i %s -o %s", missing, path);
    g_auto(Run) no_identity = sealtape("recover visit-1 -i %s -o %s", signing, path);
    g_auto(Run) open_to_all = {0};

    g_assert_cmpint(g_chmod(stranger, 0644), ==, 0);
    open_to_all = sealtape("recover visit-1 -i %s -o %s", stranger, path);
    assert_run(&no_fit, 1,
               "none of the given identities opens envelope clinic-a/visit-1/env/1.age");
    assert_run(&no_file, 1, "missing.key: No such file");
    assert_run(&no_identity, 1, "recorder.key");
    assert_run(&open_to_all, 1, "chmod 600");
    assert_no_file(path);
    g_assert_cmpint(g_unlink(stranger), ==, 0);
    g_assert_cmpint(made.status, ==, 0);
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
        {"session draw",                              2, "neither `list` nor `show`"      },
        {"config",                                    2, "an argument is missing"         },
        {"config make",                               2, "is not `check`"                 },
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
        g_auto(Run) run = sealtape("%s", rows[i].line);

        assert_run(&run, rows[i].status, rows[i].said);
    }
}

static void
test_unknown_track_is_named(void)
{
    g_autofree char *path = output_path("none.mkv");
    g_auto(Run) run =
        sealtape("recover visit-1 -i %s -o %s --tracks p9-audio", visit->org_key, path);

    assert_run(&run, 1, "the session has no track p9-audio; it has p1-audio, p1-video");
    assert_no_file(path);
}

static void
test_damaged_segment_stops_recovery(void)
{
    g_autofree char *tape = NULL;
    g_autofree char *path = output_path("damaged.mkv");
    g_auto(Run) verified = {0};
    g_auto(Run) stopped = {0};
    g_auto(Run) partial = {0};
    g_auto(Run) elsewhere = {0};

    visit_fixture_record(visit, "visit-damaged");
    tape = visit_fixture_object(visit, "visit-damaged", "tp1-video/0-2.tape");
    visit_fixture_damage(tape, 100);
    verified = sealtape("verify visit-damaged");
    stopped = sealtape("recover visit-damaged -i %s -o %s", visit->org_key, path);
    assert_run(&verified, 3, "segment 2");
    assert_run(&stopped, 1, "segment 2 of track p1-video, part 0");
    assert_no_file(path);

    partial = sealtape("recover visit-damaged -i %s -o %s --partial", visit->org_key, path);
    assert_run(&partial, 3, "it is left out");
    g_assert_cmpint(g_unlink(path), ==, 0);
    elsewhere =
        sealtape("recover visit-damaged -i %s -o %s --tracks p1-audio", visit->org_key, path);
    assert_run(&elsewhere, 3, "is written");
    g_assert_cmpint(g_unlink(path), ==, 0);
}

static void
test_forged_manifest_recovers_nothing(void)
{
    g_autofree char *note = NULL;
    g_autofree char *path = output_path("forged.mkv");
    g_auto(Run) verified = {0};
    g_auto(Run) stopped = {0};

    visit_fixture_record(visit, "visit-forged");
    note = visit_fixture_object(visit, "visit-forged", "manifest/1.note");
    visit_fixture_damage(note, 200);
    verified = sealtape("verify visit-forged");
    stopped = sealtape("recover visit-forged -i %s -o %s --partial", visit->org_key, path);
    assert_run(&verified, 3, "manifest");
    assert_run(&stopped, 1, "nothing is recovered from a manifest");
    assert_no_file(path);
}

static void
test_swapped_envelope_is_named(void)
{
    g_autofree char *mine = NULL, *theirs = NULL, *content = NULL;
    g_autofree char *path = output_path("swapped.mkv");
    g_auto(Run) stopped = {0};
    gsize n_bytes = 0;

    visit_fixture_record(visit, "visit-swapped");
    mine = visit_fixture_object(visit, "visit-swapped", "env/1.age");
    theirs = visit_fixture_object(visit, "visit-1", "env/1.age");
    g_assert_true(g_file_get_contents(theirs, &content, &n_bytes, NULL));
    g_assert_true(g_file_set_contents(mine, content, (gssize) n_bytes, NULL));
    stopped = sealtape("recover visit-swapped -i %s -o %s", visit->org_key, path);
    assert_run(&stopped, 1,
               "envelope clinic-a/visit-swapped/env/1.age does not belong in this place; it says "
               "`sealtape-envelope clinic-a visit-1 1`");
    assert_no_file(path);
}

static void
test_open_session_is_recovered_with_a_warning(void)
{
    g_autofree char *path = output_path("open.mkv");
    g_auto(Run) listed = {0};
    g_auto(Run) run = {0};

    visit_fixture_record_open(visit, "visit-open");
    listed = sealtape("session show visit-open");
    run = sealtape("recover visit-open -i %s -o %s", visit->org_key, path);
    assert_run(&listed, 0, "state         open");
    assert_run(&run, 3, "is written");
    g_assert_cmpint(g_unlink(path), ==, 0);
}

static void
test_doctor_looks_at_everything(void)
{
    g_auto(Run) person = sealtape("doctor");
    g_auto(Run) run = sealtape("doctor --json");
    json_t *report = parse_out(&run);

    assert_run(&person, 0, "break-glass.key lies beside the recorder's key");
    assert_run(&person, 0, "Nobody answers on");
    g_assert_cmpuint(json_array_size(json_object_get(report, "checks")), >=, 10);
    g_assert_cmpstr(json_string_value(json_object_get(report, "result")), ==, "warning");
    json_decref(report);
}

static void
test_doctor_fails_without_a_store(void)
{
    g_autofree char *moved = g_strconcat(visit->settings->store_path, "-moved", NULL);
    g_auto(Run) run = {0};

    g_assert_cmpint(g_rename(visit->settings->store_path, moved), ==, 0);
    run = sealtape("doctor");
    g_assert_cmpint(g_rename(moved, visit->settings->store_path), ==, 0);
    assert_run(&run, 1, "failed   store");
}

static void
test_init_overwrites_nothing(void)
{
    g_auto(Run) run = sealtape("init %s --org clinic-b", visit->folder);

    assert_run(&run, 1, "init overwrites nothing");
}

int
main(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    int status = 0;

    g_test_init(&argc, &argv, NULL);
    program = g_strdup(g_getenv("SEALTAPE_PROGRAM"));
    g_assert_nonnull(program);
    g_assert_true(crypto_start(&error));
    g_assert_true(media_start(&error));
    visit = visit_fixture_new();
    visit_fixture_record(visit, "visit-1");

    g_test_add_func("/commands/lists-sessions", test_lists_sessions);
    g_test_add_func("/commands/shows-a-session", test_shows_a_session);
    g_test_add_func("/commands/verifies", test_verifies);
    g_test_add_func("/commands/recovers-to-matroska-and-mp4", test_recovers_to_matroska_and_mp4);
    g_test_add_func("/commands/says-what-mp4-can-not-hold", test_says_what_mp4_can_not_hold);
    g_test_add_func("/commands/recovers-a-track-for-a-time", test_recovers_a_track_for_a_time);
    g_test_add_func("/commands/overwrites-only-when-told", test_overwrites_only_when_told);
    g_test_add_func("/commands/refuses-identities-that-do-not-fit",
                    test_refuses_identities_that_do_not_fit);
    g_test_add_func("/commands/names-wrong-usage", test_names_wrong_usage);
    g_test_add_func("/commands/unknown-track-is-named", test_unknown_track_is_named);
    g_test_add_func("/commands/damaged-segment-stops-recovery",
                    test_damaged_segment_stops_recovery);
    g_test_add_func("/commands/forged-manifest-recovers-nothing",
                    test_forged_manifest_recovers_nothing);
    g_test_add_func("/commands/swapped-envelope-is-named", test_swapped_envelope_is_named);
    g_test_add_func("/commands/open-session-is-recovered-with-a-warning",
                    test_open_session_is_recovered_with_a_warning);
    g_test_add_func("/commands/doctor-looks-at-everything", test_doctor_looks_at_everything);
    g_test_add_func("/commands/doctor-fails-without-a-store", test_doctor_fails_without_a_store);
    g_test_add_func("/commands/init-overwrites-nothing", test_init_overwrites_nothing);
    status = g_test_run();
    visit_fixture_free(visit);
    g_free(program);
    return status;
}
