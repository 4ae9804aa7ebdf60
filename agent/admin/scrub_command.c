#include "agent/admin/commands.h"
#include "agent/admin/recorder_client.h"
#include "agent/admin/store_places.h"
#include "agent/admin/terminal.h"
#include "agent/store/trusted_recorders.h"
#include "storage/catalogue_build.h"
#include "storage/scrub.h"
#include "storage/session_list.h"
#include "storage/storage_error.h"

#include <inttypes.h>
#include <string.h>

/* A run, in this order:
 * 1. sessions that the store has and the catalogue has not are looked at: orphans, or too new;
 * 2. the sessions whose last whole round is longest ago share the sample. Where each stands is
 *    written down after it, so a run that is broken off is no loss;
 * 3. small sessions leave some of the sample: then the next ones have their turn, until the sample
 *    is used up or every session had a round in this run. */

enum { MOST_DUE = 500, MOST_SAMPLE = 100000000 };

typedef struct {
    CommandContext *context;
    Catalogue *catalogue;
    GPtrArray *places;                 /* StorePlace */
    GPtrArray *verifiers, *annotators; /* NoteVerifier */
    const char *org;                   /* NULL: all */
    json_t *live;                      /* the recorder's list, or NULL */
    json_t *findings;                  /* NULL: for a person */
    int64_t begun_us;
    uint32_t n_sample;
    uint64_t n_objects, n_sessions;
    unsigned n_findings;
} Scrub;

static void
report(Scrub *self, const char *session, const char *place, const RecordingFinding *finding)
{
    self->n_findings++;
    if (self->findings != NULL) {
        json_array_append_new(self->findings,
                              json_pack("{s:s, s:s, s:s, s:s}", "session", session, "place", place,
                                        "code", finding->code, "message", finding->message));
        return;
    }
    terminal_progress_end();
    g_print("%s: %s: %s: %s\n", session, place, finding->code, finding->message);
}

static bool
is_live(const Scrub *self, const char *session)
{
    const json_t *row = NULL;
    size_t i = 0;

    json_array_foreach(json_object_get(self->live, "sessions"), i, row)
    {
        const char *state = json_string_value(json_object_get(row, "state"));

        if (g_strcmp0(json_string_value(json_object_get(row, "session")), session) == 0)
            return g_strcmp0(state, "stored") != 0 && g_strcmp0(state, "incomplete") != 0;
    }
    return false;
}

/* Reads at most `n_most` objects of the session, each in every store. */
static bool
scrub_one(Scrub *self, CatalogueScrub *at, uint32_t n_most, GError **error)
{
    ScrubRequest request = {
        .verifiers = self->verifiers,
        .annotators = self->annotators,
        .org = at->org,
        .session = at->session,
        .place = at->place,
        .n_most = n_most,
        .is_open = is_live(self, at->session),
    };
    const bool has_gone_on = at->place > 0;
    int64_t place = 0;
    bool has_ended = true;
    uint32_t n_read = 0;

    for (guint i = 0; i < self->places->len; i++) {
        const StorePlace *where = g_ptr_array_index(self->places, i);
        g_auto(ScrubResult) result = {0};

        request.store = where->store;
        if (!scrub_session(&request, &result, error)) {
            g_prefix_error(error, "%s: ", where->name);
            return false;
        }
        for (guint j = 0; j < result.findings->len; j++)
            report(self, at->session, where->name, g_ptr_array_index(result.findings, j));
        place = MAX(place, result.place);
        has_ended = has_ended && result.has_ended;
        n_read = MAX(n_read, result.n_objects);
    }
    self->n_sessions++;
    self->n_objects += n_read;
    at->place = has_ended ? 0 : place;
    /* What was read in an earlier run may have its turn in this one too, after all others. */
    if (has_ended)
        at->scrubbed_us = has_gone_on ? self->begun_us - 1 : g_get_real_time();
    return true;
}

static bool
remember(Scrub *self, const CatalogueScrub *at, GError **error)
{
    if (!catalogue_begin(self->catalogue, error))
        return false;
    if (catalogue_set_scrub(self->catalogue, at, error))
        return catalogue_end(self->catalogue, true, error);
    (void) !catalogue_end(self->catalogue, false, NULL); /* `error` is set already */
    return false;
}

/* Returns: how many of the sample are left; -1 sets `error`. */
static int64_t
scrub_due(Scrub *self, const GPtrArray *due, int64_t n_left, GError **error)
{
    for (guint i = 0; i < due->len && n_left > 0; i++) {
        CatalogueScrub *at = g_ptr_array_index(due, i);
        const int64_t n_sessions = due->len - i;
        const uint64_t n_before = self->n_objects;

        if (at->scrubbed_us >= self->begun_us)
            return 0;
        if (!scrub_one(self, at, (uint32_t) ((n_left + n_sessions - 1) / n_sessions), error) ||
            !remember(self, at, error))
            return -1;
        n_left -= (int64_t) (self->n_objects - n_before);
        terminal_progress("scrubbing", (double) (self->n_sample - MAX(n_left, 0)) / self->n_sample);
    }
    return n_left;
}

/* Steps 2 and 3. */
static bool
scrub_sample(Scrub *self, GError **error)
{
    int64_t n_left = self->n_sample;
    guint n_due = 1;

    while (n_left > 0 && n_due > 0) {
        g_autoptr(GPtrArray) due = catalogue_scrub_due(
            self->catalogue, self->org, (uint32_t) MIN(n_left, (int64_t) MOST_DUE), error);

        if (due == NULL)
            return false;
        n_due = due->len;
        n_left = scrub_due(self, due, n_left, error);
    }
    return n_left >= 0;
}

static bool
is_known(Scrub *self, const SessionName *name, bool *is, GError **error)
{
    CatalogueScrub at = {.org = name->org, .session = name->session, .place = -1};
    const bool is_good = catalogue_get_scrub(self->catalogue, &at, error);

    *is = at.place >= 0;
    return is_good;
}

/* Step 1, of one store. */
static bool
scrub_strangers(Scrub *self, ObjectStore *store, GHashTable *seen, GError **error)
{
    g_autoptr(GPtrArray) names = session_list_names(store, self->org, error);

    for (guint i = 0; names != NULL && i < names->len; i++) {
        const SessionName *name = g_ptr_array_index(names, i);
        CatalogueScrub at = {.org = name->org, .session = name->session};
        bool is = false;

        if (!is_known(self, name, &is, error))
            return false;
        if (is || !g_hash_table_add(seen, g_strdup_printf("%s/%s", name->org, name->session)))
            continue;
        if (!scrub_one(self, &at, 0, error))
            return false;
    }
    return names != NULL;
}

/* Before all: what was erased, here or by another host, is no session to scrub any more. */
static bool
learn_erased(Scrub *self, GError **error)
{
    const StorePlace *first = g_ptr_array_index(self->places, 0);
    const CatalogueSource source = {
        .store = first->store, .verifiers = self->verifiers, .annotators = self->annotators};

    return catalogue_update_erased(self->catalogue, &source, self->org, error);
}

static bool
run(Scrub *self, GError **error)
{
    g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

    if (!learn_erased(self, error))
        return false;
    for (guint i = 0; i < self->places->len; i++) {
        const StorePlace *place = g_ptr_array_index(self->places, i);

        if (!scrub_strangers(self, place->store, seen, error))
            return false;
    }
    return scrub_sample(self, error);
}

static bool
set_up(Scrub *self, GError **error)
{
    const Settings *settings = command_context_settings(self->context, error);

    if (settings == NULL)
        return false;
    self->verifiers = trusted_recorders(settings, error);
    self->annotators = self->verifiers != NULL ? trusted_annotators(settings, error) : NULL;
    self->places = self->annotators != NULL ? store_places_open(self->context, error) : NULL;
    if (self->places == NULL)
        return false;
    /* One that is not there yet has nothing to scrub in it, and would say that all is well. */
    self->catalogue = g_file_test(settings->catalogue_path, G_FILE_TEST_EXISTS)
                          ? catalogue_open(settings->catalogue_path, CATALOGUE_WRITE, error)
                          : catalogue_open(settings->catalogue_path, CATALOGUE_READ, error);
    if (self->catalogue == NULL)
        g_prefix_error(error, "scrub goes by the catalogue (`sealtape catalogue rebuild`): ");
    self->live = recorder_client_get(self->context, "/v1/sessions");
    return self->catalogue != NULL;
}

static void
print(const Scrub *self, bool is_whole)
{
    if (self->findings != NULL) {
        command_context_print_json(
            json_pack("{s:b, s:I, s:I, s:O}", "ok", is_whole && self->n_findings == 0, "sessions",
                      (json_int_t) self->n_sessions, "objects", (json_int_t) self->n_objects,
                      "findings", self->findings));
        return;
    }
    g_print("%" PRIu64 " object%s of %" PRIu64 " session%s read back, %u finding%s.\n",
            self->n_objects, self->n_objects == 1 ? "" : "s", self->n_sessions,
            self->n_sessions == 1 ? "" : "s", self->n_findings, self->n_findings == 1 ? "" : "s");
}

static int
scrub(CommandContext *context, const char *org, uint32_t n_sample)
{
    Scrub self = {.context = context, .org = org, .n_sample = n_sample};
    g_autoptr(GError) error = NULL;
    int status = EXIT_CODE_OK;

    self.begun_us = g_get_real_time();
    self.findings = command_context_as_json(context) ? json_array() : NULL;
    if (!set_up(&self, &error) || !run(&self, &error))
        status = EXIT_CODE_FAILED;
    terminal_progress_end();
    if (status == EXIT_CODE_OK || self.n_findings > 0)
        print(&self, status == EXIT_CODE_OK);
    if (status == EXIT_CODE_FAILED) {
        status = command_context_fail(context, g_steal_pointer(&error));
    } else if (self.n_findings > 0) {
        status = EXIT_CODE_FINDINGS;
    }
    json_decref(self.findings);
    json_decref(self.live);
    catalogue_free(self.catalogue);
    g_clear_pointer(&self.places, g_ptr_array_unref);
    g_clear_pointer(&self.verifiers, g_ptr_array_unref);
    g_clear_pointer(&self.annotators, g_ptr_array_unref);
    return status;
}

int
scrub_command_run(CommandContext *context, int argc, char **argv)
{
    gint64 n_sample = 0;
    g_autofree char *org = NULL;
    const GOptionEntry entries[] = {
        {"sample", 0, 0, G_OPTION_ARG_INT64,  &n_sample, "How many objects to read back", "N" },
        {"org",    0, 0, G_OPTION_ARG_STRING, &org,      "Only this organisation's",      "ID"},
        G_OPTION_ENTRY_NULL,
    };
    const CommandSyntax syntax = {
        "scrub",
        "--sample N",
        "Reads N objects back from the store and from each replica, those first that were read\n"
        "longest ago, and checks them. Changes nothing. Exit code 3 if anything is wrong.",
        entries,
        0,
        0,
    };

    if (!command_context_parse(context, &syntax, &argc, argv))
        return EXIT_CODE_USAGE;
    if (n_sample < 1 || n_sample > MOST_SAMPLE) {
        g_printerr("sealtape scrub: --sample: give how many objects, 1 to %d\n", MOST_SAMPLE);
        return EXIT_CODE_USAGE;
    }
    return scrub(context, org, (uint32_t) n_sample);
}
