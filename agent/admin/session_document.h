#pragma once

#include "agent/admin/session_facts.h"
#include "storage/annotation_view.h"

#include <glib.h>
#include <jansson.h>

/* A FHIR R4 DocumentReference of a stored session, for the chart that it belongs to. It has what
 * the signed manifest and the annotations say, and no name, key or secret: whose chart it is, only
 * whoever asks knows. Pure: the same session gives the same document. */

/* What only the caller knows; all borrowed, NULL: left out. */
typedef struct {
    const char *subject;   /* `Patient/12` */
    const char *encounter; /* `Encounter/12` */
    const char *loinc;     /* the type's code, as the organisation's charts have it */
    const char *url;       /* where it can be asked for; NULL: its `urn:uuid` */
} SessionDocumentPlace;

/* Whether all of `place` may stand in a document: a url has no password, query or fragment, where
 * secrets travel. Errors: G_OPTION_ERROR_BAD_VALUE - which option, and what is allowed. */
gboolean session_document_check(const SessionDocumentPlace *place,
                                GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Whether a session in this state has a document. */
bool session_document_is_due(const SessionFacts *facts);

/* Returns: the resource, owned by the caller. `facts`: session_document_is_due(). */
json_t *session_document_new(const SessionFacts *facts, const AnnotationView *view,
                             const SessionDocumentPlace *place);
