#include "agent/admin/commands.h"
#include "agent/admin/config_sign.h"
#include "agent/admin/config_warnings.h"
#include "agent/admin/retention_plan.h"

#include <string.h>

/* The rules of retention stand in files of their own, which recording and opening do not read. */
static bool
check_retention(const Settings *settings, unsigned *n_rules, GError **error)
{
    for (guint i = 0; i < settings->orgs->len; i++) {
        const OrgSettings *org = settings->orgs->pdata[i];
        GError *fault = NULL;
        g_autoptr(RetentionSettings) rules = retention_plan_settings(settings, org->id, &fault);

        if (fault != NULL) {
            g_propagate_error(error, fault);
            return false;
        }
        *n_rules += rules != NULL ? rules->rules->len : 0;
    }
    return true;
}

/* `warnings`: NULL where the settings are not good. */
static json_t *
warnings_to_json(const GPtrArray *warnings)
{
    json_t *list = json_array();

    for (guint i = 0; warnings != NULL && i < warnings->len; i++)
        json_array_append_new(list, json_string(warnings->pdata[i]));
    return list;
}

static void
print_warnings(const GPtrArray *warnings)
{
    for (guint i = 0; i < warnings->len; i++)
        g_printerr("sealtape: warning: %s\n", (const char *) warnings->pdata[i]);
}

static int
check(CommandContext *context)
{
    g_autoptr(GPtrArray) warnings = NULL;
    g_autoptr(GError) error = NULL;
    const Settings *settings = command_context_settings(context, &error);
    unsigned n_rules = 0;

    if (settings != NULL && !check_retention(settings, &n_rules, &error))
        settings = NULL;
    if (settings != NULL)
        warnings = config_warnings(settings);
    if (command_context_as_json(context)) {
        command_context_print_json(json_pack("{s:b, s:s?, s:o}", "ok", settings != NULL, "message",
                                             error != NULL ? error->message : NULL, "warnings",
                                             warnings_to_json(warnings)));
        return settings != NULL ? EXIT_CODE_OK : EXIT_CODE_FAILED;
    }
    if (settings == NULL)
        return command_context_fail(context, g_steal_pointer(&error));
    print_warnings(warnings);
    g_print("%s is good: %u organisation%s, %u trusted recorder%s, %u rule%s of retention.\n",
            settings->path, settings->orgs->len, settings->orgs->len == 1 ? "" : "s",
            settings->verifier_keys->len, settings->verifier_keys->len == 1 ? "" : "s", n_rules,
            n_rules == 1 ? "" : "s");
    return EXIT_CODE_OK;
}

int
config_command_run(CommandContext *context, int argc, char **argv)
{
    static const CommandSyntax syntax = {
        "config", "check", "Reads all settings and says what is wrong with them, and where.",
        NULL,     1,       1};

    if (argc > 1 && strcmp(argv[1], "sign") == 0)
        return config_sign_run(context, argc, argv);
    if (!command_context_parse(context, &syntax, &argc, argv))
        return EXIT_CODE_USAGE;
    if (strcmp(argv[1], "check") != 0) {
        g_printerr("sealtape config: `%s` is neither `check` nor `sign`\n", argv[1]);
        return EXIT_CODE_USAGE;
    }
    return check(context);
}
