#include "storage/catalogue_query.h"

#include "storage/catalogue_private.h"
#include "storage/catalogue_rows.h"
#include "storage/storage_error.h"

static SqlRows *
list_rows(Catalogue *self, const CatalogueFilter *filter, GError **error)
{
    const int64_t until_us = filter->until_us > 0 ? filter->until_us : INT64_MAX;
    const CatalogueEntry *after = filter->after;
    const SqlValue values[] = {
        {.number = after != NULL ? MIN(after->created_us, until_us) : until_us},
        {.text = after != NULL && after->created_us < until_us ? after->session : ""},
        {.text = after != NULL && after->created_us < until_us ? after->org : ""},
        {.number = filter->since_us},
        {.number = filter->limit},
        {.text = filter->org != NULL ? filter->org : ""},
        {.text = filter->state != NULL ? filter->state : ""},
    };

    return sql_database_query(self->database,
                              catalogue_schema_list(filter->org != NULL, filter->state != NULL),
                              values, G_N_ELEMENTS(values), error);
}

GPtrArray *
catalogue_list(Catalogue *self, const CatalogueFilter *filter, GError **error)
{
    g_autoptr(SqlRows) rows = list_rows(self, filter, error);
    g_autoptr(GPtrArray) entries =
        g_ptr_array_new_with_free_func((GDestroyNotify) catalogue_entry_free);
    bool has_row = rows != NULL;

    while (has_row) {
        CatalogueEntry *entry = NULL;

        if (!sql_rows_next(rows, &has_row, error))
            return NULL;
        if (!has_row)
            break;
        entry = catalogue_read_row(self, rows, NULL, NULL, error);
        if (entry == NULL)
            return NULL;
        g_ptr_array_add(entries, entry);
    }
    return rows != NULL ? g_steal_pointer(&entries) : NULL;
}

char *
catalogue_find_org(Catalogue *self, const char *session, GError **error)
{
    const SqlValue values[] = {{.text = session}};
    g_autoptr(SqlRows) rows =
        sql_database_query(self->database, catalogue_schema_sql(CATALOGUE_SQL_FIND_BY_NAME), values,
                           G_N_ELEMENTS(values), error);
    g_autoptr(CatalogueEntry) entry = NULL;
    bool has_row = false;

    if (rows == NULL || !sql_rows_next(rows, &has_row, error))
        return NULL;
    if (!has_row) {
        g_set_error(error, STORAGE_ERROR, STORAGE_ERROR_NOT_FOUND,
                    "the catalogue has no session %s", session);
        return NULL;
    }
    entry = catalogue_read_row(self, rows, NULL, NULL, error);
    return entry != NULL ? g_steal_pointer(&entry->org) : NULL;
}

bool
catalogue_count(Catalogue *self, int64_t *count, GError **error)
{
    g_autoptr(SqlRows) rows = sql_database_query(
        self->database, catalogue_schema_sql(CATALOGUE_SQL_COUNT), NULL, 0, error);
    bool has_row = false;

    if (rows == NULL || !sql_rows_next(rows, &has_row, error))
        return false;
    *count = has_row ? sql_rows_number(rows, 0) : 0;
    return true;
}

GPtrArray *
catalogue_scrub_due(Catalogue *self, const char *org, uint32_t limit, GError **error)
{
    const SqlValue values[] = {{.number = limit}, {.text = org != NULL ? org : ""}};
    g_autoptr(SqlRows) rows = sql_database_query(
        self->database,
        catalogue_schema_sql(org != NULL ? CATALOGUE_SQL_SCRUB_DUE_OF : CATALOGUE_SQL_SCRUB_DUE),
        values, G_N_ELEMENTS(values), error);
    g_autoptr(GPtrArray) due =
        g_ptr_array_new_with_free_func((GDestroyNotify) catalogue_scrub_free);
    bool has_row = rows != NULL;

    while (has_row) {
        CatalogueScrub *scrub = NULL;

        if (!sql_rows_next(rows, &has_row, error))
            return NULL;
        if (!has_row)
            break;
        scrub = g_new0(CatalogueScrub, 1);
        scrub->org = g_strdup(sql_rows_text(rows, 0));
        scrub->session = g_strdup(sql_rows_text(rows, 1));
        scrub->scrubbed_us = sql_rows_number(rows, 2);
        scrub->place = sql_rows_number(rows, 3);
        g_ptr_array_add(due, scrub);
    }
    return rows != NULL ? g_steal_pointer(&due) : NULL;
}

bool
catalogue_set_scrub(Catalogue *self, const CatalogueScrub *scrub, GError **error)
{
    const SqlValue values[] = {
        {.text = scrub->org},
        {.text = scrub->session},
        {.number = scrub->scrubbed_us},
        {.number = scrub->place},
    };

    return sql_database_run(self->database, catalogue_schema_sql(CATALOGUE_SQL_SCRUB_SET), values,
                            G_N_ELEMENTS(values), error);
}

bool
catalogue_get_scrub(Catalogue *self, CatalogueScrub *scrub, GError **error)
{
    const SqlValue values[] = {{.text = scrub->org}, {.text = scrub->session}};
    g_autoptr(SqlRows) rows =
        sql_database_query(self->database, catalogue_schema_sql(CATALOGUE_SQL_SCRUB_GET), values,
                           G_N_ELEMENTS(values), error);
    bool has_row = false;

    if (rows == NULL || !sql_rows_next(rows, &has_row, error))
        return false;
    if (has_row) {
        scrub->scrubbed_us = sql_rows_number(rows, 0);
        scrub->place = sql_rows_number(rows, 1);
    }
    return true;
}

void
catalogue_scrub_free(CatalogueScrub *self)
{
    g_free(self->org);
    g_free(self->session);
    g_free(self);
}
