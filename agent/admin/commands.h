#pragma once

#include "agent/admin/command_context.h"

/* The commands, each in the file of its name. `argv`: starts with the command's word. Returns: an
 * ExitCode. */
int init_command_run(CommandContext *context, int argc, char **argv);
int doctor_command_run(CommandContext *context, int argc, char **argv);
int config_command_run(CommandContext *context, int argc, char **argv);
int status_command_run(CommandContext *context, int argc, char **argv);
int report_command_run(CommandContext *context, int argc, char **argv);
int session_command_run(CommandContext *context, int argc, char **argv);
int catalogue_command_run(CommandContext *context, int argc, char **argv);
int repair_command_run(CommandContext *context, int argc, char **argv);
int scrub_command_run(CommandContext *context, int argc, char **argv);
int verify_command_run(CommandContext *context, int argc, char **argv);
int keys_command_run(CommandContext *context, int argc, char **argv);
int audit_command_run(CommandContext *context, int argc, char **argv);
int transcribe_command_run(CommandContext *context, int argc, char **argv);
int recover_command_run(CommandContext *context, int argc, char **argv);
int hold_command_run(CommandContext *context, int argc, char **argv);
int quarantine_command_run(CommandContext *context, int argc, char **argv);
int consent_command_run(CommandContext *context, int argc, char **argv);
int amend_command_run(CommandContext *context, int argc, char **argv);
int restrict_command_run(CommandContext *context, int argc, char **argv);
int offboard_command_run(CommandContext *context, int argc, char **argv);
int erase_command_run(CommandContext *context, int argc, char **argv);
int retention_command_run(CommandContext *context, int argc, char **argv);
int export_command_run(CommandContext *context, int argc, char **argv);
int grants_command_run(CommandContext *context, int argc, char **argv);
int reviews_command_run(CommandContext *context, int argc, char **argv);
