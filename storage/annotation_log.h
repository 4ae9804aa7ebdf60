#pragma once

#include "crypto/signed_note.h"
#include "storage/annotation_view.h"
#include "storage/object_store.h"
#include "storage/reseal_chain.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* A recording's annotations as the store holds them, `<org>/<session>/notes/<n>.note`: a chain of
 * signed notes, numbered from 1, to which anyone with put rights and a trusted key may add.
 * Read-only once read; one thread. May block. */

typedef struct {
    char *org, *session;
    GPtrArray *annotations; /* Annotation, in order */
    AnnotationView *view;   /* what they come to */
} AnnotationLog;

/* A fault of the chain. */
typedef void (*AnnotationFaultFunc)(const char *code, const char *sentence, void *user_data);

/* Reads them all. Fails closed: whoever opens or deletes by this must know that nothing was left
 * out, so one note that is missing, forged, of another place or of an unknown kind fails it. A
 * recording without annotations, or one nobody knows, has an empty log.
 * `verifiers`: GPtrArray of NoteVerifier. Errors: CORRUPT - names the note; any of the store's. */
AnnotationLog *annotation_log_read(ObjectStore *store, const char *org, const char *session,
                                   GPtrArray *verifiers, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* What a check looks at; all borrowed. */
typedef struct {
    ObjectStore *store;
    const char *org, *session;
    const GPtrArray *keys; /* char *: the names of the session's objects */
    GPtrArray *verifiers;
    const ResealChain *resealed; /* of the session; NULL: it never was */
    AnnotationFaultFunc on_fault;
    void *user_data;
} AnnotationCheck;

/* Tells every fault instead of failing at the first, those of sealed statements included. Returns:
 * what is genuine, owned: to report by, never to decide by. */
AnnotationLog *annotation_log_check(const AnnotationCheck *check) G_GNUC_WARN_UNUSED_RESULT;

typedef struct {
    ObjectStore *store;       /* all borrowed */
    const NoteSigner *signer; /* its verifier is among `verifiers` */
    GPtrArray *verifiers;
    /* Asked before each try with what holds at that moment; NULL: annotation_view_may_take()
     * decides alone. Returning false sets `error` and ends it. */
    bool (*may_add)(const AnnotationLog *now, void *user_data, GError **error);
    void *user_data;
} AnnotationWriter;

/* Adds `next` (not placed; gets its number, its predecessor and, where it has none, its time). Who
 * is slower than another reads again and decides again. Returns: true once it is durable.
 * Errors: DENIED - it may not be added, says why; CORRUPT; BUSY - others were faster again and
 * again; any of the store's. */
bool annotation_log_add(const AnnotationWriter *writer, Annotation *next,
                        GError **error) G_GNUC_WARN_UNUSED_RESULT;

void annotation_log_free(AnnotationLog *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AnnotationLog, annotation_log_free)
