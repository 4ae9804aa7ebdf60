#pragma once

#include "crypto/age_p256tag.h"

#include <glib.h>

/* A token in this process, for tests: a P-256 key of OpenSSL's, always the same. */

/* The recipient of that key. */
#define SOFT_TOKEN_RECIPIENT "age1tag1q2nf00laa9q9exfgs0zugwwkes6czu94rtmjsy3n8vq4vgwupaqt5f9yhnt"

/* Returns: its identity, owned; NULL sets `error`. `fails`: borrowed; while it is true, the token
 * answers as one that was pulled out. */
AgeIdentity *soft_token_identity(bool *fails, GError **error);
