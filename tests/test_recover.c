#include "agent/media/media_format.h"
#include "crypto/crypto_error.h"
#include "tests/fakes/command_run.h"
#include "tests/fakes/rtp_source.h"

#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>

static VisitFixture *visit; /* recorded once; tests that change it record another session */

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
test_recovers_to_matroska_and_mp4(void)
{
    static const char *const names[] = {"out.mkv", "out.mp4"};
    static const char *const marks[] = {"\x1a\x45\xdf\xa3", "ftyp"};
    static const char *const tracks[] = {"p1-audio,p1-video", "p1-audio"};

    for (size_t i = 0; i < 2; i++) {
        g_autofree char *path = output_path(names[i]);
        g_auto(CommandRun) run =
            command_run("recover visit-1 --identity %s --output %s --tracks %s", visit->org_key,
                        path, tracks[i]);
        g_autofree char *content = NULL;
        gsize n_bytes = 0;
        struct stat found;

        command_run_check(&run, 0, "is written");
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
    g_auto(CommandRun) run = command_run("recover visit-1 -i %s -o %s", visit->org_key, path);

    command_run_check(&run, 1, "MP4 can not hold VP8");
    assert_no_file(path);
}

static void
test_recovers_a_track_for_a_time(void)
{
    g_autofree char *whole = output_path("whole.mkv");
    g_autofree char *part = output_path("part.mkv");
    g_auto(CommandRun) one =
        command_run("recover visit-1 -i %s -o %s --tracks p1-video", visit->break_glass_key, whole);
    g_auto(CommandRun) two = command_run(
        "recover visit-1 -i %s -o %s --tracks p1-video --from 5 --to 0:06.5", visit->org_key, part);
    struct stat all, some;

    command_run_check(&one, 0, "is written");
    command_run_check(&two, 0, "is written");
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
    g_auto(CommandRun) refused = {0};
    g_auto(CommandRun) told = {0};
    g_autofree char *content = NULL;

    g_assert_true(g_file_set_contents(path, "mine", 4, NULL));
    refused = command_run("recover visit-1 -i %s -o %s", visit->org_key, path);
    command_run_check(&refused, 1, "there.mkv");
    g_assert_true(g_file_get_contents(path, &content, NULL, NULL));
    g_assert_cmpstr(content, ==, "mine");
    told = command_run("recover visit-1 -i %s -o %s --overwrite", visit->org_key, path);
    command_run_check(&told, 0, "is written");
    g_assert_cmpint(g_unlink(path), ==, 0);
}

static void
test_refuses_identities_that_do_not_fit(void)
{
    g_autofree char *path = output_path("never.mkv");
    g_autofree char *stranger = output_path("stranger.key");
    g_autofree char *missing = output_path("missing.key");
    g_autofree char *signing = g_build_filename(visit->folder, "keys", "recorder.key", NULL);
    g_auto(CommandRun) made = command_run("age keygen -o %s", stranger);
    g_auto(CommandRun) no_fit = command_run("recover visit-1 -i %s -o %s", stranger, path);
    g_auto(CommandRun) no_file = command_run("recover visit-1 -i %s -o %s", missing, path);
    g_auto(CommandRun) no_identity = command_run("recover visit-1 -i %s -o %s", signing, path);
    g_auto(CommandRun) open_to_all = {0};

    g_assert_cmpint(g_chmod(stranger, 0644), ==, 0);
    open_to_all = command_run("recover visit-1 -i %s -o %s", stranger, path);
    command_run_check(&no_fit, 1,
                      "none of the given identities opens envelope clinic-a/visit-1/env/1.age");
    command_run_check(&no_file, 1, "missing.key: No such file");
    command_run_check(&no_identity, 1, "recorder.key");
    command_run_check(&open_to_all, 1, "chmod 600");
    assert_no_file(path);
    g_assert_cmpint(g_unlink(stranger), ==, 0);
    g_assert_cmpint(made.status, ==, 0);
}

static void
test_unknown_track_is_named(void)
{
    g_autofree char *path = output_path("none.mkv");
    g_auto(CommandRun) run =
        command_run("recover visit-1 -i %s -o %s --tracks p9-audio", visit->org_key, path);

    command_run_check(&run, 1, "the session has no track p9-audio; it has p1-audio, p1-video");
    assert_no_file(path);
}

static void
test_damaged_segment_stops_recovery(void)
{
    g_autofree char *tape = NULL;
    g_autofree char *path = output_path("damaged.mkv");
    g_auto(CommandRun) verified = {0};
    g_auto(CommandRun) stopped = {0};
    g_auto(CommandRun) partial = {0};
    g_auto(CommandRun) elsewhere = {0};

    visit_fixture_record(visit, "visit-damaged");
    tape = visit_fixture_object(visit, "visit-damaged", "tp1-video/0-2.tape");
    visit_fixture_damage(tape, 100);
    verified = command_run("verify visit-damaged");
    stopped = command_run("recover visit-damaged -i %s -o %s", visit->org_key, path);
    command_run_check(&verified, 3, "segment 2");
    command_run_check(&stopped, 1, "segment 2 of track p1-video, part 0");
    assert_no_file(path);

    partial = command_run("recover visit-damaged -i %s -o %s --partial", visit->org_key, path);
    command_run_check(&partial, 3, "it is left out");
    g_assert_cmpint(g_unlink(path), ==, 0);
    elsewhere =
        command_run("recover visit-damaged -i %s -o %s --tracks p1-audio", visit->org_key, path);
    command_run_check(&elsewhere, 3, "is written");
    g_assert_cmpint(g_unlink(path), ==, 0);
}

static void
test_forged_manifest_recovers_nothing(void)
{
    g_autofree char *note = NULL;
    g_autofree char *path = output_path("forged.mkv");
    g_auto(CommandRun) verified = {0};
    g_auto(CommandRun) stopped = {0};

    visit_fixture_record(visit, "visit-forged");
    note = visit_fixture_object(visit, "visit-forged", "manifest/1.note");
    visit_fixture_damage(note, 200);
    verified = command_run("verify visit-forged");
    stopped = command_run("recover visit-forged -i %s -o %s --partial", visit->org_key, path);
    command_run_check(&verified, 3, "manifest");
    command_run_check(&stopped, 1, "nothing is recovered from a manifest");
    assert_no_file(path);
}

static void
test_swapped_envelope_is_named(void)
{
    g_autofree char *mine = NULL, *theirs = NULL, *content = NULL;
    g_autofree char *path = output_path("swapped.mkv");
    g_auto(CommandRun) stopped = {0};
    gsize n_bytes = 0;

    visit_fixture_record(visit, "visit-swapped");
    mine = visit_fixture_object(visit, "visit-swapped", "env/1.age");
    theirs = visit_fixture_object(visit, "visit-1", "env/1.age");
    g_assert_true(g_file_get_contents(theirs, &content, &n_bytes, NULL));
    g_assert_true(g_file_set_contents(mine, content, (gssize) n_bytes, NULL));
    stopped = command_run("recover visit-swapped -i %s -o %s", visit->org_key, path);
    command_run_check(
        &stopped, 1,
        "envelope clinic-a/visit-swapped/env/1.age does not belong in this place; it says "
        "`sealtape-envelope clinic-a visit-1 1`");
    assert_no_file(path);
}

static void
test_open_session_is_recovered_with_a_warning(void)
{
    g_autofree char *path = output_path("open.mkv");
    g_auto(CommandRun) listed = {0};
    g_auto(CommandRun) run = {0};

    visit_fixture_record_open(visit, "visit-open");
    listed = command_run("session show visit-open");
    run = command_run("recover visit-open -i %s -o %s", visit->org_key, path);
    command_run_check(&listed, 0, "state         open");
    command_run_check(&run, 3, "is written");
    g_assert_cmpint(g_unlink(path), ==, 0);
}

/* Returns: the lines of the page's `sh` block, owned. */
static char *
recovery_script(void)
{
    g_autofree char *path = g_test_build_filename(G_TEST_DIST, "..", "docs", "recovery.md", NULL);
    g_autofree char *page = NULL;
    const char *start = NULL;

    g_assert_true(g_file_get_contents(path, &page, NULL, NULL));
    start = strstr(page, "```sh\n");
    g_assert_nonnull(start);
    start += strlen("```sh\n");
    return g_strndup(start, (gsize) (strstr(start, "```") - start));
}

/* What docs/recovery.md says to type, typed: age, sh and coreutils open the recording. */
static void
test_page_opens_it_without_us(void)
{
    g_autofree char *script = recovery_script();
    g_autofree char *age = g_find_program_in_path("age");
    g_autofree char *session = visit_fixture_object(visit, "visit-1", "");
    g_autofree char *whole =
        g_strdup_printf("set -eu; cp -R '%s' '%s/copy'; cd '%s/copy'; identity='%s'\n%s", session,
                        visit->folder, visit->folder, visit->break_glass_key, script);
    const char *const argv[] = {"/bin/sh", "-c", whole, NULL};
    g_autoptr(GError) error = NULL;
    g_autofree char *said = NULL;
    int status = 0;

    if (age == NULL) {
        g_test_skip("there is no age here");
        return;
    }
    g_assert_true(g_spawn_sync(NULL, (char **) argv, NULL, G_SPAWN_DEFAULT, NULL, NULL, NULL, &said,
                               &status, &error));
    if (!g_spawn_check_wait_status(status, &error))
        g_error("%s: %s", error->message, said);
    for (int i = 0; i < 2; i++) {
        g_autofree char *name = g_strdup_printf("copy/%s-0.mkv", i == 0 ? "p1-audio" : "p1-video");
        g_autofree char *path = output_path(name);
        g_autofree char *content = NULL;
        gsize n_bytes = 0;

        g_assert_true(g_file_get_contents(path, &content, &n_bytes, NULL));
        g_assert_cmpuint(n_bytes, >, 20000);
        g_assert_nonnull(memmem(content, 4, "\x1a\x45\xdf\xa3", 4));
    }
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

    g_test_add_func("/recover/recovers-to-matroska-and-mp4", test_recovers_to_matroska_and_mp4);
    g_test_add_func("/recover/says-what-mp4-can-not-hold", test_says_what_mp4_can_not_hold);
    g_test_add_func("/recover/recovers-a-track-for-a-time", test_recovers_a_track_for_a_time);
    g_test_add_func("/recover/overwrites-only-when-told", test_overwrites_only_when_told);
    g_test_add_func("/recover/refuses-identities-that-do-not-fit",
                    test_refuses_identities_that_do_not_fit);
    g_test_add_func("/recover/unknown-track-is-named", test_unknown_track_is_named);
    g_test_add_func("/recover/damaged-segment-stops-recovery", test_damaged_segment_stops_recovery);
    g_test_add_func("/recover/forged-manifest-recovers-nothing",
                    test_forged_manifest_recovers_nothing);
    g_test_add_func("/recover/swapped-envelope-is-named", test_swapped_envelope_is_named);
    g_test_add_func("/recover/open-session-is-recovered-with-a-warning",
                    test_open_session_is_recovered_with_a_warning);
    g_test_add_func("/recover/page-opens-it-without-us", test_page_opens_it_without_us);
    status = g_test_run();
    visit_fixture_free(visit);
    return status;
}
