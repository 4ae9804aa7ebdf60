#pragma once

#include "config/org_access.h"

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>

/* The issuers' public keys (JWK sets), from files and URLs, kept for as long as the issuer's file
 * says. Whoever shows a key id that nobody knows makes them be read again, but only so often. While
 * they can not be read the ones before count on, for a while. Main thread. */
typedef struct KeySets KeySets;

KeySets *key_sets_new(void);

/* `keys`: the set, borrowed; NULL: it can not be had. */
typedef void (*KeySetsDone)(const json_t *keys, void *user_data);

/* `wants_newer`: what there was did not do. May call `done` at once, or later. */
void key_sets_get(KeySets *self, const OrgIssuer *issuer, bool wants_newer, KeySetsDone done,
                  void *user_data);

/* What waits is told NULL. NULL is allowed. */
void key_sets_free(KeySets *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(KeySets, key_sets_free)
