#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* An audit log held against the checkpoints that were signed of it: what was edited, removed, put
 * in another order, cut off, forked or put back is found, and what no checkpoint vouches for yet is
 * counted. Needs no secret. */

/* A checkpoint, and where it was found. */
typedef struct {
    const char *name; /* as findings call it */
    GBytes *note;
    bool is_anchored; /* in the store, where this host can not take it back */
} AuditNote;

typedef struct {
    const char *origin; /* as its checkpoints must have it */
    GBytes *content;    /* the log's file */
    GPtrArray *notes;   /* AuditNote */
    GPtrArray *verifiers;
} AuditEvidence;

typedef struct {
    uint64_t n_records;
    uint64_t n_signed;   /* under the largest checkpoint that fits */
    uint64_t n_anchored; /* under the largest of those in the store */
    unsigned n_notes;    /* checkpoints that fit */
    GPtrArray *findings; /* char *: one sentence each; empty if all is well */
} AuditVerdict;

/* Everything in `evidence` is borrowed. Returns: owned. */
AuditVerdict *audit_check(const AuditEvidence *evidence);

void audit_verdict_free(AuditVerdict *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AuditVerdict, audit_verdict_free)
