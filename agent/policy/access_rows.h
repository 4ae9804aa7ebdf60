#pragma once

#include "agent/policy/access.h"

/* The table of roles, for access.c alone. */

typedef enum {
    ACCESS_IF_OWN = 1 << 0,        /* the person is in the session in the role's part */
    ACCESS_IF_RELEASED = 1 << 1,   /* as the organisation's rule says */
    ACCESS_IF_REASON = 1 << 2,     /* a text why is there */
    ACCESS_IF_TRANSCRIBE = 1 << 3, /* everyone consented to it */
    ACCESS_IF_QUALITY = 1 << 4,
    ACCESS_IF_TRAINING = 1 << 5,
    ACCESS_IF_FRESH_MFA = 1 << 6,
    ACCESS_IF_SECOND = 1 << 7, /* another has asked for it */
    ACCESS_IF_NOT_HELD = 1 << 8,
    ACCESS_EVEN_QUARANTINED = 1 << 9,
    ACCESS_EVEN_RESTRICTED = 1 << 10,
    ACCESS_IS_ALARMED = 1 << 11,
    ACCESS_OF_SESSION = 1 << 12, /* about one session, which has to be given */
} AccessConditions;

typedef struct {
    AccessRole role;
    AccessAction action;
    const char *purpose; /* NULL: none is asked */
    unsigned tracks;     /* of AccessTracks; 0: no media */
    unsigned conditions;
} AccessRow;

extern const AccessRow access_rows[];
extern const size_t access_n_rows;
