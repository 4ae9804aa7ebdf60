#pragma once

#include "storage/uploader.h"
#include "tests/fakes/flaky_store.h"
#include "tests/fakes/spool_fixture.h"

/* A spool, a flaky store, and what the uploader said. */
typedef struct {
    SpoolFixture *fixture;
    Spool *spool;
    GHashTable *objects;
    ObjectStore *store;
    gint n_stored, n_troubles, n_parked;
    SessionEnd end;
} UploadBench;

UploadBench *upload_bench_new(void);

/* A session `visit-1` with `n_segments` on each track, committed; and its end. */
void upload_bench_record(UploadBench *self, const char *const *tracks, uint32_t n_segments);
void upload_bench_close(UploadBench *self, const char *const *tracks, uint32_t n_segments);

/* Starts an uploader, owned by the caller. */
Uploader *upload_bench_start(UploadBench *self);

/* Lets an uploader run until everything is stored, at most 20 s. */
void upload_bench_upload(UploadBench *self);

/* As after a crash: the spool starts again from the disk. */
void upload_bench_restart_spool(UploadBench *self);

/* `relative`: to the session. */
bool upload_bench_has(UploadBench *self, const char *relative);
uint64_t upload_bench_count_waiting(UploadBench *self);

/* Returns: how many segments the recording has; it must be without fault. */
guint upload_bench_verify(UploadBench *self);
void upload_bench_free(UploadBench *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(UploadBench, upload_bench_free)
