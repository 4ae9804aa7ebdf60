#include "agent/admin/report_chart.h"

#include <stdbool.h>

/* In the units of the drawing. */
enum {
    WIDTH = 640,
    HEIGHT = 190,
    LEFT = 44,
    TOP = 12,
    BOTTOM = 26,
    PLOT = HEIGHT - TOP - BOTTOM,
    N_COLOURS = 6,
};

typedef struct {
    GString *page;
    const json_t *months;
    json_t *series;
    json_int_t most; /* the end of the scale */
} Chart;

void
report_chart_add_text(GString *page, const char *text)
{
    g_autofree char *escaped = g_markup_escape_text(text, -1);

    g_string_append(page, escaped);
}

static json_int_t
value_of(const json_t *row, size_t month)
{
    return json_integer_value(json_array_get(row, month));
}

/* Returns: the next of 1, 2, 5, 10, 20, ... that is enough for the highest bar. */
static json_int_t
scale_of(const json_t *months, json_t *series)
{
    static const json_int_t steps[] = {2, 5, 10};
    json_int_t highest = 1;
    json_int_t power = 1;
    json_int_t top = 1;

    for (size_t month = 0; month < json_array_size(months); month++) {
        const char *name = NULL;
        const json_t *row = NULL;
        json_int_t sum = 0;

        json_object_foreach(series, name, row) sum += value_of(row, month);
        highest = MAX(highest, sum);
    }
    while (top < highest) {
        for (gsize i = 0; i < G_N_ELEMENTS(steps) && top < highest; i++)
            top = power * steps[i];
        power *= 10;
    }
    return top;
}

static int
height_of(const Chart *self, json_int_t value)
{
    return (int) (value * PLOT / self->most);
}

static void
draw_scale(const Chart *self)
{
    const json_int_t marks[] = {0, self->most / 2, self->most};

    for (gsize i = self->most < 2 ? 1 : 0; i < G_N_ELEMENTS(marks); i++) {
        const json_int_t mark = self->most < 2 && i == 1 ? 0 : marks[i];
        const int y = TOP + PLOT - height_of(self, mark);

        g_string_append_printf(self->page,
                               "<line class=\"grid\" x1=\"%d\" x2=\"%d\" y1=\"%d\" y2=\"%d\"/>"
                               "<text x=\"%d\" y=\"%d\" text-anchor=\"end\">%" JSON_INTEGER_FORMAT
                               "</text>\n",
                               LEFT, WIDTH, y, y, LEFT - 8, y + 4, mark);
    }
}

/* Each segment of a bar says what it is where the pointer rests. */
static void
draw_bar(const Chart *self, size_t month, int x, int width)
{
    const char *label = json_string_value(json_array_get(self->months, month));
    const char *name = NULL;
    const json_t *row = NULL;
    json_int_t below = 0;
    unsigned colour = 0;

    json_object_foreach(self->series, name, row)
    {
        const json_int_t value = value_of(row, month);
        const int y = TOP + PLOT - height_of(self, below + value);

        if (value > 0) {
            g_string_append_printf(
                self->page,
                "<rect class=\"s%u\" x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\"><title>", colour,
                x, y, width, MAX(TOP + PLOT - height_of(self, below) - y, 1));
            report_chart_add_text(self->page, label);
            g_string_append(self->page, ", ");
            report_chart_add_text(self->page, name);
            g_string_append_printf(self->page, ": %" JSON_INTEGER_FORMAT "</title></rect>\n",
                                   value);
        }
        below += value;
        colour = (colour + 1) % N_COLOURS;
    }
}

static void
draw_legend(const Chart *self)
{
    const char *name = NULL;
    const json_t *row = NULL;
    unsigned colour = 0;

    if (json_object_size(self->series) < 2)
        return;
    g_string_append(self->page, "<p class=\"legend\">");
    json_object_foreach(self->series, name, row)
    {
        g_string_append_printf(self->page, "<span class=\"s%u\"></span>", colour);
        report_chart_add_text(self->page, name);
        g_string_append_c(self->page, ' ');
        colour = (colour + 1) % N_COLOURS;
    }
    g_string_append(self->page, "</p>\n");
}

static void
add_table(const Chart *self)
{
    const char *name = NULL;
    const json_t *row = NULL;
    size_t month = 0;
    const json_t *label = NULL;

    g_string_append(self->page, "<details><summary>Numbers</summary><table><tr><th>Month</th>");
    json_object_foreach(self->series, name, row)
    {
        g_string_append(self->page, "<th class=\"n\">");
        report_chart_add_text(self->page, name);
        g_string_append(self->page, "</th>");
    }
    g_string_append(self->page, "</tr>\n");
    json_array_foreach(self->months, month, label)
    {
        g_string_append(self->page, "<tr><td>");
        report_chart_add_text(self->page, json_string_value(label));
        g_string_append(self->page, "</td>");
        json_object_foreach(self->series, name, row)
        {
            g_string_append_printf(self->page, "<td class=\"n\">%" JSON_INTEGER_FORMAT "</td>",
                                   value_of(row, month));
        }
        g_string_append(self->page, "</tr>\n");
    }
    g_string_append(self->page, "</table></details>\n");
}

void
report_chart_add(GString *page, const char *title, const json_t *months, json_t *series)
{
    const Chart self = {page, months, series, scale_of(months, series)};
    const int n_months = (int) json_array_size(months);
    const int step = (WIDTH - LEFT) / MAX(n_months, 1);

    g_string_append(page, "<figure><figcaption>");
    report_chart_add_text(page, title);
    g_string_append(page, "</figcaption>\n");
    if (json_object_size(series) == 0) {
        g_string_append(page, "<p class=\"none\">Nothing in these months.</p></figure>\n");
        return;
    }
    g_string_append_printf(page, "<svg viewBox=\"0 0 %d %d\" role=\"img\">\n", WIDTH, HEIGHT);
    draw_scale(&self);
    for (int i = 0; i < n_months; i++) {
        const int x = LEFT + i * step;

        draw_bar(&self, (size_t) i, x + step / 6, step - step / 3);
        g_string_append_printf(page, "<text x=\"%d\" y=\"%d\" text-anchor=\"middle\">",
                               x + step / 2, HEIGHT - 8);
        report_chart_add_text(page, json_string_value(json_array_get(months, (size_t) i)));
        g_string_append(page, "</text>\n");
    }
    g_string_append(page, "</svg>\n");
    draw_legend(&self);
    add_table(&self);
    g_string_append(page, "</figure>\n");
}
