#include "agent/admin/session_listing.h"

#include "agent/admin/listing_row.h"
#include "agent/admin/recorder_client.h"
#include "agent/admin/session_facts.h"
#include "agent/admin/time_text.h"
#include "storage/catalogue_query.h"
#include "storage/catalogue_rows.h"
#include "storage/session_list.h"
#include "storage/storage_error.h"

#include <string.h>

/* First the sessions that a running recorder knows and that the catalogue does not have as ended:
 * few, each with the recorder's word. Then pages of the catalogue, without those. All are sorted
 * together, for a page of the catalogue and the recorder's sessions overlap in time. */

enum { PAGE = 1000 };

typedef struct {
    CommandContext *context;
    const SessionListing *wanted;
    const json_t *live; /* the recorder's list, or NULL */
    GPtrArray *rows;    /* ListingRow */
    GHashTable *taken;  /* ids of the sessions in it */
    ListingRow *after;  /* NULL: from the beginning */
} Listing;

static bool
is_wanted(const Listing *self, const ListingRow *row)
{
    const SessionListing *wanted = self->wanted;
    const char *state = json_string_value(json_object_get(row->json, "state"));

    return (wanted->org == NULL || strcmp(wanted->org, row->org) == 0) &&
           (wanted->state == NULL || strcmp(wanted->state, state) == 0) &&
           row->created_us >= wanted->since_us &&
           (wanted->until_us == 0 || row->created_us < wanted->until_us) &&
           (self->after == NULL || listing_row_compare(&row, &self->after) > 0);
}

/* Takes `row`, which may be NULL. */
static void
add(Listing *self, ListingRow *row)
{
    if (row == NULL)
        return;
    if (is_wanted(self, row)) {
        g_ptr_array_add(self->rows, row);
    } else {
        listing_row_free(row);
    }
}

/* Returns: the row of a session whose manifest is read from the store; NULL sets `error`. */
static ListingRow *
row_from_store(const Listing *self, const char *org, const char *session, const json_t *live,
               GError **error)
{
    g_autoptr(GError) fault = NULL;
    g_autoptr(Recording) recording = command_context_open_recording(self->context, session, &fault);
    g_autoptr(ErasureTrace) trace = NULL;
    g_autoptr(SessionFacts) facts = NULL;

    /* A session whose envelope is stored has no manifest for its first seconds: that is no failure.
     */
    if (recording == NULL && !g_error_matches(fault, STORAGE_ERROR, STORAGE_ERROR_NOT_FOUND)) {
        g_propagate_error(error, g_steal_pointer(&fault));
        return NULL;
    }
    facts = session_facts_new(org, session,
                              recording != NULL ? recording_manifest(recording) : NULL, live);
    if (recording != NULL)
        trace = recording_read_erasure(recording, NULL);
    session_facts_mark_erased(facts, trace);
    return listing_row_new_facts(facts);
}

static bool
is_final(const char *state)
{
    return strcmp(state, "stored") == 0 || strcmp(state, "quarantined") == 0 ||
           strcmp(state, "incomplete") == 0;
}

/* Whether the recorder's session ended without ever being recorded. */
static bool
never_was(const char *state)
{
    return strcmp(state, "not-recorded") == 0 || strcmp(state, "failed") == 0;
}

static bool
add_live(Listing *self, Catalogue *catalogue, const json_t *live, GError **error)
{
    const char *org = json_string_value(json_object_get(live, "org"));
    const char *session = json_string_value(json_object_get(live, "session"));
    const char *state = json_string_value(json_object_get(live, "state"));
    g_autoptr(CatalogueEntry) entry = NULL;
    g_autoptr(GError) fault = NULL;
    ListingRow *row = NULL;

    if (org == NULL || session == NULL || state == NULL)
        return true;
    entry = catalogue_load(catalogue, org, session, &fault);
    if (entry == NULL && !g_error_matches(fault, STORAGE_ERROR, STORAGE_ERROR_NOT_FOUND)) {
        g_propagate_error(error, g_steal_pointer(&fault));
        return false;
    }
    if ((entry != NULL && entry->ended_us != 0) || (entry == NULL && never_was(state)))
        return true;
    /* The recorder is just now telling the catalogue. Who may not read the store takes its word. */
    if (entry == NULL || is_final(state))
        row = row_from_store(self, org, session, live, NULL);
    if (row == NULL && entry == NULL)
        entry = catalogue_entry_new(org, session);
    if (row == NULL)
        row = listing_row_new_entry(entry, live);
    g_hash_table_add(self->taken, g_strdup(session));
    add(self, row);
    return true;
}

static bool
add_page(Listing *self, const GPtrArray *page)
{
    const guint n_wanted = self->wanted->limit;
    guint n_added = 0;

    for (guint i = 0; i < page->len; i++) {
        const CatalogueEntry *entry = g_ptr_array_index(page, i);

        if (g_hash_table_contains(self->taken, entry->session))
            continue;
        add(self, listing_row_new_entry(entry, NULL));
        n_added++;
    }
    return page->len == PAGE && (n_wanted == 0 || n_added <= n_wanted);
}

static bool
add_catalogued(Listing *self, Catalogue *catalogue, CatalogueEntry *after, GError **error)
{
    const SessionListing *wanted = self->wanted;
    CatalogueFilter filter = {
        .org = wanted->org,
        .state = wanted->state,
        .since_us = wanted->since_us,
        .until_us = wanted->until_us,
        .after = after,
        .limit = PAGE,
    };
    g_autoptr(GPtrArray) page = NULL;
    bool has_more = true;

    while (has_more) {
        g_autoptr(GPtrArray) next = catalogue_list(catalogue, &filter, error);

        if (next == NULL)
            return false;
        has_more = add_page(self, next) && (wanted->limit == 0 || self->rows->len <= wanted->limit);
        g_clear_pointer(&page, g_ptr_array_unref);
        page = g_steal_pointer(&next);
        if (page->len > 0)
            filter.after = g_ptr_array_index(page, page->len - 1);
    }
    return true;
}

/* Returns: the entry of `wanted->after`; NULL where none is given, or `error` is set. */
static CatalogueEntry *
find_after(Listing *self, Catalogue *catalogue, GError **error)
{
    const char *session = self->wanted->after;
    g_autofree char *org = session != NULL ? catalogue_find_org(catalogue, session, error) : NULL;
    CatalogueEntry *entry = org != NULL ? catalogue_load(catalogue, org, session, error) : NULL;

    if (entry != NULL)
        self->after = listing_row_new_entry(entry, NULL);
    return entry;
}

static bool
list_catalogue(Listing *self, Catalogue *catalogue, GError **error)
{
    const json_t *rows = json_object_get(self->live, "sessions");
    g_autoptr(CatalogueEntry) after = find_after(self, catalogue, error);
    size_t i = 0;
    const json_t *live = NULL;

    if (self->wanted->after != NULL && after == NULL)
        return false;
    json_array_foreach(rows, i, live)
    {
        if (!add_live(self, catalogue, live, error))
            return false;
    }
    return add_catalogued(self, catalogue, after, error);
}

static bool
add_stored(Listing *self, const SessionName *name, GError **error)
{
    const json_t *rows = json_object_get(self->live, "sessions");
    const json_t *found = NULL;
    const json_t *live = NULL;
    ListingRow *row = NULL;
    size_t i = 0;

    json_array_foreach(rows, i, live)
    {
        if (g_strcmp0(json_string_value(json_object_get(live, "session")), name->session) == 0)
            found = live;
    }
    row = row_from_store(self, name->org, name->session, found, error);
    if (row != NULL)
        g_ptr_array_add(self->rows, row);
    return row != NULL;
}

/* Keeps what is wanted, once all are there and the one to go on behind is found. */
static bool
choose(Listing *self, GError **error)
{
    g_autoptr(GPtrArray) all = g_steal_pointer(&self->rows);

    self->rows = g_ptr_array_new_with_free_func((GDestroyNotify) listing_row_free);
    for (guint i = 0; self->wanted->after != NULL && i < all->len; i++) {
        ListingRow *row = g_ptr_array_index(all, i);

        if (strcmp(row->session, self->wanted->after) == 0)
            self->after = listing_row_copy(row);
    }
    if (self->wanted->after != NULL && self->after == NULL) {
        g_set_error(error, STORAGE_ERROR, STORAGE_ERROR_NOT_FOUND, "the store has no session %s",
                    self->wanted->after);
        return false;
    }
    g_ptr_array_set_free_func(all, NULL);
    for (guint i = 0; i < all->len; i++)
        add(self, g_ptr_array_index(all, i));
    return true;
}

static bool
list_store(Listing *self, GError **error)
{
    ObjectStore *store = command_context_store(self->context, error);
    g_autoptr(GPtrArray) names =
        store != NULL ? session_list_names(store, self->wanted->org, error) : NULL;

    for (guint i = 0; names != NULL && i < names->len; i++) {
        if (!add_stored(self, g_ptr_array_index(names, i), error))
            return false;
    }
    return names != NULL && choose(self, error);
}

/* Says what may be missing, if the catalogue itself knows. */
static void
warn_if_behind(Catalogue *catalogue)
{
    int64_t behind_us = 0;
    g_autofree char *since = NULL;

    if (!catalogue_fact(catalogue, "behind_us", &behind_us, NULL) || behind_us == 0)
        return;
    since = behind_us > 1 ? time_text_format_unix(behind_us) : g_strdup("ever");
    g_printerr("sealtape: the catalogue may lack sessions since %s; a recorder that may read the "
               "store catches up by itself, and `sealtape catalogue rebuild` does at once\n",
               since);
}

static bool
list_any(Listing *self, GError **error)
{
    const Settings *settings = command_context_settings(self->context, error);
    g_autoptr(GError) fault = NULL;
    g_autoptr(Catalogue) catalogue = NULL;

    if (settings == NULL)
        return false;
    catalogue = catalogue_open(settings->catalogue_path, CATALOGUE_READ, &fault);
    if (catalogue != NULL) {
        warn_if_behind(catalogue);
        if (list_catalogue(self, catalogue, &fault))
            return true;
    }
    if (catalogue != NULL && !g_error_matches(fault, STORAGE_ERROR, STORAGE_ERROR_CORRUPT)) {
        g_propagate_error(error, g_steal_pointer(&fault));
        return false;
    }
    if (!g_error_matches(fault, STORAGE_ERROR, STORAGE_ERROR_NOT_FOUND))
        g_printerr("sealtape: %s; the store is read instead\n", fault->message);
    g_ptr_array_set_size(self->rows, 0);
    g_clear_pointer(&self->after, listing_row_free);
    return list_store(self, error);
}

static json_t *
to_json(const Listing *self, char **more)
{
    const guint limit = self->wanted->limit;
    const guint n_rows = limit > 0 ? MIN(limit, self->rows->len) : self->rows->len;
    json_t *list = json_array();

    g_ptr_array_sort(self->rows, listing_row_compare);
    for (guint i = 0; i < n_rows; i++)
        json_array_append(list, ((const ListingRow *) g_ptr_array_index(self->rows, i))->json);
    if (n_rows < self->rows->len && n_rows > 0)
        *more = g_strdup(((const ListingRow *) g_ptr_array_index(self->rows, n_rows - 1))->session);
    return list;
}

json_t *
session_listing_make(CommandContext *context, const SessionListing *wanted, char **more,
                     GError **error)
{
    json_t *live = recorder_client_get(context, "/v1/sessions");
    Listing self = {.context = context, .wanted = wanted, .live = live};
    json_t *list = NULL;

    self.rows = g_ptr_array_new_with_free_func((GDestroyNotify) listing_row_free);
    self.taken = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    if (list_any(&self, error))
        list = to_json(&self, more);
    g_clear_pointer(&self.after, listing_row_free);
    g_hash_table_unref(self.taken);
    g_clear_pointer(&self.rows, g_ptr_array_unref);
    json_decref(live);
    return list;
}
