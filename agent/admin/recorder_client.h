#pragma once

#include "agent/admin/command_context.h"

#include <jansson.h>

/* Asks the recorder, if it runs. Returns: the answer to a GET of `path`, owned; NULL when nobody
 * serves or the answer is not a 200. */
json_t *recorder_client_get(CommandContext *context, const char *path);
