#include "agent/admin/command_context.h"

#include "agent/store/configured_store.h"
#include "agent/store/trusted_recorders.h"
#include "agent/trail/audit_journal.h"
#include "config/settings_readable.h"
#include "crypto/age_context.h"
#include "storage/storage_error.h"

#include <stdio.h>
#include <string.h>

#define DEFAULT_CONFIG_PATH "/etc/sealtape/sealtape.conf"

struct CommandContext {
    char *config_path;
    bool as_json;
    Settings *settings;
    GHashTable *left_out; /* NULL: every organisation must be read */
    ObjectStore *store;
    GPtrArray *verifiers; /* NoteVerifier */
    AuditJournal *journal;
};

CommandContext *
command_context_new(const char *config_path, bool as_json)
{
    CommandContext *self = g_new0(CommandContext, 1);

    self->config_path = g_strdup(config_path != NULL ? config_path : DEFAULT_CONFIG_PATH);
    self->as_json = as_json;
    return self;
}

bool
command_context_as_json(const CommandContext *self)
{
    return self->as_json;
}

static bool
fail_usage(const CommandSyntax *syntax, const char *sentence)
{
    g_printerr("sealtape %s: %s\nTry `sealtape %s --help`.\n", syntax->name, sentence,
               syntax->name);
    return false;
}

bool
command_context_parse(CommandContext *self, const CommandSyntax *syntax, int *argc, char **argv)
{
    g_autoptr(GOptionContext) options = g_option_context_new(syntax->usage);
    g_autofree char *program = g_strconcat("sealtape ", syntax->name, NULL);
    g_autoptr(GError) fault = NULL;
    gboolean as_json = FALSE;
    const GOptionEntry common[] = {
        {"json", 0, 0, G_OPTION_ARG_NONE, &as_json, "Print JSON for programs", NULL},
        G_OPTION_ENTRY_NULL,
    };

    g_set_prgname(program);
    g_option_context_set_summary(options, syntax->summary);
    if (syntax->entries != NULL)
        g_option_context_add_main_entries(options, syntax->entries, NULL);
    g_option_context_add_main_entries(options, common, NULL);
    if (!g_option_context_parse(options, argc, &argv, &fault))
        return fail_usage(syntax, fault->message);
    if (as_json)
        self->as_json = true;
    /* GLib leaves a `--` that separated arguments in place. */
    if (*argc > 1 && strcmp(argv[1], "--") == 0) {
        memmove(argv + 1, argv + 2, sizeof(*argv) * (size_t) (*argc - 1));
        --*argc;
    }
    if (*argc - 1 < syntax->n_least)
        return fail_usage(syntax, "an argument is missing");
    if (*argc - 1 > syntax->n_most) {
        g_autofree char *sentence =
            g_strdup_printf("`%s` is one argument too many", argv[syntax->n_most + 1]);

        return fail_usage(syntax, sentence);
    }
    return true;
}

const Settings *
command_context_settings(CommandContext *self, GError **error)
{
    if (self->settings == NULL)
        self->settings = settings_load_readable(self->config_path, self->left_out, error);
    return self->settings;
}

void
command_context_leave_out(CommandContext *self)
{
    self->left_out = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
}

const char *
command_context_left_out(const CommandContext *self, const char *org)
{
    return self->left_out != NULL ? g_hash_table_lookup(self->left_out, org) : NULL;
}

ObjectStore *
command_context_store(CommandContext *self, GError **error)
{
    const Settings *settings = command_context_settings(self, error);

    if (settings != NULL && self->store == NULL)
        self->store = configured_store_open(&settings->store, error);
    return self->store;
}

/* Returns: borrowed. */
static GPtrArray *
trusted_verifiers(CommandContext *self, GError **error)
{
    const Settings *settings = command_context_settings(self, error);

    if (self->verifiers == NULL && settings != NULL)
        self->verifiers = trusted_recorders(settings, error);
    return self->verifiers;
}

/* Manifests are the recorders', annotations the openers' and command lines'. */
static Recording *
open_trusting(CommandContext *self, const char *org, const char *session, GError **error)
{
    g_autoptr(GPtrArray) annotators = trusted_annotators(self->settings, error);
    const RecordingTrust trust = {self->verifiers, annotators};

    return annotators != NULL ? recording_open(self->store, org, session, &trust, error) : NULL;
}

Recording *
command_context_open_recording(CommandContext *self, const char *session, GError **error)
{
    ObjectStore *store = command_context_store(self, error);
    GPtrArray *verifiers = store != NULL ? trusted_verifiers(self, error) : NULL;
    g_autofree char *org = NULL;
    g_autoptr(GError) fault = NULL;

    if (verifiers == NULL)
        return NULL;
    if (!age_context_id_is_valid(session)) {
        g_set_error(error, STORAGE_ERROR, STORAGE_ERROR_NOT_FOUND, "`%s` is not a session's id",
                    session);
        return NULL;
    }
    org = recording_find_org(store, session, &fault);
    if (org != NULL)
        return open_trusting(self, org, session, error);
    if (g_error_matches(fault, STORAGE_ERROR, STORAGE_ERROR_NOT_FOUND)) {
        g_set_error(error, STORAGE_ERROR, STORAGE_ERROR_NOT_FOUND, "the store has no session %s",
                    session);
    } else {
        g_propagate_error(error, g_steal_pointer(&fault));
    }
    return NULL;
}

bool
command_context_audit(CommandContext *self, const char *org, const AuditEvent *event,
                      GError **error)
{
    const Settings *settings = command_context_settings(self, error);

    if (settings != NULL && self->journal == NULL) {
        /* A store that does not answer gets the checkpoint another time. */
        self->journal = audit_journal_new(settings, command_context_store(self, NULL), error);
    }
    return self->journal != NULL && audit_journal_write(self->journal, org, event, error);
}

void
command_context_free(CommandContext *self)
{
    if (self == NULL)
        return;
    audit_journal_free(self->journal); /* it puts into the store */
    g_free(self->config_path);
    settings_free(self->settings);
    g_clear_pointer(&self->left_out, g_hash_table_unref);
    object_store_free(self->store);
    g_clear_pointer(&self->verifiers, g_ptr_array_unref);
    g_free(self);
}
