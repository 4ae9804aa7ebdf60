#include "storage/catalogue_rows.h"

#include "storage/catalogue_private.h"
#include "storage/storage_error.h"

#include <string.h>

enum { EACH_BATCH = 500 };

static bool
fail_corrupt(const Catalogue *self, const char *session, GError **error)
{
    g_set_error(error, STORAGE_ERROR, STORAGE_ERROR_CORRUPT,
                "%s: the row of session %s is not as it was written", self->path, session);
    return false;
}

static bool
run(Catalogue *self, CatalogueSql sql, const SqlValue *values, size_t n_values, GError **error)
{
    return sql_database_run(self->database, catalogue_schema_sql(sql), values, n_values, error);
}

static char *
digest_of_text(const char *text)
{
    const Digest digest = digest_of(text, strlen(text));

    return digest_to_hex(&digest);
}

/* Returns: 62 bits of the digest of the session's line, so that it fits every kind of integer. */
static int64_t
sum_of(const CatalogueEntry *entry, const char *details_digest)
{
    g_autofree char *line = catalogue_entry_line(entry, details_digest);
    const Digest digest = digest_of(line, strlen(line));
    uint64_t sum = 0;

    for (int i = 0; i < 8; i++)
        sum = sum << 8 | digest.bytes[i];
    return (int64_t) (sum >> 2);
}

CatalogueEntry *
catalogue_read_row(Catalogue *self, SqlRows *rows, int64_t *id, char **details_digest,
                   GError **error)
{
    g_autoptr(CatalogueEntry) entry =
        catalogue_entry_new(sql_rows_text(rows, 1), sql_rows_text(rows, 2));
    const char *details = sql_rows_text(rows, 14);
    const bool is_state =
        catalogue_entry_set_state(entry, sql_rows_text(rows, 3), sql_rows_text(rows, 4));

    entry->created_us = sql_rows_number(rows, 5);
    entry->ended_us = sql_rows_number(rows, 6);
    entry->duration_us = sql_rows_number(rows, 7);
    entry->n_tracks = (uint64_t) sql_rows_number(rows, 8);
    entry->n_segments = (uint64_t) sql_rows_number(rows, 9);
    entry->n_bytes = (uint64_t) sql_rows_number(rows, 10);
    entry->n_parts = (uint32_t) sql_rows_number(rows, 11);
    g_free(entry->head);
    entry->head = g_strdup(sql_rows_text(rows, 12));
    g_free(entry->policy);
    entry->policy = g_strdup(sql_rows_text(rows, 13));
    if (!is_state || sum_of(entry, details) != sql_rows_number(rows, 15)) {
        (void) fail_corrupt(self, entry->session, error);
        return NULL;
    }
    if (id != NULL)
        *id = sql_rows_number(rows, 0);
    if (details_digest != NULL)
        *details_digest = g_strdup(details);
    return g_steal_pointer(&entry);
}

static void
take_track(CatalogueEntry *entry, SqlRows *rows)
{
    CatalogueTrack *track = g_new0(CatalogueTrack, 1);

    track->id = g_strdup(sql_rows_text(rows, 0));
    track->kind = g_strdup(sql_rows_text(rows, 1));
    track->codec = g_strdup(sql_rows_text(rows, 2));
    track->participant = g_strdup(sql_rows_text(rows, 3));
    track->from_us = sql_rows_number(rows, 4);
    track->until_us = sql_rows_number(rows, 5);
    track->n_segments = (uint64_t) sql_rows_number(rows, 6);
    track->n_parts = (uint64_t) sql_rows_number(rows, 7);
    track->n_bytes = (uint64_t) sql_rows_number(rows, 8);
    g_ptr_array_add(entry->tracks, track);
}

static void
take_gap(CatalogueEntry *entry, SqlRows *rows)
{
    CatalogueGap *gap = g_new0(CatalogueGap, 1);

    gap->track = g_strdup(sql_rows_text(rows, 0));
    gap->reason = g_strdup(sql_rows_text(rows, 1));
    gap->n_gaps = (uint64_t) sql_rows_number(rows, 2);
    gap->duration_us = sql_rows_number(rows, 3);
    g_ptr_array_add(entry->gaps, gap);
}

static void
take_envelope(CatalogueEntry *entry, SqlRows *rows)
{
    (void) catalogue_entry_add_envelope(entry, (uint32_t) sql_rows_number(rows, 0));
}

/* The tables of what belongs to a session. */
static const struct {
    CatalogueSql sql;
    void (*take)(CatalogueEntry *entry, SqlRows *rows);
} details_tables[] = {
    {CATALOGUE_SQL_TRACKS,    take_track   },
    {CATALOGUE_SQL_GAPS,      take_gap     },
    {CATALOGUE_SQL_ENVELOPES, take_envelope},
};

static bool
take_table(Catalogue *self, size_t table, int64_t id, CatalogueEntry *entry, GError **error)
{
    const SqlValue values[] = {{.number = id}};
    g_autoptr(SqlRows) rows =
        sql_database_query(self->database, catalogue_schema_sql(details_tables[table].sql), values,
                           G_N_ELEMENTS(values), error);
    bool has_row = rows != NULL;

    while (has_row) {
        if (!sql_rows_next(rows, &has_row, error))
            return false;
        if (has_row)
            details_tables[table].take(entry, rows);
    }
    return rows != NULL;
}

/* Returns: the whole entry of the present row. */
static CatalogueEntry *
read_whole(Catalogue *self, SqlRows *rows, GError **error)
{
    int64_t id = 0;
    g_autofree char *expected = NULL;
    g_autofree char *details = NULL;
    g_autofree char *found = NULL;
    g_autoptr(CatalogueEntry) entry = catalogue_read_row(self, rows, &id, &expected, error);

    for (size_t i = 0; entry != NULL && i < G_N_ELEMENTS(details_tables); i++) {
        if (!take_table(self, i, id, entry, error))
            return NULL;
    }
    if (entry == NULL)
        return NULL;
    details = catalogue_entry_details(entry);
    found = digest_of_text(details);
    if (strcmp(found, expected) == 0)
        return g_steal_pointer(&entry);
    (void) fail_corrupt(self, entry->session, error);
    return NULL;
}

CatalogueEntry *
catalogue_load(Catalogue *self, const char *org, const char *session, GError **error)
{
    const SqlValue values[] = {{.text = org}, {.text = session}};
    g_autoptr(SqlRows) rows =
        sql_database_query(self->database, catalogue_schema_sql(CATALOGUE_SQL_FIND), values,
                           G_N_ELEMENTS(values), error);
    bool has_row = false;

    if (rows == NULL || !sql_rows_next(rows, &has_row, error))
        return NULL;
    if (has_row)
        return read_whole(self, rows, error);
    g_set_error(error, STORAGE_ERROR, STORAGE_ERROR_NOT_FOUND,
                "the catalogue has no session %s of organisation %s", session, org);
    return NULL;
}

static bool
find_id(Catalogue *self, const CatalogueEntry *entry, int64_t *id, GError **error)
{
    const SqlValue values[] = {{.text = entry->org}, {.text = entry->session}};
    g_autoptr(SqlRows) rows =
        sql_database_query(self->database, catalogue_schema_sql(CATALOGUE_SQL_FIND), values,
                           G_N_ELEMENTS(values), error);
    bool has_row = false;

    if (rows == NULL || !sql_rows_next(rows, &has_row, error))
        return false;
    if (!has_row)
        return fail_corrupt(self, entry->session, error);
    *id = sql_rows_number(rows, 0);
    return true;
}

static bool
save_row(Catalogue *self, const CatalogueEntry *entry, GError **error)
{
    g_autofree char *details = catalogue_entry_details(entry);
    g_autofree char *details_digest = digest_of_text(details);
    const SqlValue values[] = {
        {.text = entry->org},
        {.text = entry->session},
        {.text = entry->state},
        {.text = entry->reason},
        {.number = entry->created_us},
        {.number = entry->ended_us},
        {.number = entry->duration_us},
        {.number = (int64_t) entry->n_tracks},
        {.number = (int64_t) entry->n_segments},
        {.number = (int64_t) entry->n_bytes},
        {.number = entry->n_parts},
        {.text = entry->head},
        {.text = entry->policy},
        {.text = details_digest},
        {.number = sum_of(entry, details_digest)},
    };

    return run(self, CATALOGUE_SQL_SAVE, values, G_N_ELEMENTS(values), error);
}

static bool
clear_details(Catalogue *self, int64_t id, GError **error)
{
    const SqlValue values[] = {{.number = id}};

    return run(self, CATALOGUE_SQL_CLEAR_GAPS, values, 1, error) &&
           run(self, CATALOGUE_SQL_CLEAR_TRACKS, values, 1, error) &&
           run(self, CATALOGUE_SQL_CLEAR_ENVELOPES, values, 1, error);
}

static bool
save_track(Catalogue *self, int64_t id, const CatalogueTrack *track, GError **error)
{
    const SqlValue values[] = {
        {.number = id},
        {.text = track->id},
        {.text = track->kind},
        {.text = track->codec},
        {.text = track->participant},
        {.number = track->from_us},
        {.number = track->until_us},
        {.number = (int64_t) track->n_segments},
        {.number = (int64_t) track->n_parts},
        {.number = (int64_t) track->n_bytes},
    };

    return run(self, CATALOGUE_SQL_ADD_TRACK, values, G_N_ELEMENTS(values), error);
}

static bool
save_gap(Catalogue *self, int64_t id, const CatalogueGap *gap, GError **error)
{
    const SqlValue values[] = {
        {.number = id},
        {.text = gap->track},
        {.text = gap->reason},
        {.number = (int64_t) gap->n_gaps},
        {.number = gap->duration_us},
    };

    return run(self, CATALOGUE_SQL_ADD_GAP, values, G_N_ELEMENTS(values), error);
}

static bool
save_envelope(Catalogue *self, int64_t id, uint32_t generation, GError **error)
{
    const SqlValue values[] = {{.number = id}, {.number = generation}};

    return run(self, CATALOGUE_SQL_ADD_ENVELOPE, values, G_N_ELEMENTS(values), error);
}

bool
catalogue_save(Catalogue *self, const CatalogueEntry *entry, GError **error)
{
    int64_t id = 0;

    if (!save_row(self, entry, error) || !find_id(self, entry, &id, error) ||
        !clear_details(self, id, error))
        return false;
    for (guint i = 0; i < entry->tracks->len; i++) {
        if (!save_track(self, id, g_ptr_array_index(entry->tracks, i), error))
            return false;
    }
    for (guint i = 0; i < entry->gaps->len; i++) {
        if (!save_gap(self, id, g_ptr_array_index(entry->gaps, i), error))
            return false;
    }
    for (guint i = 0; i < entry->envelopes->len; i++) {
        if (!save_envelope(self, id, g_array_index(entry->envelopes, uint32_t, i), error))
            return false;
    }
    return true;
}

bool
catalogue_forget(Catalogue *self, const char *org, const char *session, GError **error)
{
    const SqlValue values[] = {{.text = org}, {.text = session}};

    return run(self, CATALOGUE_SQL_FORGET, values, G_N_ELEMENTS(values), error);
}

/* Returns: GPtrArray of CatalogueEntry, the next ones behind `org`, `session`. */
static GPtrArray *
read_batch(Catalogue *self, const char *org, const char *session, GError **error)
{
    const SqlValue values[] = {{.text = org}, {.text = session}, {.number = EACH_BATCH}};
    g_autoptr(SqlRows) rows =
        sql_database_query(self->database, catalogue_schema_sql(CATALOGUE_SQL_EACH), values,
                           G_N_ELEMENTS(values), error);
    g_autoptr(GPtrArray) entries =
        g_ptr_array_new_with_free_func((GDestroyNotify) catalogue_entry_free);
    bool has_row = rows != NULL;

    while (has_row) {
        CatalogueEntry *entry = NULL;

        if (!sql_rows_next(rows, &has_row, error))
            return NULL;
        if (!has_row)
            break;
        entry = read_whole(self, rows, error);
        if (entry == NULL)
            return NULL;
        g_ptr_array_add(entries, entry);
    }
    return rows != NULL ? g_steal_pointer(&entries) : NULL;
}

bool
catalogue_each(Catalogue *self, bool (*on_entry)(const CatalogueEntry *entry, void *user_data),
               void *user_data, GError **error)
{
    g_autoptr(GPtrArray) batch = NULL;
    g_autofree char *org = g_strdup("");
    g_autofree char *session = g_strdup("");

    do {
        g_clear_pointer(&batch, g_ptr_array_unref);
        batch = read_batch(self, org, session, error);
        if (batch == NULL)
            return false;
        for (guint i = 0; i < batch->len; i++) {
            const CatalogueEntry *entry = g_ptr_array_index(batch, i);

            if (on_entry != NULL && !on_entry(entry, user_data))
                return true;
            g_free(org);
            g_free(session);
            org = g_strdup(entry->org);
            session = g_strdup(entry->session);
        }
    } while (batch->len == EACH_BATCH);
    return true;
}

bool
catalogue_rows_check(Catalogue *self, GError **error)
{
    return catalogue_each(self, NULL, NULL, error);
}
