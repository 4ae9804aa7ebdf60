#include "agent/recorder/srtp_key.h"

#include "agent/recorder/shown_text.h"
#include "crypto/base64.h"

#include <string.h>

struct SrtpKey {
    SrtpSuite suite;
    Secret *secret;
};

/* Names of RFC 4568 and RFC 7714; key and salt together. */
static const struct {
    const char *name;
    size_t n_bytes;
} suites[] = {
    [SRTP_SUITE_AES_CM_128_HMAC_SHA1_80] = {"AES_CM_128_HMAC_SHA1_80", 30},
    [SRTP_SUITE_AEAD_AES_128_GCM] = {"AEAD_AES_128_GCM",        28},
    [SRTP_SUITE_AEAD_AES_256_GCM] = {"AEAD_AES_256_GCM",        44},
};

static bool
knows_members(const json_t *form, char **fault)
{
    const char *name = NULL;
    json_t *value = NULL;

    if (!json_is_object(form)) {
        *fault = g_strdup("\"srtp\" must be an object of \"suite\" and \"key\"");
        return false;
    }
    json_object_foreach((json_t *) form, name, value)
    {
        if (strcmp(name, "suite") != 0 && strcmp(name, "key") != 0) {
            g_autofree char *shown = shown_text(name);
            *fault = g_strdup_printf("\"srtp\": \"%s\" is not a known member", shown);
            return false;
        }
    }
    return true;
}

static bool
take_suite(SrtpKey *self, const json_t *form, char **fault)
{
    const char *name = json_string_value(json_object_get(form, "suite"));

    for (size_t i = 0; name != NULL && i < G_N_ELEMENTS(suites); i++) {
        if (strcmp(name, suites[i].name) == 0) {
            self->suite = (SrtpSuite) i;
            return true;
        }
    }
    *fault = g_strdup_printf("\"srtp\": \"suite\" must be one of \"%s\", \"%s\", \"%s\"",
                             suites[0].name, suites[1].name, suites[2].name);
    return false;
}

static bool
decode(SrtpKey *self, const json_t *text, char **fault)
{
    const size_t n_wanted = suites[self->suite].n_bytes;
    size_t n_bytes = 0;

    if (!json_is_string(text) ||
        !base64_decode_padded(json_string_value(text), json_string_length(text),
                              secret_bytes(self->secret), n_wanted, &n_bytes) ||
        n_bytes != n_wanted) {
        *fault = g_strdup_printf("\"srtp\": \"key\" must be the base64 of %zu bytes for %s: the "
                                 "master key, then the master salt",
                                 n_wanted, suites[self->suite].name);
        return false;
    }
    return true;
}

/* Overwrites what the parser of JSON holds, for it frees it as it is. */
static void
overwrite_text(const json_t *text)
{
    char *held = (char *) json_string_value(text);

    if (held != NULL)
        explicit_bzero(held, json_string_length(text));
}

SrtpKey *
srtp_key_parse(json_t *form, char **fault)
{
    g_autoptr(SrtpKey) self = g_new0(SrtpKey, 1);
    g_autoptr(GError) cause = NULL;
    const json_t *text = json_object_get(form, "key");
    bool is_good = knows_members(form, fault) && take_suite(self, form, fault);

    if (is_good) {
        self->secret = secret_new_zero(suites[self->suite].n_bytes, &cause);
        if (self->secret == NULL)
            *fault = g_strdup_printf("\"srtp\": %s", cause->message);
        is_good = self->secret != NULL && decode(self, text, fault);
    }
    overwrite_text(text);
    return is_good ? g_steal_pointer(&self) : NULL;
}

SrtpSuite
srtp_key_suite(const SrtpKey *self)
{
    return self->suite;
}

const Secret *
srtp_key_secret(const SrtpKey *self)
{
    return self->secret;
}

void
srtp_key_wipe(SrtpKey *self)
{
    if (self == NULL)
        return;
    g_clear_pointer(&self->secret, secret_free);
}

void
srtp_key_free(SrtpKey *self)
{
    srtp_key_wipe(self);
    g_free(self);
}
