#include "agent/admin/doctor_report.h"

#include <string.h>

typedef struct {
    DoctorResult result;
    char *check;
    char *sentence;
} Row;

struct DoctorReport {
    GArray *rows;
};

static const char *const result_texts[] = {
    [DOCTOR_OK] = "ok",
    [DOCTOR_WARNING] = "warning",
    [DOCTOR_FAILED] = "failed",
};

static void
on_row_clear(gpointer row)
{
    Row *self = row;

    g_free(self->check);
    g_free(self->sentence);
}

DoctorReport *
doctor_report_new(void)
{
    DoctorReport *self = g_new0(DoctorReport, 1);

    self->rows = g_array_new(FALSE, FALSE, sizeof(Row));
    g_array_set_clear_func(self->rows, on_row_clear);
    return self;
}

void
doctor_report_add(DoctorReport *self, DoctorResult result, const char *check, const char *format,
                  ...)
{
    Row row = {result, g_strdup(check), NULL};
    va_list arguments;

    va_start(arguments, format);
    row.sentence = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    g_array_append_val(self->rows, row);
}

void
doctor_report_add_error(DoctorReport *self, const char *check, const GError *error)
{
    doctor_report_add(self, DOCTOR_FAILED, check, "%s", error->message);
}

DoctorResult
doctor_report_worst(const DoctorReport *self)
{
    DoctorResult worst = DOCTOR_OK;

    for (guint i = 0; i < self->rows->len; i++)
        worst = MAX(worst, g_array_index(self->rows, Row, i).result);
    return worst;
}

void
doctor_report_print(const DoctorReport *self)
{
    int width = 0;

    for (guint i = 0; i < self->rows->len; i++)
        width = MAX(width, (int) strlen(g_array_index(self->rows, Row, i).check));
    for (guint i = 0; i < self->rows->len; i++) {
        const Row *row = &g_array_index(self->rows, Row, i);

        g_print("%-8s %-*s %s\n", result_texts[row->result], width, row->check, row->sentence);
    }
}

json_t *
doctor_report_to_json(const DoctorReport *self)
{
    json_t *checks = json_array();

    for (guint i = 0; i < self->rows->len; i++) {
        const Row *row = &g_array_index(self->rows, Row, i);

        json_array_append_new(checks,
                              json_pack("{s:s, s:s, s:s}", "check", row->check, "result",
                                        result_texts[row->result], "message", row->sentence));
    }
    return json_pack("{s:s, s:o}", "result", result_texts[doctor_report_worst(self)], "checks",
                     checks);
}

void
doctor_report_free(DoctorReport *self)
{
    if (self == NULL)
        return;
    g_array_unref(self->rows);
    g_free(self);
}
