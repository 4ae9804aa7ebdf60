#pragma once

#include "config/settings.h"
#include "crypto/signed_note.h"
#include "storage/object_store.h"

#include <glib.h>

/* A folder for audit logs and a store, with keys of programs, of one organisation, clinic-a. */
typedef struct {
    char *folder;
    Settings *settings; /* made by hand; `keys->signing_key_path` is the command line's */
    ObjectStore *store;
    NoteSigner *signer; /* of a daemon, `access.host-1` */
} TrailFixture;

/* Starts crypto/; once, first. */
void trail_fixture_start(void);

/* Adds `/<suite>/<name>`, with a fixture set up before and torn down behind it. */
void trail_fixture_add(const char *suite, const char *name,
                       void (*test)(TrailFixture *fixture, gconstpointer unused));

/* Returns: the text of a log of clinic-a, owned; empty if it is not there. */
char *trail_fixture_log(const TrailFixture *self, const char *origin);

/* Returns: how many checkpoints of that log the store has. */
unsigned trail_fixture_anchors(const TrailFixture *self, const char *origin);
