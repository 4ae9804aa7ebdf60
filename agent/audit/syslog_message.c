#include "agent/audit/syslog_message.h"

#include "agent/audit/atna_message.h"
#include "agent/audit/audit_code.h"
#include "agent/audit/plain_text.h"

#include <string.h>

#define MESSAGE_ID "IHE+RFC-3881"

/* Facility 10, security and authorisation; severity 4 warning, 5 notice. Lengths of RFC 5424,
 * section 6. */
enum { PRI_WARNING = 84, PRI_NOTICE = 85, MAX_HOST = 255, MAX_PROCESS = 128 };

char *
syslog_message(const AuditRecord *record, const AuditSourceId *source)
{
    g_autofree char *host = plain_text_word(source->host, MAX_HOST);
    g_autofree char *process = plain_text_word(source->origin, MAX_PROCESS);
    g_autofree char *xml = atna_message(record, source);

    return g_strdup_printf("<%d>1 %s %s sealtape %s " MESSAGE_ID " - %s",
                           audit_code_is_warning(&record->event) ? PRI_WARNING : PRI_NOTICE,
                           record->time, host, process, xml);
}

char *
syslog_frame(const char *message)
{
    return g_strdup_printf("%zu %s", strlen(message), message);
}
