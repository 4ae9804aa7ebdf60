#pragma once

#include <glib.h>
#include <jansson.h>

/* What `sealtape doctor` found: a row for each check. */
typedef struct DoctorReport DoctorReport;

typedef enum {
    DOCTOR_OK,
    DOCTOR_WARNING, /* works, and somebody should look */
    DOCTOR_FAILED,  /* the recorder will not work */
} DoctorResult;

DoctorReport *doctor_report_new(void);

/* `check`: one word or two. The rest is one sentence. */
void doctor_report_add(DoctorReport *self, DoctorResult result, const char *check,
                       const char *format, ...) G_GNUC_PRINTF(4, 5);

/* Adds FAILED with the message of `error`, borrowed. */
void doctor_report_add_error(DoctorReport *self, const char *check, const GError *error);

/* Returns: the worst result of all rows. */
DoctorResult doctor_report_worst(const DoctorReport *self);

void doctor_report_print(const DoctorReport *self);
json_t *doctor_report_to_json(const DoctorReport *self);
void doctor_report_free(DoctorReport *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DoctorReport, doctor_report_free)
