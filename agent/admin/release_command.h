#pragma once

#include "agent/admin/command_context.h"

/* `sealtape session release|unrelease`; `argv` as in commands.h. */
int release_command_run(CommandContext *context, int argc, char **argv);
