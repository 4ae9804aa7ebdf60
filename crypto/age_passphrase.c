#include "crypto/age_passphrase.h"

#include "crypto/age_key_private.h"

AgeRecipient *
age_recipient_new_scrypt(const Secret *passphrase, unsigned log_n)
{
    g_assert(log_n >= 1 && log_n <= AGE_PASSPHRASE_MAX_LOG_N);
    AgeRecipient *self = g_new0(AgeRecipient, 1);

    self->kind = AGE_KEY_SCRYPT;
    self->passphrase = passphrase;
    self->log_n = log_n;
    return self;
}

AgeIdentity *
age_identity_new_scrypt(const Secret *passphrase, unsigned max_log_n)
{
    AgeIdentity *self = g_new0(AgeIdentity, 1);

    self->kind = AGE_KEY_SCRYPT;
    self->passphrase = passphrase;
    self->max_log_n = max_log_n;
    return self;
}

AgeIdentity *
age_identity_new_asking(AgePassphraseAsk ask, void *ask_data, unsigned max_log_n)
{
    AgeIdentity *self = age_identity_new_scrypt(NULL, max_log_n);

    self->ask = ask;
    self->ask_data = ask_data;
    return self;
}
