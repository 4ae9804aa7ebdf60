#include "agent/admin/command_line.h"

#include "agent/admin/age_command.h"
#include "agent/admin/command_context.h"
#include "agent/admin/commands.h"

#include <string.h>

typedef struct {
    const char *name;
    int (*run)(CommandContext *context, int argc, char **argv);
    const char *summary;
} Command;

static const Command commands[] = {
    {"init",       init_command_run,       "make a folder with settings, keys, store and spool"       },
    {"doctor",     doctor_command_run,     "check everything a recorder needs on this host"           },
    {"config",     config_command_run,     "check the settings"                                       },
    {"status",     status_command_run,     "show how the recorder stands, live"                       },
    {"session",    session_command_run,    "list sessions; show one with its timeline"                },
    {"catalogue",  catalogue_command_run,  "check or rebuild the index that lists are made from"      },
    {"verify",     verify_command_run,     "check that a recording is all there, genuine and in order"},
    {"scrub",      scrub_command_run,      "read a sample of the store back and check it"             },
    {"repair",     repair_command_run,     "put back what a store lacks, from replicas or the spool"  },
    {"export",     export_command_run,     "ask the opener for a recording, as one file that plays"   },
    {"grants",     grants_command_run,     "list or revoke what the opener has granted"               },
    {"reviews",    reviews_command_run,    "list or close what break-glass left to be reviewed"       },
    {"recover",    recover_command_run,    "open a recording with an identity file, offline"          },
    {"transcribe", transcribe_command_run, "have what was said written down and sealed"               },
    {"keys",       keys_command_run,       "rotate, re-wrap, retire and try the keys of recordings"   },
    {"hold",       hold_command_run,       "keep a recording from deletion for a matter"              },
    {"consent",    consent_command_run,    "take back a consent after the session"                    },
    {"quarantine", quarantine_command_run,
     "keep a recording from being opened until somebody looked"                                       },
    {"amend",      amend_command_run,      "seal a statement of a client or clinician beside it"      },
    {"restrict",   restrict_command_run,   "keep a recording from use"                                },
    {"retention",  retention_command_run,  "tell until when recordings are kept; erase what is due"   },
    {"erase",      erase_command_run,      "erase a recording, by two people"                         },
    {"offboard",   offboard_command_run,   "hand an organisation all its recordings, as files"        },
    {"report",     report_command_run,     "write a page of numbers for a privacy officer"            },
    {"audit",      audit_command_run,      "show, verify or prove what the recorder has noted"        },
    {"age",        NULL,                   "plain age: keygen, encrypt, decrypt"                      },
};

static void
print_help(void)
{
    g_print("Usage:\n"
            "  sealtape [--config FILE] [--json] COMMAND ...\n\n"
            "Commands:\n");
    for (gsize i = 0; i < G_N_ELEMENTS(commands); i++)
        g_print("  %-10s %s\n", commands[i].name, commands[i].summary);
    g_print("\nGlobal options:\n"
            "  --config FILE  settings (default: /etc/sealtape/sealtape.conf)\n"
            "  --json         print JSON for programs\n"
            "  --version      print the version\n"
            "  --help         print this; after a command, help for it\n\n"
            "Exit codes: 0 done, 1 failed, 2 wrong usage, 3 done with findings.\n");
}

static int
fail_usage(const char *format, const char *word)
{
    g_autofree char *quoted = g_strdup_printf("`%s`", word);

    g_printerr("sealtape: %s %s\nTry `sealtape help`.\n", quoted, format);
    return EXIT_CODE_USAGE;
}

static int
run_command(const char *config_path, bool as_json, int argc, char **argv)
{
    g_autoptr(CommandContext) context = command_context_new(config_path, as_json);

    if (strcmp(argv[0], "age") == 0)
        return age_command_run(argc, argv);
    for (gsize i = 0; i < G_N_ELEMENTS(commands); i++) {
        if (strcmp(argv[0], commands[i].name) == 0)
            return commands[i].run(context, argc, argv);
    }
    return fail_usage("is no command", argv[0]);
}

/* `help`, or `help COMMAND`, which is `COMMAND --help`. */
static int
run_help(int argc, char **argv)
{
    char help[] = "--help";
    char *for_command[] = {argc > 1 ? argv[1] : NULL, help, NULL};

    if (argc > 1)
        return run_command(NULL, false, 2, for_command);
    print_help();
    return EXIT_CODE_OK;
}

typedef struct {
    const char *config_path;
    bool as_json;
    bool wants_help;
    bool wants_version;
} GlobalOptions;

/* Reads the options before the command. Returns: where the command stands; -1 has said what is
 * wrong. */
static int
read_options(GlobalOptions *options, int argc, char **argv)
{
    int i = 1;

    for (; i < argc && argv[i][0] == '-'; i++) {
        if (strcmp(argv[i], "--config") == 0 && i + 1 < argc) {
            options->config_path = argv[++i];
        } else if (g_str_has_prefix(argv[i], "--config=")) {
            options->config_path = argv[i] + strlen("--config=");
        } else if (strcmp(argv[i], "--json") == 0) {
            options->as_json = true;
        } else if (strcmp(argv[i], "--version") == 0) {
            options->wants_version = true;
        } else if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            options->wants_help = true;
        } else {
            (void) fail_usage(strcmp(argv[i], "--config") == 0 ? "needs a file" : "is no option",
                              argv[i]);
            return -1;
        }
    }
    return i;
}

int
command_line_run(int argc, char **argv)
{
    GlobalOptions options = {0};
    int i = read_options(&options, argc, argv);

    if (i < 0) {
        return EXIT_CODE_USAGE;
    }
    if (options.wants_version) {
        g_print("sealtape %s\n", SEALTAPE_VERSION);
        return EXIT_CODE_OK;
    }
    if (options.wants_help) {
        return run_help(1, argv);
    }
    if (i == argc) {
        g_printerr("sealtape: which command? Try `sealtape help`.\n");
        return EXIT_CODE_USAGE;
    }
    if (strcmp(argv[i], "help") == 0) {
        return run_help(argc - i, argv + i);
    }
    return run_command(options.config_path, options.as_json, argc - i, argv + i);
}
