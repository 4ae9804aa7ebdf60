#pragma once

#include "agent/audit/audit_event.h"
#include "agent/audit/audit_source.h"

/* A record as an audit message of DICOM PS3.15 A.5, in XML, the way IHE's ATNA profile sends it.
 * The same record gives the same bytes every time. Nobody is named: objects have a neutral name.
 * tests/atna.rng is its grammar. Pure. */

/* Returns: XML in UTF-8, without a byte order mark, shorter than 32 KiB; owned. */
char *atna_message(const AuditRecord *record, const AuditSourceId *source);
