#pragma once

#include "agent/recorder/session.h"
#include "agent/recorder/transcripts.h"
#include "agent/service/watchdog.h"
#include "config/settings.h"
#include "storage/catalogue_writer.h"
#include "storage/spool_space.h"
#include "storage/uploader.h"

#include <glib.h>
#include <stdbool.h>

/* The recorder as a whole: opens what sealtaped works with, owns the sessions, and ends them all in
 * order. Main thread. */
typedef struct Recorder Recorder;

/* Opens store, spool, keys, ingress and the worker threads; what an earlier process left in the
 * spool is closed as interrupted and on its way. On SIGHUP the organisations' files are read again
 * (recorder_reload.h). `settings`: borrowed until recorder_free().
 * Errors: any of those; the message is for the user. */
Recorder *recorder_new(const Settings *settings, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Begins a session; `request` is taken. The callback gets it; a session that never began is gone
 * after the callback. */
void recorder_start_session(Recorder *self, SessionRequest *request, SessionReadyFunc on_ready,
                            void *user_data);

/* Returns: borrowed; NULL if there is none, or it ended long ago. */
Session *recorder_session(const Recorder *self, const char *id);

/* Returns: every session it knows, in order of their beginning, borrowed; owned list. */
GPtrArray *recorder_sessions(const Recorder *self);

typedef struct {
    const Settings *settings; /* borrowed, as the next */
    const Watchdog *watchdog;
    SpoolStatus spool;
    SpoolSpaceLevel spool_level;
    uint64_t spool_free_bytes;
    UploaderStatus uploader;
    CatalogueWriterStatus catalogue;
    uint64_t queued_bytes; /* plaintext that waits to be sealed */
    uint64_t n_troubles;   /* told by the sealer */
    bool has_disk_trouble; /* the last flush failed */
    bool is_stopping;
} RecorderStatus;
void recorder_status(Recorder *self, RecorderStatus *status);

/* Returns: borrowed. */
Transcripts *recorder_transcripts(const Recorder *self);

/* Returns: borrowed. */
AuditTrail *recorder_audit(const Recorder *self);

/* Ends all sessions, waits for them to be stored, but not over ten seconds, and calls `on_stopped`.
 * What is not stored by then stays in the spool for the next start. */
void recorder_stop(Recorder *self, void (*on_stopped)(void *user_data), void *user_data);

/* NULL is allowed. */
void recorder_free(Recorder *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Recorder, recorder_free)
