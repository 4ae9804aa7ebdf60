#pragma once

#include "agent/admin/custody.h"
#include "agent/admin/keys_work.h"
#include "agent/reseal/reseal_run.h"

#include <glib.h>
#include <stdbool.h>

/* What `keys reencrypt` does with one session: asks whether it may, tells the auditors, and seals
 * it anew. */

/* All borrowed. */
typedef struct {
    const KeysWork *work;
    const Custody *custody;
    GPtrArray *recipients; /* AgeRecipient: the active keys */
    GPtrArray *identities; /* AgeIdentity */
    const char *against;   /* mark of the compromised key */
    const char *marks;     /* of the active ones, with commas */
    bool takes_over;
} ReencryptTask;

/* `result`: to be cleared in any case. Errors: as reseal_run() and signer_check_require(). */
bool keys_reencrypt_session(const ReencryptTask *task, const char *session, ResealResult *result,
                            GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Whether the session began before `until_us` (unix time), by its signed manifest: later ones were
 * never sealed to the key. One that nobody can tell began before. Errors: the store's. */
bool keys_reencrypt_began_before(const ReencryptTask *task, const char *session, int64_t until_us,
                                 bool *is_before, GError **error) G_GNUC_WARN_UNUSED_RESULT;
