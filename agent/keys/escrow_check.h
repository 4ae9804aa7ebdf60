#pragma once

#include "crypto/key_ring.h"
#include "storage/object_store.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* Whether every session would still open: each sealed object with a key of each role. */

typedef struct {
    ObjectStore *store;
    const char *org;
    const char *session; /* only this one; NULL: all */
    const KeyRing *ring;
    GPtrArray *identities; /* AgeIdentity: what is at hand; the rest is told from the headers */
    GPtrArray *verifiers;  /* NoteVerifier: whose manifests are believed */
    GPtrArray *annotators; /* the same: whose notes on a sealing anew */
    unsigned n_threads;
    void (*on_progress)(void *user_data, uint64_t n_done, uint64_t n_sessions);
    void *user_data;
} EscrowCheck;

typedef struct {
    uint64_t n_objects;
    uint64_t n_opened[N_KEY_RING_ROLES];  /* really, with a key at hand */
    uint64_t n_claimed[N_KEY_RING_ROLES]; /* say that a key of the role, not at hand, opens them */
    uint64_t n_findings;
    GPtrArray *findings; /* char *: one sentence each of the first */
} EscrowResult;

/* `result`: out, to be cleared. Errors: the store's. */
bool escrow_check(const EscrowCheck *check, EscrowResult *result,
                  GError **error) G_GNUC_WARN_UNUSED_RESULT;
void escrow_result_clear(EscrowResult *self);
