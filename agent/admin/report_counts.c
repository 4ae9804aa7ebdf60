#include "agent/admin/report_counts.h"

void
report_counts_add(json_t *form, const char *name)
{
    json_object_set_new(form, name,
                        json_integer(json_integer_value(json_object_get(form, name)) + 1));
}

void
report_counts_add_month(json_t *form, const char *name, int month, json_int_t value)
{
    json_t *row = json_object_get(form, name);
    json_int_t before = 0;

    if (month < 0)
        return;
    if (row == NULL) {
        row = json_array();
        for (int i = 0; i < REPORT_MONTHS; i++)
            json_array_append_new(row, json_integer(0));
        json_object_set_new(form, name, row);
    }
    before = json_integer_value(json_array_get(row, (size_t) month));
    json_array_set_new(row, (size_t) month, json_integer(before + value));
}

json_int_t
report_counts_sum(const json_t *months)
{
    json_int_t sum = 0;
    size_t i = 0;
    const json_t *value = NULL;

    json_array_foreach(months, i, value) sum += json_integer_value(value);
    return sum;
}
