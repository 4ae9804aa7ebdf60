#pragma once

#include "crypto/signed_note.h"
#include "storage/object_store.h"
#include "storage/spool.h"
#include "storage/storage_error.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* Carries what the spool holds into the object store, in a thread of its own: complete objects
 * first, then a signed manifest part that lists them (durable in the spool before it is put), and
 * only then the release from the spool. Runs for recovered sessions in the same way. Tries again
 * with full jitter for as long as it takes, after a denial once a minute; a conflict parks the
 * session until the next start. All of it is told. */
typedef struct Uploader Uploader;

typedef struct {
    Spool *spool; /* borrowed, like all here, until uploader_free() */
    ObjectStore *store;
    const NoteSigner *signer;
    unsigned interval_ms; /* open sessions are looked through this often; 0: 1000 */
    /* On the uploader's thread; must not block. `note`: of the manifest part that the store has
     * now, perhaps once more. */
    void (*on_part_stored)(const char *note, void *user_data);
    void (*on_session_stored)(const char *org, const char *session, SessionEnd end,
                              void *user_data);
    void (*on_trouble)(const char *session, const GError *error, bool will_retry, void *user_data);
    void *user_data;
} UploaderOptions;

typedef struct {
    uint64_t n_objects;
    uint64_t n_parts;
    uint64_t n_failures; /* tries that failed */
    uint64_t n_failures_by[N_STORAGE_ERRORS];
    int64_t oldest_unix_us; /* of what waits; 0: nothing */
    bool is_parked;
} UploaderStatus;

/* Starts the thread. */
Uploader *uploader_new(const UploaderOptions *options);

/* Something was committed or a session closed: look now. Thread: any. */
void uploader_wake(Uploader *self);

/* Waits until everything closed and complete is stored, at most `timeout_ms`. Returns: true if so.
 * Blocks. */
bool uploader_drain(Uploader *self, unsigned timeout_ms);

void uploader_status(Uploader *self, UploaderStatus *status);

/* Returns: a count that grows with each look through the spool, at least one a second, and with
 * each put that the store has answered. Thread: any. */
uint64_t uploader_turns(void *self);

/* Stops the thread after its present step; what is not stored stays in the spool. NULL is allowed.
 */
void uploader_free(Uploader *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Uploader, uploader_free)
