#include "crypto/crypto_error.h"
#include "storage/manifest.h"
#include "storage/uploader.h"
#include "tests/fakes/spool_fixture.h"

#include <string.h>

static const char *const two_tracks[] = {"p1-audio", "p1-video", NULL};

typedef struct {
    SpoolFixture *fixture;
    Spool *spool;
    ObjectStore *store;
    NoteSigner *signer;
    gint n_stored;
    SessionEnd end;
} Bench;

static void
on_session_stored(const char *session, SessionEnd end, void *user_data)
{
    Bench *bench = user_data;

    bench->end = end;
    g_atomic_int_inc(&bench->n_stored);
}

static Bench *
bench_new(void)
{
    Bench *self = g_new0(Bench, 1);
    GError *error = NULL;

    self->fixture = spool_fixture_new();
    self->spool = spool_fixture_open(self->fixture, 0);
    self->store = spool_fixture_store(self->fixture);
    self->signer = note_signer_generate("recorder-1", &error);
    g_assert_no_error(error);
    return self;
}

static void
bench_free(Bench *self)
{
    note_signer_free(self->signer);
    object_store_free(self->store);
    spool_free(self->spool);
    spool_fixture_free(self->fixture);
    g_free(self);
}

static Uploader *
bench_start(Bench *self)
{
    const UploaderOptions options = {
        .spool = self->spool,
        .store = self->store,
        .signer = self->signer,
        .interval_ms = 20,
        .on_session_stored = on_session_stored,
        .user_data = self,
    };

    return uploader_new(&options);
}

static void
test_stores_a_closed_session(void)
{
    Bench *bench = bench_new();
    Uploader *uploader = NULL;
    g_autoptr(GPtrArray) keys = NULL;
    SpoolStatus status;

    spool_fixture_begin(bench->spool, "visit-1", two_tracks);
    for (uint32_t i = 0; i < 5; i++) {
        spool_fixture_add(bench->spool, "visit-1", "p1-audio", i);
        spool_fixture_add(bench->spool, "visit-1", "p1-video", i);
    }
    spool_fixture_close(bench->spool, "visit-1", two_tracks, 5000000);
    spool_fixture_commit(bench->spool);
    uploader = bench_start(bench);
    g_assert_true(uploader_drain(uploader, 10000));

    g_assert_cmpint(g_atomic_int_get(&bench->n_stored), ==, 1);
    g_assert_cmpint(bench->end, ==, SESSION_CLOSED);
    keys = object_store_list(bench->store, "", NULL);
    g_assert_cmpuint(keys->len, ==, 5);
    g_assert_cmpstr(g_ptr_array_index(keys, 0), ==, "clinic-a/visit-1/manifest/1.note");
    g_assert_cmpstr(g_ptr_array_index(keys, 1), ==, "clinic-a/visit-1/tp1-audio/0-0.tape");
    g_assert_cmpstr(g_ptr_array_index(keys, 4), ==, "clinic-a/visit-1/tp1-video/0-3.tape");
    spool_status(bench->spool, &status);
    g_assert_cmpuint(status.n_segments, ==, 0);
    {
        g_autoptr(GBytes) b = object_store_get(bench->store, g_ptr_array_index(keys, 0), NULL);
        g_test_message("%.*s", (int) g_bytes_get_size(b), (const char *) g_bytes_get_data(b, NULL));
    }
    uploader_free(uploader);
    bench_free(bench);
}

int
main(int argc, char **argv)
{
    GError *error = NULL;

    g_test_init(&argc, &argv, NULL);
    g_assert_true(crypto_start(&error));
    g_test_add_func("/uploader/stores-a-closed-session", test_stores_a_closed_session);
    return g_test_run();
}
