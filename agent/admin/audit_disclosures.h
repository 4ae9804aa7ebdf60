#pragma once

#include "agent/admin/command_context.h"

/* `sealtape audit disclosures`: the account that a client may ask for. */
int audit_disclosures_run(CommandContext *context, int argc, char **argv);
