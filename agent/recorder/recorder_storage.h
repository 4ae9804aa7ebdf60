#pragma once

#include "config/settings.h"
#include "crypto/signed_note.h"
#include "storage/object_store.h"
#include "storage/spool.h"

/* What the recorder writes with and to. */
typedef struct {
    NoteSigner *signer;
    ObjectStore *store;
    Spool *spool;
} RecorderStorage;

/* On failure `self` holds what was opened so far. Errors: the message is for the user. */
bool recorder_storage_open(RecorderStorage *self, const Settings *settings,
                           GError **error) G_GNUC_WARN_UNUSED_RESULT;
void recorder_storage_close(RecorderStorage *self);
