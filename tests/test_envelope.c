#include "crypto/age_file.h"
#include "crypto/crypto_error.h"
#include "crypto/envelope.h"

#include <string.h>

typedef struct {
    AgeIdentity *identity;
    GPtrArray *identities;
    GPtrArray *recipients;
} Organisation;

static void
set_up(Organisation *org, const void *data)
{
    g_autoptr(GError) error = NULL;

    org->identity = age_identity_generate(&error);
    g_assert_no_error(error);
    org->identities = g_ptr_array_new();
    g_ptr_array_add(org->identities, org->identity);
    org->recipients = g_ptr_array_new_with_free_func((GDestroyNotify) age_recipient_free);
    g_ptr_array_add(org->recipients, age_identity_recipient(org->identity));
}

static void
tear_down(Organisation *org, const void *data)
{
    g_ptr_array_unref(org->recipients);
    g_ptr_array_unref(org->identities);
    age_identity_free(org->identity);
}

static void
test_gives_back_the_key_of_each_track(Organisation *org, const void *data)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(EnvelopeBuilder) builder = envelope_builder_new("clinic-a", "visit", 1);
    g_autofree char *audio = envelope_builder_add_track(builder, "p1-audio", &error);
    g_autofree char *video = envelope_builder_add_track(builder, "p1-video", &error);
    g_autoptr(GBytes) sealed = envelope_builder_seal(builder, org->recipients, &error);
    g_autoptr(AgeContext) context = age_context_new_envelope("clinic-a", "visit", 1);
    g_autoptr(GPtrArray) keys = NULL;

    g_assert_no_error(error);
    keys = envelope_open(org->identities, context, sealed, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(keys->len, ==, 2);
    for (guint i = 0; i < keys->len; i++) {
        const EnvelopeKey *key = g_ptr_array_index(keys, i);
        g_autoptr(AgeRecipient) recipient = age_identity_recipient(key->identity);

        g_assert_cmpstr(key->track, ==, i == 0 ? "p1-audio" : "p1-video");
        g_assert_cmpstr(age_recipient_text(recipient), ==, i == 0 ? audio : video);
    }
}

static void
test_refuses_another_generation(Organisation *org, const void *data)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(EnvelopeBuilder) builder = envelope_builder_new("clinic-a", "visit", 1);
    g_autofree char *audio = envelope_builder_add_track(builder, "p1-audio", &error);
    g_autoptr(GBytes) sealed = envelope_builder_seal(builder, org->recipients, &error);
    g_autoptr(AgeContext) context = age_context_new_envelope("clinic-a", "visit", 2);

    g_assert_null(envelope_open(org->identities, context, sealed, &error));
    g_assert_error(error, CRYPTO_ERROR, CRYPTO_ERROR_CONTEXT);
}

/* An age file for the right place and reader, whose plaintext is not an envelope's. */
static void
test_refuses_keys_without_a_track(Organisation *org, const void *data)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Secret) key = age_identity_to_text(org->identity, &error);
    g_autoptr(AgeContext) context = age_context_new_envelope("clinic-a", "visit", 1);
    const struct iovec piece = {secret_bytes(key), secret_length(key)};
    g_autoptr(GBytes) sealed = age_file_seal(org->recipients, context, &piece, 1, &error);

    g_assert_no_error(error);
    g_assert_null(envelope_open(org->identities, context, sealed, &error));
    g_assert_error(error, CRYPTO_ERROR, CRYPTO_ERROR_MALFORMED);
}

static void
test_refuses_every_flipped_byte(Organisation *org, const void *data)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(EnvelopeBuilder) builder = envelope_builder_new("clinic-a", "visit", 1);
    g_autofree char *audio = envelope_builder_add_track(builder, "p1-audio", &error);
    g_autoptr(GBytes) sealed = envelope_builder_seal(builder, org->recipients, &error);
    g_autoptr(AgeContext) context = age_context_new_envelope("clinic-a", "visit", 1);
    gsize n_bytes = 0;
    const uint8_t *bytes = g_bytes_get_data(sealed, &n_bytes);

    for (gsize i = 0; i < n_bytes; i++) {
        uint8_t *changed = g_memdup2(bytes, n_bytes);
        g_autoptr(GBytes) bad = NULL;

        changed[i] ^= 1;
        bad = g_bytes_new_take(changed, n_bytes);
        g_assert_null(envelope_open(org->identities, context, bad, &error));
        g_assert_nonnull(error);
        g_clear_error(&error);
    }
}

#define ADD(name, function)                                                                        \
    g_test_add("/envelope/" name, Organisation, NULL, set_up, function, tear_down)

int
main(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;

    g_test_init(&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
    g_assert_true(crypto_start(&error));
    ADD("gives-back-the-key-of-each-track", test_gives_back_the_key_of_each_track);
    ADD("refuses-another-generation", test_refuses_another_generation);
    ADD("refuses-keys-without-a-track", test_refuses_keys_without_a_track);
    ADD("refuses-every-flipped-byte", test_refuses_every_flipped_byte);
    return g_test_run();
}
