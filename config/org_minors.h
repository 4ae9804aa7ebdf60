#pragma once

#include <glib.h>
#include <stdint.h>

/* Who consents for a minor, as an organisation's file says. */
typedef enum {
    ORG_MINORS_BOTH, /* the minor and a guardian */
    ORG_MINORS_GUARDIAN,
    ORG_MINORS_ALONE,
    ORG_MINORS_NEVER, /* no minor is recorded */
} OrgMinors;

/* One entry of `consent.minors_by`. */
typedef struct {
    char *jurisdiction; /* NULL: anywhere */
    char *service;      /* NULL: any */
    uint32_t from_age;
    OrgMinors who;
} OrgMinorsRow;
