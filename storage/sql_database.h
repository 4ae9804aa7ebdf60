#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A database that takes portable SQL: all that the catalogue knows of one. Today it is a file of
 * SQLite's with a rollback journal (the write-ahead log of Debian 12's version can lose what was
 * committed when two processes write); a server's takes the same statements through the same calls.
 * Thread: one at a time. Everything here may block. */
typedef struct SqlDatabase SqlDatabase;

typedef enum {
    SQL_READ, /* must be there, as for the next */
    SQL_WRITE,
    SQL_CREATE, /* is made if it is not there */
    SQL_FILL,   /* a new one, that counts only once it is whole: nothing is flushed meanwhile */
} SqlAccess;

/* What stands for $1, $2, ... in a statement. */
typedef struct {
    const char *text; /* borrowed; NULL: the number */
    int64_t number;
} SqlValue;

/* The rows that a query gives, one after the other. */
typedef struct SqlRows SqlRows;

/* Waits at most `busy_ms` for others.
 * Errors of all calls: NOT_FOUND; BUSY - others are at it; DENIED; FULL; IO; CORRUPT - its
 * structure is damaged, or it is none of ours. */
SqlDatabase *sql_database_open(const char *path, SqlAccess access, unsigned busy_ms,
                               GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Runs `sql`, which gives no rows. */
bool sql_database_run(SqlDatabase *self, const char *sql, const SqlValue *values, size_t n_values,
                      GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Returns: what `sql` gives, owned, to be freed before the database. */
SqlRows *sql_database_query(SqlDatabase *self, const char *sql, const SqlValue *values,
                            size_t n_values, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Goes to the next row, at first to the first; `has_row` tells whether there is one. */
bool sql_rows_next(SqlRows *self, bool *has_row, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The present row's columns, from 0. Texts are borrowed until the next row, and never NULL. */
int64_t sql_rows_number(SqlRows *self, unsigned column);
const char *sql_rows_text(SqlRows *self, unsigned column);
void sql_rows_free(SqlRows *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SqlRows, sql_rows_free)

/* Whether its structure is sound; `is_quick`: without comparing indices and tables. Errors: CORRUPT
 * - says what is not. */
bool sql_database_check(SqlDatabase *self, bool is_quick, GError **error) G_GNUC_WARN_UNUSED_RESULT;

void sql_database_free(SqlDatabase *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SqlDatabase, sql_database_free)
