#include "agent/service/log_line.h"

#include <stdbool.h>
#include <string.h>

static const char *
level_name(GLogLevelFlags level)
{
    static const struct {
        GLogLevelFlags level;
        const char *name;
    } names[] = {
        {G_LOG_LEVEL_ERROR,    "error"   },
        {G_LOG_LEVEL_CRITICAL, "critical"},
        {G_LOG_LEVEL_WARNING,  "warning" },
        {G_LOG_LEVEL_MESSAGE,  "message" },
        {G_LOG_LEVEL_INFO,     "info"    },
        {G_LOG_LEVEL_DEBUG,    "debug"   },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        if (level & names[i].level)
            return names[i].name;
    }
    return "log";
}

/* A line break, or a terminal's escape, inside a message must not pass for another line. */
static void
append_clean(GString *line, const char *bytes, gssize length)
{
    size_t n = length < 0 ? strlen(bytes) : (size_t) length;

    for (size_t i = 0; i < n; i++)
        g_string_append_c(line, g_ascii_iscntrl(bytes[i]) ? ' ' : bytes[i]);
}

static const GLogField *
find_field(const GLogField *fields, gsize n_fields, const char *key)
{
    for (gsize i = 0; i < n_fields; i++) {
        if (g_str_equal(fields[i].key, key))
            return &fields[i];
    }
    return NULL;
}

static bool
is_shown_as_pair(const char *key)
{
    static const char *const others[] = {
        "MESSAGE",           "PRIORITY",         "GLIB_DOMAIN", "MESSAGE_ID",
        "SYSLOG_IDENTIFIER", "GLIB_OLD_LOG_API", "TID",         NULL};

    return !g_strv_contains(others, key) && !g_str_has_prefix(key, "CODE_");
}

static void
append_pairs(GString *line, const GLogField *fields, gsize n_fields)
{
    for (gsize i = 0; i < n_fields; i++) {
        g_autofree char *key = NULL;

        if (!is_shown_as_pair(fields[i].key))
            continue;
        key = g_ascii_strdown(fields[i].key, -1);
        g_string_append_printf(line, " %s=", key);
        append_clean(line, fields[i].value, fields[i].length);
    }
}

char *
log_line_format(GLogLevelFlags level, const GLogField *fields, gsize n_fields, int64_t now_unix_us)
{
    g_autoptr(GDateTime) now = g_date_time_new_from_unix_utc(now_unix_us / G_USEC_PER_SEC);
    g_autofree char *second = g_date_time_format(now, "%Y-%m-%dT%H:%M:%S");
    const GLogField *domain = find_field(fields, n_fields, "GLIB_DOMAIN");
    const GLogField *message = find_field(fields, n_fields, "MESSAGE");
    GString *line = g_string_new(second);

    g_string_append_printf(line, ".%03dZ %s ",
                           (int) (now_unix_us % G_USEC_PER_SEC / G_TIME_SPAN_MILLISECOND),
                           level_name(level));
    if (domain != NULL) {
        append_clean(line, domain->value, domain->length);
        g_string_append(line, ": ");
    }
    if (message != NULL)
        append_clean(line, message->value, message->length);
    append_pairs(line, fields, n_fields);
    g_string_append_c(line, '\n');
    return g_string_free(line, FALSE);
}
