#pragma once

#include "storage/repair.h"

/* What the steps of a repair share: what is asked for, of which session, and what is there. */
typedef struct {
    const RepairRequest *request;
    const char *org, *session;
    GHashTable *there; /* names, relative to the session */
} RepairPlace;

void repair_place_tell(const RepairPlace *self, const char *relative, RepairOutcome outcome,
                       const char *detail);

/* Gives `body`, which is genuine and comes from `source`, and tells of it. */
void repair_place_put(const RepairPlace *self, const char *relative, GBytes *body,
                      const char *source);

/* Returns: the highest number of a note that the store has in that `folder` of the session. */
uint32_t repair_place_last(const RepairPlace *self, const char *folder);
