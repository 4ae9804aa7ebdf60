#include "agent/recorder/recorder_storage.h"

#include "agent/store/configured_store.h"
#include "config/key_file.h"

static NoteSigner *
read_signer(const char *path, GError **error)
{
    g_autoptr(Secret) text = key_file_read(path, error);
    NoteSigner *signer = NULL;

    if (text == NULL)
        return NULL;
    signer = note_signer_parse(text, error);
    if (signer == NULL)
        g_prefix_error(error, "%s: ", path);
    return signer;
}

bool
recorder_storage_open(RecorderStorage *self, const Settings *settings, GError **error)
{
    self->signer = read_signer(settings->signing_key_path, error);
    if (self->signer == NULL)
        return false;
    self->store = configured_store_open(&settings->store, error);
    if (self->store == NULL)
        return false;
    self->spool = spool_open(settings->spool_path, &(SpoolOptions){0}, error);
    if (self->spool == NULL) {
        g_prefix_error(error, "recorder.spool: ");
        return false;
    }
    return true;
}

void
recorder_storage_close(RecorderStorage *self)
{
    spool_free(self->spool);
    object_store_free(self->store);
    note_signer_free(self->signer);
}
