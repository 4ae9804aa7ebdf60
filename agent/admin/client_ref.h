#pragma once

#include "config/settings.h"

#include <stdbool.h>

/* A client as people name them to a command: a subject (`https://idp.example|sub-1`,
 * `Practitioner/12`), or the pseudonym by which they stand in audit logs. */

/* Whether it has the form of a pseudonym. */
bool client_ref_is_pseudonym(const char *client);

/* Returns: the pseudonym that `client` names, or is, owned. Errors: there is no key to make one. */
char *client_ref_pseudonym(const Settings *settings, const char *org, const char *client,
                           GError **error) G_GNUC_WARN_UNUSED_RESULT;
