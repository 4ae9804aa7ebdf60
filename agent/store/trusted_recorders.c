#include "agent/store/trusted_recorders.h"

#include "crypto/signed_note.h"

static void
on_verifier_free(gpointer verifier)
{
    note_verifier_free(verifier);
}

GPtrArray *
trusted_recorders(const Settings *settings, GError **error)
{
    g_autoptr(GPtrArray) verifiers = g_ptr_array_new_with_free_func(on_verifier_free);

    for (guint i = 0; i < settings->verifier_keys->len; i++) {
        NoteVerifier *verifier = note_verifier_parse(settings->verifier_keys->pdata[i], error);

        if (verifier == NULL)
            return NULL;
        g_ptr_array_add(verifiers, verifier);
    }
    return g_steal_pointer(&verifiers);
}
