#pragma once

#include "agent/admin/command_context.h"

#include <jansson.h>

/* How the recorder of this host stands right now, as docs/cli.md has the JSON of `sealtape status`:
 * from its metrics and its list of sessions, the key rings, and what the last look at retention
 * found. Names nobody: ids, states, numbers. A recorder that does not answer is an alarm and no
 * error. `due` can be told without it.
 *
 * Returns: owned; NULL sets `error`: the settings can not be read. */
json_t *status_facts_gather(CommandContext *context, GError **error) G_GNUC_WARN_UNUSED_RESULT;
