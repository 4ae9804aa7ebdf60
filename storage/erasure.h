#pragma once

#include "crypto/signed_note.h"
#include "storage/object_store.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* The end of one recording, and what is signed of it. Only the retention commands call this
 * (tests/check_mistakes.sh): no daemon deletes. Blocks. */

/* All borrowed. */
typedef struct {
    ObjectStore *store; /* may list and delete */
    const NoteSigner *signer;
    GPtrArray *annotators; /* NoteVerifier: whose annotations and erasure notes are believed */
    GPtrArray *recorders;  /* NoteVerifier: whose manifests are */
    const char *org, *session;
    const char *by, *software;
    const char *reason;               /* a word */
    const char *rule, *table;         /* of retention; NULL: none */
    uint32_t request;                 /* its annotation; 0: a rule erases it, not two people */
    const char *requested, *approved; /* by whom */
    /* As the annotations stood when this was decided: when a run began it last; 0: none had. A run
     * that began since has it for itself. */
    int64_t begun_at_unix_s;
} ErasureOrder;

typedef struct {
    unsigned n_removed; /* versions, markers and unfinished uploads, by this run */
    unsigned n_locked;  /* versions that a lock still keeps: nothing opens them any more */
    uint64_t n_bytes;   /* removed */
    char *until;        /* YYYY-MM-DD: when the last lock ends; NULL: nothing is left */
    char *certificate;  /* hexadecimal digest of the signed certificate */
} ErasureResult;

/* In this order, each durable before the next:
 * 1. an annotation says that it has begun, which no hold permits and after which none can come. It
 *    has one winner among runs at once, who has ten minutes; the others get BUSY;
 * 2. a signed order names everything that lies there; from here on every reader refuses it;
 * 3. every version of every envelope, of the metadata and of sealed statements is removed;
 * 4. the media, then the manifest, by version;
 * 5. it is listed again, and what is still there is a failure, or under lock;
 * 6. a signed certificate says so, and an annotation.
 * A run that was cut short goes on where it stopped; one that a lock left unfinished goes on after
 * the lock. Errors: DENIED - it is on hold, or these credentials may not; BUSY - another
 * run is at it; CORRUPT - its annotations
 * can not be believed; any of the store's: run it again. */
bool erasure_run(const ErasureOrder *order, ErasureResult *result,
                 GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The signed notes of an erasure, checked: signature, place, chain.
 * Returns: GPtrArray of ErasureNote, owned; empty: nobody ordered it. Errors: CORRUPT - names the
 * note; the store's. `notes`: out, may be NULL, GPtrArray of GBytes: as they lie there. */
GPtrArray *erasure_read_notes(const ErasureOrder *order, GPtrArray **notes,
                              GError **error) G_GNUC_WARN_UNUSED_RESULT;

void erasure_result_clear(ErasureResult *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(ErasureResult, erasure_result_clear)
