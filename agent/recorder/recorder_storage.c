#include "agent/recorder/recorder_storage.h"

#include "agent/store/configured_store.h"
#include "agent/store/trusted_recorders.h"
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

/* Returns: GPtrArray of NoteVerifier, owned: the trusted recorders, and this one. */
static GPtrArray *
make_verifiers(const Settings *settings, const NoteSigner *signer, GError **error)
{
    g_autofree char *own = note_signer_verifier_key(signer);
    GPtrArray *verifiers = trusted_recorders(settings, error);

    for (guint i = 0; verifiers != NULL && i < settings->verifier_keys->len; i++) {
        if (g_str_equal(g_ptr_array_index(settings->verifier_keys, i), own))
            return verifiers;
    }
    if (verifiers != NULL)
        g_ptr_array_add(verifiers, note_verifier_parse(own, NULL));
    return verifiers;
}

static void
on_catalogue_trouble(const char *sentence, void *user_data)
{
    if (sentence != NULL) {
        g_warning("catalogue: %s; recording goes on, and the catalogue catches up later", sentence);
    } else {
        g_message("catalogue: up to date again");
    }
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
    self->verifiers = make_verifiers(settings, self->signer, error);
    self->annotators = self->verifiers != NULL ? trusted_annotators(settings, error) : NULL;
    if (self->annotators == NULL)
        return false;
    self->catalogue = catalogue_writer_new(&(CatalogueWriterOptions){
        .path = settings->catalogue_path,
        .store = self->store,
        .verifiers = self->verifiers,
        .annotators = self->annotators,
        .on_trouble = on_catalogue_trouble,
    });
    return true;
}

void
recorder_storage_clear(RecorderStorage *self)
{
    catalogue_writer_free(self->catalogue);
    spool_free(self->spool);
    object_store_free(self->store);
    g_clear_pointer(&self->verifiers, g_ptr_array_unref);
    g_clear_pointer(&self->annotators, g_ptr_array_unref);
    note_signer_free(self->signer);
}
