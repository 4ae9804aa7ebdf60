#pragma once

#include "config/settings.h"
#include "storage/object_store.h"

#include <glib.h>
#include <stdint.h>

/* An installation made by `init`, with a folder of its own, and a recorded visit in its store: two
 * tracks of real media, sealed, spooled and uploaded by the real parts. All asserts. */
typedef struct {
    char *folder;
    char *config_path;
    char *org_key; /* identity files */
    char *break_glass_key;
    Settings *settings;
    ObjectStore *store;
} VisitFixture;

#define VISIT_ORG "clinic-a"

VisitFixture *visit_fixture_new(void);

/* Records `session`: tracks `p1-audio` (Opus) and `p1-video` (VP8), 9 s, in three segments each,
 * and behind them two seconds in which it is paused. */
void visit_fixture_record(VisitFixture *self, const char *session);

/* Leaves `session` open: nothing behind its media. */
void visit_fixture_record_open(VisitFixture *self, const char *session);

/* Returns: the path of an object's file, owned. `relative`: to the session's folder. */
char *visit_fixture_object(const VisitFixture *self, const char *session, const char *relative);

/* Flips one bit in the file at `path`, at `offset` from its end. */
void visit_fixture_damage(const char *path, size_t offset);
void visit_fixture_free(VisitFixture *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VisitFixture, visit_fixture_free)
