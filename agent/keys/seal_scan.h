#pragma once

#include "storage/object_store.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* Looks which of an organisation's sealed objects a key still opens, before it goes. */

typedef struct {
    ObjectStore *store;
    const char *org;
    const char *recipient;
    GPtrArray *identities; /* AgeIdentity: of that key alone, or empty if nobody has it any more */
    unsigned n_threads;
    void (*on_progress)(void *user_data, uint64_t n_done, uint64_t n_sessions);
    void *user_data;
} SealScan;

typedef struct {
    uint64_t n_objects;
    uint64_t n_needing;  /* it opens them, or they name it */
    uint64_t n_unknown;  /* name no recipients, and there is no identity to ask */
    GPtrArray *examples; /* char *: names of the first of both */
} SealScanResult;

/* `result`: out, to be cleared. Errors: the store's. */
bool seal_scan(const SealScan *scan, SealScanResult *result,
               GError **error) G_GNUC_WARN_UNUSED_RESULT;
void seal_scan_result_clear(SealScanResult *self);
