#include "crypto/crypto_error.h"
#include "storage/recording.h"
#include "storage/uploader.h"
#include "tests/fakes/effort.h"
#include "tests/fakes/failing_calls.h"
#include "tests/fakes/spool_fixture.h"
#include "tests/fakes/visit_keys.h"

#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* The process ends by SIGKILL at every call that changes the disk, from the session's begin to the
 * last part in the store: after the next start what was acknowledged is stored, listed, and without
 * fault. */

static const char *const one_track[] = {"p1-audio", NULL};

/* What the child of a kill sweep reports through its pipe: nothing is acknowledged before it is
 * written. */
typedef struct {
    gint is_begun;
    gint n_segments;
} Acknowledged;

enum { N_SEGMENTS = 7 };

static void
upload_all(Spool *spool, ObjectStore *store)
{
    const UploaderOptions options = {
        .spool = spool, .store = store, .signer = visit_keys_signer(), .interval_ms = 4};
    Uploader *uploader = uploader_new(&options);

    (void) uploader_drain(uploader, 20000);
    uploader_free(uploader);
}

static void
acknowledge(int pipe_end, const Acknowledged *acknowledged)
{
    g_assert_cmpint(write(pipe_end, acknowledged, sizeof *acknowledged), ==, sizeof *acknowledged);
}

/* A short visit from begin to stored, with a log file that is full now and then. */
static void
record_visit(const SpoolFixture *fixture, int pipe_end)
{
    g_autoptr(Spool) spool = spool_fixture_open(fixture, 2048);
    g_autoptr(ObjectStore) store = spool_fixture_store(fixture);
    Acknowledged acknowledged = {.is_begun = true};

    spool_fixture_begin(spool, "visit-1", one_track);
    spool_fixture_commit(spool);
    acknowledge(pipe_end, &acknowledged);
    for (uint32_t i = 0; i < N_SEGMENTS; i++) {
        spool_fixture_add(spool, "visit-1", "p1-audio", i);
        spool_heartbeat(spool, INT64_C(1000000000) + (i + 1) * INT64_C(1000000));
        spool_fixture_commit(spool);
        acknowledged.n_segments++;
        acknowledge(pipe_end, &acknowledged);
        if (i == 3)
            upload_all(spool, store);
    }
    spool_fixture_close(spool, "visit-1", one_track, N_SEGMENTS * INT64_C(1000000));
    spool_fixture_commit(spool);
    upload_all(spool, store);
}

static void
recover_only(const SpoolFixture *fixture)
{
    spool_free(spool_fixture_open(fixture, 2048));
}

/* The other process is this program again: `--child record|recover ROOT NTH`, with its report on
 * standard input's place, descriptor 0. */
static int
be_child(char **argument)
{
    g_autoptr(SpoolFixture) fixture = spool_fixture_join(argument[1]);
    g_autofree char *keys = g_build_filename(argument[1], "signer", NULL);
    const unsigned nth = (unsigned) g_ascii_strtoull(argument[2], NULL, 10);

    visit_keys_load(keys);
    failing_calls_arm(CALL_ANY, nth, 1, 0);
    if (strcmp(argument[0], "record") == 0)
        record_visit(fixture, STDIN_FILENO);
    else
        recover_only(fixture);
    failing_calls_disarm();
    visit_keys_free();
    return 0;
}

/* Returns: true if the child ended by itself, before its `nth` call. */
static bool
run_killed(const SpoolFixture *fixture, const char *what, unsigned nth, Acknowledged *acknowledged)
{
    g_autofree char *number = g_strdup_printf("%u", nth);
    int ends[2];
    int status = 0;
    pid_t pid = 0;

    g_assert_cmpint(pipe(ends), ==, 0);
    pid = fork();
    g_assert_cmpint(pid, >=, 0);
    if (pid == 0) {
        (void) dup2(ends[1], STDIN_FILENO);
        (void) close(ends[0]);
        (void) close(ends[1]);
        (void) execl("/proc/self/exe", "test_spool_kill", "--child", what, fixture->root, number,
                     (char *) NULL);
        _exit(3);
    }
    (void) close(ends[1]);
    while (read(ends[0], acknowledged, sizeof *acknowledged) > 0) {
    }
    (void) close(ends[0]);
    g_assert_cmpint(waitpid(pid, &status, 0), ==, pid);
    g_assert_true((WIFEXITED(status) && WEXITSTATUS(status) == 0) ||
                  (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL));
    return WIFEXITED(status);
}

/* After the last start: stored, listed, and nothing to find fault with. */
static void
assert_all_is_stored(const SpoolFixture *fixture, const Acknowledged *acknowledged, unsigned nth)
{
    g_autoptr(ObjectStore) store = spool_fixture_store(fixture);
    g_autoptr(Spool) spool = spool_fixture_open(fixture, 2048);
    g_autoptr(Recording) recording = NULL;
    g_autoptr(GPtrArray) findings = NULL;
    SpoolStatus status;
    GError *error = NULL;

    upload_all(spool, store);
    spool_status(spool, &status);
    g_assert_cmpuint(status.n_segments, ==, 0);
    g_assert_cmpuint(status.n_quarantined, ==, 0);
    if (!acknowledged->is_begun)
        return;
    recording = recording_open(store, "clinic-a", "visit-1", visit_keys_trust(), &error);
    g_assert_no_error(error);
    findings = recording_verify(recording, NULL, NULL);
    for (guint i = 0; i < findings->len; i++) {
        g_test_message("killed at call %u: %s", nth,
                       ((const RecordingFinding *) g_ptr_array_index(findings, i))->message);
    }
    g_assert_cmpuint(findings->len, ==, 0);
    g_assert_cmpuint(recording_manifest(recording)->segments->len, >=, acknowledged->n_segments);
}

/* Once with each `step`th call of recovery killed too, twice. */
static void
sweep(unsigned second_kill)
{
    bool is_done = false;

    for (unsigned nth = 1; !is_done; nth += effort_step(3)) {
        g_autoptr(SpoolFixture) fixture = spool_fixture_new();
        g_autoptr(ObjectStore) store = spool_fixture_store(fixture);
        Acknowledged acknowledged = {0};
        Acknowledged ignored = {0};

        g_autofree char *keys = g_build_filename(fixture->root, "signer", NULL);

        visit_keys_save(keys);
        visit_keys_put_envelope(store, "visit-1");
        is_done = run_killed(fixture, "record", nth, &acknowledged);
        if (second_kill > 0) {
            (void) run_killed(fixture, "recover", 1 + nth % second_kill, &ignored);
            (void) run_killed(fixture, "recover", 1 + nth / 2 % second_kill, &ignored);
        }
        assert_all_is_stored(fixture, &acknowledged, nth);
        g_assert_cmpuint(nth, <, 2000);
        if (is_done)
            g_test_message("fewer than %u calls", nth);
    }
}

static void
test_killed_at_every_call(void)
{
    sweep(0);
}

static void
test_killed_in_recovery_too(void)
{
    sweep(12);
}

int
main(int argc, char **argv)
{
    GError *error = NULL;
    int result = 0;

    g_assert_true(crypto_start(&error));
    if (argc == 5 && strcmp(argv[1], "--child") == 0)
        return be_child(argv + 2);
    g_test_init(&argc, &argv, NULL);
    (void) visit_keys_verifiers();
    g_test_add_func("/spool-kill/killed-at-every-call", test_killed_at_every_call);
    g_test_add_func("/spool-kill/killed-in-recovery-too", test_killed_in_recovery_too);
    result = g_test_run();
    visit_keys_free();
    return result;
}
