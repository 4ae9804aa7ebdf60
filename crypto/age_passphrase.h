#pragma once

#include "crypto/age_key.h"

/* Passphrases as recipients and identities of age files: the scrypt stanza. */

/* age's own work factor for sealing, and the most it accepts when opening. */
#define AGE_PASSPHRASE_LOG_N     18
#define AGE_PASSPHRASE_MAX_LOG_N 22

/* Seals to `passphrase` (borrowed until age_recipient_free()) with scrypt's N = 2^`log_n`, 1 to
 * AGE_PASSPHRASE_MAX_LOG_N. It can only stand alone in a file. */
AgeRecipient *age_recipient_new_scrypt(const Secret *passphrase, unsigned log_n);

/* Opens files sealed to `passphrase` (borrowed until age_identity_free()); refuses a work factor
 * over `max_log_n`. */
AgeIdentity *age_identity_new_scrypt(const Secret *passphrase, unsigned max_log_n);

/* Returns: a passphrase, owned by who asked; NULL sets `error`. */
typedef Secret *(*AgePassphraseAsk)(void *ask_data, GError **error);

/* As above, but asks only once a file turns out to be sealed to a passphrase. */
AgeIdentity *age_identity_new_asking(AgePassphraseAsk ask, void *ask_data, unsigned max_log_n);
