#include "agent/admin/commands.h"
#include "agent/admin/output_file.h"
#include "agent/admin/report_facts.h"
#include "agent/admin/report_page.h"
#include "agent/admin/time_text.h"

#include <string.h>

enum { PAGE_MODE = 0640 };

static bool
write_page(const json_t *facts, const char *path, GError **error)
{
    g_autofree char *page = report_page_write(facts);
    g_autoptr(OutputFile) file = output_file_open(path, OUTPUT_FILE_REPLACE, PAGE_MODE, error);

    return file != NULL && output_file_write(file, (const uint8_t *) page, strlen(page), error) &&
           output_file_finish(file, error);
}

/* With --json the numbers go to standard output, and the page only where it is named. */
static int
report(CommandContext *context, const char *org, const char *output, int64_t at_us)
{
    g_autoptr(GError) error = NULL;
    json_t *facts = report_facts_gather(context, org, at_us, &error);
    bool is_good = false;

    if (facts == NULL)
        return command_context_fail(context, g_steal_pointer(&error));
    is_good =
        (output == NULL && command_context_as_json(context)) || write_page(facts, output, &error);
    if (is_good && command_context_as_json(context)) {
        command_context_print_json(facts);
    } else {
        json_decref(facts);
    }
    return is_good ? EXIT_CODE_OK : command_context_fail(context, g_steal_pointer(&error));
}

int
report_command_run(CommandContext *context, int argc, char **argv)
{
    g_autofree char *org = NULL;
    g_autofree char *output = NULL;
    g_autofree char *at = NULL;
    const GOptionEntry entries[] = {
        {"org",    0,   0, G_OPTION_ARG_STRING,   &org,    "Of this organisation",    "ID"  },
        {"output", 'o', 0, G_OPTION_ARG_FILENAME, &output,
         "The page to write; - to standard output",                                   "FILE"},
        {"at",     0,   0, G_OPTION_ARG_STRING,   &at,     "As of this moment (now)", "TIME"},
        G_OPTION_ENTRY_NULL,
    };
    const CommandSyntax syntax = {
        "report",
        "--org ID --output FILE",
        "Writes a page of HTML for a privacy officer: recordings, openings, disclosures, "
        "retention, "
        "holds,\nkeys and failed checks, in numbers. No person is named in it.",
        entries,
        0,
        0,
    };
    int64_t at_us = g_get_real_time();

    if (!command_context_parse(context, &syntax, &argc, argv))
        return EXIT_CODE_USAGE;
    if (org == NULL || (output == NULL && !command_context_as_json(context))) {
        g_printerr("sealtape report: give --org and --output\n");
        return EXIT_CODE_USAGE;
    }
    if (at != NULL && !time_text_parse_moment(at, at_us, &at_us)) {
        g_printerr("sealtape report: --at: `%s` is no time; write 2026-11-21 or "
                   "2026-11-21T17:00:00Z\n",
                   at);
        return EXIT_CODE_USAGE;
    }
    return report(context, org, output, at_us);
}
