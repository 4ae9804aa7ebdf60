#pragma once

#include "agent/admin/command_context.h"

/* `sealtape audit prove`: that one record stands in a signed log. */
int audit_prove_run(CommandContext *context, int argc, char **argv);
