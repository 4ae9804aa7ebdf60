#include "agent/admin/status_picture.h"

#include "agent/admin/terminal.h"

#include <glib.h>
#include <stdbool.h>
#include <string.h>

enum { MINUTE_S = 60, HOUR_S = 3600, DAY_S = 86400 };

static const char *const levels[] = {"ok", "low", "scarce: no new session",
                                     "critical: gaps are near"};

static json_int_t
number_of(const json_t *form, const char *member)
{
    return json_integer_value(json_object_get(form, member));
}

static const char *
text_of(const json_t *form, const char *member)
{
    const char *text = json_string_value(json_object_get(form, member));

    return text != NULL ? text : "-";
}

/* Returns: `4 s`, `12 min`, `3 h`, `2 days`, owned. */
static char *
age_text(json_int_t seconds)
{
    if (seconds < 120)
        return g_strdup_printf("%" JSON_INTEGER_FORMAT " s", seconds);
    if (seconds / HOUR_S < 2)
        return g_strdup_printf("%" JSON_INTEGER_FORMAT " min", seconds / MINUTE_S);
    if (seconds / HOUR_S < 48)
        return g_strdup_printf("%" JSON_INTEGER_FORMAT " h", seconds / HOUR_S);
    return g_strdup_printf("%" JSON_INTEGER_FORMAT " days", seconds / DAY_S);
}

static void
draw_alarms(GString *page, const json_t *list)
{
    size_t i = 0;
    const json_t *row = NULL;

    if (json_array_size(list) == 0)
        g_string_append(page, "alarms     none\n");
    json_array_foreach(list, i, row)
    {
        g_string_append_printf(page, "%-10s %-8s  %s: %s\n", i == 0 ? "ALARMS" : "",
                               text_of(row, "severity"), text_of(row, "alarm"),
                               text_of(row, "message"));
        if (json_object_get(row, "reason") != NULL)
            g_string_append_printf(page, "%-10s %-8s  %s\n", "", "", text_of(row, "reason"));
    }
}

static void
draw_sessions(GString *page, json_t *states)
{
    const char *state = NULL;
    json_t *value = NULL;
    bool has_any = false;

    g_string_append(page, "sessions   ");
    json_object_foreach(states, state, value)
    {
        if (json_integer_value(value) == 0)
            continue;
        g_string_append_printf(page, "%s%" JSON_INTEGER_FORMAT " %s", has_any ? ", " : "",
                               json_integer_value(value), state);
        has_any = true;
    }
    g_string_append(page, has_any ? "\n" : "none\n");
}

static void
draw_media(GString *page, const json_t *media)
{
    const json_int_t n_packets = number_of(media, "packets");
    const json_int_t n_lost = number_of(media, "lost");
    const double of_all = (double) MAX(n_packets + n_lost, 1);

    g_string_append_printf(page,
                           "media      %" JSON_INTEGER_FORMAT " tracks, %" JSON_INTEGER_FORMAT
                           " packets, %" JSON_INTEGER_FORMAT " lost (%.2f %%), "
                           "%" JSON_INTEGER_FORMAT " dropped by the kernel\n",
                           number_of(media, "tracks"), n_packets, n_lost,
                           100.0 * (double) n_lost / of_all, number_of(media, "kernel_dropped"));
}

static void
draw_spool(GString *page, const json_t *spool)
{
    const json_int_t level = CLAMP(number_of(spool, "level"), 0, (json_int_t) 3);
    g_autofree char *size = terminal_size_text((uint64_t) number_of(spool, "bytes"));
    g_autofree char *free_size = terminal_size_text((uint64_t) number_of(spool, "free_bytes"));
    g_autofree char *age = age_text(number_of(spool, "oldest_seconds"));

    g_string_append_printf(
        page, "spool      %s, %s, %" JSON_INTEGER_FORMAT " segments, the oldest %s old, %s free\n",
        levels[level], size, number_of(spool, "segments"), age, free_size);
}

static void
draw_upload(GString *page, const json_t *upload, const json_t *audit)
{
    g_autofree char *lag = age_text(number_of(upload, "lag_seconds"));

    g_string_append_printf(page,
                           "upload     %s behind, %" JSON_INTEGER_FORMAT
                           " objects stored, %" JSON_INTEGER_FORMAT " failures%s\n",
                           lag, number_of(upload, "objects"), number_of(upload, "failures"),
                           number_of(upload, "parked") != 0 ? ", PARKED" : "");
    g_string_append_printf(page,
                           "audit      %" JSON_INTEGER_FORMAT " records, %" JSON_INTEGER_FORMAT
                           " not anchored yet\n",
                           number_of(audit, "records"), number_of(audit, "unanchored"));
}

static void
draw_keys(GString *page, const json_t *keys)
{
    size_t i = 0;
    const json_t *key = NULL;

    json_array_foreach(keys, i, key)
    {
        g_string_append_printf(page, "%-10s %s  %s  %-12s  %-9s  %" JSON_INTEGER_FORMAT " days\n",
                               i == 0 ? "keys" : "", text_of(key, "org"), text_of(key, "mark"),
                               text_of(key, "role"), text_of(key, "state"),
                               number_of(key, "age_days"));
    }
}

static void
draw_due(GString *page, const json_t *due)
{
    size_t i = 0;
    const json_t *row = NULL;

    if (json_array_size(due) == 0)
        g_string_append(page, "due        nothing\n");
    json_array_foreach(due, i, row)
    {
        g_string_append_printf(page, "%-10s %s: %s (`%s`)\n", i == 0 ? "DUE" : "",
                               text_of(row, "org"), text_of(row, "what"), text_of(row, "command"));
    }
}

static bool
is_under_way(const json_t *session)
{
    static const char *const over[] = {"stored", "not-recorded", "incomplete", "failed", NULL};

    return !g_strv_contains(over, text_of(session, "state"));
}

static void
draw_open(GString *page, const json_t *sessions)
{
    bool has_head = false;
    size_t i = 0;
    const json_t *row = NULL;

    json_array_foreach(sessions, i, row)
    {
        if (!is_under_way(row))
            continue;
        if (!has_head) {
            g_string_append_printf(page, "\n%-36s  %-16s %6s %9s %7s  %-20s  %s\n", "SESSION",
                                   "STATE", "TRACKS", "PACKETS", "LOST", "CREATED", "ORGANISATION");
        }
        has_head = true;
        g_string_append_printf(page,
                               "%-36s  %-16s %6" JSON_INTEGER_FORMAT " %9" JSON_INTEGER_FORMAT
                               " %7" JSON_INTEGER_FORMAT "  %-20s  %s\n",
                               text_of(row, "session"), text_of(row, "state"),
                               number_of(row, "tracks"), number_of(row, "packets"),
                               number_of(row, "lost"), text_of(row, "created"),
                               text_of(row, "org"));
    }
}

char *
status_picture_draw(const json_t *facts)
{
    GString *page = g_string_new(NULL);

    g_string_append_printf(page, "sealtape   %s  %s\n", text_of(facts, "at"),
                           text_of(facts, "socket"));
    draw_alarms(page, json_object_get(facts, "alarms"));
    if (json_is_true(json_object_get(facts, "answers"))) {
        draw_sessions(page, json_object_get(facts, "sessions"));
        draw_media(page, json_object_get(facts, "media"));
        draw_spool(page, json_object_get(facts, "spool"));
        draw_upload(page, json_object_get(facts, "upload"), json_object_get(facts, "audit"));
    }
    draw_keys(page, json_object_get(facts, "keys"));
    draw_due(page, json_object_get(facts, "due"));
    draw_open(page, json_object_get(facts, "open"));
    return g_string_free(page, FALSE);
}
