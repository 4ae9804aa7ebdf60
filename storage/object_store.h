#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Somewhere that keeps named bytes for years: a folder, S3, a test's memory. Names are
 * `[a-z0-9._-]` words joined by `/`, as in the layout of docs/formats.md.
 * Thread: any, several at once. Everything here may block. */
typedef struct ObjectStore ObjectStore;

/* One object to put, and what came of it. */
typedef struct {
    const char *key;  /* borrowed */
    GBytes *body;     /* borrowed */
    GError *error;    /* out: NULL once durable; else owned by the caller */
    unsigned *n_done; /* counted up, atomically, when a store that takes its time has done it; NULL:
                         nobody looks */
} ObjectPut;

/* What a store keeps under a name, beside what a list shows. */
typedef enum {
    OBJECT_VERSION_BYTES,  /* an object's bytes, the newest or older ones */
    OBJECT_VERSION_MARKER, /* hides older ones, holds nothing */
    OBJECT_VERSION_UPLOAD, /* what was begun and never finished */
} ObjectVersionKind;

typedef struct {
    char *key;     /* as it lies there: perhaps no valid name */
    char *version; /* as its store calls it */
    ObjectVersionKind kind;
    uint64_t n_bytes;
    bool is_latest;  /* what a get of its name answers */
    unsigned member; /* which of several stores has it */
} ObjectVersion;

typedef struct {               /* one version to remove, and what came of it */
    const ObjectVersion *what; /* borrowed */
    GError *error;             /* out: NULL once it is gone; else owned by the caller */
    int64_t locked_until_s;    /* out: unix time of the end of the lock that keeps it; 0: none */
    bool has_legal_hold;       /* out: the store's own, which has no end */
} ObjectRemoval;

/* A stretch of an object. `n_read`: out, fewer where the object ends sooner. */
typedef struct {
    uint64_t offset;
    uint8_t *bytes; /* borrowed: room for `n_bytes` */
    size_t n_bytes, n_read;
} ObjectRange;

/* What each kind of store supplies. All are required. */
typedef struct {
    void (*put_all)(ObjectStore *self, ObjectPut *puts, size_t n_puts);
    bool (*replace)(ObjectStore *self, const char *key, GBytes *body, GError **error);
    bool (*exchange)(ObjectStore *self, const char *key, GBytes *expected, GBytes *body,
                     GError **error);
    GBytes *(*get)(ObjectStore *self, const char *key, GError **error);
    bool (*get_range)(ObjectStore *self, const char *key, ObjectRange *range, GError **error);
    GPtrArray *(*list)(ObjectStore *self, const char *prefix, GError **error);
    GPtrArray *(*list_folders)(ObjectStore *self, const char *prefix, GError **error);
    GPtrArray *(*list_versions)(ObjectStore *self, const char *prefix, GError **error);
    void (*remove_versions)(ObjectStore *self, ObjectRemoval *removals, size_t n_removals);
    void (*free)(ObjectStore *self);
} ObjectStoreOps;

/* The first member of every kind of store. */
struct ObjectStore {
    const ObjectStoreOps *ops;
};

/* Puts each object if its name is free; a name that already holds the same bytes is a success
 * (a lost answer, a restart). All share their flushes, so many cost little more than one.
 * Each `error` is set or left NULL.
 * Errors: CONFLICT - the name holds other bytes, which stay; FULL, DENIED, TRANSIENT, IO. */
void object_store_put_all(ObjectStore *self, ObjectPut *puts, size_t n_puts);

/* Puts one, as above. Returns: true once it would survive a power cut. */
bool object_store_put(ObjectStore *self, const char *key, GBytes *body,
                      GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Puts one object whether or not the name is taken: only for metadata and re-wrapped envelopes. */
bool object_store_replace(ObjectStore *self, const char *key, GBytes *body,
                          GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Puts `body` only if the object still holds exactly `expected`; one that holds `body` already is a
 * success. Errors: NOT_FOUND; CONFLICT - somebody changed it meanwhile: read it again. */
bool object_store_exchange(ObjectStore *self, const char *key, GBytes *expected, GBytes *body,
                           GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Returns: the object's bytes, owned. Errors: NOT_FOUND; others as above. */
GBytes *object_store_get(ObjectStore *self, const char *key,
                         GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* The same, of a stretch, of the first of several stores. IO, CORRUPT - it gave none, another. */
bool object_store_get_range(ObjectStore *self, const char *key, ObjectRange *range,
                            GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Returns: GPtrArray of char * (owned), the names that start with `prefix`, in byte order. */
GPtrArray *object_store_list(ObjectStore *self, const char *prefix,
                             GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The folders right below `prefix` (empty, or ending in `/`), without what they hold:
 * organisations, or one's sessions. Returns: GPtrArray of char * (owned), whole names without the
 * last `/`, in byte order. */
GPtrArray *object_store_list_folders(ObjectStore *self, const char *prefix,
                                     GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Everything that is kept below `prefix` (ends in `/`): all versions, delete markers, unfinished
 * uploads, in every replica. For erasure and a change of keys (tests/check_mistakes.sh). Returns:
 * GPtrArray of ObjectVersion, owned. Errors: any one store that can not say what it has. */
GPtrArray *object_store_list_versions(ObjectStore *self, const char *prefix,
                                      GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Removes each, for good; what is gone already is a success. Only those two may. Errors: DENIED - a
 * lock keeps it, or these credentials may not; TRANSIENT, IO. */
void object_store_remove_versions(ObjectStore *self, ObjectRemoval *removals, size_t n_removals);

void object_version_free(ObjectVersion *self);
void object_store_free(ObjectStore *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ObjectStore, object_store_free)
