#include "storage/sql_database.h"

#include "storage/storage_error.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* SQLite behind the catalogue's calls. What makes a commit survive a power cut, in this order, is
 * SQLite's rollback journal with `synchronous = EXTRA`: the old pages are flushed to the journal,
 * then the new ones to the file, then the journal is cut to nothing, and its folder flushed. */

#define MIN_VERSION 3024000 /* knows ON CONFLICT DO UPDATE */

struct SqlDatabase {
    char *path;
    sqlite3 *connection;
    GHashTable *statements; /* SQL -> sqlite3_stmt, kept for the next time */
};

struct SqlRows {
    SqlDatabase *database; /* borrowed */
    sqlite3_stmt *statement;
    bool is_kept; /* the database keeps it */
};

static StorageError
code_of_io(int system_errno)
{
    switch (system_errno) {
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
        return STORAGE_ERROR_FULL;
    case EROFS:
    case EACCES:
    case EPERM:
        return STORAGE_ERROR_DENIED;
    default:
        return STORAGE_ERROR_IO;
    }
}

static StorageError
code_of(sqlite3 *connection, int result)
{
    switch (result & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return STORAGE_ERROR_BUSY;
    case SQLITE_FULL:
        return STORAGE_ERROR_FULL;
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH:
    case SQLITE_CANTOPEN:
        return STORAGE_ERROR_DENIED;
    case SQLITE_IOERR:
    case SQLITE_NOMEM:
        return code_of_io(sqlite3_system_errno(connection));
    /* The statements are ours: where they make no sense, the file is not what we wrote. */
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_CONSTRAINT:
    case SQLITE_ERROR:
    case SQLITE_MISMATCH:
        return STORAGE_ERROR_CORRUPT;
    default:
        return STORAGE_ERROR_IO;
    }
}

static bool
fail(SqlDatabase *self, int result, GError **error)
{
    g_set_error(error, STORAGE_ERROR, (int) code_of(self->connection, result), "%s: %s", self->path,
                sqlite3_errmsg(self->connection));
    return false;
}

/* Makes the file first, so that nobody but its owner ever reads it; a new one belongs to whom the
 * folder belongs to, for it may be root who begins it. */
static bool
make_file(const char *path, GError **error)
{
    g_autofree char *folder = g_path_get_dirname(path);
    const int file = open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    struct stat owner;

    if (file < 0)
        return errno == EEXIST || storage_fail_errno(error, "create", path);
    if (geteuid() == 0 && stat(folder, &owner) == 0) {
        (void) !fchown(file, owner.st_uid,
                       owner.st_gid); /* then it stays root's, and says so later */
    }
    (void) close(file);
    return true;
}

static bool
check_file(const char *path, GError **error)
{
    struct stat found;

    if (stat(path, &found) != 0)
        return storage_fail_errno(error, "open", path);
    if (S_ISREG(found.st_mode))
        return true;
    g_set_error(error, STORAGE_ERROR, STORAGE_ERROR_DENIED, "cannot open %s: it is %s", path,
                S_ISDIR(found.st_mode) ? "a folder" : "no file");
    return false;
}

static bool
set_up(SqlDatabase *self, SqlAccess access, unsigned busy_ms, GError **error)
{
    /* journal_mode answers with the mode, so it is asked for by sqlite3_exec(), which skips rows.
     */
    static const char *const common =
        "PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF;"
        "PRAGMA cell_size_check = ON; PRAGMA mmap_size = 0;"
        "PRAGMA temp_store = MEMORY; PRAGMA recursive_triggers = OFF;";
    static const char *const durable =
        "PRAGMA synchronous = EXTRA; PRAGMA journal_mode = TRUNCATE;";
    static const char *const filling = "PRAGMA synchronous = OFF; PRAGMA journal_mode = MEMORY;"
                                       "PRAGMA cache_size = -131072;";
    int result = sqlite3_busy_timeout(self->connection, (int) busy_ms);

    if (result == SQLITE_OK)
        result = sqlite3_exec(self->connection, common, NULL, NULL, NULL);
    if (result == SQLITE_OK && access != SQL_READ) {
        result = sqlite3_exec(self->connection, access == SQL_FILL ? filling : durable, NULL, NULL,
                              NULL);
    }
    return result == SQLITE_OK || fail(self, result, error);
}

static void
free_statement(void *statement)
{
    (void) sqlite3_finalize(statement); /* repeats what the last step said */
}

SqlDatabase *
sql_database_open(const char *path, SqlAccess access, unsigned busy_ms, GError **error)
{
    g_autoptr(SqlDatabase) self = g_new0(SqlDatabase, 1);
    int result = SQLITE_OK;

    self->path = g_strdup(path);
    self->statements = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, free_statement);
    if (sqlite3_libversion_number() < MIN_VERSION) {
        g_set_error(error, STORAGE_ERROR, STORAGE_ERROR_DENIED,
                    "SQLite %s is too old for the catalogue", sqlite3_libversion());
        return NULL;
    }
    if ((access >= SQL_CREATE && !make_file(path, error)) || !check_file(path, error))
        return NULL;
    /* A reader too may have to roll back what a crash left behind; without the right to write
     * SQLite opens the file for reading all the same. */
    result =
        sqlite3_open_v2(path, &self->connection, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
    if (result != SQLITE_OK) {
        (void) fail(self, result, error);
        return NULL;
    }
    (void) sqlite3_extended_result_codes(self->connection, 1); /* can not fail */
    if (!set_up(self, access, busy_ms, error))
        return NULL;
    return g_steal_pointer(&self);
}

static bool
bind_values(SqlRows *rows, const SqlValue *values, size_t n_values, GError **error)
{
    for (size_t i = 0; i < n_values; i++) {
        g_autofree char *name = g_strdup_printf("$%zu", i + 1);
        const int place = sqlite3_bind_parameter_index(rows->statement, name);
        int result = SQLITE_OK;

        if (place == 0)
            continue;
        result =
            values[i].text != NULL
                ? sqlite3_bind_text(rows->statement, place, values[i].text, -1, SQLITE_TRANSIENT)
                : sqlite3_bind_int64(rows->statement, place, values[i].number);
        if (result != SQLITE_OK)
            return fail(rows->database, result, error);
    }
    return true;
}

/* Returns: the statement, from the last time or prepared now; NULL sets `error`. */
static sqlite3_stmt *
take_statement(SqlDatabase *self, const char *sql, bool *is_kept, GError **error)
{
    sqlite3_stmt *statement = g_hash_table_lookup(self->statements, sql);
    const bool is_known = statement != NULL;
    int result = SQLITE_OK;

    if (is_known && !sqlite3_stmt_busy(statement)) {
        *is_kept = true;
        return statement;
    }
    result = sqlite3_prepare_v2(self->connection, sql, -1, &statement, NULL);
    if (result != SQLITE_OK) {
        (void) fail(self, result, error);
        return NULL;
    }
    *is_kept = !is_known;
    if (*is_kept)
        g_hash_table_insert(self->statements, g_strdup(sql), statement);
    return statement;
}

SqlRows *
sql_database_query(SqlDatabase *self, const char *sql, const SqlValue *values, size_t n_values,
                   GError **error)
{
    g_autoptr(SqlRows) rows = g_new0(SqlRows, 1);

    rows->database = self;
    rows->statement = take_statement(self, sql, &rows->is_kept, error);
    if (rows->statement == NULL || !bind_values(rows, values, n_values, error))
        return NULL;
    return g_steal_pointer(&rows);
}

bool
sql_rows_next(SqlRows *self, bool *has_row, GError **error)
{
    const int result = sqlite3_step(self->statement);

    *has_row = result == SQLITE_ROW;
    return result == SQLITE_ROW || result == SQLITE_DONE || fail(self->database, result, error);
}

int64_t
sql_rows_number(SqlRows *self, unsigned column)
{
    return sqlite3_column_int64(self->statement, (int) column);
}

const char *
sql_rows_text(SqlRows *self, unsigned column)
{
    const char *text = (const char *) sqlite3_column_text(self->statement, (int) column);

    return text != NULL ? text : "";
}

void
sql_rows_free(SqlRows *self)
{
    if (self == NULL)
        return;
    if (self->is_kept) {
        (void) sqlite3_reset(self->statement); /* repeats what the last step said */
        (void) sqlite3_clear_bindings(self->statement);
    } else {
        free_statement(self->statement);
    }
    g_free(self);
}

bool
sql_database_run(SqlDatabase *self, const char *sql, const SqlValue *values, size_t n_values,
                 GError **error)
{
    g_autoptr(SqlRows) rows = sql_database_query(self, sql, values, n_values, error);
    bool has_row = true;

    while (rows != NULL && has_row) {
        if (!sql_rows_next(rows, &has_row, error))
            return false;
    }
    return rows != NULL;
}

bool
sql_database_check(SqlDatabase *self, bool is_quick, GError **error)
{
    const char *sql = is_quick ? "PRAGMA quick_check(1)" : "PRAGMA integrity_check(1)";
    g_autoptr(SqlRows) rows = sql_database_query(self, sql, NULL, 0, error);
    g_autofree char *found = NULL;
    bool has_row = false;

    if (rows == NULL || !sql_rows_next(rows, &has_row, error))
        return false;
    if (has_row && strcmp(sql_rows_text(rows, 0), "ok") == 0)
        return true;
    /* SQLite says it in several lines. */
    found = g_strdelimit(g_strdup(has_row ? sql_rows_text(rows, 0) : "no answer"), "\n*", ' ');
    g_set_error(error, STORAGE_ERROR, STORAGE_ERROR_CORRUPT, "%s is damaged: %s", self->path,
                g_strstrip(found));
    return false;
}

void
sql_database_free(SqlDatabase *self)
{
    if (self == NULL)
        return;
    g_hash_table_unref(self->statements);
    (void) sqlite3_close(self->connection); /* nothing of it is open any more */
    g_free(self->path);
    g_free(self);
}
