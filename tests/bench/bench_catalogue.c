#include "storage/catalogue_query.h"
#include "storage/catalogue_rows.h"
#include "storage/sql_database.h"

#include <glib.h>
#include <glib/gstdio.h>
#include <stdlib.h>
#include <string.h>

/* How long the catalogue's questions take with a million sessions, beside a look-up of one row by
 * its primary key in the same file and run.   bench_catalogue [SESSIONS [ROUNDS]] */

enum { N_ORGS = 50, PAGE = 100, CREATED_S = 1700000000, BOUND_US = 10000 };

static bool is_within = true; /* every question so far */

static const char *const states[] = {"stored", "stored", "stored", "incomplete", "open"};

static char *
session_of(unsigned i)
{
    return g_strdup_printf("%08x-0000-4000-8000-%012x", i * 2654435761U, i);
}

static char *
org_of(unsigned i)
{
    return g_strdup_printf("clinic-%u", i % N_ORGS);
}

static CatalogueEntry *
make_entry(unsigned i)
{
    g_autofree char *org = org_of(i);
    g_autofree char *session = session_of(i);
    CatalogueEntry *entry = catalogue_entry_new(org, session);

    g_free(entry->head);
    entry->head = g_strnfill(64, 'a');
    g_free(entry->policy);
    entry->policy = g_strnfill(64, 'b');
    entry->created_us = (CREATED_S + (int64_t) i * 7) * G_USEC_PER_SEC;
    entry->duration_us = 1800 * G_USEC_PER_SEC;
    entry->ended_us = entry->created_us + entry->duration_us;
    entry->n_parts = 90;
    for (int t = 0; t < 4; t++) {
        CatalogueTrack *track = g_new0(CatalogueTrack, 1);

        *track = (CatalogueTrack){g_strdup_printf("p%d-%s", t / 2, t % 2 != 0 ? "video" : "audio"),
                                  g_strdup(t % 2 != 0 ? "video" : "audio"),
                                  g_strdup(t % 2 != 0 ? "vp8" : "opus"),
                                  g_strdup_printf("p%d", t / 2),
                                  0,
                                  entry->duration_us,
                                  450,
                                  1,
                                  3000000};
        g_ptr_array_add(entry->tracks, track);
    }
    entry->n_tracks = 4;
    (void) catalogue_entry_add_envelope(entry, 1);
    if (!catalogue_entry_set_state(entry, states[i / N_ORGS % 5],
                                   i / N_ORGS % 5 == 3 ? "interrupted" : ""))
        g_error("no such state");
    return entry;
}

static void
fill(Catalogue *catalogue, unsigned n_sessions)
{
    g_autoptr(GError) error = NULL;

    for (unsigned i = 0; i < n_sessions; i += 10000) {
        bool is_good = catalogue_begin(catalogue, &error);

        for (unsigned j = i; is_good && j < MIN(i + 10000, n_sessions); j++) {
            g_autoptr(CatalogueEntry) entry = make_entry(j);

            is_good = catalogue_save(catalogue, entry, &error);
        }
        if (!is_good || !catalogue_end(catalogue, true, &error))
            g_error("%s", error->message);
    }
}

typedef struct {
    Catalogue *catalogue;
    SqlDatabase *database;
    unsigned n_sessions;
} Bench;

static GPtrArray *
list(const Bench *self, unsigned i, const char *org, const char *state)
{
    const CatalogueFilter filter = {
        .org = org,
        .state = state,
        .until_us = (CREATED_S + (int64_t) i * 7 + 1) * G_USEC_PER_SEC,
        .limit = PAGE,
    };
    g_autoptr(GError) error = NULL;
    GPtrArray *rows = catalogue_list(self->catalogue, &filter, &error);

    if (rows == NULL)
        g_error("%s", error->message);
    return rows;
}

static void
ask_key(const Bench *self, unsigned i)
{
    const SqlValue values[] = {{.number = i + 1}};
    g_autoptr(SqlRows) rows = sql_database_query(
        self->database, "SELECT session FROM sessions WHERE id = $1", values, 1, NULL);
    bool has_row = false;

    if (rows == NULL || !sql_rows_next(rows, &has_row, NULL) || !has_row)
        g_error("no row %u", i + 1);
}

static void
ask_list(const Bench *self, unsigned i)
{
    g_ptr_array_unref(list(self, i, NULL, NULL));
}

static void
ask_list_org(const Bench *self, unsigned i)
{
    g_autofree char *org = org_of(i);

    g_ptr_array_unref(list(self, i, org, NULL));
}

static void
ask_list_org_state(const Bench *self, unsigned i)
{
    g_autofree char *org = org_of(i);

    g_ptr_array_unref(list(self, i, org, "incomplete"));
}

static void
ask_show(const Bench *self, unsigned i)
{
    g_autofree char *session = session_of(i);
    g_autofree char *org = catalogue_find_org(self->catalogue, session, NULL);
    g_autoptr(CatalogueEntry) entry =
        org != NULL ? catalogue_load(self->catalogue, org, session, NULL) : NULL;

    if (entry == NULL)
        g_error("no session %s", session);
}

static void
ask_due(const Bench *self, unsigned i)
{
    g_autoptr(GPtrArray) due = catalogue_scrub_due(self->catalogue, NULL, PAGE, NULL);

    if (due == NULL || due->len == 0)
        g_error("nothing is due");
}

static int
compare_times(gconstpointer a, gconstpointer b)
{
    const double first = *(const double *) a;
    const double second = *(const double *) b;

    return (first > second) - (first < second);
}

/* Returns: the median, in microseconds. */
static double
measure(const Bench *self, const char *name, void (*ask)(const Bench *, unsigned),
        unsigned n_rounds, double key_us)
{
    g_autoptr(GArray) times = g_array_new(FALSE, FALSE, sizeof(double));
    g_autoptr(GRand) chance = g_rand_new_with_seed(1);
    double median = 0, p99 = 0, most = 0;

    for (unsigned i = 0; i < n_rounds; i++) {
        const unsigned which = (unsigned) g_rand_int_range(chance, 0, (gint32) self->n_sessions);
        const gint64 begun_us = g_get_monotonic_time();
        double us = 0;

        ask(self, which);
        us = (double) (g_get_monotonic_time() - begun_us);
        g_array_append_val(times, us);
    }
    g_array_sort(times, compare_times);
    median = g_array_index(times, double, times->len / 2);
    p99 = g_array_index(times, double, times->len * 99 / 100);
    most = g_array_index(times, double, times->len - 1);
    is_within = is_within && p99 <= BOUND_US;
    g_print("%-28s p50 %8.0f us  p99 %8.0f us  max %8.0f us  p50 / key look-up %6.1f\n", name,
            median, p99, most, key_us > 0 ? median / key_us : 1.0);
    return median;
}

int
main(int argc, char **argv)
{
    const unsigned n_sessions = argc > 1 ? (unsigned) strtoul(argv[1], NULL, 10) : 1000000;
    const unsigned n_rounds = argc > 2 ? (unsigned) strtoul(argv[2], NULL, 10) : 2000;
    g_autofree char *folder = g_dir_make_tmp("bench-catalogue-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(folder, "catalogue.db", NULL);
    g_autoptr(GError) error = NULL;
    g_autoptr(Catalogue) filling = catalogue_open(path, CATALOGUE_FILL, &error);
    Bench bench = {.n_sessions = n_sessions};
    gint64 begun_us = g_get_monotonic_time();
    GStatBuf found;
    double key_us = 0;

    if (filling == NULL)
        g_error("%s", error->message);
    fill(filling, n_sessions);
    g_clear_pointer(&filling, catalogue_free);
    if (g_stat(path, &found) != 0)
        g_error("no file");
    g_print("%u sessions in %.1f s, %.0f MB\n", n_sessions,
            (double) (g_get_monotonic_time() - begun_us) / G_USEC_PER_SEC,
            (double) found.st_size / 1e6);
    begun_us = g_get_monotonic_time();
    bench.catalogue = catalogue_open(path, CATALOGUE_READ, &error);
    bench.database = sql_database_open(path, SQL_READ, 1000, &error);
    if (bench.catalogue == NULL || bench.database == NULL)
        g_error("%s", error->message);
    g_print("opened to read in %.1f ms\n", (double) (g_get_monotonic_time() - begun_us) / 1000);
    key_us = measure(&bench, "key look-up", ask_key, n_rounds, 0);
    (void) measure(&bench, "list, page of 100", ask_list, n_rounds, key_us);
    (void) measure(&bench, "list of an organisation", ask_list_org, n_rounds, key_us);
    (void) measure(&bench, "list of it, by state", ask_list_org_state, n_rounds, key_us);
    (void) measure(&bench, "show", ask_show, n_rounds, key_us);
    (void) measure(&bench, "due to be scrubbed", ask_due, n_rounds, key_us);
    begun_us = g_get_monotonic_time();
    if (!sql_database_check(bench.database, true, &error))
        g_error("%s", error->message);
    g_print("quick check in %.1f s\n",
            (double) (g_get_monotonic_time() - begun_us) / G_USEC_PER_SEC);
    catalogue_free(bench.catalogue);
    sql_database_free(bench.database);
    (void) g_unlink(path);
    (void) g_rmdir(folder);
    g_print("99 of 100 answers within %d ms: %s\n", BOUND_US / 1000, is_within ? "yes" : "NO");
    return is_within ? 0 : 1;
}
