#pragma once

#include "agent/audit/audit_event.h"
#include "agent/audit/audit_source.h"

#include <jansson.h>

/* A record as an AuditEvent of FHIR R4, told as the ATNA message tells it. Claims no profile: IHE's
 * BALP wants a reference to a Patient, and the log does not know who the patient is. Pure. */

/* Returns: the resource, owned. */
json_t *fhir_audit_event(const AuditRecord *record, const AuditSourceId *source);
