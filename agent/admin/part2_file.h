#pragma once

#include "agent/admin/recover_options.h"

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>

/* The notice that goes with each copy of what 42 CFR part 2 protects, and the consents that the
 * copy was made by: a text beside the output, `OUTPUT.notice.txt`. */

/* Returns: it, owned. `consents`: as the opener tells of them (`part2.consents`); NULL or empty:
 * none was needed. */
char *part2_file_text(const json_t *consents);

/* Writes it beside the output that `options` name; to standard error where that is `-`. Errors: as
 * output_file_open(). */
bool part2_file_write(const RecoverOptions *options, const json_t *consents,
                      GError **error) G_GNUC_WARN_UNUSED_RESULT;
