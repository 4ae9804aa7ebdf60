#pragma once

#include "agent/admin/command_context.h"

/* The commands below `keys`. `argv`: starts with the word behind it. Returns: an ExitCode. */
int keys_new_run(CommandContext *context, int argc, char **argv);
int keys_rotate_run(CommandContext *context, int argc, char **argv);
int keys_list_run(CommandContext *context, int argc, char **argv);
int keys_due_run(CommandContext *context, int argc, char **argv);
int keys_enrol_run(CommandContext *context, int argc, char **argv);
int keys_revoke_run(CommandContext *context, int argc, char **argv);
int keys_rewrap_run(CommandContext *context, int argc, char **argv);
int keys_reencrypt_run(CommandContext *context, int argc, char **argv);
int keys_retire_run(CommandContext *context, int argc, char **argv);
int keys_destroy_run(CommandContext *context, int argc, char **argv);
int keys_escrow_run(CommandContext *context, int argc, char **argv);
int keys_drill_run(CommandContext *context, int argc, char **argv);
