#include "agent/admin/commands.h"
#include "agent/admin/init_files.h"
#include "crypto/age_context.h"

#include <string.h>

/* Returns: NULL if `org` may be an organisation's id, else one sentence (static). */
static const char *
org_fault(const char *org)
{
    static const char *const taken[] = {"recorder",  "access",      "admin",
                                        "pseudonym", "break-glass", NULL};

    if (org == NULL)
        return "--org ID is missing";
    if (!age_context_id_is_valid(org)) {
        return "an organisation's id has at most 64 of a-z, 0-9, '.', '_' and '-', and starts with "
               "a letter or digit";
    }
    /* These would share their key file's name with another key. */
    if (g_strv_contains(taken, org)) {
        return "`recorder`, `access`, `admin`, `pseudonym` and `break-glass` are names of other "
               "keys: "
               "take another id";
    }
    return NULL;
}

static void
print_as_json(const InitFiles *files, const char *org)
{
    command_context_print_json(
        json_pack("{s:s, s:s, s:s, s:[s,s], s:[s,s], s:s}", "folder", files->folder, "config",
                  files->config_path, "org", org, "recipients", files->org_recipient,
                  files->break_glass_recipient, "identities", files->org_identity_path,
                  files->break_glass_path, "verifier_key", files->verifier_key));
}

static void
print_for_person(const InitFiles *files, const char *org)
{
    g_print("Made in %s:\n"
            "  sealtape.conf        settings, with comments\n"
            "  orgs/%s.conf   what %s records, and for whom it seals\n"
            "  keys/%s.key    identity of the organisation: opens its recordings\n"
            "  keys/break-glass.key identity for emergencies: opens them as well\n"
            "  keys/recorder.key    signs manifests; keys/recorder.pub checks them\n"
            "  keys/access.key      signs the opener's audit log; keys/access.pub checks it\n"
            "  store/ spool/ run/   recordings, what is on its way there, the control socket\n\n",
            files->folder, org, org, org);
    g_print("The recorder needs neither identity, and must not have them: it only seals.\n"
            "  1. Move %s to a medium that stays offline.\n"
            "  2. Move %s to the host that opens recordings.\n"
            "  Whoever loses both loses every recording; whoever has one can open all.\n\n",
            files->break_glass_path, files->org_identity_path);
    g_print("Next:\n"
            "  sealtape --config %s doctor\n"
            "  sealtaped --config %s\n",
            files->config_path, files->config_path);
}

int
init_command_run(CommandContext *context, int argc, char **argv)
{
    g_autofree char *org = NULL;
    const GOptionEntry entries[] = {
        {"org", 0, 0, G_OPTION_ARG_STRING, &org, "The organisation that is recorded", "ID"},
        G_OPTION_ENTRY_NULL,
    };
    const CommandSyntax syntax = {
        "init",
        "DIR --org ID",
        "Makes DIR with settings, keys, store and spool for one organisation.\n"
        "Overwrites nothing.",
        entries,
        1,
        1,
    };
    g_autoptr(GError) error = NULL;
    g_autoptr(InitFiles) files = NULL;

    if (!command_context_parse(context, &syntax, &argc, argv))
        return EXIT_CODE_USAGE;
    if (org_fault(org) != NULL) {
        g_printerr("sealtape init: %s\n", org_fault(org));
        return EXIT_CODE_USAGE;
    }
    files = init_files_make(argv[1], org, &error);
    if (files == NULL)
        return command_context_fail(context, g_steal_pointer(&error));
    if (command_context_as_json(context)) {
        print_as_json(files, org);
    } else {
        print_for_person(files, org);
    }
    return EXIT_CODE_OK;
}
