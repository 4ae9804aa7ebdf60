#include "storage/catalogue_build.h"

#include "storage/catalogue_rows.h"
#include "storage/catalogue_session.h"
#include "storage/erasure_trace.h"
#include "storage/session_list.h"
#include "storage/storage_error.h"

#include <string.h>

/* Sessions are read from the store outside any transaction, and written a batch at a time. */

enum { BATCH = 100 };

static bool
is_erased(const CatalogueEntry *entry)
{
    return strcmp(entry->state, "erased") == 0;
}

static bool
save_if_news(Catalogue *self, const CatalogueEntry *entry, GError **error)
{
    g_autoptr(GError) fault = NULL;
    g_autoptr(CatalogueEntry) known = catalogue_load(self, entry->org, entry->session, &fault);

    if (known != NULL && !is_erased(entry) && known->n_parts >= entry->n_parts &&
        known->envelopes->len >= entry->envelopes->len)
        return true; /* somebody was faster */
    if (known == NULL && !g_error_matches(fault, STORAGE_ERROR, STORAGE_ERROR_NOT_FOUND)) {
        g_propagate_error(error, g_steal_pointer(&fault));
        return false;
    }
    return catalogue_save(self, entry, error);
}

static bool
save_batch(Catalogue *self, GPtrArray *entries, GError **error)
{
    bool is_good = true;

    if (entries->len == 0)
        return true;
    if (!catalogue_begin(self, error))
        return false;
    for (guint i = 0; is_good && i < entries->len; i++)
        is_good = save_if_news(self, g_ptr_array_index(entries, i), error);
    if (!is_good) {
        (void) !catalogue_end(self, false, NULL); /* `error` is set already */
        return false;
    }
    g_ptr_array_set_size(entries, 0);
    return catalogue_end(self, true, error);
}

/* `self`: new. All that is left of it is when it was. */
static void
set_erased(CatalogueEntry *self, const ErasureTrace *trace)
{
    const bool is_known = trace->from_us > 0;

    (void) !catalogue_entry_set_state(self, "erased",
                                      trace->stage == ERASURE_STAGE_LOCKED ? "bytes-locked" : "");
    self->created_us = trace->from_us;
    self->ended_us = is_known ? trace->until_us : trace->at_unix_s * G_USEC_PER_SEC;
    self->duration_us = is_known ? trace->until_us - trace->from_us : 0;
}

/* Returns: the entry of what was erased, owned; NULL where nothing says so, or with `error` set. */
static CatalogueEntry *
read_erased(const CatalogueSource *source, const SessionName *name, GError **error)
{
    g_autoptr(ErasureTrace) trace = NULL;
    g_autoptr(GError) fault = NULL;
    CatalogueEntry *entry = NULL;

    if (!name->has_erasure || source->annotators == NULL)
        return NULL;
    trace = erasure_trace_read(source->store, name->org, name->session, source->annotators, &fault);
    if (fault != NULL) {
        if (!g_error_matches(fault, STORAGE_ERROR, STORAGE_ERROR_CORRUPT)) {
            g_propagate_error(error, g_steal_pointer(&fault));
        } else if (source->on_finding != NULL) {
            source->on_finding(name->session, fault->message, source->user_data);
        }
        return NULL;
    }
    if (trace == NULL || trace->stage == ERASURE_STAGE_BEGUN)
        return NULL;
    entry = catalogue_entry_new(name->org, name->session);
    set_erased(entry, trace);
    return entry;
}

/* Whether its row says already that it was erased, and that no lock keeps anything of it. */
static bool
is_known_erased(Catalogue *self, const SessionName *name)
{
    g_autoptr(CatalogueEntry) known = catalogue_load(self, name->org, name->session, NULL);

    return known != NULL && is_erased(known) && *known->reason == '\0';
}

/* Returns: the entry to begin with, owned; NULL if it is complete, or with `error` set. */
static CatalogueEntry *
begin_entry(Catalogue *self, const SessionName *name, GError **error)
{
    g_autoptr(GError) fault = NULL;
    g_autoptr(CatalogueEntry) known = catalogue_load(self, name->org, name->session, &fault);

    if (known != NULL)
        return strcmp(known->state, "open") == 0 ? g_steal_pointer(&known) : NULL;
    if (g_error_matches(fault, STORAGE_ERROR, STORAGE_ERROR_NOT_FOUND))
        return catalogue_entry_new(name->org, name->session);
    g_propagate_error(error, g_steal_pointer(&fault));
    return NULL;
}

static bool
read_session(Catalogue *self, const CatalogueSource *source, const SessionName *name,
             GPtrArray *entries, GError **error)
{
    g_autoptr(GError) fault = NULL;
    g_autoptr(CatalogueEntry) entry = NULL;
    bool has_news = false;

    if (name->has_erasure && is_known_erased(self, name))
        return true;
    entry = read_erased(source, name, &fault);
    if (entry != NULL) {
        g_ptr_array_add(entries, g_steal_pointer(&entry));
        return true;
    }
    if (fault == NULL)
        entry = begin_entry(self, name, &fault);
    if (entry != NULL && catalogue_session_read(entry, source, &has_news, &fault) && has_news)
        g_ptr_array_add(entries, g_steal_pointer(&entry));
    if (fault == NULL)
        return true;
    g_propagate_error(error, g_steal_pointer(&fault));
    return false;
}

bool
catalogue_update(Catalogue *self, const CatalogueSource *source, GError **error)
{
    g_autoptr(GPtrArray) names = session_list_names(source->store, NULL, error);
    g_autoptr(GPtrArray) entries =
        g_ptr_array_new_with_free_func((GDestroyNotify) catalogue_entry_free);

    for (guint i = 0; names != NULL && i < names->len; i++) {
        if (source->on_progress != NULL && !source->on_progress(i, names->len, source->user_data))
            return false;
        if (!read_session(self, source, g_ptr_array_index(names, i), entries, error) ||
            (entries->len >= BATCH && !save_batch(self, entries, error)))
            return false;
    }
    return names != NULL && save_batch(self, entries, error);
}

bool
catalogue_update_erased(Catalogue *self, const CatalogueSource *source, const char *org,
                        GError **error)
{
    g_autoptr(GPtrArray) names = session_list_names(source->store, org, error);
    g_autoptr(GPtrArray) entries =
        g_ptr_array_new_with_free_func((GDestroyNotify) catalogue_entry_free);

    for (guint i = 0; names != NULL && i < names->len; i++) {
        const SessionName *name = g_ptr_array_index(names, i);

        if (name->has_erasure && (!read_session(self, source, name, entries, error) ||
                                  (entries->len >= BATCH && !save_batch(self, entries, error))))
            return false;
    }
    return names != NULL && save_batch(self, entries, error);
}
