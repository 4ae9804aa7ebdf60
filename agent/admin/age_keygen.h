#pragma once

#include "agent/admin/age_options.h"

/* `sealtape age keygen`: writes a new identity file, or with -y the recipients of one that is
 * there. Errors: any, in one sentence. */
bool age_keygen_run(const AgeOptions *options, GError **error) G_GNUC_WARN_UNUSED_RESULT;
