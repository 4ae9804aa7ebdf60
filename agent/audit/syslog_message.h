#pragma once

#include "agent/audit/audit_event.h"
#include "agent/audit/audit_source.h"

/* An ATNA message as syslog takes it: RFC 5424, with the header that IHE's ITI-20 asks for. Pure.
 */

/* Returns: `<85>1 <time> <host> sealtape <origin> IHE+RFC-3881 - <XML>`, owned; 84 for a warning.
 */
char *syslog_message(const AuditRecord *record, const AuditSourceId *source);

/* Returns: it with its length in bytes and a space ahead (RFC 5425, section 4.3), owned. */
char *syslog_frame(const char *message);
