#include "tests/fakes/upload_bench.h"

#include "storage/recording.h"
#include "tests/fakes/visit_keys.h"

#include <string.h>

static void
on_session_stored(const char *org, const char *session, SessionEnd end, void *user_data)
{
    UploadBench *bench = user_data;

    bench->end = end;
    g_atomic_int_inc(&bench->n_stored);
}

static void
on_trouble(const char *session, const GError *error, bool will_retry, void *user_data)
{
    UploadBench *bench = user_data;

    g_atomic_int_inc(&bench->n_troubles);
    if (!will_retry)
        g_atomic_int_inc(&bench->n_parked);
}

UploadBench *
upload_bench_new(void)
{
    UploadBench *self = g_new0(UploadBench, 1);

    self->fixture = spool_fixture_new();
    self->spool = spool_fixture_open(self->fixture, 0);
    self->objects = flaky_store_objects_new();
    self->store = flaky_store_new(self->objects);
    visit_keys_put_envelope(self->store, "visit-1");
    return self;
}

void
upload_bench_free(UploadBench *self)
{
    object_store_free(self->store);
    g_hash_table_unref(self->objects);
    spool_free(self->spool);
    spool_fixture_free(self->fixture);
    g_free(self);
}
Uploader *
upload_bench_start(UploadBench *self)
{
    const UploaderOptions options = {
        .spool = self->spool,
        .store = self->store,
        .signer = visit_keys_signer(),
        .interval_ms = 4,
        .on_session_stored = on_session_stored,
        .on_trouble = on_trouble,
        .user_data = self,
    };

    return uploader_new(&options);
}

/* As after a crash: the uploader and the spool are gone and start again. */
void
upload_bench_restart_spool(UploadBench *self)
{
    spool_free(self->spool);
    self->spool = spool_fixture_open(self->fixture, 0);
}

void
upload_bench_upload(UploadBench *self)
{
    Uploader *uploader = upload_bench_start(self);

    g_assert_true(uploader_drain(uploader, 20000));
    uploader_free(uploader);
}

void
upload_bench_record(UploadBench *self, const char *const *tracks, uint32_t n_segments)
{
    spool_fixture_begin(self->spool, "visit-1", tracks);
    for (uint32_t i = 0; i < n_segments; i++) {
        for (const char *const *track = tracks; *track != NULL; track++)
            spool_fixture_add(self->spool, "visit-1", *track, i);
    }
    spool_fixture_commit(self->spool);
}

void
upload_bench_close(UploadBench *self, const char *const *tracks, uint32_t n_segments)
{
    spool_fixture_close(self->spool, "visit-1", tracks, n_segments * INT64_C(1000000));
    spool_fixture_commit(self->spool);
}

bool
upload_bench_has(UploadBench *self, const char *relative)
{
    g_autofree char *key = g_strconcat("clinic-a/visit-1/", relative, NULL);

    return g_hash_table_contains(self->objects, key);
}

uint64_t
upload_bench_count_waiting(UploadBench *self)
{
    SpoolStatus status;

    spool_status(self->spool, &status);
    return status.n_segments;
}

/* Returns: how many segments the recording has; it must be without fault. */
guint
upload_bench_verify(UploadBench *self)
{
    GError *error = NULL;
    g_autoptr(Recording) recording =
        recording_open(self->store, "clinic-a", "visit-1", visit_keys_trust(), &error);
    g_autoptr(GPtrArray) findings = NULL;

    g_assert_no_error(error);
    findings = recording_verify(recording, NULL, NULL);
    for (guint i = 0; i < findings->len; i++)
        g_test_message("%s", ((const RecordingFinding *) g_ptr_array_index(findings, i))->message);
    g_assert_cmpuint(findings->len, ==, 0);
    return recording_manifest(recording)->segments->len;
}
