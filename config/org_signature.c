#include "config/org_signature.h"

#include "crypto/signed_note.h"

#include <string.h>

#define SUFFIX ".conf"

static void
on_verifier_free(gpointer verifier)
{
    note_verifier_free(verifier);
}

char *
org_signature_text(const char *org, const char *digest)
{
    return g_strdup_printf("sealtape-policy/v1\norg %s\nsha256 %s\n", org, digest);
}

char *
org_signature_path(const char *path)
{
    if (!g_str_has_suffix(path, SUFFIX))
        return NULL;
    return g_strdup_printf("%.*s.signed", (int) (strlen(path) - strlen(SUFFIX)), path);
}

/* Returns: NULL sets `error`. */
static GPtrArray *
read_verifiers(const GPtrArray *keys, GError **error)
{
    g_autoptr(GPtrArray) verifiers = g_ptr_array_new_with_free_func(on_verifier_free);

    for (guint i = 0; i < keys->len; i++) {
        NoteVerifier *verifier = note_verifier_parse(keys->pdata[i], error);

        if (verifier == NULL)
            return NULL;
        g_ptr_array_add(verifiers, verifier);
    }
    return g_steal_pointer(&verifiers);
}

bool
org_signature_check(const OrgSettings *org, const char *path, const GPtrArray *keys, GError **error)
{
    g_autofree char *beside = org_signature_path(path);
    g_autofree char *wanted = org_signature_text(org->id, org->digest);
    g_autoptr(GPtrArray) verifiers = NULL;
    g_autoptr(GError) fault = NULL;
    g_autofree char *note = NULL;
    g_autofree char *text = NULL;
    gsize n_bytes = 0;

    if (keys->len == 0)
        return true;
    verifiers = read_verifiers(keys, error);
    if (verifiers == NULL)
        return false;
    if (!g_file_get_contents(beside, &note, &n_bytes, &fault)) {
        g_set_error(error, CONFIG_ERROR, CONFIG_ERROR_UNREADABLE,
                    "%s: it has to be signed by one of `trusted_policies`: %s", path,
                    fault->message);
        return false;
    }
    text = note_open(note, n_bytes, verifiers, &fault);
    if (text != NULL && strcmp(text, wanted) == 0)
        return true;
    g_set_error(error, CONFIG_ERROR, CONFIG_ERROR_INVALID,
                "%s: %s does not sign it as it is: %s; `sealtape config sign` does", path, beside,
                fault != NULL ? fault->message : "it was signed for another file, or an older one");
    return false;
}
