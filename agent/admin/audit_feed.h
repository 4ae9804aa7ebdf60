#pragma once

#include "agent/admin/command_context.h"

/* `sealtape audit forward`: the command line's own log to the receiver of audit messages. */
int audit_feed_run(CommandContext *context, int argc, char **argv);
