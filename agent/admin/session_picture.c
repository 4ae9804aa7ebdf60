#include "agent/admin/session_picture.h"

#include "agent/admin/completeness.h"
#include "agent/admin/terminal.h"
#include "agent/admin/time_text.h"
#include "agent/admin/timeline.h"

#include <string.h>

#define MAX_NAME    16
#define MAX_GAPS    12
#define LEAST_CELLS 20U

void
session_picture_print_list(const json_t *rows)
{
    size_t i = 0;
    const json_t *row = NULL;

    if (json_array_size(rows) == 0) {
        g_print("The store has no sessions.\n");
        return;
    }
    g_print("%-36s  %-12s  %-20s  %9s  %6s  %9s  %s\n", "SESSION", "STATE", "CREATED", "LENGTH",
            "TRACKS", "SIZE", "ORGANISATION");
    json_array_foreach(rows, i, row)
    {
        const char *created = json_string_value(json_object_get(row, "created"));
        g_autofree char *length =
            time_text_format(json_integer_value(json_object_get(row, "duration_us")));
        g_autofree char *size =
            terminal_size_text((uint64_t) json_integer_value(json_object_get(row, "bytes")));

        g_print("%-36s  %-12s  %-20s  %9s  %6d  %9s  %s\n",
                json_string_value(json_object_get(row, "session")),
                json_string_value(json_object_get(row, "state")), created != NULL ? created : "-",
                length, (int) json_integer_value(json_object_get(row, "tracks")), size,
                json_string_value(json_object_get(row, "org")));
    }
}

static void
print_head(const SessionFacts *facts)
{
    g_autofree char *length = time_text_format(facts->duration_us);
    g_autofree char *size = terminal_size_text(facts->n_bytes);

    g_print("session       %s\norganisation  %s\nstate         %s%s%s%s\ncreated       %s\n",
            facts->session, facts->org, facts->state, facts->reason != NULL ? " (" : "",
            facts->reason != NULL ? facts->reason : "", facts->reason != NULL ? ")" : "",
            facts->created != NULL ? facts->created : "-");
    g_print("length        %s, %u track%s, %s sealed\n\n", length, facts->tracks->len,
            facts->tracks->len == 1 ? "" : "s", size);
}

static unsigned
name_width(const SessionFacts *facts)
{
    size_t width = 0;

    for (guint i = 0; i < facts->tracks->len; i++) {
        const TrackFacts *track = facts->tracks->pdata[i];

        width = MAX(width, strlen(track->track->id));
    }
    return (unsigned) MIN(width, MAX_NAME);
}

static void
print_rows(const SessionFacts *facts, unsigned width, bool is_ascii)
{
    unsigned n_name = name_width(facts);
    unsigned n_taken = n_name + 2 + 6; /* the name, and the codec behind the row */
    unsigned n_cells = MAX(width > n_taken ? width - n_taken : 0, LEAST_CELLS);
    g_autofree char *scale = timeline_scale(facts->duration_us, n_cells);
    g_autoptr(GPtrArray) rows = g_ptr_array_new_with_free_func(g_free);
    g_autofree char *legend = NULL;

    g_print("%*s  %s\n", (int) n_name, "", scale);
    for (guint i = 0; i < facts->tracks->len; i++) {
        const TrackFacts *track = facts->tracks->pdata[i];
        char *row = timeline_draw(track->spans, facts->duration_us, n_cells, is_ascii);

        g_print("%-*.*s  %s %s\n", (int) n_name, (int) n_name, track->track->id, row,
                track->track->codec);
        g_ptr_array_add(rows, row);
    }
    g_ptr_array_add(rows, NULL);
    legend = timeline_legend((const char *const *) rows->pdata, is_ascii);
    g_print("\n%s", legend);
}

static int
compare_lengths(gconstpointer a, gconstpointer b)
{
    const ManifestGap *x = *(const ManifestGap *const *) a;
    const ManifestGap *y = *(const ManifestGap *const *) b;

    return (x->duration_us < y->duration_us) - (x->duration_us > y->duration_us);
}

static void
print_gaps(const SessionFacts *facts)
{
    g_autoptr(GPtrArray) gaps = g_ptr_array_new();

    for (guint i = 0; i < facts->manifest->gaps->len; i++)
        g_ptr_array_add(gaps, facts->manifest->gaps->pdata[i]);
    if (gaps->len == 0)
        return;
    g_ptr_array_sort(gaps, compare_lengths);
    g_print("\n%u gaps%s:\n", gaps->len, gaps->len > MAX_GAPS ? ", the longest" : "");
    for (guint i = 0; i < MIN(gaps->len, MAX_GAPS); i++) {
        const ManifestGap *gap = gaps->pdata[i];
        g_autofree char *start = time_text_format(gap->start_us);

        g_print("  %-*s  at %9s  for %8.3f s  %s\n", MAX_NAME, gap->track, start,
                (double) gap->duration_us / G_USEC_PER_SEC, gap->reason);
    }
}

void
session_picture_print(const SessionFacts *facts, unsigned width, bool is_ascii)
{
    print_head(facts);
    if (facts->tracks->len == 0 || facts->duration_us == 0) {
        g_print("The store has no media of it yet.\n");
        return;
    }
    print_rows(facts, width, is_ascii);
    print_gaps(facts);
    completeness_print(facts);
}
