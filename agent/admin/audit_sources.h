#pragma once

#include "agent/admin/command_context.h"
#include "storage/audit_check.h"

#include <glib.h>
#include <stdbool.h>

/* An audit log of this host, of any program, with the checkpoints that were signed of it. */
typedef struct {
    char *org;
    char *word;   /* its origin, as names of files have it */
    char *origin; /* as checkpoints have it; NULL: no program of that name is trusted */
    GPtrArray
        *verifiers;   /* NoteVerifier: of that name alone; one program can not speak for another */
    GBytes *content;  /* of the log */
    GPtrArray *notes; /* AuditNote: the one beside the log, and those in the store */
    char *fault;      /* why the store could not be asked for its; NULL: it was */
} AuditSource;

typedef struct {
    GPtrArray *verifiers; /* NoteVerifier: the programs that the settings trust */
    GPtrArray *logs;      /* AuditSource, by organisation and word */
} AuditSources;

/* Reads the logs of `org` (NULL: of each organisation of the settings). `with_store`: the store's
 * checkpoints as well. Returns: owned. Errors: settings, or a log that
 * can not be read. */
AuditSources *audit_sources_load(CommandContext *context, const char *org, bool with_store,
                                 GError **error) G_GNUC_WARN_UNUSED_RESULT;
void audit_sources_free(AuditSources *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AuditSources, audit_sources_free)
