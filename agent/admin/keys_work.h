#pragma once

#include "agent/admin/command_context.h"
#include "agent/keys/ring_file.h"

#include <glib.h>
#include <stdbool.h>

/* What the commands on an organisation's keys have in common: whose keys, their ring, the store,
 * and the record that is written before anything changes. */
typedef struct {
    CommandContext *context; /* borrowed, as the two below */
    const Settings *settings;
    const OrgSettings *org;
    RingFile *file;
} KeysWork;

/* `org`: NULL for the only one there is. Errors: CONFIG_ERROR - no such organisation, more than
 * one, a ring that does not count. */
bool keys_work_open(KeysWork *self, CommandContext *context, const char *org,
                    GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Returns: GPtrArray of AgeIdentity, owned, of `paths` (NULL-terminated; may be NULL: none). Asks
 * for passphrases on the terminal. */
GPtrArray *keys_work_identities(char **paths, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Reads a key as a person names it: its recipient, or the first digits of its mark, as `keys list`
 * has them. Returns: the row of the ring, borrowed. Errors: NOT_FOUND - no such key, or more than
 * one. */
KeyRingKey *keys_work_find(const KeyRing *ring, const char *name,
                           GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The identities of `identities` (borrowed) that belong to `recipient`. Returns: owned; may be
 * empty. */
GPtrArray *keys_work_identities_of(GPtrArray *identities, const char *recipient);

/* Returns: the marks of the active keys, with commas, as the auditors are told them; owned. */
char *keys_work_marks(const OrgSettings *org);

/* Signs `next` and puts it into the place of the ring. */
bool keys_work_write(KeysWork *self, KeyRing *next, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Makes version 1 of the organisation's file, if there is no ring yet. */
bool keys_work_adopt(KeysWork *self, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Returns: the next version, to be changed and written; owned. */
KeyRing *keys_work_next(const KeysWork *self);

/* Sets the state and the moment it began. */
void keys_work_set_state(KeyRingKey *key, KeyRingState state);

void keys_work_clear(KeysWork *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(KeysWork, keys_work_clear)
