#pragma once

#include "crypto/age_key.h"

/* Reads recipients as settings name them: `texts` of char *.
 * Returns: GPtrArray of AgeRecipient, owned. Errors: as age_recipient_parse(). */
GPtrArray *age_recipients_parse(const GPtrArray *texts, GError **error) G_GNUC_WARN_UNUSED_RESULT;
