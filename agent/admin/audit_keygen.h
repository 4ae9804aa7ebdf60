#pragma once

#include "agent/admin/command_context.h"

/* `sealtape audit keygen`: a signing key for a program that an older installation has none for. */
int audit_keygen_run(CommandContext *context, int argc, char **argv);
