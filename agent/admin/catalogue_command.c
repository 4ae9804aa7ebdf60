#include "agent/admin/commands.h"
#include "agent/admin/output_file.h"
#include "agent/admin/terminal.h"
#include "agent/store/trusted_recorders.h"
#include "storage/catalogue_build.h"
#include "storage/catalogue_query.h"
#include "storage/catalogue_rows.h"
#include "storage/session_list.h"

#include <inttypes.h>
#include <string.h>

enum { DUMP_MODE = 0640 };

typedef struct {
    json_t *findings; /* NULL: for a person */
    unsigned n_findings;
    uint64_t n_sessions;
} Report;

static void
add_finding(const char *session, const char *sentence, void *user_data)
{
    Report *report = user_data;

    report->n_findings++;
    if (report->findings != NULL) {
        json_array_append_new(report->findings,
                              json_pack("{s:s, s:s}", "session", session, "message", sentence));
        return;
    }
    terminal_progress_end();
    g_print("%s: %s\n", session, sentence);
}

static bool
on_progress(uint64_t done, uint64_t total, void *user_data)
{
    Report *report = user_data;

    report->n_sessions = total;
    terminal_progress("rebuilding", (double) done / (double) MAX(total, 1));
    return true;
}

static int
end(CommandContext *context, const char *verb, const char *path, Report *report)
{
    if (command_context_as_json(context)) {
        command_context_print_json(
            json_pack("{s:b, s:s, s:I, s:O}", "ok", report->n_findings == 0, "path", path,
                      "sessions", (json_int_t) report->n_sessions, "findings", report->findings));
    } else {
        g_print("%s: %s, %" PRIu64 " session%s, %u finding%s.\n", path, verb, report->n_sessions,
                report->n_sessions == 1 ? "" : "s", report->n_findings,
                report->n_findings == 1 ? "" : "s");
    }
    json_decref(report->findings);
    return report->n_findings > 0 ? EXIT_CODE_FINDINGS : EXIT_CODE_OK;
}

static int
rebuild(CommandContext *context)
{
    g_autoptr(GError) error = NULL;
    const Settings *settings = command_context_settings(context, &error);
    ObjectStore *store = settings != NULL ? command_context_store(context, &error) : NULL;
    g_autoptr(GPtrArray) verifiers = store != NULL ? trusted_recorders(settings, &error) : NULL;
    g_autoptr(GPtrArray) annotators =
        verifiers != NULL ? trusted_annotators(settings, &error) : NULL;
    Report report = {.findings = command_context_as_json(context) ? json_array() : NULL};
    const CatalogueSource source = {
        .store = store,
        .verifiers = verifiers,
        .annotators = annotators,
        .on_progress = on_progress,
        .on_finding = add_finding,
        .user_data = &report,
    };
    bool is_good = annotators != NULL;

    if (is_good)
        is_good = catalogue_rebuild(settings->catalogue_path, &source, &error);
    terminal_progress_end();
    if (is_good)
        return end(context, "rebuilt", settings->catalogue_path, &report);
    json_decref(report.findings);
    return command_context_fail(context, g_steal_pointer(&error));
}

/* Takes the names out of `names` that the catalogue has, and finds what the store has not. */
typedef struct {
    GHashTable *names; /* <org>/<session> */
    Report *report;
} Comparison;

static bool
on_entry(const CatalogueEntry *entry, void *user_data)
{
    Comparison *self = user_data;
    g_autofree char *name = g_strdup_printf("%s/%s", entry->org, entry->session);

    self->report->n_sessions++;
    if (!g_hash_table_remove(self->names, name))
        add_finding(entry->session, "the catalogue has it, and the store has not", self->report);
    return true;
}

static bool
compare(Catalogue *catalogue, ObjectStore *store, Report *report, GError **error)
{
    g_autoptr(GPtrArray) names = session_list_names(store, NULL, error);
    g_autoptr(GHashTable) by_name = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    Comparison comparison = {.names = by_name, .report = report};
    GHashTableIter iterator;
    gpointer name = NULL;

    for (guint i = 0; names != NULL && i < names->len; i++) {
        const SessionName *row = g_ptr_array_index(names, i);

        g_hash_table_add(by_name, g_strdup_printf("%s/%s", row->org, row->session));
    }
    if (names == NULL || !catalogue_each(catalogue, on_entry, &comparison, error))
        return false;
    g_hash_table_iter_init(&iterator, by_name);
    while (g_hash_table_iter_next(&iterator, &name, NULL))
        add_finding(strchr(name, '/') + 1, "the store has it, and the catalogue has not", report);
    return true;
}

static int
check(CommandContext *context)
{
    g_autoptr(GError) error = NULL;
    const Settings *settings = command_context_settings(context, &error);
    ObjectStore *store = settings != NULL ? command_context_store(context, &error) : NULL;
    g_autoptr(Catalogue) catalogue = NULL;
    Report report = {.findings = command_context_as_json(context) ? json_array() : NULL};

    if (store != NULL)
        catalogue = catalogue_open(settings->catalogue_path, CATALOGUE_READ, &error);
    if (catalogue != NULL && catalogue_check(catalogue, &error) &&
        compare(catalogue, store, &report, &error))
        return end(context, "sound", settings->catalogue_path, &report);
    json_decref(report.findings);
    return command_context_fail(context, g_steal_pointer(&error));
}

static char *
digest_of_details(const char *details)
{
    const Digest digest = digest_of(details, strlen(details));

    return digest_to_hex(&digest);
}

/* `user_data`: where it goes. */
typedef struct {
    OutputFile *file;
    GError *error;
} Dump;

static bool
on_dumped(const CatalogueEntry *entry, void *user_data)
{
    Dump *self = user_data;
    g_autofree char *details = catalogue_entry_details(entry);
    g_autofree char *digest = digest_of_details(details);
    g_autofree char *line = catalogue_entry_line(entry, digest);

    return output_file_write(self->file, (const uint8_t *) line, strlen(line), &self->error) &&
           output_file_write(self->file, (const uint8_t *) details, strlen(details), &self->error);
}

/* A file takes its name once all is in it. */
static bool
write_dump(Catalogue *catalogue, const char *output, GError **error)
{
    g_autoptr(OutputFile) file = output_file_open(output, OUTPUT_FILE_REPLACE, DUMP_MODE, error);
    Dump dump = {.file = file};

    if (file == NULL || !catalogue_each(catalogue, on_dumped, &dump, error))
        return false;
    if (dump.error != NULL) {
        g_propagate_error(error, dump.error);
        return false;
    }
    return output_file_finish(file, error);
}

static int
dump(CommandContext *context, const char *output)
{
    g_autoptr(GError) error = NULL;
    const Settings *settings = command_context_settings(context, &error);
    g_autoptr(Catalogue) catalogue = NULL;

    if (settings != NULL)
        catalogue = catalogue_open(settings->catalogue_path, CATALOGUE_READ, &error);
    if (catalogue != NULL && write_dump(catalogue, output, &error))
        return EXIT_CODE_OK;
    return command_context_fail(context, g_steal_pointer(&error));
}

int
catalogue_command_run(CommandContext *context, int argc, char **argv)
{
    g_autofree char *output = NULL;
    const GOptionEntry entries[] = {
        {"output", 'o', 0, G_OPTION_ARG_FILENAME, &output,
         "Of dump: write this file (standard output)", "FILE"},
        G_OPTION_ENTRY_NULL,
    };
    const CommandSyntax syntax = {
        "catalogue",
        "rebuild | check | dump",
        "The index of the store that lists are made from.\n"
        "  rebuild  make it anew from the signed manifests in the store\n"
        "  check    whether it is sound, and has the same sessions as the store\n"
        "  dump     print it as text, always in the same order",
        entries,
        1,
        1,
    };

    if (!command_context_parse(context, &syntax, &argc, argv))
        return EXIT_CODE_USAGE;
    if (strcmp(argv[1], "dump") == 0)
        return dump(context, output);
    if (output == NULL && strcmp(argv[1], "rebuild") == 0)
        return rebuild(context);
    if (output == NULL && strcmp(argv[1], "check") == 0)
        return check(context);
    if (output != NULL) {
        g_printerr("sealtape catalogue: --output is of `dump`\n");
        return EXIT_CODE_USAGE;
    }
    g_printerr("sealtape catalogue: `%s` is neither `rebuild`, `check` nor `dump`\n", argv[1]);
    return EXIT_CODE_USAGE;
}
