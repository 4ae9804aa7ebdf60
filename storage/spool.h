#pragma once

#include "storage/session_ledger.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* Sealed segments and what their manifests will say, safe on the local disk until the object store
 * has them. Append-only log files; whatever was appended before a spool_commit() survives a power
 * cut once that returns true, and one flush serves everybody who waits for one. A log file is
 * deleted when everything in it is released; what open sessions still need is repeated at the head
 * of each new file.
 *
 * Opening replays the log: a torn tail is cut, a record that does not match its digest is set aside
 * in `quarantine/`, sessions that were open become interrupted, with a gap for what was lost.
 * One process for each spool (locked), none older than the one that wrote it. Thread: any; the
 * spool has its own lock. */
typedef struct Spool Spool;

typedef struct {
    uint64_t file_bytes;    /* a log file is closed past this size; 0: 64 MiB */
    uint64_t reserve_bytes; /* kept free for closing records: spool refuses segments below it; 0: 8
                               MiB */
} SpoolOptions;

typedef struct {
    uint64_t bytes;       /* on disk, all log files */
    uint64_t n_segments;  /* waiting */
    uint64_t n_commits;   /* flushes so far */
    uint64_t n_recovered; /* sessions found open at start */
    uint64_t n_quarantined;
    uint64_t n_dead_files; /* since start: given up because a write or a flush failed */
} SpoolStatus;

/* `path`: an existing folder. Errors: BUSY - another process has it; CONFLICT - a newer version
 * wrote it; NOT_FOUND, DENIED, IO, FULL.
 */
Spool *spool_open(const char *path, const SpoolOptions *options,
                  GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The calls below append; nothing is promised before the next spool_commit() returns true.
 * Errors: FULL - the disk is; IO - the file failed, and appending goes on in a new one; NOT_FOUND -
 * no such open session or track; CORRUPT - a value that no manifest may hold. */
bool spool_add_session(Spool *self, const LedgerSession *session,
                       GError **error) G_GNUC_WARN_UNUSED_RESULT;
bool spool_add_track(Spool *self, const char *session, const LedgerTrack *track,
                     GError **error) G_GNUC_WARN_UNUSED_RESULT;
bool spool_add_segment(Spool *self, const SealedSegment *segment,
                       GError **error) G_GNUC_WARN_UNUSED_RESULT;
bool spool_add_gap(Spool *self, const char *session, const LedgerGap *gap,
                   GError **error) G_GNUC_WARN_UNUSED_RESULT;
bool spool_add_clock(Spool *self, const char *session, const LedgerClock *clock,
                     GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Keeps an object that the store must have before anything else of `session`; a newer one of the
 * same name takes its place. */
bool spool_add_object(Spool *self, const char *session, const LedgerObject *object,
                      GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The consents or the policy were evaluated again; `mark <what> <reason>` lines may follow, which
 * say what is to become of all that was recorded. */
bool spool_add_policy(Spool *self, const char *session, const char *policy_lines,
                      GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Nothing more will come for `session`; `ends`: GArray of LedgerTrackEnd, one a track. */
bool spool_close_session(Spool *self, const char *session, const GArray *ends,
                         GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Makes everything appended so far durable. On failure what was appended since the last good commit
 * is written again, from memory, to a new file: a failed flush is never repeated on the same file.
 * Returns: true when durable. Blocks. Errors: FULL, IO. */
bool spool_commit(Spool *self, GError **error) G_GNUC_WARN_UNUSED_RESULT;

#define SPOOL_HEARTBEAT_US G_USEC_PER_SEC

/* Notes that recording was alive at `now_unix_us`, without a flush: what a crash lost is counted
 * from the last acknowledged segment to one beat after this moment, so never as less than it was.
 * Every SPOOL_HEARTBEAT_US while sessions are open. */
void spool_heartbeat(Spool *self, int64_t now_unix_us);

void spool_status(Spool *self, SpoolStatus *status);

/* NULL is allowed. Does not flush: what was not committed may be lost. */
void spool_free(Spool *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Spool, spool_free)
