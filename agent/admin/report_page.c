#include "agent/admin/report_page.h"

#include "agent/admin/report_chart.h"
#include "agent/admin/report_counts.h"
#include "agent/admin/terminal.h"

#include <gio/gio.h>
#include <stdbool.h>
#include <string.h>

GResource *report_get_resource(void);

static const json_t *
member(const json_t *form, const char *name)
{
    return json_object_get(form, name);
}

static json_int_t
number(const json_t *form, const char *name)
{
    return json_integer_value(json_object_get(form, name));
}

static const char *
text(const json_t *form, const char *name)
{
    const char *value = json_string_value(json_object_get(form, name));

    return value != NULL ? value : "-";
}

static void
add_element(GString *page, const char *tag, const char *content)
{
    g_string_append_printf(page, "<%s>", tag);
    report_chart_add_text(page, content);
    g_string_append_printf(page, "</%.*s>", (int) strcspn(tag, " "), tag);
}

static void
add_number(GString *page, json_int_t value)
{
    g_string_append_printf(page, "<td class=\"n\">%" JSON_INTEGER_FORMAT "</td>", value);
}

static void
add_head(GString *page, const json_t *facts)
{
    g_autoptr(GBytes) style =
        g_resource_lookup_data(report_get_resource(), "/sealtape/report.css", 0, NULL);
    gsize n_style = 0;
    const char *bytes = g_bytes_get_data(style, &n_style);

    g_string_append(page, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                          "<meta name=\"viewport\" content=\"width=device-width, "
                          "initial-scale=1\">\n<title>Recordings of ");
    report_chart_add_text(page, text(facts, "org"));
    g_string_append(page, "</title>\n<style>\n");
    g_string_append_len(page, bytes, (gssize) n_style);
    g_string_append(page, "</style>\n</head>\n<body>\n<header>\n<h1>Recordings of ");
    report_chart_add_text(page, text(facts, "org"));
    g_string_append(page, "</h1>\n<p class=\"sub\">For the privacy officer. As of ");
    add_element(page, "time", text(facts, "at"));
    g_string_append(page, "; what happened, since ");
    add_element(page, "time", text(facts, "from"));
    g_string_append(page,
                    ". Numbers only: no person, session or matter is named.</p>\n</header>\n");
}

static void
add_tile(GString *page, const char *value, const char *label, bool is_bad)
{
    g_string_append_printf(page, "<div class=\"tile%s\">", is_bad ? " bad" : "");
    add_element(page, "b", value);
    add_element(page, "span", label);
    g_string_append(page, "</div>\n");
}

static void
add_count_tile(GString *page, json_int_t value, const char *label, bool is_bad)
{
    g_autofree char *written = g_strdup_printf("%" JSON_INTEGER_FORMAT, value);

    add_tile(page, written, label, is_bad);
}

static json_int_t
count_failed(const json_t *checks)
{
    json_int_t n_failed = 0;
    size_t i = 0;
    const json_t *row = NULL;

    json_array_foreach(checks, i, row) n_failed += !json_is_true(member(row, "ok"));
    return n_failed;
}

static json_int_t
count_openings(json_t *openings)
{
    json_int_t sum = 0;
    const char *use = NULL;
    const json_t *months = NULL;

    json_object_foreach(openings, use, months) sum += report_counts_sum(months);
    return sum;
}

static void
add_tiles(GString *page, const json_t *facts)
{
    const json_t *sessions = member(facts, "sessions");
    const json_t *retention = member(facts, "retention");
    const json_t *audit = member(facts, "audit");
    const json_int_t n_failed = count_failed(member(facts, "checks"));
    g_autofree char *hours =
        g_strdup_printf("%" JSON_INTEGER_FORMAT ":%02" JSON_INTEGER_FORMAT,
                        number(sessions, "seconds") / 3600, number(sessions, "seconds") / 60 % 60);
    g_autofree char *size = terminal_size_text((uint64_t) number(sessions, "bytes"));

    g_string_append(page, "<section class=\"tiles\">\n");
    add_count_tile(page, number(sessions, "count"), "recordings kept", false);
    add_tile(page, hours, "hours and minutes", false);
    add_tile(page, size, "sealed", false);
    add_count_tile(page, count_openings(json_object_get(audit, "openings")),
                   "openings in twelve months", false);
    add_count_tile(page, number(audit, "disclosures_countable"), "disclosures to account for",
                   false);
    add_count_tile(page, number(retention, "due"), "due to be erased",
                   number(retention, "due") > 0);
    add_count_tile(page, number(retention, "held"), "on hold", false);
    add_count_tile(page, n_failed, "checks failed", n_failed > 0);
    g_string_append(page, "</section>\n");
}

static void
add_checks(GString *page, const json_t *checks)
{
    size_t i = 0;
    const json_t *row = NULL;

    g_string_append(page,
                    "<h2>Checks</h2>\n<div class=\"card\"><table id=\"checks\"><tr><th>Check</th>"
                    "<th></th><th>Result</th></tr>\n");
    json_array_foreach(checks, i, row)
    {
        const bool is_ok = json_is_true(member(row, "ok"));

        g_string_append(page, "<tr>");
        add_element(page, "td", text(row, "check"));
        g_string_append_printf(page, "<td class=\"%s\">%s</td>", is_ok ? "good" : "bad",
                               is_ok ? "good" : "failed");
        add_element(page, "td", text(row, "result"));
        g_string_append(page, "</tr>\n");
    }
    g_string_append(page, "</table></div>\n");
}

static void
add_keys(GString *page, const json_t *keys)
{
    size_t i = 0;
    const json_t *key = NULL;

    g_string_append(page, "<h2>Keys</h2>\n<div class=\"card\"><table id=\"keys\"><tr><th>Key</th>"
                          "<th>For</th><th>State</th><th class=\"n\">Days old</th>"
                          "<th>Last drill</th></tr>\n");
    json_array_foreach(keys, i, key)
    {
        const bool is_due = json_is_true(member(key, "drill_due"));

        g_string_append(page, "<tr><td>");
        add_element(page, "code", text(key, "mark"));
        g_string_append(page, "</td>");
        add_element(page, "td", text(key, "role"));
        add_element(page, "td", text(key, "state"));
        add_number(page, number(key, "age_days"));
        g_string_append_printf(page, "<td%s>", is_due ? " class=\"bad\"" : "");
        report_chart_add_text(page, text(key, "drilled"));
        g_string_append_printf(page, "%s</td></tr>\n", is_due ? " (due)" : "");
    }
    g_string_append(page, "</table></div>\n");
}

/* Adds a table of the numbers of `form`: all, or those of `rows` under other words. */
static void
add_numbers(GString *page, const char *id, json_t *form)
{
    const char *name = NULL;
    const json_t *value = NULL;

    g_string_append_printf(page, "<div class=\"card\"><table id=\"%s\">\n", id);
    json_object_foreach(form, name, value)
    {
        g_string_append(page, "<tr>");
        add_element(page, "td", name);
        add_number(page, json_integer_value(value));
        g_string_append(page, "</tr>\n");
    }
    g_string_append(page, "</table></div>\n");
}

static void
add_retention(GString *page, const json_t *retention)
{
    json_t *rows = json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "due to be erased",
                             number(retention, "due"), "erasure begun, or bytes still locked",
                             number(retention, "begun"), "kept beyond these twelve months",
                             number(retention, "later"), "kept for ever: no rule applies",
                             number(retention, "forever"), "on hold", number(retention, "held"),
                             "open matters of these holds", number(retention, "matters"),
                             "still being recorded", number(retention, "open"));

    g_string_append(page, "<h2>Retention and holds</h2>\n");
    report_chart_add(page, "Recordings whose retention ends, month by month",
                     member(retention, "months"), json_object_get(retention, "by_month"));
    add_numbers(page, "retention", rows);
    json_decref(rows);
}

char *
report_page_write(const json_t *facts)
{
    GString *page = g_string_new(NULL);
    const json_t *sessions = member(facts, "sessions");
    const json_t *audit = member(facts, "audit");

    add_head(page, facts);
    add_tiles(page, facts);
    add_checks(page, member(facts, "checks"));
    g_string_append(page, "<h2>Recordings</h2>\n");
    report_chart_add(page, "Recordings made, month by month", member(facts, "months"),
                     json_object_get(sessions, "by_month"));
    add_numbers(page, "states", json_object_get(sessions, "states"));
    g_string_append(page, "<h2>Access and disclosures</h2>\n");
    report_chart_add(page, "Openings, by purpose of use", member(facts, "months"),
                     json_object_get(audit, "openings"));
    add_numbers(page, "events", json_object_get(audit, "events"));
    add_retention(page, member(facts, "retention"));
    add_keys(page, member(facts, "keys"));
    g_string_append(page, "<footer><p>Out of the catalogue, the key ring, the annotations and the "
                          "audit logs of the host on which it was made; other hosts have logs of "
                          "their own.</p></footer>\n</body>\n</html>\n");
    return g_string_free(page, FALSE);
}
