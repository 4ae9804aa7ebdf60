#pragma once

#include "agent/audit/audit_event.h"

/* How each kind of event is coded where others read it: DICOM PS3.15 (ATNA) and FHIR R4 AuditEvent.
 * Pure. */

typedef enum {
    LIFE_CYCLE_NONE = 0,
    LIFE_CYCLE_ORIGINATION = 1,
    LIFE_CYCLE_AMENDMENT = 3,
    LIFE_CYCLE_ACCESS = 6,
    LIFE_CYCLE_EXPORT = 10,
    LIFE_CYCLE_DISCLOSURE = 11,
    LIFE_CYCLE_ARCHIVING = 13,
    LIFE_CYCLE_ERASURE = 15,
} LifeCycle; /* of RFC 3881, section 5.5.3 */

typedef struct {
    const char *text;     /* the kind's own word; also a code of our system, 99TSRA */
    const char *event_id; /* DCM, CID 400 */
    const char *type;     /* DCM, CID 401; NULL: our word alone */
    char action;          /* C, R, U, D, E */
    LifeCycle life_cycle; /* of the recording */
    const char *iso;      /* of FHIR's iso-21089-lifecycle; NULL: none */
} AuditCode;

/* Returns: the row of `kind`, static. */
const AuditCode *audit_code(AuditKind kind);

/* Returns: what a DCM code of these rows is called, static. */
const char *audit_code_meaning(const char *dcm);

/* Returns: C, R, U, D or E: that of the row, but for a consent, of which the state decides. */
char audit_code_action(const AuditEvent *event);
LifeCycle audit_code_life_cycle(const AuditEvent *event);

/* Returns: 0, 4, 8: success, a failure, a refusal. */
unsigned audit_code_outcome(const AuditEvent *event);

/* Whether it is worth a warning: what was refused, what failed, a break-glass. */
bool audit_code_is_warning(const AuditEvent *event);
