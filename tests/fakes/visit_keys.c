#include "tests/fakes/visit_keys.h"

#include "crypto/age_file.h"

#include <string.h>

static NoteSigner *signer;
static GPtrArray *verifiers;

const NoteSigner *
visit_keys_signer(void)
{
    GError *error = NULL;

    if (signer == NULL)
        signer = note_signer_generate("recorder-1", &error);
    g_assert_no_error(error);
    return signer;
}

GPtrArray *
visit_keys_verifiers(void)
{
    g_autofree char *key = note_signer_verifier_key(visit_keys_signer());
    GError *error = NULL;

    if (verifiers == NULL) {
        verifiers = g_ptr_array_new_with_free_func((GDestroyNotify) note_verifier_free);
        g_ptr_array_add(verifiers, note_verifier_parse(key, &error));
    }
    g_assert_no_error(error);
    return verifiers;
}

const RecordingTrust *
visit_keys_trust(void)
{
    static RecordingTrust trust;

    trust.recorders = visit_keys_verifiers();
    return &trust;
}

void
visit_keys_save(const char *path)
{
    g_autoptr(Secret) text = note_signer_to_text(visit_keys_signer(), NULL);

    g_assert_nonnull(text);
    g_assert_true(g_file_set_contents(path, (const char *) secret_peek(text),
                                      (gssize) secret_length(text), NULL));
}

void
visit_keys_load(const char *path)
{
    g_autofree char *content = NULL;
    g_autoptr(Secret) text = NULL;
    gsize n_bytes = 0;
    GError *error = NULL;

    g_assert_true(g_file_get_contents(path, &content, &n_bytes, NULL));
    text = secret_new_zero(n_bytes, &error);
    g_assert_no_error(error);
    memcpy(secret_bytes(text), content, n_bytes);
    signer = note_signer_parse(text, &error);
    g_assert_no_error(error);
}

void
visit_keys_put_envelope(ObjectStore *store, const char *session)
{
    g_autofree char *key = g_strdup_printf("clinic-a/%s/env/1.age", session);
    g_autoptr(GPtrArray) recipients = g_ptr_array_new();
    g_autoptr(AgeContext) context = age_context_new_envelope("clinic-a", session, 1);
    g_autoptr(AgeIdentity) identity = age_identity_generate(NULL);
    g_autoptr(AgeRecipient) recipient = age_identity_recipient(identity);
    char keys[] = "keys";
    const struct iovec piece = {keys, 4};
    g_autoptr(GBytes) sealed = NULL;
    GError *error = NULL;

    g_ptr_array_add(recipients, recipient);
    sealed = age_file_seal(recipients, context, &piece, 1, &error);
    g_assert_no_error(error);
    g_assert_true(object_store_put(store, key, sealed, &error));
    g_assert_no_error(error);
}

void
visit_keys_free(void)
{
    g_clear_pointer(&signer, note_signer_free);
    g_clear_pointer(&verifiers, g_ptr_array_unref);
}
