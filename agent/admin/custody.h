#pragma once

#include "agent/admin/command_context.h"
#include "agent/audit/audit_event.h"
#include "agent/trail/audit_journal.h"
#include "storage/annotation_log.h"
#include "storage/erasure.h"
#include "storage/recording.h"

#include <glib.h>
#include <stdbool.h>

/* What the commands of a custodian share: the store, the key of this command line, the audit log,
 * and who acts. Each act is told to the auditors before it happens. */
typedef struct {
    const CommandContext *context;
    const Settings *settings; /* borrowed from the context, as the next */
    ObjectStore *store;
    NoteSigner *signer;
    GPtrArray *annotators; /* NoteVerifier: openers and command lines */
    GPtrArray *recorders;
    AuditJournal *journal;
    const char *by; /* borrowed from the journal */
} Custody;

bool custody_open(Custody *self, CommandContext *context, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Finds the organisation of `session` and reads what was told of it. Returns: owned. */
AnnotationLog *custody_read(const Custody *self, const char *session,
                            GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Opens a session of `org`, and reads into `log` (owned) what was told of it and what its recorder
 * marked. Returns: owned. */
Recording *custody_open_recording(const Custody *self, const char *org, const char *session,
                                  AnnotationLog **log, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Adds `next`, whose `by` is set here: refused and told where it may not be, else told and done.
 * Holds, restrictions, amendments, consents that are given, sealing anew and erasures are for
 * custodians of the organisation alone; a hold is placed also by root and by whom sealtape.conf
 * belongs to, where the context left the organisation out.
 * `event`: its kind and what it says; the rest is filled in. */
bool custody_annotate(const Custody *self, Annotation *next, AuditEvent event,
                      GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The same, with an object that `next` names: it is put once it may be and the auditors know, and
 * lies there before anybody says so. NULL: none. All borrowed. */
typedef struct {
    const char *key;
    GBytes *body;
} CustodyObject;
bool custody_annotate_beside(const Custody *self, Annotation *next, AuditEvent event,
                             const CustodyObject *beside, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The part of an order that is the same for all. */
ErasureOrder custody_order(const Custody *self, const char *org, const char *session);

void custody_clear(Custody *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Custody, custody_clear)
