#pragma once

#include "storage/object_store.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* What is left of a recording that was erased, for whoever reads: the signed order and certificates
 * under `<org>/erased/<session>/`, which no backup of the session takes back. Reads only. */

typedef enum {
    ERASURE_STAGE_BEGUN,  /* ordered, and not ended yet */
    ERASURE_STAGE_LOCKED, /* no key is left; bytes lie under object lock until a day */
    ERASURE_STAGE_ENDED,  /* nothing is left */
} ErasureStage;

typedef struct {
    ErasureStage stage;
    int64_t at_unix_s;          /* when the newest note was signed */
    int64_t from_us, until_us;  /* unix time of what was recorded; 0: not known */
    char *reason;               /* a word */
    char *rule, *table;         /* `-`: no rule */
    char *requested, *approved; /* `-`: not by two people */
    char *until;                /* YYYY-MM-DD of ERASURE_STAGE_LOCKED; `-` */
    char *certificate;          /* hexadecimal digest of the newest note; NULL: none yet */
} ErasureTrace;

/* `annotators`: GPtrArray of NoteVerifier: whose orders are believed.
 * Returns: owned; NULL with `error` unset: nobody ordered it. Errors: CORRUPT - names the note that
 * can not be believed; the store's. */
ErasureTrace *erasure_trace_read(ObjectStore *store, const char *org, const char *session,
                                 GPtrArray *annotators, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* One sentence without an end, as people read it: `erased on 2026-11-29 (retention), certificate
 * ...`; owned. */
char *erasure_trace_describe(const ErasureTrace *self);

/* Whether the object, named within its session, may still lie there. */
bool erasure_trace_permits(const ErasureTrace *self, const char *relative);

void erasure_trace_free(ErasureTrace *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ErasureTrace, erasure_trace_free)
