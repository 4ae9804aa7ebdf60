#include "agent/admin/audit_keygen.h"

#include "agent/admin/signer_files.h"
#include "agent/audit/pseudonym.h"

#include <string.h>

/* What each key is for, in the words of sealtape.conf. */
static const struct {
    const char *program;
    const char *setting; /* NULL: no program of this host signs with it */
    const char *list;    /* NULL: nobody verifies anything with it */
} rows[] = {
    {"recorder",  "recorder.signing_key", "trusted_recorders"},
    {"access",    "access.signing_key",   "trusted_openers"  },
    {"admin",     "keys.signing_key",     "trusted_admins"   },
    {"policy",    NULL,                   "trusted_policies" },
    {"pseudonym", "audit.pseudonym_key",  NULL               },
};

static bool
make_pseudonym_key(const char *folder, GError **error)
{
    g_autoptr(Secret) key = pseudonym_key_generate(error);

    return key != NULL && signer_files_put_secret(folder, "pseudonym.key", key, error);
}

static int
make(CommandContext *context, size_t row, const char *folder)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *verifier_key = NULL;

    if (rows[row].list == NULL) {
        if (!make_pseudonym_key(folder, &error))
            return command_context_fail(context, g_steal_pointer(&error));
        if (rows[row].setting == NULL) {
            g_print("Add in sealtape.conf to %s: \"%s\"\nand keep %s/%s.key where no host of the "
                    "service reads it\n",
                    rows[row].list, verifier_key, folder, rows[row].program);
            return EXIT_CODE_OK;
        }
        g_print("Set in sealtape.conf: %s = \"%s/pseudonym.key\"\n", rows[row].setting, folder);
        return EXIT_CODE_OK;
    }
    verifier_key = signer_files_make(folder, rows[row].program, &error);
    if (verifier_key == NULL)
        return command_context_fail(context, g_steal_pointer(&error));
    g_print("Set in sealtape.conf: %s = \"%s/%s.key\"\nand add to %s: \"%s\"\n", rows[row].setting,
            folder, rows[row].program, rows[row].list, verifier_key);
    return EXIT_CODE_OK;
}

int
audit_keygen_run(CommandContext *context, int argc, char **argv)
{
    static const CommandSyntax syntax = {
        "audit keygen",
        "recorder|access|admin|policy|pseudonym FOLDER",
        "Makes FOLDER/<program>.key and .pub for a program that this host has none for, and says\n"
        "what to set. Overwrites nothing. `sealtape init` has made all of them.",
        NULL,
        2,
        2,
    };

    if (!command_context_parse(context, &syntax, &argc, argv))
        return EXIT_CODE_USAGE;
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        if (strcmp(rows[i].program, argv[1]) == 0)
            return make(context, i, argv[2]);
    }
    g_printerr(
        "sealtape audit keygen: `%s` is none of recorder, access, admin, policy and pseudonym\n",
        argv[1]);
    return EXIT_CODE_USAGE;
}
