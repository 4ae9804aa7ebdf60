#pragma once

#include "storage/object_store.h"
#include "storage/repair_source.h"

#include <glib.h>
#include <stdbool.h>

/* Gives one session back to a store what it lacks: objects, parts of the manifest, envelopes and
 * metadata, annotations and the statements that they name. What is given back is genuine: it has
 * the digests of the signed manifest or annotation, is a signed part of these, or names its place
 * in its header. Of what was erased nothing comes back, whoever of them all has the order. A name
 * that holds anything is never touched. What is there already is no work, so a repair that was
 * broken off goes on where it stopped. */

typedef enum {
    REPAIR_DONE,    /* given back; with `is_plan` it would be */
    REPAIR_LACKING, /* no source has it, or none has it genuine */
    REPAIR_FAILED,  /* `detail` says why; the store refused it, or holds something else there */
    REPAIR_ERASED,  /* told once, and nothing else: an order of erasure lies in `detail` */
} RepairOutcome;

typedef struct {
    ObjectStore *store;    /* borrowed, as all here */
    GPtrArray *verifiers;  /* NoteVerifier: of manifests */
    GPtrArray *annotators; /* the same: of annotations, and of notes on a sealing anew */
    GPtrArray *sources;    /* RepairSource, the first choice first; not the store itself */
    bool is_plan;          /* changes nothing */
    /* `detail`: the source's name, or what went wrong. */
    void (*on_object)(const char *relative, RepairOutcome outcome, const char *detail,
                      void *user_data);
    void *user_data;
} RepairRequest;

/* Errors: the store's, on reading. */
bool repair_session(const RepairRequest *request, const char *org, const char *session,
                    GError **error) G_GNUC_WARN_UNUSED_RESULT;
