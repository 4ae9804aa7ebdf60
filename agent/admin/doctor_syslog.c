#include "agent/admin/doctor_checks.h"
#include "agent/trail/audit_delivery.h"

void
doctor_checks_syslog(const Settings *settings, DoctorReport *report)
{
    const SyslogSettings *receiver = settings->audit->syslog;
    g_autoptr(GError) error = NULL;

    if (receiver == NULL)
        return;
    if (audit_delivery_try(receiver, &error)) {
        doctor_report_add(report, DOCTOR_OK, "audit receiver",
                          receiver->is_plain ? "%s:%u takes audit messages, without TLS."
                                             : "%s:%u takes audit messages, and our certificate.",
                          receiver->address, receiver->port);
    } else {
        doctor_report_add(report, DOCTOR_WARNING, "audit receiver",
                          "%s:%u takes none, so they wait, and %u are let wait: %s.",
                          receiver->address, receiver->port, receiver->max_lag, error->message);
    }
}
