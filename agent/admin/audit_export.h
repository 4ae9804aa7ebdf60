#pragma once

#include "agent/admin/command_context.h"

/* `sealtape audit export`: records as others read them. */
int audit_export_run(CommandContext *context, int argc, char **argv);
