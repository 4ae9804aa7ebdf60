#pragma once

#include "agent/admin/exit_code.h"
#include "agent/audit/audit_event.h"
#include "config/settings.h"
#include "storage/object_store.h"
#include "storage/recording.h"

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>

/* What the commands of `sealtape` share: the global options, and what is read from them once, when
 * first asked for. */
typedef struct CommandContext CommandContext;

/* `config_path`: NULL for the default, /etc/sealtape/sealtape.conf. */
CommandContext *command_context_new(const char *config_path, bool as_json);
bool command_context_as_json(const CommandContext *self);

/* Parses a command's own options and takes them out of `argv`; knows --json and --help (which ends
 * the program) by itself. `entries`: ends with an empty row; may be NULL. `usage`: what follows the
 * command's name. `n_least`, `n_most`: how many arguments must be left behind argv[0]; fewer or
 * more are a fault. Returns: false has said on standard error what is wrong: end with
 * EXIT_CODE_USAGE. */
typedef struct {
    const char *name; /* `session show` */
    const char *usage;
    const char *summary;
    const GOptionEntry *entries;
    int n_least, n_most;
} CommandSyntax;
bool command_context_parse(CommandContext *self, const CommandSyntax *syntax, int *argc,
                           char **argv) G_GNUC_WARN_UNUSED_RESULT;

/* Each borrowed. Errors: as settings_load(), configured_store_open(). */
const Settings *command_context_settings(CommandContext *self,
                                         GError **error) G_GNUC_WARN_UNUSED_RESULT;
ObjectStore *command_context_store(CommandContext *self, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Before the first of these: organisations whose files can not be read are left out. */
void command_context_leave_out(CommandContext *self);

/* Returns: why `org` was left out, borrowed; NULL if it was not. */
const char *command_context_left_out(const CommandContext *self, const char *org);

/* Opens what the store has of `session`. Errors: as recording_open(); the message names the
 * session. */
Recording *command_context_open_recording(CommandContext *self, const char *session,
                                          GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Tells the audit log of `org` what this command is about to do; audit_journal_write() says how. */
bool command_context_audit(CommandContext *self, const char *org, const AuditEvent *event,
                           GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Tells `error` (taken) on standard error. Returns: EXIT_CODE_FAILED. */
int command_context_fail(CommandContext *self, GError *error) G_GNUC_WARN_UNUSED_RESULT;

/* Prints `json` (taken) and a newline to standard output. */
void command_context_print_json(json_t *json);

void command_context_free(CommandContext *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CommandContext, command_context_free)
