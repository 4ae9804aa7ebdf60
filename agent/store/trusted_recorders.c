#include "agent/store/trusted_recorders.h"

#include "crypto/signed_note.h"

static void
on_verifier_free(gpointer verifier)
{
    note_verifier_free(verifier);
}

static bool
add_keys(GPtrArray *verifiers, const GPtrArray *keys, GError **error)
{
    for (guint i = 0; i < keys->len; i++) {
        NoteVerifier *verifier = note_verifier_parse(keys->pdata[i], error);

        if (verifier == NULL)
            return false;
        g_ptr_array_add(verifiers, verifier);
    }
    return true;
}

GPtrArray *
trusted_recorders(const Settings *settings, GError **error)
{
    g_autoptr(GPtrArray) verifiers = g_ptr_array_new_with_free_func(on_verifier_free);

    return add_keys(verifiers, settings->verifier_keys, error) ? g_steal_pointer(&verifiers) : NULL;
}

GPtrArray *
trusted_programs(const Settings *settings, GError **error)
{
    g_autoptr(GPtrArray) verifiers = g_ptr_array_new_with_free_func(on_verifier_free);

    if (!add_keys(verifiers, settings->verifier_keys, error) ||
        !add_keys(verifiers, settings->keys->opener_keys, error) ||
        !add_keys(verifiers, settings->keys->admin_keys, error))
        return NULL;
    return g_steal_pointer(&verifiers);
}

GPtrArray *
trusted_annotators(const Settings *settings, GError **error)
{
    g_autoptr(GPtrArray) verifiers = g_ptr_array_new_with_free_func(on_verifier_free);

    if (!add_keys(verifiers, settings->keys->opener_keys, error) ||
        !add_keys(verifiers, settings->keys->admin_keys, error))
        return NULL;
    return g_steal_pointer(&verifiers);
}
