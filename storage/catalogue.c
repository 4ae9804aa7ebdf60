#include "storage/catalogue.h"

#include "storage/catalogue_lock.h"
#include "storage/catalogue_private.h"
#include "storage/catalogue_rows.h"
#include "storage/storage_error.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

/* Changing, in this order, so that nobody's change goes into a file that was replaced:
 * 1. the lock is taken together with others that change;
 * 2. if another file stands under the name by now, that one is opened;
 * 3. the database's own transaction, and only then is the lock let go. */

enum {
    BUSY_MS = 3000,
    CHECKED_BYTES = 4 << 20, /* up to this size it is checked wholly when opened */
};

static bool
has_been_replaced(const Catalogue *self)
{
    struct stat found;

    return stat(self->path, &found) != 0 || found.st_dev != self->device ||
           found.st_ino != self->inode;
}

static bool
open_file(Catalogue *self, SqlAccess access, GError **error)
{
    struct stat found;

    g_clear_pointer(&self->database, sql_database_free);
    self->database = sql_database_open(self->path, access, BUSY_MS, error);
    if (self->database == NULL)
        return false;
    if (stat(self->path, &found) != 0)
        return storage_fail_errno(error, "look at", self->path);
    self->device = found.st_dev;
    self->inode = found.st_ino;
    if (!catalogue_schema_prepare(self->database, self->path, self->access != CATALOGUE_READ,
                                  error))
        return false;
    if (found.st_size <= CHECKED_BYTES)
        return catalogue_check(self, error);
    /* What is read is compared with its sum in any case; who asks must not wait for the rest. */
    return self->access == CATALOGUE_READ || sql_database_check(self->database, true, error);
}

/* A file that nobody changes needs no lock: whoever makes it takes one while it is empty. */
Catalogue *
catalogue_open(const char *path, CatalogueAccess access, GError **error)
{
    static const SqlAccess accesses[] = {SQL_READ, SQL_CREATE, SQL_FILL};
    g_autoptr(Catalogue) self = g_new0(Catalogue, 1);
    g_auto(Fd) lock = -1;

    self->path = g_strdup(path);
    self->access = access;
    self->lock = -1;
    if (access == CATALOGUE_WRITE) {
        lock = catalogue_lock_take(path, false, BUSY_MS, error);
        if (lock < 0)
            return NULL;
    }
    if (!open_file(self, accesses[access], error))
        return NULL;
    return g_steal_pointer(&self);
}

bool
catalogue_check(Catalogue *self, GError **error)
{
    return sql_database_check(self->database, false, error) && catalogue_rows_check(self, error);
}

bool
catalogue_begin(Catalogue *self, GError **error)
{
    if (self->access == CATALOGUE_WRITE) {
        self->lock = catalogue_lock_take(self->path, false, BUSY_MS, error);
        if (self->lock < 0)
            return false;
    }
    /* One that was removed is not begun again here: whoever opens it must know that it is new. */
    if ((!has_been_replaced(self) || open_file(self, SQL_WRITE, error)) &&
        sql_database_run(self->database, "BEGIN IMMEDIATE", NULL, 0, error))
        return true;
    fd_close(&self->lock);
    return false;
}

bool
catalogue_end(Catalogue *self, bool is_good, GError **error)
{
    const bool is_done = is_good && sql_database_run(self->database, "COMMIT", NULL, 0, error);

    /* A commit that failed may have left the transaction open; else there is nothing to take back.
     */
    if (!is_done)
        (void) !sql_database_run(self->database, "ROLLBACK", NULL, 0, NULL);
    fd_close(&self->lock);
    return is_done || !is_good;
}

bool
catalogue_fact(Catalogue *self, const char *name, int64_t *value, GError **error)
{
    const SqlValue values[] = {{.text = name}};
    g_autoptr(SqlRows) rows =
        sql_database_query(self->database, catalogue_schema_sql(CATALOGUE_SQL_FACT), values,
                           G_N_ELEMENTS(values), error);
    bool has_row = false;

    if (rows == NULL || !sql_rows_next(rows, &has_row, error))
        return false;
    *value = has_row ? sql_rows_number(rows, 0) : 0;
    return true;
}

bool
catalogue_set_fact(Catalogue *self, const char *name, int64_t value, GError **error)
{
    const SqlValue values[] = {{.text = name}, {.number = value}};

    return sql_database_run(self->database, catalogue_schema_sql(CATALOGUE_SQL_SET_FACT), values,
                            G_N_ELEMENTS(values), error);
}

/* The journal goes first: left behind, it would be rolled back into the next file of that name. */
bool
catalogue_set_aside_locked(const char *path, GError **error)
{
    static const char *const endings[] = {"-journal", ""};

    for (size_t i = 0; i < G_N_ELEMENTS(endings); i++) {
        g_autofree char *from = g_strconcat(path, endings[i], NULL);
        g_autofree char *to = g_strconcat(path, ".damaged", endings[i], NULL);

        if (rename(from, to) != 0 && errno != ENOENT)
            return storage_fail_errno(error, "set aside", from);
    }
    return true;
}

bool
catalogue_set_aside(const char *path, GError **error)
{
    g_auto(Fd) lock = catalogue_lock_take(path, true, BUSY_MS, error);

    return lock >= 0 && catalogue_set_aside_locked(path, error);
}

void
catalogue_free(Catalogue *self)
{
    if (self == NULL)
        return;
    sql_database_free(self->database);
    fd_close(&self->lock);
    g_free(self->path);
    g_free(self);
}
