#pragma once

#include "storage/sql_database.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* The catalogue's tables and everything that is asked of them, in one place: SQL that SQLite and
 * PostgreSQL understand alike. docs/catalogue.md explains the tables. */

enum { CATALOGUE_VERSION = 1 };

/* Looks which version the tables are of, and brings older ones, or none, up to this program's.
 * `may_change`: false for who may only read.
 * Errors: DENIED - a newer program made them, or somebody else did; NOT_FOUND - there are none, and
 * `may_change` is false; CORRUPT; any of the database's. */
bool catalogue_schema_prepare(SqlDatabase *database, const char *path, bool may_change,
                              GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The columns of a session, in this order, wherever a session is read. */
#define CATALOGUE_SESSION_COLUMNS                                                                  \
    "id, org, session, state, reason, created_us, ended_us, duration_us, tracks, segments, "       \
    "bytes, "                                                                                      \
    "manifest_parts, manifest_sha256, policy_sha256, details_sha256, row_sum"

typedef enum {
    CATALOGUE_SQL_FIND,         /* $1 org, $2 session -> a session */
    CATALOGUE_SQL_FIND_BY_NAME, /* $1 session -> a session, in any organisation */
    CATALOGUE_SQL_SAVE,         /* $1..$15: the columns but the id */
    CATALOGUE_SQL_FORGET,       /* $1 org, $2 session */
    CATALOGUE_SQL_TRACKS,       /* $1 id, as all down to CLEAR_ENVELOPES */
    CATALOGUE_SQL_GAPS,
    CATALOGUE_SQL_ENVELOPES,
    CATALOGUE_SQL_CLEAR_GAPS,
    CATALOGUE_SQL_CLEAR_TRACKS,
    CATALOGUE_SQL_CLEAR_ENVELOPES,
    CATALOGUE_SQL_ADD_TRACK,
    CATALOGUE_SQL_ADD_GAP,
    CATALOGUE_SQL_ADD_ENVELOPE,
    CATALOGUE_SQL_EACH,         /* $1 org, $2 session, $3 limit -> the sessions behind these */
    CATALOGUE_SQL_COUNT,        /* -> how many there are */
    CATALOGUE_SQL_SCRUB_DUE,    /* $1 limit -> org, session, scrubbed_us, scrub_place */
    CATALOGUE_SQL_SCRUB_DUE_OF, /* $1 limit, $2 org -> the same */
    CATALOGUE_SQL_SCRUB_GET,    /* $1 org, $2 session -> scrubbed_us, scrub_place */
    CATALOGUE_SQL_SCRUB_SET,    /* $1 org, $2 session, $3 scrubbed_us, $4 scrub_place */
    CATALOGUE_SQL_FACT,         /* $1 name -> value */
    CATALOGUE_SQL_SET_FACT,     /* $1 name, $2 value */
    CATALOGUE_N_SQL,
} CatalogueSql;

const char *catalogue_schema_sql(CatalogueSql which);

/* Sessions, newest first, behind ($1 created_us, $2 session, $3 org), made at $4 or later, at most
 * $5; of organisation $6 and in state $7 if these are set. */
const char *catalogue_schema_list(bool has_org, bool has_state);
