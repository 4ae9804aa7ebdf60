#include "agent/admin/commands.h"
#include "agent/admin/erasure_ledger.h"
#include "agent/admin/store_places.h"
#include "agent/admin/terminal.h"
#include "agent/store/trusted_recorders.h"
#include "crypto/age_context.h"
#include "storage/dir_store.h"
#include "storage/repair.h"
#include "storage/session_list.h"
#include "storage/storage_error.h"

#include <string.h>

/* Each store gets what it lacks from the other stores, then from the folder that --from names, then
 * from the spool; but nothing that any of these, or the ledger of this host, says was erased. */

typedef struct {
    CommandContext *context;
    GPtrArray *places;     /* StorePlace: those to be repaired */
    StorePlace *from;      /* or NULL */
    RepairSource *spool;   /* or NULL: there is none on this host */
    RepairSource *ledger;  /* the same: of what was erased */
    GPtrArray *verifiers;  /* NoteVerifier: of manifests */
    GPtrArray *annotators; /* the same: of annotations, and of notes on a sealing anew */
    bool is_plan, is_all;
    json_t *rows; /* NULL: for a person */
    unsigned n_done, n_wrong;
    const char *session, *place; /* what is being repaired */
} Run;

static void
add(Run *self, const char *relative, const char *outcome, const char *detail)
{
    if (self->rows != NULL) {
        json_array_append_new(self->rows,
                              json_pack("{s:s, s:s, s:s, s:s, s:s}", "session", self->session,
                                        "place", self->place, "object", relative, "outcome",
                                        outcome, "detail", detail));
        return;
    }
    terminal_progress_end();
    g_print("%s: %s: %s: %s%s%s\n", self->session, self->place, relative, outcome,
            *detail != '\0' ? ": " : "", detail);
}

static void
on_object(const char *relative, RepairOutcome outcome, const char *detail, void *user_data)
{
    Run *self = user_data;

    if (outcome == REPAIR_DONE) {
        g_autofree char *from = g_strconcat("from ", detail, NULL);

        self->n_done++;
        add(self, relative, self->is_plan ? "would be put back" : "put back", from);
        return;
    }
    if (outcome == REPAIR_ERASED) {
        g_autofree char *who = g_strdup_printf("its order is in %s", detail);

        self->n_wrong += !self->is_all;
        if (!self->is_all)
            add(self, "session", "erased, so nothing is put back", who);
        return;
    }
    self->n_wrong++;
    add(self, relative, outcome == REPAIR_LACKING ? "missing, and no source has it" : "failed",
        detail);
}

/* Whatever is there and is not what was recorded: told, and left as it is. */
static void
report_changes(Run *self, const StorePlace *place, const SessionName *name)
{
    const RecordingTrust trust = {self->verifiers, self->annotators};
    g_autoptr(Recording) recording =
        recording_open(place->store, name->org, name->session, &trust, NULL);
    g_autoptr(GPtrArray) findings =
        recording != NULL ? recording_verify(recording, NULL, NULL) : NULL;

    for (guint i = 0; findings != NULL && i < findings->len; i++) {
        const RecordingFinding *finding = g_ptr_array_index(findings, i);

        if (strstr(finding->code, "-changed") == NULL &&
            strstr(finding->code, "-misplaced") == NULL &&
            strstr(finding->code, "-malformed") == NULL &&
            strcmp(finding->code, "object-foreign") != 0)
            continue;
        self->n_wrong++;
        add(self, finding->code, "left as it is", finding->message);
    }
}

/* Returns: GPtrArray of RepairSource (borrowed; those of stores are in `made`). */
static GPtrArray *
sources_for(const Run *self, const StorePlace *place, GPtrArray *made)
{
    GPtrArray *sources = g_ptr_array_new();

    for (guint i = 0; i < self->places->len; i++) {
        const StorePlace *other = g_ptr_array_index(self->places, i);

        if (other != place)
            g_ptr_array_add(made, repair_source_new_store(other->name, other->store));
    }
    if (self->from != NULL)
        g_ptr_array_add(made, repair_source_new_store(self->from->name, self->from->store));
    for (guint i = 0; i < made->len; i++)
        g_ptr_array_add(sources, g_ptr_array_index(made, i));
    if (self->spool != NULL)
        g_ptr_array_add(sources, self->spool);
    if (self->ledger != NULL)
        g_ptr_array_add(sources, self->ledger);
    return sources;
}

static bool
repair_one(Run *self, const SessionName *name, bool is_read, GError **error)
{
    for (guint i = 0; i < self->places->len; i++) {
        const StorePlace *place = g_ptr_array_index(self->places, i);
        g_autoptr(GPtrArray) made =
            g_ptr_array_new_with_free_func((GDestroyNotify) repair_source_free);
        g_autoptr(GPtrArray) sources = sources_for(self, place, made);
        const RepairRequest request = {
            .store = place->store,
            .verifiers = self->verifiers,
            .annotators = self->annotators,
            .sources = sources,
            .is_plan = self->is_plan,
            .on_object = on_object,
            .user_data = self,
        };

        self->session = name->session;
        self->place = place->name;
        if (!repair_session(&request, name->org, name->session, error))
            return false;
        if (is_read)
            report_changes(self, place, name);
    }
    return true;
}

/* Adds the sessions of `store` that are not in `names` yet. */
static bool
add_names(GPtrArray *names, GHashTable *seen, ObjectStore *store, GError **error)
{
    g_autoptr(GPtrArray) found = session_list_names(store, NULL, error);

    for (guint i = 0; found != NULL && i < found->len; i++) {
        const SessionName *name = g_ptr_array_index(found, i);

        if (g_hash_table_add(seen, g_strdup_printf("%s/%s", name->org, name->session)))
            g_ptr_array_add(names, session_name_new(name->org, name->session));
    }
    return found != NULL;
}

/* Returns: every session that any of the stores has, owned. */
static GPtrArray *
all_names(const Run *self, GError **error)
{
    g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func((GDestroyNotify) session_name_free);

    for (guint i = 0; i < self->places->len; i++) {
        const StorePlace *place = g_ptr_array_index(self->places, i);

        if (!add_names(names, seen, place->store, error))
            return NULL;
    }
    if (self->from != NULL && !add_names(names, seen, self->from->store, error))
        return NULL;
    return g_steal_pointer(&names);
}

static bool
run(Run *self, const char *session, GError **error)
{
    g_autoptr(GPtrArray) names = all_names(self, error);
    bool is_found = session == NULL;

    for (guint i = 0; names != NULL && i < names->len; i++) {
        const SessionName *name = g_ptr_array_index(names, i);

        if (session != NULL && strcmp(session, name->session) != 0)
            continue;
        is_found = true;
        if (!repair_one(self, name, session != NULL, error))
            return false;
        terminal_progress("repairing", (double) (i + 1) / names->len);
    }
    if (names != NULL && !is_found) {
        g_set_error(error, STORAGE_ERROR, STORAGE_ERROR_NOT_FOUND, "no store has a session %s",
                    session);
    }
    return names != NULL && is_found;
}

static bool
set_up(Run *self, const char *from, GError **error)
{
    const Settings *settings = command_context_settings(self->context, error);
    g_autoptr(GError) ledger_fault = NULL;
    g_autoptr(GError) fault = NULL;

    self->verifiers = settings != NULL ? trusted_recorders(settings, error) : NULL;
    self->annotators = self->verifiers != NULL ? trusted_annotators(settings, error) : NULL;
    self->places = self->annotators != NULL ? store_places_open(self->context, error) : NULL;
    if (self->places == NULL)
        return false;
    if (from != NULL) {
        ObjectStore *store = dir_store_open(from, error);

        if (store == NULL) {
            g_prefix_error(error, "--from: ");
            return false;
        }
        self->from = store_place_new(from, store);
    }
    /* Who can not read what was erased might bring it back. */
    self->ledger = erasure_ledger_source(settings->keys->ledger_path, &ledger_fault);
    if (ledger_fault != NULL) {
        g_propagate_error(error, g_steal_pointer(&ledger_fault));
        return false;
    }
    self->spool = repair_source_open_spool(settings->spool_path, &fault);
    if (self->spool == NULL && !g_error_matches(fault, STORAGE_ERROR, STORAGE_ERROR_NOT_FOUND))
        g_printerr("sealtape: the spool is no source: %s\n", fault->message);
    return true;
}

static void
print(const Run *self, bool is_whole)
{
    if (self->rows != NULL) {
        command_context_print_json(json_pack("{s:b, s:b, s:i, s:i, s:O}", "ok",
                                             is_whole && self->n_wrong == 0, "plan", self->is_plan,
                                             "put_back", (int) self->n_done, "wrong",
                                             (int) self->n_wrong, "objects", self->rows));
        return;
    }
    g_print("%u object%s %s, %u left wrong or missing.\n", self->n_done,
            self->n_done == 1 ? "" : "s", self->is_plan ? "would be put back" : "put back",
            self->n_wrong);
}

static int
repair(Run *self, const char *session, const char *from)
{
    g_autoptr(GError) error = NULL;
    const bool is_good = set_up(self, from, &error) && run(self, session, &error);
    int status = self->n_wrong > 0 ? EXIT_CODE_FINDINGS : EXIT_CODE_OK;

    terminal_progress_end();
    if (is_good || self->n_done + self->n_wrong > 0)
        print(self, is_good);
    if (!is_good)
        status = command_context_fail(self->context, g_steal_pointer(&error));
    json_decref(self->rows);
    repair_source_free(self->spool);
    repair_source_free(self->ledger);
    g_clear_pointer(&self->from, store_place_free);
    g_clear_pointer(&self->places, g_ptr_array_unref);
    g_clear_pointer(&self->verifiers, g_ptr_array_unref);
    g_clear_pointer(&self->annotators, g_ptr_array_unref);
    return status;
}

int
repair_command_run(CommandContext *context, int argc, char **argv)
{
    gboolean is_all = FALSE;
    gboolean is_plan = FALSE;
    g_autofree char *from = NULL;
    const GOptionEntry entries[] = {
        {"all",  0, 0, G_OPTION_ARG_NONE,     &is_all,  "Every session of any store",                NULL},
        {"from", 0, 0, G_OPTION_ARG_FILENAME, &from,    "Take what is missing from this folder too",
         "DIR"                                                                                           },
        {"plan", 0, 0, G_OPTION_ARG_NONE,     &is_plan, "Say what would be done, and do nothing",    NULL},
        G_OPTION_ENTRY_NULL,
    };
    const CommandSyntax syntax = {
        "repair",
        "SESSION | --all",
        "Puts back what a store lacks, from replicas, a copy or the spool. Overwrites nothing.\n"
        "Exit code 3 if something stays wrong or missing.",
        entries,
        0,
        1,
    };
    Run self = {.context = context};

    if (!command_context_parse(context, &syntax, &argc, argv))
        return EXIT_CODE_USAGE;
    if ((argc == 2) == is_all) {
        g_printerr("sealtape repair: give either a session or --all\n");
        return EXIT_CODE_USAGE;
    }
    if (argc == 2 && !age_context_id_is_valid(argv[1])) {
        g_printerr("sealtape repair: `%s` is not a session's id\n", argv[1]);
        return EXIT_CODE_USAGE;
    }
    self.is_plan = is_plan;
    self.is_all = is_all;
    self.rows = command_context_as_json(context) ? json_array() : NULL;
    return repair(&self, argc == 2 ? argv[1] : NULL, from);
}
