#include "storage/catalogue_schema.h"

#include "storage/storage_error.h"

#include <string.h>

/* Each step leads from the version of its place to the next. A step that was ever released never
 * changes; what is to be different becomes another step. */
static const char first_step[] =
    "CREATE TABLE sessions ("
    " id INTEGER PRIMARY KEY,"
    " org TEXT NOT NULL,"
    " session TEXT NOT NULL,"
    " state TEXT NOT NULL,"
    " reason TEXT NOT NULL,"
    " created_us BIGINT NOT NULL,"
    " ended_us BIGINT NOT NULL,"
    " duration_us BIGINT NOT NULL,"
    " tracks BIGINT NOT NULL,"
    " segments BIGINT NOT NULL,"
    " bytes BIGINT NOT NULL,"
    " manifest_parts BIGINT NOT NULL,"
    " manifest_sha256 TEXT NOT NULL,"
    " policy_sha256 TEXT NOT NULL,"
    " details_sha256 TEXT NOT NULL,"
    " row_sum BIGINT NOT NULL,"
    " scrubbed_us BIGINT NOT NULL DEFAULT 0,"
    " scrub_place BIGINT NOT NULL DEFAULT 0,"
    " UNIQUE (org, session));"
    "CREATE INDEX sessions_by_name ON sessions (session, org);"
    "CREATE INDEX sessions_by_time ON sessions (created_us, session, org);"
    "CREATE INDEX sessions_by_org ON sessions (org, created_us, session);"
    "CREATE INDEX sessions_by_state ON sessions (state, created_us, session, org);"
    "CREATE INDEX sessions_by_org_state ON sessions (org, state, created_us, session);"
    "CREATE INDEX sessions_by_scrub ON sessions (scrubbed_us, session, org);"
    "CREATE INDEX sessions_by_org_scrub ON sessions (org, scrubbed_us, session);"
    "CREATE TABLE tracks ("
    " session_id INTEGER NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,"
    " track TEXT NOT NULL,"
    " kind TEXT NOT NULL,"
    " codec TEXT NOT NULL,"
    " participant TEXT NOT NULL,"
    " from_us BIGINT NOT NULL,"
    " until_us BIGINT NOT NULL,"
    " segments BIGINT NOT NULL,"
    " parts BIGINT NOT NULL,"
    " bytes BIGINT NOT NULL,"
    " PRIMARY KEY (session_id, track));"
    "CREATE TABLE gaps ("
    " session_id INTEGER NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,"
    " track TEXT NOT NULL,"
    " reason TEXT NOT NULL,"
    " gaps BIGINT NOT NULL,"
    " duration_us BIGINT NOT NULL,"
    " PRIMARY KEY (session_id, track, reason));"
    "CREATE TABLE envelopes ("
    " session_id INTEGER NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,"
    " generation BIGINT NOT NULL,"
    " PRIMARY KEY (session_id, generation));"
    "CREATE TABLE facts (name TEXT NOT NULL PRIMARY KEY, value BIGINT NOT NULL);"
    /* Nobody has compared a new one with the store yet. */
    "INSERT INTO facts (name, value) VALUES ('behind_us', 1);";

/* One statement ends, and no text holds, a `;`. */
static const char *const steps[] = {first_step};
G_STATIC_ASSERT(G_N_ELEMENTS(steps) == CATALOGUE_VERSION);

#define SESSION    "SELECT " CATALOGUE_SESSION_COLUMNS " FROM sessions "
#define BEHIND     "(created_us, session, org) < ($1, $2, $3) AND created_us >= $4"
#define BEHIND_ORG "org = $6 AND (created_us, session) < ($1, $2) AND created_us >= $4"
#define NEWEST     " ORDER BY created_us DESC, session DESC, org DESC LIMIT $5"
#define NEWEST_ORG " ORDER BY created_us DESC, session DESC LIMIT $5"
#define DUE        "SELECT org, session, scrubbed_us, scrub_place FROM sessions "

static const char *const statements[CATALOGUE_N_SQL] = {
    [CATALOGUE_SQL_FIND] = SESSION "WHERE org = $1 AND session = $2",
    [CATALOGUE_SQL_FIND_BY_NAME] = SESSION "WHERE session = $1 ORDER BY org LIMIT 1",
    [CATALOGUE_SQL_SAVE] =
        "INSERT INTO sessions (org, session, state, reason, created_us, ended_us, duration_us,"
        " tracks, segments, bytes, manifest_parts, manifest_sha256, policy_sha256, details_sha256,"
        " row_sum)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)"
        " ON CONFLICT (org, session) DO UPDATE SET state = excluded.state,"
        " reason = excluded.reason, created_us = excluded.created_us,"
        " ended_us = excluded.ended_us, duration_us = excluded.duration_us,"
        " tracks = excluded.tracks, segments = excluded.segments, bytes = excluded.bytes,"
        " manifest_parts = excluded.manifest_parts, manifest_sha256 = excluded.manifest_sha256,"
        " policy_sha256 = excluded.policy_sha256, details_sha256 = excluded.details_sha256,"
        " row_sum = excluded.row_sum",
    [CATALOGUE_SQL_FORGET] = "DELETE FROM sessions WHERE org = $1 AND session = $2",
    [CATALOGUE_SQL_TRACKS] = "SELECT track, kind, codec, participant, from_us, until_us, segments,"
                             " parts, bytes FROM tracks WHERE session_id = $1 ORDER BY track",
    [CATALOGUE_SQL_GAPS] = "SELECT track, reason, gaps, duration_us FROM gaps"
                           " WHERE session_id = $1 ORDER BY track, reason",
    [CATALOGUE_SQL_ENVELOPES] =
        "SELECT generation FROM envelopes WHERE session_id = $1 ORDER BY generation",
    [CATALOGUE_SQL_CLEAR_GAPS] = "DELETE FROM gaps WHERE session_id = $1",
    [CATALOGUE_SQL_CLEAR_TRACKS] = "DELETE FROM tracks WHERE session_id = $1",
    [CATALOGUE_SQL_CLEAR_ENVELOPES] = "DELETE FROM envelopes WHERE session_id = $1",
    [CATALOGUE_SQL_ADD_TRACK] =
        "INSERT INTO tracks (session_id, track, kind, codec, participant, from_us, until_us,"
        " segments, parts, bytes) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
    [CATALOGUE_SQL_ADD_GAP] = "INSERT INTO gaps (session_id, track, reason, gaps, duration_us)"
                              " VALUES ($1, $2, $3, $4, $5)",
    [CATALOGUE_SQL_ADD_ENVELOPE] = "INSERT INTO envelopes (session_id, generation) VALUES ($1, $2)",
    [CATALOGUE_SQL_EACH] = SESSION "WHERE (org, session) > ($1, $2) ORDER BY org, session LIMIT $3",
    [CATALOGUE_SQL_COUNT] = "SELECT COUNT(*) FROM sessions",
    [CATALOGUE_SQL_SCRUB_DUE] = DUE "ORDER BY scrubbed_us, session, org LIMIT $1",
    [CATALOGUE_SQL_SCRUB_DUE_OF] = DUE "WHERE org = $2 ORDER BY scrubbed_us, session LIMIT $1",
    [CATALOGUE_SQL_SCRUB_GET] =
        "SELECT scrubbed_us, scrub_place FROM sessions WHERE org = $1 AND session = $2",
    [CATALOGUE_SQL_SCRUB_SET] = "UPDATE sessions SET scrubbed_us = $3, scrub_place = $4"
                                " WHERE org = $1 AND session = $2",
    [CATALOGUE_SQL_FACT] = "SELECT value FROM facts WHERE name = $1",
    [CATALOGUE_SQL_SET_FACT] = "INSERT INTO facts (name, value) VALUES ($1, $2)"
                               " ON CONFLICT (name) DO UPDATE SET value = excluded.value",
};

const char *
catalogue_schema_sql(CatalogueSql which)
{
    return statements[which];
}

const char *
catalogue_schema_list(bool has_org, bool has_state)
{
    static const char *const lists[2][2] = {
        {SESSION "WHERE " BEHIND NEWEST,         SESSION "WHERE state = $7 AND " BEHIND NEWEST},
        {SESSION "WHERE " BEHIND_ORG NEWEST_ORG,
         SESSION "WHERE state = $7 AND " BEHIND_ORG NEWEST_ORG                                },
    };

    return lists[has_org][has_state];
}

static bool
ask_number(SqlDatabase *database, const char *sql, int64_t *number, GError **error)
{
    g_autoptr(SqlRows) rows = sql_database_query(database, sql, NULL, 0, error);
    bool has_row = false;

    if (rows == NULL || !sql_rows_next(rows, &has_row, error))
        return false;
    *number = has_row ? sql_rows_number(rows, 0) : 0;
    return true;
}

static bool
take_step(SqlDatabase *database, const char *step, GError **error)
{
    g_auto(GStrv) sql = g_strsplit(step, ";", -1);

    for (guint i = 0; sql[i] != NULL; i++) {
        if (*sql[i] != '\0' && !sql_database_run(database, sql[i], NULL, 0, error))
            return false;
    }
    return true;
}

static bool
take_steps(SqlDatabase *database, GError **error)
{
    g_autofree char *numbered = g_strdup_printf("PRAGMA user_version = %d", CATALOGUE_VERSION);
    int64_t version = 0;

    /* Asked again: another process may have been faster. */
    if (!sql_database_run(database, "BEGIN IMMEDIATE", NULL, 0, error) ||
        !ask_number(database, "PRAGMA user_version", &version, error))
        return false;
    for (int64_t step = version; step < CATALOGUE_VERSION; step++) {
        if (!take_step(database, steps[step], error))
            return false; /* what was begun goes with the connection */
    }
    return sql_database_run(database, numbered, NULL, 0, error) &&
           sql_database_run(database, "COMMIT", NULL, 0, error);
}

/* Damage that lies in the tables' own description shows here, and not in the middle of something.
 */
static bool
check_statements(SqlDatabase *database, GError **error)
{
    for (int i = 0; i < CATALOGUE_N_SQL; i++) {
        g_autoptr(SqlRows) rows = sql_database_query(database, statements[i], NULL, 0, error);

        if (rows == NULL)
            return false;
    }
    return true;
}

bool
catalogue_schema_prepare(SqlDatabase *database, const char *path, bool may_change, GError **error)
{
    int64_t version = 0, n_things = 0;

    if (!ask_number(database, "PRAGMA user_version", &version, error) ||
        !ask_number(database, "SELECT COUNT(*) FROM sqlite_master", &n_things, error))
        return false;
    if (version > CATALOGUE_VERSION) {
        g_set_error(error, STORAGE_ERROR, STORAGE_ERROR_DENIED,
                    "%s is of a newer Sealtape (its version is %" G_GINT64_FORMAT
                    ", and this program knows %d): use that one, or give another path in "
                    "catalogue.path",
                    path, version, CATALOGUE_VERSION);
        return false;
    }
    if (version < 0 || (version == 0 && n_things > 0)) {
        g_set_error(error, STORAGE_ERROR, STORAGE_ERROR_DENIED,
                    "%s is a database, but no catalogue: give another path in catalogue.path",
                    path);
        return false;
    }
    if (version == 0 && !may_change) {
        g_set_error(error, STORAGE_ERROR, STORAGE_ERROR_NOT_FOUND, "%s is empty", path);
        return false;
    }
    if (version < CATALOGUE_VERSION && may_change && !take_steps(database, error))
        return false;
    return check_statements(database, error);
}
