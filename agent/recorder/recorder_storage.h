#pragma once

#include "config/settings.h"
#include "crypto/signed_note.h"
#include "storage/catalogue_writer.h"
#include "storage/object_store.h"
#include "storage/spool.h"

#include <glib.h>
#include <stdbool.h>

/* What a recorder keeps its recordings with. Main thread; what it holds is for any. */
typedef struct {
    ObjectStore *store;
    NoteSigner *signer;
    GPtrArray *verifiers;  /* NoteVerifier: the trusted recorders and this one */
    GPtrArray *annotators; /* NoteVerifier: whose erasures the catalogue believes */
    Spool *spool;
    CatalogueWriter *catalogue;
} RecorderStorage;

/* Fills `self`, which is zero; the catalogue is opened later, in its own thread, and is no reason
 * not to record. After an error what was opened is still to be cleared. Errors: of key, store or
 * spool; the message is for the user. */
bool recorder_storage_open(RecorderStorage *self, const Settings *settings,
                           GError **error) G_GNUC_WARN_UNUSED_RESULT;

void recorder_storage_clear(RecorderStorage *self);
