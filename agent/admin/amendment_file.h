#pragma once

#include "agent/admin/recover_options.h"

#include <glib.h>

/* Tells whoever opens a recording that statements amend it, and whether they are written. */
void amendment_file_tell(const RecoverOptions *options, int64_t n_amendments);

/* Writes them, one JSON object a line, where `options` says. `text`: taken, wiped. */
bool amendment_file_write(const RecoverOptions *options, GByteArray *text,
                          GError **error) G_GNUC_WARN_UNUSED_RESULT;
