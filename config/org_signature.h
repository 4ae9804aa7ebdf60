#pragma once

#include "config/settings.h"

/* Who answers for an organisation's file signs it: `<org>.signed` beside `<org>.conf`, a signed
 * note of the file's digest. */

/* Returns: what is signed of a file of `org` with that digest (hexadecimal), owned. */
char *org_signature_text(const char *org, const char *digest);

/* Returns: the path of the signature of the file at `path`, owned; NULL: it is none of an
 * organisation's. */
char *org_signature_path(const char *path);

/* Looks whether the file at `path`, read as `org`, is signed by one of `keys` (char *: verifier
 * keys; none: nobody asks). Inside config/ only. Errors: INVALID, UNREADABLE. */
bool org_signature_check(const OrgSettings *org, const char *path, const GPtrArray *keys,
                         GError **error) G_GNUC_WARN_UNUSED_RESULT;
