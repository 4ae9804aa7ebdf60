#include "agent/recorder/ledger_debts.h"
#include "crypto/crypto_error.h"
#include "storage/spool_outbox.h"
#include "storage/storage_error.h"

#include <glib/gstdio.h>
#include <signal.h>
#include <sys/resource.h>

/* A file-size limit is a disk that is full for as long as the test likes. */

typedef struct {
    char *folder;
    Spool *spool;
    SealerSession *session;
    LedgerDebts *debts;
    GPtrArray *closed;
} Fixture;

static void
limit_files(rlim_t n_bytes)
{
    struct rlimit limit;

    g_assert_cmpint(getrlimit(RLIMIT_FSIZE, &limit), ==, 0);
    limit.rlim_cur = n_bytes;
    g_assert_cmpint(setrlimit(RLIMIT_FSIZE, &limit), ==, 0);
}

static void
set_up(Fixture *self, const void *data)
{
    const SpoolOptions small = {.file_bytes = 1, .reserve_bytes = 1};
    const LedgerSession session = {"clinic-a", "visit", 1, NULL};
    const LedgerTrack track = {"a", "audio", "opus", "p1", "age1x", 0};

    self->folder = g_dir_make_tmp("debts-XXXXXX", NULL);
    self->spool = spool_open(self->folder, &small, NULL);
    g_assert_nonnull(self->spool);
    g_assert_true(spool_add_session(self->spool, &session, NULL));
    g_assert_true(spool_add_track(self->spool, "visit", &track, NULL));
    g_assert_true(spool_commit(self->spool, NULL));
    self->session = sealer_session_new("clinic-a", "visit");
    self->debts = ledger_debts_new(self->spool);
    self->closed = g_ptr_array_new();
}

static void
tear_down(Fixture *self, const void *data)
{
    g_autoptr(GDir) entries = g_dir_open(self->folder, 0, NULL);

    ledger_debts_free(self->debts);
    sealer_session_free(self->session);
    spool_free(self->spool);
    g_ptr_array_unref(self->closed);
    for (const char *name = g_dir_read_name(entries); name != NULL;
         name = g_dir_read_name(entries)) {
        g_autofree char *path = g_build_filename(self->folder, name, NULL);

        g_assert_cmpint(g_remove(path), ==, 0);
    }
    g_assert_cmpint(g_rmdir(self->folder), ==, 0);
    g_free(self->folder);
}

static bool
add_gap(Fixture *self, int64_t start_us, const char *reason)
{
    const LedgerGap gap = {"a", start_us, 1000000, reason};
    g_autoptr(GError) error = NULL;

    return ledger_debts_add_gap(self->debts, "visit", &gap, &error);
}

/* Returns: GPtrArray of the session's gaps (owned), as they are durable. */
static OutboxSession *
look(Fixture *self, GPtrArray **views)
{
    g_assert_true(spool_commit(self->spool, NULL));
    *views = spool_outbox_view(self->spool);
    g_assert_cmpuint((*views)->len, ==, 1);
    return g_ptr_array_index(*views, 0);
}

static void
check_gaps(Fixture *self, guint n, int64_t last_duration_us)
{
    g_autoptr(GPtrArray) views = NULL;
    const OutboxSession *view = look(self, &views);
    const LedgerGap *last = NULL;
    guint n_gaps = 0;

    for (guint i = 0; i < view->items->len; i++) {
        const SpoolItem *item = g_ptr_array_index(view->items, i);

        if (item->record.type != SPOOL_RECORD_GAP)
            continue;
        n_gaps++;
        last = &item->record.gap;
    }
    g_assert_cmpuint(n_gaps, ==, n);
    if (last != NULL)
        g_assert_cmpint(last->duration_us, ==, last_duration_us);
}

static void
test_passes_on_while_all_is_well(Fixture *self, const void *data)
{
    g_assert_true(add_gap(self, 0, "loss"));
    check_gaps(self, 1, 1000000);
    g_assert_true(ledger_debts_pay(self->debts, self->closed, NULL));
    check_gaps(self, 1, 1000000);
}

static void
test_keeps_and_joins_what_does_not_fit(Fixture *self, const void *data)
{
    GError *error = NULL;

    limit_files(1);
    g_assert_false(add_gap(self, 0, "disk-full"));
    g_assert_true(add_gap(self, 1000000, "disk-full")); /* told once */
    g_assert_true(add_gap(self, 2000000, "loss"));
    g_assert_false(ledger_debts_pay(self->debts, self->closed, &error));
    g_assert_error(error, STORAGE_ERROR, STORAGE_ERROR_FULL);
    g_clear_error(&error);
    limit_files(RLIM_INFINITY);
    g_assert_true(ledger_debts_pay(self->debts, self->closed, &error));
    g_assert_no_error(error);

    check_gaps(self, 2, 1000000);
}

static void
test_end_waits_for_what_is_owed(Fixture *self, const void *data)
{
    g_autoptr(GPtrArray) views = NULL;
    const LedgerTrackEnd end = {.track = "a", .until_us = 1000000};

    sealer_session_add_end(self->session, &end);
    sealer_session_stop(self->session, 1);
    limit_files(1);
    g_assert_false(add_gap(self, 0, "disk-full"));
    ledger_debts_add_end(self->debts, self->session);
    g_assert_false(ledger_debts_pay(self->debts, self->closed, NULL));
    g_assert_cmpuint(self->closed->len, ==, 0);
    limit_files(RLIM_INFINITY);
    g_assert_true(ledger_debts_pay(self->debts, self->closed, NULL));

    g_assert_cmpuint(self->closed->len, ==, 1);
    g_assert_cmpint(look(self, &views)->state, ==, SESSION_CLOSED);
    check_gaps(self, 1, 1000000);
}

static void
test_drops_what_no_spool_takes(Fixture *self, const void *data)
{
    const LedgerGap unknown = {"b", 0, 1, "loss"};
    g_autoptr(GError) error = NULL;

    g_assert_false(ledger_debts_add_gap(self->debts, "visit", &unknown, &error));
    g_assert_error(error, STORAGE_ERROR, STORAGE_ERROR_NOT_FOUND);
    g_assert_true(ledger_debts_pay(self->debts, self->closed, NULL));
    check_gaps(self, 0, 0);
}

static void
add(const char *name, void (*test)(Fixture *, const void *))
{
    g_autofree char *path = g_strconcat("/ledger-debts/", name, NULL);

    g_test_add(path, Fixture, NULL, set_up, test, tear_down);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_assert_true(crypto_start(NULL));
    (void) signal(SIGXFSZ, SIG_IGN); /* so that the call fails instead */
    add("passes-on-while-all-is-well", test_passes_on_while_all_is_well);
    add("keeps-and-joins-what-does-not-fit", test_keeps_and_joins_what_does_not_fit);
    add("end-waits-for-what-is-owed", test_end_waits_for_what_is_owed);
    add("drops-what-no-spool-takes", test_drops_what_no_spool_takes);
    return g_test_run();
}
