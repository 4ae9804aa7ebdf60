#pragma once

#include "agent/admin/command_context.h"

/* `sealtape audit show`: the records themselves. */
int audit_show_run(CommandContext *context, int argc, char **argv);
