#include "agent/admin/doctor_checks.h"
#include "agent/store/configured_store.h"
#include "storage/s3_probe.h"

static DoctorResult
result_of(S3ProbeVerdict verdict)
{
    switch (verdict) {
    case S3_PROBE_GOOD:
        return DOCTOR_OK;
    case S3_PROBE_WARNING:
        return DOCTOR_WARNING;
    case S3_PROBE_BAD:
    default:
        return DOCTOR_FAILED;
    }
}

static void
check_one(const StoreSettings *settings, DoctorReport *report)
{
    g_autofree char *place = configured_store_place(settings);
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) rows = configured_store_probe(settings, &error);

    if (rows == NULL) {
        doctor_report_add_error(report, place, error);
        return;
    }
    for (guint i = 0; i < rows->len; i++) {
        const S3ProbeRow *row = rows->pdata[i];
        g_autofree char *check = g_strconcat(place, " ", row->name, NULL);

        /* A finding is half a sentence. */
        doctor_report_add(report, result_of(row->verdict), check, "%c%s.",
                          g_ascii_toupper(row->finding[0]), row->finding + 1);
    }
}

void
doctor_checks_store(const Settings *settings, DoctorReport *report)
{
    const GPtrArray *replicas = settings->store.replicas;

    check_one(&settings->store, report);
    for (guint i = 0; replicas != NULL && i < replicas->len; i++)
        check_one(replicas->pdata[i], report);
}
