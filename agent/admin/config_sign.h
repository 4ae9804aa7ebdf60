#pragma once

#include "agent/admin/command_context.h"

/* `sealtape config sign`: signs an organisation's file, for `trusted_policies`. */
int config_sign_run(CommandContext *context, int argc, char **argv);
