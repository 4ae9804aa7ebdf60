#include "agent/admin/commands.h"
#include "agent/admin/keys_commands.h"

#include <string.h>

int
keys_command_run(CommandContext *context, int argc, char **argv)
{
    static const struct {
        const char *word;
        int (*run)(CommandContext *context, int argc, char **argv);
    } rows[] = {
        {"new",          keys_new_run      },
        {"list",         keys_list_run     },
        {"due",          keys_due_run      },
        {"rotate",       keys_rotate_run   },
        {"rewrap",       keys_rewrap_run   },
        {"reencrypt",    keys_reencrypt_run},
        {"retire",       keys_retire_run   },
        {"destroy",      keys_destroy_run  },
        {"escrow-check", keys_escrow_run   },
        {"drill",        keys_drill_run    },
        {"enrol",        keys_enrol_run    },
        {"revoke",       keys_revoke_run   },
    };
    static const CommandSyntax syntax = {
        "keys",
        "new | list | due | rotate | rewrap | reencrypt | retire | destroy | escrow-check | drill "
        "| "
        "enrol | revoke",
        "The keys that an organisation's recordings are sealed to, from the first to the last "
        "day.\n\n"
        "  list          the key ring, and how old each key is\n"
        "  due           what is to be done with keys, of every organisation\n"
        "  new           add a key, or make the key ring\n"
        "  rotate        seal new sessions to a new key\n"
        "  rewrap        seal the envelopes of old sessions to the keys of now\n"
        "  reencrypt     after a leak: new keys for the sessions themselves\n"
        "  retire        end a key that nothing needs any more\n"
        "  destroy       shred a retired key\n"
        "  escrow-check  does every session open with each kind of key?\n"
        "  drill         open a session with the break-glass key, and note that it works\n"
        "  enrol         take a recorder's verifier key into the ring\n"
        "  revoke        end the trust in it, by its place in the log\n\n"
        "`sealtape keys rotate --help` says more; so does docs/keys.md.",
        NULL,
        1,
        1,
    };

    for (size_t i = 0; argc > 1 && i < G_N_ELEMENTS(rows); i++) {
        if (strcmp(argv[1], rows[i].word) == 0)
            return rows[i].run(context, argc - 1, argv + 1);
    }
    if (command_context_parse(context, &syntax, &argc, argv)) {
        g_printerr("sealtape keys: `%s` is none of its commands\nTry `sealtape keys --help`.\n",
                   argv[1]);
    }
    return EXIT_CODE_USAGE;
}
