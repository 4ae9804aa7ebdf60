#include "storage/catalogue_schema.h"
#include "storage/sql_database.h"
#include "tests/fakes/scratch.h"

#include <glib.h>
#include <string.h>

/* Every question is answered through an index: none reads a whole table, none sorts. */

typedef struct {
    char *folder;
    SqlDatabase *database;
} Fixture;

static void
set_up(Fixture *self, gconstpointer data)
{
    g_autofree char *path = NULL;
    g_autoptr(GError) error = NULL;

    self->folder = scratch_new("plan");
    path = g_build_filename(self->folder, "catalogue.db", NULL);
    self->database = sql_database_open(path, SQL_CREATE, 1000, &error);
    g_assert_no_error(error);
    g_assert_true(catalogue_schema_prepare(self->database, path, true, &error));
}

static void
tear_down(Fixture *self, gconstpointer data)
{
    sql_database_free(self->database);
    scratch_remove(self->folder);
}

static void
assert_indexed(SqlDatabase *database, const char *sql)
{
    g_autofree char *explained = g_strconcat("EXPLAIN QUERY PLAN ", sql, NULL);
    g_autoptr(GError) error = NULL;
    g_autoptr(SqlRows) rows = sql_database_query(database, explained, NULL, 0, &error);
    bool has_row = true;

    g_assert_no_error(error);
    while (has_row) {
        g_assert_true(sql_rows_next(rows, &has_row, &error));
        if (!has_row)
            break;
        g_test_message("%s <- %s", sql_rows_text(rows, 3), sql);
        if (strstr(sql_rows_text(rows, 3), "TEMP B-TREE") != NULL)
            g_error("sorts: %s", sql);
        if (strstr(sql_rows_text(rows, 3), "SCAN") != NULL &&
            strstr(sql_rows_text(rows, 3), "USING INDEX") == NULL &&
            strstr(sql_rows_text(rows, 3), "USING COVERING INDEX") == NULL)
            g_error("reads the whole table: %s", sql);
    }
}

static void
test_every_question_has_an_index(Fixture *self, gconstpointer data)
{
    for (int i = 0; i < CATALOGUE_N_SQL; i++) {
        if (i != CATALOGUE_SQL_COUNT)
            assert_indexed(self->database, catalogue_schema_sql((CatalogueSql) i));
    }
}

static void
test_every_list_has_an_index(Fixture *self, gconstpointer data)
{
    for (int has_org = 0; has_org < 2; has_org++) {
        for (int has_state = 0; has_state < 2; has_state++)
            assert_indexed(self->database, catalogue_schema_list(has_org, has_state));
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
    g_test_add("/catalogue_plan/every-question-has-an-index", Fixture, NULL, set_up,
               test_every_question_has_an_index, tear_down);
    g_test_add("/catalogue_plan/every-list-has-an-index", Fixture, NULL, set_up,
               test_every_list_has_an_index, tear_down);
    return g_test_run();
}
