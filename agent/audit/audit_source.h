#pragma once

/* Whose log a record stands in, as others are told. All borrowed. */
typedef struct {
    const char *org;
    const char *origin; /* of the log: `recorder.host-1` */
    const char *host;   /* name of the machine that tells */
} AuditSourceId;
